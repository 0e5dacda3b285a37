"""Settings of the whole suite."""

import os

from hypothesis import HealthCheck, settings

# `ci`, the default, tries the same few examples in every run, so that a failure is always the change's own.
# `HYPOTHESIS_PROFILE=thorough make test` searches for new ones. A busy machine makes no test fail in either.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=40,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=1_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
