"""board.json, pins.csv and sdkconfig.board: the boards of this repository, and wrong ones."""

import kconfig
import kconfig_boards
import pytest
from kconfig_model import evaluate, load_kconfig, values

PINS = "boards/TEST/pins.csv"
ROLES = [
    "compressor_relay",
    "evaporator_fan",
    "defrost_heater",
    "cabinet_light",
    "buzzer",
    "door_switch",
    "ds18b20_bus",
    "ntc_adc",
]


@pytest.mark.parametrize("name", ["UNIX", "QEMU_CM3", "QEMU_RV32"])
def test_our_boards(name):
    board = kconfig_boards.load_board(name)
    assert list(kconfig_boards.load_pins(board)) == ROLES
    ours = values(evaluate(board, []))
    assert ours.pop("MEMORY_POOL_TRACE_ALLOCATIONS") == 1
    assert ours.pop("MEMORY_POOL_TRACE_DEPTH") == 64
    assert ours["MEMORY_POOL_STRICT_MODE"] == ours["MEMORY_POOL_DIAGNOSTICS"] == 1
    default = values(load_kconfig())
    del default["MEMORY_POOL_TRACE_ALLOCATIONS"]
    assert ours == default


def test_list_names_every_board(capsys):
    assert kconfig.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["QEMU_CM3", "QEMU_RV32", "UNIX"]


def test_check_says_what_it_checked(command):
    result = command("check", "--board", "QEMU_RV32")
    assert (result.returncode, result.stdout) == (
        0,
        "QEMU_RV32: 22 symbols and 8 pins, all right\n",
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("buzzer", "'buzzer' is not 'role,pin'"),
        ("buzzer,GPIO1,GPIO2", "'buzzer,GPIO1,GPIO2' is not 'role,pin'"),
        ("Buzzer,GPIO1", "role 'Buzzer' is not a name: a to z, 0 to 9 and _, a letter first,"
         " at most 31"),
        ("2nd,GPIO1", "role '2nd' is not a name: a to z, 0 to 9 and _, a letter first,"
         " at most 31"),
        (",GPIO1", "role '' is not a name: a to z, 0 to 9 and _, a letter first, at most 31"),
        (f"{'r' * 32},GPIO1", f"role '{'r' * 32}' is not a name: a to z, 0 to 9 and _,"
         " a letter first, at most 31"),
        ("buzzer,PA4", "pin 'PA4' of role 'buzzer' is not a pin: GPIO0 to GPIO48"),
        ("buzzer,GPIO49", "pin 'GPIO49' of role 'buzzer' is not a pin: GPIO0 to GPIO48"),
        ("buzzer,GPIO-1", "pin 'GPIO-1' of role 'buzzer' is not a pin: GPIO0 to GPIO48"),
        ("buzzer,GPIO04", "pin 'GPIO04' of role 'buzzer' is not a pin: GPIO0 to GPIO48"),
        ("buzzer,", "pin '' of role 'buzzer' is not a pin: GPIO0 to GPIO48"),
        ("door,GPIO1", f"role 'door' has a pin already, by {PINS}:2"),
        ("buzzer,GPIO7", f"pin GPIO7 of role 'buzzer' is taken by {PINS}:2"),
    ],
)  # fmt: skip
def test_a_wrong_pin(at, refused, line, says):
    at.pins("# roles", "door,GPIO7", "", line)
    assert refused() == f"{PINS}:4: {says}"


def test_a_board_may_have_no_pins(at):
    assert at.generate() == 0
    assert kconfig_boards.load_pins(at.board) == {}


def test_a_board_without_settings(at, refused):
    at.settings_path.unlink()
    assert refused() == "boards/TEST/sdkconfig.board: missing; an empty file takes all defaults"


def test_a_description_that_is_no_json(at, refused):
    (at.folder / "board.json").write_text('{\n"mcu": "host",\n}')
    assert refused().startswith("boards/TEST/board.json:3: not JSON: ")


@pytest.mark.parametrize("about", [{"mcu": "host"}, {"mcu": "host", "product": ""},
                                   {"mcu": "host", "product": 3}])  # fmt: skip
def test_a_description_without_a_product(at, refused, about):
    at.describe(**about)
    assert refused() == (
        "boards/TEST/board.json:1: 'product' is missing: a text that is not empty"
    )


def test_a_description_that_is_no_object(at, refused):
    (at.folder / "board.json").write_text("[1]")
    assert refused() == "boards/TEST/board.json:1: 'mcu' is missing: a text that is not empty"
