"""What people open in a browser, opened in one: archives in Chromium's network panel, waterfalls as pages."""

from __future__ import annotations

import json

import pytest

import httpx
from tests.support.browser import Browser, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed (on Debian: apt-get install chromium)")


@pytest.fixture
def recorded(app):
    har = httpx.HAR()
    with httpx.Client(follow_redirects=True) as client:
        har.watch(client)
        client.get(app.url + "/redirect/1?a=b")
        client.post(app.url + "/echo", json={"n": 1})
        client.get(app.url + "/bytes/1000")
    app.close()
    with httpx.Client() as client:
        har.watch(client)
        with pytest.raises(httpx.ConnectError):
            client.get(app.url + "/gone")
    return har


# What "Import HAR file" calls, then what the panel shows.
_IMPORT = """(async archive => {
    const part = name => import("devtools://devtools/bundled/" + name);
    const {NetworkPanel} = await part("panels/network/network.js");
    const {NetworkLog} = await part("models/logs/logs.js");
    const {ViewManager} = await part("ui/legacy/legacy.js");
    await ViewManager.ViewManager.instance().showView("network");
    await NetworkPanel.NetworkPanel.instance().networkLogView.onLoadFromFile(new File([archive], "session.har"));
    return Promise.all(NetworkLog.NetworkLog.instance().requests().map(async request => {
        const content = await request.requestContentData();
        const body = content.isTextContent ? content.text : content.base64 ?? "";
        const sent = await request.requestFormData() ?? "";
        return [request.requestMethod, request.statusCode, request.url(), request.resourceType().name(), sent, body];
    }));
})"""


def test_the_network_panel_opens_an_archive(recorded, app, tmp_path):
    recorded.save(tmp_path / "session.har")
    with Browser() as browser:
        page = browser.open("devtools://devtools/bundled/devtools_app.html")
        shown = page.evaluate(f"{_IMPORT}({json.dumps((tmp_path / 'session.har').read_text())})")
    assert [row[:4] for row in shown] == [
        ["GET", 302, f"{app.url}/redirect/1?a=b", "fetch"],
        ["GET", 200, f"{app.url}/json", "fetch"],
        ["POST", 200, f"{app.url}/echo", "fetch"],
        ["GET", 200, f"{app.url}/bytes/1000", "fetch"],
        ["GET", 0, f"{app.url}/gone", "fetch"],
    ]
    assert shown[1][5].startswith('{"message": "Hello, world!"')
    assert shown[2][4] == '{"n":1}'
    assert len(shown[3][5]) == 1336  # of base64


@pytest.mark.parametrize("width", [390, 1200])
def test_a_waterfall_is_as_wide_as_the_screen(recorded, tmp_path, width):
    recorded.save_html(tmp_path / "session.html")
    with Browser() as browser:
        page = browser.open((tmp_path / "session.html").as_uri(), width)
        assert page.evaluate("document.querySelectorAll('section').length") == 5
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # Bars lie within their scale, and heads can be unfolded.
        assert page.evaluate("[...document.querySelectorAll('i')].every(bar => bar.offsetLeft <= bar.parentElement.offsetWidth + 2)")
        assert page.evaluate("document.querySelector('summary').click() ?? document.querySelector('details').open")
        assert page.problems() == []
