"""What holds for the tests of every folder: the random ones try the same examples in each run, and
no example has to be quick. MEMPOOL_TESTS=long makes them others each time, for a night;
MEMPOOL_TESTS=first tells the first failure as it is: a mutant is dead, however large the example.
"""

import os

import hypothesis

TESTS = os.environ.get("MEMPOOL_TESTS")
MADE_SMALL = (hypothesis.Phase.shrink, hypothesis.Phase.explain)

hypothesis.settings.register_profile(
    "mempool",
    deadline=None,
    derandomize=TESTS != "long",
    database=None,
    phases=[phase for phase in hypothesis.Phase if TESTS != "first" or phase not in MADE_SMALL],
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("mempool")
