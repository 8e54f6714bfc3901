from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import BadInput
from pumpswap.research.qlib.symbols import assign_symbols, clean_name
from tests.research.qlib.world import ListSource, export, row


def test_the_hosts_name_in_capitals_else_the_pool_id() -> None:
    given_names, renamed = assign_symbols([(1, "solana_Aa", "Dog/Sol_SOLANA"), (1, "solana_Bb", "")])
    assert given_names == {"solana_Aa": "DOG_SOL_SOLANA", "solana_Bb": "SOLANA_BB"}
    assert renamed == []


def test_other_characters_become_underscores() -> None:
    assert clean_name("PEPE / SOL (1%)") == "PEPE___SOL__1__"
    assert clean_name("狗狗") == "__"


@pytest.mark.parametrize("name", ["NA", "null", "con", "COM1", "狗", "", "x" * 101])
def test_names_that_qlib_or_a_disk_cannot_keep_give_way_to_the_pool_id(name: str) -> None:
    assert assign_symbols([(1, "solana_Aa", name)])[0] == {"solana_Aa": "SOLANA_AA"}


def test_of_two_pools_with_one_name_the_earlier_one_keeps_it() -> None:
    names, renamed = assign_symbols([(7, "solana_Aa", "DOG"), (3, "solana_Zz", "dog")])
    assert names == {"solana_Zz": "DOG", "solana_Aa": "DOG_AA"}
    assert renamed == ["solana_Aa"]


def test_a_given_name_is_never_taken_away() -> None:
    names, renamed = assign_symbols([(1, "solana_Aa", "DOG")], {"solana_Zz": "DOG"})
    assert names == {"solana_Zz": "DOG", "solana_Aa": "DOG_AA"}
    assert renamed == ["solana_Aa"]


def test_pools_that_differ_in_capitals_only_are_told_apart(tmp_path: Path) -> None:
    rows = [row("2025-10-03 10:00", pool="solana_Aa"), row("2025-10-03 10:00", pool="solana_aA")]
    result = export(ListSource(rows), tmp_path / "d")
    assert result.renamed == ("solana_aA",)
    assert {path.name for path in (tmp_path / "d/features").iterdir()} == {"solana_aa", "solana_aa_aa"}


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(BadInput, match="the pools solana_Zz and solana_aA would both be SOLANA_AA_AA"):
        assign_symbols([(1, "solana_Aa", ""), (2, "solana_aA", ""), (0, "solana_Zz", "SOLANA_AA_AA")])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.text("aAbB1/", min_size=1, max_size=4), st.sampled_from(["", "DOG", "cat", "NA"])
        ),
        unique_by=lambda pool: pool[1].upper(),
    )
)
def test_no_two_pools_share_a_symbol(pools: list[tuple[int, str, str]]) -> None:
    try:
        names, _ = assign_symbols(pools)
    except BadInput:
        return  # refused is right as well
    assert len({name.lower() for name in names.values()}) == len(names) == len(pools)
