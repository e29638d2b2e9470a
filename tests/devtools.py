"""A headless Chromium steered through its DevTools protocol; reaches this machine only."""

import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--disable-background-networking")
KEYS = {"End": 35, "Home": 36}


@contextmanager
def opened(url, folder, *, width=1200):
    """A tab on a page, in a browser of its own that keeps its files in `folder`."""
    from websockets.sync.client import connect

    only_here = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    command = [CHROMIUM, *OPTIONS, only_here, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_port(folder)}/json") as answer:
                tab = next(entry for entry in json.load(answer) if entry["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as wire:
                yield Tab(wire, url, width)
        finally:
            browser.terminate()


def _port(folder, *, seconds=60):
    """Where the browser listens: it writes that down once it does."""
    written, end = folder / "DevToolsActivePort", time.monotonic() + seconds
    while not written.exists() or not written.read_text():
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.1)
    return int(written.read_text().split()[0])


class Tab:
    """One tab of a browser."""

    def __init__(self, wire, url, width):
        self._socket, self._numbers, self.events = wire, itertools.count(1), []
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.send("Page.navigate", url=url)

    def send(self, method, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            self.events.append(answer)
        return answer["result"]

    def js(self, expression):
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait(self, expression, *, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.js(expression):
                return found
            time.sleep(0.2)
        raise TimeoutError(f"{expression} is not so; the page says: {self.text[:2000]}")

    @property
    def text(self):
        return self.js("document.body.innerText") or ""

    @property
    def requested(self):
        """Addresses that the page asked for."""
        return [event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]

    def click(self, label):
        button = (
            f"[...document.querySelectorAll('button')].find(b => b.innerText.trim().toUpperCase() === '{label.upper()}' && !b.disabled)"
        )
        self.wait(f"!!{button}")
        self.js(f"{button}.click()")

    def press(self, key, *, slider):
        """A key on the slider of that number, from 0."""
        self.js(f"document.querySelectorAll('[role=slider]')[{slider}].focus()")
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key])
