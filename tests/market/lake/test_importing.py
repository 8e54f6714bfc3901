"""The room loads no data library before it is used, and says what is missing."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

import pumpswap.market.lake as room
from pumpswap.market.lake.importing import numbered
from tests.market.lake.rows import swap


def said(program: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_no_data_library_is_loaded_before_it_is_used() -> None:
    text = said(
        """
        import sys
        import pumpswap.market.tape
        from pumpswap.market.lake import Coverage, Lake, PoolStateSeen, is_lake
        from pumpswap.market.lake.overview import holdings_of
        print(sorted({"polars", "pandas", "numpy", "pyarrow"} & set(sys.modules)))
        from pumpswap.market.lake import LakeReader
        print("polars" in sys.modules)
        """
    )
    assert text == "[]\nTrue\n"


def test_the_missing_library_is_named_with_the_extra_that_brings_it() -> None:
    text = said(
        """
        import sys
        sys.modules["polars"] = None
        from pumpswap.errors import ConfigError
        from pumpswap.market.lake import Lake
        for name in ("LakeReader", "LakeWriter", "WriteCounts"):
            try:
                exec(f"from pumpswap.market.lake import {name}")
            except ConfigError as error:
                print(error.what, "|", error.hint)
        """
    )
    assert text == "the lake needs polars, which is missing | pip install 'pumpswap[data]'\n" * 3


def test_bars_without_any_data_library_name_the_extra_too() -> None:
    text = said(
        """
        import sys
        for name in ("numpy", "polars", "pandas"):
            sys.modules[name] = None
        from pumpswap.errors import ConfigError
        for name in ("bars", "bar_maths"):
            try:
                exec(f"import pumpswap.market.lake.{name}")
            except ConfigError as error:
                print(error.what, "|", error.hint)
        """
    )
    assert text == "bars need numpy, which is missing | pip install 'pumpswap[data]'\n" * 2


def test_the_room_names_all_that_it_offers() -> None:
    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = room.nothing


def test_trades_of_a_transaction_get_numbers_by_what_they_did() -> None:
    one, other = swap(1, quote_units=5), swap(1, quote_units=4)
    elsewhere, sale = swap(1, "Pool2"), swap(1, is_buy=False)
    rows = [replace(each, is_buy=True) if each is not sale else sale for each in (one, other, elsewhere, sale)]
    found = list(numbered(rows))
    assert [(each.pool, each.quote_units, each.is_buy, each.index) for each in found] == [
        ("Pool1", 5, True, 1),
        ("Pool1", 4, True, 0),
        ("Pool2", rows[2].quote_units, True, 0),
        ("Pool1", sale.quote_units, False, 2),
    ]
    assert sorted(numbered(rows[::-1]), key=repr) == sorted(found, key=repr)
