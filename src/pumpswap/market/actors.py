"""Actors: the participants of a simulated pool. Each acts when its time comes, trades at most once, and says when next.

Nobody sells what they do not hold: bags come from the bonding curve's buyers, from insiders, or from a buy here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pumpswap.amm.events.fees import FeeBucket
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.simulated_floor import PER_MILLE, Floor
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["Actor", "Booster", "Crowd", "Follower", "Insiders", "Phase", "Sniper", "Sweeper", "Washers"]

_MINUTE_NS = 60 * NS_PER_SECOND
_MS = 1_000_000
_DESERTED = LAMPORTS_PER_SOL // 4  # nobody comes to a pool that holds less
_TAIL = 100  # the largest trade of a crowd, as a multiple of its usual smallest


class Actor(Protocol):
    """Anybody who touches a pool."""

    def act(self, floor: Floor) -> int | None:
        """Do what is to be done now; nanoseconds until the next time, None for never again."""
        ...


@dataclass(frozen=True, slots=True)
class Phase:
    """The mood of a crowd for a while.

    It lasts ``share`` per mille of the pool's life, or until the price crosses ``until`` (per mille of the opening
    price; 0: never). ``buys`` of a thousand arrivals are buys. The last phase never ends. ``note`` tells its beginning.
    """

    share: int
    trades_per_minute: int
    buys: int
    least_lamports: int
    until: int = 0
    note: str = ""


class Crowd:
    """Organic buyers and sellers: Poisson arrivals, heavy-tailed sizes, sales out of real bags."""

    def __init__(self, phases: Sequence[Phase], life_ns: int, holders: Sequence[str]) -> None:
        self._phases = list(phases)
        self._life_ns = life_ns
        self._holders = list(holders)
        self._since: int | None = None
        self._rising = True

    def act(self, floor: Floor) -> int | None:
        if floor.state.real_quote_reserve < _DESERTED:
            return None
        phase = self._phase(floor)
        lamports = floor.dice.heavy(phase.least_lamports, phase.least_lamports * _TAIL)
        if floor.dice.chance(phase.buys):
            self._buy(floor, lamports)
        elif self._holders:
            self._sell(floor, lamports)
        return floor.dice.wait(_MINUTE_NS // phase.trades_per_minute)

    def _phase(self, floor: Floor) -> Phase:
        if self._since is None:
            self._start(floor)
        while len(self._phases) > 1 and self._is_over(floor):
            self._phases.pop(0)
            self._start(floor)
        return self._phases[0]

    def _start(self, floor: Floor) -> None:
        self._since = floor.now_ns
        self._rising = self._phases[0].until > floor.multiple
        if self._phases[0].note:
            floor.note(self._phases[0].note)

    def _is_over(self, floor: Floor) -> bool:
        phase = self._phases[0]
        if floor.now_ns - (self._since or 0) >= self._life_ns * phase.share // PER_MILLE:
            return True
        if not phase.until:
            return False
        return floor.multiple >= phase.until if self._rising else floor.multiple <= phase.until

    def _buy(self, floor: Floor, lamports: int) -> None:
        is_new = not self._holders or (floor.dice.chance(700) and len(self._holders) < floor.most_holders)
        trader = floor.join("crowd") if is_new else self._holders[floor.dice.below(len(self._holders))]
        floor.buy(trader, lamports)
        if is_new:
            self._holders.append(trader)

    def _sell(self, floor: Floor, lamports: int) -> None:
        # The largest of three: who holds more has more to sell, and a crowd of crumbs would hold every price up.
        drawn = [floor.dice.below(len(self._holders)) for _ in range(3)]
        at = max(drawn, key=lambda index: floor.holdings[self._holders[index]])
        trader = self._holders[at]
        bag, units = floor.holdings[trader], floor.worth(lamports)
        floor.sell(trader, bag if units * 5 >= bag * 4 else units)
        if not floor.holdings[trader]:
            self._holders[at] = self._holders[-1]
            self._holders.pop()
            floor.leave(trader)


class Sniper:
    """Buys in the first seconds and dumps into strength; runs out of patience sooner or later."""

    def __init__(self, lamports: int, goal: int, patience_ns: int) -> None:
        self._lamports = lamports
        self._goal = goal  # per mille of the own entry price
        self._patience_ns = patience_ns
        self._trader = ""
        self._entry = 0
        self._deadline_ns = 0

    def act(self, floor: Floor) -> int | None:
        dice = floor.dice
        if not self._trader:
            self._trader = floor.join("sniper")
            bought = floor.buy(self._trader, self._lamports)
            self._entry = floor.multiple
            self._deadline_ns = floor.now_ns + self._patience_ns
            return dice.between(3_000, 8_000) * _MS if bought else None
        held = floor.holdings[self._trader]
        if floor.now_ns >= self._deadline_ns:
            floor.sell(self._trader, held)
        elif floor.multiple * PER_MILLE >= self._goal * self._entry:
            is_last = dice.chance(500)
            floor.sell(self._trader, held if is_last else held // 2)
        return dice.between(3_000, 8_000) * _MS if floor.holdings[self._trader] else None


class Follower:
    """Buys what has risen over the last minute, sells when the rise has turned or has paid enough."""

    def __init__(self, lamports: int, threshold: int) -> None:
        self._lamports = lamports
        self._threshold = threshold  # per mille of change within a minute
        self._trader = ""
        self._entry = 0
        self._peak = 0

    def act(self, floor: Floor) -> int | None:
        self._trader = self._trader or floor.join("follower")
        held, price = floor.holdings[self._trader], floor.multiple
        if held:
            self._peak = max(self._peak, price)
            if price * 100 <= self._peak * 88 or price * 10 >= self._entry * 22:
                floor.sell(self._trader, held)
        elif floor.change(_MINUTE_NS) >= self._threshold:
            floor.buy(self._trader, self._lamports)
            self._entry = self._peak = floor.multiple
        return floor.dice.between(6_000, 14_000) * _MS


class Insiders:
    """A few wallets of one owner that hold a large share. They wait, then sell everything within seconds."""

    def __init__(self, wallets: Sequence[str], goal: int, deadline_ns: int) -> None:
        self._wallets = list(wallets)
        self._goal = goal  # per mille of the opening price
        self._deadline_ns = deadline_ns
        self._started: tuple[int, int, int] | None = None  # time, price and base units at the first sale

    def act(self, floor: Floor) -> int | None:
        if self._started is None:
            if floor.multiple < self._goal and floor.now_ns < self._deadline_ns:
                return floor.dice.between(800, 3_000) * _MS
            units = sum(floor.holdings[wallet] for wallet in self._wallets)
            self._started = floor.now_ns, floor.multiple, units
        wallet = self._wallets.pop(0)
        floor.sell(wallet, floor.holdings[wallet])
        if self._wallets:
            return floor.dice.between(150, 700) * _MS
        since, price, units = self._started
        share = units * 100 // floor.opening.base_supply
        fall = 100 - floor.multiple * 100 // max(price, 1)
        tenths = (floor.now_ns - since) // (NS_PER_SECOND // 10)
        floor.note(
            f"insiders sold {share} % of the supply within {tenths // 10}.{tenths % 10} s: the price fell by {fall} %"
        )
        return None


class Washers:
    """The owner of a permissionless pool: trades with themselves to look busy, then pulls the liquidity."""

    def __init__(self, wallets: Sequence[str], lp_units: int, goal: int, pull_ns: int) -> None:
        self._wallets = list(wallets)
        self._lp_units = lp_units
        self._goal = goal  # where the price is held, per mille of the opening price
        self._pull_ns = pull_ns

    def act(self, floor: Floor) -> int | None:
        dice = floor.dice
        if floor.now_ns >= self._pull_ns:
            floor.pull_liquidity(self._wallets[0], self._lp_units)
            floor.note("the maker of the pool withdrew its liquidity; most of its trades had been with themselves")
            return None
        wallet = self._wallets[dice.below(len(self._wallets))]
        lamports = dice.heavy(LAMPORTS_PER_SOL // 50, LAMPORTS_PER_SOL // 4)
        if dice.chance(570 if floor.multiple < self._goal else 430):
            floor.buy(wallet, lamports)
        else:
            floor.sell(wallet, floor.worth(lamports))
        return dice.wait(_MINUTE_NS // 24)


class Sweeper:
    """Collects the fees that v2 trades left in the vault. Anybody may call it; prices stay."""

    def __init__(self, every_ns: int) -> None:
        self._every_ns = every_ns

    def act(self, floor: Floor) -> int | None:
        state, takes_protocol = floor.state, floor.dice.chance(500)
        if takes_protocol and state.pool.protocol_fees:
            floor.sweep(FeeBucket.PROTOCOL)
        elif state.pool.creator_fees:
            floor.sweep(FeeBucket.CREATOR)
        return floor.dice.wait(self._every_ns)


class Booster:
    """Spends the boost vault on buying base, which is burned: the supply falls."""

    def __init__(self, vault_lamports: int, every_ns: int) -> None:
        self._left = vault_lamports
        self._every_ns = every_ns

    def act(self, floor: Floor) -> int | None:
        spent = min(floor.dice.between(LAMPORTS_PER_SOL // 4, LAMPORTS_PER_SOL), self._left)
        if spent <= 0:
            return None
        self._left -= spent
        burned = floor.boost(spent)
        floor.note(f"a boost bought and burned {burned // 10**floor.state.base_decimals:,} tokens")
        return floor.dice.wait(self._every_ns)
