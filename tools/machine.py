"""The machines this firmware runs on without hardware: the unix binary, and QEMU's Cortex-M3 and
RV32 boards. A program is run with its true exit status, which MicroPython's raw REPL drops: a
small wrapper catches how the program ends and prints it behind a mark that no program can guess.

    machine = Machine("cm3")
    status, output = machine.run("print('hello')", name="hello.py")
    machine.soft_reset()        # emulated boards: Ctrl-D at the prompt
    machine.close()
"""

import secrets
import subprocess
import sys
import time
from pathlib import Path

from console import TIMEOUT, Console, MachineError

ROOT = Path(__file__).resolve().parent.parent

BOARDS = {"unix": "UNIX", "unix32": "UNIX", "cm3": "QEMU_CM3", "rv32": "QEMU_RV32"}
BINARIES = {
    "unix": "micropython",
    "unix32": "micropython",
    "cm3": "firmware.elf",
    "rv32": "firmware.elf",
}
QEMU = {
    "cm3": ["qemu-system-arm", "-machine", "mps2-an385"],
    "rv32": ["qemu-system-riscv32", "-machine", "virt", "-cpu", "rv32", "-bios", "none"],
}
QEMU_COMMON = ["-display", "none", "-monitor", "none", "-semihosting"]

# Generous: a busy host is not a fault of the machine's.
BOOT_SECONDS = 300
PROTOCOL_SECONDS = 120


def build_folder(target, variant=""):
    return ROOT / "build" / (f"{target}-{variant}" if variant else target)


def binary(target, variant=""):
    if target not in BINARIES:
        raise MachineError(f"no target {target!r}; targets: {' '.join(BINARIES)}")
    file = build_folder(target, variant) / BINARIES[target]
    if not file.is_file():
        shown = f" VARIANT={variant}" if variant else ""
        raise MachineError(f"{file} is not built: run make build TARGET={target}{shown}")
    return file


def qemu_command(target, elf, serial="stdio", icount=False):
    extra = ["-icount", "shift=0,sleep=off"] if icount else []
    return [*QEMU[target], *QEMU_COMMON, *extra, "-serial", serial, "-kernel", str(elf)]


# The program's own names are the only ones in its namespace while it runs.
WRAPPER = """\
def _run():
    import sys, gc
    {setup}
    names = globals()
    del names["_run"]
    error = None
    status = 0
    try:
        code = compile({source}, {name!r}, "exec")
        gc.collect()
        exec(code, names)
    except SystemExit as e:
        value = e.args[0] if e.args else None
        if isinstance(value, int):
            status = value & 255 or (1 if value else 0)
        elif value is not None:
            print(value)
            status = 1
    except BaseException as e:
        error = e
        status = 1
    print({first!r} + {rest!r}, status, sep="")
    if error:
        sys.print_exception(error)
    print({first!r} + {rest!r})
_run()
"""
# A traceback's leading frames of the wrapper itself.
WRAPPER_FRAMES = ('  File "<stdin>"', '  File "<string>"')


def strip_frames(traceback):
    lines = traceback.splitlines()
    if lines and lines[0].startswith("Traceback"):
        while len(lines) > 1 and lines[1].startswith(WRAPPER_FRAMES):
            del lines[1]
        if len(lines) == 2 and not lines[1].startswith(" "):
            del lines[0]
    return "".join(line + "\n" for line in lines)


class Stream:
    """Splits a machine's output into what the program printed, its status, and its traceback.

    The mark may come in pieces: what could be its beginning is held back.
    """

    def __init__(self, mark, show):
        self.mark = mark
        self.show = show
        self.held = b""
        self.tail = None
        self.output = bytearray()
        self.after_cr = False

    def _emit(self, data):
        self.output += data
        if self.show and data:
            self.show(data)

    def feed(self, data):
        if self.tail is not None:
            self.tail += data
            return
        self.held += data
        position = self.held.find(self.mark)
        if position >= 0:
            said = self.held[:position]
            self.tail = self.held[position + len(self.mark) :]
            self.held = b""
            self._emit(said)
            return
        keep = 0
        for length in range(min(len(self.mark) - 1, len(self.held)), 0, -1):
            if self.held.endswith(self.mark[:length]):
                keep = length
                break
        split = len(self.held) - keep
        # A Ctrl-C may come while it is shown, which is then not shown again.
        said, self.held = self.held[:split], self.held[split:]
        self._emit(said)

    def flush(self):
        self._emit(self.held)
        self.held = b""

    def result(self):
        """(status, traceback) where the second mark has come, else None."""
        if self.tail is None or self.mark not in self.tail:
            return None
        text = self.tail.split(self.mark)[0].decode("utf-8", "replace")
        status, _, traceback = text.partition("\n")
        return int(status), strip_frames(traceback)

    def rest(self):
        """What came after the second mark."""
        return self.tail.partition(self.mark)[2] if self.tail else b""


