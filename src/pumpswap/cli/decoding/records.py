"""A decoded record, for JSON and for people."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from solders.pubkey import Pubkey

from pumpswap.amm import Fees, FeeTier, Pool
from pumpswap.amm.accounts import Shareholder
from pumpswap.amm.codec import ZERO_KEY, Record, field_names
from pumpswap.cli.formats import printable, time_text

__all__ = ["fields_json", "fields_table"]

_TIMES = ("timestamp", "last_update_timestamp", "start_time", "end_time")


def fields_json(record: Record | Pool) -> dict[str, Any]:
    """Fields in order of the layout. Every integer is a string: many are beyond what a double can hold."""
    return {name: _json(getattr(record, name)) for name in field_names(record)}


def fields_table(rows: dict[str, Any], title: str, remark: str = "", *, now_ns: int | None = None) -> Group:
    """Two columns, never folded: keys are there to be copied. What is zero or empty is dimmed."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    for name, value in rows.items():
        table.add_row(name, _shown(name, value, now_ns))
    return Group(Text.assemble((title, "bold"), (f"   {remark}" if remark else "", "dim")), "", table)


def _json(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, Record):
        return fields_json(value)
    if isinstance(value, (tuple, list)):
        return [_json(each) for each in value]
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else str(value)


def _shown(name: str, value: Any, now_ns: int | None) -> Text:
    if isinstance(value, tuple):
        lines = [_line(each) for each in value if each not in (ZERO_KEY, 0)]
        return Text("\n".join(lines)) if lines else Text(f"{len(value)} × zero" if value else "none", style="dim")
    if name in _TIMES and isinstance(value, int) and value:
        return Text(time_text(value, now_ns))
    if value in (ZERO_KEY, "", b"", None):
        return Text("none" if not isinstance(value, Pubkey) else f"{value} (zero key)", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="" if value else "dim")
    return Text(_line(value))


def _line(value: Any) -> str:
    if isinstance(value, FeeTier):
        return f"from {value.market_cap_lamports_threshold:>18,}  {_line(value.fees)}"
    if isinstance(value, Fees):
        rates = (value.lp_fee_bps, value.protocol_fee_bps, value.creator_fee_bps)
        return "LP {:>2}  protocol {:>2}  creator {:>2} bps".format(*rates)
    if isinstance(value, Shareholder):
        return f"{value.pubkey}  {value.share_bps} bps"
    # A text comes from whoever made the bytes: it must not steer the terminal.
    return value.hex() if isinstance(value, bytes) else printable(str(value))
