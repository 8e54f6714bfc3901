"""One file knows the version of NautilusTrader."""

from __future__ import annotations

import nautilus_trader
from nautilus_trader.model.events import OrderUpdated

from pumpswap.nautilus import compat
from tests.support.material import ROOT


def test_the_version_is_told_as_numbers() -> None:
    assert ".".join(map(str, compat.VERSION)) == nautilus_trader.__version__
    assert compat.IS_1231 is (compat.VERSION >= (1, 231, 0))


def test_only_compat_looks_at_the_version() -> None:
    naming = ("IS_1231", "nautilus_trader.__version__", "compat.VERSION")
    found = {
        path.name
        for path in (ROOT / "src/pumpswap/nautilus").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in naming)
    }
    assert found <= {"compat.py", "check.py"}


def test_quote_quantities_are_left_as_they_are() -> None:
    live, back_test = compat.live_exec_engine_config(), compat.exec_engine_config()
    assert getattr(live, "convert_quote_qty_to_base", False) is False
    assert getattr(back_test, "convert_quote_qty_to_base", False) is False
    assert bool(compat.QUOTE_DONE) is hasattr(OrderUpdated, "is_quote_quantity")


def test_nothing_is_invented_and_nothing_rejected_for_being_slow() -> None:
    config = compat.live_exec_engine_config(open_check_interval_secs=1.0)
    assert (config.reconciliation, config.generate_missing_orders, config.open_check_open_only) == (True, False, True)
    assert config.open_check_interval_secs == 1.0
