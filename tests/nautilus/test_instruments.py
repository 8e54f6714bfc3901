"""Instruments of pools, and the pools that are none."""

from __future__ import annotations

import random
import subprocess
import sys
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money

from pumpswap.amm import current_schedule
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.errors import BadInput
from pumpswap.nautilus.compat import FIXED, MONEY_MAX_WHOLE
from pumpswap.nautilus.constants import SOL
from pumpswap.nautilus.instruments import (
    base_decimals_of,
    currency_of,
    instrument_id,
    instrument_of,
    mint_of,
    pool_of,
)
from pumpswap.nautilus.money import tokens
from tests.support.market import graduate
from tests.support.material import ROOT
from tests.support.random_pools import random_state

SCHEDULE = current_schedule()


def made(**changes: Any) -> CurrencyPair:
    return instrument_of(graduate(**changes), SCHEDULE, "GRAD/SOL", 7)


def test_an_instrument_of_a_pool() -> None:
    state = graduate()
    pair = made()
    assert str(pair.id) == f"{state.address}.PUMPSWAP"
    assert (pair.raw_symbol.value, pair.base_currency.code) == (str(state.address), str(state.pool.base_mint))
    assert (pair.base_currency.precision, pair.quote_currency.precision) == (6, 9)
    assert (pair.price_precision, pair.size_precision) == (FIXED - 1, 6)
    assert pair.price_increment.as_decimal() == Decimal(1).scaleb(-pair.price_precision)
    assert pair.size_increment.as_decimal() == Decimal("0.000001")
    assert pair.maker_fee == pair.taker_fee == Decimal(sum(SCHEDULE.rates(state))) / 10_000
    assert (pair.ts_event, pair.ts_init) == (7, 7)
    assert pair.info == {
        "mint": str(state.pool.base_mint),
        "pool": str(state.address),
        "name": "GRAD/SOL",
        "canonical": True,
        "cashback": False,
        "base_decimals": 6,
    }
    assert (mint_of(pair), base_decimals_of(pair), pool_of(pair.id)) == (pair.info["mint"], 6, pair.info["pool"])


@pytest.mark.parametrize("decimals", [0, 2, 6, 9])
def test_every_number_of_decimals_that_coins_have(decimals: int) -> None:
    pair = made(base_decimals=decimals, base_supply=10**12, base_reserve=10**11)
    assert (pair.size_precision, pair.base_currency.precision) == (decimals, decimals)


def test_pools_at_random_become_instruments_or_say_why_not() -> None:
    rng = random.Random(8)
    refused: list[str] = []
    taken = 0
    for _ in range(400):
        state = random_state(rng)
        try:
            pair = instrument_of(state, SCHEDULE)
        except BadInput as no:
            refused.append(no.what)
        else:
            assert pair.quote_currency == SOL
            taken += 1
    assert taken > 100
    assert len(refused) > 10  # pools against USDC and other coins
    assert all("pool" in what or "beyond any price" in what for what in refused)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another quote": ({"quote_mint": USDC_MINT}, "trades against"),
    "no reserves": ({"base_reserve": 0}, "has no reserves"),
    "a supply beyond all": ({"base_supply": 2**64 - 1, "base_decimals": 0}, "has a supply of"),
    "more decimals than Nautilus": ({"base_decimals": FIXED + 1}, "decimals"),
    "a price beyond all": (
        {"base_reserve": 1, "base_supply": 1, "quote_vault": 10**9 * 10**9, "base_decimals": 9},
        "beyond any price",
    ),
    "a value beyond all": (
        {"base_reserve": 10**8, "base_supply": 10**18, "quote_vault": 10**9 * 10**9, "base_decimals": 6},
        "are worth",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_an_instrument_is_refused_by_name(name: str) -> None:
    changes, words = REFUSED[name]
    with pytest.raises(BadInput, match=words):
        made(**changes)


def test_the_largest_supply_that_fits() -> None:
    """Of what a balance can hold, which is less than a quantity can."""
    state = graduate(base_decimals=0, base_reserve=10**12, base_supply=MONEY_MAX_WHOLE)
    pair = instrument_of(state, SCHEDULE)
    assert tokens(MONEY_MAX_WHOLE, pair.base_currency).currency.precision == 0
    with pytest.raises(BadInput):
        instrument_of(msgspec.structs.replace(state, base_supply=MONEY_MAX_WHOLE + 1), SCHEDULE)


@pytest.mark.parametrize("text", ["BTCUSDT.BINANCE", "nothing.PUMPSWAP"])
def test_an_id_that_names_no_pool_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        pool_of(InstrumentId.from_str(text))


def test_sol_and_tokens_are_known_with_their_decimals() -> None:
    mint = str(graduate(9).pool.base_mint)
    assert Currency.from_str("SOL").precision == 9
    currency_of(mint, 4)
    assert Currency.from_str(mint).precision == 4


def test_both_cores_of_nautilus_know_the_decimals() -> None:
    """A starting node of 1.231 takes reports of fills through its newer core: a commission keeps its last digit."""
    currency = currency_of(f"{'1' * 31}X", 3)
    commission = Money.from_raw(623_989 * 10 ** (FIXED - 9), SOL)
    told = nautilus_pyo3.Money.from_str(str(commission))
    assert (str(told), told.currency.precision) == ("0.000623989 SOL", 9)
    assert nautilus_pyo3.Currency.from_str(currency.code).precision == 3


def test_importing_the_adapter_is_enough_to_know_sol() -> None:
    code = (
        "import pumpswap.nautilus as n; n.node_config; from nautilus_trader.model.objects import Currency; "
        "print(Currency.from_str('SOL').precision)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "9"


def test_nobody_uses_nautilus_own_sol() -> None:
    for path in (ROOT / "src/pumpswap/nautilus").rglob("*.py"):
        assert "model.currencies" not in path.read_text(encoding="utf-8"), path


def test_the_id_of_a_pool_can_be_written_and_read() -> None:
    of = instrument_id(str(graduate().address))
    assert InstrumentId.from_str(str(of)) == of
