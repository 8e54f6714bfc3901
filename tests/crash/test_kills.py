"""Killed at any moment, a trading process loses nothing and does nothing twice (P23, P24); and the judge can say no."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.errors import StorageError
from pumpswap.localnet.process import LocalnetOptions, start_process
from pumpswap.model import Filled
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import DATABASE_FILE
from tests.clients.our_sdk import practice_signer, settings_for
from tests.crash.kills import run_kills
from tests.crash.practice import SLOT_MS, SOL, rpc
from tests.crash.trader_judge import CrashFailure, CrashRun, judge
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")

KILLS = 4


def test_p23_p24_kill_nine_loses_no_trade_and_repeats_none() -> None:
    run = run_kills(seed=11, kills=KILLS)
    assert run.kills == KILLS
    assert run.landed > 0


def forget_an_attempt(books: sqlite3.Connection) -> None:
    books.execute("DELETE FROM pumpswap_attempts WHERE id = (SELECT max(id) FROM pumpswap_attempts)")


def forget_a_trade(books: sqlite3.Connection) -> None:
    books.execute("DELETE FROM pumpswap_trades")


def forget_a_cost(books: sqlite3.Connection) -> None:
    books.execute("UPDATE pumpswap_ledger SET units = units + 1 WHERE kind = 'network_fee'")
    books.execute("UPDATE pumpswap_balances SET units = units + 1 WHERE kind = 'network_fee'")


def change_an_entry(books: sqlite3.Connection) -> None:
    books.execute("UPDATE pumpswap_ledger SET units = units + 1 WHERE kind = 'network_fee'")


def claim_a_refusal(books: sqlite3.Connection) -> None:
    books.execute("DELETE FROM pumpswap_trades")
    books.execute(
        "UPDATE pumpswap_orders SET status = 'denied', outcome = ?", ('{"rule": "expired", "text": "never landed"}',)
    )


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (forget_an_attempt, CrashFailure, "the books and the wallet differ"),
        (forget_a_trade, StorageError, "cannot be read"),
        (forget_a_cost, CrashFailure, "the books and the wallet differ"),
        (change_an_entry, CrashFailure, "sums beside the ledger"),
        (claim_a_refusal, CrashFailure, "yet .* is on the chain"),
    ],
)
def test_the_judge_finds_books_that_are_not_the_chains(
    spoil: Callable[[sqlite3.Connection], None], error: type[Exception], text: str, tmp_path: Path
) -> None:
    wallet = Keypair()

    async def story(http_url: str, ws_url: str, pool: Pubkey) -> None:
        settings = settings_for(http_url, ws_url, tmp_path)
        async with ChainConnection(settings) as connection:
            trader = await Trader.open(connection, practice_signer(wallet))
            traded = await trader.buy(await connection.pool(pool), SOL // 10)
            assert isinstance(traded.outcome, Filled), traded
            await judge(trader, CrashRun())
            await trader.aclose()
            with sqlite3.connect(tmp_path / DATABASE_FILE) as books:
                spoil(books)
            books.close()
            trader = await Trader.open(connection, practice_signer(wallet))
            try:
                await judge(trader, CrashRun())
            finally:
                await trader.aclose()

    options = LocalnetOptions(programs=material("chain"), slot_ms=SLOT_MS, test_methods=True)
    with start_process(options) as localnet:
        rpc(localnet, "requestAirdrop", str(wallet.pubkey()), 10 * SOL)
        pool = Pubkey.from_string(rpc(localnet, "localnet_market", 1)[0]["address"])
        with pytest.raises(error, match=text):
            asyncio.run(story(localnet.http_url, localnet.ws_url, pool))
