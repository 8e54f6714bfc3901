"""The official SDK, solana-py and our SDK trade one pool of one practice chain; every fill is the exact quote."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from solders.keypair import Keypair

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.rpc import RpcNode
from pumpswap.clock import SystemClock
from pumpswap.settings import Settings
from tests.clients.fills import Fill, Landed, history_of, replay
from tests.clients.official_sdk import OfficialRun, node_script, trade_with_official_sdk
from tests.clients.our_sdk import OurRun, settings_for, stored_ledger, trade_with_our_sdk
from tests.clients.practice import Practice, practice_process
from tests.clients.solana_py import SolanaPyTrade, SolanaPyTrader
from tests.conformance.node import NodeUnavailable
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.slow]

SOL = 1_000_000_000


@dataclass(frozen=True)
class Everybody:
    """What each client says, and what the chain says afterwards."""

    official: OfficialRun | str  # or why there is no Node
    solana_py: list[SolanaPyTrade]
    ours: OurRun
    history: list[Landed]
    fills: list[Fill]
    replayed: PoolState
    on_chain: PoolState
    our_holdings: dict[str, int]
    settings: Settings
    genesis_hash: str
    practice: Practice

    def of(self, wallet: Keypair) -> list[Fill]:
        return [fill for fill in self.fills if fill.landed.payer == str(wallet.pubkey())]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Everybody:
    try:
        script: Path | str = node_script()
    except NodeUnavailable as missing:
        script = str(missing)
    folder = tmp_path_factory.mktemp("same_pool")
    with practice_process(folder) as practice:
        return asyncio.run(_trade(practice, script, folder))


async def _trade(practice: Practice, script: Path | str, folder: Path) -> Everybody:
    pool, mint = practice.opening.address, practice.opening.pool.base_mint
    theirs, python, ours = practice.wallets
    settings = settings_for(practice.http_url, practice.ws_url, folder)
    # At the same time, so that each lands on states that the others have made since it quoted.
    official, trades, run = await asyncio.gather(
        _official(practice, theirs, script),
        _solana_py(practice, python),
        trade_with_our_sdk(settings, mint, ours, ("0.5", "0.25")),
    )
    history = await history_of(practice.http_url, practice.opening)
    fills, replayed = replay(practice.opening, practice.schedule, history)
    async with (
        SolanaPyTrader(practice.http_url, practice.ws_url, pool, python) as reader,
        RpcNode(settings.chain.endpoints[0], clock=SystemClock()) as node,
    ):
        on_chain, _ = await reader.state()
        lamports = (await reader.client.get_balance(ours.pubkey())).value
        held = await node.accounts([ata(ours.pubkey(), one, TOKEN_PROGRAM) for one in (WSOL_MINT, mint)])
        wsol, base = (0 if one is None else int.from_bytes(one.data[64:72], "little") for one in held.accounts)
        genesis_hash = await node.genesis_hash()
    return Everybody(
        official=official,
        solana_py=trades,
        ours=run,
        history=history,
        fills=fills,
        replayed=replayed,
        on_chain=on_chain,
        our_holdings={"SOL": lamports + wsol, str(mint): base},
        settings=settings,
        genesis_hash=genesis_hash,
        practice=practice,
    )


async def _official(practice: Practice, wallet: Keypair, script: Path | str) -> OfficialRun | str:
    if isinstance(script, str):
        return script
    trades = [("buy", str(SOL)), ("buy", str(SOL // 3)), ("sell", "all")]
    return await trade_with_official_sdk(script, practice.http_url, practice.opening.address, wallet, trades)


async def _solana_py(practice: Practice, wallet: Keypair) -> list[SolanaPyTrade]:
    async with SolanaPyTrader(practice.http_url, practice.ws_url, practice.opening.address, wallet) as trader:
        bought = [await trader.buy(SOL // 2), await trader.buy(SOL // 7)]
        return [*bought, await trader.sell(await trader.base_units() // 2)]


def test_every_fill_equals_the_exact_quote_on_the_state_it_landed_on(everybody: Everybody) -> None:
    # replay() has compared each amount, each fee, both reserves before and after, and the payer's balances.
    official = 0 if isinstance(everybody.official, str) else 3
    assert [len(everybody.of(wallet)) for wallet in everybody.practice.wallets] == [official, 3, 3]
    assert len(everybody.fills) == official + 6


def test_a_swap_that_is_missing_from_the_history_does_not_pass_unseen(everybody: Everybody) -> None:
    for missing in range(len(everybody.history)):
        shortened = [*everybody.history[:missing], *everybody.history[missing + 1 :]]
        if missing == len(everybody.history) - 1:
            _, replayed = replay(everybody.practice.opening, everybody.practice.schedule, shortened)
            assert replayed.quote_vault != everybody.on_chain.quote_vault
        else:
            with pytest.raises(AssertionError, match="did not land on the state"):
                replay(everybody.practice.opening, everybody.practice.schedule, shortened)


def test_the_replayed_pool_is_the_pool_on_chain(everybody: Everybody) -> None:
    replayed, on_chain = everybody.replayed, everybody.on_chain
    assert (replayed.base_reserve, replayed.quote_vault) == (on_chain.base_reserve, on_chain.quote_vault)
    assert (replayed.base_supply, replayed.pool) == (on_chain.base_supply, on_chain.pool)


def test_the_official_sdk_trades_unmodified(everybody: Everybody) -> None:
    if isinstance(everybody.official, str):
        pytest.skip(everybody.official)
    wallet = everybody.practice.wallets[0]
    fills = everybody.of(wallet)
    trades = everybody.official.trades
    assert everybody.official.user == str(wallet.pubkey())
    assert [trade["signature"] for trade in trades] == [fill.signature for fill in fills]
    assert [trade["version"] for trade in trades] == ["legacy", "legacy", 0]
    assert {trade["signature"] for trade in trades} <= everybody.official.seen
    assert everybody.official.changes  # its account subscription told of the balance
    for trade, fill in zip(trades, fills, strict=True):
        moved = int(trade["after"]["base"]) - int(trade["before"]["base"])
        assert (trade["slot"], moved) == (fill.landed.slot, fill.landed.base_change)
        assert int(trade["after"]["lamports"]) - int(trade["before"]["lamports"]) == fill.landed.sol_change
    assert trades[-1]["after"]["base"] == "0"


def test_solana_py_trades_with_preflight_and_confirms_by_subscription(everybody: Everybody) -> None:
    fills = everybody.of(everybody.practice.wallets[1])
    assert [trade.signature for trade in everybody.solana_py] == [fill.signature for fill in fills]
    for trade, fill in zip(everybody.solana_py, fills, strict=True):
        assert (trade.slot, trade.base_after - trade.base_before) == (fill.landed.slot, fill.landed.base_change)
        assert trade.lamports_after - trade.lamports_before == fill.landed.sol_change


def test_our_sdk_says_what_the_chain_says(everybody: Everybody) -> None:
    fills = everybody.of(everybody.practice.wallets[2])
    results = everybody.ours.results
    assert [result["status"] for result in results] == ["filled"] * 3, [result["message"] for result in results]
    assert [result["transaction_hash"] for result in results] == [fill.signature for fill in fills]
    for result, fill in zip(results, fills, strict=True):
        assert (result["slot"], result["base_units"]) == (fill.landed.slot, abs(fill.landed.base_change))
        fees = (result["network_fee_lamports"] or 0) + (result["priority_fee_lamports"] or 0)
        assert fees == fill.landed.fee


def test_the_ledger_of_our_sdk_is_the_wallet(everybody: Everybody) -> None:
    assert everybody.ours.balances == everybody.our_holdings
    wallet = everybody.practice.wallets[2].pubkey()
    entries = stored_ledger(everybody.settings, wallet, everybody.genesis_hash)
    sums = {asset: sum(one.units for one in entries if one.asset == asset) for asset in everybody.our_holdings}
    assert sums == everybody.our_holdings
    landed = {fill.signature for fill in everybody.of(everybody.practice.wallets[2])}
    assert {one.signature for one in entries if one.signature} == landed
