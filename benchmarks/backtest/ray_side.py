"""The sweep's side under Ray: a head and one more node of one processor each on this machine; prints a line of JSON.

Run by the Python of .venv-ray:

    ray_side.py REQUEST.json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.backtest.sweep import SweepFactory, timed
from pumpswap.research.tuning.on_ray import OnRay
from pumpswap.research.tuning.trials import Job

_ADDRESS = "127.0.0.1:16379"


class Request(msgspec.Struct, frozen=True):
    """What is to be computed."""

    factory: SweepFactory
    jobs: list[Job]


def main(path: str) -> None:
    """Start the cluster, sweep, stop the cluster."""
    request = msgspec.json.decode(Path(path).read_bytes(), type=Request)
    ray = str(Path(sys.executable).with_name("ray"))
    quiet = ["--num-cpus=1", "--disable-usage-stats", "--block"]
    host, port = _ADDRESS.split(":")
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        head = [ray, "start", "--head", f"--node-ip-address={host}", f"--port={port}", "--include-dashboard=false"]
        first = _started([*head, f"--temp-dir={folder}", *quiet])
        second = None
        try:
            _wait(ray)
            second = _started([ray, "start", f"--address={_ADDRESS}", *quiet])
            _wait(ray, nodes=2)
            print(json.dumps(timed(OnRay(request.factory, _ADDRESS, most=2), request.jobs)))
        finally:
            for process in (second, first):
                if process is not None:
                    process.terminate()
                    process.wait(60)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    clean = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean)


def _wait(ray: str, nodes: int = 1) -> None:
    """Until so many nodes have joined."""
    import time

    for _ in range(120):
        done = subprocess.run([ray, "status", f"--address={_ADDRESS}"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.count("1 node_") >= nodes:
            return
        time.sleep(0.5)
    raise SystemExit(f"{nodes} nodes of Ray did not start within a minute: {done.stdout[-500:]}")


if __name__ == "__main__":
    main(sys.argv[1])
