"""What esptool says, made into a few lines for the terminal; the whole of it goes to a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from esp_pylib.logger import EspLogBase
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

MARKUP = re.compile(r"\[/?[a-z ]+\]")


class FlashLog(EspLogBase):
    """esptool's logger while a board is flashed: a bar, and a file for who wants to know more."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.file = path.open("w", encoding="utf-8")
        self.bar: Progress | None = None
        self.task: Any = None

    def print(self, *args: Any, **kwargs: Any) -> None:
        text = kwargs.get("sep", " ").join(map(str, args)) + kwargs.get("end", "\n")
        self.file.write(MARKUP.sub("", text))
        self.file.flush()

    def err(self, *args: Any, suggestion: str | None = None) -> None:
        self.print("error:", *args)

    def warn(self, *args: Any, suggestion: str | None = None) -> None:
        self.print("warning:", *args)

    def note(self, *args: Any) -> None:
        self.print("note:", *args)

    def hint(self, *args: Any) -> None:
        self.print("hint:", *args)

    def debug(self, *args: Any) -> None:
        pass

    # esptool's own names for two of them.
    error = err
    warning = warn

    def set_verbosity(self, mode: int | str) -> None:
        pass

    def progress_bar(
        self,
        cur_iter: int,
        total_iters: int,
        prefix: str = "",
        suffix: str = "",
        bar_length: int = 30,
    ) -> None:
        if self.bar is None:
            return
        if self.task is None:
            self.task = self.bar.add_task(self.label, total=total_iters)
        # esptool counts compressed bytes, which are what travels.
        self.bar.update(self.task, completed=cur_iter, total=total_iters)

    def start(self, label: str) -> None:
        """Shows a bar from here on; without a terminal a line alone."""
        self.stop()
        console = Console()
        self.label = label
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
            self.bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
            self.bar.start()
        else:
            print(f"{label} ...", flush=True)

    def stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
        self.bar = self.task = None

    def close(self) -> None:
        self.stop()
        self.file.close()
