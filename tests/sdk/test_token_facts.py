"""Facts about tokens, read from a chain: each group, its fall-backs, and what happens when a question fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, PoolState
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    FEES_PROGRAM,
    PUMP_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    bonding_curve,
)
from pumpswap.chain.node import ChainAccount, HoldingsAt, TokenHolding
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import EndpointDown, MalformedAccount, NodeRefused, NotFound, NotServed, UsageError
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pools import PoolSpec, create_pool, fund_tokens
from pumpswap.model import Holder, HolderRole, PoolAge, ScreenVerdict, TokenFacts
from pumpswap.sdk.pool_facts import TokenScreens
from pumpswap.sdk.screening import ScreenSource
from pumpswap.sdk.token_facts import INCINERATOR, TokenFactsReader
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import screen_token
from tests.chain.practice import practice_chain
from tests.sdk.recorded import RecordedNode, bought, created, sold
from tests.signals.screens.coins import check_of

pytestmark = pytest.mark.asyncio

NOW = 1_790_000_000
SOL = 10**9
ALICE, BOB, CAROL = (Pubkey.from_bytes(letter * 32) for letter in (b"a", b"b", b"c"))


class Scene:
    """One coin on a chain that is only read."""

    def __init__(self, kind: str = "graduate", **spec: object) -> None:
        self.chain = practice_chain()
        self.state: PoolState = create_pool(self.chain, PoolSpec(kind, **spec), random.Random(5))  # type: ignore[arg-type]
        self.chain.advance(40)
        self.node = RecordedNode(self.chain)
        self.clock = ManualClock(NOW * NS_PER_SECOND)

    @property
    def mint(self) -> Pubkey:
        return self.state.pool.base_mint

    def put(self, address: Pubkey, owner: Pubkey, data: bytes) -> None:
        self.chain.set_account(ChainAccount(address, owner, self.chain.rent(len(data)), data))
        self.chain.advance(40)

    def hold(self, owner: Pubkey, units: int) -> None:
        fund_tokens(self.chain, owner, self.mint, self.state.base_token_program, units)
        self.chain.advance(40)

    def curve(self, *, complete: bool = True, creator: Pubkey = ALICE) -> None:
        curve = BondingCurve(0, 0, 0, 0, 10**15, complete, creator)
        self.put(bonding_curve(self.mint), PUMP_PROGRAM, curve.encode())

    def trades(self, count: int = 12, *, created_at: int | None = NOW - 900) -> None:
        if created_at is not None:
            self.node.add(0, created_at, self.state.address, created(self.state, created_at))
        for number in range(1, count + 1):
            user, seconds = Pubkey.from_bytes(bytes([number]) * 32), NOW - 600 + number
            event = (sold if number % 5 in (1, 2) else bought)(self.state, seconds, user, SOL + number)
            self.node.add(number, seconds, self.state.address, event)

    async def read(self, pool: Pubkey | None = None, **settings: object) -> TokenFacts:
        chosen = ScreenSettings(**settings)  # type: ignore[arg-type]
        return await TokenFactsReader(self.node, self.clock, chosen).read(self.mint, pool)


class WallClock:
    """A machine's clock, that somebody may set back."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now_ns(self) -> int:
        return self.seconds * NS_PER_SECOND


def roles(facts: TokenFacts) -> dict[str, HolderRole]:
    assert facts.holders is not None
    return {one.owner: one.role for one in facts.holders.holders}


async def test_a_graduate_that_trades_is_read_whole_and_safe() -> None:
    scene = Scene()
    scene.curve()
    scene.trades()
    for number in range(10):
        scene.hold(Pubkey.from_bytes(bytes([100 + number]) * 32), 10**13)
    scene.hold(bonding_curve(scene.mint), 9 * 10**14 - scene.state.base_reserve)
    facts = await scene.read()
    assert facts.unread == {}
    assert facts.basics is not None and facts.basics.supply_units == 10**15
    assert facts.pool is not None
    assert (facts.pool.is_canonical, facts.pool.is_graduated, facts.pool.lp_burned) == (True, True, 1)
    assert facts.age == PoolAge((NOW - 900) * NS_PER_SECOND, is_creation=True)
    assert facts.creators == (str(ALICE), str(scene.state.pool.coin_creator))
    assert facts.trading is not None
    assert (len(facts.trading.swaps), facts.trading.is_complete, facts.trading.failed_sells) == (12, True, 0)
    first = facts.trading.swaps[0]
    assert (first.is_buy, first.quote_units, first.base_reserve) == (False, SOL + 1, scene.state.base_reserve)
    assert first.quote_reserve == scene.state.effective_quote_reserve
    report = screen_token(facts)
    assert [check.reason for check in report.checks if check.verdict is not ScreenVerdict.SAFE] == []
    assert report.is_safe


