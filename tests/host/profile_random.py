"""Settings of the random tests: the same examples in every run, unless it is a long one."""

from __future__ import annotations

import hypothesis
from corelib import LONG


def load() -> None:
    hypothesis.settings.register_profile(
        "mempool",
        deadline=None,
        derandomize=not LONG,
        database=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mempool")
