"""What happens around one request, between the client and its transport. Each concern is one coroutine."""
