"""Environments of what we are compared with."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import PeerUnavailable
from tests.support.environments import environment_problem
from tests.support.environments import environment_python as python_of

__all__ = ["environment_python"]


def environment_python(kind: str) -> Path:
    """The Python of an environment that is made, or brought up to date, first. Raises PeerUnavailable."""
    problem = environment_problem(kind)
    if problem is not None:
        raise PeerUnavailable(problem)
    return python_of(kind)