async def test_owners_are_added_up_and_told_apart() -> None:
    scene = Scene()
    scene.curve(creator=ALICE)
    scene.hold(ALICE, 5)
    scene.hold(BOB, 30)
    scene.hold(INCINERATOR, 40)
    scene.hold(CAROL, 50)
    scene.hold(bonding_curve(scene.mint), 60)
    second = token_bytes.token_account(scene.mint, BOB, 12)
    scene.put(Pubkey.from_bytes(b"2" * 32), TOKEN_PROGRAM, second)
    facts = await scene.read(excluded_holders=(str(CAROL),))
    assert facts.holders is not None
    assert facts.holders.is_complete
    assert facts.holders.holders == (
        Holder(str(scene.state.address), scene.state.base_reserve, HolderRole.POOL),
        Holder(str(bonding_curve(scene.mint)), 60, HolderRole.CURVE),
        Holder(str(CAROL), 50, HolderRole.EXCLUDED),
        Holder(str(BOB), 42, HolderRole.HOLDER),
        Holder(str(INCINERATOR), 40, HolderRole.BURNED),
        Holder(str(ALICE), 5, HolderRole.CREATOR),
    )


async def test_twenty_accounts_are_not_all_of_them() -> None:
    scene = Scene()
    for number in range(25):
        scene.hold(Pubkey.from_bytes(bytes([100 + number]) * 32), 10 + number)
    facts = await scene.read()
    assert facts.holders is not None
    assert (len(facts.holders.holders), facts.holders.is_complete) == (20, False)


@pytest.mark.parametrize("refusal", [NotServed("no index"), NodeRefused("too many accounts", code=-32600)])
async def test_p21_where_holders_are_not_listed_they_are_searched_and_else_unknown(refusal: NotServed) -> None:
    scene = Scene()
    for number in range(25):
        scene.hold(Pubkey.from_bytes(bytes([100 + number]) * 32), 10 + number)
    scene.node.failing["largest_holdings"] = refusal
    facts = await scene.read()
    assert facts.holders is not None
    assert (len(facts.holders.holders), facts.holders.is_complete) == (26, True)
    scene.node.failing["program_accounts"] = NotServed("no search")
    facts = await scene.read()
    assert facts.holders is None
    assert facts.unread["holders"] == f"{refusal.what}; and no search"


async def test_an_endpoint_without_history_leaves_age_and_trades_unknown_and_all_else_read() -> None:
    scene = Scene()
    scene.curve()
    scene.node.failing["signatures_for"] = EndpointDown("history is away")
    facts = await scene.read()
    assert facts.unread == {"trading": "history is away", "age": "history is away"}
    assert (facts.age, facts.trading) == (None, None)
    assert None not in (facts.basics, facts.pool, facts.holders, facts.creators)
    unknown = {check.name for check in screen_token(facts).checks if "history is away" in check.reason}
    assert {"age", "sells", "liquidity drop", "round trips"} <= unknown


async def test_a_transaction_that_the_node_lost_makes_no_trades() -> None:
    scene = Scene()
    scene.trades()
    scene.node.lost.add("signature-5")
    facts = await scene.read()
    assert facts.trading is None and facts.age is None
    assert "signature-5" in facts.unread["trading"]


async def test_a_mention_of_the_address_proves_no_age_and_a_trade_does() -> None:
    scene = Scene()
    scene.node.add(900, NOW - 86_400, scene.state.address)  # somebody sent a transaction that names the pool
    facts = await scene.read()
    assert facts.age is None
    assert facts.unread["age"] == "nothing the program reported proves an age"
    scene.trades(2, created_at=None)
    assert (await scene.read()).age == PoolAge((NOW - 599) * NS_PER_SECOND)


async def test_the_oldest_trades_are_looked_at_when_the_latest_are_too_young() -> None:
    scene = Scene()
    scene.trades(30, created_at=None)
    facts = await scene.read(recent_swaps=3)
    assert facts.trading is not None and facts.age is not None
    assert [swap.quote_units - SOL for swap in facts.trading.swaps] == [28, 29, 30]
    assert facts.age.since_ns == (NOW - 599) * NS_PER_SECOND
    assert not facts.trading.is_complete
    fetched = [name for name in scene.node.asked if name.startswith("signature-")]
    assert len(fetched) == 3 + 5


