"""Q50Policy: what to do about a pool, given what the frame says now and what is held. Pure, and the only one: the
strategy of the engine and the one of NautilusTrader ask the same policy, so that one strategy is tested and traded.

Of a row it wishes once, not with every tick of its hour: a buy again only after a while, as long as nothing was bought;
a sale once per round. Sizes are not its business: the signal carries what the gate needs to find one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from enum import Enum
from typing import Any

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, ConfigError
from pumpswap.model import Side, Signal
from pumpswap.signals.q50_signal import Q50Signaller
from pumpswap.units import BPS

__all__ = ["Q50Action", "Q50Policy", "Q50Verdict"]

_FORGET_SECONDS = 86_400  # what was done about a pool that nobody has told of for so long
_STATE_VERSION = 1


class Q50Action(Enum):
    """What the policy wants done now."""

    BUY = "buy"
    SELL = "sell"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Q50Verdict:
    """``why`` is a short sentence. ``signal`` is there with a wish, and sizes a buy; ``share_bps`` is what a sale sells
    of what is held. ``row_ns`` is the stamp of the row that speaks, None where none does.
    """

    action: Q50Action
    pool: str
    at_ns: int
    why: str
    row_ns: int | None = None
    signal: Signal | None = None
    share_bps: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    """About one pool: how often it was heard of (up to the warm-up), and when last; the row that was bought, or is the
    reason of the last wish to buy, and when that was; the round and the row of the last sale.
    """

    heard: int = 0
    heard_ns: int = 0
    entered_row: int = -1
    wished_row: int = -1
    wished_ns: int = 0
    sold_round: int = 0
    sold_row: int = -1


class Q50Policy:
    """``check_seconds``: a buy that has led to nothing (the gate refused, the order failed) is wished again after so
    long, while its row applies. ``short_bps``: share of what is held that a short row sells, 0 for none.
    ``warm_up_quotes``: how often a pool must have been heard of before it may be bought. Raises ConfigError for figures
    that cannot be.
    """

    def __init__(self, *, check_seconds: int = 300, short_bps: int = BPS, warm_up_quotes: int = 0) -> None:
        if check_seconds < 1 or not 0 <= short_bps <= BPS or warm_up_quotes < 0:
            raise ConfigError(
                f"a policy that checks every {check_seconds} s, sells {short_bps} bps after {warm_up_quotes} quotes",
                hint="check_seconds is 1 or more, short_bps 0 to 10000, warm_up_quotes 0 or more",
            )
        self._check_ns = check_seconds * NS_PER_SECOND
        self._short_bps = short_bps
        self._warm_up = warm_up_quotes
        self._done: dict[str, _Done] = {}
        self._forget_ns = 0

    def decide(
        self, signaller: Q50Signaller | None, at_ns: int, pool: str, mint: str, held: int | None, name: str = ""
    ) -> Q50Verdict:
        """The wish of this moment, or why there is none. Called with every new state of a pool, in the order of time.
        ``signaller`` None: there is no frame that can be used. ``held`` tells the rounds of a pool apart, None when
        nothing is held. What it wishes it remembers: ask once per moment.
        """
        done = self._heard(pool, at_ns)
        if signaller is None:
            return Q50Verdict(Q50Action.WAIT, pool, at_ns, "there is no Q50 frame that can be used")
        series, _ = signaller.series_for(mint, pool)
        if series is None:
            return Q50Verdict(Q50Action.WAIT, pool, at_ns, "no instrument of the frame speaks for this pool")
        row_ns, side = signaller.side_at(at_ns, series)
        if row_ns is None:
            return Q50Verdict(Q50Action.WAIT, pool, at_ns, "no row applies now")
        if held is not None and done.entered_row != row_ns and side is Side.LONG:
            # What is held counts as bought on this row: after its exit the same row does not buy it again.
            done = self._done[pool] = replace(done, entered_row=row_ns)
        against = self._against(done, side, row_ns, at_ns, held)
        if against:
            return Q50Verdict(Q50Action.WAIT, pool, at_ns, against, row_ns)
        signal = signaller.signal_of(pool, mint, at_ns, name)
        if side is Side.LONG:
            self._done[pool] = replace(done, wished_row=row_ns, wished_ns=at_ns)
            return Q50Verdict(Q50Action.BUY, pool, at_ns, f"q50 {signal.score:.1f}", row_ns, signal)
        self._done[pool] = replace(done, sold_round=held or 0, sold_row=row_ns)
        why = f"q50 turned short at score {signal.score:.1f}"
        return Q50Verdict(Q50Action.SELL, pool, at_ns, why, row_ns, signal, self._short_bps)

    def is_warm(self, pool: str) -> bool:
        """Whether a pool was heard of often enough to be bought."""
        return self._done.get(pool, _Done()).heard >= self._warm_up

    def warm_up_again(self) -> None:
        """Pools must be heard of anew before they are bought: after a restart, as indicators must."""
        self._done = {pool: replace(one, heard=0) for pool, one in self._done.items()}

    def state(self) -> dict[str, Any]:
        """What is remembered, as a document: a restart goes on with it."""
        return {"version": _STATE_VERSION, "pools": {pool: list(astuple(one)) for pool, one in self._done.items()}}

    def restore(self, document: object) -> None:
        """Take up what ``state`` gave. Raises BadInput for anything else, and then nothing has changed."""
        told: Mapping[Any, Any] = document if isinstance(document, Mapping) else {}
        pools = told.get("pools")
        if not isinstance(pools, Mapping) or told.get("version") != _STATE_VERSION:
            raise BadInput("this is no saved state of a Q50 strategy", hint="begin without it: drop the saved state")
        try:
            self._done = {str(pool): _Done(*map(_whole, values)) for pool, values in pools.items()}
        except (TypeError, ValueError):
            raise BadInput("a saved state of a Q50 strategy is damaged", hint="drop the saved state") from None

    # ------------------------------------------------------------------------------------------ inside

    def _heard(self, pool: str, at_ns: int) -> _Done:
        if at_ns >= self._forget_ns:
            self._forget(at_ns)
        known = self._done.get(pool)
        heard = 1 if known is None else min(known.heard + 1, max(self._warm_up, 1))
        found = replace(known or _Done(), heard=heard, heard_ns=at_ns)
        self._done[pool] = found
        return found

    def _forget(self, at_ns: int) -> None:
        """Whoever listens for weeks hears of thousands of pools."""
        since_ns = at_ns - _FORGET_SECONDS * NS_PER_SECOND
        self._forget_ns = at_ns + _FORGET_SECONDS // 24 * NS_PER_SECOND
        self._done = {pool: one for pool, one in self._done.items() if one.heard_ns >= since_ns}

    def _against(self, done: _Done, side: Side, row_ns: int, at_ns: int, held: int | None) -> str:
        """Why nothing is wished now, if so."""
        if side is Side.HOLD:
            return "the row says hold"
        if side is Side.SHORT:
            if held is None:
                return "the row says short, and nothing is held"
            if not self._short_bps:
                return "the row says short, and the settings sell nothing on it"
            is_sold = (done.sold_round, done.sold_row) == (held, row_ns)
            return "this row has sold already" if is_sold else ""
        if held is not None:
            return "held already"
        if done.entered_row == row_ns:
            return "this row was bought already"
        if done.heard < self._warm_up:
            return f"warm-up: quote {done.heard} of {self._warm_up} of this pool"
        if done.wished_row == row_ns and at_ns - done.wished_ns < self._check_ns:
            return "wished a moment ago"
        return ""


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a saved figure is no whole number")
    return value
