"""Facts about a token as JSON, so that a screen can be repeated later, elsewhere or with other settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pumpswap.errors import BadInput, NotFound
from pumpswap.model import TokenFacts

__all__ = ["facts_json", "facts_of_json", "read_facts"]

_HINT = "pass what `pumpswap screen MINT --json` printed"
_MOST_BYTES = 64 * 2**20
_AMOUNTS = ("units", "_reserve", "_ns")


def facts_json(facts: TokenFacts) -> dict[str, Any]:
    """Plain JSON values; amounts and nanoseconds are strings of integers."""
    told: dict[str, Any] = _with_text(msgspec.to_builtins(facts))
    return told


def facts_of_json(value: object) -> TokenFacts:
    """Facts again. Raises BadInput naming the place and what is wrong there."""
    try:
        facts = msgspec.convert(value, TokenFacts, strict=False)
    except msgspec.ValidationError as wrong:
        raise BadInput(f"these are no facts about a token: {wrong}", hint=_HINT) from None
    for name, amount in _amounts(msgspec.to_builtins(facts)):
        if amount < 0:
            raise BadInput(f"these are no facts about a token: {name} is {amount}", hint=_HINT)
    return facts


def read_facts(path: Path) -> TokenFacts:
    """Facts of a file: the output of ``screen --json``, or its part ``facts``. Raises NotFound and BadInput."""
    if not path.is_file():
        raise NotFound(f"{path} does not exist", hint=_HINT)
    if path.stat().st_size > _MOST_BYTES:
        raise BadInput(f"{path.name} is too large for facts about one token", hint=_HINT)
    try:
        document = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as broken:
        raise BadInput(f"{path.name} is no JSON: {broken}", hint=_HINT) from None
    except RecursionError:
        raise BadInput(f"{path.name} is nested too deeply for facts about a token", hint=_HINT) from None
    if isinstance(document, Mapping) and isinstance(document.get("facts"), Mapping):
        document = document["facts"]
    return facts_of_json(document)


def _amounts(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """Every amount, and every time, with its name."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _amounts(each, str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _amounts(each, name)
    elif type(value) is int and name.endswith(_AMOUNTS):
        yield name, value


def _with_text(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_text(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text(each, name) for each in value]
    return str(value) if type(value) is int and name.endswith(_AMOUNTS) else value
