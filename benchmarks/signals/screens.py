"""Screens and followed wallets: rules over facts in memory, signals over a stream of swaps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from fractions import Fraction

from solders.pubkey import Pubkey

from benchmarks.figures import Figures
from pumpswap.model import Swap, TokenFacts
from pumpswap.settings import FollowedWallet, FollowSettings
from pumpswap.signals.screens import screen_token
from pumpswap.signals.wallet_follow import Seen, WalletFollower
from tests.signals.screens.coins import lively, traded

__all__ = ["measure"]

TOKENS, SWAPS, WALLETS = 1_000, 200_000, 100
_TRADES = 60
_ROUNDS = 5


def measure() -> Figures:
    """All checks for 1,000 tokens with 60 trades each, and 200,000 swaps past 100 followed wallets; best of five."""
    facts = [traded(lively(_TRADES)) for _ in range(TOKENS)]
    swaps, wallets = _market()
    screens = _best(lambda: _screened(facts))
    follow = _best(lambda: _followed(swaps, wallets))
    return Figures(
        title=f"screens of {TOKENS:,} tokens, and {SWAPS:,} swaps past {WALLETS} followed wallets",
        table=[
            f"{'all checks of a token, from facts in memory':44}{screens / TOKENS * 1e6:10.0f} µs",
            f"{'a swap of the stream, one in ten followed':44}{follow / SWAPS * 1e6:10.1f} µs",
        ],
        figures={
            "screen_us": round(screens / TOKENS * 1e6),
            "follow_swap_us": round(follow / SWAPS * 1e6, 1),
            "follow_swaps_per_second": round(SWAPS / follow),
        },
        notes=["screens: 21 checks, 60 trades each; reading the facts from a chain takes up to 100 questions a token"],
    )


def _market() -> tuple[list[Swap], tuple[str, ...]]:
    rng = random.Random(7)
    names = [str(Pubkey.from_bytes(rng.randbytes(32))) for _ in range(WALLETS * 10)]
    pools = [f"pool {number}" for number in range(500)]
    swaps = [
        Swap(
            rng.choice(pools), number * 10**8, rng.random() < 0.55, rng.randint(1, 10**9), rng.randint(1, 10**9),
            rng.choice(names),
        )
        for number in range(SWAPS)
    ]  # fmt: skip
    return swaps, tuple(names[:WALLETS])


def _screened(facts: list[TokenFacts]) -> None:
    for one in facts:
        screen_token(one)


def _followed(swaps: list[Swap], wallets: tuple[str, ...]) -> None:
    follower = WalletFollower(FollowSettings(wallets=tuple(FollowedWallet(address=one) for one in wallets)))
    seen = Seen(spot=Fraction(1))
    for swap in swaps:
        follower.signal(swap, seen)


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - began)
    return min(rounds)
