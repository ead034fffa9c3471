__title__ = "httpx"
__description__ = "The HTTP client for Python, sync and async, that verifies what it talks to."
__version__ = "0.28.2"
