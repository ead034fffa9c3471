"""What is made of several requests, or goes on after the response: server-sent events, downloads, WebSockets."""
