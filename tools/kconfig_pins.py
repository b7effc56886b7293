"""Which pins each chip has, and which of them flash and PSRAM take.

From the tables of IDF v5.5.1 (SOC_GPIO_VALID_GPIO_MASK and ..._OUTPUT_GPIO_MASK in soc_caps.h;
docs/en/api-reference/peripherals/gpio/CHIP.inc) and of MicroPython 1.28 (machine_pin.h).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Chip:
    pins: frozenset[int]
    flash: frozenset[int]
    psram: frozenset[int] = field(default_factory=frozenset)
    # What a program may use, with care. The boards of this repository keep clear of these.
    strapping: frozenset[int] = field(default_factory=frozenset)
    console: frozenset[int] = field(default_factory=frozenset)  # UART0 and USB
    input_only: frozenset[int] = field(default_factory=frozenset)
    adc1: frozenset[int] = field(default_factory=frozenset)


def _set(*parts: int | range) -> frozenset[int]:
    found: set[int] = set()
    for part in parts:
        found.update(part if isinstance(part, range) else [part])
    return frozenset(found)


CHIPS = {
    "esp32": Chip(
        pins=_set(range(0, 24), range(25, 28), range(32, 40)),
        flash=_set(range(6, 12)),
        psram=_set(16, 17),
        strapping=_set(0, 2, 5, 12, 15),
        console=_set(1, 3),
        input_only=_set(range(34, 40)),
        adc1=_set(range(32, 40)),
    ),
    # Flash and PSRAM share 26 to 32; with eight lines they take 33 to 37 too.
    "esp32s3": Chip(
        pins=_set(range(0, 22), range(26, 49)),
        flash=_set(range(26, 33)),
        psram=_set(range(33, 38)),
        strapping=_set(0, 3, 45, 46),
        console=_set(19, 20, 43, 44),
        adc1=_set(range(1, 11)),
    ),
    "esp32c3": Chip(
        pins=_set(range(0, 22)),
        flash=_set(range(12, 18)),
        strapping=_set(2, 8, 9),
        console=_set(18, 19, 20, 21),
        adc1=_set(range(0, 5)),
    ),
    "esp32c6": Chip(
        pins=_set(range(0, 31)),
        flash=_set(range(24, 31)),
        strapping=_set(4, 5, 8, 9, 15),
        console=_set(12, 13, 16, 17),
        adc1=_set(range(0, 7)),
    ),
}


def refusal(mcu: str, pin: int, has_psram: bool) -> str:
    """Why a board of this chip cannot have the pin; empty where it can, or for another chip."""
    chip = CHIPS.get(mcu)
    if chip is None:
        return ""
    if pin not in chip.pins:
        return f"is not a pin of the {mcu}: it has {spans(chip.pins)}"
    if pin in chip.flash:
        return f"belongs to the flash of the {mcu}: GPIO {spans(chip.flash)}"
    if has_psram and pin in chip.psram:
        return f"belongs to the PSRAM of the {mcu}: GPIO {spans(chip.psram)}"
    return ""


def spans(pins: frozenset[int]) -> str:
    """'0 to 21, 26 to 48'"""
    found: list[list[int]] = []
    for pin in sorted(pins):
        if found and found[-1][1] == pin - 1:
            found[-1][1] = pin
        else:
            found.append([pin, pin])
    return ", ".join(f"{low} to {high}" if low != high else f"{low}" for low, high in found)
