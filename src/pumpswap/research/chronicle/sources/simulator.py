"""The simulated market as a chronicle: every act is known, nothing is inferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pumpswap.amm import FeeSchedule, current_schedule
from pumpswap.amm.acts import Told
from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import FIRST_SLOT, MarketSimulator, Pace
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.step import Range, Step
from pumpswap.research.chronicle.window import Numbering, Window

__all__ = ["SimulatedChronicle", "SimulatedPlan"]


def _newest_fees(_unix_seconds: int) -> FeeSchedule:
    return current_schedule()


@dataclass(frozen=True, slots=True)
class SimulatedPlan:
    """Which market: one plan is one market, on every machine."""

    seed: int = 1
    minutes: int = 30
    pools: int = 6
    start_ns: int = TRIAL_START_NS
    pace: Pace = Pace()  # noqa: RUF009 - frozen


class SimulatedChronicle(BaseChronicle):
    """What happens in a simulated market in which we do nothing."""

    def __init__(self, plan: SimulatedPlan, window: Window | None = None) -> None:
        name = f"simulated:{plan.seed}"
        source = {"kind": "simulated", "seed": str(plan.seed), "minutes": str(plan.minutes), "pools": str(plan.pools)}
        super().__init__(name, source, EvenSlots(FIRST_SLOT, plan.start_ns), _newest_fees, window)
        self.plan = plan
        self.addresses = tuple(listing.floor.address for listing in self._market(PoolBook()).listings)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is invented."""
        return ("The market is simulated: who trades when is invented, prices are the program's, fees its newest.",)

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """From beginning to end."""
        end_ns = self.plan.start_ns + self.plan.minutes * 60_000_000_000 + 1
        whole = self.window.clipped([(self.plan.start_ns, end_ns)])
        return {address: whole for address in self.addresses if self.window.wants(address)}

    def _market(self, book: PoolBook) -> MarketSimulator:
        plan = self.plan
        return MarketSimulator(
            book,
            seed=plan.seed,
            start_ns=plan.start_ns,
            duration_s=plan.minutes * 60,
            pools=plan.pools,
            pace=plan.pace,
        )

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        book, numbers = PoolBook(), Numbering()
        market = self._market(book)
        market.tell_events()
        floors = {listing.floor.address: listing.floor for listing in market.listings}
        for update in market.updates():
            state = update.state
            if state is None:  # a simulated market always knows
                continue
            before = book.state(update.pool)
            act = Told(state) if before is None else floors[update.pool].act
            event = update.swap.event if update.swap is not None else None
            book.apply(update)
            yield Step(
                at_ns=update.at_ns,
                slot=state.slot,
                order=numbers.next(state.slot),
                pool=update.pool,
                act=act if update.snapshot is None else None,
                before=before,
                after=state,
                swap=update.swap,
                snapshot=update.snapshot,
                trader_base=None if event is None else event.user_base_token_reserves,
            )
