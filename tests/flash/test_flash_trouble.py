"""What goes wrong with ports, cables and images: one line each that says what to do."""

import os
import pty
import subprocess
import sys

import pytest
from cable import Cable


@pytest.mark.parametrize("command", ["flash", "erase"])
def test_no_port(command, make_image, tool):
    image = ["--image", make_image("esp32")] if command == "flash" else []
    tool(command, *image).refused(f"{command}: say which port, make {command} PORT=/dev/ttyUSB0; ")


def test_missing_port_lists_what_is_there(tool, make_image):
    done = tool("flash", "--port", "/dev/ttyNOT7", "--image", make_image("esp32"))
    done.refused("/dev/ttyNOT7 is not there; ")
    done.refused("no serial port is there" if "no serial port" in done.err else "there is /dev/")


def test_ports_are_listed_with_their_names(monkeypatch):
    import flash_port
    from serial.tools.list_ports_common import ListPortInfo

    one, two = ListPortInfo("/dev/ttyUSB0"), ListPortInfo("/dev/ttyACM0")
    one.vid, one.description = 0x10C4, "CP2102N USB to UART"
    two.vid = 0x303A
    monkeypatch.setattr(flash_port.list_ports, "comports", lambda: [one, two])
    assert flash_port.present() == "there is /dev/ttyUSB0 (CP2102N USB to UART), /dev/ttyACM0"
    monkeypatch.setattr(flash_port.list_ports, "comports", lambda: [])
    assert flash_port.present().startswith("no serial port is there: plug the board in")


@pytest.mark.parametrize(
    ("number", "words"),
    [(13, "dialout"), (1, "dialout"), (16, "end that one"), (5, "cannot open"), (2, "not there")],
)
def test_errors_of_the_port(number, words, monkeypatch):
    import flash_port

    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(flash_port.os, "open", refuse)
    with pytest.raises(flash_port.PortError, match=words) as caught:
        flash_port.check("/dev/ttyUSB0", "flash")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", ["foo://bar", "hwgrep://no such port"])
def test_unknown_url(port, tool, make_image):
    done = tool("flash", "--port", port, "--image", make_image("esp32"))
    done.refused(f"{port} is no serial port that pyserial knows", "socket://host:port")


@pytest.mark.parametrize("baud", ["abc", "", "0", "-5", "1e6", "99999999"])
def test_wrong_speed(baud, tool, make_image):
    done = tool("flash", "--port", "/dev/x", "--image", make_image("esp32"), "--baud", baud)
    done.refused(f"flash: BAUD={baud} is not a number from 9600 to 5000000")


def test_no_serial_port(tool, make_image, tmp_path):
    image = make_image("esp32")
    tool("flash", "--port", image, "--image", image).refused("is no serial port; ")


def test_busy_port_names_who_holds_it(tool, make_image):
    host, end = pty.openpty()
    name = os.ttyname(end)
    hold = "import sys; f = open(sys.argv[1], 'rb+', buffering=0); print(flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout
        holder.stdout.readline()
        os.close(end)
        done = tool("flash", "--port", name, "--image", make_image("esp32"))
        done.refused(f"{name} is held by python", f"process {holder.pid}", "end that one")
    finally:
        holder.communicate(b"\n")
        os.close(host)


def test_locked_port(tool, make_image):
    """A lock without a holder that /proc shows: esptool meets it when it opens the port."""
    import flash

    board = flash.Board("/dev/ttyUSB0", 115200, None)
    error = OSError(11, "Could not exclusively lock port /dev/ttyUSB0: [Errno 11] Resource ...")
    assert board.explain(error).startswith("/dev/ttyUSB0 is held by another program: end that one")


def test_nothing_answers(tool, make_image):
    host, end = pty.openpty()
    name = os.ttyname(end)
    os.close(end)
    try:
        done = tool("flash", "--port", name, "--image", make_image("esp32"))
    finally:
        os.close(host)
    done.refused("no ESP chip answers on", "BOOT button")


def test_nobody_listens(tool, make_image):
    done = tool("flash", "--port", "socket://127.0.0.1:9", "--image", make_image("esp32"))
    done.refused("socket://127.0.0.1:9 does not answer")


# Commands of the bootloader's protocol, in the order in which a board is flashed.
SYNC, MEM_BEGIN, DEFL_DATA, FLASH_MD5, ERASE_FLASH = 0x08, 0x05, 0x11, 0x13, 0xD0


@pytest.mark.parametrize(
    ("command", "doing"),
    [
        (SYNC, "connecting"),
        (MEM_BEGIN, "starting the flasher on the board"),
        (DEFL_DATA, "writing: the board is half written and does not start"),
        (FLASH_MD5, "writing: the board is half written and does not start"),
    ],
)
def test_cable_cut_in_the_middle(command, doing, mock, make_image, tool):
    board = mock("esp32")
    with Cable(board.port(), cut=command) as cable:
        done = tool("flash", "--port", cable.port, "--image", make_image("esp32"))
        assert cable.cut
    assert "written and verified" not in done.out
    done.refused(f"lost {cable.port} while {doing}", "plug it in again", "run this again")
    with Cable(board.port()) as cable:  # the advice helps
        assert tool("flash", "--port", cable.port, "--image", make_image("esp32")).status == 0


def test_board_goes_quiet(mock, make_image, tool):
    with Cable(mock("esp32c3").port(), quiet=DEFL_DATA) as cable:
        done = tool("flash", "--port", cable.port, "--image", make_image("esp32c3"))
    done.refused(f"lost {cable.port} while writing", "run this again")


def test_what_is_in_the_flash_differs(mock, make_image, tool):
    """The board's own MD5 of what it wrote is another one."""

    def wrong_digest(data):
        # SLIP, response, MD5, 18 bytes: the digest follows the 8 bytes of the header.
        at = data.find(b"\xc0\x01\x13\x12\x00")
        return data if at < 0 else data[: at + 12] + b"\x5a" + data[at + 13 :]

    with Cable(mock("esp32").port(), change=wrong_digest) as cable:
        done = tool("flash", "--port", cable.port, "--image", make_image("esp32"))
    done.refused("is not what was written", "run this again")


def test_cut_while_erasing(mock, tool):
    with Cable(mock("esp32").port(), cut=ERASE_FLASH) as cable:
        done = tool("erase", "--port", cable.port)
    done.refused(f"lost {cable.port} while erasing", "run this again")
