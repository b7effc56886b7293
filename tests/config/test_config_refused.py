"""Every wrong value stops with one line that names place, symbol, value and what is allowed."""

import kconfig_model
import pytest

FILE = "boards/TEST/sdkconfig.board"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("CONFIG_MEMORY_POOL_TINY_COUNT=300", "is out of range: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=63", "is out of range: 64 to 256"),
        ("CONFIG_MEMORY_POOL_XLARGE_COUNT=-4", "is out of range: 4 to 16"),
        ("CONFIG_MEMORY_POOL_OWNERS=32", "is out of range: 0 to 31"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=many", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=0x80", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=0128", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=128 # blocks", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_TINY_COUNT=12٨", "is not a number: 64 to 256"),
        ("CONFIG_MEMORY_POOL_SPILL=maybe", "is not a bool: y or n"),
        ("CONFIG_MEMORY_POOL_SPILL=1", "is not a bool: y or n"),
        ("CONFIG_MEMORY_POOL_SPILL=Y", "is not a bool: y or n"),
        ('CONFIG_MEMORY_POOL_SPILL="y"', "is not a bool: y or n"),
        ("CONFIG_MEMORY_POOL_SPILL=m", "is not a bool: y or n"),
        (
            "CONFIG_MEMORY_POOL_TINY_CONT=96",
            "is not a symbol of the menu; did you mean CONFIG_MEMORY_POOL_TINY_COUNT?",
        ),
        (
            "CONFIG_memory_pool_spill=y",
            "is not a symbol of the menu; did you mean CONFIG_MEMORY_POOL_SPILL?",
        ),
        ("CONFIG_FREERTOS_HZ=1000", "is not a symbol of the menu"),
        ("CONFIG_MEMORY_POOL_TRACE_DEPTH=100", "needs CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y,"
         " which is n by its default"),
        ("CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=80",
         "must be above CONFIG_MEMORY_POOL_LOW_THRESHOLD=80: 81 to 99"),
        ("CONFIG_MEMORY_POOL_LOW_THRESHOLD=95",
         "must be below CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=95: 50 to 94"),
        ("CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK=y",
         "needs CONFIG_MEMORY_POOL_STRICT_MODE=n, which is y by its default"),
        ("CONFIG_MEMORY_POOL_EMERGENCY_RESERVE=5", "is above half of the pool XLARGE"
         " (CONFIG_MEMORY_POOL_XLARGE_COUNT=8): 0 to 4"),
    ],
)  # fmt: skip
def test_a_wrong_line_and_the_same_set(at, refused, line, says):
    at.settings("# a comment", "", line)
    assert refused() == f"{FILE}:3: {line} {says}"
    at.settings()
    for prefix in ("", "CONFIG_"):
        given = prefix + line.removeprefix("CONFIG_")
        assert refused(given) == f"--set: {line} {says}"


@pytest.mark.parametrize(
    ("lines", "number", "says"),
    [
        (
            ["CONFIG_MEMORY_POOL_LOW_THRESHOLD=90", "CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=85"],
            2,
            "must be above CONFIG_MEMORY_POOL_LOW_THRESHOLD=90: 91 to 99",
        ),
        (
            ["CONFIG_MEMORY_POOL_LARGE_COUNT=8", "CONFIG_MEMORY_POOL_XLARGE_COUNT=16",
             "CONFIG_MEMORY_POOL_EMERGENCY_RESERVE=5"],
            3,
            "is above half of the pool LARGE (CONFIG_MEMORY_POOL_LARGE_COUNT=8): 0 to 4",
        ),
        (
            ["# CONFIG_MEMORY_POOL_DIAGNOSTICS is not set",
             "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y"],
            2,
            f"needs CONFIG_MEMORY_POOL_DIAGNOSTICS=y, which is n by {FILE}:1",
        ),
        (
            ["CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y", "CONFIG_MEMORY_POOL_TRACE_DEPTH=100"],
            2,
            "is not a power of two: 16, 32, 64, 128, 256, 512 or 1024",
        ),
        (
            ["CONFIG_MEMORY_POOL_STRICT_MODE=y", "CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK=y"],
            2,
            f"needs CONFIG_MEMORY_POOL_STRICT_MODE=n, which is y by {FILE}:1",
        ),
        (
            ["CONFIG_MEMORY_POOL_SPILL=y", "# CONFIG_MEMORY_POOL_SPILL is not set"],
            2,
            f"contradicts CONFIG_MEMORY_POOL_SPILL=y of {FILE}:1: one value a symbol",
        ),
    ],
)  # fmt: skip
def test_lines_that_do_not_fit_together(at, refused, lines, number, says):
    at.settings(*lines)
    line = lines[number - 1]
    if line.endswith("is not set"):
        line = line.removeprefix("# ").removesuffix(" is not set") + "=n"
    assert refused() == f"{FILE}:{number}: {line} {says}"


