"""The stored vectors, asked again: what ``tests/golden`` expects is what this SDK answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.addresses import ADDRESSES
from tests.conformance.node import Oracle, Refused
from tests.conformance.report import Tally

__all__ = ["compare_vectors"]


def compare_vectors(oracle: Oracle, tally: Tally, golden: Path) -> None:
    """Replay every stored quote, instruction and address that the SDK can answer; files that are missing are named."""
    for name, decoded in json.loads((golden / "configs.json").read_text())["fee_configs"].items():
        if name in ("flat20_5_5", "zero"):  # the artificial ones; the real ones come as account bytes
            oracle.ask("set_fee_config", name=name, decoded=decoded)
    for vector in _stored(golden, "quotes.json", "vectors") + _stored(golden, "worked_examples.json", "quotes"):
        wanted = vector.get("output", vector.get("error"))
        try:
            answer = oracle.ask("quote", fn=vector["fn"], input=vector["input"])
        except Refused as refused:
            answer = str(refused)
        tally.compare("stored quotes", wanted, answer, id=vector["id"])
    for vector in _stored(golden, "instructions_v1.json", "vectors"):
        request = {name: vector.get(name) for name in ("builder", "params", "state", "recipient_index")}
        answer = oracle.ask("instructions", **request)
        tally.compare("stored instructions", vector["instructions"], answer, id=vector["id"])
    for vector in _stored(golden, "pdas.json", "vectors"):
        if vector["name"] in ADDRESSES:
            answer = oracle.ask("address", name=vector["name"], args=vector["args"])
            tally.compare("stored addresses", vector["address"], answer, args=vector["args"])


def _stored(golden: Path, file: str, key: str) -> list[dict[str, Any]]:
    path = golden / file
    if not path.exists():
        print(f"not replayed: tests/golden/{file} is not here")
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text())[key]
    return found
