"""What an ESP32 board freezes: every manifest resolved by MicroPython's own manifestfile.py, and
our packages compiled by mpy-cross for the chips' own emitters."""

import os
import subprocess
import sys

import pytest
from fwlib import BOARDS, ROOT, touch

# py/dynruntime's names of the chips' machine code, as the port's esp32_common.cmake gives them.
ARCHITECTURES = ["xtensawin", "rv32imc"]
OURS = {"appmodule/__init__.py", "boardcfg/__init__.py", "eventbus/__init__.py"}
OURS |= {"_boardcfg_data.py"}

RESOLVE = """
import sys
sys.path.insert(0, {tools!r})
import manifestfile
manifest = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, {values!r})
manifest.execute({manifest!r})
for file in manifest.files():
    print(file.target_path, file.full_path, sep="\\t")
"""


@pytest.fixture
def resolved(micropython, tmp_path):
    """Resolves a board's manifest -> [(target path, source)]"""
    tools = str(micropython / "tools")
    touch(tmp_path / "mempool/frozen/_boardcfg_data.py", "PINS = ()\n")

    def run(name):
        variables = {
            "MPY_DIR": micropython,
            "PORT_DIR": micropython / "ports/esp32",
            "BOARD_DIR": ROOT / "boards" / name,
            "MPY_LIB_DIR": micropython / "lib/micropython-lib",
            "MEMPOOL_CONFIG_DIR": tmp_path / "mempool",
        }
        values = {key: str(value) for key, value in variables.items()}
        manifest = str(ROOT / "boards" / name / "manifest.py")
        program = RESOLVE.format(tools=tools, values=values, manifest=manifest)
        environ = {k: v for k, v in os.environ.items() if k != "MEMPOOL_CONFIG_DIR"}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environ
        )
        assert done.returncode == 0, done.stderr
        return [line.split("\t")[:2] for line in done.stdout.splitlines()]

    return run


@pytest.mark.parametrize("name", BOARDS)
def test_manifest(resolved, name):
    files = resolved(name)
    targets = [target for target, _ in files]
    assert len(targets) == len(set(targets)), "frozen twice"
    assert set(targets) >= OURS
    # The stock port's own: its boot code, asyncio, and what it takes of micropython-lib.
    assert set(targets) >= {"_boot.py", "asyncio/core.py", "neopixel.py"}
    assert "cold_room.py" not in targets
    assert all(os.path.isfile(source) for _, source in files)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_our_packages_compile_for_the_chip(resolved, arch, tmp_path):
    mpy_cross = ROOT / "build/mpy-cross/mpy-cross"
    for target, source in resolved(BOARDS[0]):
        if target in OURS:
            done = subprocess.run(
                [mpy_cross, f"-march={arch}", "-o", tmp_path / "out.mpy", "-s", target, source],
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, f"{target}: {done.stderr}"


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("emitter", ["native", "viper"])
def test_the_emitters_are_those_of_the_chip(arch, emitter, tmp_path):
    """mpy-cross makes machine code for the chip: the file's header names the architecture."""
    touch(
        tmp_path / "fast.py", f"@micropython.{emitter}\ndef f(a: int) -> int:\n    return a + 1\n"
    )
    subprocess.run(
        [ROOT / "build/mpy-cross/mpy-cross", f"-march={arch}", tmp_path / "fast.py"], check=True
    )
    header = (tmp_path / "fast.mpy").read_bytes()[:4]
    number = {"xtensawin": 10, "rv32imc": 11}[arch]
    assert header[0:1] == b"M" and header[2] >> 2 == number
