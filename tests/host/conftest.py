"""Pools as after power-on of every configuration."""

from __future__ import annotations

import corebuild as build
import pytest
from corelib import core_of
from meeting import Meeting


@pytest.fixture(params=build.CONFIGS, ids=lambda c: c.name)
def core(request):
    """Fresh pools of every configuration, one after another."""
    made = core_of(request.param)
    yield made
    made.close()


@pytest.fixture
def meeting_of():
    """meeting_of(config) -> fresh pools, gone when the test is over."""
    made: list[Meeting] = []

    def make(config: build.Config) -> Meeting:
        made.append(Meeting(config))
        return made[-1]

    yield make
    for meeting in made:
        meeting.core.close()
