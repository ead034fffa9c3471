"""HTTP/1.1 (RFC 9112) as a function of bytes: no socket, event loop, thread or clock in here."""
