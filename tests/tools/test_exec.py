"""`make exec`: the status is true, on every machine, whatever the script does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import machine
import pytest
from waiting import PATIENCE_S, PROGRAM_S, wait_for

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("unix", "unix32", "cm3", "rv32")
EMULATED = ("cm3", "rv32")

every_target = pytest.mark.parametrize("target", TARGETS)


def start(target, file, *options):
    command = [sys.executable, str(ROOT / "tools/exec.py"), "--target", target, *options]
    return subprocess.Popen(
        [*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def waits(pid):
    """Whether a process has done what there was to do, and waits for more."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.fixture
def execute(tmp_path):
    """Runs a script as make does: (status, stdout, stderr)."""

    def run(target, source, *options):
        file = tmp_path / "script.py"
        file.write_bytes(source if isinstance(source, bytes) else source.encode())
        process = start(target, file, "--timeout", str(PATIENCE_S), *options)
        out, err = process.communicate(timeout=PROGRAM_S)
        return process.returncode, out, err

    return run


@every_target
@pytest.mark.parametrize(
    ("source", "status", "printed"),
    [
        ("print('end')", 0, "end\n"),
        ("print('no newline', end='')", 0, "no newline"),
        ("", 0, ""),
        ("import sys\nsys.exit()", 0, ""),
        ("import sys\nsys.exit(0)", 0, ""),
        ("import sys\nprint('x', end='')\nsys.exit(3)", 3, "x"),
        ("import sys\nsys.exit(256)", 1, ""),
        ("import sys\nsys.exit(-1)", 255, ""),
        ("import sys\nsys.exit('reason')", 1, "reason\n"),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(7)", 7, ""),
        ("def f():\n    raise SystemExit(4)\nf()", 4, ""),
        ("print('é ✓')\nprint(len('é ✓'))", 0, "é ✓\n3\n"),
        ("print(__name__, sorted(n for n in dir() if n[0] != '_'))", 0, "__main__ []\n"),
    ],
)
def test_status(execute, target, source, status, printed):
    assert execute(target, source) == (status, printed, "")


@every_target
def test_exception_is_a_failure_with_its_traceback(execute, target):
    status, out, err = execute(target, "def f():\n    return 1 / 0\nprint('before')\nf()\n")
    assert (status, out) == (1, "before\n")
    assert err == (
        "Traceback (most recent call last):\n"
        '  File "script.py", line 4, in <module>\n'
        '  File "script.py", line 2, in f\n'
        "ZeroDivisionError: divide by zero\n"
    )


@every_target
def test_syntax_error_names_the_line(execute, target):
    status, out, err = execute(target, "x = 1\nx = = 2\n")
    assert (status, out) == (1, "")
    assert 'File "script.py", line 2' in err and "SyntaxError" in err


@every_target
def test_endless_loop_is_a_timeout(tmp_path, target):
    file = tmp_path / "script.py"
    file.write_text("print('started')\nwhile True:\n    pass\n")
    process = start(target, file, "--timeout", "5")
    out, err = process.communicate(timeout=PROGRAM_S)
    assert (process.returncode, out) == (124, "started\n")
    assert err == f"exec: {target}: no result within 5 s (timeout)\n"


@every_target
def test_printing_what_looks_like_a_mark_fools_nobody(execute, target):
    mark = "\\x1e0123456789abcdef\\x1e"
    source = f"import sys\nprint('{mark}0\\n{mark}')\nprint('\\x04\\x04>', end='')\nsys.exit(5)"
    status, out, _ = execute(target, source)
    assert status == 5
    assert out == "\x1e0123456789abcdef\x1e0\n\x1e0123456789abcdef\x1e\n\x04\x04>"


@every_target
def test_much_output_and_a_long_source(execute, target):
    source = "".join(f"# a line of comment, number {i}\n" for i in range(1500))
    source += "for i in range(2000):\n    print(i, '0123456789')\n"
    status, out, err = execute(target, source)
    assert (status, err) == (0, "")
    assert out == "".join(f"{i} 0123456789\n" for i in range(2000))


@pytest.mark.parametrize("target", EMULATED)
@pytest.mark.parametrize(
    "source",
    [
        "import machine\nprint('so far')\nmachine.mem32[0xF0000000]",
        "import machine\nprint('so far')\nmachine.reset()",
    ],
    ids=["fault", "reset"],
)
def test_dead_machine_is_a_failure(execute, target, source):
    status, out, err = execute(target, source)
    assert status == 125
    assert out.startswith("so far\n")
    assert ("fault" in out) == ("reset" not in source)
    assert "the machine stopped without a result" in err


@pytest.mark.parametrize("target", ["unix", "unix32"])
def test_crash_is_a_failure_with_its_signal(execute, target):
    status, out, err = execute(
        target, "import uctypes\nprint('so far')\nuctypes.bytearray_at(16, 1)[0]"
    )
    assert (status, out) == (125, "so far\n")
    assert "SIGSEGV" in err


@every_target
def test_interrupt_reaches_the_script(tmp_path, target):
    file = tmp_path / "script.py"
    file.write_text(
        "import time\n"
        "try:\n    print('started')\n    while True:\n        time.sleep_ms(10)\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n    raise SystemExit(9)\n"
    )
    command = [sys.executable, "tools/exec.py", "--target", target, str(file)]
    # A terminal sends the signal to the whole group.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What a shell starts in the background ignores the signal; what a terminal runs does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        wait_for(lambda: waits(process.pid))
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
    assert process.returncode == 9


@every_target
def test_killed_runner_leaves_no_machine_behind(tmp_path, target):
    file = tmp_path / "script.py"
    file.write_text("print('started')\nwhile True:\n    pass\n")
    process = start(target, file)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 1
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    # What nobody has waited for yet is a name without a program.
    wait_for(lambda: not (Path("/proc") / children[0] / "exe").exists())


def test_missing_script_and_missing_build_are_named(tmp_path):
    process = start("unix", tmp_path / "none.py")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2 and "none.py: No such file" in err
    file = tmp_path / "script.py"
    file.write_text("")
    process = start("cm3", file, "--variant", "never-built")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0 and "make build TARGET=cm3 VARIANT=never-built" in err


def test_mark_in_pieces_is_found_and_nothing_lost():
    mark = b"\x1eabcd\x1e"
    text = b"out\x1eab not yet\x1e" + mark + b"7\nValueError: x\n" + mark
    for size in range(1, len(text)):
        shown = bytearray()
        stream = machine.Stream(mark, shown.extend)
        for position in range(0, len(text), size):
            stream.feed(text[position : position + size])
        assert shown == stream.output == b"out\x1eab not yet\x1e"
        assert stream.result() == (7, "ValueError: x\n")


def test_ctrl_c_while_something_is_shown_does_not_show_it_again():
    shown = bytearray()

    def show(data):
        shown.extend(data)
        if data == b"\n":
            raise KeyboardInterrupt

    stream = machine.Stream(b"\x1eabcd\x1e", show)
    stream.feed(b"started")
    with pytest.raises(KeyboardInterrupt):
        stream.feed(b"\n")
    stream.feed(b"interrupted")
    assert shown == stream.output == b"started\ninterrupted"


def test_the_heap_of_this_computer_is_as_large_as_asked_for(execute):
    source = "import gc\nprint((gc.mem_alloc() + gc.mem_free()) >> 20)"
    assert execute("unix", source, "--heap", "9m")[:2] == (0, "8\n")  # its tables take the rest
    assert execute("unix", source)[:2] == (0, "1\n")
