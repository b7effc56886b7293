"""`make firmware` from end to end, on the stand-in for IDF: real CMake over MicroPython's real
port, real resolution of the configuration, real merging of the image."""

import json
import re
import subprocess

import kconfig_boards
import pytest
from firmware_image import load
from firmware_parts import read_partitions, split_app
from fwlib import BOARDS, ROOT, touch
from kconfig_model import evaluate
from kconfig_outputs import data_text, shown_values

CHIPS = {
    "MODESP_ESP32": ("esp32", 0x1000),
    "MODESP_ESP32_SPIRAM": ("esp32", 0x1000),
    "MODESP_S3": ("esp32s3", 0),
    "MODESP_C3": ("esp32c3", 0),
    "MODESP_C6": ("esp32c6", 0),
}

every_board = pytest.mark.parametrize(
    ("built", "name"), [(name, name) for name in CHIPS], indirect=["built"], scope="module"
)


def test_every_board_is_known_here():
    assert {name for name in BOARDS if name.startswith("MODESP")} == set(CHIPS)


@every_board
def test_a_board(built, name):
    firmware, output = built
    chip, offset = CHIPS[name]
    (path,) = firmware.images()
    assert re.fullmatch(rf"{name}-\d{{8}}-v\d+\.\d+\.\d+(-preview\S*)?\.bin", path.name)
    about = firmware.about()
    assert (about["board"], about["chip"], about["offset"]) == (name, chip, offset)
    assert (about["image"], about["idf"], about["flash_size"]) == (path.name, "5.5.1", "4MB")
    assert re.fullmatch(r"1\.2\d\.\d+", about["micropython"])
    # The reader of `make flash` takes it, and so the chip in the header is the board's.
    image = load(path)
    assert (image.chip, image.offset) == (chip, offset)
    place, app = split_app(path.read_bytes(), offset)
    build = firmware.folder / name
    assert app == (build / "micropython.bin").read_bytes()
    assert (place.name, place.size) == ("factory", 0x1F0000)
    data = path.read_bytes()
    assert data.startswith((build / "bootloader/bootloader.bin").read_bytes())
    names = [partition.name for partition in read_partitions(data[0x8000 - offset :])]
    assert names == ["nvs", "phy_init", "factory", "vfs"]
    size = (build / "micropython.bin").stat().st_size
    assert f"application: {size} of 2031616 bytes of its partition (5 %)" in output
    assert "flash: " in output and "RAM beside them: " in output


@every_board
def test_what_cmake_was_told(built, micropython, name):
    firmware, _output = built
    said = firmware.said(name)
    assert said["IDF_TARGET"] == CHIPS[name][0]
    assert said["EXTRA_COMPONENT_DIRS"] == str(ROOT / "cmodules/mempool")
    assert said["MICROPY_FROZEN_MANIFEST"] == str(ROOT / "boards" / name / "manifest.py")
    assert said["USER_C_MODULES"] == str(ROOT / "cmodules/micropython.cmake")
    # What MicroPython's own board of the chip takes, and the board's own last.
    combined = (firmware.folder / name / "sdkconfig.combined").read_text()
    port = micropython / "ports/esp32/boards"
    stock = {
        "esp32": "ESP32_GENERIC",
        "esp32s3": "ESP32_GENERIC_S3",
        "esp32c3": "ESP32_GENERIC_C3",
    }
    stock |= {"esp32c6": "ESP32_GENERIC_C6"}
    theirs = (port / stock[CHIPS[name][0]] / "mpconfigboard.cmake").read_text()
    fragments = re.findall(r"boards/(sdkconfig\.\S+)", theirs)
    if name == "MODESP_ESP32_SPIRAM":
        fragments.append("sdkconfig.spiram")
    for fragment in fragments:
        for line in (port / fragment).read_text().splitlines():
            if line.startswith("CONFIG_"):
                assert line in combined, fragment
    assert combined.endswith((ROOT / "boards" / name / "sdkconfig.board").read_text())