async def test_history_is_read_back_far_enough_and_no_further() -> None:
    scene = Scene()
    for number in range(3_500):
        scene.node.add(number, NOW - 3_500 + number, scene.state.address)
    await scene.read(recent_swaps=0, min_age_seconds=900)
    assert len([one for one in scene.node.asked if one.startswith("history")]) == 1
    scene.node.asked.clear()
    await scene.read(recent_swaps=0, min_age_seconds=1_500)
    assert len([one for one in scene.node.asked if one.startswith("history")]) == 2
    scene.node.asked.clear()
    await scene.read(recent_swaps=0, min_age_seconds=90_000)
    assert len([one for one in scene.node.asked if one.startswith("history")]) == 3


async def test_sells_that_fail_for_another_reason_than_their_price_are_counted() -> None:
    scene = Scene()
    scene.trades(9)
    pool = scene.state.address
    scene.node.add_failed_sell(100, NOW, pool, TOKEN_2022_PROGRAM, 17)  # the account is frozen
    scene.node.add_failed_sell(101, NOW, pool, AMM_PROGRAM, 6004)  # the price moved
    scene.node.add_failed_sell(102, NOW, pool, TOKEN_PROGRAM, 1)  # the seller has no such amount
    scene.node.add_failed_sell(103, NOW, pool, ALICE, 9)  # somebody's own program changed its mind
    scene.node.add_failed_sell(104, NOW, BOB)  # of another pool
    facts = await scene.read()
    assert facts.trading is not None and facts.trading.failed_sells == 1


async def test_extensions_of_the_mint_are_read_with_their_holders() -> None:
    scene = Scene(base_program=TOKEN_2022_PROGRAM)
    hooked = token_bytes.extended_mint(10**15, 6, {14: bytes(ALICE) + bytes(BOB), 12: bytes(CAROL)})
    scene.put(scene.mint, TOKEN_2022_PROGRAM, hooked)
    facts = await scene.read()
    assert facts.basics is not None
    controls = facts.basics.controls
    assert (controls.hook_program, controls.permanent_delegate) == (str(BOB), str(CAROL))
    unsafe = {check.name for check in screen_token(facts).checks if check.verdict is ScreenVerdict.UNSAFE}
    assert {"transfer hook", "permanent delegate"} <= unsafe
    scene.put(scene.mint, TOKEN_2022_PROGRAM, token_bytes.transfer_fee_mint(10**15, 6, 250))
    report = screen_token(await scene.read())
    assert "250 bps of every transfer; at most 0" in report.objections


async def test_authorities_are_read_from_the_mint() -> None:
    scene = Scene()
    assert (await scene.read()).basics is not None
    data = token_bytes.mint(10**15, 6, authority=ALICE)
    scene.put(scene.mint, TOKEN_PROGRAM, data[:46] + b"\1\0\0\0" + bytes(BOB))
    basics = (await scene.read()).basics
    assert basics is not None and (basics.mint_authority, basics.freeze_authority) == (str(ALICE), str(BOB))


@pytest.mark.parametrize("at", [0, 46])
async def test_a_mint_whose_authorities_cannot_be_read_has_not_given_them_up(at: int) -> None:
    scene = Scene()
    data = bytearray(token_bytes.mint(10**15, 6, authority=ALICE))
    data[at : at + 4] = (2).to_bytes(4, "little")
    scene.put(scene.mint, TOKEN_PROGRAM, bytes(data))
    with pytest.raises(MalformedAccount, match="authority of this mint"):
        await scene.read()


async def test_a_mint_that_was_never_made_is_no_token() -> None:
    scene = Scene()
    scene.put(scene.mint, TOKEN_PROGRAM, bytes(82))
    with pytest.raises(MalformedAccount, match="not initialised"):
        await scene.read()


async def test_an_account_that_another_node_does_not_know_yet_is_somebodys_all_the_same() -> None:
    scene = Scene()
    listed = await scene.node.largest_holdings(scene.mint)
    whale = TokenHolding(CAROL, 4 * 10**14)

    async def largest_holdings(mint: Pubkey) -> HoldingsAt:
        return HoldingsAt(listed.slot, (whale, *listed.holdings))

    scene.node.largest_holdings = largest_holdings  # type: ignore[assignment, method-assign]
    facts = await scene.read()
    assert facts.holders is not None
    assert facts.holders.holders[0] == Holder(str(CAROL), 4 * 10**14)
    assert "40 % of the supply" in check_of(screen_token(facts), "top holder").reason


async def test_shared_creator_fees_lead_to_the_wallets_behind_them() -> None:
    scene = Scene()
    head = bytes.fromhex("d84a0900388c5d4b") + bytes([1, 2, 1]) + bytes(scene.mint) + bytes(BOB) + b"\0"
    shared = head + (1).to_bytes(4, "little") + bytes(CAROL) + (10_000).to_bytes(2, "little")
    scene.put(scene.state.pool.coin_creator, FEES_PROGRAM, shared)
    assert (await scene.read()).creators == (str(BOB), str(CAROL))


