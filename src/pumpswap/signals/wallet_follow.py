"""WalletFollower: the swaps of chosen wallets as signals. What a wallet has done before decides how much it counts.

Past only: a signal is made from the swaps before it, and its own swap joins the record afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import log2

from pumpswap.amm import PoolState
from pumpswap.model import Side, Signal, Swap
from pumpswap.settings import FollowSettings
from pumpswap.signals.wallet_record import WalletBook, WalletRecord
from pumpswap.units import BPS, format_sol

__all__ = ["Seen", "WalletFollower", "seen_of"]

_SIZE_POINTS = 10.0  # for a buy of twice the habit or more, and as many off for half of it or less
_MIN_HABIT = 3
_LEAVING = Fraction(1, 4)  # selling less of what it holds is taking profit, no reason to go


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known about a swap's pool when the signal is made. ``spot`` is quote per base, raw units, before fees."""

    mint: str | None = None
    name: str = ""
    spot: Fraction | None = None


_NOTHING = Seen()


def seen_of(state: PoolState | None, name: str = "") -> Seen:
    """What the state of a pool tells; without one, or with an empty pool, there is no price."""
    if state is None:
        return Seen(name=name)
    is_empty = state.base_reserve <= 0 or state.effective_quote_reserve <= 0
    spot = None if is_empty else state.spot_price
    return Seen(str(state.pool.base_mint), name, spot)