@every_board
def test_the_configuration_is_the_same_for_idf_and_for_us(built, name):
    """As IDF resolves it, from all of the port's settings and ours, and as tools/kconfig.py does;
    the data of boardcfg is made of the former."""
    firmware, _output = built
    folder = firmware.folder / name
    board = kconfig_boards.load_board(name)
    kconf = evaluate(board, [])
    resolved = (folder / "sdkconfig").read_text()
    for each, value in shown_values(kconf):
        if value:
            assert f"CONFIG_{each}={'y' if value is True else value}\n" in resolved
    written = (folder / "mempool/frozen/_boardcfg_data.py").read_text()
    assert written == data_text(name, shown_values(kconf), kconfig_boards.load_pins(board))
    header = (folder / "config/sdkconfig.h").read_text()
    assert "#define CONFIG_MEMORY_POOL_TINY_COUNT 128" in header
    # IDF's own symbols pass through.
    assert ("CONFIG_SPIRAM=y" in resolved) == board.has_psram
    assert "CONFIG_BT_ENABLED=y" in resolved


def test_settings_of_one_build(firmware):
    firmware.build("MODESP_C3", "--config", "MEMORY_POOL_TINY_COUNT=96 CONFIG_FREERTOS_HZ=1000")
    data = firmware.folder / "MODESP_C3/mempool/frozen/_boardcfg_data.py"
    assert "MEMORY_POOL_TINY_COUNT = 96\n" in data.read_text()
    assert "CONFIG_FREERTOS_HZ=1000\n" in (firmware.folder / "MODESP_C3/sdkconfig").read_text()
    # The next build without them has none of them: IDF alone would keep its old sdkconfig.
    firmware.build("MODESP_C3")
    assert "MEMORY_POOL_TINY_COUNT = 128\n" in data.read_text()


def test_what_idfs_menuconfig_changed_is_kept(firmware):
    firmware.build("MODESP_C3")
    sdkconfig = firmware.folder / "MODESP_C3/sdkconfig"
    text = sdkconfig.read_text()
    sdkconfig.write_text(text.replace("POOL_TINY_COUNT=128", "POOL_TINY_COUNT=80"))
    firmware.build("MODESP_C3")
    data = firmware.folder / "MODESP_C3/mempool/frozen/_boardcfg_data.py"
    assert "MEMORY_POOL_TINY_COUNT = 80\n" in data.read_text()


def test_pools_switched_off(firmware):
    firmware.build("MODESP_C3", "--config", "MEMORY_POOL_ENABLE=n")
    data = firmware.folder / "MODESP_C3/mempool/frozen/_boardcfg_data.py"
    assert "MEMORY_POOL_ENABLE = False\n" in data.read_text()
    assert firmware.said("MODESP_C3")["SOURCES"] == ""


def test_sources_and_how_they_are_compiled(firmware):
    firmware.build("MODESP_C3")
    said = firmware.said("MODESP_C3")
    sources = said["SOURCES"].split(";")
    for module in ("mempool", "eventbus"):
        lines = (ROOT / "cmodules" / module / "sources.list").read_text().splitlines()
        for line in lines:
            if line and not line.startswith("#"):
                assert f"{ROOT}/cmodules/{module}/{line}" in sources
    assert all((ROOT / path).is_file() for path in sources)
    # pool.c is made fast, the rest small, whatever the port's own optimisation: in both places
    # where the port compiles them, of which the second knows none of IDF's definitions.
    commands = json.loads((firmware.folder / "MODESP_C3/compile_commands.json").read_text())
    for name, wanted in (
        ("mempool/core/pool.c", "-O2"),
        ("mempool/core/stats.c", "-Os"),
        ("eventbus/mpy/publish.c", "-Os"),
    ):
        file = f"{ROOT}/cmodules/{name}"
        found = [each["command"].split() for each in commands if each["file"] == file]
        assert len(found) == 2, "in the main component, and in the executable"
        for command in found:
            assert [word for word in command if word.startswith("-O")][-1] == wanted
            assert "-DESP_PLATFORM" in command
    rules = (firmware.folder / "MODESP_C3/main/CMakeFiles/__idf_main.dir/build.make").read_text()
    (search,) = [line for line in rules.splitlines() if "makeqstrdefs.py pp" in line]
    assert "-DESP_PLATFORM" in search.split()
    # Names for Python are looked for in all of them.
    assert f"{ROOT}/cmodules/mempool/mpy" in said["INCLUDES"].split(";")


