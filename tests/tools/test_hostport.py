"""host:port as people write it, and what is none."""

import hostport
import pytest


@pytest.mark.parametrize(
    ("text", "usual", "address"),
    [
        ("room:1883", None, ("room", 1883)),
        ("192.168.4.2", 1883, ("192.168.4.2", 1883)),
        ("[::1]:65535", 9, ("::1", 65535)),
        ("[fe80::1]", 1883, ("fe80::1", 1883)),
        ("b\u00fcro.example:1", None, ("b\u00fcro.example", 1)),
    ],
)
def test_an_address_is_split(text, usual, address):
    assert hostport.split(text, usual) == address


@pytest.mark.parametrize(
    "text",
    ["", ":", ":1", "h:", "h:0", "h:65536", "h:x", "h:-1", "h:\N{SUPERSCRIPT TWO}", "h", "9464"]
    + ["udp://h:1", "h/x:1", "a b:1", "a\0b:1", "a..b:1", "x" * 64 + ":1", "[::1", "user@h:1"],
)
def test_what_is_none_is_refused_with_its_text(text):
    with pytest.raises(ValueError, match="is not host:port") as error:
        hostport.split(text)
    assert repr(text) in str(error.value)
