"""Running coroutines from click callbacks: click would call an async function, drop the coroutine and exit with 0."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["wait_for"]

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end. Ctrl-C cancels it, lets it clean up, and then raises KeyboardInterrupt as usual."""
    return asyncio.run(work)