class Machine:
    """One running machine. `show(bytes)` gets the output as it comes."""

    console: Console  # on unix: from the first run on

    def __init__(self, target, variant="", file=None, icount=False, show=None, heap=""):
        self.target = target
        self.emulated = target in QEMU
        self.file = Path(file) if file else binary(target, variant)
        self.show = show
        self.heap = heap  # the size of unix's, as its -X heapsize has it; the boards' is theirs
        self.traceback = ""
        if self.emulated:
            command = qemu_command(target, self.file, icount=icount)
            self.console = Console(target, command, terminal=True)
            self.console.expect(b">>> ", BOOT_SECONDS, "no prompt after the start")

    def run(self, source, name="<script>", timeout=None, path=None):
        """Runs a program: (exit status, what it printed as bytes). The traceback of an exception
        is in `self.traceback`. Raises MachineError where the machine gave no result.

        On unix each run is a process of its own, which reads `path` if it is given."""
        nonce = "\x1e" + secrets.token_hex(8) + "\x1e"
        data = source.encode() if isinstance(source, str) else source
        fields = {"name": name, "first": nonce[:9], "rest": nonce[9:]}
        if self.emulated:
            fields["setup"] = "pass"
            fields["source"] = f"sys.stdin.buffer.read({len(data)})"
            self._raw_paste(WRAPPER.format(**fields).encode())
        else:
            fields["source"] = repr(data) if path is None else f"open({str(path)!r}).read()"
            fields["setup"] = f"sys.argv[:] = [{name!r}]"
            if path is not None:
                fields["setup"] += f"; sys.path[0] = {str(Path(path).resolve().parent)!r}"
            options = ["-X", f"heapsize={self.heap}"] if self.heap else []
            command = [str(self.file), *options, "-c", WRAPPER.format(**fields)]
            self.console = Console(self.target, command, terminal=False)
            data = b""
        stream = Stream(nonce.encode(), self.show)
        status = self._collect(stream, data, timeout)
        return status, bytes(stream.output)

    def _raw_repl(self):
        self.console.write(b"\r\x03\x01")
        self.console.expect(b"raw REPL; CTRL-B to exit\n>", PROTOCOL_SECONDS, "no raw REPL")

    def _raw_paste(self, text):
        """Into the raw REPL, which tells when it can take more; then the program runs."""
        console = self.console
        problem = "no answer of the raw REPL"
        self._raw_repl()
        console.write(b"\x05A\x01")
        console.expect(b"R\x01", PROTOCOL_SECONDS, problem)
        answer = b""
        while len(answer) < 2:
            answer += console.take(PROTOCOL_SECONDS, problem)
        window = int.from_bytes(answer[:2], "little")
        room = window * (1 + answer.count(b"\x01", 2))
        while text:
            if room == 0:
                answer = console.take(PROTOCOL_SECONDS, problem)
                if b"\x04" in answer:
                    raise MachineError(f"{self.target}: the raw REPL refused the program")
                room = window * answer.count(b"\x01")
            written = console.write(text[:room])
            room -= written
            text = text[written:]
        console.write(b"\x04")
        console.expect(b"\x04", PROTOCOL_SECONDS, problem)

    def _collect(self, stream, data, timeout):
        """Passes the output on until the program's result has come: its status."""
        deadline = None if timeout is None else time.monotonic() + timeout
        interrupts = 0
        while True:
            try:
                if (result := stream.result()) is not None:
                    break
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    stream.flush()
                    self.close()
                    raise MachineError(
                        f"{self.target}: no result within {timeout:g} s (timeout)", TIMEOUT
                    )
                got, data = self.console.read(left, data)
                if got == b"":
                    stream.flush()
                    raise self.console.died()
                stream.feed(got or b"")
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts > 1:
                    self.close()
                    raise
                # On unix the terminal has sent the signal to the program, too.
                if self.emulated:
                    data += b"\x03"
        status, self.traceback = result
        if self.emulated:
            self.console.unread = stream.rest() + self.console.unread
            self.console.expect(b"\x04\x04>", PROTOCOL_SECONDS, "no prompt after the program")
        else:
            self._end()
        return status

    def _end(self):
        """The unix interpreter still sweeps its heap after the program, and may fail there."""
        try:
            code = self.console.process.wait(60)
        except subprocess.TimeoutExpired:
            self.close()
            raise MachineError(f"{self.target}: the interpreter did not end", TIMEOUT) from None
        if code:
            raise self.console.died()
        self.close()

    def interrupt(self):
        """Ctrl-C on an emulated board; from another thread, while a program runs."""
        self.console.write(b"\x03")

    def soft_reset(self):
        """Ctrl-D at the prompt: ends the program's world, keeps the machine running."""
        self._raw_repl()
        self.console.write(b"\x04")
        self.console.expect(b"soft reboot\n", PROTOCOL_SECONDS, "no soft reset")
        self.console.expect(b">", PROTOCOL_SECONDS, "no prompt after the soft reset")

    def hard_reset(self):
        """_platform.reset(): the machine starts anew, as after machine.reset() on an ESP32."""
        self._raw_repl()
        self.console.write(b"import _platform; _platform.reset()\x04")
        self.console.expect(b">>> ", BOOT_SECONDS, "no prompt after the reset")

    def close(self):
        if hasattr(self, "console"):
            self.console.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


def run_file(target, file, variant="", timeout=None, show=None, icount=False):
    """Runs one file on a fresh machine: (status, output, traceback)."""
    file = Path(file)
    try:
        source = file.read_bytes()
    except OSError as error:
        raise MachineError(f"cannot read {file}: {error.strerror}") from None
    with Machine(target, variant, icount=icount, show=show) as machine:
        status, output = machine.run(source, name=file.name, timeout=timeout, path=file)
        return status, output, machine.traceback


def stdout(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
