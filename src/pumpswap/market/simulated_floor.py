"""Floor: one simulated pool as its participants see it: the price, what they hold, and the only way to trade."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, preferred_generation
from pumpswap.amm.acting import Acted, act_on
from pumpswap.amm.acts import BoostBurn, BuyQuote, PoolAct, Sell, SweepFees, Withdraw
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.amm.events.made import SeenTrader, event_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.model import Swap

__all__ = ["PER_MILLE", "Dice", "Floor"]

PER_MILLE = 1_000
LONGEST_LOOK_NS = 60 * NS_PER_SECOND  # how far back anybody looks at prices
_SEEN = 512
_DRAW_BITS = 32

Item = TypeVar("Item")


class Dice:
    """Chance, in integers. Only ``getrandbits`` is used: its sequence never changed, and no platform rounds it."""

    def __init__(self, seed: int) -> None:
        self._bits = Random(seed).getrandbits

    def child(self) -> Dice:
        """Independent dice: what one pool draws must not depend on what happens in another."""
        return Dice(self._bits(64))

    def below(self, bound: int) -> int:
        """0 to ``bound`` − 1."""
        return self._bits(64) * bound >> 64

    def between(self, least: int, most: int) -> int:
        """``least`` to ``most``, both included."""
        return least + self.below(most - least + 1)

    def chance(self, per_mille: int) -> bool:
        """True in so many of a thousand cases."""
        return self.below(PER_MILLE) < per_mille

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in another order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in items]

    def key(self) -> Pubkey:
        """An address that nobody owns."""
        return Pubkey.from_bytes(self._bits(256).to_bytes(32, "little"))

    def wait(self, mean_ns: int) -> int:
        """Time to the next of many independent arrivals: exponential, by von Neumann's comparison of uniform draws.

        A logarithm would do it in one line, but its last bit differs between C libraries.
        """
        whole = 0
        while True:
            first = last = self._bits(_DRAW_BITS)
            run = 1
            while (draw := self._bits(_DRAW_BITS)) < last:
                last = draw
                run += 1
            if run % 2:
                return mean_ns * ((whole << _DRAW_BITS) + first) >> _DRAW_BITS
            whole += 1

    def heavy(self, least: int, most: int) -> int:
        """A size with a heavy tail: half are below twice ``least``, one in a hundred is above a hundred times it."""
        return min((least << _DRAW_BITS) // (self._bits(_DRAW_BITS) + 1), most)


class Floor:
    """Where the participants of one pool meet. ``holdings`` is the one register of who holds what, base units.

    Prices are ``multiple``: per mille of the opening price. ``act`` is what the current arrival has done to the pool.
    ``tells_events``: swaps carry the event that the program would report; it costs some time.
    """

    tells_events = False

    def __init__(self, opening: PoolState, schedule: FeeSchedule, dice: Dice, most_holders: int = 1_000) -> None:
        self.most_holders = most_holders  # of a crowd
        self.address = str(opening.address)
        self.opening = opening
        self.state = opening
        self.dice = dice
        self.now_ns = 0
        self.swap: Swap | None = None  # the trade of the current arrival
        self.act: PoolAct | None = None
        self.holdings: dict[str, int] = {}
        self.roles: dict[str, str] = {}
        self.notes: list[tuple[int, str]] = []  # what really happened, for who asks afterwards
        self._schedule = schedule
        self._swaps = 0
        self._seen_ns: list[int] = []
        self._seen: list[int] = []

    def enter(self, now_ns: int, state: PoolState) -> None:
        """The next arrival finds this state, whoever made it."""
        self.now_ns, self.state = now_ns, state
        self.swap = self.act = None
        self._seen_ns.append(now_ns)
        self._seen.append(self.multiple)
        if len(self._seen) > _SEEN:
            self._forget()

    def join(self, role: str, base_units: int = 0) -> str:
        """A new trader, with what has been allocated to them."""
        trader = str(self.dice.key())
        self.roles[trader] = role
        self.holdings[trader] = base_units
        return trader

    def leave(self, trader: str) -> None:
        """Somebody who holds nothing any more is not seen again."""
        del self.roles[trader], self.holdings[trader]

    def note(self, text: str) -> None:
        """Remember something that the market cannot see."""
        self.notes.append((self.now_ns, text))

    @property
    def multiple(self) -> int:
        """Price now, per mille of the opening price."""
        now, then = self.state, self.opening
        price = now.effective_quote_reserve * then.base_reserve * PER_MILLE
        return price // (now.base_reserve * then.effective_quote_reserve)

    def change(self, span_ns: int) -> int:
        """Change of the price over the last ``span_ns`` (``LONGEST_LOOK_NS`` at most), per mille."""
        at = bisect_right(self._seen_ns, self.now_ns - span_ns) - 1
        return self.multiple * PER_MILLE // max(self._seen[max(at, 0)], 1) - PER_MILLE

    def worth(self, lamports: int) -> int:
        """Base units of so many lamports at the spot price."""
        return lamports * self.state.base_reserve // self.state.effective_quote_reserve

    def buy(self, trader: str, lamports: int) -> int:
        """Spend lamports; base units received, 0 when the program refuses."""
        done = self._traded(trader, BuyQuote(lamports, 1, preferred_generation(self.state)))
        return 0 if done is None else done.transfers.user_base_change

    def sell(self, trader: str, base_units: int) -> int:
        """Sell base units, never more than the trader holds; lamports received, 0 when the program refuses."""
        units = min(base_units, self.holdings[trader])
        done = self._traded(trader, Sell(units, 1, preferred_generation(self.state)))
        return 0 if done is None else done.transfers.user_quote_change

    def pull_liquidity(self, trader: str, lp_units: int) -> None:
        """A liquidity provider takes their share out: base to their holdings, quote out of the pool."""
        self.holdings[trader] += self._acted(Withdraw(lp_units)).transfers.user_base_change

    def sweep(self, bucket: FeeBucket) -> None:
        """Somebody has the fees in a bucket paid out."""
        self._acted(SweepFees(bucket))

    def boost(self, lamports: int) -> int:
        """The boost vault buys base, which is burned: how much."""
        return self._acted(BoostBurn(lamports)).burned

    def _forget(self) -> None:
        """Prices that are too old for ``change`` go; never more than half, so that it costs little."""
        old = bisect_right(self._seen_ns, self.now_ns - LONGEST_LOOK_NS) - 1
        gone = min(max(old, 0), _SEEN // 2)
        del self._seen_ns[:gone], self._seen[:gone]

    def _acted(self, act: PoolAct) -> Acted:
        done = act_on(self.state, self._schedule, act)
        self.state, self.act = done.state, act
        return done

    def _traded(self, trader: str, act: BuyQuote | Sell) -> Acted | None:
        """None when the program refuses."""
        before = self.state
        try:
            done = self._acted(act)
        except TradeRefused:
            return None
        event = None
        if self.tells_events and done.quote is not None:
            seen = SeenTrader(Pubkey.from_string(trader), self.holdings[trader])
            seconds, buyback = self.now_ns // NS_PER_SECOND, self._schedule.buyback_bps
            event = event_of(before, done.quote, act, seen, seconds, buyback)
        self.holdings[trader] += done.transfers.user_base_change
        self._swaps += 1
        self.swap = Swap(
            pool=self.address,
            at_ns=self.now_ns,
            is_buy=isinstance(act, BuyQuote),
            base_units=abs(done.transfers.user_base_change),
            quote_units=abs(done.transfers.user_quote_change),
            trader=trader,
            signature=f"simulated-{self.address[:8]}-{self._swaps}",
            slot=self.state.slot,
            event=event,
        )
        return done
