"""Sending a request again when that may help and does no harm: the policy, and the conversation that follows it."""

from __future__ import annotations

import logging
import re
import threading
import time
import typing
from collections.abc import Iterable

from .._auth.base import Auth
from .._config import Countdown
from .._connections.body import IDEMPOTENT
from .._exceptions import NetworkError, PoolTimeout, RemoteProtocolError, RequestError, TimeoutException, TLSError
from .._models.attempt import Attempt
from .._models.request import Request
from .._models.response import Response
from . import lifecycle
from .client import Client
from .drain import drain
from .single import loggable

logger = logging.getLogger("httpx")

_MAX_ORIGINS = 1_024
_INITIAL_BUDGET = 10.0
_RATE_LIMIT_RESET = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d{1,9})(?=[;,\s]|$)")


class Retry:
    """When a client sends a request again, and how long it waits before it does: `Client(retries=httpx.Retry())`.

    * `attempts`: how often a request is sent at most, the first time included; 3 by default.
    * `statuses`: the statuses after which it is sent again: 429, 502, 503 and 504 by default.
    * `methods`: the methods of requests that are sent again: by default those that are idempotent (RFC 9110 section 9.2.2).
    * `backoff`: seconds; the pause before the nth retry is drawn at random between 0 and `backoff * 2 ** (n - 1)`, at most
      `max_backoff`. "Full jitter" keeps clients that failed together from coming back together.
    * `max_retry_after`: a server that says when to come back (`Retry-After`, or the reset of its rate limit) is obeyed if that is
      within so many seconds, 60 by default; otherwise its response is the result.
    * `budget`: how many retries there may be per request to an origin, on the average of many, 0.2 by default; the first ten are free.
      It keeps retries from multiplying the load of a server that fails. None for no such limit.

    Errors of the network, time-outs and broken answers are tried again as well as these statuses; not TLS errors, nor time-outs of
    the pool, nor anything once `Timeout(total=...)` is over. An attempt includes reading the body, unless it is streamed. Content
    that can be sent only once (a generator) is not sent again. Thread-safe; may be shared by clients, which then share the budget.
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        statuses: Iterable[int] = (429, 502, 503, 504),
        methods: Iterable[str] = IDEMPOTENT,
        backoff: float = 0.5,
        max_backoff: float = 30.0,
        max_retry_after: float = 60.0,
        budget: float | None = 0.2,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts= counts the first one, and so is 1 at least, not {attempts}.")
        if min(backoff, max_backoff, max_retry_after) < 0 or (budget is not None and budget < 0):
            raise ValueError("backoff=, max_backoff=, max_retry_after= and budget= are not negative.")
        if isinstance(methods, str):
            raise TypeError(f"methods= is a list of methods, [{methods!r}], not a str.")
        self.attempts = attempts
        self.statuses: frozenset[int] = frozenset(statuses)
        self.methods: frozenset[str] = frozenset(method.upper() for method in methods)
        self.backoff = backoff
        self.max_backoff = max_backoff
        self.max_retry_after = max_retry_after
        self.budget = budget
        self._lock = threading.Lock()
        self._left: dict[object, float] = {}  # retries that an origin has left

    def __repr__(self) -> str:
        return (
            f"Retry(attempts={self.attempts}, statuses={sorted(self.statuses)}, backoff={self.backoff}, "
            f"max_backoff={self.max_backoff}, max_retry_after={self.max_retry_after}, budget={self.budget})"
        )

    def __reduce__(self) -> tuple[typing.Any, ...]:
        names = ("attempts", "statuses", "methods", "backoff", "max_backoff", "max_retry_after", "budget")
        return _restore, ({name: getattr(self, name) for name in names},)

    def pause(self, number: int, response: Response | None, now: float) -> float | None:
        """Seconds to wait after attempt `number`; None if the server wants more patience than there is. `now` is the time of day."""
        import random

        drawn = random.random() * min(self.backoff * 2.0 ** min(number - 1, 60), self.max_backoff)
        asked = None if response is None else retry_after(response, now)
        if asked is None:
            return drawn
        # A little later than asked: everybody else was told the same.
        return None if asked > self.max_retry_after else asked + drawn

    def _deposit(self, origin: object) -> None:
        # A request is sent: this is what retries are paid from.
        if self.budget is None:
            return
        with self._lock:
            left = self._left.pop(origin, _INITIAL_BUDGET)
            self._left[origin] = min(left + self.budget, _INITIAL_BUDGET)
            if len(self._left) > _MAX_ORIGINS:
                del self._left[next(iter(self._left))]

    def _withdraw(self, origin: object) -> bool:
        if self.budget is None:
            return True
        with self._lock:
            left = self._left.get(origin, _INITIAL_BUDGET)
            if left < 1.0:
                return False
            self._left[origin] = left - 1.0
            return True


def _restore(settings: dict[str, typing.Any]) -> Retry:
    return Retry(**settings)


def retry_after(response: Response, now: float) -> float | None:
    """In how many seconds the server wants to be asked again, if it says so; `now` is the time of day.

    That is `Retry-After` (RFC 9110 section 10.2.3), a number of seconds or a date; after 429 and 503 without it, the reset of a rate
    limit that is used up (`RateLimit`, `RateLimit-Reset`, `X-RateLimit-Reset`).
    """
    headers = response.headers
    field = headers.get("retry-after")
    if field is not None:
        return _seconds(field.strip(), now)
    if response.status_code not in (429, 503):
        return None
    if found := _RATE_LIMIT_RESET.search(headers.get("ratelimit", "")):
        return float(found[1])
    for name in ("ratelimit", "x-ratelimit"):
        reset = headers.get(f"{name}-reset", "").strip()
        if reset and headers.get(f"{name}-remaining", "0").strip() in ("0", ""):
            asked = _seconds(reset, now)
            # Some give the time of day instead of seconds.
            return asked if asked is None or asked < 1_000_000_000 else max(asked - now, 0.0)
    return None


def _seconds(field: str, now: float) -> float | None:
    if field.isascii() and field.replace(".", "", 1).isdigit() and len(field) < 20:
        return float(field)
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(field).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


async def send(client: Client, policy: Retry, request: Request, stream: bool, auth: Auth | None, follow_redirects: bool) -> Response:
    """Send `request`, again and again as `policy` has it; the response knows its `attempts`."""
    timeout = request.extensions.get("timeout")
    countdown = None
    if timeout is not None and "total" in timeout:
        countdown = request.extensions["timeout"] = Countdown(timeout, is_shared=True)
    attempts: list[Attempt] = []
    origin = request.url._origin
    policy._deposit(origin)
    try:
        while True:
            started = time.monotonic()
            response: Response | None = None
            error: RequestError | None = None
            try:
                response = await lifecycle.send(client, request, stream, auth, follow_redirects)
            except RequestError as raised:
                error = raised
            attempt = Attempt(None if response is None else response.status_code, error, time.monotonic() - started)
            attempts.append(attempt)
            pause = _next_pause(client, policy, request, response, error, attempts, countdown)
            if pause is None:
                return _conclude(response, error, attempts)
            attempts[-1] = attempt._replace(pause=pause)
            if response is not None:
                await drain(client, response)
            _log(policy, request, attempts)
            await client._calls.sleep(pause)
    finally:
        if countdown is not None:
            countdown.is_shared = False


def _next_pause(
    client: Client,
    policy: Retry,
    request: Request,
    response: Response | None,
    error: RequestError | None,
    attempts: list[Attempt],
    countdown: Countdown | None,
) -> float | None:
    # Seconds until the next attempt, None if there is to be none.
    if len(attempts) >= policy.attempts or request.method not in policy.methods or client.is_closed:
        return None
    if response is not None and response.status_code not in policy.statuses:
        return None
    if error is not None and not _may_pass(error):
        return None
    if not getattr(request.stream, "can_repeat", False):
        return None
    pause = policy.pause(len(attempts), response, time.time())
    if pause is None or (countdown is not None and time.monotonic() + pause >= countdown.deadline):
        return None
    if policy._withdraw(request.url._origin):
        return pause
    _log_spent_budget(policy, request, attempts)
    return None


def _may_pass(error: RequestError) -> bool:
    # Whether it may be gone the next time.
    if isinstance(error, (NetworkError, TimeoutException)):
        return not isinstance(error, (TLSError, PoolTimeout))
    return isinstance(error, RemoteProtocolError)


def _conclude(response: Response | None, error: RequestError | None, attempts: list[Attempt]) -> Response:
    if response is not None:
        response.attempts = attempts
        return response
    assert error is not None
    if len(attempts) > 1:
        error.add_note(f"This was attempt {len(attempts)}; before it: {', '.join(str(attempt) for attempt in attempts[:-1])}.")
    for index, attempt in enumerate(attempts[:-1]):
        if attempt.error is not None:
            # Their frames would keep each other alive.
            attempts[index] = attempt._replace(error=attempt.error.with_traceback(None))
    raise error


def _log(policy: Retry, request: Request, attempts: list[Attempt]) -> None:
    if logger.isEnabledFor(logging.INFO):
        last = attempts[-1]
        logger.info(
            "Retrying %s %s in %.2f s after %s (attempt %d of %d)",
            request.method,
            loggable(request.url),
            last.pause,
            last,
            len(attempts) + 1,
            policy.attempts,
        )


def _log_spent_budget(policy: Retry, request: Request, attempts: list[Attempt]) -> None:
    if logger.isEnabledFor(logging.INFO):
        message = "Not retrying %s %s after %s: too many requests to this origin were retried (budget=%g)"
        logger.info(message, request.method, loggable(request.url), attempts[-1], policy.budget)
