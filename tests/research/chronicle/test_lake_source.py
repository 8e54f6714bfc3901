"""Lakes as chronicles: the states of the market that filled them, exactly, from events and one state of each pool."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.acting import acted_state
from pumpswap.amm.acts import BuyQuote, Deposit, PoolAct, PoolChange, Sell, SweepFees, Told, VaultGift, Withdraw
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput
from pumpswap.market.lake import Coverage, Lake, LakeReader, LakeWriter, PoolStateSeen
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.research.chronicle.sources.lake import LakeChronicle
from pumpswap.research.chronicle.step import Exactness, Step
from pumpswap.research.chronicle.verify import verify
from pumpswap.research.chronicle.window import Window
from tests.research.chronicle.lakes import filled, market, rows_of


def bare(step: Step) -> Step:
    """Without what a recording does not keep: times within a second, and the place within the slot."""
    swap = None if step.swap is None else replace(step.swap, at_ns=0)
    return msgspec.structs.replace(step, at_ns=0, order=0, swap=swap, before=None)


def played(steps: Sequence[Step]) -> list[Step]:
    """Steps of the market, without snapshots and the first states."""
    return [step for step in steps if step.snapshot is None and step.before is not None]


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_a_lake_gives_every_act_and_every_state_of_its_market(tmp_path: Path, seed: int) -> None:
    steps = list(market(seed).steps())
    chronicle = LakeChronicle(filled(tmp_path, steps))
    found = list(chronicle.steps())
    assert [bare(step) for step in played(found)] == [bare(step) for step in played(steps)]
    assert chronicle.counts["exact"] == chronicle.counts["steps"] == len(found)
    assert not any(name.startswith("inferred") for name in chronicle.counts)
    assert verify(chronicle).is_good
    assert all(one.at_ns <= other.at_ns for one, other in itertools.pairwise(found))
    places = [(step.slot, step.order) for step in found]
    assert places == sorted(set(places))


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_what_a_lake_has_not_kept_is_worked_out_to_the_unit(tmp_path: Path, seed: int) -> None:
    steps = list(market(seed).steps())
    chronicle = LakeChronicle(filled(tmp_path, steps, without="acts"))
    trades = [bare(step) for step in steps if step.swap is not None]
    assert [bare(step) for step in chronicle.steps() if step.swap is not None] == trades
    counts = chronicle.counts
    assert counts["exact"] == counts["steps"]
    assert counts["inferred SweepFees"] == counts["SweepFees"] > 0
    assert counts["inferred BoostBurn"] == counts["BoostBurn"] > 0
    assert verify(chronicle).is_good
    assert any("does not claim" in text for text in chronicle.assumptions)


def test_two_boosts_between_two_trades_leave_a_little_behind(tmp_path: Path) -> None:
    steps = list(market(42).steps())
    chronicle = LakeChronicle(filled(tmp_path, steps, without="acts"))
    found, counts = verify(chronicle), chronicle.counts
    assert (found.differing, found.told, found.adjusted) == (0, 0, 1)
    assert counts["inferred VaultGift"] == counts["adjusted"] == 1
    trades = [bare(step) for step in steps if step.swap is not None]
    assert [bare(step) for step in chronicle.steps() if step.swap is not None] == trades


def test_the_same_history_has_the_same_identity_however_it_is_stored(tmp_path: Path) -> None:
    steps = list(market(5, minutes=4).steps())
    one = LakeChronicle(filled(tmp_path / "one", steps))
    other, rows = Lake(tmp_path / "other"), list(rows_of(steps))
    for part in (rows[:400], rows[300:], rows[:50]):  # in pieces, and some of it twice
        with LakeWriter(other) as writer:
            for kind, row in part:
                writer.add(kind, [row], source="chain")
    again = LakeChronicle(other)
    assert again.identity.sha256 == one.identity.sha256
    assert again.identity.source["sha256"] != one.identity.source["sha256"]
    assert list(again.steps()) == list(one.steps())
    with LakeWriter(other) as writer:
        assert writer.compact() > 0
    assert LakeChronicle(other).identity.sha256 == one.identity.sha256


def test_a_part_of_a_lake_begins_as_the_whole_had_come_to_be(tmp_path: Path) -> None:
    lake = filled(tmp_path, list(market(7).steps()))
    whole = list(LakeChronicle(lake).steps())
    pool = whole[-1].pool
    since, until = (whole[at].at_ns // NS_PER_SECOND * NS_PER_SECOND for at in (500, 900))
    part = open_chronicle(lake.folder, pools=(pool,), since_ns=since, until_ns=until)
    steps = list(part.steps())
    mine = [step for step in whole if step.pool == pool]
    known = [step.after for step in mine if step.at_ns < since]
    assert known[-1] is not None
    assert steps[0].act == Told(known[-1])
    inside = [step for step in mine if since <= step.at_ns < until]
    assert [step.after for step in steps[1:]] == [step.after for step in inside]
    assert verify(part).is_good
    assert part.complete == {pool: ((since, until),)}
    two = LakeChronicle(lake, Window(pools=tuple({step.pool for step in whole[:60]})))
    assert set(two.complete) == {step.pool for step in two.steps()} == {step.pool for step in whole[:60]}


def test_a_lake_that_kept_acts_only_lately_does_not_claim_to_have_them_all(tmp_path: Path) -> None:
    steps = list(market(7, minutes=2).steps())
    lake = filled(tmp_path, steps, without="acts")
    middle = (steps[0].at_ns + steps[-1].at_ns) // 2
    with LakeWriter(lake) as writer:
        writer.cover(Coverage(kind="acts", network=lake.network, start_ns=middle, end_ns=steps[-1].at_ns + 1))
    assert any("does not claim" in text for text in LakeChronicle(lake).assumptions)
    with LakeWriter(lake) as writer:
        writer.cover(Coverage(kind="acts", network=lake.network, start_ns=steps[0].at_ns, end_ns=middle))
    assert not any("does not claim" in text for text in LakeChronicle(lake).assumptions)


def test_a_part_counts_only_what_is_in_it(tmp_path: Path) -> None:
    steps = list(market(7).steps())
    lake = filled(tmp_path, steps, without="acts")
    whole = LakeChronicle(lake)
    middle = (whole.span_ns[0] + whole.span_ns[1]) // 2
    late, early = LakeChronicle(lake, Window(since_ns=middle)), LakeChronicle(lake, Window(until_ns=middle))
    for kind in ("SweepFees", "BoostBurn"):
        name = f"inferred {kind}"
        assert late.counts.get(name, 0) == late.counts.get(kind, 0)
        assert early.counts.get(name, 0) + late.counts.get(name, 0) == whole.counts[name]
    assert early.counts["inferred SweepFees"] and late.counts["inferred SweepFees"]


# ---------------------------------------------------------------- states that were read on the way


def lake_with(folder: Path, steps: Sequence[Step], at: int, *acts: PoolAct) -> tuple[Lake, PoolState]:
    """A lake in which, before the trade at ``at``, somebody did what no event tells; a state was read after it."""
    rows = list(rows_of(steps[:at]))
    before = steps[at].before
    assert before is not None
    state = before
    for act in acts:
        state = acted_state(state, current_schedule(), act)
    # Read at the end of a slot that has only this in it.
    slot = steps[at].slot + 1
    state = msgspec.structs.replace(state, slot=slot)
    at_ns = steps[at].at_ns // NS_PER_SECOND * NS_PER_SECOND + 30 * NS_PER_SECOND
    lake = Lake(folder)
    with LakeWriter(lake) as writer:
        for kind, row in rows:
            writer.add(kind, [row])
        writer.add("states", [PoolStateSeen(at_ns, state)])
    return lake, state


@pytest.mark.parametrize(
    ("acts", "exactness", "kinds"),
    [
        ((), Exactness.EXACT, ()),
        ((Deposit(10**9),), Exactness.EXACT, ("Deposit",)),
        ((PoolChange(coin_creator=AMM_PROGRAM, account_len=400),), Exactness.EXACT, ("PoolChange", "PoolChange")),
        ((PoolChange(supply_change=-77),), Exactness.EXACT, ("PoolChange",)),
        ((VaultGift(5, 0),), Exactness.ADJUSTED, ("VaultGift",)),
        ((VaultGift(-5, 0),), Exactness.TOLD, ("Told",)),
        ((BuyQuote(10**9, 1, 2),), Exactness.TOLD, ("Told",)),
    ],
    ids=["nothing", "deposit", "settings", "burned by holders", "gift", "theft", "missed trade"],
)
def test_a_read_state_is_explained_or_said_not_to_be(
    tmp_path: Path, acts: tuple[PoolAct, ...], exactness: Exactness, kinds: tuple[str, ...]
) -> None:
    steps = played(list(market(7).steps()))
    opening = [step for step in market(7).steps() if step.before is None]
    at = next(
        number
        for number, step in enumerate(steps)
        if number > 100 and isinstance(step.act, Sell) and step.before and not step.before.pool.is_boosted
    )
    pool = steps[at].pool
    mine = [*(one for one in opening if one.pool == pool), *(one for one in steps if one.pool == pool)]
    lake, state = lake_with(tmp_path, mine, mine.index(steps[at]), *acts)
    found = list(LakeChronicle(lake).steps())
    last = found[len(mine[: mine.index(steps[at])]) :]
    assert found[-1].after == state
    assert tuple(type(step.act).__name__ for step in last if step.act is not None) == kinds
    assert last[-1].exactness is exactness
    assert verify(LakeChronicle(lake)).is_good


def test_trades_whose_events_were_lost_are_told_and_the_next_ones_follow_again(tmp_path: Path) -> None:
    steps = list(market(7).steps())
    trades = [number for number, step in enumerate(steps) if step.swap is not None]
    gone = trades[60]
    chronicle = LakeChronicle(filled(tmp_path, [*steps[:gone], *steps[gone + 1 :]]))
    found = verify(chronicle)
    assert (found.differing, found.told) == (0, 1)
    assert chronicle.counts["gaps unexplained"] == 1
    assert list(chronicle.steps())[-1].after == next(
        step.after for step in reversed(steps) if step.snapshot is None and step.act is not None
    )


@pytest.mark.parametrize("without", ["", "acts"])
def test_one_state_at_the_end_tells_all_those_before_it(tmp_path: Path, without: str) -> None:
    """As a backfill leaves a lake: the history, and the pool as it was read then."""
    steps = [step for step in market(7).steps() if step.snapshot is None]
    last = {step.pool: step.after for step in steps}
    pulled = {step.pool for step in steps if isinstance(step.act, Withdraw)}
    rows = [row for row in rows_of(steps) if row[0] not in ("states", without)]
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        for kind, row in rows:
            writer.add(kind, [row])
        writer.add("states", [PoolStateSeen(steps[-1].at_ns, state) for state in last.values() if state])
    chronicle = LakeChronicle(lake)
    # Without its act nobody knows how many LP units there were before the liquidity was pulled.
    gone = pulled if without else set()
    trades = [bare(step) for step in steps if step.swap is not None and step.pool not in gone]
    found = [bare(step) for step in chronicle.steps() if step.swap is not None and step.pool not in gone]
    assert found == trades
    assert {step.pool: step.after for step in chronicle.steps()} == last
    explained = verify(chronicle)
    assert (explained.differing, explained.adjusted) == (0, 0)
    assert explained.told == len(gone)


def test_pools_without_a_state_have_their_trades_and_an_obstacle(tmp_path: Path) -> None:
    steps = list(market(7, minutes=3).steps())
    chronicle = LakeChronicle(filled(tmp_path, steps, without="states"))
    found = list(chronicle.steps())
    assert len(found) == sum(step.swap is not None for step in steps) > 100
    assert all(step.act is None and step.after is None and "has come before" in step.obstacle for step in found)
    assert verify(chronicle).is_good


def test_snapshots_alone_give_a_depth_that_is_said_to_be_inferred(tmp_path: Path) -> None:
    lake, seen = Lake(tmp_path), [step.snapshot for step in market(7, minutes=2).steps() if step.snapshot is not None]
    with LakeWriter(lake) as writer:
        writer.add("snapshots", seen)
    chronicle = LakeChronicle(lake)
    steps = list(chronicle.steps())
    assert [step.snapshot for step in steps] == seen
    assert all(isinstance(step.act, Told) and step.exactness is Exactness.TOLD for step in steps)
    assert [step.at_ns for step in steps] == [one.at_ns for one in seen]
    assert len(seen) > 10
    assert verify(chronicle).is_good


def test_events_know_better_than_the_snapshots_of_a_collector(tmp_path: Path) -> None:
    steps = list(market(7, minutes=4).steps())
    lake, begun = Lake(tmp_path), set[str]()
    with LakeWriter(lake) as writer:
        for step in steps:
            if step.snapshot is not None:
                writer.add("snapshots", [step.snapshot])
            elif step.swap is not None:
                writer.add("swaps", [replace(step.swap, at_ns=step.at_ns // NS_PER_SECOND * NS_PER_SECOND)])
    chronicle = LakeChronicle(lake)
    truth = iter([step for step in steps if step.swap is not None])
    for step in chronicle.steps():
        known = step.pool in begun
        if step.snapshot is not None:
            assert (step.exactness is Exactness.TOLD) != known
        if step.swap is None:
            continue
        true = next(truth).after
        assert step.after is not None or not known
        if step.after is not None and true is not None:
            assert step.exactness is Exactness.TOLD
            # The vaults are the chain's; which fees are owed out of them a collector does not tell.
            assert (step.after.base_reserve, step.after.quote_vault) == (true.base_reserve, true.quote_vault)
            assert step.after.effective_quote_reserve == true.effective_quote_reserve
            begun.add(step.pool)
    assert len(begun) > 2
    assert verify(chronicle).is_good


def test_the_only_network_of_a_lake_is_meant(tmp_path: Path) -> None:
    steps = list(market(7, minutes=2).steps())
    with LakeWriter(Lake(tmp_path, "localnet")) as writer:
        for kind, row in rows_of(steps):
            writer.add(kind, [row])
    assert open_chronicle(tmp_path).counts["swaps"] > 50
    with LakeWriter(Lake(tmp_path, "devnet")) as writer:
        writer.add("states", [row for kind, row in rows_of(steps) if kind == "states"])
    with pytest.raises(BadInput, match="devnet, localnet"):
        open_chronicle(tmp_path)


def test_acts_come_back_from_a_lake_as_they_went_in(tmp_path: Path) -> None:
    rows = [row for kind, row in rows_of(list(market(1).steps())) if kind == "acts"]
    lake = filled(tmp_path, list(market(1).steps()))
    assert len(rows) > 5
    reader = LakeReader(lake)
    assert list(reader.read_acts()) == rows
    names = set(reader.acts().collect()["name"].to_list())
    assert {SweepFees.__name__, "SweepPoolFeeEvent"} & names == {"SweepPoolFeeEvent"}
