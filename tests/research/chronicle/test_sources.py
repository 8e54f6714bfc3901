"""Chronicles without trades of ours reproduce every recorded state: simulator, vectors, recordings."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pumpswap.amm.acts import BoostBurn, BuyQuote, SweepFees, Told, VaultGift, Withdraw
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.research.chronicle.sources.vectors import VectorChronicle
from pumpswap.research.chronicle.step import Exactness, Step
from pumpswap.research.chronicle.verify import verify, verify_steps
from tests.research.chronicle.lakes import market
from tests.support.vectors import GOLDEN, load

SEEDS = (1, 7, 42)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_step_of_a_simulated_market_follows_from_its_act(seed: int) -> None:
    chronicle = market(seed, minutes=30)
    found = verify(chronicle)
    counts = chronicle.counts
    assert (found.differing, found.adjusted, found.told, found.unknown) == (0, 0, 0, 0)
    assert found.exact == counts["exact"] == counts["steps"] - counts["snapshots"]
    assert min(counts[kind.__name__] for kind in (BoostBurn, SweepFees, Withdraw)) >= 1


def test_its_states_are_those_of_the_market_itself() -> None:
    chronicle, book = market(3), PoolBook()
    plan = chronicle.plan
    play = MarketSimulator(book, seed=3, start_ns=plan.start_ns, duration_s=plan.minutes * 60, pools=plan.pools)
    steps = chronicle.steps()
    for update in play.updates():
        book.apply(update)
        step = next(steps)
        assert (step.at_ns, step.pool, step.after) == (update.at_ns, update.pool, update.state)
        assert step.snapshot == update.snapshot
        assert (step.swap is None) == (update.swap is None)
        if step.swap is not None and update.swap is not None:
            assert step.swap.event is not None
            assert step.trader_base == step.swap.event.user_base_token_reserves
            assert msgspec.structs.asdict(step.swap.event)["base_supply"] == step.before.base_supply  # type: ignore[union-attr]
    assert next(steps, None) is None


def test_the_vectors_are_a_chronicle_that_is_exact() -> None:
    chronicle = VectorChronicle(GOLDEN / "simulator.json")
    cases = load("simulator")["vectors"]
    accepted = sum("error" not in step for case in cases for step in case["steps"])
    found = verify(chronicle)
    assert (found.exact, found.differing, found.told) == (len(cases) + accepted, 0, 0)
    assert chronicle.identity.pools == len(cases) == 80
    assert chronicle.counts["swaps"] == found.rates_unexplained


def test_a_file_that_holds_no_sequences_is_said_to(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    with pytest.raises(NotFound):
        open_chronicle(f"vectors:{path}")
    for text in ("{}", "[]", "no json", json.dumps({"vectors": [{"id": "a"}]})):
        path.write_text(text)
        with pytest.raises(BadInput):
            open_chronicle(f"vectors:{path}")


@pytest.mark.parametrize(("name", "minutes"), [("simulated:x", 5), ("simulated:-1", 5), ("simulated", 0)])
def test_a_simulated_market_needs_a_seed_and_a_length(name: str, minutes: int) -> None:
    with pytest.raises(UsageError):
        open_chronicle(name, minutes=minutes)


def test_identities_tell_histories_apart_and_nothing_else() -> None:
    one, again = open_chronicle("simulated:4", minutes=5), open_chronicle("simulated:4", minutes=5)
    assert one.identity == again.identity
    assert list(one.steps()) == list(again.steps()) == list(one.steps())
    assert open_chronicle("simulated:5", minutes=5).identity.sha256 != one.identity.sha256
    pool = next(one.steps()).pool
    part = open_chronicle("simulated:4", minutes=5, pools=(pool,))
    assert {step.pool for step in part.steps()} == {pool} == set(part.complete)
    assert part.identity.sha256 != one.identity.sha256


def test_a_window_begins_with_every_pool_as_it_was_and_ends_before_its_end() -> None:
    whole = list(market(7).steps())
    since, until = whole[200].at_ns + 1, whole[400].at_ns
    part = open_chronicle("simulated:7", minutes=10, since_ns=since, until_ns=until)
    steps = list(part.steps())
    inside = [step for step in whole if since <= step.at_ns < until]
    first, rest = steps[: -len(inside)], steps[-len(inside) :]
    known = {step.pool: step.after for step in whole if step.at_ns < since}
    assert {step.pool: step.after for step in first} == known
    assert all(isinstance(step.act, Told) and step.at_ns == since for step in first)
    bare = [msgspec.structs.replace(step, order=0) for step in inside]
    assert [msgspec.structs.replace(step, order=0) for step in rest] == bare
    assert verify(part).is_good
    assert part.span_ns == (since, inside[-1].at_ns)
    assert set(part.complete.values()) == {((since, until),)}


def test_a_window_behind_the_end_still_says_how_it_ended() -> None:
    whole = list(market(7).steps())
    end = whole[-1].at_ns
    steps = list(open_chronicle("simulated:7", minutes=10, since_ns=end + 10**9).steps())
    assert {step.pool: step.after for step in steps} == {step.pool: step.after for step in whole}


def _steps() -> list[Step]:
    return [step for step in market(7, minutes=3).steps() if step.snapshot is None]


def test_the_check_finds_what_does_not_follow() -> None:
    steps, schedule_for = _steps(), market(7).schedule_for
    assert verify_steps(steps, schedule_for).is_good
    at = next(number for number, step in enumerate(steps) if isinstance(step.act, BuyQuote))
    buy = steps[at]
    assert isinstance(buy.act, BuyQuote)
    assert buy.after is not None

    def changed(**fields: object) -> list[str]:
        one = msgspec.structs.replace(buy, **fields)
        later = [step for step in steps[at + 1 :] if step.pool != buy.pool]
        found = verify_steps([*steps[:at], one, *later], schedule_for)
        assert found.differing == len(found.first_differences) == 1
        return [one.what for one in found.first_differences]

    more = msgspec.structs.replace(buy.act, spendable_quote_in=buy.act.spendable_quote_in + 10_000)
    assert "quote_vault" in changed(act=more)[0]
    assert "refused" in changed(act=msgspec.structs.replace(buy.act, min_base_amount_out=2**63))[0]
    assert "nothing was done" in changed(act=None)[0]
    assert "claims to be exact" in changed(act=Told(buy.after))[0]
    assert "step before" in changed(before=buy.after, act=None)[0]
    assert "VaultGift" in changed(act=VaultGift(1, 1), exactness=Exactness.ADJUSTED)[0]


def test_one_pass_checks_a_chronicle_and_tells_its_identity() -> None:
    passes = 0

    class Counted(type(market(7, minutes=3))):  # type: ignore[misc]
        def _weave(self, tally):  # type: ignore[no-untyped-def]
            nonlocal passes
            passes += 1
            return super()._weave(tally)

    chronicle = Counted(market(7, minutes=3).plan)
    assert verify(chronicle).exact == chronicle.counts["exact"]
    assert chronicle.identity == market(7, minutes=3).identity
    assert chronicle.span_ns[0] > 0
    assert passes == 1
