"""The screens on recorded coins: a real graduate, and the collector's export with its scam flags."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pumpswap.clock import parse_utc
from pumpswap.model import (
    Holder,
    HolderRole,
    Holders,
    MarketFigures,
    MintBasics,
    MintControls,
    PoolAge,
    PoolStanding,
    ScreenVerdict,
    SeenSwap,
    TokenFacts,
    TradingSeen,
)
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import screen_token
from pumpswap.signals.screens.rug import host_flags
from pumpswap.signals.screens.volume import Volume, measure_volume
from pumpswap.units import to_units
from tests.signals.screens.coins import check_of
from tests.support.material import material, requires_material

SOL_MINT = "So11111111111111111111111111111111111111112"
SHARING_CONFIG = "3ecXTre9LyqzjheLKpiBbsEm29aLLLfm2KidrVjfAAkM"


def recorded(name: str) -> Any:
    path = material("real", "gecko", name)
    assert path is not None
    return json.loads(path.read_text())


def wizard_trades() -> tuple[SeenSwap, ...]:
    """Oldest first. The service tells amounts in decimals and no reserves."""
    swaps = []
    for row in recorded("geckoterminal_trades_pumpswap.json")["data"]:
        told = row["attributes"]
        is_buy = told["kind"] == "buy"
        paid, got = told["from_token_amount"], told["to_token_amount"]
        assert told["from_token_address" if is_buy else "to_token_address"] == SOL_MINT
        quote, base = (paid, got) if is_buy else (got, paid)
        swaps.append(
            SeenSwap(
                parse_utc(told["block_timestamp"]),
                is_buy,
                to_units(base, 6),
                to_units(quote, 9),
                told["tx_from_address"],
            )
        )
    return tuple(reversed(swaps))


def wizard() -> TokenFacts:
    """WIZARD as it was told by four services in July 2026."""
    report, coin = recorded("rugcheck_report.json"), recorded("pumpfun_coin.json")
    held = recorded("holders_compiled.json")
    market = next(one for one in report["markets"] if one["pubkey"] == coin["pump_swap_pool"])
    pools, lockers = set(held["labels"]["pools"]), set(held["labels"]["lockers"])

    def role(owner: str) -> HolderRole:
        if owner == coin["pump_swap_pool"]:
            return HolderRole.POOL
        if owner == coin["bonding_curve"]:
            return HolderRole.CURVE
        if owner == held["labels"]["burn"]:
            return HolderRole.BURNED
        return HolderRole.EXCLUDED if owner in pools | lockers else HolderRole.HOLDER

    assert report["token_extensions"]["transferFeeConfig"] is None
    assert report["token_extensions"]["permanentDelegate"] is None
    quote_vault = market["liquidityBAccount"]["amount"]
    return TokenFacts(
        mint=report["mint"],
        at_ns=parse_utc("2026-07-20T08:00:00Z"),
        basics=MintBasics(
            report["tokenProgram"],
            report["token"]["decimals"],
            report["token"]["supply"],
            report["mintAuthority"],
            report["freezeAuthority"],
            MintControls(kinds=("metadata-pointer", "token-metadata")),
        ),
        pool=PoolStanding(
            address=market["pubkey"],
            is_canonical=True,
            is_graduated=coin["complete"],
            base_units=market["liquidityAAccount"]["amount"],
            effective_quote_units=quote_vault,
            real_quote_units=quote_vault,
            quote_decimals=9,
            lp_supply_units=market["lp"]["reserveSupply"],
            lp_minted_units=market["mintLPAccount"]["supply"],
        ),
        age=PoolAge(coin["created_timestamp"] * 1_000_000, is_creation=True),
        holders=Holders(
            tuple(Holder(one["owner"], int(one["amount"]), role(one["owner"])) for one in held["holders"]), True
        ),
        creators=(coin["creator"], SHARING_CONFIG),
        trading=TradingSeen(wizard_trades()),
    )


@requires_material("real", "gecko")
def test_a_real_coin_that_a_rug_checker_finds_no_fault_with_passes_all_that_was_recorded() -> None:
    facts = wizard()
    report = screen_token(facts)
    assert {check.name for check in report.checks if check.verdict is not ScreenVerdict.SAFE} == {"liquidity drop"}
    # The service tells no reserves, and what nobody told is not safe.
    assert check_of(report, "liquidity drop").verdict is ScreenVerdict.UNKNOWN
    assert report.verdict is ScreenVerdict.UNKNOWN


@requires_material("real", "gecko")
def test_the_burned_share_is_the_checkers_locked_share() -> None:
    pool, report = wizard().pool, recorded("rugcheck_report.json")
    assert pool is not None and pool.lp_burned is not None
    told = next(one for one in report["markets"] if one["pubkey"] == pool.address)["lp"]["lpLockedPct"]
    assert float(pool.lp_burned) * 100 == told
    assert pool.lp_burned == 1 - Fraction(272_184_582_287, 4_465_572_885_911)


@requires_material("real", "gecko")
def test_the_pool_is_no_holder_and_without_that_it_would_be_the_largest() -> None:
    report = screen_token(wizard())
    top = check_of(report, "top holder")
    assert top.figures["owners"] == ["6t94jagNDMviq57kJSE1xNYvZjC8qtga9etZpjwTx64a"]
    assert top.reason.startswith("6t94jagNDMviq57kJSE1xNYvZjC8qtga9etZpjwTx64a holds 3.005 %")
    assert check_of(report, "top ten holders").reason.startswith("10 owners hold 23.")
    facts = wizard()
    assert facts.holders is not None
    naive = replace(
        facts, holders=Holders(tuple(replace(one, role=HolderRole.HOLDER) for one in facts.holders.holders), True)
    )
    assert check_of(screen_token(naive), "top holder").verdict is ScreenVerdict.UNSAFE


@requires_material("real", "gecko")
def test_one_page_of_holders_is_not_all_of_them() -> None:
    page, held = recorded("das_token_accounts_page1.json")["result"], recorded("holders_compiled.json")
    listed: dict[str, int] = {}
    for one in page["token_accounts"]:
        listed[one["owner"]] = listed.get(one["owner"], 0) + one["amount"]
    assert page["total"] == len(page["token_accounts"]) == page["limit"]  # the trap: a page size, no total
    assert len(listed) < len(held["holders"])
    assert sum(listed.values()) < int(held["supplyRaw"]) == sum(int(one["amount"]) for one in held["holders"])


def export_rows(name: str) -> list[dict[str, str]]:
    path = material("real", "host_export", name)
    assert path is not None
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures_of(row: dict[str, str]) -> MarketFigures:
    def number(key: str) -> float | None:
        return float(row[key]) if row[key] else None

    return MarketFigures(
        number("fdv_usd"),
        number("volume_usd_h24"),
        number("reserve_in_usd"),
        int(row["transactions_h24_buys"] or 0),
        int(row["transactions_h24_sells"] or 0),
    )


@requires_material("real", "host_export")
def test_the_hosts_flags_are_found_on_its_own_export() -> None:
    rows = export_rows("new_pools_history.csv")
    flagged = [row for row in rows if any("times the liquidity" in flag for flag in host_flags(figures_of(row)))]
    assert (len(rows), len(flagged)) == (4_720, 289)
    pumpswap = [row for row in flagged if row["dex_id"] == "pumpswap"]
    assert len(pumpswap) == 35
    assert sum(float(row["reserve_in_usd"] or 0) > 0 for row in pumpswap) == 19
    every = [row for row in rows if row["dex_id"] == "pumpswap"]
    any_flag = [row for row in every if host_flags(figures_of(row))]
    assert (len(every), len(any_flag)) == (496, 49)
    for row in any_flag:
        report = screen_token(TokenFacts(row["base_token_id"], 0, market=figures_of(row)))
        assert report.verdict is ScreenVerdict.UNSAFE


def windows(rows: list[dict[str, str]], size: int = 60) -> Iterator[Volume]:
    swaps = []
    for row in sorted(rows, key=lambda one: (int(one["block_number"]), one["id"])):
        is_buy = row["side"] == "buy"
        paid, got = row["from_token_amount"], row["to_token_amount"]
        quote, base = (paid, got) if is_buy else (got, paid)
        swaps.append(SeenSwap(0, is_buy, int(float(base) * 10**6), int(float(quote) * 10**9), row["tx_from_address"]))
    for start in range(0, len(swaps) - size + 1, size):
        found = measure_volume(swaps[start : start + size])
        assert found is not None
        yield found


@requires_material("real", "host_export")
def test_a_day_of_a_lively_pool_gives_no_false_alarm_and_bots_of_a_fresh_one_do() -> None:
    limits = ScreenSettings()
    found = list(windows(export_rows("trades_one_pool.csv")))
    assert len(found) == 88
    assert max(one.top_share for one in found) < Fraction(limits.max_wallet_share)
    assert max(one.round_trips for one in found) < Fraction(limits.max_round_trip_share)
    assert max(one.same_sizes for one in found) < Fraction(limits.max_same_size_share)
    assert max(one.alternation for one in found) < Fraction(9, 10)
    # The two fresh pools that the host watched: bots buying and selling at once, within two minutes of the start.
    rows = export_rows("trades.csv")
    busy = [row for row in rows if row["pool_id"].startswith("solana_FcgExnc")]
    assert any(one.round_trips > Fraction(limits.max_round_trip_share) for one in windows(busy))
