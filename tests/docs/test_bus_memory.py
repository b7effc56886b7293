"""What the menu and docs/eventbus.md say of the bus's RAM, against its core as a chip has it."""

from __future__ import annotations

import re
import subprocess
import sys

import coreimage
import pages

BUS = pages.ROOT / "cmodules" / "eventbus"
POOL = pages.ROOT / "cmodules" / "mempool"
STATIC = "bBdD"  # as nm calls static RAM; the weak tick is the pools'


def static_ram(folder, machine: coreimage.Machine, **counts: int) -> int:
    """Bytes of static RAM of the bus's core."""
    settings = [f"--set=MEMORY_POOL_EVENT_{name.upper()}={n}" for name, n in counts.items()]
    config = folder / "-".join([machine.board, *map(str, counts.values())])
    kconfig = [sys.executable, str(pages.ROOT / "tools" / "kconfig.py"), "generate"]
    kconfig += ["--board", machine.board, "--output", str(config), *settings]
    subprocess.run(kconfig, check=True, capture_output=True)
    includes = [config, *(BUS / name for name in ("include", "port", "core"))]
    includes += [POOL / name for name in ("include", "port", "core")]
    total = 0
    for source in sorted((BUS / "core").glob("*.c")):
        made = config / f"{source.stem}.o"
        command = [machine.compiler, *machine.flags, "-std=c11", "-Os", "-c", str(source)]
        command += [*(f"-I{include}" for include in includes), "-o", str(made)]
        subprocess.run(command, check=True)
        names = subprocess.run(
            [f"{machine.prefix}nm", "-S", str(made)], check=True, capture_output=True, text=True
        )
        sizes = re.findall(rf"^\w+ (\w+) [{STATIC}] \w+$", names.stdout, re.M)
        total += sum(int(size, 16) for size in sizes)
    return total


def help_of(symbol: str) -> str:
    """The help of a symbol of the menu, in one line."""
    text = (POOL / "Kconfig").read_text()
    body = text.split(f"config MEMORY_POOL_{symbol}\n")[1].split("help\n")[1]
    return " ".join(body.split("\n\n")[0].split())


def test_costs_are_as_told(tmp_path):
    machine = coreimage.CM3
    default = {"queue": 32, "topics": 64, "subscribers": 32}

    def each(name: str, more: int) -> float:
        """What one more costs."""
        wider = static_ram(tmp_path, machine, **(default | {name: more}))
        return (wider - base) / (more - default[name])

    base = static_ram(tmp_path, machine, **default)
    bus = (pages.ROOT / "docs" / "eventbus.md").read_text()
    (told,) = re.findall(r"takes about (\d+) bytes of static RAM", bus)
    assert abs(base - int(told)) < 25, base

    (slot,) = re.findall(r"(\d+) bytes of static RAM each", help_of("EVENT_QUEUE"))
    assert each("queue", 64) == int(slot)

    topic, word = re.findall(
        r"(\d+) bytes of static RAM each.* and (\d+) more for every 32", help_of("EVENT_TOPICS")
    )[0]
    assert int(each("topics", 128)) == int(topic) + int(word)

    (subscription,) = re.findall(r"(\d+) bytes of static RAM each", help_of("EVENT_SUBSCRIBERS"))
    assert int(each("subscribers", 64)) == int(subscription) + default["topics"] // 8
