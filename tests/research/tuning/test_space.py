from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import ConfigError, UsageError
from pumpswap.research.tuning.search import BATCH, OptunaSearch, search_of
from pumpswap.research.tuning.space import parse_space, settings_with, strategy_arguments
from pumpswap.settings import RiskLimits, Settings

TEXT = "exits.take_profit_bps=2000..20000:log/4, risk.max_position_sol=0.1|0.2, strategy.window_seconds=30|60"


def test_a_grid_is_every_combination_in_order() -> None:
    space = parse_space(TEXT)
    grid = space.grid()
    assert space.size() == len(grid) == len(set(grid)) == 16
    assert grid[0] == (
        ("exits.take_profit_bps", "2000"), ("risk.max_position_sol", "0.1"), ("strategy.window_seconds", "30"),
    )  # fmt: skip
    assert grid[1][2] == ("strategy.window_seconds", "60")
    assert list(dict.fromkeys(params[0][1] for params in grid)) == ["2000", "4309", "9283", "20000"]
    assert parse_space(space.text) == space


def test_lines_and_remarks_are_read() -> None:
    text = "# exits\nexits.stop_loss_bps = 500..2000/4  # a remark\n\nrisk.slippage_bps=100|200\n"
    assert parse_space(text).text == "exits.stop_loss_bps=500..2000/4, risk.slippage_bps=100|200"


def test_a_range_of_decimals_stays_within_its_bounds() -> None:
    (one,) = parse_space("risk.max_position_sol=0.05..0.2/4").dimensions
    assert one.grid() == ("0.050", "0.100", "0.150", "0.200")


@given(share=st.floats(0, 1), is_log=st.booleans())
def test_values_of_ranges_are_taken_by_the_settings(share: float, is_log: bool) -> None:
    text = f"risk.max_position_sol=0.01..2.5{':log' if is_log else ''}, exits.stop_loss_bps=1..9999"
    position, loss = parse_space(text).dimensions
    assert Decimal("0.01") <= Decimal(position.value_at(share)) <= Decimal("2.5")
    params = ((position.key, position.value_at(share)), (loss.key, loss.value_at(share)))
    found = settings_with(Settings(), params)
    assert str(found.exits.stop_loss_bps) == loss.value_at(share)


def test_params_change_their_settings_and_nothing_else() -> None:
    settings = Settings(risk=RiskLimits(max_open_positions=3))
    found = settings_with(settings, (("risk.max_position_sol", "0.25"), ("strategy.window_seconds", "30")))
    assert found.risk == RiskLimits(max_open_positions=3, max_position_sol=Decimal("0.25"))
    assert found.exits == settings.exits
    assert strategy_arguments((("risk.max_position_sol", "0.25"), ("strategy.window_seconds", "30"))) == {
        "window_seconds": "30"
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("risk.slippage_bps", "no searched setting"),
        ("risk=1|2", "no searched setting"),
        ("paper.failed_bps=0|312", "cannot be searched"),
        ("wallet.path=a|b", "cannot be searched"),
        ("risk.slippage_bps=5..5", "not below"),
        ("risk.slippage_bps=0..5:log", "not below"),
        ("risk.slippage_bps=1..x", "no range"),
        ("risk.slippage_bps=1..2..3", "no range"),
        ("risk.slippage_bps=1...5..2", "no range"),
        ("risk.slippage_bps=1||2", "empty choice"),
        ("risk.slippage_bps=1|1", "twice"),
        ("risk.slippage_bps=1, risk.slippage_bps=2", "twice"),
        ("risk.slippage_bps=1..5/0", "0 points"),
    ],
)
def test_what_is_no_space_is_told(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_space(text)


def test_what_may_be_a_secret_is_not_shown() -> None:
    secret = "5" * 88
    for text in (secret, f"risk.slippage_bps={secret}|2", f"{secret}=1|2"):
        with pytest.raises(UsageError, match="longer than 63") as raised:
            parse_space(text)
        assert "55" not in f"{raised.value.what} {raised.value.hint}"


def test_values_that_settings_refuse_are_told_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"exits\.stop_loss_bps=20000"):
        parse_space("exits.stop_loss_bps=1000..20000").check(Settings())
    with pytest.raises(ConfigError, match=r"no setting risk\.slipage_bps"):
        parse_space("risk.slipage_bps=1|2").check(Settings())
    # 600 alone does not fit the default of max_slippage_bps, but it may fit what is searched beside it.
    parse_space("risk.slippage_bps=600|700, risk.max_slippage_bps=800|900").check(Settings())
    with pytest.raises(ConfigError, match="above max_slippage_bps"):
        settings_with(Settings(), (("risk.slippage_bps", "900"), ("risk.max_slippage_bps", "800")))


def test_a_grid_needs_points_and_does_not_explode() -> None:
    with pytest.raises(UsageError, match="how many points"):
        parse_space("exits.stop_loss_bps=1..9999").grid()
    with pytest.raises(UsageError, match="a grid of 1002001"):
        parse_space("exits.stop_loss_bps=1..9999/1001, risk.slippage_bps=1..9999/1001").grid()
    with pytest.raises(UsageError, match="more than --trials 3"):
        search_of("grid", parse_space("exits.stop_loss_bps=1|2|3|4"), 3, 0)


def test_random_draws_differ_and_repeat_by_seed() -> None:
    space = parse_space("exits.stop_loss_bps=1..9999, risk.slippage_bps=100|200")
    first = search_of("random", space, 50, 7).ask()
    assert len(set(first)) == 50
    assert first == search_of("random", space, 50, 7).ask()
    assert first != search_of("random", space, 50, 8).ask()
    few = search_of("random", parse_space("risk.slippage_bps=100|200"), 50, 7)
    assert len(few.ask()) == 2
    assert few.ask() == []


def test_optuna_asks_in_batches_and_finds_the_hill() -> None:
    pytest.importorskip("optuna")
    space = parse_space("exits.stop_loss_bps=0..9000, risk.max_position_sol=0.1..1:log, risk.slippage_bps=100|200")

    def run() -> list[list[int]]:
        search = OptunaSearch(space, 70, 3)
        batches = []
        while batch := search.ask():
            losses = [int(params[0][1]) for params in batch]
            batches.append(losses)
            search.tell([None if params[2][1] == "200" else -abs(float(params[0][1]) - 4_000) for params in batch])
        return batches

    batches = run()
    assert [len(batch) for batch in batches] == [BATCH] * 4 + [6]
    assert batches == run()
    assert min(abs(loss - 4_000) for batch in batches for loss in batch) < 200


def test_a_search_without_a_number_of_trials_is_refused() -> None:
    for method in ("random", "optuna"):
        with pytest.raises(UsageError, match="needs a number of trials"):
            search_of(method, parse_space("risk.slippage_bps=1|2"), 0, 1)
