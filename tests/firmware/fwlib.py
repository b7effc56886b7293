"""What the tests of the ESP32 builds share: where things are, and `firmware.py` run by make."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import kconfig_boards

ROOT = kconfig_boards.ROOT
IDF = Path(__file__).resolve().parent / "idf"
BOARDS = sorted(path.parent.name for path in ROOT.glob("boards/*/mpconfigboard.cmake"))


def source_folder() -> Path:
    """MicroPython as this repository builds it."""
    done = subprocess.run(
        ["make", "-s", "print-SOURCE"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ROOT / done.stdout.strip()


def touch(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def required(port: Path) -> list[str]:
    """What the stock manifest requires of micropython-lib."""
    return re.findall(r'require\("([^"]+)"\)', (port / "boards/manifest.py").read_text())


@dataclass
class Firmware:
    """`firmware.py` in an environment of its own, building below a folder of the test."""

    folder: Path
    environ: dict[str, str]

    def run(self, command: str, board: str, *more: str) -> subprocess.CompletedProcess:
        mpy_cross = shutil.which("true") or "/bin/true"
        arguments = [command, "--board", board, "--build", str(self.folder), *more]
        return subprocess.run(
            [sys.executable, str(ROOT / "tools/firmware.py"), *arguments,
             "--mpy-cross", mpy_cross],
            cwd=ROOT, env=self.environ, capture_output=True, text=True,
        )  # fmt: skip

    def refused(self, board: str, *more: str, command: str = "check") -> str:
        """The one line of an error."""
        done = self.run(command, board, *more)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stderr.startswith("firmware: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("firmware: ").rstrip("\n")

    def build(self, board: str, *more: str) -> subprocess.CompletedProcess:
        done = self.run("build", board, *more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def said(self, name: str) -> dict[str, str]:
        """The variables of CMake that the stand-in noted."""
        lines = (self.folder / name / "said.cmake").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def images(self) -> list[Path]:
        return sorted((self.folder / "firmware").glob("*.bin"))

    def about(self) -> dict:
        (image,) = self.images()
        return json.loads(image.with_suffix(".json").read_text())