class WalletFollower:
    """Scores swaps of followed wallets: LONG for their buys, SHORT for their sells, HOLD with the reason otherwise.

    The score is ``neutral_score`` and up to 50 points more or less by the wallet's record: half for its hit rate, half
    for its total return, shrunk by ``rounds / (rounds + shrink_rounds)`` and times the wallet's weight. A buy gets up
    to 10 points for its size against the wallet's habit, and loses all of its score as the price runs away.
    """

    source = "wallet-follow"

    def __init__(self, settings: FollowSettings) -> None:
        self._settings = settings
        self._weights = {wallet.address: float(wallet.weight) for wallet in settings.wallets}
        self._books = {address: WalletBook(settings) for address in self._weights}
        self._small = settings.lamports("min_quote_sol")

    def follows(self, wallet: str) -> bool:
        """Whether this wallet's swaps are signals."""
        return wallet in self._books

    def record(self, wallet: str) -> WalletRecord:
        """What is known of a followed wallet. Raises KeyError for another one."""
        return self._books[wallet].record

    def learn(self, swap: Swap) -> None:
        """Take in a swap from before, without a signal. In order of time, and before the first ``signal``."""
        book = self._books.get(swap.trader)
        if book is not None:
            book.take(swap)

    def signal(self, swap: Swap, seen: Seen = _NOTHING, *, learn: bool = True) -> Signal | None:
        """Signal of a swap, None when nobody follows its trader. Then, with ``learn``, the swap joins the record."""
        book = self._books.get(swap.trader)
        if book is None:
            return None
        made = self._buy(swap, book, seen) if swap.is_buy else self._sell(swap, book, seen)
        if learn:
            book.take(swap)
        return made

    def _buy(self, swap: Swap, book: WalletBook, seen: Seen) -> Signal:
        record = book.record
        reasons = [f"{swap.trader} buys for {format_sol(swap.quote_units)} SOL", _told(record)]
        objections = list(self._objections(swap, record))
        score, parts = self._score(swap.trader, record)
        reasons.append(parts)
        if record.habit_lamports and record.buys >= _MIN_HABIT and swap.quote_units > 0:
            ratio = swap.quote_units / record.habit_lamports
            points = _SIZE_POINTS * min(max(log2(ratio), -1.0), 1.0)
            score += points
            reasons.append(f"{ratio:.2f} times its usual {format_sol(record.habit_lamports)} SOL: {points:+.1f}")
        late = _lateness_bps(swap, seen.spot)
        if late is None:
            objections.append("the price now is not known, so neither is how late this is")
        else:
            most = self._settings.max_lateness_bps
            kept = max(0.0, 1 - late / most)
            score = min(max(score, 0.0), 100.0) * kept
            reasons.append(
                f"the price is {late / 100:.2f} % above its own, {most / 100:g} % leave nothing: x {kept:.2f}"
            )
            if late >= most:
                objections.append("too late: the price has run away")
        side = Side.HOLD if objections else Side.LONG
        return self._as_signal(swap, seen, side, score, (*reasons, *objections))

    def _sell(self, swap: Swap, book: WalletBook, seen: Seen) -> Signal:
        """Leaving is followed whatever the record: whoever came for a wallet's sake has no reason left to stay."""
        held = book.held_units(swap.pool)
        score, parts = self._score(swap.trader, book.record)
        reasons = [f"{swap.trader} sells for {format_sol(swap.quote_units)} SOL", _told(book.record), parts]
        if not held:
            reasons.append("it sells what it had before it was followed")
            return self._as_signal(swap, seen, Side.SHORT, score, tuple(reasons))
        share = Fraction(min(swap.base_units, held), held)
        reasons.append(f"{float(share):.0%} of what it holds")
        if share < _LEAVING:
            reasons.append(f"less than {float(_LEAVING):.0%}: it is not leaving")
        return self._as_signal(swap, seen, Side.SHORT if share >= _LEAVING else Side.HOLD, score, tuple(reasons))

    def _objections(self, swap: Swap, record: WalletRecord) -> Iterator[str]:
        """Why a buy is no reason to enter, whatever its score."""
        limits = self._settings
        if swap.quote_units < self._small:
            yield f"too small to mean anything: below {format_sol(self._small)} SOL"
        if record.rounds < limits.min_rounds:
            yield f"a record begins with {limits.min_rounds} closed rounds, it has {record.rounds}"
        most = float(limits.max_bait_share)
        if record.rounds and record.quick_share > most:
            seconds = limits.quick_sell_seconds
            yield f"bait: {record.quick_share:.0%} of its rounds were sold within {seconds} s, at most {most:.0%}"
        if record.buys >= _MIN_HABIT and record.small_share > most:
            yield f"bait: {record.small_share:.0%} of its buys are tiny, at most {most:.0%}"

    def _score(self, wallet: str, record: WalletRecord) -> tuple[float, str]:
        trust = record.rounds / (record.rounds + self._settings.shrink_rounds)
        quality = (2 * record.hit_rate - 1) / 2 + min(max(record.total_return, -1.0), 1.0) / 2 if record.rounds else 0.0
        weight = self._weights[wallet]
        points = 50 * quality * trust * weight
        neutral = self._settings.neutral_score
        text = f"record {quality:+.2f}, trusted {trust:.0%}, weight {weight:g}: {neutral:g} {points:+.1f}"
        return neutral + points, text

    def _as_signal(self, swap: Swap, seen: Seen, side: Side, score: float, reasons: tuple[str, ...]) -> Signal:
        bounded = min(max(score, 0.0), 100.0)
        return Signal(
            pool=swap.pool,
            at_ns=swap.at_ns,
            side=side,
            score=bounded,
            strength=bounded / 100,
            source=self.source,
            reasons=reasons,
            mint=seen.mint,
            name=seen.name,
        )


def _lateness_bps(swap: Swap, spot: Fraction | None) -> float | None:
    """How far the price now is above what the wallet paid, fees and all; 0 when it is below."""
    if spot is None or not swap.base_units or not swap.quote_units:
        return None
    return max(float((spot * swap.base_units / swap.quote_units - 1) * BPS), 0.0)


def _told(record: WalletRecord) -> str:
    if not record.rounds:
        return "no closed round of it is known"
    rounds = f"{record.rounds} closed round{'' if record.rounds == 1 else 's'}"
    return f"{rounds}, {record.hit_rate:.0%} won, {record.total_return:+.1%} in all"
