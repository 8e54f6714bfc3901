"""What is understood, however it is written, and what is refused with what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.app.chat.words import WORDS, TypedPin, addressee, asked, typed_pin
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
    assert acting == {"pause", "resume", "exits-only", "close", "close-all", "approve", "decline"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/close_all@paper_bot", "paper_bot"),
        (" status@Our_bot", "Our_bot"),
        ("/pin@our_bot 739155", "our_bot"),
        ("/why@our_bot BONK", "our_bot"),
        ("/status", ""),
        ("close @everyone", ""),
        ("ann@example.com", ""),
        ("739155", ""),
    ],
)
def test_a_command_names_the_bot_that_it_is_for(text: str, name: str) -> None:
    assert addressee(text) == name


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("739155", TypedPin("739155", is_explicit=False)),
        (" 0012\n", TypedPin("0012", is_explicit=False)),
        ("/pin 739155", TypedPin("739155", is_explicit=True)),
        ("Pin  739155", TypedPin("739155", is_explicit=True)),
        ("/pin@our_bot 739155", TypedPin("739155", is_explicit=True)),
        ("/pin", None),
        ("pin739155", None),
        ("739155 please", None),
        ("٧٣٩", None),
        ("", None),
    ],
)
def test_digits_are_a_pin_and_a_command_can_bring_them(text: str, pin: TypedPin | None) -> None:
    assert typed_pin(text) == pin
