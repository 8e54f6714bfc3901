"""What differs between the supported versions of NautilusTrader. No other file looks at the version."""

from __future__ import annotations

from typing import Any, Final

import nautilus_trader
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.core.data import Data
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.live.config import LiveExecEngineConfig
from nautilus_trader.model.data import CustomData, DataType
from nautilus_trader.model.events import OrderUpdated
from nautilus_trader.model.identifiers import AccountId, VenueOrderId
from nautilus_trader.model.objects import FIXED_PRECISION, MONEY_MAX, PRICE_MAX, QUANTITY_MAX, Currency, Quantity

from pumpswap.errors import ConfigError

__all__ = [
    "FIXED",
    "IS_1231",
    "MONEY_MAX_WHOLE",
    "PRICE_MAX_WHOLE",
    "QUANTITY_MAX_WHOLE",
    "QUOTE_DONE",
    "VERSION",
    "custom_answer",
    "exec_engine_config",
    "live_exec_engine_config",
    "order_updated",
    "register_currency",
    "unconverted_quotes",
]


def _version() -> tuple[int, int, int]:
    """Raises ConfigError for a version that this adapter was not made for."""
    told: str = nautilus_trader.__version__
    major, minor, patch = (int(part) for part in (told + ".0.0").split(".")[:3])
    if not (1, 221) <= (major, minor) < (2, 0):
        raise ConfigError(
            f"NautilusTrader {told} is not supported",
            hint="1.221 (Python 3.11) and 1.231 (3.12 and later) are; version 2 is another system",
        )
    return major, minor, patch


VERSION: Final = _version()
IS_1231: Final = VERSION >= (1, 231, 0)
_CONVERTS_QUOTES: Final = "convert_quote_qty_to_base" in LiveExecEngineConfig.__struct_fields__

# Raw values are scaled by ten to this power whatever the precision: 16, or 9 on a standard-precision build.
FIXED: Final[int] = int(FIXED_PRECISION)
# In whole units. ``from_raw`` beyond them ends the process, it does not raise: check with integers before. One less
# than Nautilus says: it computes its raw limits in doubles, and they come out a little below.
PRICE_MAX_WHOLE: Final = int(PRICE_MAX) - 1
QUANTITY_MAX_WHOLE: Final = int(QUANTITY_MAX) - 1
MONEY_MAX_WHOLE: Final = int(MONEY_MAX) - 1

# For ``generate_order_updated``: the quantity is one of base units from now on.
QUOTE_DONE: Final[dict[str, Any]] = {"is_quote_quantity": False} if hasattr(OrderUpdated, "is_quote_quantity") else {}


def exec_engine_config(**fields: Any) -> Any:
    """``ExecEngineConfig`` for a back-test: quote quantities reach our client as they are."""
    from nautilus_trader.execution.config import ExecEngineConfig

    return ExecEngineConfig(**_quote_as_given(), **fields)


def live_exec_engine_config(**fields: Any) -> LiveExecEngineConfig:
    """``LiveExecEngineConfig``: quote quantities as they are, nothing invented, nothing rejected for being slow.

    Orders are ACCEPTED as soon as they are stored, and only open orders are asked for: an answer that is late can then
    never make Nautilus reject what may still land.
    """
    ours: dict[str, Any] = {
        "reconciliation": True,
        "generate_missing_orders": False,
        "open_check_open_only": True,
        "graceful_shutdown_on_exception": True,
        **_quote_as_given(),
    }
    return LiveExecEngineConfig(**{**ours, **fields})


def order_updated(
    order: Any, account_id: AccountId, quantity: Quantity, at_ns: int, venue_order_id: VenueOrderId | None = None
) -> Any:
    """``OrderUpdated`` by hand: a client's ``generate_order_updated`` wants a venue order id, the event does not."""
    return OrderUpdated(
        order.trader_id, order.strategy_id, order.instrument_id, order.client_order_id, venue_order_id, account_id,
        quantity, None, None, UUID4(), at_ns, at_ns, **QUOTE_DONE,
    )  # fmt: skip


def register_currency(currency: Currency) -> None:
    """In both registers of Nautilus: its older core and its newer one each have their own, and reports of fills pass
    through the newer one when a node begins (1.231). Unknown there, SOL has 8 decimals and so has every commission.
    """
    Currency.register(currency, overwrite=True)
    made = nautilus_pyo3.Currency(
        currency.code, currency.precision, currency.iso4217, currency.name, nautilus_pyo3.CurrencyType.CRYPTO
    )
    nautilus_pyo3.Currency.register(made, True)


def custom_answer(data_type: DataType, found: list[Data]) -> list[Any]:
    """Custom data in the form in which an answer to a request must have it, so that the strategy gets it bare."""
    return [CustomData(data_type, one) for one in found] if IS_1231 else found


def unconverted_quotes(exec_engine: Any) -> None:
    """Make somebody else's execution engine leave quote quantities alone, where it has the switch."""
    if _CONVERTS_QUOTES:
        exec_engine.set_convert_quote_qty_to_base(False)


def _quote_as_given() -> dict[str, Any]:
    return {"convert_quote_qty_to_base": False} if _CONVERTS_QUOTES else {}
