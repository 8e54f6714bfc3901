"""The official SDK under Node: a cached installation in the temporary folder, and a process that answers questions.

The benchmark (``benchmarks/node``) uses the same installation. Nothing is installed into the project itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["NodeUnavailable", "Oracle", "Refused", "node_workspace", "place_scripts"]

HERE = Path(__file__).parent
SCRIPTS = ("oracle.mjs", "oracle_instructions.mjs", "oracle_values.mjs")
OLDEST_NODE = 20


class NodeUnavailable(Exception):
    """Node, npm or the SDK is not to be had on this machine; the text is one line for people."""


class Refused(Exception):
    """The SDK itself threw; the text is its message."""


def node_workspace() -> Path:
    """Folder with the pinned SDK installed, made on first use and shared by later runs of the same lock file."""
    _require_node()
    lock = (HERE / "package-lock.json").read_bytes()
    owner = os.getuid() if hasattr(os, "getuid") else 0
    name = f"pumpswap-node-{owner}-{hashlib.sha256(lock).hexdigest()[:16]}"
    workspace = Path(tempfile.gettempdir()) / name
    if (workspace / "node_modules").is_dir():
        # The temporary folder is shared: never run code that another account has put there.
        if hasattr(os, "getuid") and workspace.stat().st_uid != owner:
            raise NodeUnavailable(f"{workspace} belongs to another account; remove it or set TMPDIR")
        return workspace
    building = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    try:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, building)
        _install(building)
        try:
            building.rename(workspace)
        except OSError:
            if not (workspace / "node_modules").is_dir():  # otherwise a parallel run was faster
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return workspace


def place_scripts(workspace: Path, *scripts: Path) -> list[Path]:
    """Copy ES modules beside the installation, where their imports resolve."""
    return [Path(shutil.copy(script, workspace)) for script in scripts]


def _require_node() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NodeUnavailable(f"{program} is not installed; Node {OLDEST_NODE} or newer is needed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        raise NodeUnavailable(f"node is {version or 'broken'}; Node {OLDEST_NODE} or newer is needed")


def _install(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired:
        raise NodeUnavailable("npm ci did not finish within 10 minutes") from None
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line.lower()), "no reason given")
        raise NodeUnavailable(f"npm ci failed: {reason.strip()}")


class Oracle:
    """One Node process with the SDK loaded: a JSON line in, a JSON line out, always in this order."""

    def __init__(self) -> None:
        entry, *_ = place_scripts(node_workspace(), *(HERE / name for name in SCRIPTS))
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            ["node", entry.name],
            cwd=entry.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def ask(self, op: str, **request: Any) -> Any:
        """The SDK's answer. Raises Refused when the SDK throws, RuntimeError when the question did not fit."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"op": op, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"node stopped: {self._errors.read()[-2000:]}")
        answer: Mapping[str, Any] = json.loads(line)
        if "ok" in answer:
            return answer["ok"]
        if "refused" in answer:
            raise Refused(answer["refused"])
        raise RuntimeError(f"{op}: {answer.get('broken')}")
