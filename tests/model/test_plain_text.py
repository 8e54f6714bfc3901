"""Names and texts from outside: one line, and nothing in it that anybody obeys."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.model.plain_text import coin_text, one_line

ADDRESS = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BONK / SOL", "BONK"),
        ("<script>alert(1)</script>", "·script·alert·1·script·"),
        ("@everyone", "·everyone"),
        ("/panic now", "·panic now"),
        ("get rich at http://evil.com", "get rich at http·evil·com"),
        ("**bold** _it_ `code` ~no~ ||spoiler||", "·bold· ·it· ·code· ·no· ·spoiler·"),
        ("[click](https://evil.com)", "·click·https·evil·com·"),
        ("\x1b[31mred\x1b[0m", "·31mred·0m"),
        ("abc\u202edcba", "abcdcba"),
        ("zero\u200bwidth\u2066\u2069", "zerowidth"),
        ("claim-sol.com", "claim-sol·com"),
        ("t.me/free", "t·me·free"),
        ("claim\uff0ecom \u3002com", "claim·com ·com"),
        ("a\u3164b\u2800", "a b"),
        ("two\nlines\t and\r\nmore", "two lines and more"),
        ("ÄÖÜ 猫 Кот 🐸 $PEPE 100%", "ÄÖÜ 猫 Кот 🐸 $PEPE 100%"),
        ("x" * 100, "x" * 39 + "…"),
    ],
)
def test_a_name_of_strangers_is_harmless(name: str, said: str) -> None:
    assert coin_text(name) == said


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u200b", "...", " / SOL", "|||", "\n", "\u3164\u2800"])
def test_a_coin_without_a_name_is_called_by_its_mint(name: str) -> None:
    assert coin_text(name, ADDRESS) == "7xKX…gAsU"
    assert coin_text(name) == "a coin without a name"


def test_a_name_that_is_an_address_is_shortened() -> None:
    assert coin_text(ADDRESS) == "7xKX…gAsU"


@given(st.text(max_size=300))
def test_no_name_can_be_a_tag_a_link_a_mention_a_command_or_more_than_a_line(name: str) -> None:
    said = coin_text(name, ADDRESS)
    assert said
    assert len(said) <= 40
    assert not set(said) & set('<>[](){}*_~`|@#/\\:;.="\n\r\t\x1b\u2028\u202e')
    assert not any(category(letter)[0] == "C" or category(letter) in ("Zl", "Zp") for letter in said)


@given(st.text(max_size=300), st.integers(1, 50))
def test_any_text_fits_on_one_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert not any(category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in line)
    assert one_line(line, most) == line