def test_a_set_that_contradicts_another(refused):
    assert refused("MEMORY_POOL_OWNERS=3", "CONFIG_MEMORY_POOL_OWNERS=4") == (
        "--set: CONFIG_MEMORY_POOL_OWNERS=4 contradicts CONFIG_MEMORY_POOL_OWNERS=3 of --set:"
        " one value a symbol"
    )


def test_a_set_that_takes_the_ground_from_a_line(at, refused):
    at.settings("CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y")
    assert refused("MEMORY_POOL_DIAGNOSTICS=n") == (
        f"{FILE}:1: CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y needs CONFIG_MEMORY_POOL_DIAGNOSTICS=y,"
        " which is n by --set"
    )


def test_a_count_that_is_too_small_for_the_reserve_of_the_board(at, refused):
    at.settings("CONFIG_MEMORY_POOL_EMERGENCY_RESERVE=4")
    assert refused("MEMORY_POOL_XLARGE_COUNT=7") == (
        f"{FILE}:1: CONFIG_MEMORY_POOL_EMERGENCY_RESERVE=4 is above half of the pool XLARGE"
        " (CONFIG_MEMORY_POOL_XLARGE_COUNT=7): 0 to 3"
    )


def test_off_is_no_number(at, refused):
    at.settings("# CONFIG_MEMORY_POOL_OWNERS is not set")
    assert refused() == f"{FILE}:1: CONFIG_MEMORY_POOL_OWNERS=n is not a number: 0 to 31"


@pytest.mark.parametrize(
    "line",
    [
        "MEMORY_POOL_SPILL=y",
        " CONFIG_MEMORY_POOL_SPILL=y",
        "spill",
        "CONFIG_MEMORY_POOL_SPILL = y",
        "CONFIG_MEMORY_POOL_SPILL",
    ],
)
def test_a_line_that_is_no_assignment(at, refused, line):
    at.settings(line)
    assert refused() == (
        f"{FILE}:1: {line.strip()!r} is not 'CONFIG_NAME=value' or '# CONFIG_NAME is not set'"
    )


@pytest.mark.parametrize("text", ["MEMORY_POOL_SPILL", "=y", "SP ILL=y", ""])
def test_a_set_that_is_no_assignment(refused, text):
    assert refused(text) == f"--set: {text!r} is not 'NAME=value'"


def test_bytes_that_are_no_text(at, refused):
    at.settings_path.write_bytes(b"# fine\nCONFIG_MEMORY_POOL_SPILL=\xff\n")
    assert refused() == f"{FILE}:2: not UTF-8"


def test_the_switched_off_menu_still_checks_names_and_ranges(at, refused):
    at.settings("CONFIG_MEMORY_POOL_ENABLE=n", "CONFIG_MEMORY_POOL_TINY_COUNT=300")
    assert refused() == f"{FILE}:2: CONFIG_MEMORY_POOL_TINY_COUNT=300 is out of range: 64 to 256"


