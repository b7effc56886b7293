"""Which image is flashed, and what is wrong with it: before any port is opened."""

import json
import os
import subprocess
from pathlib import Path

import conftest
import firmware_image
import pytest
from conftest import image_bytes

ROOT = Path(__file__).resolve().parents[2]


def refuse(call, *parts):
    with pytest.raises(firmware_image.ImageError) as caught:
        call()
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value), caught.value


@pytest.mark.parametrize("chip", firmware_image.OFFSETS)
def test_header_tells_chip_and_offset(chip, make_image):
    image = firmware_image.load(make_image(chip))
    assert (image.chip, image.flash_size, image.board) == (chip, "4MB", "")
    assert image.offset == firmware_image.OFFSETS[chip]


def test_description(make_image):
    image = firmware_image.load(make_image("esp32s3", "MODESP_S3"))
    assert (image.chip, image.offset, image.board) == ("esp32s3", 0, "MODESP_S3")
    assert image.about["idf"] == "v5.5.1"


def test_known_offsets():
    """As the ROMs of our boards' chips have it."""
    known = {"esp32": 0x1000, "esp32s3": 0, "esp32c3": 0, "esp32c6": 0}
    assert {chip: firmware_image.OFFSETS[chip] for chip in known} == known


def test_newest_of_a_board(make_image, tmp_path):
    make_image("esp32", "MODESP_ESP32", "MODESP_ESP32-20261125-0.4.0.bin")
    older = make_image("esp32", "MODESP_ESP32", "MODESP_ESP32-20261126-0.4.0.bin")
    make_image("esp32c3", "MODESP_C3")
    os.utime(older.with_suffix(".json"), (1, 1))
    image = firmware_image.newest("MODESP_ESP32", tmp_path)
    assert image.path.name == "MODESP_ESP32-20261125-0.4.0.bin"
    assert firmware_image.newest("MODESP_C3", tmp_path).chip == "esp32c3"
    refuse(
        lambda: firmware_image.newest("", tmp_path),
        "several boards",
        "BOARD=MODESP_C3|MODESP_ESP32",
    )
    refuse(
        lambda: firmware_image.newest("MODESP_S3", tmp_path),
        "no image of MODESP_S3",
        "run make firmware BOARD=MODESP_S3",
        "MODESP_C3, MODESP_ESP32",
    )


def test_the_only_board_needs_no_name(make_image, tmp_path):
    refuse(lambda: firmware_image.newest("", tmp_path), "no image in", "run make firmware BOARD=")
    make_image("esp32c6", "MODESP_C6")
    assert firmware_image.newest("", tmp_path).board == "MODESP_C6"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"chip": "esp32c3"}, ["is for esp32, its .json says esp32c3"]),
        ({"offset": 0}, ["offset 0x0, but esp32 starts at 0x1000"]),
        ({"offset": "0x1000"}, ["no int 'offset'"]),
        ({"version": None}, ["no str 'version'"]),
    ],
)
def test_wrong_description(changes, parts, make_image):
    path = make_image("esp32", "MODESP_ESP32", changes=changes)
    refuse(lambda: firmware_image.load(path), "make firmware again", *parts)


def test_broken_description(make_image):
    path = make_image("esp32")
    path.with_suffix(".json").write_text("{")
    refuse(lambda: firmware_image.load(path), "is no JSON", "make firmware again")
    path.with_suffix(".json").write_text(json.dumps(["esp32"]))
    refuse(lambda: firmware_image.load(path), "make firmware again")


def test_no_image(tmp_path):
    refuse(lambda: firmware_image.load(tmp_path / "none.bin"), "cannot read", "No such file")


@pytest.mark.parametrize("data", [b"", b"\x7fELF" + bytes(100), b"\xe9\x01\x02"])
def test_no_firmware_image(data, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    refuse(lambda: firmware_image.load(path), "is no firmware image: it ")
    refuse(
        lambda: firmware_image.load(path), {0: "is empty", 3: "has 3 bytes"}.get(len(data), "0x7f")
    )


def test_unknown_chip(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(image_bytes("esp32")[:12] + b"\x77\x07" + bytes(100))
    refuse(lambda: firmware_image.load(path), "esptool does not know: id 1911")


def test_application_alone(tmp_path):
    """In the bootloader's place it would make a board that does not start."""
    path = tmp_path / "micropython.bin"
    data = bytearray(image_bytes("esp32"))
    data[0x7000:0x7002] = b"xx"
    path.write_bytes(data)
    refuse(lambda: firmware_image.load(path), "no partition table at 0x8000", "merged image")


def test_not_the_whole_image(make_image, tool):
    """It would be written and verified, and the board would not start."""
    for path in (make_image("esp32"), make_image("esp32c3", "MODESP_C3")):
        data = path.read_bytes()
        app = (
            conftest.APP_AT
            - firmware_image.OFFSETS["esp32" if "esp32-" in path.name else "esp32c3"]
        )
        damaged = bytearray(data)
        damaged[app + 100] ^= 1
        for wrong in (data[:app], data[: app + 10], data[: app + 60], bytes(damaged)):
            path.write_bytes(wrong)
            refuse(lambda path=path: firmware_image.load(path), "is cut off or damaged")
        tool("flash", "--port", "/dev/x", "--image", path).refused("cut off or damaged")
        path.write_bytes(data)
        assert firmware_image.load(path)


def test_no_place_for_an_application(make_image):
    path = make_image("esp32")
    data = bytearray(path.read_bytes())
    data[0x7002] = 1  # its only partition holds data
    path.write_bytes(data)
    refuse(lambda: firmware_image.load(path), "has no place for an application")


def test_board_and_image_of_different_boards(tool, make_image):
    image = make_image("esp32", "MODESP_ESP32")
    done = tool("flash", "--port", "/dev/x", "--image", image, "--board", "MODESP_ESP32_SPIRAM")
    done.refused("is of MODESP_ESP32, not of MODESP_ESP32_SPIRAM", "IMAGE= and BOARD=")


def make(*arguments):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_make_flash(mock, make_image):
    """The whole way of a user, through make."""
    board = mock("esp32c6")
    image = make_image("esp32c6", "MODESP_C6")
    done = make("flash", f"PORT={board.url()}", f"IMAGE={image}", "BOARD=MODESP_C6")
    assert done.returncode == 0, done
    assert "flash: 40 KB written and verified" in done.stdout and done.stderr == ""
    done = make("erase", f"PORT={board.url()}")
    assert done.returncode == 0 and "the flash of the esp32c6 is empty" in done.stdout, done


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["flash", "BOARD=MODESP_NONE", "PORT=/dev/x"], "flash: no image of MODESP_NONE in "),
        (["flash", "IMAGE=/none.bin", "PORT=/dev/x"], "flash: cannot read /none.bin: "),
        (["erase"], "erase: say which port, make erase PORT=/dev/ttyUSB0; "),
        (["erase", "PORT=/dev/ttyNOT7"], "erase: /dev/ttyNOT7 is not there; "),
        (["repl", "PORT=/dev/ttyNOT7"], "repl: /dev/ttyNOT7 is not there; "),
    ],
)
def test_make_says_what_is_wrong_in_one_line(arguments, line):
    done = make(*arguments)
    assert done.returncode != 0
    # make adds its own "Error 1" to what the tool says.
    said = [text for text in done.stderr.splitlines() if not text.startswith("make: ***")]
    assert len(said) == 1 and said[0].startswith(line), done
