"""Conversations on one connection: how it comes to be, and how an exchange goes over it."""
