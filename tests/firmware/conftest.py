"""A stand-in for ESP-IDF, MicroPython's real ESP32 port with the submodules' files that matter,
and `firmware.py` as make runs it: what a user without IDF can check of an ESP32 build."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import kconfig_boards
import pytest

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


@pytest.fixture(scope="session")
def micropython(tmp_path_factory) -> Path:
    """The source as it came, and stand-ins for the submodules that it lacks: their files by name,
    and a package of one module for each that the stock manifest requires."""
    source = source_folder()
    view = tmp_path_factory.mktemp("micropython")
    own = ("lib", "micropython-lib", "berkeley-db-1.xx", "tinyusb")
    for path in source.iterdir():
        if path.name not in own:
            (view / path.name).symlink_to(path)
    (view / "lib").mkdir()
    for path in (source / "lib").iterdir():
        if path.name not in own:
            (view / "lib" / path.name).symlink_to(path)
    library = view / "lib/micropython-lib"
    touch(library / "README.md")
    for name in required(source / "ports/esp32"):
        package = library / "micropython" / name
        if name == "bundle-networking":
            package = library / "micropython/bundles" / name
        module = f"{name.replace('.', '_')}.py"
        touch(package / "manifest.py", f'metadata(version="0.1")\nmodule("{module}")')
        touch(package / module, "there = True\n")
    btree = view / "lib/berkeley-db-1.xx"
    touch(btree / "README")
    text = (source / "extmod/extmod.cmake").read_text()
    for name in re.findall(r"\$\{MICROPY_LIB_BERKELEY_DIR\}/(\S+\.c)", text):
        touch(btree / name)
    touch(view / "lib/tinyusb/src/tusb.h")
    return view


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


@pytest.fixture
def firmware(tmp_path, micropython) -> Firmware:
    hidden = ("IDF_PATH", "MICROPYTHON_DIR", "SOURCE_DATE_EPOCH", "IDF_PYTHON_ENV_PATH")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    # No real IDF, were one on the path of who runs the tests.
    folders = [
        each
        for each in environ["PATH"].split(os.pathsep)
        if not (Path(each) / "idf.py").exists() and "-elf" not in each
    ]
    environ |= {
        "PATH": os.pathsep.join(folders),
        "IDF_PATH": str(IDF),
        "MICROPYTHON_DIR": str(micropython),
        "FAKE_IDF_PYTHON": sys.executable,
    }
    return Firmware(tmp_path / "build", environ)
