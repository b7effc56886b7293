"""What is missing for an ESP32 build: one line each, which says what to do, before the work."""

import firmware_env
import pytest
from fwlib import IDF, ROOT, touch

import firmware

BOARD = "MODESP_ESP32"
BOARDS = "MODESP_C3 MODESP_C6 MODESP_ESP32 MODESP_ESP32_SPIRAM MODESP_S3"


def version_file(folder, major, minor, patch):
    names = zip(("MAJOR", "MINOR", "PATCH"), (major, minor, patch), strict=True)
    text = "".join(f"set(IDF_VERSION_{name} {value})\n" for name, value in names)
    touch(folder / "tools/cmake/version.cmake", text)


def test_all_is_there(firmware):
    done = firmware.run("check", BOARD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_board(firmware):
    assert firmware.refused("") == f"say which board, BOARD=NAME; boards: {BOARDS}"


def test_an_unknown_board(firmware):
    assert firmware.refused("MODESP") == f"no board 'MODESP'; boards: {BOARDS}"


def test_a_board_that_is_no_esp32(firmware):
    said = firmware.refused("QEMU_CM3")
    assert said == f"QEMU_CM3 is no ESP32 board: {BOARDS}; or make build TARGET="


def test_a_wrong_setting(firmware):
    said = firmware.refused(BOARD, "--config", "MEMORY_POOL_OWNERS=99")
    assert said == "--set: CONFIG_MEMORY_POOL_OWNERS=99 is out of range: 0 to 31"


def test_no_idf(firmware):
    del firmware.environ["IDF_PATH"]
    said = firmware.refused(BOARD)
    assert said.startswith("IDF_PATH is not set: get ESP-IDF (git clone -b v5.5.1 ")
    assert "install.sh" in said and "export IDF_PATH=" in said


def test_an_idf_path_without_idf(firmware, tmp_path):
    firmware.environ["IDF_PATH"] = str(tmp_path)
    assert firmware.refused(BOARD).startswith(f"IDF_PATH={tmp_path} holds no ESP-IDF: git clone ")


@pytest.mark.parametrize("version", [(5, 2, 2), (6, 0, 0), (4, 4, 7)])
def test_another_idf(firmware, tmp_path, version):
    version_file(tmp_path, *version)
    firmware.environ["IDF_PATH"] = str(tmp_path)
    said = firmware.refused(BOARD)
    shown = ".".join(map(str, version))
    assert said.startswith(f"IDF_PATH={tmp_path} is ESP-IDF v{shown}, and this needs v5.3")
    assert "checkout v5.5.1" in said


@pytest.mark.parametrize("version", [(5, 3, 0), (5, 3, 4), (5, 4, 2), (5, 5, 1), (5, 5, 4)])
def test_an_idf_that_will_do(tmp_path, version):
    version_file(tmp_path, *version)
    assert firmware_env.find_idf({"IDF_PATH": str(tmp_path)}) == (tmp_path, version)


def test_tools_that_are_not_installed(firmware, tmp_path):
    version_file(tmp_path, 5, 5, 1)
    touch(tmp_path / "export.sh", "return 1\n")
    firmware.environ["IDF_PATH"] = str(tmp_path)
    for board, chip in (("MODESP_ESP32", "esp32"), ("MODESP_C6", "esp32c6")):
        assert firmware.refused(board) == (
            f"the tools of ESP-IDF for {chip} are not installed: run {tmp_path}/install.sh {chip}"
        )


def test_an_environment_that_was_exported_already(firmware, tmp_path):
    """idf.py on the path is taken as it is."""
    touch(tmp_path / "bin/idf.py", f'#!/bin/sh\nexec "$FAKE_IDF_PYTHON" {IDF}/tools/idf.py "$@"\n')
    (tmp_path / "bin/idf.py").chmod(0o755)
    version_file(tmp_path / "idf", 5, 4, 1)
    (tmp_path / "idf/tools/cmake/project.cmake").symlink_to(IDF / "tools/cmake/project.cmake")
    (tmp_path / "idf/Kconfig").symlink_to(IDF / "Kconfig")
    firmware.environ["IDF_PATH"] = str(tmp_path / "idf")
    firmware.environ["PATH"] = f"{tmp_path}/bin:{firmware.environ['PATH']}"
    done = firmware.build(BOARD)
    assert firmware.about()["idf"] == "5.4.1"
    assert "note:" not in done.stdout


def test_no_micropython(firmware):
    del firmware.environ["MICROPYTHON_DIR"]
    said = firmware.refused(BOARD)
    assert said.startswith("MICROPYTHON_DIR is not set, and the source that comes by itself lacks")
    assert "git clone -b v1.28.0 " in said


def test_a_folder_without_micropython(firmware, tmp_path):
    firmware.environ["MICROPYTHON_DIR"] = str(tmp_path)
    said = firmware.refused(BOARD)
    assert said.startswith(f"MICROPYTHON_DIR={tmp_path} holds no MicroPython: git clone ")


@pytest.mark.parametrize("version", ["1 24 1", "1 29 0", "2 0 0"])
def test_another_micropython(firmware, tmp_path, version):
    names = zip(("MAJOR", "MINOR", "MICRO"), version.split(), strict=True)
    text = "".join(f"#define MICROPY_VERSION_{name} {value}\n" for name, value in names)
    touch(tmp_path / "py/mpconfig.h", text)
    touch(tmp_path / "ports/esp32/CMakeLists.txt")
    firmware.environ["MICROPYTHON_DIR"] = str(tmp_path)
    said = firmware.refused(BOARD)
    shown = version.replace(" ", ".")
    assert said.startswith(f"MICROPYTHON_DIR={tmp_path} is MicroPython {shown}, and this needs")
    assert "checkout v1.28.0" in said


def test_submodules_are_missing(firmware, tmp_path, micropython):
    view = tmp_path / "micropython"
    view.mkdir()
    for path in micropython.iterdir():
        if path.name != "lib":
            (view / path.name).symlink_to(path)
    firmware.environ["MICROPYTHON_DIR"] = str(view)
    said = firmware.refused(BOARD)
    assert said == (
        f"{view} lacks submodules: git -C {view} submodule update --init"
        " lib/micropython-lib lib/berkeley-db-1.xx lib/tinyusb"
    )


def test_debians_source_is_one_that_lacks_them(firmware, micropython):
    """The source that make brings by itself cannot be built for ESP32, and the line says so."""
    source = (micropython / "py").resolve().parent
    firmware.environ["MICROPYTHON_DIR"] = str(source)
    assert firmware.refused(BOARD).startswith(f"{source} lacks submodules: git -C ")


def test_a_manifest_that_is_not_there(firmware):
    said = firmware.refused(BOARD, "--manifest", "none.py")
    assert said == "FROZEN_MANIFEST=none.py is no file"


def test_a_build_that_fails(firmware):
    """The end of the log, and where the whole is."""
    firmware.environ["MICROPY_MPYCROSS"] = "replaced by ours"
    entry = firmware.folder.parent / "broken/micropython.cmake"
    touch(entry, 'message(FATAL_ERROR "no toothpick")')
    done = firmware.run("build", BOARD, "--modules", str(entry.parent))
    assert done.returncode == 1
    assert "no toothpick" in done.stdout
    log = firmware.folder / BOARD / "build.log"
    assert done.stderr == f"firmware: {BOARD} is not built: see {log}\n"
    assert "no toothpick" in log.read_text()


@pytest.mark.parametrize("spoilt", ["{", "{}", '{"flash_files": 3}'])
def test_a_build_that_does_not_say_what_to_flash(tmp_path, spoilt):
    import firmware_parts

    touch(tmp_path / "flasher_args.json", spoilt)
    with pytest.raises(firmware_env.FirmwareError, match="does not say what to flash"):
        firmware_parts.read_parts(tmp_path)


def test_a_version_is_that_of_the_tag_or_a_preview():
    said = firmware.our_version()
    line = (ROOT / "firmware/versions.mk").read_text().split("VERSION := ", 1)[1].split()[0]
    assert said == f"v{line}" or said.startswith(f"v{line}-preview")
