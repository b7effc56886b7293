"""What we add to a firmware: maps as GNU ld writes them for IDF and for the emulated boards."""

import firmware_size
import pytest
from fwlib import ROOT, touch

IDF_MAP = """\
Discarded input sections

 .text.gone     0x0000000000000000       0x99 esp-idf/main/libmain.a(stats.c.obj)

Linker script and memory map

.iram0.text     0x0000000040080000     0x1000
 .iram1.0       0x0000000040080400       0x40 esp-idf/main/libmain.a(pool.c.obj)
 .iram1.0       0x0000000040080440       0x80 esp-idf/freertos/libfreertos.a(queue.c.obj)

.flash.text     0x00000000400d0000     0x1000
 .text.mempool_stats
                0x00000000400d0020      0x100 esp-idf/main/libmain.a(stats.c.obj)
 .text.source_timer
                0x00000000400d0118       0x50 CMakeFiles/e.dir/x/firmware/platform/y.c.obj
                                         0x70 (size before relaxing)
 .text.mp_obj_print
                0x00000000400d0120      0x200 esp-idf/main/libmain.a(obj.c.obj)

.flash.rodata   0x000000003f400000     0x1000
 .rodata.mempool_stats.str1.4
                0x000000003f400000       0x10 esp-idf/main/libmain.a(stats.c.obj)
                                         0x30 (size before relaxing)
 .rodata.fun_data_eventbus___init___f
                0x000000003f400040       0x20 esp-idf/main/libmain.a(frozen_content.c.obj)
 .rodata.fun_data_asyncio_core_f
                0x000000003f400060       0x40 esp-idf/main/libmain.a(frozen_content.c.obj)

.dram0.data     0x000000003ffb0000      0x100
 .data.mine     0x000000003ffb0000        0x8 esp-idf/main/libmain.a(stats.c.obj)

.dram0.bss      0x000000003ffb1000     0x6000
 .bss.mempool_payload
                0x000000003ffb1000     0x5000 esp-idf/main/libmain.a(stats.c.obj)
 .bss.held      0x000000003ffb6000       0x24 esp-idf/main/libmain.a(pool.c.obj)

.debug_info     0x0000000000000000   0x100000
 .debug_info    0x0000000000000000     0x5000 esp-idf/main/libmain.a(stats.c.obj)
"""


@pytest.fixture
def build(tmp_path):
    objects = tmp_path / "esp-idf/main/CMakeFiles/__idf_main.dir/home/cmodules/mempool"
    for name in ("core/pool.c.obj", "core/stats.c.obj"):
        touch(objects / name)
    touch(tmp_path / "micropython.map", IDF_MAP)
    return tmp_path


def test_a_map_of_idf(build):
    added = firmware_size.measure(build, ROOT)
    code, iram, strings, frozen, data = 0x100, 0x40, 0x30, 0x20, 8
    assert added.flash == code + iram + strings + frozen + data
    assert added.iram == iram
    assert (added.tables, added.ram) == (0x5000, 0x24 + data)
    assert added.by_part == {"mempool": code + iram + strings + data, "frozen": frozen}
    # The suite's own, beside them; code that the linker relaxed is as large as it has become.
    assert added.suite == {"flash": 0x50, "RAM": 0}
    assert added.problems == []


def test_beyond_the_budget(build):
    file = build / "micropython.map"
    file.write_text(IDF_MAP.replace("0x100 esp", "0x7000 esp").replace("0x24 esp", "0x824 esp"))
    assert firmware_size.measure(build, ROOT).problems == [
        f"flash, pools: {0x7000 + 0x98} bytes, budget 26624",
        f"RAM beside pools and queues: {0x824 + 8} bytes, budget 2048",
    ]
    assert firmware_size.main([str(build), "--check"]) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "is not a map of GNU ld"), ("Linker script and memory map\n", "nothing of ours")],
)
def test_a_map_that_cannot_be_read(build, capsys, text, says):
    (build / "micropython.map").write_text(text)
    assert firmware_size.main([str(build)]) == 2
    assert says in capsys.readouterr().err


def test_a_folder_without_a_build(tmp_path, capsys):
    assert firmware_size.main([str(tmp_path)]) == 2
    assert "no link map" in capsys.readouterr().err


def test_the_emulated_board_keeps_the_budgets(monkeypatch):
    """Of the real RISC-V firmware; and every part is found in it. The budgets are for ESP32: each
    change of a word takes RISC-V a few bytes that Xtensa does without, for its reservations."""
    parts, budget = firmware_size.FLASH_BUDGETS["pools"]
    monkeypatch.setitem(firmware_size.FLASH_BUDGETS, "pools", (parts, budget + 512))
    added = firmware_size.measure(ROOT / "build/rv32", ROOT)
    assert set(added.by_part) == {"mempool", "eventbus", "memdiag", "frozen"}
    assert added.by_table["payload"] == 20480
    assert {"topics", "queue slots", "control words", "owners"} <= set(added.by_table)
    assert added.ram > 0 and added.problems == []
