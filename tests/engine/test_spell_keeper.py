"""Heartbeats become spells: when the engine was able to buy, what was in the way, and what nobody knows."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.analytics.uptime import GONE, SILENT, uptime_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.spell_keeper import SpellKeeper
from pumpswap.errors import StorageError
from pumpswap.model import ANALYSIS, BROKEN, STOPPING, Heartbeat, Spell
from tests.engine.supervised import opened, states, world
from tests.support.virtual_time import run_virtually


def beat(seconds: int, in_the_way: str = "", *, started: int = 1, stopping: bool = False) -> Heartbeat:
    able = not in_the_way
    at_ns = seconds * NS_PER_SECOND
    return Heartbeat(at_ns, started, 1, "paper", able=able, stopping=stopping, in_the_way=in_the_way, every_seconds=2)


def spells_of(*beats: Heartbeat) -> list[tuple[int, int, bool, str]]:
    keeper, found = SpellKeeper(), dict[int, Spell]()
    for one in beats:
        found |= {spell.began_ns: spell for spell in keeper.hear(one)}
        keeper.stored()
    seconds = NS_PER_SECOND
    return [(one.began_ns // seconds, one.ended_ns // seconds, one.is_able, one.reason) for one in found.values()]


def test_a_spell_lasts_while_the_same_is_said() -> None:
    told = spells_of(beat(0), beat(2), beat(4, "feed chain"), beat(6, "feed chain"), beat(8), beat(10, stopping=True))
    assert told == [(0, 2, True, ""), (4, 6, False, "feed chain"), (8, 8, True, ""), (10, 10, False, STOPPING)]


def test_an_error_that_ends_an_engine_is_no_stop() -> None:
    last = replace(beat(2, "shutdown", stopping=True), broken=True)
    assert spells_of(beat(0), last) == [(0, 0, True, ""), (2, 2, False, BROKEN)]


def test_no_spell_reaches_over_a_silence_and_a_clock_set_back_shortens_none() -> None:
    assert spells_of(beat(0), beat(10), beat(21)) == [(0, 10, True, ""), (21, 21, True, "")]
    assert spells_of(beat(10), beat(20), beat(12)) == [(10, 20, True, "")]


def test_what_the_database_did_not_take_is_stored_later(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", 1)
        outbox = Outbox(run, StoreRecorder(run))
        outbox.beat(beat(0))
        other = sqlite3.connect(tmp_path / "books.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for one in (beat(2), beat(4, "database"), beat(6)):
            with pytest.raises(StorageError):
                outbox.beat(one)
        other.execute("ROLLBACK")
        other.close()
        outbox.beat(beat(8))
        found = run.spells.since(0)
        assert [(one.ended_ns // NS_PER_SECOND, one.reason) for one in found] == [(2, ""), (4, "database"), (8, "")]


def test_a_supervised_run_records_when_it_could_buy_and_that_it_was_stopped(tmp_path: Path) -> None:
    async def life() -> None:
        with opened(tmp_path) as database:
            one = world(database, [states()])
            async with one.going():
                await asyncio.sleep(60)
            found = one.run.spells.since(0)
            assert [spell.reason for spell in found if spell.is_able or spell.reason == STOPPING] == ["", STOPPING]
            uptime = uptime_of(found)
            assert uptime.share is not None and uptime.share > 0.9
            assert set(uptime.lost_ns) <= {"feed states"}

    run_virtually(life())


def spell(began: int, ended: int, reason: str = "", started: int = 1) -> Spell:
    return Spell(started, began, ended, not reason, reason)


def test_uptime_counts_what_is_known_and_says_why_the_rest_is_missing() -> None:
    nothing = uptime_of([])
    assert (nothing.share, nothing.wanted_ns, nothing.processes) == (None, 0, 0)
    found = uptime_of([
        spell(0, 50), spell(52, 60, "feed chain"), spell(61, 80), spell(90, 100),  # a hang from 80 to 90
        spell(150, 190, started=2), spell(191, 195, STOPPING, started=2),  # killed at 100, back at 150
        spell(500, 600, ANALYSIS, started=3), spell(700, 710, started=4),
    ])  # fmt: skip
    assert found.able_ns == 50 + 19 + 10 + 40 + 10
    assert dict(found.lost_ns) == {GONE: 50, "feed chain": 11, SILENT: 10}
    assert found.left_out_ns == 1 + 4 + 305 + 100 + 100
    assert found.able_ns + sum(found.lost_ns.values()) + found.left_out_ns == 710
    assert found.share == found.able_ns / (found.able_ns + 71)
    assert found.processes == 4


def test_spells_that_overlap_count_once() -> None:
    found = uptime_of([spell(0, 100), spell(50, 120, "feed chain", started=2)])
    assert (found.able_ns, dict(found.lost_ns), found.wanted_ns) == (100, {"feed chain": 20}, 120)


def test_a_run_that_goes_on_is_missing_since_its_last_sign_of_life_unless_it_was_stopped() -> None:
    died = [spell(0, 100)]
    found = uptime_of(died, as_of_ns=1_100, quiet_ns=10)
    assert (found.able_ns, dict(found.lost_ns), found.share) == (100, {GONE: 1_000}, 100 / 1_100)
    assert uptime_of(died, as_of_ns=110, quiet_ns=10).share == 1  # the next beat may be on its way
    assert uptime_of(died).share == 1  # nobody says that it goes on
    for reason in (STOPPING, ANALYSIS):
        assert uptime_of([*died, spell(101, 102, reason)], as_of_ns=1_100).lost_ns == {}
    broken = uptime_of([*died, spell(100, 100, BROKEN)], as_of_ns=1_100)
    assert (dict(broken.lost_ns), broken.share) == ({BROKEN: 1_000}, 100 / 1_100)
    again = uptime_of([*died, spell(100, 100, BROKEN), spell(500, 600, started=2)])
    assert (dict(again.lost_ns), again.able_ns) == ({BROKEN: 400}, 200)
    hung = uptime_of([*died, spell(100, 102, "feed chain")], as_of_ns=1_100)
    assert dict(hung.lost_ns) == {GONE: 998, "feed chain": 2}


def test_only_what_lies_within_a_time_counts_and_times_add_up() -> None:
    lived = [spell(10, 100), spell(150, 400, started=2), spell(401, 500, "feed chain", started=2)]
    found = uptime_of(lived, within=(50, 200))
    assert (found.able_ns, dict(found.lost_ns), found.processes) == (100, {GONE: 50}, 2)
    gone = uptime_of(lived, within=(110, 140))  # nothing ran, before and after something did
    assert (gone.share, dict(gone.lost_ns), gone.processes) == (0, {GONE: 30}, 0)
    assert uptime_of(lived, within=(600, 700)).share is None
    whole = uptime_of(lived)
    for cut in range(0, 600, 7):
        parts = [uptime_of(lived, within=within) for within in ((0, cut), (cut, 1_000))]
        assert sum(part.able_ns for part in parts) == whole.able_ns
        assert sum(part.wanted_ns for part in parts) == whole.wanted_ns