def test_a_variant(firmware):
    firmware.build("MODESP_S3", "--variant", "SPIRAM_OCT")
    assert firmware.about()["board"] == "MODESP_S3-SPIRAM_OCT"
    combined = (firmware.folder / "MODESP_S3-SPIRAM_OCT/sdkconfig.combined").read_text()
    assert "CONFIG_SPIRAM_MODE_OCT=y" in combined
    said = firmware.refused("MODESP_S3", "--variant", "OCTAL")
    assert said == "MODESP_S3 has no variant 'OCTAL': SPIRAM_OCT"


def test_more_user_modules(firmware, tmp_path):
    touch(tmp_path / "more/micropython.cmake", "add_library(usermod_more INTERFACE)\n")
    firmware.build("MODESP_C3", "--modules", str(tmp_path / "more"))
    assert firmware.said("MODESP_C3")["USER_C_MODULES"].endswith(
        f"cmodules/micropython.cmake;{tmp_path}/more/micropython.cmake"
    )
    said = firmware.refused("MODESP_C3", "--modules", str(tmp_path / "none"))
    assert said == f"USER_C_MODULES: {tmp_path}/none holds no micropython.cmake"


def test_an_application_that_is_too_large(firmware):
    firmware.environ["FAKE_APP_BYTES"] = "2100000"
    said = firmware.refused("MODESP_C3", command="build")
    assert re.fullmatch(
        r"the application has 21000\d\d bytes, and its partition 'factory' 2031616:"
        r" freeze less, or give the board a larger partition",
        said,
    )
    assert firmware.images() == []


def test_the_stock_way(firmware, micropython, tmp_path):
    """CMake alone, as MicroPython's own `make -C ports/esp32 BOARD_DIR=...` calls it: no tool of
    ours runs before, and a value that IDF would pass over still stops it."""
    folder = ROOT / "boards/MODESP_C3"

    def configure(board_dir):
        return subprocess.run(
            ["cmake", "-S", str(micropython / "ports/esp32"), "-B", str(tmp_path / "out"),
             "-DMICROPY_BOARD=MODESP_C3", f"-DMICROPY_BOARD_DIR={board_dir}"],
            env=firmware.environ, capture_output=True, text=True,
        )  # fmt: skip

    done = configure(folder)
    assert done.returncode == 0, done.stderr
    data = (tmp_path / "out/mempool/frozen/_boardcfg_data.py").read_text()
    assert 'BOARD = "MODESP_C3"\n' in data

    # A board of a user's own, elsewhere.
    mine = tmp_path / "MINE"
    for file in folder.iterdir():
        text = file.read_text().replace(
            "${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake", f"{ROOT}/boards/modesp.cmake"
        )
        touch(mine / file.name, text)
    with (mine / "sdkconfig.board").open("a") as file:
        file.write("CONFIG_MEMORY_POOL_TINY_COUNT=1000\n")
    done = configure(mine)
    assert done.returncode != 0
    assert "CONFIG_MEMORY_POOL_TINY_COUNT=1000 is out of" in " ".join(done.stderr.split())


def test_make_itself(firmware, tmp_path):
    """The target as a user types it, with the mpy-cross that it builds, and then image-info."""
    place = f"FIRMWARE_DIR={tmp_path}/out"

    def make(*arguments):
        hidden = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TARGET", "VARIANT", "CONFIG")
        environ = {key: value for key, value in firmware.environ.items() if key not in hidden}
        return subprocess.run(
            ["make", *arguments, place], cwd=ROOT, env=environ, capture_output=True, text=True
        )

    done = make("firmware", "BOARD=MODESP_ESP32")
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert re.search(
        r"MODESP_ESP32-\S+\.bin: make flash PORT= BOARD=MODESP_ESP32 writes it$", last
    )
    done = make("image-info")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"board": "MODESP_ESP32"' in done.stdout
    assert "Image size" in done.stdout or "Entry point" in done.stdout, done.stdout
    assert "factory (what follows)" in done.stdout
