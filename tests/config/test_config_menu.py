"""menuconfig: the real menu driven by keys, and what is written back to the board's file."""

import os
from pathlib import Path

import kconfig_menu
import pytest
from kconfig_boards import ConfigError
from kconfig_model import evaluate, values


def choosing(*rounds: dict[str, str] | None):
    """A menu whose user chooses these values and saves, once a round; None leaves unsaved."""
    waiting = list(rounds)

    def menu(kconf) -> bool:
        kconf.load_config()
        chosen = waiting.pop(0)
        for name, value in (chosen or {}).items():
            assert kconf.syms["MEMORY_POOL_" + name].set_value(value)
        if chosen is not None:
            kconf.write_config(os.environ["KCONFIG_CONFIG"])
        return chosen is not None

    return menu


def test_only_what_differs_is_written_and_the_rest_of_the_file_stays(at):
    at.describe(mcu="esp32", product="a chip")
    at.settings(
        "# The board of hall 3.",
        "CONFIG_FREERTOS_HZ=1000",
        "",
        "# Many small messages:",
        "CONFIG_MEMORY_POOL_TINY_COUNT=96",
        "CONFIG_MEMORY_POOL_SPILL=y",
    )
    menu = choosing({"TINY_COUNT": "200", "SPILL": "n", "OWNERS": "4", "DIAGNOSTICS": "n"})
    assert kconfig_menu.edit(at.board, menu) == "boards/TEST/sdkconfig.board saved"
    assert at.settings_path.read_text().splitlines() == [
        "# The board of hall 3.",
        "CONFIG_FREERTOS_HZ=1000",
        "",
        "# Many small messages:",
        "CONFIG_MEMORY_POOL_TINY_COUNT=200",
        "CONFIG_MEMORY_POOL_OWNERS=4",
        "CONFIG_MEMORY_POOL_DIAGNOSTICS=n",
    ]


def test_back_to_the_defaults_leaves_an_empty_file(at):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96", "# CONFIG_MEMORY_POOL_STRICT_MODE is not set")
    kconfig_menu.edit(at.board, choosing({"TINY_COUNT": "128", "STRICT_MODE": "y"}))
    assert at.settings_path.read_text() == ""


def test_a_value_that_its_switch_hides_is_removed(at):
    at.settings("CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y", "CONFIG_MEMORY_POOL_TRACE_DEPTH=128")
    kconfig_menu.edit(at.board, choosing({"TRACE_ALLOCATIONS": "n"}))
    assert at.settings_path.read_text() == ""
    kconfig_menu.edit(at.board, choosing({"TRACE_ALLOCATIONS": "y"}))
    assert at.settings_path.read_text() == "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y\n"


def test_switched_off_pools_keep_their_settings(at):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96", "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y")
    before = at.settings_path.read_text()
    kconfig_menu.edit(at.board, choosing({"ENABLE": "n"}))
    assert at.settings_path.read_text() == before + "CONFIG_MEMORY_POOL_ENABLE=n\n"
    assert values(evaluate(at.board, [])) == {"MEMORY_POOL_ENABLE": 0}
    at.settings_path.write_text(before)
    assert values(evaluate(at.board, []))["MEMORY_POOL_TINY_COUNT"] == 96


def test_settings_that_waited_come_back_with_the_pools(at):
    waiting = ("CONFIG_MEMORY_POOL_TINY_COUNT=96", "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y")
    at.settings("CONFIG_MEMORY_POOL_ENABLE=n", *waiting)
    kconfig_menu.edit(at.board, choosing({"ENABLE": "y", "OWNERS": "4"}))
    assert at.settings_path.read_text().splitlines() == [
        *waiting,
        "CONFIG_MEMORY_POOL_OWNERS=4",
    ]


def test_nothing_saved_nothing_written(at):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96")
    before = at.settings_path.stat().st_mtime_ns
    assert (
        kconfig_menu.edit(at.board, choosing(None)) == "boards/TEST/sdkconfig.board is as it was"
    )
    said = kconfig_menu.edit(at.board, choosing({}))
    assert said == "boards/TEST/sdkconfig.board needs no change"
    assert at.settings_path.stat().st_mtime_ns == before


def test_a_combination_that_is_wrong_goes_back_to_the_menu(at, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "")
    menu = choosing({"LOW_THRESHOLD": "95"}, {"CRITICAL_THRESHOLD": "99"})
    assert kconfig_menu.edit(at.board, menu) == "boards/TEST/sdkconfig.board saved"
    assert len(asked) == 1
    error = capsys.readouterr().err
    assert "CONFIG_MEMORY_POOL_LOW_THRESHOLD=95" in error
    assert "CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=95" in error
    assert at.settings_path.read_text().splitlines() == [
        "CONFIG_MEMORY_POOL_LOW_THRESHOLD=95",
        "CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD=99",
    ]


def test_a_wrong_combination_can_be_given_up(at, monkeypatch):
    def interrupted(_prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    with pytest.raises(ConfigError, match="is as it was"):
        kconfig_menu.edit(at.board, choosing({"EMERGENCY_RESERVE": "8"}))
    assert at.settings_path.read_text() == ""


def test_the_real_menu_driven_by_keys(at, monkeypatch):
    from esp_menuconfig.app import MenuConfigApp

    async def keys(pilot) -> None:
        for key in ("enter", "down", "down", "enter", *["backspace"] * 3, "9", "7", "enter", "s"):
            await pilot.press(key)
            await pilot.pause()
        pilot.app.exit()

    run = MenuConfigApp.run
    monkeypatch.setattr(MenuConfigApp, "run", lambda app: run(app, headless=True, auto_pilot=keys))
    monkeypatch.setenv("KCONFIG_CONFIG", "")
    assert kconfig_menu.edit(at.board) == "boards/TEST/sdkconfig.board saved"
    assert at.settings_path.read_text() == "CONFIG_MEMORY_POOL_TINY_COUNT=97\n"
    assert not Path(os.environ["KCONFIG_CONFIG"]).exists()
