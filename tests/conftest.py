"""What holds for the tests of every folder: the random ones try the same examples in each run, and
no example has to be quick. MEMPOOL_TESTS=long makes them others each time, for a night."""

import os

import hypothesis

hypothesis.settings.register_profile(
    "mempool",
    deadline=None,
    derandomize=os.environ.get("MEMPOOL_TESTS") != "long",
    database=None,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("mempool")