def test_an_esp_board_may_speak_to_idf(at):
    at.describe(mcu="esp32s3", product="a chip")
    at.settings("CONFIG_FREERTOS_HZ=1000", 'CONFIG_PARTITION_TABLE_FILENAME="parts.csv"')
    assert at.generate() == 0
    assert "FREERTOS" not in (at.output / "sdkconfig.h").read_text()


def test_a_misspelt_prefix_on_an_esp_board(at, refused):
    at.describe(mcu="esp32", product="a chip")
    at.settings("CONFIG_FREERTOS_HZ=1000", "CONFIG_MEMROY_POOL_TINY_COUNT=96")
    assert refused() == (
        f"{FILE}:2: CONFIG_MEMROY_POOL_TINY_COUNT=96 is not a symbol of the menu;"
        " did you mean CONFIG_MEMORY_POOL_TINY_COUNT?"
    )


def test_an_unknown_board_lists_the_boards(command):
    result = command("generate", "--board", "UNX", "--output", "/nowhere")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "no board 'UNX'; boards: MODESP_C3 MODESP_C6 MODESP_ESP32"
        " MODESP_ESP32_SPIRAM MODESP_S3 QEMU_CM3 QEMU_RV32 UNIX; did you mean UNIX?\n"
    )


def test_the_command_as_make_runs_it(command, tmp_path):
    result = command(
        "generate", "--board", "UNIX", "--output", tmp_path, "--set", "MEMORY_POOL_OWNERS=99"
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "--set: CONFIG_MEMORY_POOL_OWNERS=99 is out of range: 0 to 31\n"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def larger_menu(tmp_path, monkeypatch):
    """Our menu and symbols with dependencies that it does not have today."""
    path = tmp_path / "Kconfig.larger"
    path.write_text(
        f'''mainmenu "larger"

source "{kconfig_model.KCONFIG.parent.parent}/cmodules/mempool/Kconfig"

config MEMORY_POOL_EITHER
    bool "Either"
    depends on MEMORY_POOL_SPILL || MEMORY_POOL_POISON_FREED

config MEMORY_POOL_MASTER
    bool "Master"
    select MEMORY_POOL_SLAVE

config MEMORY_POOL_SLAVE
    bool "Slave"
'''
    )
    monkeypatch.setattr(kconfig_model, "KCONFIG", path)


def test_a_dependency_that_is_no_single_symbol(at, refused, larger_menu):
    at.settings("CONFIG_MEMORY_POOL_EITHER=y")
    assert refused() == (
        f"{FILE}:1: CONFIG_MEMORY_POOL_EITHER=y needs"
        " MEMORY_POOL_SPILL || MEMORY_POOL_POISON_FREED"
    )


def test_a_value_that_another_symbol_forces_does_not_hold(at, refused, larger_menu):
    at.settings("CONFIG_MEMORY_POOL_MASTER=y", "# CONFIG_MEMORY_POOL_SLAVE is not set")
    assert refused() == f"{FILE}:2: CONFIG_MEMORY_POOL_SLAVE=n does not hold: the result is y"


def test_a_menu_that_is_wrong_itself(tmp_path, monkeypatch, refused):
    path = tmp_path / "Kconfig.wrong"
    path.write_text('mainmenu "wrong"\n\nconfig MEMORY_POOL_ENABLE\n    bool "x"\n    rnage 1 2\n')
    monkeypatch.setattr(kconfig_model, "KCONFIG", path)
    assert "Kconfig.wrong:5" in refused()


def test_menuconfig_without_a_terminal(command):
    result = command("menuconfig", "--board", "UNIX")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "menuconfig needs a terminal; or write boards/UNIX/sdkconfig.board by hand\n"
    )


def test_a_folder_that_cannot_be_written(at, capsys):
    at.output.write_text("a file stands where the folder should be")
    assert at.generate() == 1
    assert capsys.readouterr().err.startswith(f"{at.output}")
