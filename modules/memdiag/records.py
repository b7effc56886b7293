# A state and an alert: as the record that waits in a block, words and a tail of text, and as the
# JSON that goes out. The first word is packed of what is small, its lowest bit says alert.
import gc
import io
import json
from array import array

import mempool

from . import state

LEVELS = ("normal", "low", "critical", "suspect")
_STATE_WORDS = 16
_ALERT_WORDS = 4
_TEXT_BYTES = 768
_NAMES_BYTES = 64
_NAME_BYTES = 16

_stats = state.words()


def names(suspects):
    """As a JSON list, cut to what a record has room for."""
    suspects = list(suspects)
    while True:
        text = json.dumps(suspects).encode()
        if len(text) <= _NAMES_BYTES:
            return text
        suspects.pop()


class State:
    """Words of a state; `tail` is the names of suspects, empty where there are none."""

    def __init__(self):
        self.words = array("I", [0] * _STATE_WORDS)
        self.tail = b""

    def look(self, seq, gc_heap):
        """Allocates nothing where nobody is suspected."""
        stats = _stats
        mempool.stats_into(stats)
        used = stats[state.USED]
        waste = stats[state.WASTE]
        self.tail = names(state.alert.suspects) if len(state.alert.suspects) else b""
        words = self.words
        words[0] = (
            stats[state.LEVEL] << 1
            | state.percent(waste, used) << 3
            | min(mempool.check(), 63) << 10
            | len(self.tail) << 16
        )
        words[1] = seq
        words[2] = mempool.uptime_s()
        words[3] = stats[state.CAPACITY]
        words[4] = used
        words[5] = stats[state.PEAK]
        words[6] = stats[state.ALLOCS]
        words[7] = stats[state.FAILURES]
        words[8] = stats[state.REFUSED]
        words[9] = stats[state.RECLAIMED]
        words[10] = stats[state.DENIED]
        words[11] = stats[state.LARGEST]
        words[12] = waste
        words[13] = mempool.TINY.used | mempool.SMALL.used << 10 | mempool.MEDIUM.used << 20
        words[14] = mempool.LARGE.used | mempool.XLARGE.used << 10
        words[15] = gc.mem_free() if gc_heap else 0


class Edge:
    """Words of an alert; `tail` is the name of the pool or owner."""

    def __init__(self):
        self.words = array("I", [0] * _ALERT_WORDS)
        self.tail = bytearray(_NAME_BYTES)

    def look(self, seq, event):
        """False: not an event of ours."""
        topic = event.topic
        name = topic[topic.rfind(".") + 1 :]
        if name not in LEVELS:
            return False
        data = event.data
        if not isinstance(data, dict):
            data = {}
        what = str(data.get("owner") or data.get("pool") or "").encode()
        for at in range(_NAME_BYTES):
            self.tail[at] = what[at] if at < len(what) and at < _NAME_BYTES - 1 else 0
        words = self.words
        words[0] = 1 | LEVELS.index(name) << 1
        words[1] = seq
        words[2] = mempool.uptime_s()
        percent = data.get("utilization")
        words[3] = percent & 127 if isinstance(percent, int) else 127  # 127: not said
        return True


class Writer:
    """Makes the JSON in a buffer of its own: of a state without a byte of the GC heap, but for the
    view of it."""

    def __init__(self):
        self.alert = False
        self._words = array("I", [0] * _STATE_WORDS)
        self._short = array("I", [0] * _ALERT_WORDS)
        self._text = io.BytesIO(_TEXT_BYTES)
        self._buffer = bytearray(_TEXT_BYTES)
        self._view = memoryview(self._buffer)

    def render(self, handle, period_s, dropped, reconnects):
        """A view of the text, good until the next one; .alert says which it is."""
        text = self._text
        text.seek(0)
        words = self._short
        mempool.read(handle, 0, words)
        self.alert = words[0] & 1
        late_s = mempool.uptime_s() - words[2]
        text.write(b'{"seq":')
        print(words[1], ',"uptime_s":', words[2], ',"late_s":', late_s, sep="", end="", file=text)
        if self.alert:
            self._edge(handle)
        else:
            self._state(handle)
            print(
                ',"period_s":',
                period_s,
                ',"dropped":',
                dropped,
                ',"reconnects":',
                reconnects,
                sep="",
                end="",
                file=text,
            )
        text.write(b"}")
        size = text.tell()
        text.seek(0)
        text.readinto(self._buffer)
        return self._view[:size]

    def _edge(self, handle):
        level = self._short[0] >> 1 & 3
        percent = self._short[3]
        tail = bytearray(_NAME_BYTES)
        mempool.read(handle, 4 * _ALERT_WORDS, tail)
        try:
            what = tail[: tail.find(b"\0")].decode()
        except UnicodeError:  # a name that was cut within a character
            what = ""
        self._text.write(
            (
                ',"level":%d,"name":"%s","what":%s,"utilization":%s,"suspects":'
                % (
                    level,
                    LEVELS[level],
                    json.dumps(what),
                    "null" if percent == 127 else percent,
                )
            ).encode()
        )
        self._text.write(names(state.alert.suspects))

    def _state(self, handle):
        text = self._text
        words = self._words
        mempool.read(handle, 0, words)
        head = words[0]
        capacity = words[3]
        used = words[4]
        print(
            ',"level":',
            head >> 1 & 3,
            ',"capacity":',
            capacity,
            ',"used":',
            used,
            ',"peak":',
            words[5],
            ',"utilization":',
            state.percent(used, capacity),
            ',"waste":',
            words[12],
            ',"fragmentation":',
            head >> 3 & 127,
            ',"largest_free":',
            words[11],
            ',"allocs":',
            words[6],
            ',"failures":',
            words[7],
            sep="",
            end="",
            file=text,
        )
        print(
            ',"refused":',
            words[8],
            ',"reclaimed":',
            words[9],
            ',"denied":',
            words[10],
            ',"check":',
            head >> 10 & 63,
            ',"gc_free":',
            words[15],
            sep="",
            end="",
            file=text,
        )
        small = words[13]
        large = words[14]
        print(
            ',"pools":[',
            small & 1023,
            ",",
            small >> 10 & 1023,
            ",",
            small >> 20 & 1023,
            ",",
            large & 1023,
            ",",
            large >> 10 & 1023,
            '],"suspects":',
            sep="",
            end="",
            file=text,
        )
        size = head >> 16 & 127
        if size:
            tail = bytearray(size)
            mempool.read(handle, 4 * _STATE_WORDS, tail)
            text.write(tail)
        else:
            text.write(b"[]")
