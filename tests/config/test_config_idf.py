"""What IDF resolved against what the board says: tools/kconfig_idf.py, which CMake runs."""

import os
import subprocess
import sys

import kconfig_idf
import pytest
from kconfig_model import allowed, evaluate, load_kconfig, symbols
from kconfig_outputs import data_text, sdkconfig_text, shown_values

TOOL = str(kconfig_idf.ROOT / "tools" / "kconfig_idf.py")


@pytest.fixture
def idf(at):
    """The board as one of IDF's, and the tool run on an sdkconfig as IDF writes it."""
    at.describe(mcu="esp32", product="a board of the tests")

    def resolve(*sets, extra=()):
        """The sdkconfig of the board's file, with some values as menuconfig would change them."""
        sdkconfig = at.output.parent / "sdkconfig"
        if sets is not None:
            text = sdkconfig_text(evaluate(at.board, list(sets)))
            sdkconfig.write_text(f'CONFIG_IDF_TARGET="esp32"\n# a comment\n{text}')
        arguments = ["--board-dir", str(at.folder), "--sdkconfig", str(sdkconfig)]
        return kconfig_idf.main([*arguments, "--output", str(at.output), *extra])

    return resolve


def test_the_menu_is_read_as_esp_idf_kconfig_reads_it():
    ours = kconfig_idf.menu_symbols()
    theirs = symbols(load_kconfig())
    assert [(each.name, each.allowed) for each in ours.values()] == [
        (each.name, allowed(each)) for each in theirs
    ]


@pytest.mark.parametrize("sets", [(), ("MEMORY_POOL_OWNERS=3",), ("MEMORY_POOL_ENABLE=n",)])
def test_the_data_is_what_the_other_targets_get(at, idf, sets):
    at.settings(*(f"CONFIG_{each}" for each in sets))
    at.pins("buzzer,GPIO4")
    assert idf() == 0
    written = (at.output / "frozen" / "_boardcfg_data.py").read_text()
    values = shown_values(evaluate(at.board, []))
    assert written == data_text("TEST", values, {"buzzer": 4})


def test_menuconfig_of_idf_is_taken_and_said(at, idf, capsys):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96")
    assert idf("MEMORY_POOL_TINY_COUNT=80") == 0
    assert capsys.readouterr().out == (
        "menuconfig: CONFIG_MEMORY_POOL_TINY_COUNT=80 by sdkconfig, not 96\n"
    )
    assert (
        "MEMORY_POOL_TINY_COUNT = 80\n" in (at.output / "frozen" / "_boardcfg_data.py").read_text()
    )


def test_an_sdkconfig_older_than_the_boards_file_stops(at, idf, capsys):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96")
    assert idf() == 0
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=112")
    assert idf("MEMORY_POOL_TINY_COUNT=96") == 1
    assert capsys.readouterr().err == (
        "sdkconfig: older than boards/TEST/sdkconfig.board, which says otherwise:"
        " remove the former, and build again\n"
    )
    assert idf() == 0


def test_a_file_more_wins(at, idf):
    (at.output.parent / "extra").write_text("CONFIG_MEMORY_POOL_TINY_COUNT=72\n")
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96")
    assert idf("MEMORY_POOL_TINY_COUNT=72", extra=["--extra", "extra"]) == 0


WHERE = "boards/TEST/sdkconfig.board:1: CONFIG_MEMORY_POOL_"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        # IDF passes over each of these, and exits 0.
        ("TINY_COUNT=1000", "TINY_COUNT=1000 is out of range: 64 to 256"),
        ("TINY_COUNT=many", "TINY_COUNT=many is out of range: 64 to 256"),
        ("TINY_COUNT=096", "TINY_COUNT=096 is out of range: 64 to 256"),
        ("SPILL=1", "SPILL=1 is out of range: y or n"),
        ("TINY=96", "TINY=96 is not a symbol of the menu"),
        ("TRACE_DEPTH=128", "TRACE_DEPTH=128 does not hold: another symbol switches it off"),
    ],
)
def test_what_idf_passes_over_stops_the_build(at, idf, capsys, line, says):
    assert idf() == 0
    at.settings(f"CONFIG_MEMORY_POOL_{line}")
    sdkconfig = at.output.parent / "sdkconfig"
    arguments = ["--board-dir", str(at.folder), "--sdkconfig", str(sdkconfig)]
    assert kconfig_idf.main([*arguments, "--output", str(at.output)]) == 1
    assert capsys.readouterr().err == f"{WHERE}{says}\n"


def test_a_rule_that_menuconfig_broke(at, idf, capsys):
    assert idf() == 0
    sdkconfig = at.output.parent / "sdkconfig"
    text = sdkconfig.read_text()
    sdkconfig.write_text(text.replace("POOL_LOW_THRESHOLD=80", "POOL_LOW_THRESHOLD=95"))
    arguments = ["--board-dir", str(at.folder), "--sdkconfig", str(sdkconfig)]
    assert kconfig_idf.main([*arguments, "--output", str(at.output)]) == 1
    assert capsys.readouterr().err == (
        "sdkconfig: CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=95 must be above"
        " CONFIG_MEMORY_POOL_LOW_THRESHOLD=95: 96 to 99\n"
    )


def test_a_board_without_our_component(at, idf, capsys):
    sdkconfig = at.output.parent / "sdkconfig"
    sdkconfig.write_text("CONFIG_FREERTOS_HZ=100\n")
    arguments = ["--board-dir", str(at.folder), "--sdkconfig", str(sdkconfig)]
    assert kconfig_idf.main([*arguments, "--output", str(at.output)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("sdkconfig: no CONFIG_MEMORY_POOL_ENABLE; ")
    assert "EXTRA_COMPONENT_DIRS" in error and error.count("\n") == 1


def test_it_needs_no_package(at, idf):
    """IDF's Python has another esp-idf-kconfig than ours."""
    assert idf() == 0
    sdkconfig = at.output.parent / "sdkconfig"
    arguments = ["--board-dir", str(at.folder), "--sdkconfig", str(sdkconfig)]
    bare = [sys.executable, "-I", "-S", "-c", f"""
import runpy, sys
sys.path.insert(0, {os.path.dirname(TOOL)!r})
sys.argv[1:] = {[*arguments, "--output", str(at.output)]!r}
runpy.run_path({TOOL!r}, run_name="__main__")
"""]  # fmt: skip
    done = subprocess.run(bare, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
