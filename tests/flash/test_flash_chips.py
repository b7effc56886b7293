"""Every chip that the mock bootloader knows: written, verified, read back, a wrong one refused."""

import esptool
import firmware_image
import pytest
from cable import Cable
from conftest import image_bytes
from esp32_mock_bootloader import chips

KNOWN = [chip for chip in chips.SUPPORTED if chip in firmware_image.OFFSETS]


def read_back(url, offset, size):
    """By the ROM's own reading: the mock's stub does not get to the end of it."""
    with esptool.detect_chip(url) as esp:
        return esp.read_flash_slow(offset, size, None)


def test_all_chips_of_our_boards_are_among_them():
    assert {"esp32", "esp32s3", "esp32c3", "esp32c6"} <= set(KNOWN)
    assert set(chips.SUPPORTED) - set(KNOWN) == {"esp8266"}


@pytest.mark.parametrize("chip", KNOWN)
def test_written_verified_and_the_same(chip, mock, make_image, tool):
    board = mock(chip)
    other = "esp32c3" if chip != "esp32c3" else "esp32"
    refused = tool("flash", "--port", board.url(), "--image", make_image(other))
    refused.refused(f"has an {chip}", f"is for {other}")
    done = tool("flash", "--port", board.url(), "--image", make_image(chip))
    assert (done.status, done.err) == (0, ""), done
    assert f"flash: {chip} on" in done.out and "written and verified" in done.out
    data = image_bytes(chip)
    offset = firmware_image.OFFSETS[chip]
    found = read_back(board.url(), 0, offset + len(data) + 4096)
    # Nothing around it is touched, and the refused image left no trace.
    assert found == b"\xff" * offset + data + b"\xff" * 4096


def test_the_advice_names_our_boards(mock, make_image, tool, monkeypatch):
    import flash

    for folder in (flash.ROOT / "boards").glob("MODESP_*"):
        assert any(folder.name in flash.boards_of(chip) for chip in KNOWN), folder.name
    monkeypatch.setattr(flash, "boards_of", lambda chip: ["A", "B"])
    error = flash.wrong_chip("/dev/x", "esp32c3", firmware_image.load(make_image("esp32")))
    assert str(error).endswith("is for esp32: use BOARD=A|B")


def test_esp8266_is_a_wrong_chip(mock, make_image, tool):
    done = tool("flash", "--port", mock("esp8266").url(), "--image", make_image("esp32"))
    done.refused("has an esp8266", "is for esp32", "no board of this firmware has that chip")


@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_through_a_serial_port(chip, mock, make_image, tool):
    board = mock(chip)
    with Cable(board.port()) as cable:
        done = tool("flash", "--port", cable.port, "--image", make_image(chip))
    assert (done.status, done.err) == (0, ""), done
    data = image_bytes(chip)
    found = read_back(board.url(), firmware_image.OFFSETS[chip], len(data))
    assert found == data


def test_erase(mock, make_image, tool):
    board = mock("esp32s3")
    assert tool("flash", "--port", board.url(), "--image", make_image("esp32s3")).status == 0
    done = tool("erase", "--port", board.url())
    assert (done.status, done.err) == (0, ""), done
    assert "the flash of the esp32s3 is empty" in done.out
    assert set(read_back(board.url(), 0, 0x10000)) == {0xFF}
