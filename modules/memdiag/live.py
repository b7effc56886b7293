# Questions from outside: of a broker's command topic, of a live view, over UDP or the console. The
# answers are JSON.
import json
import sys
import time

import mempool

from . import state
from .arguments import integer, string

PORT = 18765
# For want of GC heap a question stays until the next poll. Made once: a tuple takes heap.
_NOT_NOW = (OSError, MemoryError)
_NO_HEAP = '{"error": "no GC heap for the answer"}'


def _live():
    blocks, legend = state.maps()
    return {"snapshot": state.snapshot(), "map": blocks, "legend": legend}


def _map():
    blocks, legend = state.maps()
    return {"map": blocks, "legend": legend}


def _report():
    from .text import report

    return {"report": report()}


def _leaks():
    return {"leaks": state.leaks(0)}


def _history():
    monitor = state.monitor
    return {"history": [list(sample) for sample in monitor.history] if monitor else []}


def _blackbox():
    from .box import blackbox

    return {"blackbox": blackbox()}


def _reset_stats():
    mempool.reset_stats()
    return {"reset_stats": True}


_REQUESTS = {
    "snapshot": lambda: {"snapshot": state.snapshot()},
    "live": _live,
    "report": _report,
    "leaks": _leaks,
    "map": _map,
    "history": _history,
    "blackbox": _blackbox,
    "reset_stats": _reset_stats,
}


def answer(request):
    """request: a name, str or bytes -> JSON text; what is unknown is answered by an error."""
    try:
        name = request if isinstance(request, str) else str(request, "utf-8")
        name = name.strip()
    except MemoryError:  # first: the tuple below takes heap, too
        return _NO_HEAP
    except (TypeError, ValueError):
        return '{"error": "a request is a name in UTF-8"}'
    make = _REQUESTS.get(name)
    try:
        if make is None:
            known = " ".join(sorted(_REQUESTS))
            return json.dumps({"error": "unknown request %r; known: %s" % (name[:32], known)})
        return json.dumps(make())
    except MemoryError:
        return _NO_HEAP
    except Exception as fault:  # built without what it asks for, a black box's file ...
        try:
            return json.dumps({"error": str(fault)})
        except MemoryError:
            return _NO_HEAP


def stream(period_ms=1000, count=None):
    """Prints what a live view shows, a line a period (RFC 7464: 0x1e, JSON, newline), until `q`,
    Ctrl-C or `count` lines; `r` resets the statistics."""
    integer("period_ms", period_ms, 10, 3600000)
    if count is not None:
        integer("count", count, 0, 0x3FFFFFFF, " lines")
    import select

    keys = select.poll()
    key = bytearray(1)  # not read(): noise on the wire is no UTF-8
    keys.register(sys.stdin, select.POLLIN)
    due = time.ticks_ms()
    while count is None or count > 0:
        sys.stdout.write("\x1e")
        sys.stdout.write(answer("live"))
        sys.stdout.write("\n")
        if count is not None:
            count -= 1
        due = time.ticks_add(due, period_ms)
        while True:
            left = time.ticks_diff(due, time.ticks_ms())
            if left <= 0:
                if left < -period_ms:  # it cannot keep up: no burst to catch up
                    due = time.ticks_ms()
                break
            if keys.poll(left):
                if not sys.stdin.readinto(key) or key == b"q":
                    return
                if key == b"r":
                    mempool.reset_stats()


class Responder:
    """Answers a live view over UDP while a program runs: call poll() from its loop.

    A datagram holds a request, and gets one with the answer. Who may ask is who can reach `host`:
    by default this machine alone. It reads, and resets statistics; it changes nothing else.
    """

    def __init__(self, port=None, host="127.0.0.1"):
        import socket

        name = "port"
        if port is None:
            port = PORT
            try:
                import os

                named = os.getenv("MEMPOOL_LIVE_PORT")
                if named:
                    name = "MEMPOOL_LIVE_PORT"
                    if not named.isdigit():
                        raise ValueError("%s must be 0..65535, not %s" % (name, named))
                    port = int(named)
            except AttributeError:  # only a PC has an environment
                pass
        self.port = integer(name, port, 0, 65535)
        string("host", host)
        self.answered = 0
        self.lost = 0  # answers that could not be sent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(socket.getaddrinfo(host, port)[0][-1])
        except OSError as fault:
            self._socket.close()
            raise OSError(fault.errno, "UDP %s:%d" % (host, port))

    def poll(self):
        """Answers what has been asked, 4 questions at most -> answers. Never blocks."""
        done = 0
        while done < 4:
            try:
                request, address = self._socket.recvfrom(64)
            except _NOT_NOW:
                break
            text = answer(request)
            done += 1
            try:
                self._socket.sendto(text, address)
                self.answered += 1
            except _NOT_NOW:
                self.lost += 1
                try:
                    self._socket.sendto(
                        '{"error": "the answer is too large for a datagram"}', address
                    )
                except _NOT_NOW:
                    pass
        return done

    def close(self):
        self._socket.close()
