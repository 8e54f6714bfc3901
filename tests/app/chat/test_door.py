"""Nobody gets in by guessing, however often, whoever restarts the engine meanwhile."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.app.chat.door import CONFIRM_SECONDS, MOST_TRIES, Door, Knock, Visitor
from pumpswap.app.chat.words import asked
from pumpswap.clock import NS_PER_SECOND

PIN = "739155"
ANN, BOB = Visitor(77, 5, "@ann"), Visitor(77, 6)
S = NS_PER_SECOND


def door() -> Door:
    return Door(frozenset({77, 78}), PIN)


def test_a_wish_waits_for_its_pin_and_not_for_ever() -> None:
    one = door()
    one.wish(ANN, asked("pause"), 0)
    assert one.pending(ANN, CONFIRM_SECONDS * S - 1) is not None
    assert one.pending(BOB, 1) is None
    assert one.pending(ANN, CONFIRM_SECONDS * S) is None
    assert one.pending(ANN, 1) is None


def test_three_wrong_ones_and_the_right_one_does_not_open_either() -> None:
    one = door()
    assert [one.knock(ANN, "000000", 0) for _ in range(3)] == [Knock.WRONG, Knock.WRONG, Knock.LOCKED]
    assert one.locked_until_ns(BOB, 0) == 900 * S
    assert one.knock(BOB, PIN, 899 * S) is Knock.LOCKED
    assert one.knock(BOB, PIN, 900 * S) is Knock.RIGHT
    assert one.locked_until_ns(ANN, 901 * S) is None


def test_the_rest_doubles_up_to_a_day() -> None:
    one, now, rests = door(), 0, []
    for _ in range(10):
        for _ in range(MOST_TRIES):
            one.knock(ANN, "0", now)
        until = one.locked_until_ns(ANN, now)
        assert until is not None
        rests.append((until - now) // S)
        now = until
    assert rests == [900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400]


def test_without_a_pin_nothing_opens() -> None:
    assert Door(frozenset({77}), "").knock(ANN, "", 0) is Knock.WRONG


def test_a_chat_that_writes_too_much_is_not_answered() -> None:
    one = door()
    assert not any(one.is_too_fast(ANN, 0) for _ in range(20))
    assert one.is_too_fast(BOB, 59 * S)
    assert not one.is_too_fast(Visitor(78, 1), 59 * S)
    assert not one.is_too_fast(ANN, 60 * S)


Step = tuple[int, bool, bool]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.booleans(), st.booleans()), max_size=60))
def test_in_any_time_only_so_many_can_be_guessed(steps: list[Step]) -> None:
    """However they are spread, and over restarts: at most three guesses between two rests, and rests that grow."""
    one, now, guesses = door(), 0, list[int]()
    for seconds, restarts, _ in steps:
        now += seconds * S
        if restarts:
            kept = json.loads(json.dumps(one.remembered()))
            one = door()
            one.recall(kept)
        locked = one.locked_until_ns(ANN, now)
        found = one.knock(ANN, "123456", now)
        assert found is not Knock.RIGHT
        if locked is None:
            guesses.append(now)
        else:
            assert found is Knock.LOCKED
    for place in range(len(guesses) - MOST_TRIES):
        assert guesses[place + MOST_TRIES] - guesses[place] >= 900 * S


def test_only_chats_of_the_settings_are_let_in_and_remembered() -> None:
    one = door()
    assert one.admits(ANN)
    assert not one.admits(Visitor(-77, 5))
    one.knock(Visitor(99, 1), "0", 0)
    assert one.remembered() == {}
