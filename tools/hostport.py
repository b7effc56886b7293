"""host:port as a user writes it, [v6]:port too; a host alone where a port is usual."""

from __future__ import annotations

PORTS = "a port is 1 to 65535"


def is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65536


def is_host(text: str) -> bool:
    """What a resolver can be asked for. A number alone is a port gone astray."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return bool(text) and not text.isdecimal() and not set(text) & set("/[]@ \t\r\n\0")


def split(text: str, usual: int | None = None) -> tuple[str, int]:
    """-> host, port; ValueError where it is none, or has no port and none is usual."""
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, str(usual or "")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not is_host(host) or not is_port(port):
        raise ValueError(f"{text!r} is not host:port")
    return host, int(port)
