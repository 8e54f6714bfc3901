"""What the desk tells the gate and risk: approvals, equity before them, trials over a restart."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from pumpswap.amm import current_schedule
from pumpswap.engine.engine import Engine, EngineParts, Restored
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import BreakerState, Decision, ExitKind, RiskState, RunObserver
from tests.support.market import SOL, START_NS, always, graduate, mint, moved, seen, settings


@dataclass
class Decided(RunObserver):
    """Remembers decisions."""

    all: list[Decision] = field(default_factory=list)

    def on_decision(self, decision: Decision) -> None:
        self.all.append(decision)


def engine(mode: str, risk: RiskState | None = None, **limits: str) -> tuple[Engine, Decided]:
    used, book, heard = settings(risk=limits), PoolBook(), Decided()
    venue = PaperVenue(
        book, used.paper, lambda _: current_schedule(), max_state_age_seconds=used.risk.max_state_age_seconds
    )
    parts = EngineParts(
        book, venue, always(90.0), lambda _: current_schedule(), used, mode=mode, restored=Restored(risk)
    )
    made = Engine(parts, (heard,))
    made.clock.advance_to(START_NS)
    made.deposit(50 * SOL)
    return made, heard


def test_an_approval_counts_although_the_signal_has_aged_meanwhile() -> None:
    made, _ = engine("approve")
    made.step(seen(graduate(), 0, scored=True))
    (decision_id,) = made.desk.proposals
    made.step(seen(graduate(), 100))  # the state is fresh, the signal is 100 s old by now
    decision = made.desk.approve(decision_id, "alice")
    assert decision
    assert decision.intent.proposed_ns == START_NS
    assert len(made.desk.orders) == 1


def test_an_approval_is_judged_on_the_equity_of_now() -> None:
    made, _ = engine("approve", max_daily_loss_fraction="0.001")
    made.step(seen(graduate(), 0, scored=True))
    made.desk.approve(next(iter(made.desk.proposals)), "alice")
    made.step(seen(graduate(2), 10, scored=True))
    (waiting,) = made.desk.proposals
    made.step(seen(moved(graduate(), -60), 12))  # what is held falls, and nobody has measured equity since
    made.step(seen(graduate(2), 12))
    decision = made.desk.approve(waiting, "alice")
    assert [verdict.policy for verdict in decision.refusals] == ["daily loss"]


def test_a_trial_on_its_way_keeps_others_back_after_a_restart() -> None:
    first, _ = engine("paper")
    first.step(seen(graduate(), 0, scored=True))
    (order,) = first.desk.orders
    half_open = RiskState(breaker=BreakerState.HALF_OPEN, trials=(order.order_id,))
    made, heard = engine("paper", half_open)
    made.desk.restore([order])
    made.step(seen(graduate(2), 1, scored=True))
    assert [verdict.policy for verdict in heard.all[-1].refusals] == ["circuit breaker"]
    assert "a trial is on its way" in heard.all[-1].refusals[0].text
    # An order that nobody gives back has died with its process: the next entry is the trial.
    made, heard = engine("paper", half_open)
    made.step(seen(graduate(2), 1, scored=True))
    assert heard.all[-1]
    assert made.risk.state.trials == tuple(one.order_id for one in made.desk.orders)


def test_a_buy_that_waits_for_a_person_keeps_other_buys_back_and_no_sale() -> None:
    """The same coin in two pools: one is held, a buy in the other is proposed."""
    made, heard = engine("approve", allow_permissionless_pools="true", max_token_sol="5")
    here, there = graduate(), msgspec.structs.replace(graduate(creator=mint(9)), address=mint(77))
    pool = str(here.address)
    made.step(seen(here, 0, scored=True))
    made.desk.approve(next(iter(made.desk.proposals)), "alice")
    made.step(seen(here, 3))
    made.step(seen(there, 4, scored=True))
    assert len(made.desk.proposals) == 1
    made.step(seen(there, 5, scored=True))
    assert [verdict.policy for verdict in heard.all[-1].refusals] == ["open order"]
    assert heard.all[-1].refusals[0].text == "a buy of it waits for your approval"
    made.step(seen(moved(here, -60), 6))
    made.step(seen(moved(here, -60), 8))
    assert made.portfolio.positions.open_round(pool) is None
    assert len(made.desk.proposals) == 1
    # By hand too: what is held of it is sold, although the same coin is proposed.
    made.step(seen(graduate(2), 10, scored=True))
    made.desk.approve(list(made.desk.proposals)[-1], "alice")
    made.step(seen(graduate(2), 13))
    again = msgspec.structs.replace(graduate(2, creator=mint(9)), address=mint(78))
    made.step(seen(again, 14, scored=True))
    assert len(made.desk.proposals) == 2
    assert made.close_all(ExitKind.BY_HAND, "asked for") == 1
    assert [order.reason for order in made.desk.orders] == ["asked for"]


@pytest.mark.parametrize("limit", ["max_token_sol", "max_token_fraction", "max_exposure_fraction"])
def test_no_limit_of_cost_is_passed_by_the_fees_of_the_buy(limit: str) -> None:
    """The fees are cost of what is held: half a SOL is the most that the coin may cost, all in."""
    limits = {limit: "0.5" if limit == "max_token_sol" else "0.01"}
    made, heard = engine("paper", None, **limits)
    made.step(seen(graduate(), 0, scored=True))
    (order,) = made.desk.orders
    assert order.quote_lamports == SOL * 49 // 100
    view = made.desk.book_view(heard.all[-1].intent)
    assert (view.exposure, view.token_exposure) == (SOL // 2, SOL // 2)  # what is on its way, with its allowance
    assert view.balance == 50 * SOL - SOL // 2
    made.step(seen(graduate(), 3))
    (position,) = made.portfolio.positions.open_positions()
    assert order.quote_lamports < position.cost_lamports <= SOL // 2
