"""Symbols: what a pool is called in a dataset, so that no two pools share a name and no later pool takes one away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pumpswap.errors import BadInput
from pumpswap.market.identifiers import bare_address

__all__ = ["assign_symbols", "clean_name", "folder_of"]

_OTHER = re.compile(r"[^A-Za-z0-9_]")
_LONGEST = 100  # the host's column; a name of a folder may have 255

# QLib reads instruments with pandas, for which these are missing values; and it renames what Windows cannot store.
_UNREADABLE = {"NA", "NULL"}
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}


def clean_name(text: str) -> str:
    """The text with ``_`` for everything but letters, digits and ``_``, as the host writes symbols."""
    return _OTHER.sub("_", text.strip())


def folder_of(symbol: str) -> str:
    """The folder of a symbol's files."""
    return symbol.lower()


def assign_symbols(
    pools: Iterable[tuple[int, str, str]], taken: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Symbols by pool id, and the pools that did not get the name they wished for.

    ``pools`` are (time of the first row, pool id, wished name or empty). Names are given in the order of first rows, so
    a pool that comes later never changes the name of one that is there: it gets its address behind the name. ``taken``
    are symbols by pool id that are given already. Raises BadInput when the longer name is taken, too.
    """
    given = dict(taken or {})
    owners = {symbol: pool for pool, symbol in given.items()}
    renamed = []
    for _, pool_id, wish in sorted(pools):
        if pool_id in given:
            continue
        name = _usable(wish) or _usable(pool_id)
        if name in owners:
            renamed.append(pool_id)
            name = clean_name(f"{name}_{bare_address(pool_id)}").upper()
        if not name or name in owners:
            raise BadInput(
                f"the pools {owners.get(name, '?')} and {pool_id} would both be {name or 'nameless'}",
                hint="QLib does not tell capitals from small letters; leave one of the two out of the source",
            )
        given[pool_id] = name
        owners[name] = pool_id
    return given, renamed


def _usable(text: str) -> str:
    name = clean_name(text).upper()
    return "" if name in _UNREADABLE or name in _DEVICES or len(name) > _LONGEST or not name.strip("_") else name
