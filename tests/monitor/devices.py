"""Devices that are not there: a memory that changes from sample to sample, a program that answers
by UDP, and a board at a pseudo terminal that streams by itself or has a raw REPL. Each can be made
to fail as a real one does.
"""

import json
import os
import pty
import re
import select
import socket
import threading
import time
import tty

POOLS = {"TINY": (32, 128), "SMALL": (64, 64), "MEDIUM": (128, 32), "LARGE": (256, 16)}
OWNERS = ("telemetry", "control")


class Memory:
    """The counters of a device, a step a sample: telemetry takes a block of SMALL at each."""

    def __init__(self, leak=True):
        self.leak = leak
        self.uptime_s = 100
        self.steps = 0
        self.allocs = 0
        self.published = 1000
        self.resets = 0  # of the statistics
        self.suspects = []
        self.garbage = b""
        self.lock = threading.Lock()

    def step(self):
        with self.lock:
            self.steps += 1
            self.uptime_s += 1
            self.allocs += 1
            self.published += 10

    def restart(self):
        with self.lock:
            self.uptime_s = self.steps = self.allocs = self.published = 0

    def reset_stats(self):
        with self.lock:
            self.resets += 1
            self.allocs = 0

    def live(self):
        self.step()
        held = min(64, 1 + self.steps) if self.leak else 1
        used = held * 64 + 3 * 32
        level = 2 if held >= 61 else 1 if held >= 52 else 0
        pools = {
            name: {
                "block_size": size,
                "count": count,
                "used": (held if name == "SMALL" else 3 if name == "TINY" else 0),
                "free": count - (held if name == "SMALL" else 3 if name == "TINY" else 0),
                "peak": max(5, held) if name == "SMALL" else 5,
                "allocs": self.allocs,
                "failures": 0,
                "level": level if name == "SMALL" else 0,
            }
            for name, (size, count) in POOLS.items()
        }
        capacity = sum(size * count for size, count in POOLS.values())
        blocks = {name: "." * count for name, (_, count) in POOLS.items()}
        blocks["TINY"] = "bb#" + blocks["TINY"][3:]
        blocks["SMALL"] = "a" * held + "." * (64 - held)
        snapshot = {
            "uptime_s": self.uptime_s,
            "board": "FAKE",
            "capacity": capacity,
            "used": used,
            "free": capacity - used,
            "peak": used,
            "utilization": 100 * used // capacity,
            "allocs": self.allocs,
            "frees": 0,
            "failures": 0,
            "spills": 0,
            "reclaimed": 0,
            "refused": 0,
            "denied": 0,
            "heap_used": 0,
            "requested": used - 30,
            "waste": 30,
            "largest_free": 256,
            "level": level,
            "fragmentation": 100 * 30 // used,
            "reserve": 2,
            "check": 0,
            "pools": pools,
            "owners": {
                "telemetry": {"quota": 4096, "used": held * 64, "peak": held * 64, "denied": 0},
                "control": {"quota": 0, "used": 64, "peak": 64, "denied": 0},
            },
            "gc": {"used": 30000, "free": 70000, "largest": 60000, "fragmentation": 14},
            "heaps": {},
            "bus": {
                "published": self.published,
                "delivered": self.published,
                "dropped": [0, 0, 1, 2],
                "refused": 0,
                "high_water": 4,
                "queue_free": 28,
                "latency_us": [900, 45],
            },
            "alert": {"level": level, "name": "SMALL", "age_s": 3} if level else None,
            "suspects": list(self.suspects) or (["telemetry"] if self.leak and held > 20 else []),
        }
        return {
            "snapshot": snapshot,
            "map": blocks,
            "legend": {"a": "telemetry", "b": "control", "#": "nobody"},
        }


