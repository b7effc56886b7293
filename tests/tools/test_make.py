"""The Makefile's own answers, the long-command wrapper, the prompt, and the step runner."""

import os
import py_compile
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import machine
import pytest
from waiting import PATIENCE_S, wait_for

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import run as steps  # noqa: E402
import suite  # noqa: E402
import upstream  # noqa: E402


def make(*arguments):
    hidden = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TARGET", "VARIANT", "CONFIG")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_make_alone_lists_every_target_a_user_may_type():
    listed = re.findall(r"^  (\w+)  ", make().stdout, re.M)
    assert set(listed) >= set(
        "run repl exec test menuconfig size bench firmware monitor soak stubs clean".split()
    ) | {"flash", "erase"}


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["fleet", "BROKER=h", "TLS="], "--tls"),
        (["monitor", "PORT=unix", "PLAIN="], "--plain"),
        (["mpremote-config", "REMOVE="], "--remove"),
    ],
)
def test_0_is_no(arguments, flag):
    *others, switch = arguments
    shown = [make("-n", *others, f"{switch}{value}").stdout.splitlines() for value in ("0", "1")]
    assert [flag in lines[-1] for lines in shown] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "TARGET=z80"], "TARGET=z80 is not one of: unix unix32 cm3 rv32"),
        (["exec"], "say which script, FILE=script.py"),
        (["run", "HOURS=-1"], "HOURS and SPEED are whole numbers, not '-1' and '0'"),
        (["run", "HOURS=1", "SPEED=fast"], "whole numbers, not '1' and 'fast'"),
        (["run", "HOURS=241"], "HOURS must be 1 to 240, not 241"),
        (["test", "LOAD=many"], "test: LOAD=many is not a whole number from 0 to 64"),
        (["test", "LOAD=-1"], "test: LOAD=-1 is not a whole number from 0 to 64"),
        (["test", "LOAD=65"], "test: LOAD=65 is not a whole number from 0 to 64"),
        (["test", "LOAD=2 3"], "test: LOAD=2 3 is not a whole number from 0 to 64"),
        (["soak", "YEARS=ten"], "YEARS must be a number from 0.003 to 100, not 'ten'"),
        (["soak", "MONTHS=0"], "MONTHS must be a number from 0.04 to 1200, not '0'"),
        (["soak", "TARGET=rv32"], "TARGET must be unix or unix32, not 'rv32'"),
        (["menuconfig"], "say which board, BOARD="),
        (["menuconfig", "BOARD=UNIX QEMU_CM3"], "no board 'UNIX QEMU_CM3'"),
        (["firmware", "BOARD=MODESP_ESP32 MODESP_C3"], "no board 'MODESP_ESP32 MODESP_C3'"),
        (["flash", "FIRMWARE_DIR=/none"], "no image in /none/firmware"),
        (["test-device", "PORT=qemu:z80"], "emulated boards are qemu:cm3, qemu:rv32"),
        (["build", "VARIANT=../x"], "VARIANT=../x is not a name"),
        (["build", "VARIANT=a b"], "VARIANT=a b is not a name"),
        (["build", "MICROPYTHON_DIR=/none"], "MICROPYTHON_DIR=/none holds no MicroPython"),
    ],
)
def test_wrong_use_is_named(arguments, message):
    done = make(*arguments)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_clone_without_its_submodule_is_named(tmp_path):
    (tmp_path / "py").mkdir()
    (tmp_path / "py/mpconfig.h").touch()
    done = make("clone", f"MICROPYTHON_DIR={tmp_path}")
    assert done.returncode != 0
    assert "submodule update --init lib/micropython-lib" in done.stdout


@pytest.mark.parametrize("name", ["USER_C_MODULES", "FROZEN_MANIFEST", "BOARD", "CONFIG"])
def test_what_a_firmware_is_given_does_not_reach_mpy_cross(name):
    """make puts what it is given into the environment, and upstream's makefiles would obey."""
    planned = make("-n", "-B", "build/mpy-cross/mpy-cross", f"{name}=/none").stdout
    (line,) = [line for line in planned.splitlines() if "/mpy-cross BUILD=" in line]
    assert f"-u {name} " in line and "/none" not in line


def test_second_build_does_nothing():
    assert make("build", "TARGET=cm3").returncode == 0
    # This computer's own import leaves its bytecode beside the source.
    py_compile.compile(str(ROOT / "modules/boardcfg/__init__.py"))
    done = make("build", "TARGET=cm3")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "make: Nothing to be done for 'build'.\n",
        "",
    ) or done.stdout == ""


