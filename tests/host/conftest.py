"""Pools as after power-on of every configuration."""

from __future__ import annotations

import corebuild as build
import pytest
from corelib import core_of


@pytest.fixture(params=build.CONFIGS, ids=lambda c: c.name)
def core(request):
    """Fresh pools of every configuration, one after another."""
    made = core_of(request.param)
    yield made
    made.close()
