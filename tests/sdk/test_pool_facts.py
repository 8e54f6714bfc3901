"""Which pool a host's row is about, and what can be traded there: from a chain, and from the row alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import schedule_at
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT
from pumpswap.chain.node import ChainAccount
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import BadInput, EndpointDown, NotFound, ProtocolDrift, PumpSwapError
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.model import ScreenCheck, ScreenReport, ScreenVerdict
from pumpswap.sdk.pool_facts import ChainPoolFacts, SnapshotPoolFacts
from pumpswap.sdk.pool_identity import PoolIdentity, identify
from pumpswap.signals import PumpSwapSignalAnalyzer
from tests.chain.practice import practice_chain
from tests.sdk.recorded import RecordedNode

POOL = Pubkey.from_bytes(b"p" * 32)
OTHER = Pubkey.from_bytes(b"o" * 32)
MINT = Pubkey.from_bytes(b"m" * 32)
NOW_NS = 1_790_000_000 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("row", "pool", "mint"),
    [
        ({"pool_id": f"solana_{POOL}", "dex_id": "pumpswap"}, POOL, None),
        ({"id": f"solana_{POOL}", "address": str(POOL), "dex_id": "pumpswap", "base_token_id": str(MINT)}, POOL, MINT),
        # Rows of the top pools carry the prefix in their address too.
        ({"id": f"solana_{POOL}", "address": f"solana_{POOL}", "dex_id": "pumpswap"}, POOL, None),
        ({"id": 17, "pool_id": f"solana_{POOL}", "dex_id": "pumpswap", "base_token_id": f"solana_{MINT}"}, POOL, MINT),
        ({"id": "17", "pool_id": str(POOL), "dex_id": "pumpswap", "network_id": "solana"}, POOL, None),
        # A coin of the bonding curve has its pair where somebody has found it.
        ({"pool_id": f"solana_{OTHER}", "dex_id": "pump-fun", "pumpswap_pair_address": str(POOL)}, POOL, None),
        ({"base_token_address": str(MINT)}, None, MINT),
    ],
)
def test_the_pool_of_a_row(row: dict[str, object], pool: Pubkey | None, mint: Pubkey | None) -> None:
    assert identify(row) == PoolIdentity(pool, mint)


@pytest.mark.parametrize(
    ("row", "error", "reason"),
    [
        ({"pool_id": f"solana_{POOL}", "dex_id": "pump-fun"}, NotFound, "traded on pump-fun, not on PumpSwap"),
        ({"pool_id": f"solana_{POOL}"}, NotFound, "traded on an unknown exchange, not on PumpSwap"),
        ({"pool_id": f"bsc_{POOL}", "dex_id": "pumpswap"}, NotFound, "the pool is on bsc, not on Solana"),
        ({"pool_id": str(POOL), "dex_id": "pumpswap", "network_id": "base"}, NotFound, "the pool is on base"),
        ({"dex_id": "pumpswap"}, NotFound, "names neither a pool nor a coin"),
        ({"pool_id": str(POOL), "address": str(OTHER), "dex_id": "pumpswap"}, BadInput, "names several"),
        ({"pool_id": str(POOL), "dex_id": "pumpswap", "base_token_id": str(WSOL_MINT)}, BadInput, "wrapped SOL itself"),
        ({"pool_id": str(POOL), "dex_id": "pumpswap", "base_token_id": str(POOL)}, BadInput, "the pool's own address"),
        ({"pool_id": str(POOL), "dex_id": "pumpswap", "pair_address": str(OTHER)}, BadInput, "names several"),
        ({"pool_id": "5x" * 44, "dex_id": "pumpswap"}, BadInput, "^that is no pool address"),
        ({"pool_id": "Pump!", "dex_id": "pumpswap"}, BadInput, "'Pump!' is no pool address"),
        ({"base_token_address": "coin"}, BadInput, "'coin' is no mint"),
    ],
)
def test_a_row_that_is_about_no_pool_says_why(row: dict[str, object], error: type[PumpSwapError], reason: str) -> None:
    with pytest.raises(error, match=reason) as found:
        identify(row)
    assert found.value.hint


class Scene:
    """A canonical pool on a chain that is only read."""

    def __init__(self, kind: str = "graduate", base_program: Pubkey = TOKEN_PROGRAM) -> None:
        self.chain = practice_chain()
        self.state = create_pool(self.chain, PoolSpec(kind, base_program=base_program), random.Random(5))
        self.chain.advance(40)
        self.node = RecordedNode(self.chain)
        self.clock = ManualClock(NOW_NS)

    def row(self, **changes: object) -> dict[str, object]:
        mint = str(self.state.pool.base_mint)
        return {"pool_id": f"solana_{self.state.address}", "dex_id": "pumpswap", "base_token_id": mint, **changes}

    def source(self, screens: Screens | None = None) -> ChainPoolFacts:
        return ChainPoolFacts(self.node, self.clock, screens=screens)


class Screens:
    """Answers every token alike, or breaks."""

    def __init__(self, answer: ScreenVerdict | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[object, object]] = []

    async def screen(self, mint: str | Pubkey, pool: Pubkey | None = None) -> ScreenReport:
        self.asked.append((mint, pool))
        if isinstance(self.answer, Exception):
            raise self.answer
        return ScreenReport(str(mint), NOW_NS, (ScreenCheck("all", self.answer, "because"),))


@pytest.mark.asyncio
async def test_the_facts_are_the_chains() -> None:
    scene = Scene()
    facts = await scene.source().pool_facts(scene.row())
    assert (facts.state.base_reserve, facts.state.quote_vault) == (scene.state.base_reserve, scene.state.quote_vault)
    assert facts.pool == str(scene.state.address)
    assert (facts.at_ns, facts.data_source, facts.screen) == (NOW_NS, "chain", None)
    assert sum(facts.schedule.rates(facts.state)) > 0
    by_mint = await scene.source().pool_facts({"base_token_address": str(scene.state.pool.base_mint)})
    assert by_mint.state == facts.state


@pytest.mark.asyncio
async def test_a_screen_is_asked_about_the_coin_and_its_pool() -> None:
    scene, screens = Scene(), Screens(ScreenVerdict.SAFE)
    facts = await scene.source(screens).pool_facts(scene.row())
    assert screens.asked == [(scene.state.pool.base_mint, scene.state.address)]
    assert facts.screen is not None
    assert facts.screen.is_safe


@pytest.mark.asyncio
async def test_a_screen_that_breaks_has_not_been_passed() -> None:
    scene = Scene()
    facts = await scene.source(Screens(RuntimeError("no holders"))).pool_facts(scene.row())
    assert facts.screen is not None
    assert facts.screen.verdict is ScreenVerdict.UNKNOWN
    assert facts.screen.objections == ("the screen failed: RuntimeError: no holders",)


@pytest.mark.asyncio
async def test_a_mint_that_taxes_transfers_is_unsafe_without_a_screen_too() -> None:
    """A quote does not know the tax: what it calls exact would not arrive."""
    scene = Scene("graduate", base_program=TOKEN_2022_PROGRAM)
    mint = scene.state.pool.base_mint
    data = token_bytes.transfer_fee_mint(scene.state.base_supply, 6, 500)
    scene.chain.set_account(ChainAccount(mint, TOKEN_2022_PROGRAM, scene.chain.rent(len(data)), data))
    scene.chain.advance(40)
    facts = await scene.source().pool_facts(scene.row())
    assert facts.screen is not None
    assert facts.screen.verdict is ScreenVerdict.UNSAFE
    assert facts.screen.objections == ("its mint has transfer-fee",)
    merged = await PumpSwapSignalAnalyzer(source=scene.source()).analyze_pool_enhanced(scene.row())
    assert merged["execution_feasibility"]["can_buy"] is False
    assert merged["token_screen"] == {"verdict": "unsafe", "reasons": ["its mint has transfer-fee"]}


@pytest.mark.asyncio
async def test_what_cannot_be_read_is_an_error_with_a_reason_and_the_analysis_falls_back() -> None:
    scene = Scene()
    analyzer = PumpSwapSignalAnalyzer(source=scene.source())

    async def reason(row: Mapping[str, object], error: type[PumpSwapError]) -> str:
        with pytest.raises(error) as failed:
            await scene.source().pool_facts(row)
        merged = await analyzer.analyze_pool_enhanced(row)
        assert merged["pumpswap_available"] is False
        assert merged["pumpswap_error"] == failed.value.what
        return failed.value.what

    assert "no pool" in await reason(scene.row(pool_id=f"solana_{POOL}", base_token_id=None), NotFound)
    assert "the row names" in await reason(scene.row(base_token_id=str(MINT)), BadInput)
    vault = str(scene.state.pool.pool_base_token_account)
    assert "is no PumpSwap pool" in await reason(scene.row(pool_id=vault), ProtocolDrift)
    assert str(MINT) in await reason({"base_token_address": str(MINT)}, NotFound)
    scene.node.failing["accounts"] = EndpointDown("the node is away")
    assert await reason(scene.row(), EndpointDown) == "the node is away"


SNAPSHOT: dict[str, object] = {
    "id": 5,
    "pool_id": f"solana_{POOL}",
    "name": "COIN / SOL",
    "dex_id": "pumpswap",
    "base_token_id": str(MINT),
    "quote_token_id": str(WSOL_MINT),
    "base_token_price_usd": Decimal("0.0001"),
    "base_token_price_native_currency": 0.0000005,
    "quote_token_price_usd": "200",
    "reserve_in_usd": 40_000,
    "volume_usd_h24": 1_000,
    "collected_at": datetime(2025, 10, 4, 12, tzinfo=UTC),
    "market_cap_usd": None,
}


@pytest.mark.asyncio
async def test_a_row_without_a_chain_implies_a_state_that_is_labelled_as_estimated() -> None:
    facts = await SnapshotPoolFacts(ManualClock(NOW_NS)).pool_facts(SNAPSHOT)
    assert facts.data_source == "snapshot"
    assert facts.at_ns == int(datetime(2025, 10, 4, 12, tzinfo=UTC).timestamp()) * NS_PER_SECOND
    assert facts.depth_lamports == 100 * 10**9  # half of 40,000 USD at 200 USD per SOL
    assert facts.schedule is schedule_at(facts.at_ns // NS_PER_SECOND)
    merged = await PumpSwapSignalAnalyzer(source=SnapshotPoolFacts(ManualClock(0))).analyze_pool_enhanced(SNAPSHOT)
    assert merged["pumpswap_data_source"] == "snapshot"
    assert merged["token_screen"]["verdict"] == "not_requested"
    assert merged["signal_score"] > merged["base_signal_score"]


@pytest.mark.asyncio
async def test_a_row_without_a_time_is_of_now() -> None:
    row = {name: value for name, value in SNAPSHOT.items() if name != "collected_at"}
    assert (await SnapshotPoolFacts(ManualClock(NOW_NS)).pool_facts(row)).at_ns == NOW_NS


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"reserve_in_usd": None}, NotFound, "the pool has no reserve"),
        ({"quote_token_price_usd": ""}, NotFound, "the price of SOL is not known"),
        ({"dex_id": "raydium"}, NotFound, "traded on raydium"),
        ({"base_token_id": None}, NotFound, "the mint of the pool is not known"),
        ({"reserve_in_usd": "plenty"}, BadInput, "is no number"),
    ],
)
async def test_a_row_that_implies_no_state_says_why(
    changes: dict[str, object], error: type[PumpSwapError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        await SnapshotPoolFacts(ManualClock(NOW_NS)).pool_facts({**SNAPSHOT, **changes})
