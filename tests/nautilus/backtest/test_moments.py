"""Several states of a pool at one moment, also such as cannot be quoted: the curve stands where each quote was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import msgspec
import pytest
import yaml
from nautilus_trader.model.data import QuoteTick

from pumpswap.amm import PoolState, execute_buy_exact_quote_in, schedule_at
from pumpswap.amm.acts import Told
from pumpswap.errors import UsageError
from pumpswap.market.lake import Lake, LakeWriter
from pumpswap.market.lake.rows import PoolStateSeen
from pumpswap.market.tape import open_recording
from pumpswap.model import Intent, MarketUpdate, TradeSide
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import chronicle_market, chronicle_updates, recorded_market
from pumpswap.nautilus.backtest.shared import claim, forget_shared
from pumpswap.nautilus.loaders.catalog import read_back, write_catalog
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.ticks import Tape, quote_tick
from pumpswap.research.chronicle.step import ScheduleFor
from tests.nautilus.backtest.test_fills import FREE, NO_EXITS, buys
from tests.nautilus.backtest.world import Script, newest_fees, run, settings_for, spec_for
from tests.research.backtest.histories import History
from tests.support.market import at, graduate, moved

TAPE = Tape(10**8)
PATTERNS = list(product("qx.", repeat=4))  # a state with a quote, one without, nothing known
QUOTES = sum(pattern.count("q") for pattern in PATTERNS)


def state_of(kind: str, place: int, number: int = 1) -> PoolState | None:
    """Whose price tells its place."""
    if kind == ".":
        return None
    return graduate(number, quote_vault=3) if kind == "x" else moved(graduate(number), place)


def follow(
    curve: Curve,
    quotes: Iterable[QuoteTick],
    updates: Sequence[MarketUpdate],
    schedule_for: ScheduleFor,
    *,
    taken: int = 0,
) -> None:
    """Whenever the curve is told of a quote, the update that it was made of is the last one it has taken."""
    numbers: dict[str, list[int]] = {}
    for number, update in enumerate(updates, start=taken + 1):
        schedule, ns = schedule_for(update.at_ns // 10**9), update.at_ns
        if update.state and quote_tick(update.state, schedule, TAPE.quote_lamports, ts_event=ns, ts_init=ns):
            numbers.setdefault(update.pool, []).append(number)
    for tick in quotes:
        pool = tick.instrument_id.symbol.value
        curve.see(pool, tick.ts_init)
        assert curve.stepped == numbers[pool].pop(0)
    assert not any(numbers.values())


def quotes_of(data: Iterable[object]) -> list[QuoteTick]:
    return [one for one in data if isinstance(one, QuoteTick)]


def test_the_curve_of_a_recording_stands_where_each_quote_was_made(tmp_path: Path) -> None:
    updates = [MarketUpdate(at(1), str(graduate(number).address), graduate(number)) for number in (1, 2)]
    for number, pattern in enumerate(PATTERNS, start=2):
        for place, kind in enumerate(pattern, start=1):
            for pool in (1, 2):
                address, state = str(graduate(pool).address), state_of(kind, place, pool)
                updates.append(MarketUpdate(at(number), address, state, obstacle="" if state else "not seen"))
    loaded = load_market(updates, TAPE, schedule_for=newest_fees)
    assert loaded.quotes == 2 + 2 * QUOTES
    curve = Curve(recorded_market(updates, settings_for(tmp_path), schedule_for=newest_fees))
    follow(curve, quotes_of(loaded.data), updates, newest_fees)
    with pytest.raises(UsageError, match="has no state of pool"):
        curve.see(updates[-1].pool, updates[-1].at_ns)


def test_an_order_is_filled_on_the_state_that_its_strategy_was_told(tmp_path: Path) -> None:
    kinds = enumerate("qxqxq", start=1)
    updates = [MarketUpdate(at(1), str(graduate().address), state_of(kind, place)) for place, kind in kinds]
    chosen = settings_for(tmp_path, exits=NO_EXITS, risk=FREE, paper={"latency_ms": 0})
    done = run(updates, chosen, Script({2: buys(10**9)}))
    (trade,) = done.curve.record.trades
    told = execute_buy_exact_quote_in(moved(graduate(), 3), newest_fees(0), 10**9, 1, generation=2)
    assert trade.filled.executed == told.quote
    done.engine.dispose()


@pytest.mark.parametrize("impact", ["naive", "counterfactual"])
def test_the_curve_of_a_history_stands_where_each_quote_was_made(tmp_path: Path, impact: str) -> None:
    """Also where our own trade has led the pool away from its record."""
    history = History(graduate())
    for pattern in PATTERNS:
        first = len(history.steps)
        for place, kind in enumerate(pattern, start=1):
            state = state_of(kind, place)
            if state is None:
                history.sees()
            else:
                history._write(str(state.address), Told(state), state, None)
        at_ns = history.steps[first].at_ns
        history.steps[first:] = [msgspec.structs.replace(one, at_ns=at_ns) for one in history.steps[first:]]
    market, settings = history.chronicle(), settings_for(tmp_path, exits=NO_EXITS, risk=FREE)
    updates, schedule_for = list(chronicle_updates(market)), market.schedule_for
    loaded = load_market(updates, TAPE, schedule_for=schedule_for)
    assert len(loaded.unquoted) > 50
    spec = spec_for(market, settings, impact=impact, latency_slots=0)
    curve = Curve(chronicle_market(spec, market, settings, loaded.unquoted))
    first, *others = quotes_of(loaded.data)
    curve.see(updates[0].pool, first.ts_init)
    mint = str(graduate().pool.base_mint)
    intent = Intent(TradeSide.BUY, updates[0].pool, mint, first.ts_init, "a test", quote_lamports=10**9)
    assert curve.wish(intent, first.ts_init) is not None
    curve.land(others[0].ts_init)
    assert len(curve.record.trades) == 1
    follow(curve, others, updates[1:], schedule_for, taken=1)


def test_a_node_follows_its_catalog(tmp_path: Path) -> None:
    """Its module has the recording and the settings alone."""
    lake, states = Lake(tmp_path / "lake"), list[PoolStateSeen]()
    for number, pattern in enumerate(PATTERNS):
        for place, kind in enumerate(pattern, start=1):
            state = state_of(kind, place)
            if state is not None:
                states.append(PoolStateSeen(at(number), msgspec.structs.replace(state, slot=len(states) + 1)))
    with LakeWriter(lake) as writer:
        writer.add("states", states)
    source, settings_path = str(lake.folder), tmp_path / "pumpswap.yaml"
    settings_path.write_text(yaml.safe_dump({"data_dir": str(tmp_path / "books")}))
    write_catalog(source, tmp_path / "catalog", TAPE)
    _, data = read_back(tmp_path / "catalog")
    curve = claim(source, str(settings_path), "module").curve
    updates = list(open_recording(source).updates())
    assert len(updates) == len(states)
    follow(curve, quotes_of(data), updates, schedule_at)
    forget_shared(source, str(settings_path))
