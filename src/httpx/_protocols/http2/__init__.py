"""HTTP/2 (RFC 9113) as a function of bytes: no socket, event loop, thread or clock in here."""
