"""Where market data come from, how tokens are screened, whose trades are followed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from pumpswap.settings.section import BpsValue, PublicKey, Seconds, Section, Share, Sol, Weight

__all__ = ["CollectSettings", "FollowSettings", "FollowedWallet", "LakeSettings", "ScreenSettings"]


class CollectSettings(Section):
    """What is collected from market-data services, and how politely."""

    network: str = "solana"  # as the service names it
    dexes: tuple[str, ...] = ("pumpswap",)  # which exchanges are kept; empty: all
    interval_seconds: int = Field(60, ge=1)  # between two looks at the new pools
    pages: int = Field(3, ge=1, le=10)  # of new pools per look, 20 each
    follow_seconds: int = Field(3_600, ge=1)  # between two later looks at a known pool
    follow_hours: int = Field(24, ge=1)  # how long a pool is looked at; one on the watchlist as long as it is there
    timeframes: tuple[str, ...] = ("1m",)  # candles of pools that score well or are watched; empty: none
    min_trade_usd: Decimal = Field(Decimal(100), ge=0)  # the host keeps no smaller trades either
    watch: bool = True  # a pool that reaches signals.min_score goes on the watchlist, as in the host
    gecko_url: str = "https://api.geckoterminal.com/api/v2"  # GeckoTerminal
    dexscreener_url: str = "https://api.dexscreener.com"  # DexScreener, the second source
    requests_per_minute: int = Field(30, ge=1, le=100_000)  # what the free service allows
    max_retries: int = Field(5, ge=0, le=100)  # of one request
    timeout_seconds: int = Field(20, ge=1, le=600)  # of one request


class LakeSettings(Section):
    """Where the history of the market is kept."""

    folder: Path | None = None  # default: lake in the data folder


class ScreenSettings(Section):
    """What a token must show before it counts as safe. What is not known is not safe."""

    min_age_seconds: Seconds = 300  # since the pool was made
    max_top_holder: Share = Decimal("0.1")  # one holder, of the supply, pool and burned tokens apart
    max_top_ten: Share = Decimal("0.4")  # the ten largest holders together, of the supply
    max_transfer_fee_bps: BpsValue = 0  # a token that takes more of every transfer is not safe
    # of the pool's LP tokens; when a coin graduates all are burned, later deposits add others
    min_lp_burned: Weight = Decimal("0.9")
    excluded_holders: tuple[str, ...] = ()  # owners that are no holders: lockers, pools of other exchanges
    # the latest trades that are looked at, one question to the endpoint each
    recent_swaps: int = Field(60, ge=0, le=1_000)
    min_swaps: int = Field(10, ge=1, le=1_000)  # fewer trades say nothing about fake volume or whether one can sell
    max_wallet_share: Share = Decimal("0.5")  # of the volume, by one wallet
    max_round_trip_share: Share = Decimal("0.5")  # of the volume, bought and sold again by the same wallets
    max_same_size_share: Share = Decimal("0.6")  # of the trades, of one and the same amount
    max_creator_sales: Share = Decimal("0.3")  # of what was sold, by the coin's creators
    max_liquidity_drop: Share = Decimal("0.5")  # withdrawn, or sold out of, within the trades that are looked at
    max_failed_sell_share: Share = Decimal("0.5")  # of the attempts to sell, price limits apart
    report_seconds: Seconds = 300  # how long a report counts before the token is looked at again


class FollowedWallet(Section):
    """A wallet whose trades count. ``weight`` scales how far its record moves the score from neutral."""

    address: PublicKey
    weight: Decimal = Field(Decimal("1"), gt=0, le=2)


class FollowSettings(Section):
    """Whose trades are signals, and how much their record counts."""

    # whose trades count: each with `address` and, where it counts more or less, `weight`
    wallets: tuple[FollowedWallet, ...] = ()
    neutral_score: float = Field(50.0, ge=0, le=100)  # of a wallet without a record
    shrink_rounds: int = Field(10, ge=1, le=1_000)  # a record of so many closed rounds counts half
    min_rounds: int = Field(3, ge=0, le=1_000)  # fewer closed rounds: no entry
    min_quote_sol: Sol = Decimal("0.05")  # smaller trades are no signal
    # the price since: so far above the wallet's own buy nothing is left
    max_lateness_bps: int = Field(1_000, ge=1, le=100_000)
    quick_sell_seconds: Seconds = 30  # a round that short lures followers
    max_bait_share: Share = Decimal("0.5")  # of its rounds that short, or of its buys that small: no entry

    @model_validator(mode="after")
    def _wallets_are_named_once(self) -> Self:
        names = [wallet.address for wallet in self.wallets]
        if len(set(names)) < len(names):
            raise ValueError("a wallet is named twice")
        return self
