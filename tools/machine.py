"""The machines this firmware runs on without hardware: the unix binary, and QEMU's Cortex-M3 and
RV32 boards. A program is run with its true exit status, which MicroPython's raw REPL drops: a
small wrapper catches how the program ends and prints it behind a mark that no program can guess.

    machine = Machine("cm3")
    status, output = machine.run("print('hello')", name="hello.py")
    machine.soft_reset()        # emulated boards: Ctrl-D at the prompt
    machine.close()
"""

import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

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

# Statuses of a run that is none of the program's own.
TIMEOUT = 124
DIED = 125

BOOT_SECONDS = 20


class MachineError(Exception):
    """The machine gave no result: it did not start, died, or took too long."""

    def __init__(self, message, status=DIED):
        super().__init__(message)
        self.status = status


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
    extra = ["-icount", "shift=0"] if icount else []
    return [*QEMU[target], *QEMU_COMMON, *extra, "-serial", serial, "-kernel", str(elf)]


# The program's own names are the only ones in its namespace while it runs.
WRAPPER = """\
def _run():
    import sys, gc
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
            self._emit(self.held[:position])
            self.tail = self.held[position + len(self.mark) :]
            self.held = b""
            return
        keep = 0
        for length in range(min(len(self.mark) - 1, len(self.held)), 0, -1):
            if self.held.endswith(self.mark[:length]):
                keep = length
                break
        split = len(self.held) - keep
        self._emit(self.held[:split])
        self.held = self.held[split:]

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


class Machine:
    """One running machine. `show(bytes)` gets the output as it comes."""

    def __init__(self, target, variant="", file=None, icount=False, show=None):
        self.target = target
        self.emulated = target in QEMU
        self.file = Path(file) if file else binary(target, variant)
        self.show = show
        self.process = None
        self.icount = icount
        self.pending = b""
        if self.emulated:
            self._start(qemu_command(target, self.file, icount=icount), stdin=subprocess.PIPE)
            self._expect(b">>> ", BOOT_SECONDS, "no prompt after the start")

    # The process and its pipes.

    def _start(self, command, stdin, **options):
        try:
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                bufsize=0,
                # Ctrl-C at the terminal is for the program on the board, not for QEMU.
                start_new_session=self.emulated,
                **options,
            )
        except FileNotFoundError:
            raise MachineError(f"{command[0]} is missing: run make build") from None
        self.pending = b""

    def _read(self, timeout, data=b""):
        """(what came within the timeout or None, what of data is not yet written); b"" where the
        output has ended."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if data:
                selector.register(self.process.stdin, selectors.EVENT_WRITE)
            events = selector.select(timeout)
        got = None
        for key, _ in events:
            if key.fileobj is self.process.stdout:
                got = os.read(self.process.stdout.fileno(), 65536)
            else:
                data = data[os.write(self.process.stdin.fileno(), data[:512]) :]
        # The emulated console ends its lines as terminals do.
        if got and self.emulated:
            got = self._newlines(got) or None
        return got, data

    def _newlines(self, data):
        data = self.pending + data
        self.pending = b"\r" if data.endswith(b"\r") else b""
        return data[: len(data) - len(self.pending)].replace(b"\r\n", b"\n")

    def _expect(self, text, timeout, problem, data=b""):
        deadline = time.monotonic() + timeout
        seen = b""
        while text not in seen:
            left = deadline - time.monotonic()
            got, data = self._read(max(left, 0), data)
            if got == b"" or left <= 0:
                self.close()
                raise MachineError(f"{self.target}: {problem}; it said {seen[-200:]!r}")
            seen += got or b""
        return seen.partition(text)[2]

    def _died(self):
        code = self.process.wait()
        how = f"status {code}"
        if code < 0:
            how = f"signal {signal.Signals(-code).name}"
        return MachineError(f"{self.target}: the machine stopped without a result ({how})")

    # Running programs.

    def _send_wrapper(self, text):
        """Into the raw REPL by raw paste, which tells when it can take more."""
        rest = self._expect(b"raw REPL; CTRL-B to exit\n>", 10, "no raw REPL", b"\r\x03\x01")
        rest += self._gather(rest, b"R\x01", b"\x05A\x01")
        while len(rest) < 3:
            rest += self._some()
        window = int.from_bytes(rest[:2], "little")
        room = window + window * rest[2:].count(b"\x01")
        data = text.encode()
        while data:
            if room == 0:
                got = self._some()
                if b"\x04" in got:
                    raise MachineError(f"{self.target}: the raw REPL refused the program")
                room += window * got.count(b"\x01")
                continue
            piece, data = data[:room], data[room:]
            room -= len(piece)
            os.write(self.process.stdin.fileno(), piece)
        os.write(self.process.stdin.fileno(), b"\x04")
        return self._gather(b"", b"\x04", b"")

    def _some(self):
        got, _ = self._read(10)
        if not got:
            self.close()
            raise MachineError(f"{self.target}: the raw REPL stopped answering")
        return got

    def _gather(self, seen, text, data):
        if data:
            os.write(self.process.stdin.fileno(), data)
        while text not in seen:
            seen += self._some()
        return seen.partition(text)[2]

    def run(self, source, name="<script>", timeout=None, path=None):
        """Runs a program: (exit status, what it printed as bytes). The traceback of an exception
        is in `self.traceback`. Raises MachineError where the machine gave no result.

        On unix each run is a process of its own, which reads `path` if it is given."""
        nonce = "\x1e" + secrets.token_hex(8) + "\x1e"
        mark = nonce.encode()
        data = source.encode() if isinstance(source, str) else source
        fields = {"name": name, "first": nonce[:9], "rest": nonce[9:]}
        stream = Stream(mark, self.show)
        self.traceback = ""
        rest = b""
        if self.emulated:
            fields["source"] = f"sys.stdin.buffer.read({len(data)})"
            rest = self._send_wrapper(WRAPPER.format(**fields))
        else:
            fields["source"] = repr(data) if path is None else f"open({str(path)!r}).read()"
            head = f"import sys\nsys.argv[:] = [{name!r}]\n"
            if path is not None:
                head += f"sys.path[0] = {str(Path(path).resolve().parent)!r}\n"
            self._start([str(self.file), "-c", head + WRAPPER.format(**fields)], stdin=None)
            data = b""
        stream.feed(rest)
        status = self._collect(stream, data, timeout)
        if not self.emulated:
            code = self.process.wait()
            if code:
                raise self._died()
        return status, bytes(stream.output)

    def _collect(self, stream, data, timeout):
        deadline = None if timeout is None else time.monotonic() + timeout
        interrupts = 0
        while stream.result() is None:
            try:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    stream.flush()
                    self.close()
                    raise MachineError(
                        f"{self.target}: no result within {timeout:g} s (timeout)", TIMEOUT
                    )
                got, data = self._read(left, data)
                if got == b"":
                    stream.flush()
                    raise self._died()
                stream.feed(got or b"")
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts > 1:
                    self.close()
                    raise
                if self.emulated:
                    data += b"\x03"
        status, self.traceback = stream.result()
        if self.emulated:
            self._gather(stream.tail.split(stream.mark)[1], b"\x04\x04>", b"")
        return status

    def soft_reset(self):
        """Ctrl-D at the prompt: ends the program's world, keeps the machine running."""
        self._expect(b"raw REPL; CTRL-B to exit\n>", 10, "no raw REPL", b"\r\x03\x01")
        self._expect(b"soft reboot\n", 10, "no soft reset", b"\x04")
        self._expect(b">", 10, "no prompt after the soft reset")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    pipe.close()

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
