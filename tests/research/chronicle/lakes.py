"""Lakes of simulated markets, as a recording of the chain would have filled them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import current_schedule
from pumpswap.amm.acting import act_on
from pumpswap.amm.acts import BoostBurn, SweepFees, Withdraw
from pumpswap.amm.events import BoostBuyAndBurnEvent, Event, FeeBucket, SweepPoolFeeEvent, WithdrawEvent
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.lake import Coverage, Lake, LakeWriter, PoolStateSeen
from pumpswap.model import SeenAct, Swap
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan
from pumpswap.research.chronicle.step import Step

__all__ = ["event_behind", "filled", "market", "rows_of"]

Row = Swap | SeenAct | PoolStateSeen


def market(seed: int, minutes: int = 10, pools: int = 6) -> SimulatedChronicle:
    return SimulatedChronicle(SimulatedPlan(seed=seed, minutes=minutes, pools=pools))


def rows_of(steps: Iterable[Step]) -> Iterator[tuple[str, Row]]:
    """What a recording of these steps tells: times in whole seconds, one state of each pool."""
    for number, step in enumerate(steps):
        at_ns = step.at_ns // NS_PER_SECOND * NS_PER_SECOND
        if step.before is None:
            assert step.after is not None
            # What was read before a slot is the state of the end of the one before it.
            yield "states", PoolStateSeen(at_ns, msgspec.structs.replace(step.after, slot=step.slot - 1))
        elif step.swap is not None:
            yield "swaps", replace(step.swap, at_ns=at_ns)
        elif (event := event_behind(step)) is not None:
            yield "acts", SeenAct(step.pool, at_ns, step.slot, f"Act{number}", 0, 0, event)


def filled(folder: Path, steps: Sequence[Step], *, without: str = "") -> Lake:
    """A lake of these steps, but for one kind of rows."""
    lake = Lake(folder)
    with LakeWriter(lake) as writer:
        for kind, row in rows_of(steps):
            if kind != without:
                writer.add(kind, [row], source="chain")
        for kind in {"swaps", "acts"} - {without}:
            end_ns = steps[-1].at_ns + 1
            writer.cover(Coverage(kind=kind, network=lake.network, start_ns=steps[0].at_ns, end_ns=end_ns))
    return lake


def event_behind(step: Step) -> Event | None:
    """What the program would have reported of an act that is no trade."""
    act, before = step.act, step.before
    if act is None or before is None:
        return None
    address, seconds = Pubkey.from_string(step.pool), step.at_ns // NS_PER_SECOND
    done = act_on(before, current_schedule(), act)
    moved = done.transfers
    if isinstance(act, SweepFees):
        paid, bucket = moved.protocol_recipient + moved.creator_vault, FeeBucket(act.bucket)
        return SweepPoolFeeEvent(timestamp=seconds, pool=address, amount=paid, bucket=int(bucket))
    if isinstance(act, BoostBurn):
        spent, burned = act.quote_amount_in, done.burned
        return BoostBuyAndBurnEvent(
            timestamp=seconds, pool=address, quote_amount_in_used=spent, base_amount_burned=burned
        )
    if isinstance(act, Withdraw):
        return WithdrawEvent(
            timestamp=seconds,
            pool=address,
            lp_token_amount_in=act.lp_amount,
            base_amount_out=moved.user_base_change,
            quote_amount_out=moved.user_quote_change,
        )
    return None
