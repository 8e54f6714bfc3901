"""What is understood, however it is written, and what is refused with what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.app.chat.words import WORDS, asked
from pumpswap.errors import UsageError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("status", "status"),
        ("/status", "status"),
        (" /Status@our_bot ", "status"),
        ("/exits_only", "exits-only"),
        ("exits-only", "exits-only"),
        ("close BONK", "close BONK"),
        ("close  two   words", "close two words"),
        ("/why@our_bot o000001", "why o000001"),
        ("close-all", "close-all"),
        ("/start", "help"),
        ("?", "help"),
    ],
)
def test_a_word_is_understood(text: str, told: str) -> None:
    assert str(asked(text)) == told


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("statsu", "did you mean status?"),
        ("abcdef", "help lists them"),
        ("", "help lists them"),
        ("1234", "help lists them"),
        ("close", "close NAME"),
        ("pause now", "write only: pause"),
        ("why " + "x" * 200, "help lists them"),
    ],
)
def test_anything_else_says_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(text)
    assert hint in refused.value.hint


def test_nothing_of_a_text_that_is_no_word_is_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        asked("zzz-a-password-perhaps")
    assert "zzz" not in refused.value.what + refused.value.hint


@given(st.text(max_size=120))
def test_any_text_is_a_word_or_refused(text: str) -> None:
    try:
        found = asked(text)
    except UsageError:
        return
    assert found.word is WORDS[found.word.name]
    assert bool(found.argument) == bool(found.word.takes)


def test_what_changes_something_asks_for_the_pin() -> None:
    acting = {word.name for word in WORDS.values() if word.is_action}
    assert acting == {"pause", "resume", "exits-only", "close", "close-all"}
