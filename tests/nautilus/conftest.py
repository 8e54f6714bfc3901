"""Tests of the adapter run where NautilusTrader is: ``make nautilus``. Elsewhere the whole folder is skipped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

HAS_NAUTILUS = find_spec("nautilus_trader") is not None

if not HAS_NAUTILUS:

    class _NotHere(pytest.File):
        """A test file that is not even imported."""

        def collect(self) -> list[pytest.Item]:
            pytest.skip("NautilusTrader has environments of its own: make nautilus", allow_module_level=True)

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.File:
        return _NotHere.from_parent(parent, path=module_path)
