"""The cast of a simulated market: which pools there are, how each one opens, who holds what, and who will act.

Every number drawn here comes from the pool's own dice. Names are dealt independently of stories, so that nobody can
learn from a name how its story ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isqrt

from pumpswap.amm import FeeSchedule, Pool, PoolState, initial_liquidity
from pumpswap.amm.addresses import (
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
    canonical_pool,
    lp_mint,
    pool_address,
    pool_authority,
)
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.actors import Actor, Booster, Crowd, Follower, Insiders, Phase, Sniper, Sweeper, Washers
from pumpswap.market.simulated_floor import PER_MILLE, Dice, Floor
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["Listing", "Pace", "PoolKind", "Story", "cast"]

SUPPLY = 10**15  # one billion tokens of 6 decimals
GRADUATION_BASE = 206_900_000_000_000
GRADUATION_QUOTE = 84_990_359_056
BOOST_PER_MYRIAD = 2_069  # share of the quote that a boosted pool keeps in its boost vault

NAMES = (
    "TEAPOT", "KAZOO", "TURNIP", "HICCUP", "NOODLE", "LANTERN", "BISCUIT", "GRAVEL", "MITTEN", "PARSNIP", "WOBBLE",
    "CACTUS", "DOORBELL", "SPATULA", "PEBBLE", "UMBRELLA", "TADPOLE", "ACCORDION", "MUDDLE", "GHERKIN",
)  # fmt: skip

_SECOND = NS_PER_SECOND
_MINUTE = 60 * NS_PER_SECOND
_MILLI_SOL = LAMPORTS_PER_SOL // 1_000


class Story(Enum):
    """What happens to a pool. The parameters are drawn, and trades of others (ours too) can change the course."""

    RUNNER = "runner"  # several times up, partly back
    RUG = "rug"  # rises on honest demand until its insiders sell everything
    FADE = "fade"  # a first rush, then everybody leaves
    CLIMBER = "climber"  # slowly up, with set-backs
    SIDEWAYS = "sideways"  # an older coin that goes nowhere in particular
    BAIT = "bait"  # permissionless, thin, traded by its own maker


class PoolKind(Enum):
    """Which variant of pool it is: they differ in fees, instruction generation and accounts."""

    PLAIN = "plain"
    BOOSTED = "boosted"
    TOKEN_2022 = "token-2022"
    CASHBACK = "cashback"
    ESTABLISHED = "established"
    PERMISSIONLESS = "permissionless"


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy a market is. ``slowness`` makes every pause of every participant so many times longer, pools open
    during the first ``openings`` per mille of the time, and a crowd of ``most_holders`` takes no newcomers.
    """

    snapshot_seconds: int = 15
    slowness: int = 1
    openings: int = 420
    most_holders: int = 1_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A pool before its first trade. ``actors`` come with the time of their first arrival."""

    name: str
    story: Story
    kind: PoolKind
    opens_ns: int
    created_ns: int
    floor: Floor
    actors: tuple[tuple[int, Actor], ...]


@dataclass(frozen=True, slots=True)
class _Life:
    """When a pool opens and when the simulation ends."""

    opens_ns: int
    ends_ns: int

    @property
    def length_ns(self) -> int:
        return self.ends_ns - self.opens_ns

    def at(self, per_mille: int) -> int:
        return self.opens_ns + self.length_ns * per_mille // PER_MILLE


def cast(dice: Dice, schedule: FeeSchedule, between_ns: tuple[int, int], pools: int, pace: Pace) -> list[Listing]:
    """All pools of a market. The first six tell the six stories; further ones repeat some of them."""
    start_ns, end_ns = between_ns
    names = _names(dice.shuffled(NAMES), pools)
    stories = [*Story][:pools]
    while len(stories) < pools:
        stories.append((Story.RUG, Story.FADE, Story.FADE, Story.CLIMBER, Story.RUNNER)[dice.below(5)])
    fresh = [index for index, story in enumerate(stories) if story not in (Story.SIDEWAYS, Story.BAIT)]
    ranks = dict(zip(dice.shuffled(fresh), range(len(fresh)), strict=True))
    fresh_kinds = dice.shuffled((PoolKind.PLAIN, PoolKind.BOOSTED, PoolKind.TOKEN_2022, PoolKind.CASHBACK))
    listings = []
    for index, story in enumerate(stories):
        own = dice.child()
        if story is Story.SIDEWAYS:
            kind, share = PoolKind.ESTABLISHED, 0
        elif story is Story.BAIT:
            kind, share = PoolKind.PERMISSIONLESS, own.between(40, 200)
        else:
            rank = ranks[index]
            kind, share = fresh_kinds[rank % 4], pace.openings * rank // len(fresh) + own.between(1, 60)
        life = _Life(start_ns + (end_ns - start_ns) * share // PER_MILLE, end_ns)
        floor = Floor(_opening(own, kind), schedule, own, pace.most_holders)
        listings.append(_listing(names[index], story, kind, life, floor))
    return listings


def _names(shuffled: Sequence[str], pools: int) -> list[str]:
    rounds = range(1, pools // len(shuffled) + 2)
    return [name if number == 1 else f"{name}{number}" for number in rounds for name in shuffled][:pools]


def _listing(name: str, story: Story, kind: PoolKind, life: _Life, floor: Floor) -> Listing:
    age_ns = floor.dice.between(24, 240) * 60 * _MINUTE if kind is PoolKind.ESTABLISHED else 0
    actors: list[tuple[int, Actor]] = []
    if story is Story.BAIT:
        actors += _bait(floor, life)
    else:
        actors += _story(floor, story, life)
        if story is not Story.SIDEWAYS:
            actors += _speculators(floor, life)
    if kind is not PoolKind.CASHBACK:  # trades of generation 1 leave no fees in the vault
        actors.append((life.opens_ns + floor.dice.wait(4 * _MINUTE), Sweeper(4 * _MINUTE)))
    if kind is PoolKind.BOOSTED:
        vault = floor.opening.pool.boost_reserves
        actors.append((life.opens_ns + floor.dice.wait(3 * _MINUTE), Booster(vault, 3 * _MINUTE)))
    label = f"{name} / SOL"
    return Listing(label, story, kind, life.opens_ns, life.opens_ns - age_ns, floor, tuple(actors))


# ---------------------------------------------------------------------------------------------- how pools open


def _opening(dice: Dice, kind: PoolKind) -> PoolState:
    if kind is PoolKind.PERMISSIONLESS:
        base, quote = SUPPLY * dice.between(30, 60) // PER_MILLE, dice.between(2_000, 4_000) * _MILLI_SOL
        return _state(dice, kind, base, quote)
    # The last digits of a curve's proceeds differ from coin to coin.
    base, quote = GRADUATION_BASE, GRADUATION_QUOTE + dice.below(101)
    if kind is PoolKind.ESTABLISHED:  # moved along its curve: 1,600 to 6,600 SOL of market cap
        moved = isqrt(quote * quote * dice.between(4_000, 16_000) // PER_MILLE)
        base, quote = base * quote // moved, moved
    return _state(dice, kind, base, quote)


def _state(dice: Dice, kind: PoolKind, base: int, quote: int) -> PoolState:
    mint, maker = dice.key(), dice.key()
    is_canonical = kind is not PoolKind.PERMISSIONLESS
    address = canonical_pool(mint) if is_canonical else pool_address(0, maker, mint, WSOL_MINT)
    token_program = TOKEN_2022_PROGRAM if kind is PoolKind.TOKEN_2022 else TOKEN_PROGRAM
    virtual = quote * BOOST_PER_MYRIAD // 10_000 if kind is PoolKind.BOOSTED else 0
    pool = Pool(
        pool_bump=0,
        index=0,
        creator=pool_authority(mint) if is_canonical else maker,
        base_mint=mint,
        quote_mint=WSOL_MINT,
        lp_mint=lp_mint(address),
        pool_base_token_account=ata(address, mint, token_program),
        pool_quote_token_account=ata(address, WSOL_MINT, TOKEN_PROGRAM),
        lp_supply=initial_liquidity(base, quote).initial_liquidity,
        coin_creator=maker if is_canonical else SYSTEM_PROGRAM,
        is_cashback_coin=kind is PoolKind.CASHBACK,
        virtual_quote_reserves=virtual,
    )
    return PoolState(
        pool=pool,
        address=address,
        base_reserve=base,
        quote_vault=quote - virtual,
        base_supply=SUPPLY,
        base_token_program=token_program,
    )


def _allocate(floor: Floor, role: str, traders: int, units: int) -> list[str]:
    """Bags of very different sizes that add up to ``units``."""
    weights = [floor.dice.heavy(1_000, 60_000) for _ in range(traders)]
    total, left, joined = sum(weights), units, []
    for weight in weights[1:]:
        share = units * weight // total
        joined.append(floor.join(role, share))
        left -= share
    joined.append(floor.join(role, left))
    return joined


# ---------------------------------------------------------------------------------------------- who acts


def _story(floor: Floor, story: Story, life: _Life) -> Iterator[tuple[int, Actor]]:
    dice = floor.dice
    outside = SUPPLY - floor.opening.base_reserve
    if story is Story.RUG:
        held = SUPPLY * dice.between(330, 420) // PER_MILLE
        wallets = _allocate(floor, "insider", dice.between(4, 7), held)
        outside -= held
        goal, deadline = dice.between(1_500, 2_700), life.at(dice.between(350, 700))
        yield life.opens_ns + 5 * _SECOND, Insiders(wallets, goal, deadline)
    holders = _allocate(floor, "holder", dice.between(120, 220), outside)
    crowd = Crowd(_PHASES[story](dice), life.length_ns, holders)
    yield life.opens_ns + dice.between(1, 6_000) * _SECOND // 1_000, crowd


def _speculators(floor: Floor, life: _Life) -> Iterator[tuple[int, Actor]]:
    dice = floor.dice
    for _ in range(dice.between(2, 5)):
        sniper = Sniper(
            dice.between(400, 2_500) * _MILLI_SOL, dice.between(1_200, 2_200), dice.between(60, 420) * _SECOND
        )
        yield life.opens_ns + dice.between(400, 3_000) * _SECOND // 1_000, sniper
    for _ in range(dice.between(2, 4)):
        follower = Follower(dice.between(300, 2_000) * _MILLI_SOL, dice.between(80, 200))
        yield life.opens_ns + dice.between(30_000, 60_000) * _SECOND // 1_000, follower


def _bait(floor: Floor, life: _Life) -> Iterator[tuple[int, Actor]]:
    dice = floor.dice
    wallets = _allocate(floor, "maker", 4, SUPPLY - floor.opening.base_reserve)
    lp_units = floor.opening.pool.lp_supply * 97 // 100
    washers = Washers(wallets, lp_units, dice.between(1_500, 2_800), life.at(dice.between(600, 850)))
    yield life.opens_ns + dice.between(1, 6) * _SECOND, washers
    careless = Crowd([Phase(PER_MILLE, 2, 800, 10 * _MILLI_SOL)], life.length_ns, ())
    yield life.opens_ns + dice.wait(_MINUTE), careless


def _runner(dice: Dice) -> list[Phase]:
    peak = dice.between(3_200, 8_500)
    back = peak * dice.between(400, 650) // PER_MILLE
    over = "the run was over: from here on early buyers took their profits"
    return [
        Phase(dice.between(50, 220), 26, dice.between(420, 550), 80 * _MILLI_SOL),
        Phase(520, dice.between(38, 52), dice.between(640, 690), 100 * _MILLI_SOL, peak),
        Phase(50, 40, 480, 100 * _MILLI_SOL),
        Phase(220, 40, dice.between(300, 370), 100 * _MILLI_SOL, back, over),
        Phase(PER_MILLE, 14, 490, 60 * _MILLI_SOL),
    ]


def _rug(dice: Dice) -> list[Phase]:
    return [
        Phase(PER_MILLE, dice.between(26, 36), dice.between(590, 640), 80 * _MILLI_SOL, 350),
        Phase(40, 30, 250, 40 * _MILLI_SOL),
        Phase(PER_MILLE, 3, 450, 30 * _MILLI_SOL),
    ]


def _fade(dice: Dice) -> list[Phase]:
    over = "the first rush was over: from here on most orders were sales"
    return [
        Phase(150, dice.between(30, 45), dice.between(580, 660), 80 * _MILLI_SOL, dice.between(1_300, 2_100)),
        Phase(550, dice.between(28, 44), dice.between(280, 380), 90 * _MILLI_SOL, dice.between(200, 450), over),
        Phase(PER_MILLE, 3, 450, 40 * _MILLI_SOL),
    ]


def _climber(dice: Dice) -> list[Phase]:
    over = "the climb was over: from here on sellers outnumbered buyers"
    return [
        Phase(600, 22, dice.between(460, 550), 80 * _MILLI_SOL, dice.between(1_500, 2_600)),
        Phase(PER_MILLE, 22, dice.between(370, 470), 80 * _MILLI_SOL, note=over),
    ]


def _sideways(dice: Dice) -> list[Phase]:
    return [Phase(PER_MILLE, dice.between(2, 5), dice.between(460, 530), 250 * _MILLI_SOL)]


_PHASES = {
    Story.RUNNER: _runner,
    Story.RUG: _rug,
    Story.FADE: _fade,
    Story.CLIMBER: _climber,
    Story.SIDEWAYS: _sideways,
}
