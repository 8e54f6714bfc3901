"""The official SDK as the peer of ``make bench``, measured under Node, in the installation of the conformance run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance.node import HERE as SHARED_SCRIPTS
from tests.conformance.node import NodeUnavailable, node_workspace, place_scripts

__all__ = ["NodeUnavailable", "sdk_figures", "sdk_reaction"]

SCRIPTS = (
    SHARED_SCRIPTS / "oracle_instructions.mjs",
    SHARED_SCRIPTS / "oracle_values.mjs",
)


def sdk_figures(request: Mapping[str, Any]) -> dict[str, Any]:
    """Microseconds per operation of the official SDK, best of several batches, for one pool.

    ``request``: ``state`` (the pool as in ``instructions_v1.json``; its user is replaced by a key that can sign),
    ``pool_account``, ``global_config``, ``fee_config`` and ``event`` (discriminator + payload of a layout that this SDK
    knows) as base64, ``base`` and ``quote`` as decimal text; optional ``effort`` with ``batch_ms``, ``batches``,
    ``warm_up_ms``, and ``only``, names of operations. Raises NodeUnavailable where Node or the SDK is not to be had.
    """
    return _answered(Path(__file__).with_name("bench.mjs"), request)


def sdk_reaction(request: Mapping[str, Any]) -> dict[str, Any]:
    """Reaction in milliseconds and swaps per second of the official SDK.

    ``request``: as above, and ``vault_account`` (base64), ``file`` to store in, ``rounds`` after ``warm_up``,
    ``logs`` (lists of lines, one swap in each), ``passes`` over them. Raises RuntimeError when it finds another number.
    """
    figures = _answered(Path(__file__).with_name("reaction.mjs"), request)
    if figures["swaps"] != len(request["logs"]):
        raise RuntimeError(f"the SDK found {figures['swaps']} swaps in {len(request['logs'])} transactions")
    return figures


def _answered(script: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    entry, *_ = place_scripts(node_workspace(), script, *SCRIPTS)
    done = subprocess.run(
        ["node", entry.name], cwd=entry.parent, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the SDK benchmark failed: {done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