@pytest.fixture
def built():
    """A variant as a build with SPILL has left it: newer than everything."""
    folder = ROOT / "build" / "unix-probe"
    folder.mkdir(parents=True)
    where = make("-s", "print-SOURCE").stdout.strip()
    text = f"CONFIG ?= MEMORY_POOL_SPILL=y\nMASKED ?= \nEXAMPLES ?= \n# from {where}\n"
    (folder / "settings.mk").write_text(text)
    (folder / "micropython").touch()
    yield
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("settings", "again"),
    [
        ((), False),
        (("CONFIG=MEMORY_POOL_SPILL=y",), False),
        (("CONFIG=",), True),
        (("MASKED=1",), True),
    ],
)
def test_other_settings_build_a_variant_anew(built, settings, again):
    planned = make("-n", "build", "VARIANT=probe", *settings).stdout
    assert ("kconfig.py generate" in planned) == again


def test_wrong_setting_stops_the_build():
    done = make("build", "VARIANT=refused", "CONFIG=MEMORY_POOL_TINY_COUNT=1000000")
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "MEMORY_POOL_TINY_COUNT" in text and "1000000" in text
    assert not (ROOT / "build/unix-refused/micropython").exists()
    shutil.rmtree(ROOT / "build/unix-refused")


def test_wrong_setting_is_not_kept(built):
    done = make("build", "VARIANT=probe", "CONFIG=MEMORY_POOL_SPILL=maybe")
    assert done.returncode != 0 and "SPILL=maybe is not a bool" in done.stdout + done.stderr
    planned = make("-n", "build", "VARIANT=probe").stdout
    assert "kconfig.py generate" not in planned  # what was built is there as it was


