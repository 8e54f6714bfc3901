"""Failures: what went wrong, as a status, a code, a sentence and what to do; the same for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pumpswap.errors import (
    ConfigError,
    Conflict,
    GuardRefused,
    NotFound,
    NotRunning,
    PumpSwapError,
    StorageError,
    TimedOut,
    UsageError,
)

__all__ = ["Failure", "Refuse", "failure_json", "failure_of"]

_STATUSES: tuple[tuple[type[PumpSwapError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (UsageError, 400),
    (NotRunning, 409),
    (GuardRefused, 403),
    (TimedOut, 504),
    (StorageError, 503),
    (ConfigError, 503),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """``what`` is one line for people, ``hint`` says what to do next; neither repeats what somebody has sent."""

    status: int
    code: str
    what: str
    hint: str
    exit_code: int = 1


Refuse = Callable[[Request, Failure], Awaitable[Response]]  # makes an answer of a failure


def failure_of(error: PumpSwapError) -> Failure:
    """An error of ours as a failure of a request. Bugs (a ledger that does not add up) are 500."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
    return Failure(status, code, error.what, error.hint, error.exit_code)


def failure_json(failure: Failure) -> JSONResponse:
    """For programs: the object that ``--json`` has on the command line."""
    document = {
        "schema": "pumpswap.error",
        "version": 1,
        "code": failure.code,
        "exit_code": failure.exit_code,
        "what": failure.what,
        "hint": failure.hint,
    }
    headers = {"WWW-Authenticate": 'Bearer realm="pumpswap"'} if failure.status == 401 else {}
    return JSONResponse(document, failure.status, headers | ({"Retry-After": "60"} if failure.status == 429 else {}))
