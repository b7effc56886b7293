"""Run a long command with its output in a log: one line that lives while it works, one when it is
done, and the end of the log where it fails.

    quiet.py "Building cm3" build/cm3/build.log make -C ...
"""

import re
import subprocess
import sys
import time
from pathlib import Path

TAIL_LINES = 40
# A step of ninja: how far it is.
NINJA = re.compile(rb"\[(\d+/\d+)\]")


def main(title, log, *command):
    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    live = sys.stdout.isatty()
    start = shown = time.monotonic()
    steps = 0
    ninja = ""
    if not live:
        print(f"{title} ...", flush=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,  # make's job server
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            steps += line.startswith((b"CC ", b"CXX ", b"GEN ", b"LINK ", b"AS "))
            counted = NINJA.match(line)
            if counted:
                ninja = f"{counted[1].decode()} steps, "
            now = time.monotonic()
            if live and now - shown > 0.2:
                shown = now
                files = f"{steps} files, " if steps else ninja
                print(f"\r{title}: {files}{now - start:.0f} s ", end="", flush=True)
        code = process.wait()
    seconds = time.monotonic() - start
    if live:
        print("\r\x1b[K", end="")
    if code:
        lines = log.read_text(errors="replace").splitlines()
        print("\n".join(lines[-TAIL_LINES:]))
        print(f"{title}: failed after {seconds:.0f} s; the whole output is in {log}")
        return 1
    if steps or ninja or live:
        print(f"{title}: done in {seconds:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
