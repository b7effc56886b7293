"""A fresh machine of each emulated board."""

import machine
import pytest


@pytest.fixture(params=["cm3", "rv32"])
def board(request):
    with machine.Machine(request.param) as board:
        yield board
