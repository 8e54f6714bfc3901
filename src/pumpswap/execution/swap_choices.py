"""How a swap is built where the program leaves a choice: recipients that spread write locks, the marker, the tip."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.chain.lanes import Lane
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.swap_plan import SwapChoices, Tip
from pumpswap.settings import Settings

__all__ = ["choose"]


def choose(
    policy: SandwichPolicy,
    generation: int,
    market: tuple[PoolState, FeeSchedule],
    lanes: Sequence[Lane],
    settings: Settings,
    rng: Random,
) -> SwapChoices:
    """For one transaction; the next one of the same order may get others."""
    state, schedule = market
    config = schedule.global_config
    recipients = config.protocol_recipients(is_mayhem_mode=state.pool.is_mayhem_mode)
    return SwapChoices(
        generation,
        recipient_index=rng.choice(_set_wallets(recipients)),
        buyback_index=rng.choice(_set_wallets(config.buyback_fee_recipients)),
        dont_front=policy.wants_marker(settings),
        tip=_tip(policy, lanes, settings, rng),
    )


def _tip(policy: SandwichPolicy, lanes: Sequence[Lane], settings: Settings, rng: Random) -> Tip | None:
    for lane in policy.chosen(lanes):
        account = lane.tip_account(rng)
        lamports = max(settings.sending.tip_lamports, lane.min_tip_lamports)
        if account is not None and lamports:
            return Tip(account, lamports)
    return None


def _set_wallets(listed: Sequence[Pubkey]) -> list[int]:
    """Indices of a list in GlobalConfig whose places are filled."""
    return [index for index, wallet in enumerate(listed) if wallet != Pubkey.default()]
