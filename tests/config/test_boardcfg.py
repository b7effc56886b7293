"""The frozen package boardcfg on CPython, over generated data, and its manifest."""

import importlib
import os
import runpy
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from kconfig_boards import ROOT
from kconfig_model import load_kconfig, symbols

PACKAGE = ROOT / "modules" / "boardcfg"


@pytest.fixture
def boardcfg(at, monkeypatch) -> Iterator[ModuleType]:
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96", "CONFIG_MEMORY_POOL_POISON_FREED=y")
    at.pins("compressor_relay,GPIO4", "buzzer,GPIO12")
    assert at.generate() == 0
    monkeypatch.syspath_prepend(str(ROOT / "modules"))
    monkeypatch.syspath_prepend(str(at.output / "frozen"))
    for name in ("boardcfg", "_boardcfg_data"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("boardcfg")
    yield module
    for name in ("boardcfg", "_boardcfg_data"):
        sys.modules.pop(name, None)


def test_constants_are_attributes(boardcfg):
    assert boardcfg.BOARD == "TEST"
    assert boardcfg.MEMORY_POOL_TINY_COUNT == 96
    assert boardcfg.MEMORY_POOL_POISON_FREED is True
    assert boardcfg.MEMORY_POOL_SPILL is False
    assert boardcfg.MEMORY_POOL_TRACE_DEPTH == 0  # the trace is switched off: there is none
    with pytest.raises(AttributeError):
        _ = boardcfg.MEMORY_POOL_TINY_CONT


def test_items_are_all_constants(boardcfg):
    items = dict(boardcfg.items())
    assert len(items) == len(boardcfg.items()) == 1 + len(symbols(load_kconfig()))
    for name, value in items.items():
        assert getattr(boardcfg, name) == value
        assert name in dir(boardcfg)


def test_pins_by_role(boardcfg):
    assert boardcfg.pin("compressor_relay") == 4
    assert boardcfg.pin("buzzer") == 12
    with pytest.raises(ValueError) as caught:
        boardcfg.pin("heater")
    assert str(caught.value) == "no pin for role 'heater'; roles: compressor_relay buzzer"


def test_a_board_without_pins_says_so(at, boardcfg):
    (at.folder / "pins.csv").unlink()
    assert at.generate() == 0
    importlib.invalidate_caches()
    data = runpy.run_path(str(at.output / "frozen" / "_boardcfg_data.py"))
    assert data["PINS"] == ()
    boardcfg.PINS = data["PINS"]
    with pytest.raises(ValueError, match="no pin for role 'buzzer'; roles: none"):
        boardcfg.pin("buzzer")


def test_the_manifest_freezes_the_package_and_the_data_of_this_build(at, monkeypatch):
    assert at.generate() == 0
    frozen = []

    def package(name, files, base_path):
        base = os.path.normpath(PACKAGE / base_path)
        frozen.extend(os.path.join(base, name, file) for file in files)

    def module(name, base_path):
        frozen.append(os.path.join(base_path, name))

    monkeypatch.setenv("MEMPOOL_CONFIG_DIR", str(at.output))
    runpy.run_path(str(PACKAGE / "manifest.py"), {"package": package, "module": module})
    assert frozen == [
        str(PACKAGE / "__init__.py"),
        str(at.output / "frozen" / "_boardcfg_data.py"),
    ]
    assert all(os.path.isfile(path) for path in frozen)
