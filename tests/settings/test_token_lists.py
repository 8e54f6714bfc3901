"""Lists of coins in settings and in files of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.errors import ConfigError
from pumpswap.settings.token_lists import read_tokens, token_of

ONE = "pumpCmXqMfrsAkQ5r49WcJnRayYRqmXz6ae8H7H9Dfn"
OTHER = "So11111111111111111111111111111111111111112"


@given(st.binary(min_size=32, max_size=32))
def test_every_public_key_is_a_mint(raw: bytes) -> None:
    key = str(Pubkey(raw))
    assert token_of(f" solana_{key}\t") == key


@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl", max_size=50))
def test_it_agrees_with_solders_about_what_is_none(text: str) -> None:
    try:
        expected = str(Pubkey.from_string(text))
    except ValueError:
        with pytest.raises(ValueError, match="is no mint"):
            token_of(text)
    else:
        assert token_of(text) == expected


@pytest.mark.parametrize("entry", ["", ONE + "x", ONE[:-1], "abc", 5, None, True, f"{ONE} {OTHER}"])
def test_what_is_no_mint_is_refused(entry: object) -> None:
    with pytest.raises(ValueError, match="is no mint"):
        token_of(entry)


def test_what_may_be_a_private_key_is_not_repeated() -> None:
    secret = "4" * 88
    with pytest.raises(ValueError, match="is no mint") as refused:
        token_of(secret)
    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        f'["{ONE}", "solana_{OTHER}"]',
        f'{{"updated": "today", "tokens": ["{ONE}", "{OTHER}", "{ONE}"]}}',
        f'[{{"address": "{ONE}", "why": "a rug"}}, {{"mint": " {OTHER}"}}]',
        f"# never\n{ONE}  # a rug\n\nsolana_{OTHER}\n",
    ],
)
def test_a_file_of_mints(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(text)
    assert read_tokens(file) == (ONE, OTHER)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no readable JSON"),
        ('{"a": [], "b": []}', "no list of mints"),
        ('{"a": 1}', "no list of mints"),
        (f'["{ONE}", "{ONE}x", 7]', "entry 2 .* entry 3 "),
        ('[{"name": "a coin"}]', "entry 1 "),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_tokens(str(file))


def test_a_file_that_is_not_there_is_refused_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_tokens(tmp_path / "none.json")
    (tmp_path / "empty.txt").write_text("\n")
    assert read_tokens(tmp_path / "empty.txt") == ()
