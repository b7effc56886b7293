"""A prompt on a target. At a terminal it is the machine's own; where stdin is a pipe or a file,
its lines are typed at the prompt one by one, so that a session can be replayed.
"""

import argparse
import os
import pty
import re
import select
import subprocess
import sys
import time

import console
import machine

LEAVE = {
    True: "Ctrl-A x leaves, Ctrl-C interrupts, Ctrl-D is a soft reset",
    False: "Ctrl-D leaves, Ctrl-C interrupts",
}
KILL_LINE = b"\x15"  # undoes the indent that the prompt types by itself
PROMPT = re.compile(rb"(?:^|\n)(>>> |\.\.\. ) *$")
# What the machine sends to erase that indent, and how the ends of lines arrive.
ERASED = re.compile(rb" *(?:\x08+|\x1b\[\d+D)\x1b\[K")
LINE_END = re.compile(rb"\r+\n")
ANSWER_SECONDS = 120


def interactive(target, file):
    """Hands the terminal to the machine; QEMU's own console reads Ctrl-A."""
    emulated = target in machine.QEMU
    print(f"{target}: {LEAVE[emulated]}")
    command = (
        machine.qemu_command(target, file, serial="mon:stdio") if emulated else [str(file), "-i"]
    )
    if emulated:
        command[command.index("-monitor") : command.index("-monitor") + 2] = []
    sys.stdout.flush()
    os.execvp(command[0], command)


class Session:
    """A machine's prompt behind a pseudo terminal, which it takes for a person's."""

    def __init__(self, command):
        self.host, board = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=board,
            stdout=board,
            stderr=board,
            start_new_session=True,
            preexec_fn=console.die_with_parent,
        )
        os.close(board)

    def _read(self, seconds):
        """What came, b"" where nothing did, None where the machine has ended."""
        if not select.select([self.host], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.host, 65536) or None
        except OSError:
            return None

    def answer(self):
        """Shows what comes until a prompt; False where the machine has ended."""
        raw = b""
        shown = 0
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            got = self._read(1)
            if got is None:
                return False
            if time.monotonic() > deadline:
                raise machine.MachineError(f"no prompt within {ANSWER_SECONDS} s")
            raw += got
            text = LINE_END.sub(b"\n", ERASED.sub(b"", raw))
            prompt = PROMPT.search(text)
            end = prompt.end(1) if prompt else text.rfind(b"\n") + 1
            if end > shown:
                machine.stdout(text[shown:end])
                shown = end
            if prompt:
                return True

    def type(self, line):
        os.write(self.host, KILL_LINE + line + b"\r")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.host)


def replay(target, file, lines):
    emulated = target in machine.QEMU
    command = machine.qemu_command(target, file) if emulated else [str(file), "-i"]
    session = Session(command)
    try:
        alive = session.answer()
        for line in lines:
            if not alive:
                break
            session.type(line.rstrip(b"\r\n"))
            alive = session.answer()
        print()
    finally:
        session.close()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="unix", choices=machine.BOARDS)
    parser.add_argument("--variant", default="")
    args = parser.parse_args(argv)
    try:
        file = machine.binary(args.target, args.variant)
        if sys.stdin.isatty():
            interactive(args.target, file)
        replay(args.target, file, sys.stdin.buffer)
    except machine.MachineError as error:
        print(f"repl: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