def quiet(tmp_path, *command):
    done = subprocess.run(
        [sys.executable, ROOT / "tools/quiet.py", "Working", tmp_path / "log", *command],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_long_command_shows_its_end_only_where_it_fails(tmp_path):
    status, out = quiet(tmp_path, "sh", "-c", "echo CC a.c; echo secret")
    assert status == 0
    assert re.fullmatch(r"Working \.\.\.\nWorking: done in \d+\.\d s\n", out), out
    status, out = quiet(tmp_path, "sh", "-c", "seq 100; echo error: why; exit 7")
    assert status == 1
    assert "error: why" in out and "\n99\n" in out and "\n11\n" not in out
    assert (tmp_path / "log").read_text().startswith("1\n2\n")


SESSION = b"""x = 40
for i in range(2):
    if i:
        print("odd")
    else:
        print("even")

x + 2
1 / 0
'last'
"""


@pytest.mark.parametrize("target", ["unix", "cm3", "rv32"])
def test_session_is_typed_at_the_prompt(target):
    done = subprocess.run(
        [sys.executable, ROOT / "tools/repl.py", "--target", target],
        input=SESSION,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    start = lines.index(">>> x = 40")
    assert lines[start:] == [
        ">>> x = 40",
        ">>> for i in range(2):",
        "...     if i:",
        '...         print("odd")',
        "...     else:",
        '...         print("even")',
        "... ",
        "even",
        "odd",
        ">>> x + 2",
        "42",
        ">>> 1 / 0",
        "Traceback (most recent call last):",
        '  File "<stdin>", line 1, in <module>',
        "ZeroDivisionError: divide by zero",
        ">>> 'last'",
        "'last'",
        ">>> ",
    ]


def run_steps(tmp_path, monkeypatch, commands):
    monkeypatch.setattr(steps, "LOGS", tmp_path)
    made = [
        steps.Step(name, [sys.executable, "-c", code], needs) for name, code, needs in commands
    ]
    status = steps.Runner(made).run()
    return status, {step.name: step.state for step in made}


def test_steps_pass(tmp_path, monkeypatch, capsys):
    commands = [("a", "print('quiet')", []), ("b", "", ["a"]), ("c", "", ["b"])]
    status, states = run_steps(tmp_path, monkeypatch, commands)
    assert status == 0 and set(states.values()) == {"ok"}
    out = capsys.readouterr().out
    assert "quiet" not in out and "3 of 3 steps passed" in out


@pytest.fixture
def stress_ng(tmp_path, monkeypatch):
    """stress_ng(script) puts a stress-ng in the place of the one that computes."""
    monkeypatch.setattr(steps, "LOGS", tmp_path)

    def make(script):
        program = tmp_path / "stress-ng"
        program.write_text(f"#!/bin/sh\necho $@ > {tmp_path}/asked\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return tmp_path / "asked"

    return make


def test_a_load_is_there_as_long_as_the_tests(stress_ng, capsys, monkeypatch):
    asked = stress_ng("exec sleep infinity")
    monkeypatch.setattr(steps, "lint", lambda: [steps.Step("a", ["true"])])
    with steps.busy.Load(3) as load:
        wait_for(lambda: asked.is_file() and "--cpu 3" in asked.read_text())
        assert load.process.poll() is None
    assert load.process.returncode == -signal.SIGTERM and not load.ended_early
    assert steps.main(["--only", "lint", "--load", "3"]) == 0
    assert "beside 3 processes of stress-ng" in capsys.readouterr().out


def test_a_load_that_ends_before_the_tests_fails_them(stress_ng, capsys, monkeypatch):
    class Ending(steps.busy.Load):
        def __enter__(self):
            super().__enter__()
            self.process.wait()
            return self

    stress_ng("exit 0")
    monkeypatch.setattr(steps.busy, "Load", Ending)
    monkeypatch.setattr(steps, "lint", lambda: [steps.Step("a", ["true"])])
    assert steps.main(["--only", "lint", "--load", "3"]) == 1
    assert "they were not beside it" in capsys.readouterr().out


def test_no_load_starts_nothing(stress_ng, monkeypatch):
    asked = stress_ng("exit 0")
    monkeypatch.setattr(steps, "lint", lambda: [steps.Step("a", ["true"])])
    assert steps.main(["--only", "lint", "--load", "0"]) == 0 and not asked.exists()
    assert steps.main(["--only", "lint", "--load", "x"]) == 2


def test_failed_step_is_shown_and_stops_what_needs_it(tmp_path, monkeypatch, capsys):
    commands = [
        ("a", "print('the reason'); raise SystemExit(1)", []),
        ("b", "print('never')", ["a"]),
        ("c", "print('never')", ["b"]),
        ("d", "", []),
    ]
    status, states = run_steps(tmp_path, monkeypatch, commands)
    assert status == 1
    assert states == {"a": "FAIL", "b": "not run", "c": "not run", "d": "ok"}
    out = capsys.readouterr().out
    assert "the reason" in out and "never" not in out
    assert "1 of 4 steps passed" in out and "not passed: a, b, c" in out


@pytest.mark.parametrize(
    ("source", "expected", "verdict"),
    [
        ("print(1)", None, "pass"),
        ("print(1)", "1\n", "pass"),
        ("print(1)", "2\n", "fail"),
        ("print(1)\nraise SystemExit(1)", "1\n", "fail"),
        ("1/0", None, "fail"),
        ("print('SKIP')\nraise SystemExit", "1\n", "skip"),
        ("# timeout: 1\nwhile True: pass", None, "fail"),
    ],
)
def test_suite_verdicts(tmp_path, source, expected, verdict):
    file = tmp_path / "case.py"
    file.write_text(source)
    if expected is not None:
        file.with_suffix(".exp").write_text(expected)
    found, details = suite.run("unix", "", file)
    assert found == verdict
    assert bool(details) == (verdict == "fail")
    if "timeout" in source:
        assert "(timeout)" in details


def test_suite_heeds_the_header_alone(tmp_path):
    here, there = tmp_path / "here.py", tmp_path / "there.py"
    here.write_text("# A test.\n# targets: unix cm3\nx = 1\n")
    there.write_text("x = 1\n# targets: unix\n")
    assert suite.chosen("cm3", [here, there]) == ([here, there], 0)
    assert suite.chosen("rv32", [here, there]) == ([there], 1)


UPSTREAM = """
import os, sys
name = os.environ["MICROPY_MICROPYTHON"]
print("FAIL  basics/both.py")
if name.endswith("ours") and {broken}:
    print("FAIL  basics/new.py")
print("3 tests performed (9 individual testcases)")
"""


@pytest.mark.parametrize("broken", [True, False])
def test_upstream_counts_only_what_stock_passes(tmp_path, capsys, broken):
    tests = tmp_path / "tests/basics"
    tests.mkdir(parents=True)
    (tests / "needs.py").write_text("import unittest\n")
    (tmp_path / "tests/run-tests.py").write_text(UPSTREAM.format(broken=broken))
    files = [f"--{name}={tmp_path / name}" for name in ("ours", "stock")]
    assert upstream.main([f"--source={tmp_path}", *files]) == (1 if broken else 0)
    out = capsys.readouterr().out
    assert ("FAIL only with us: basics/new.py" in out) == broken
    assert "both.py" not in out and "left out: 1 tests" in out


def test_every_target_has_a_board_a_binary_and_a_machine():
    assert set(machine.BOARDS) == set(machine.BINARIES) == set(steps.TARGETS)
    assert set(machine.QEMU) == {"cm3", "rv32"}
    for board in machine.BOARDS.values():
        assert (ROOT / "boards" / board / "sdkconfig.board").is_file()
