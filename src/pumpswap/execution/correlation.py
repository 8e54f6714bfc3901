"""Which order the code at work is about, for the log: whatever an order's own task logs carries the order's number."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["ORDER"]

ORDER: ContextVar[str] = ContextVar("order", default="")
