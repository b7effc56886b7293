"""A process behind pipes, as a console that can be waited on: for the machines of machine.py."""

import ctypes
import os
import selectors
import signal
import subprocess
import time

# Statuses of a run that is none of the program's own.
TIMEOUT = 124
DIED = 125


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For Popen's preexec_fn: a tool that is killed leaves no emulator behind (Linux)."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class MachineError(Exception):
    """The machine gave no result: it did not start, died, or took too long."""

    def __init__(self, message, status=DIED):
        super().__init__(message)
        self.status = status


class Console:
    """`terminal`: the process ends its lines as terminals do and has its own stdin; else it reads
    the caller's."""

    def __init__(self, name, command, terminal):
        self.name = name
        self.terminal = terminal
        self.unread = b""
        self.half_line_end = b""
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if terminal else None,
                stdout=subprocess.PIPE,
                bufsize=0,
                # Ctrl-C at the caller's terminal is for the program on the board, not for QEMU.
                start_new_session=terminal,
                preexec_fn=die_with_parent,
            )
        except FileNotFoundError:
            raise MachineError(f"{command[0]} is missing: run make build") from None
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self.input = self.process.stdin

    def read(self, timeout, data=b""):
        """What came within the timeout: None for nothing, b"" where the output has ended; and
        what of `data` is not yet written."""
        if self.unread:
            got, self.unread = self.unread, b""
            return got, data
        with selectors.DefaultSelector() as selector:
            selector.register(self.output, selectors.EVENT_READ)
            if data and self.input:
                selector.register(self.input, selectors.EVENT_WRITE)
            events = selector.select(timeout)
        got = None
        for key, _ in events:
            if key.fileobj is self.output:
                got = os.read(self.output.fileno(), 65536)
                if got and self.terminal:
                    got = self._lines(got) or None
            else:
                data = data[self.write(data[:512]) :]
        return got, data

    def _lines(self, data):
        data = self.half_line_end + data
        self.half_line_end = b"\r" if data.endswith(b"\r") else b""
        return data[: len(data) - len(self.half_line_end)].replace(b"\r\n", b"\n")

    def write(self, data):
        """-> how many bytes the pipe took."""
        assert self.input is not None
        try:
            return os.write(self.input.fileno(), data)
        except BrokenPipeError:
            raise self.died() from None

    def take(self, seconds, problem):
        """Something that came within the seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            got, _ = self.read(left)
            if got:
                return got
            if got == b"":
                raise self.died()
        self.close()
        raise MachineError(f"{self.name}: {problem} within {seconds} s")

    def expect(self, text, seconds, problem):
        """Reads up to and with the text; what comes after it is read next."""
        seen = b""
        deadline = time.monotonic() + seconds
        while text not in seen:
            seen += self.take(max(deadline - time.monotonic(), 0.01), problem)
        self.unread = seen.partition(text)[2] + self.unread

    def died(self):
        """The error for output that ended without a result: the process has ended or will."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.close()
            return MachineError(f"{self.name}: the machine closed its output and hung")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        return MachineError(f"{self.name}: the machine stopped without a result ({how})")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.input, self.output):
            if pipe:
                pipe.close()
