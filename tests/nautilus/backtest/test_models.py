"""Under Nautilus' own exchange: fill and fee model of the curve, a plain ``add_venue``, and a BacktestNode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.enums import AccountType, BookType, OmsType

from pumpswap.amm import current_schedule, execute_buy, execute_sell
from pumpswap.errors import UsageError
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.nautilus.backtest.models import CurveFeeModel, CurveFillModel, Executions
from pumpswap.nautilus.backtest.module import CurveModule
from pumpswap.nautilus.backtest.venue import add_market, backtest_config
from pumpswap.nautilus.compat import IS_1231
from pumpswap.nautilus.config import CurveModuleConfig
from pumpswap.nautilus.constants import PUMPSWAP_VENUE
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.money import lamports_of, price, qty, sol, units_of
from pumpswap.nautilus.ticks import Tape
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys, buys_units, cash_of, sells_all
from tests.nautilus.backtest.world import Script, market_of, newest_fees, settings_for
from tests.support.market import graduate

STATE, UNITS = graduate(), 10**12


def plain(
    folder: Path, script: Script, percents: list[int], **sections: Any
) -> tuple[BacktestEngine, Curve, CurveModule]:
    """As a user does it who knows only Nautilus: his own venue, with our models and our module."""
    told: dict[str, Any] = {"exits": NO_EXITS, "risk": FREE, "paper": {"latency_ms": 0}}
    chosen = settings_for(folder, **{**told, **sections})
    updates = market_of(STATE, percents)
    curve = Curve(recorded_market(updates, chosen, schedule_for=newest_fees))
    executions = Executions(curve)
    module = CurveModule(CurveModuleConfig(source="updates"), curve)
    engine = BacktestEngine(backtest_config(chosen))
    engine.add_venue(
        PUMPSWAP_VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [sol(curve.wallet_lamports)],
        base_currency=None,
        modules=[module],
        fill_model=CurveFillModel(executions=executions),
        fee_model=CurveFeeModel(executions=executions),
        book_type=BookType.L1_MBP,
        bar_execution=False,
        trade_execution=False,
    )
    add_market(engine, load_market(updates, Tape(10**8), schedule_for=newest_fees), curve.market.tail_ns)
    engine.add_strategy(script)
    return engine, curve, module


def test_a_plain_venue_fills_on_the_curve_at_once_and_its_account_is_squared(tmp_path: Path) -> None:
    script = Script({2: buys_units(UNITS), 4: sells_all})
    engine, curve, module = plain(tmp_path, script, [0] * 6)
    engine.run()
    schedule = current_schedule()
    first = execute_buy(STATE, schedule, UNITS, 10**12, generation=2)
    second = execute_sell(STATE, schedule, UNITS, 1, generation=2)
    assert [trade.filled.executed for trade in curve.record.trades] == [first.quote, second.quote]
    bought, sold = script.told("OrderFilled")
    for event, quote in ((bought, first.quote), (sold, second.quote)):
        assert event.last_px == price(quote.gross_quote, UNITS, 6)
        assert units_of(event.last_qty, 6) == UNITS
    assert lamports_of(bought.commission) == first.quote.fees + 35_000
    assert cash_of(script) == curve.wallet_lamports
    assert module.adjustments == 2  # rent was laid down with the purchase, and came back with the sale
    engine.dispose()


def test_a_refusal_of_the_gate_ends_the_run_and_names_the_way(tmp_path: Path) -> None:
    engine, _, _ = plain(tmp_path, Script({2: buys_units(10**13)}), [0] * 6, risk={**FREE, "max_impact_bps": 100})
    with pytest.raises(UsageError, match="the gate refused order") as caught:
        engine.run()
    assert "add_pumpswap_venue" in caught.value.hint
    engine.dispose()


def test_a_budget_is_turned_into_tokens_by_nautilus_or_refused(tmp_path: Path) -> None:
    """What a fill model sees of a quote quantity differs between the versions; money is never spent by mistake."""
    script = Script({2: buys(10**9)})
    engine, curve, _ = plain(tmp_path, script, [0] * 6)
    if IS_1231:
        engine.run()
        (trade,) = curve.record.trades
        assert trade.order.is_exact_buy
        assert script.told("OrderFilled")[0].last_qty.raw == qty(trade.order.base_units, 6).raw
        assert cash_of(script) == curve.wallet_lamports
    else:
        with pytest.raises(UsageError, match="no market order for a quantity of tokens"):
            engine.run()
        assert curve.record.trades == []
    engine.dispose()


def test_a_latency_is_refused_where_nothing_can_have_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the settings ask for a latency"):
        plain(tmp_path, Script({}), [0] * 3, paper={"latency_ms": 400})


def test_models_without_a_source_say_so() -> None:
    for made in (CurveFillModel, CurveFeeModel):
        with pytest.raises(UsageError, match="needs its source"):
            made()
