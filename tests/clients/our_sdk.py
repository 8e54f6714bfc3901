"""Our SDK on the practice chain: settings for one process, a live wallet with limits, a round trip, the books after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.model import LedgerEntry
from pumpswap.sdk import PumpSwapSDK, TradeResult
from pumpswap.settings import DATABASE_FILE, ChainSettings, EndpointSettings, RiskLimits, SendingSettings, Settings
from pumpswap.storage.database import open_database
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner

__all__ = ["OurRun", "settings_for", "stored_ledger", "trade_with_our_sdk"]

SOL = 1_000_000_000
_OFTEN: dict[str, Any] = {  # tests trade as often as they can, and their bots move prices a lot
    "cooldown_seconds": 0, "slippage_bps": 3_000, "max_slippage_bps": 5_000, "max_round_trip_loss_bps": 2_000,
    "max_trades_per_minute": 1_000_000, "max_trades_per_hour": 1_000_000, "max_trades_per_day": 1_000_000,
    "max_daily_loss_fraction": 1, "max_drawdown_fraction": 1, "max_losses_in_a_row": 1_000, "breaker_failures": 1_000,
}  # fmt: skip


@dataclass(frozen=True)
class OurRun:
    """Results in order, and what the books hold when the SDK closes."""

    results: tuple[TradeResult, ...]
    balances: dict[str, int]


def settings_for(http_url: str, ws_url: str, folder: Path) -> Settings:
    """Settings for one endpoint of a practice chain."""
    endpoint = EndpointSettings(url=SecretStr(http_url), ws_url=SecretStr(ws_url), requests_per_second=1_000)
    return Settings(
        data_dir=folder,
        chain=ChainSettings(network="localnet", endpoints=(endpoint,)),
        sending=SendingSettings(rebroadcast_ms=200, poll_ms=50),
        risk=RiskLimits(**_OFTEN),
    )


def practice_signer(wallet: Keypair) -> LocalSigner:
    """The wallet behind the guard, with generous limits."""
    limits = WalletLimits(max_order_lamports=5 * SOL, max_day_lamports=50 * SOL, min_reserve_lamports=SOL // 20)
    return LocalSigner(Secret(bytes(wallet)[:32]), limits)


async def trade_with_our_sdk(settings: Settings, mint: Pubkey, wallet: Keypair, buys: tuple[str, ...]) -> OurRun:
    """Buy for each amount of SOL, then sell everything."""
    results: list[TradeResult] = []
    async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
        for sol in buys:
            results.append(await sdk.buy(str(mint), sol))
        results.append(await sdk.sell(str(mint)))
        assert sdk.trader is not None
        books = sdk.trader.books
        balances = {asset: books.balance(asset) for asset in ("SOL", str(mint))}
    return OurRun(tuple(results), balances)


def stored_ledger(settings: Settings, wallet: Pubkey, genesis_hash: str) -> list[LedgerEntry]:
    """The ledger as the database holds it after the SDK has closed."""
    database = open_database(settings.data_dir / DATABASE_FILE)
    try:
        run = database.open_live(str(wallet), genesis_hash)
        assert run is not None
        return list(run.ledger())
    finally:
        database.close()
