"""Lines of settings, as a user, menuconfig and IDF write them: CONFIG_NAME=value, and where each
stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kconfig_boards import ConfigError, read_lines

_ASSIGNMENT = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)")
_NOT_SET = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")


@dataclass(frozen=True)
class Assignment:
    name: str  # without CONFIG_
    value: str
    where: str  # "boards/UNIX/sdkconfig.board:3" or "--set"

    def error(self, says: str) -> ConfigError:
        return ConfigError(f"{self.where}: CONFIG_{self.name}={self.value} {says}")


def parse_line(line: str, where: str) -> Assignment | None:
    """The assignment of one line of a settings file; None for a comment or an empty line."""
    match = _NOT_SET.fullmatch(line)
    if match:
        return Assignment(match[1], "n", where)
    if not line or line.startswith("#"):
        return None
    match = _ASSIGNMENT.fullmatch(line)
    if match:
        return Assignment(match[1], match[2], where)
    raise ConfigError(
        f"{where}: {line.strip()!r} is not 'CONFIG_NAME=value' or '# CONFIG_NAME is not set'"
    )


def parse_file(path: Path) -> list[Assignment]:
    found = []
    for line, where in read_lines(path):
        assignment = parse_line(line.rstrip(), where)
        if assignment:
            found.append(assignment)
    return found


def parse_set(text: str) -> Assignment:
    """One --set: NAME=value, with CONFIG_ or without."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ConfigError(f"--set: {text!r} is not 'NAME=value'")
    return Assignment(name.removeprefix("CONFIG_"), value, "--set")
