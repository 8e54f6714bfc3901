"""Settings for every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Derandomised: a red test is red on every machine. Fresh examples are the business of acceptance and fuzz.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=100)
settings.register_profile(
    "acceptance",
    deadline=None,
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

pytest_plugins = ["tests.support.by_design", "tests.support.run_evidence"]


# What takes longest, and waits for most of it: a worker that met it last would end alone.
_LONGEST = ("tests/crash/", "tests/web/browser/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_collection_finish() -> None:
    """What was collected stays to the end: nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _priority_of_the_tests() -> Iterator[None]:
    """A command that gives way to others, run in this process, would slow down every test after it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "nice", lambda _increment: 0)
        yield
