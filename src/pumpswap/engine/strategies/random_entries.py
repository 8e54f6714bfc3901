"""RandomEntries: buys at random moments and sells after random times. The null that a strategy must beat; it has no
edge by construction, so whatever it earns is the market's drift and luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.errors import UsageError
from pumpswap.model import Intent, Mark, Position, Side, Signal, Swap

__all__ = ["RandomEntries"]


class RandomEntries(Strategy):
    """Enters the pool of the next trade after each of ``entries`` moments between ``since_ns`` and ``until_ns``.

    Lively pools are entered more often, as by whoever listens to trades. Each round is held for one of
    ``held_seconds``, drawn; the exit rules may end it before. A wish that the gate refuses is not repeated: there are
    at most so many rounds. ``strength`` scales the size as in every signal. Deterministic by ``seed``. Raises
    UsageError for a time without length or holding times that are none.
    """

    name = "random-entries"

    def __init__(
        self,
        *,
        seed: int,
        since_ns: int,
        until_ns: int,
        entries: int = 30,
        held_seconds: Sequence[int] = (60,),
        strength: float = 1.0,
    ) -> None:
        if since_ns >= until_ns or entries < 0:
            raise UsageError(f"{entries} entries in a time without length", hint="until_ns after since_ns")
        if not held_seconds or min(held_seconds) < 0:
            raise UsageError("no holding times", hint="at least one, 0 or more seconds")
        self._chance = Random(seed)  # of a test of luck, not of a secret
        moments = sorted(self._chance.randrange(since_ns, until_ns) for _ in range(entries))
        self._left = moments[::-1]
        self._held_ns = [seconds * NS_PER_SECOND for seconds in held_seconds]
        self._strength = strength
        self._until: dict[tuple[str, int], int] = {}  # when a round is to be sold, by pool and round

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        if not self._left or self._left[-1] > desk.now_ns:
            return
        state = desk.state(swap.pool)
        if state is None or desk.position(swap.pool) is not None:
            return  # the moment stays due: the next trade of another pool takes it
        self._left.pop()
        yield desk.buy(
            Signal(
                pool=swap.pool,
                at_ns=desk.now_ns,
                side=Side.LONG,
                score=100.0,
                strength=self._strength,
                source=self.name,
                reasons=("a moment drawn at random",),
                mint=str(state.pool.base_mint),
            )
        )

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        place = (position.pool, position.round)
        if place not in self._until:
            self._until[place] = position.opened_ns + self._chance.choice(self._held_ns)
        if desk.now_ns >= self._until[place]:
            yield desk.sell(position, "its random holding time is over")