async def test_a_coin_whose_creator_nobody_names_has_unknown_creators() -> None:
    facts = await Scene("no coin creator").read()
    assert facts.pool is not None and facts.creators is None
    assert facts.unread["creators"] == "neither a bonding curve nor a pool names a creator"


async def test_a_pool_that_anyone_made_is_only_looked_at_by_its_address() -> None:
    scene = Scene("permissionless")
    facts = await scene.read()
    assert facts.pool is None
    assert "no canonical pool" in facts.unread["pool"]
    facts = await scene.read(scene.state.address)
    assert facts.pool is not None
    assert (facts.pool.is_canonical, facts.pool.lp_burned) == (False, 0)
    other = create_pool(scene.chain, PoolSpec(), random.Random(8))
    scene.chain.advance(40)
    with pytest.raises(UsageError, match="is no pool of"):
        await scene.read(other.address)


async def test_a_coin_on_its_curve_has_no_pool_and_says_why() -> None:
    scene = Scene("permissionless")
    scene.curve(complete=False)
    facts = await scene.read()
    assert facts.pool is None and facts.creators == (str(ALICE),)
    assert "has not graduated" in facts.unread["pool"]
    report = screen_token(facts)
    (asked,) = [check for check in report.checks if check.name == "canonical pool"]
    assert (asked.verdict, report.is_safe, report.pool) == (ScreenVerdict.UNKNOWN, False, None)


async def test_what_is_no_token_is_an_error_and_no_screen() -> None:
    scene = Scene()
    with pytest.raises(NotFound, match="there is no mint"):
        await TokenFactsReader(scene.node, scene.clock).read(ALICE)
    with pytest.raises(NotFound, match="is no token"):
        await TokenFactsReader(scene.node, scene.clock).read(scene.state.address)
    with pytest.raises(MalformedAccount):
        await TokenFactsReader(scene.node, scene.clock).read(scene.state.pool.pool_base_token_account)
    scene.node.failing["accounts"] = EndpointDown("away")
    with pytest.raises(EndpointDown):
        await scene.read()


async def test_a_report_is_kept_for_its_time_and_a_failure_is_not() -> None:
    scene = Scene()
    scene.trades()
    source = ScreenSource(scene.node, scene.clock, ScreenSettings(report_seconds=60))
    scene.node.failing["accounts"] = EndpointDown("away")
    failed = await source.screen(scene.mint)
    assert (failed.verdict, failed.objections) == (ScreenVerdict.UNKNOWN, ("away",))
    scene.node.failing.clear()
    first = await source.screen(str(scene.mint))
    assert len(first.checks) > 1
    scene.clock.advance_to((NOW + 60) * NS_PER_SECOND)
    assert await source.screen(scene.mint) is first
    scene.clock.advance_to((NOW + 61) * NS_PER_SECOND)
    again = await source.screen(scene.mint)
    assert again is not first and again.at_ns == (NOW + 61) * NS_PER_SECOND
    assert (await source.screen("not base58")).objections == ("'not base58' is no address",)


async def test_a_report_from_after_now_is_not_fresh() -> None:
    scene = Scene()
    scene.trades()
    clock = WallClock(NOW)
    source = ScreenSource(scene.node, clock, ScreenSettings(report_seconds=60))
    first = await source.screen(scene.mint)
    clock.seconds -= 3_600
    again = await source.screen(scene.mint)
    assert (again.at_ns, first.at_ns) == ((NOW - 3_600) * NS_PER_SECOND, NOW * NS_PER_SECOND)


async def test_what_may_be_a_key_is_not_repeated_and_failures_leave_nothing_behind() -> None:
    scene = Scene()
    source = ScreenSource(scene.node, scene.clock)
    key = "5x" * 44
    report = await source.screen(key)
    assert key not in str(report)
    assert report.objections == ("that is no address",)
    for number in range(30):
        await source.screen(Pubkey.from_bytes(bytes([number + 1]) * 32))
    assert source._turns == {}


async def test_a_source_of_screens_is_what_the_analysis_asks_for() -> None:
    scene = Scene()
    scene.trades()
    screens: TokenScreens = ScreenSource(scene.node, scene.clock)
    report = await screens.screen(scene.mint, scene.state.address)
    assert (report.mint, report.pool) == (str(scene.mint), str(scene.state.address))


async def test_those_who_ask_at_once_share_one_reading() -> None:
    scene = Scene()
    scene.trades()
    source = ScreenSource(scene.node, scene.clock)
    reports: Sequence[object] = await asyncio.gather(*(source.screen(scene.mint) for _ in range(5)))
    assert all(one is reports[0] for one in reports)
    assert scene.node.asked.count("history before None") == 1
