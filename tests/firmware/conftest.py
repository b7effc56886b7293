"""A stand-in for ESP-IDF, and MicroPython's real ESP32 port with those of its submodules' files
that matter: what a user without IDF can check of an ESP32 build."""

import os
import re
import sys
from pathlib import Path

import pytest
from fwlib import IDF, Firmware, required, source_folder, touch


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


def in_folder(folder, micropython) -> Firmware:
    hidden = ("IDF_PATH", "MICROPYTHON_DIR", "SOURCE_DATE_EPOCH", "IDF_PYTHON_ENV_PATH")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    # No real IDF, were one on the path of who runs the tests.
    folders = [
        each
        for each in environ["PATH"].split(os.pathsep)
        if not (Path(each) / "idf.py").exists() and not any(Path(each).glob("*esp*-elf-gcc"))
    ]
    environ |= {
        "PATH": os.pathsep.join(folders),
        "IDF_PATH": str(IDF),
        "MICROPYTHON_DIR": str(micropython),
        "FAKE_IDF_PYTHON": sys.executable,
    }
    return Firmware(folder, environ)


@pytest.fixture
def firmware(tmp_path, micropython) -> Firmware:
    return in_folder(tmp_path / "build", micropython)


@pytest.fixture(scope="module")
def built(request, tmp_path_factory, micropython):
    """A board that was built once for all tests of it: (Firmware, what the build said)."""
    firmware = in_folder(tmp_path_factory.mktemp(request.param), micropython)
    return firmware, firmware.build(request.param).stdout
