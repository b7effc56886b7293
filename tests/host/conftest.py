"""Settings of the random tests, and pools as after power-on of every configuration."""

from __future__ import annotations

import corebuild as build
import hypothesis
import pytest
from corelib import LONG, core_of

hypothesis.settings.register_profile(
    "mempool",
    deadline=None,
    derandomize=not LONG,
    database=None,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("mempool")


@pytest.fixture(params=build.CONFIGS, ids=lambda c: c.name)
def core(request):
    """Fresh pools of every configuration, one after another."""
    made = core_of(request.param)
    yield made
    made.close()
