"""Access: the token opens, nothing else does; a session is signed and ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.web.security.access import SESSION_SECONDS, Access, TooManyTries

TOKEN = "correct horse battery staple"


@given(st.text(max_size=40))
def test_nothing_but_the_token_opens(given_text: str) -> None:
    assert Access(TOKEN, ManualClock(0)).is_token(given_text) == (given_text == TOKEN)


def test_without_a_token_nothing_is_one() -> None:
    access = Access(None, ManualClock(0))
    assert not access.is_guarded
    assert not access.is_token("")


def test_ten_wrong_tokens_in_a_minute_are_enough_even_for_the_right_one() -> None:
    clock = ManualClock(0)
    access = Access(TOKEN, clock)
    for _ in range(10):
        assert not access.is_token("wrong")
    with pytest.raises(TooManyTries):
        access.is_token(TOKEN)
    clock.advance_to(60 * NS_PER_SECOND)
    assert access.is_token(TOKEN)


def test_wrong_tokens_of_others_do_not_keep_its_owner_out() -> None:
    access = Access(TOKEN, ManualClock(0))
    for number in range(10):
        access.is_token("wrong", "192.168.1.66")
        access.is_token("wrong", f"2001:db8::{number}")  # one machine has all of these
    assert access.is_token(TOKEN, "192.168.1.5") and access.is_token(TOKEN, "2001:db8:0:1::5")
    for guesser in ("192.168.1.66", "2001:db8::abcd"):
        with pytest.raises(TooManyTries):
            access.is_token(TOKEN, guesser)


def test_whose_tries_are_remembered_is_bounded() -> None:
    access = Access(TOKEN, ManualClock(0))
    for number in range(10_100):
        access.is_token("wrong", f"10.0.{number // 250}.{number % 250}")
    assert len(access._wrong) == 10_000


def test_a_session_ends_with_its_time_and_with_the_process() -> None:
    clock = ManualClock(5 * NS_PER_SECOND)
    access = Access(TOKEN, clock)
    session = access.new_session()
    assert TOKEN not in session
    assert access.is_session(session)
    assert not Access(TOKEN, clock).is_session(session)
    clock.advance_to((5 + SESSION_SECONDS) * NS_PER_SECOND)
    assert not access.is_session(session)


def test_what_was_sealed_for_something_else_is_no_session() -> None:
    access = Access(TOKEN, ManualClock(0))
    for text in ("99999999999.x", "session 99999999999.x"):
        assert not access.is_session(f"{text}.{access.seal(text)}")
        assert not access.is_session(f"told {text}.{access.seal(text)}")


@given(st.text(max_size=120))
def test_what_we_have_not_signed_is_no_session_no_word_and_no_seal(text: str) -> None:
    access = Access(TOKEN, ManualClock(0))
    assert not access.is_session(text)
    assert not access.is_csrf(text)
    assert not access.is_seal("done", text)


@given(st.integers(min_value=0, max_value=60), st.characters())
def test_a_session_that_was_changed_anywhere_is_none(place: int, letter: str) -> None:
    access = Access(TOKEN, ManualClock(0))
    session = access.new_session()
    changed = session[:place] + letter + session[place + 1 :]
    assert access.is_session(changed) == (changed == session)


def test_two_sessions_differ() -> None:
    access = Access(TOKEN, ManualClock(0))
    assert access.new_session() != access.new_session()
