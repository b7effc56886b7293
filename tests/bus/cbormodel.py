"""Which payloads an event may carry, said a second time, by descent and by Python's own UTF-8."""

from __future__ import annotations

from cborlib import DEPTH


class Refused(Exception):
    """Not one item of the kinds that events have."""


def acceptable(data: bytes) -> bool:
    """Whether `data` is exactly one item of those kinds."""
    try:
        _, behind = _item(data, 0, 0)
    except (Refused, UnicodeDecodeError):
        return False
    return behind == len(data)


def _item(data: bytes, at: int, outer: int) -> tuple[int, int]:
    """(major type, what comes behind) of the item at `at`, within `outer` containers."""
    if at >= len(data):
        raise Refused
    major, info = divmod(data[at], 32)
    number, at = _argument(data, at + 1, info)
    if major in (0, 1):
        return major, at
    if major in (2, 3):
        if at + number > len(data):
            raise Refused
        if major == 3:
            data[at : at + number].decode("utf-8")
        return major, at + number
    if major in (4, 5):
        if outer == DEPTH:
            raise Refused
        for _ in range(number):
            if major == 5:
                key, at = _item(data, at, outer + 1)
                if key != 3:
                    raise Refused
            _, at = _item(data, at, outer + 1)
        return major, at
    if major == 7 and info in (20, 21, 22, 25, 26, 27):
        return major, at
    raise Refused


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    if info > 27:
        raise Refused
    size = 1 << (info - 24)
    if at + size > len(data):
        raise Refused
    return int.from_bytes(data[at : at + size], "big"), at + size
