"""A real browser without a screen, driven by its own protocol over two pipes: it opens a page with
the network off, and tells what it logged, what it asked for, and what it drew.
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import struct
import subprocess
import time
import zlib

from waiting import PATIENCE_S, wait_for

NAMES = ("chromium-headless-shell", "chromium")
# A resolver that knows nobody and a proxy that is not there: nothing gets out.
OPTIONS = [
    "--headless",
    "--no-sandbox",  # the continuous integration is root, and opens its own page only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--remote-debugging-pipe",
]


class Browser:
    def __init__(self, folder):
        command = next((found for name in NAMES if (found := shutil.which(name))), None)
        assert command, "no chromium: run python3 tools/packages.py browser"
        to_browser, self.out = os.pipe()
        self.back, from_browser = os.pipe()
        self.log = (folder / "browser.log").open("wb")

        def its_ends():
            # It reads from descriptor 3 and writes to 4; neither may be overwritten before use.
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
            for number, end in zip((3, 4), ends, strict=True):
                os.dup2(end, number)

        self.process = subprocess.Popen(
            [command, *OPTIONS, f"--user-data-dir={folder / 'profile'}"],
            preexec_fn=its_ends,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, "HOME": str(folder)},
        )
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.held = b""
        self.events = []
        self.session = None

    def close(self):
        self.process.kill()
        self.process.wait()
        for descriptor in (self.out, self.back):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.log.close()

    def _message(self, deadline):
        while b"\0" not in self.held:
            left = deadline - time.monotonic()
            assert left > 0, "the browser does not answer"
            if select.select([self.back], [], [], left)[0]:
                data = os.read(self.back, 1 << 20)
                assert data, "the browser has ended: see its browser.log"
                self.held += data
        text, _, self.held = self.held.partition(b"\0")
        return json.loads(text)

    def ask(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._message(deadline)
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def open(self, file, dark=False, width=1000):
        self.session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.events.clear()
        self.ask("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + PATIENCE_S
        while not self.seen("Page.loadEventFired"):
            self.events.append(self._message(deadline))
        assert self.value("document.readyState") == "complete"

    def seen(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    def problems(self):
        """What a reader would find red in the console."""
        found = [one["exceptionDetails"] for one in self.seen("Runtime.exceptionThrown")]
        found += [one["entry"] for one in self.seen("Log.entryAdded")]
        called = self.seen("Runtime.consoleAPICalled")
        return found + [one for one in called if one["type"] in ("error", "warning", "assert")]

    def logs(self, text):
        """Waits until the console has a problem with the text in it."""
        wait_for(lambda: self.value("1") and text in str(self.problems()), shown=self.problems)

    def asked_for(self):
        """Every address that it went to."""
        return [one["request"]["url"] for one in self.seen("Network.requestWillBeSent")]

    def value(self, expression):
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def move(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, selector):
        """What it drew there: a list of lines of (red, green, blue)."""
        box = self.value(
            f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
            "return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height}})()"
        )
        shot = self.ask(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=True,
            clip={**box, "scale": 1},
        )
        return png(base64.b64decode(shot["data"]))


def _predict(kind, left, up, corner):
    if kind == 0:
        return 0
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def png(data):
    """The pixels of a PNG of 8 bits a channel, which is what a browser makes."""
    assert data.startswith(b"\x89PNG")
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    channels = {2: 3, 6: 4}[kind]
    assert depth == 8
    packed = b""
    place = 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + length]
        place += length + 12
    raw = zlib.decompress(packed)
    stride = width * channels
    above = bytearray(stride)
    lines = []
    for row in range(height):
        start = row * (stride + 1)
        line = bytearray(raw[start + 1 : start + 1 + stride])
        for i in range(stride):
            left = line[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            line[i] = (line[i] + _predict(raw[start], left, above[i], corner)) & 255
        above = line
        lines.append([tuple(line[i : i + 3]) for i in range(0, stride, channels)])
    return lines
