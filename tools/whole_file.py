"""A text file that is replaced at once or not at all: a full disk leaves the old one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(file: Path, text: str) -> None:
    """A link is followed, the file's mode is kept. OSError leaves nothing behind."""
    file = file.resolve()
    descriptor, beside = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as output:
            output.write(text)
        os.chmod(beside, file.stat().st_mode & 0o7777 if file.exists() else 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
