"""Kconfig itself, its document and the specification's symbols agree."""

import re
import shutil
import subprocess
import sys

import kconfig
import kconfig_doc
import pytest
from kconfig_boards import ROOT, ConfigError
from kconfig_model import load_kconfig, symbols

NAMES = (
    "ENABLE STRICT_MODE DIAGNOSTICS TINY_COUNT SMALL_COUNT MEDIUM_COUNT LARGE_COUNT XLARGE_COUNT"
    " LOW_THRESHOLD CRITICAL_THRESHOLD TRACE_ALLOCATIONS TRACE_DEPTH EMERGENCY_RESERVE"
    " ALLOW_HEAP_FALLBACK GROW_BLOCKS GROW_ARENA SPILL POISON_FREED OWNERS"
    " EVENT_QUEUE EVENT_TOPICS EVENT_SUBSCRIBERS"
    " EVENT_TASK_PRIORITY EVENT_TASK_STACK NOINIT_BYTES"
).split()


def test_the_menu_has_every_symbol_of_the_contract_and_no_other():
    kconf = load_kconfig()
    assert sorted(symbol.name for symbol in symbols(kconf)) == sorted(
        "MEMORY_POOL_" + name for name in NAMES
    )
    assert [menu.prompt[0] for menu in kconf.menus if menu.prompt] == ["Memory Pool Configuration"]


def test_every_symbol_has_a_help_a_prompt_and_one_plain_default():
    for symbol in symbols(load_kconfig()):
        (node,) = symbol.nodes
        assert node.prompt and len(node.help or "") > 60, symbol.name
        assert len(symbol.orig_defaults) == 1, symbol.name


def test_kconfcheck_has_nothing_to_say(tmp_path):
    copy = tmp_path / "Kconfig"  # it writes suggestions beside what it checks
    shutil.copy(ROOT / "cmodules" / "mempool" / "Kconfig", copy)
    result = subprocess.run(
        [sys.executable, "-m", "kconfcheck", str(copy)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_document_is_current():
    text = kconfig_doc.DOC.read_text(encoding="utf-8")
    assert kconfig_doc.merged(text, kconfig_doc.symbols_text(load_kconfig())) == text, (
        "run tools/kconfig.py doc"
    )
    for name in NAMES:
        assert len(re.findall(rf"^\| `CONFIG_MEMORY_POOL_{name}` \|", text, re.M)) == 1


def test_the_types_of_boardcfg_are_current():
    assert kconfig_doc.STUBS.read_text(encoding="utf-8") == kconfig_doc.stubs_text(
        load_kconfig()
    ), "run tools/kconfig.py doc"


def test_doc_writes_what_is_missing(tmp_path, monkeypatch, capsys):
    document = tmp_path / "configuration.md"
    document.write_text(f"before\n{kconfig_doc.BEGIN}\nstale text\n{kconfig_doc.END}\nafter\n")
    monkeypatch.setattr(kconfig_doc, "DOC", document)
    monkeypatch.setattr(kconfig_doc, "STUBS", tmp_path / "boardcfg.pyi")
    monkeypatch.chdir(tmp_path)
    assert kconfig.main(["doc"]) == 0
    assert capsys.readouterr().out == "configuration.md written\nboardcfg.pyi written\n"
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "stale text" not in text
    assert "| `CONFIG_MEMORY_POOL_TINY_COUNT` | 64 to 256 | 128 |" in text
    assert "MEMORY_POOL_TINY_COUNT: int\n" in (tmp_path / "boardcfg.pyi").read_text()
    assert kconfig.main(["doc"]) == 0
    assert capsys.readouterr().out == "configuration.md is current\nboardcfg.pyi is current\n"


def test_doc_without_its_markers_is_refused():
    with pytest.raises(ConfigError, match="marker lines"):
        kconfig_doc.merged("no markers", "")


def test_the_document_quotes_errors_as_they_are(at, refused):
    text = kconfig_doc.DOC.read_text(encoding="utf-8")
    at.settings("", "", "CONFIG_MEMORY_POOL_TINY_COUNT=300")
    assert refused().replace("TEST", "UNIX") in text
    at.settings("", "", "CONFIG_MEMORY_POOL_TINY_CONT=96")
    assert refused().replace("TEST", "UNIX") in text
    at.settings("", "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y")
    assert refused("MEMORY_POOL_DIAGNOSTICS=n").replace("TEST", "UNIX") in text
    at.settings()
    assert refused("MEMORY_POOL_EMERGENCY_RESERVE=5") in text
