"""What happens to a live position, from the signal to the money: each scenario ends with everything sold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pools import PoolSpec, fund_tokens
from pumpswap.model import ExitKind
from tests.execution.live_world import SOL
from tests.execution.practice_wallet import step
from tests.live.rig import Rig, Wrong
from tests.localnet.practice import ALICE, signed

__all__ = ["SCENARIOS", "Scenario", "play"]

_OFF = {
    "take_profit_bps": 0, "stop_loss_bps": 0, "trailing_stop_bps": 0, "max_hold_seconds": 0, "liquidity_flight_bps": 0,
    "rug_bps": 0, "sell_on_new_supply": False, "short_signal_bps": 0,
}  # fmt: skip
_PROVIDER = Keypair.from_seed(b"p" * 32)


@dataclass(frozen=True)
class Scenario:
    """``exits`` are the only rules that count; ``story`` begins with a position and ends when it is sold."""

    kind: ExitKind
    exits: Mapping[str, Any]
    story: Callable[[Rig], Awaitable[None]]
    spec: PoolSpec = field(default_factory=PoolSpec)
    risk: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Rig], None] = lambda _: None


async def play(scenario: Scenario, folder: Path, seed: int | None = None) -> Rig:
    """From the signal to the last lamport; raises Wrong, naming the seed. Close the rig's world."""
    sections = {"exits": _OFF | dict(scenario.exits), "risk": dict(scenario.risk)}
    rig = Rig(folder, seed, spec=scenario.spec, sections=sections)
    try:
        scenario.prepare(rig)
        await rig.start()
        is_held = await rig.until_held()
        if seed is not None:
            rig.break_endpoints(seed + 1)
        if is_held:
            await scenario.story(rig)
        await rig.until_sold()
        await rig.judge(scenario.kind)
    except AssertionError as wrong:
        rig.world.close()
        raise Wrong(f"seed {seed}: {wrong}") from wrong
    except BaseException:
        rig.world.close()
        raise
    return rig


# ---------------------------------------------------------------------------------------------- the stories


async def _quiet(rig: Rig, beats: int = 8) -> None:
    """Nothing happens, and nothing is sold."""
    for _ in range(beats):
        await rig.beat()
    if rig.held is None:
        raise Wrong("sold without a reason")


async def _stop_loss(rig: Rig) -> None:
    await _quiet(rig)
    rig.others_sell(0.25)


async def _take_profit(rig: Rig) -> None:
    await _quiet(rig)
    rig.others_buy(45 * SOL)


async def _ladder(rig: Rig) -> None:
    await _quiet(rig)
    held = rig.held
    assert held is not None
    rig.others_buy(15 * SOL)
    for _ in range(600):
        now = rig.held
        if now is not None and now.base_units < held.base_units and not rig.engine.desk.orders:
            break
        await rig.beat()
    else:
        raise Wrong("no rung was sold")
    now = rig.held
    if now is None or now.base_units != held.base_units - held.base_units * 3_000 // 10_000:
        raise Wrong(f"the first rung of {held.base_units} left {now}")
    rig.others_buy(45 * SOL)


async def _trailing(rig: Rig) -> None:
    rig.others_buy(45 * SOL)
    await _quiet(rig, 20)
    rig.others_sell(0.2)


async def _time(rig: Rig) -> None:
    await _quiet(rig)
    rig.pass_seconds(1_300)


async def _rug(rig: Rig) -> None:
    await _quiet(rig)
    rig.pull_liquidity(_PROVIDER, 0.6)


async def _liquidity_flight(rig: Rig) -> None:
    await _quiet(rig)
    rig.others_sell(1.3)


async def _new_supply(rig: Rig) -> None:
    """The mint authority, that nobody has given up, makes new tokens."""
    await _quiet(rig)
    chain, pool = rig.world.chain, rig.world.pool
    mint = pool.pool.base_mint
    account = fund_tokens(chain, ALICE.pubkey(), mint, pool.base_token_program, 10**12)
    keys = [(mint, False, True), (account, False, True), (ALICE.pubkey(), True, False)]
    made = step(pool.base_token_program, b"\x07" + (10**12).to_bytes(8, "little"), keys)
    receipt = chain.submit(signed(ALICE, [made], chain.blocks.newest.blockhash))
    assert receipt.has_landed and receipt.err is None, receipt
    chain.advance(1)


async def _panic(rig: Rig) -> None:
    await _quiet(rig)
    rig.engine.close_all(ExitKind.PANIC, "somebody has pressed the button")


def _provider(rig: Rig) -> None:
    """Who has made the pool still has its LP tokens, and empty accounts for what comes out."""
    chain, state = rig.world.chain, rig.world.pool
    owner, pool = _PROVIDER.pubkey(), state.pool
    chain.set_account(ChainAccount(owner, Pubkey.default(), SOL, b""))
    fund_tokens(chain, owner, pool.base_mint, state.base_token_program, 0)
    fund_tokens(chain, owner, pool.quote_mint, state.quote_token_program, 0)
    fund_tokens(chain, owner, pool.lp_mint, TOKEN_2022_PROGRAM, pool.lp_supply)
    chain.advance(3)


def _mintable(rig: Rig) -> None:
    chain, state = rig.world.chain, rig.world.pool
    data = token_bytes.mint(state.base_supply, state.base_decimals, authority=ALICE.pubkey())
    chain.set_account(ChainAccount(state.pool.base_mint, state.base_token_program, chain.rent(82), data))
    chain.advance(3)


_ANYONES = PoolSpec("permissionless")
_ALLOWED = {"allow_permissionless_pools": True}
_LADDER = [{"gain_bps": 2_000, "sell_bps": 3_000}, {"gain_bps": 8_000, "sell_bps": 7_000}]

SCENARIOS: Mapping[str, Scenario] = {
    "stop-loss": Scenario(ExitKind.STOP_LOSS, {"stop_loss_bps": 2_000}, _stop_loss),
    "take-profit": Scenario(ExitKind.TAKE_PROFIT, {"take_profit_bps": 5_000}, _take_profit),
    "ladder": Scenario(ExitKind.LADDER, {"take_profit_ladder": _LADDER}, _ladder),
    "trailing": Scenario(ExitKind.TRAILING_STOP, {"trailing_stop_bps": 2_000, "stop_loss_bps": 3_000}, _trailing),
    "time": Scenario(ExitKind.TIME_OUT, {"max_hold_seconds": 1_200}, _time),
    "rug": Scenario(ExitKind.RUG, {"rug_bps": 500}, _rug, _ANYONES, _ALLOWED, _provider),
    "liquidity-flight": Scenario(ExitKind.LIQUIDITY_FLIGHT, {"liquidity_flight_bps": 5_000}, _liquidity_flight),
    "new-supply": Scenario(ExitKind.RUG, {"sell_on_new_supply": True}, _new_supply, prepare=_mintable),
    "panic": Scenario(ExitKind.PANIC, {}, _panic),
}
