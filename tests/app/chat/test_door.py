"""Nobody gets in by guessing, however often, whoever restarts the engine meanwhile."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.app.chat.door import CONFIRM_SECONDS, MOST_OF_CHAT, MOST_TRIES, Door, Knock, Visitor
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
    assert one.locked_until_ns(ANN, 0) == 900 * S
    assert one.knock(ANN, PIN, 899 * S) is Knock.LOCKED
    assert one.knock(ANN, PIN, 900 * S) is Knock.RIGHT
    assert one.locked_until_ns(ANN, 901 * S) is None


def test_one_person_cannot_lock_out_another_however_often_he_guesses() -> None:
    one, now = door(), 0
    for _ in range(200):
        one.knock(ANN, "000000", now)
        assert one.locked_until_ns(BOB, now) is None
        now = one.locked_until_ns(ANN, now) or now
    assert one.knock(BOB, PIN, now) is Knock.RIGHT
    assert not one.rests(77, now)


def test_wrong_ones_of_several_people_make_the_chat_rest_each_time_twice_as_long() -> None:
    one, now, rests = door(), 0, []
    for turn in range(3):
        people = [Visitor(77, 100 * turn + number) for number in range(4)]
        found = [one.knock(person, "000000", now) for person in people for _ in range(MOST_TRIES)]
        assert len(found) == MOST_OF_CHAT
        assert one.rests(77, now)
        assert not one.rests(78, now)
        assert one.knock(ANN, PIN, now) is Knock.LOCKED
        until = one.locked_until_ns(ANN, now)
        assert until is not None
        rests.append((until - now) // S)
        now = until
    assert rests == [900, 1_800, 3_600]
    assert one.knock(ANN, PIN, now) is Knock.RIGHT
    assert one.knock(BOB, PIN, now) is Knock.RIGHT


def test_a_right_one_takes_back_what_its_own_person_did_wrong_and_nothing_of_others() -> None:
    one = door()
    for person in range(1, 4):
        for _ in range(MOST_TRIES):
            one.knock(Visitor(77, 100 + person), "000000", 0)
    one.knock(ANN, "000000", 0)
    one.knock(ANN, "000000", 0)
    assert one.knock(ANN, PIN, 0) is Knock.RIGHT
    one.knock(ANN, "000000", 0)
    one.knock(ANN, "000000", 0)
    assert not one.rests(77, 0)
    one.knock(BOB, "000000", 0)
    assert one.rests(77, 0)


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


def test_who_writes_too_much_is_not_answered_and_takes_nothing_from_others() -> None:
    one = door()
    assert not any(one.is_too_fast(ANN, 0) for _ in range(20))
    assert one.is_too_fast(ANN, 59 * S)
    assert not one.is_too_fast(BOB, 59 * S)
    assert not one.is_too_fast(ANN, 60 * S)


def test_a_chat_that_writes_too_much_is_not_answered() -> None:
    one = door()
    assert not any(one.is_too_fast(Visitor(77, person), 0) for person in range(60))
    assert one.is_too_fast(ANN, 59 * S)
    assert not one.is_too_fast(Visitor(78, 1), 59 * S)
    assert not one.is_too_fast(ANN, 60 * S)


def test_for_a_while_after_a_wish_digits_are_taken_for_its_pin() -> None:
    one = door()
    assert not one.has_wished(ANN, 0)
    one.wish(ANN, asked("pause"), 0)
    one.forget(ANN)
    assert one.has_wished(ANN, 599 * S)
    assert not one.has_wished(ANN, 600 * S)
    assert not one.has_wished(BOB, 0)


Step = tuple[int, bool, int]


@given(st.lists(st.tuples(st.integers(0, 5_000), st.booleans(), st.integers(1, 6)), max_size=60))
def test_in_any_time_only_so_many_can_be_guessed(steps: list[Step]) -> None:
    """However they are spread, by whomever, and over restarts: at most three guesses of a person between two of his
    rests, and not many more than twelve of a chat.
    """
    one, now, guesses = door(), 0, list[tuple[int, int]]()
    for seconds, restarts, person in steps:
        now += seconds * S
        if restarts:
            one = restarted(one)
        who = Visitor(77, person)
        locked = one.locked_until_ns(who, now)
        found = one.knock(who, "123456", now)
        assert found is not Knock.RIGHT
        if locked is None:
            guesses.append((now, person))
        else:
            assert found is Knock.LOCKED
    for person in range(1, 7):
        own = [at for at, whose in guesses if whose == person]
        assert all(later - at >= 900 * S for at, later in zip(own, own[MOST_TRIES:], strict=False))
    # Those who have used up their part of the twelve may go on after their own rest: fewer than four of them.
    most = MOST_OF_CHAT + 3 * MOST_TRIES
    assert all(later - at >= 900 * S for (at, _), (later, _) in zip(guesses, guesses[most:], strict=False))


def restarted(one: Door) -> Door:
    kept = json.loads(json.dumps(one.remembered()))
    again = door()
    again.recall(kept)
    return again


def test_a_restart_forgets_nothing_of_what_was_guessed() -> None:
    one = door()
    for person in range(1, 5):
        for _ in range(MOST_TRIES):
            one.knock(Visitor(77, person), "0", 0)
    one.knock(Visitor(78, 1), "0", 0)
    again = restarted(one)
    assert (again.tries, again.chat_tries) == (one.tries, one.chat_tries)
    assert again.rests(77, 899 * S)


def test_what_an_earlier_version_has_remembered_still_holds() -> None:
    one = door()
    one.recall({"77": {"wrong": 3, "until_ns": str(900 * S)}})
    assert one.locked_until_ns(ANN, 0) == 900 * S


def test_only_chats_of_the_settings_are_let_in() -> None:
    one = door()
    assert one.admits(ANN)
    assert not one.admits(Visitor(-77, 5))


def test_tries_in_chats_of_another_engine_on_the_same_books_are_kept() -> None:
    here, there = Door(frozenset({77}), PIN), Door(frozenset({99}), PIN)
    for _ in range(MOST_TRIES):
        here.knock(ANN, "000000", 0)
    there.recall(here.remembered())
    there.knock(Visitor(99, 5), "000000", 0)
    here.recall(json.loads(json.dumps(there.remembered())))
    assert here.locked_until_ns(ANN, 0) == 900 * S
    assert here.tries[99, 5].wrong == 1
