"""board.json, pins.csv and sdkconfig.board: the boards of this repository, and wrong ones."""

import kconfig
import kconfig_boards
import kconfig_pins
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

ESP = ["MODESP_C3", "MODESP_C6", "MODESP_ESP32", "MODESP_ESP32_SPIRAM", "MODESP_S3"]


@pytest.mark.parametrize("name", ["UNIX", "QEMU_CM3", "QEMU_RV32"])
def test_our_boards(name):
    board = kconfig_boards.load_board(name)
    assert list(kconfig_boards.load_pins(board)) == ROLES
    ours = values(evaluate(board, []))
    assert ours.pop("MEMORY_POOL_TRACE_ALLOCATIONS") == 1
    assert ours.pop("MEMORY_POOL_GROW_BLOCKS") == 16
    assert ours.pop("MEMORY_POOL_GROW_ARENA") == 8192
    assert ours.pop("MEMORY_POOL_TRACE_DEPTH") == 64
    assert ours["MEMORY_POOL_STRICT_MODE"] == ours["MEMORY_POOL_DIAGNOSTICS"] == 1
    default = values(load_kconfig())
    del default["MEMORY_POOL_TRACE_ALLOCATIONS"]
    del default["MEMORY_POOL_GROW_BLOCKS"]
    assert ours == default


def test_list_names_every_board(capsys):
    assert kconfig.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*ESP, "QEMU_CM3", "QEMU_RV32", "UNIX"]


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


@pytest.mark.parametrize("name", ESP)
def test_our_esp32_boards(name):
    """The defaults, and pins that the chip can spare for what they are to do."""
    board = kconfig_boards.load_board(name)
    pins = kconfig_boards.load_pins(board)
    assert list(pins) == ROLES
    assert values(evaluate(board, [])) == values(load_kconfig())
    chip = kconfig_pins.CHIPS[board.mcu]
    for role, pin in pins.items():
        assert pin not in chip.strapping | chip.console | chip.flash | chip.psram, role
        if role not in ("door_switch", "ntc_adc"):
            assert pin not in chip.input_only, role
    assert pins["ntc_adc"] in chip.adc1


@pytest.mark.parametrize(
    ("mcu", "features", "pin", "says"),
    [
        ("esp32", [], 24, "is not a pin of the esp32: it has 0 to 23, 25 to 27, 32 to 39"),
        ("esp32", [], 40, "is not a pin of the esp32: it has 0 to 23, 25 to 27, 32 to 39"),
        ("esp32", [], 6, "belongs to the flash of the esp32: GPIO 6 to 11"),
        ("esp32", ["External RAM"], 16, "belongs to the PSRAM of the esp32: GPIO 16 to 17"),
        ("esp32s3", [], 22, "is not a pin of the esp32s3: it has 0 to 21, 26 to 48"),
        ("esp32s3", ["External RAM"], 37, "belongs to the PSRAM of the esp32s3: GPIO 33 to 37"),
        ("esp32c3", [], 22, "is not a pin of the esp32c3: it has 0 to 21"),
        ("esp32c3", [], 12, "belongs to the flash of the esp32c3: GPIO 12 to 17"),
        ("esp32c6", [], 24, "belongs to the flash of the esp32c6: GPIO 24 to 30"),
    ],
)
def test_a_pin_that_the_chip_cannot_give(at, refused, mcu, features, pin, says):
    at.describe(mcu=mcu, product="a board of the tests", features=features)
    at.pins(f"buzzer,GPIO{pin}")
    assert refused() == f"{PINS}:1: pin GPIO{pin} of role 'buzzer' {says}"


@pytest.mark.parametrize(("mcu", "pin"), [("esp32", 16), ("esp32s3", 33), ("esp32c6", 23)])
def test_a_pin_that_the_chip_can_give(at, mcu, pin):
    at.describe(mcu=mcu, product="a board of the tests")
    at.pins(f"buzzer,GPIO{pin}")
    assert at.generate() == 0
