"""A real browser: Chromium without a screen, spoken to over its own protocol by our own WebSocket."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from typing import Any

import httpx
from tests.support.servers import PATIENCE


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """A browser with a profile of its own: `with Browser() as browser: page = browser.open(url)`."""

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        command = [find_chromium() or "chromium", "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        command += ["--remote-debugging-port=0", f"--user-data-dir={self._profile.name}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # root has none
        self._process = subprocess.Popen([*command, "about:blank"], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = iter(self._process.stderr)
        address = next(filter(None, (re.search(r"DevTools listening on (ws://\S+)", line) for line in said)))[1]
        self._reader = threading.Thread(target=lambda: [None for _ in said])  # so that it can go on writing
        self._reader.start()
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False)
        self._socket = self._client.websocket(address, max_message_size=100_000_000).__enter__()
        self._calls = 0
        self.events: list[dict[str, Any]] = []
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.__exit__(None, None, None)
        self._client.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._profile.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        self._socket.send(json.dumps(message if session is None else {**message, "sessionId": session}))
        while (answer := json.loads(self._socket.receive())).get("id") != self._calls:
            self.events.append(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def wait_for(self, event: str) -> None:
        while not any(known["method"] == event for known in self.events):
            self.events.append(json.loads(self._socket.receive()))

    def open(self, url: str, width: int = 1200, height: int = 800) -> Page:
        """A page, loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.events.clear()
        page.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        return page


class Page:
    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **params: Any) -> Any:
        return self._browser.call(method, self._session, **params)

    def evaluate(self, script: str) -> Any:
        """The value of a script, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def problems(self) -> list[str]:
        """What the browser had to complain of."""
        found = [event["params"] for event in self._browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
        return [json.dumps(params) for params in found]
