"""The sweep's side under Ray: a cluster on this machine with two workers; prints a line of JSON.

Run by the Python of .venv-ray:

    ray_side.py REQUEST.json
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.backtest.sweep import SweepFactory, timed
from pumpswap.research.tuning.on_ray import OnRay
from pumpswap.research.tuning.trials import Job


class Request(msgspec.Struct, frozen=True):
    """What is to be computed."""

    factory: SweepFactory
    jobs: list[Job]


def main(path: str) -> None:
    """Start the cluster, sweep, stop the cluster: Ray does the first and the last by itself."""
    os.environ["PYTHONPATH"] = sys.path[0]  # of the workers, which Ray starts
    request = msgspec.json.decode(Path(path).read_bytes(), type=Request)
    print(json.dumps(timed(lambda: OnRay(request.factory, "local", most=2), request.jobs)))


if __name__ == "__main__":
    main(sys.argv[1])
