"""One practice chain per test run: starting it costs as much as a hundred trades."""

from __future__ import annotations

import pytest

from tests.svm.chain import Chain


@pytest.fixture(scope="session")
def chain() -> Chain:
    return Chain()
