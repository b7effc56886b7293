# Who keeps more and more: the least that an owner held within a window of time (its low-water
# mark) rises from window to window where blocks are forgotten, and falls again where they are only
# used.
#
# A row begins at some mark. A mark above all of the row is a rise; one below the middle of the row
# ends it, and so do as many windows without a rise as it takes rises to be suspected.
from array import array

from .owners import COUNT, look, name, words

_NONE = 0x3FFFFFFF  # above any mark, and a small int everywhere

SUSPECTED = 1
EXPECTED = 2  # grows by design: its name is among the buffers


class Growth:
    def __init__(self, periods, windows, buffers):
        count = COUNT
        self.flags = bytearray(count)
        self._periods = self._left = periods
        self._windows = windows
        self._buffers = buffers
        self._low = array("I", [_NONE] * count)  # of this window
        self._base = array("I", bytes(4 * count))  # where the row began
        self._top = array("I", [_NONE] * count)  # its highest mark
        self._rises = bytearray(count)
        self._flat = bytearray(count)  # windows since the last rise

    def sample(self):
        """Once a period -> True where the flags may have changed."""
        low = self._low
        look()
        for number in range(len(low)):
            used = words[number << 3]
            if used < low[number]:
                low[number] = used
        self._left -= 1
        if self._left:
            return False
        self._left = self._periods
        for number in range(len(low)):
            self._judge(number, low[number])
            low[number] = _NONE
        return True

    def _judge(self, number, mark):
        base = self._base[number]
        top = self._top[number]
        if mark <= top if base == top or top == _NONE else mark * 2 <= base + top:
            self._base[number] = self._top[number] = mark
            self._rises[number] = self._flat[number] = self.flags[number] = 0
        elif mark > top:
            self._top[number] = mark
            self._flat[number] = 0
            if self._rises[number] < self._windows:
                self._rises[number] += 1
                if self._rises[number] == self._windows:
                    expected = name(number) in self._buffers
                    self.flags[number] = EXPECTED if expected else SUSPECTED
        elif not self.flags[number]:
            self._flat[number] += 1
            if self._flat[number] == self._windows:
                self._base[number] = self._top[number] = mark
                self._rises[number] = self._flat[number] = 0