class Responder:
    """A program on this computer that answers by UDP. `answer` may be replaced."""

    def __init__(self, memory, port=0):
        self.memory = memory
        self.asked = []
        self.answer = self.right
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.url = f"udp://127.0.0.1:{self.port}"
        self.stopping = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def right(self, request):
        if request == b"live":
            return json.dumps(self.memory.live()).encode()
        if request == b"reset_stats":
            self.memory.reset_stats()
            return b'{"reset_stats": true}'
        return json.dumps({"error": f"unknown request {request!r}"}).encode()

    def _serve(self):
        self.socket.settimeout(0.05)
        while not self.stopping:
            try:
                request, address = self.socket.recvfrom(1500)
            except TimeoutError:
                continue
            self.asked.append(request)
            reply = self.answer(request)
            if reply is not None:
                self.socket.sendto(reply, address)

    def close(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()


class Board:
    """A board at a pseudo terminal, linked to a name that stays: unplugged, it goes away.

    kind: "streams" by itself; "repl" has a raw REPL with memdiag; "old" one without; "mute".
    """

    def __init__(self, folder, memory, kind="repl", period=0.1):
        self.memory = memory
        self.kind = kind
        self.period = period
        self.name = str(folder / "ttyBOARD")
        self.programs = []  # that the raw REPL was given
        self.typed = bytearray()
        self.running = kind == "streams"
        self.say = b""  # beside the lines
        self.cut_lines = False
        self.plugged = False
        self.thread = None
        self.plug()

    def plug(self):
        self.host, end = pty.openpty()
        tty.setraw(end)
        os.symlink(os.ttyname(end), self.name)
        os.close(end)  # who looks at the board is the only one that has it open
        self.plugged = True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def unplug(self):
        os.unlink(self.name)
        self.plugged = False
        self.thread.join()
        os.close(self.host)

    def close(self):
        if self.plugged:
            self.unplug()

    def _write(self, data):
        try:
            # What nobody reads is lost, as on a wire.
            if select.select([], [self.host], [], 0)[1]:
                os.write(self.host, data)
        except OSError:
            pass

    def _line(self):
        text = json.dumps(self.memory.live()).encode()
        if self.cut_lines:
            text = text[: len(text) // 2]
            return b"\x1e" + text
        return b"\x1e" + text + b"\r\n"

    def reset(self):
        """As a board does: it says so, and what ran has ended unless it is its own program."""
        self.memory.restart()
        self.running = self.kind == "streams"
        self.raw = False
        self._write(b"rst:0x1 (POWERON_RESET)\r\nMicroPython on a fake\r\n")
        if not self.running:
            self._write(b'Type "help()" for more information.\r\n>>> ')

    def end_program(self, error=b""):
        self.running = False
        self._write(b"\x04" + error + b"\x04>")

    def _serve(self):
        self.raw = False
        due = time.monotonic()
        held = b""
        os.set_blocking(self.host, True)
        while self.plugged:
            if self.say:
                said, self.say = self.say, b""
                self._write(said)
            if self.running and time.monotonic() >= due:
                due = time.monotonic() + self.period
                self._write(self._line())
            if not select.select([self.host], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(self.host, 4096)
            except OSError:  # nobody has the port open now
                time.sleep(0.02)
                continue
            self.typed += data
            if self.kind == "mute":
                continue
            held = self._answer(held + data)

    def _answer(self, held):
        if self.running:
            if b"r" in held:
                self.memory.reset_stats()
            if b"\x03" in held and self.kind != "streams":
                self.end_program(b"KeyboardInterrupt: \r\n")
            return b""
        if self.kind == "streams":
            return b""
        if b"\x05A\x01" in held:  # raw paste: one window for all of it
            self._write(b"R\x01\xff\x7f\x01")
            return held.partition(b"\x05A\x01")[2]
        if held.endswith(b"\x04") and b"memdiag" in held:
            self.programs.append(held[:-1].decode())
            self._write(b"\x04")
            if self.kind == "old":
                self._write(b'\x1e{"error": "no memdiag"}\r\n\x04\x04>')
            else:
                found = re.search(rb"stream\((\d+)\)", held)
                self.period = int(found[1]) / 1000
                self.running = True
            return b""
        if b"\x01" in held:
            self._write(b"raw REPL; CTRL-B to exit\r\n>")
            return b""
        if b"\x02" in held:
            self._write(b"MicroPython\r\n>>> ")
            return b""
        return held
