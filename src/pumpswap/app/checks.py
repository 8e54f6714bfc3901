"""Check: one question of ``doctor`` or ``protocol check``, its answer, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pumpswap.errors import PumpSwapError

__all__ = ["Check", "CheckStatus", "failed", "worst_code"]


class CheckStatus(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """``exit_code`` is what a failed check makes of the whole command."""

    name: str
    status: CheckStatus
    text: str
    hint: str = ""
    exit_code: int = 1


def failed(name: str, error: PumpSwapError) -> Check:
    """A check that ended with an error of ours."""
    return Check(name, CheckStatus.FAILED, error.what, error.hint, error.exit_code)


def worst_code(checks: Sequence[Check]) -> int:
    """0 when nothing failed, else the code of the first failure: what comes later often follows from it."""
    return next((check.exit_code for check in checks if check.status is CheckStatus.FAILED), 0)
