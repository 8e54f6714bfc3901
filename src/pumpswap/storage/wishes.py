"""Wishes: what became of every buy that a run has wished: refused and by whom, ordered, filled, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Select, and_, select

from pumpswap.storage.connections import Connections
from pumpswap.storage.tables import DECISIONS, ORDERS, PROPOSALS, TRADES, StoredRow

__all__ = ["WishRow", "Wishes"]


# Rows come in hundreds of thousands and refer to nothing that refers to them.
class WishRow(msgspec.Struct, frozen=True, gc=False):
    """A decision about a buy. ``refused_by`` are the policies that refused, in their order; it stands for
    ``1 + repeats`` decisions that were all the same.

    ``status`` is that of its order, None where there is none; ``was_proposed``: a person was asked first.
    ``budget_lamports`` is what the order might spend and ``spent_lamports`` what its fill has, None without a fill.
    ``most_open`` is how many positions its gate allowed at once; None where it was not asked.
    """

    decision_id: str
    at_ns: int
    has_signal: bool
    accepted: bool
    refused_by: tuple[str, ...]
    repeats: int
    status: str | None
    was_proposed: bool
    budget_lamports: int | None
    spent_lamports: int | None
    filled_ns: int | None
    most_open: int | None


class _Verdict(msgspec.Struct, gc=False):
    policy: str
    passed: bool
    numbers: dict[str, str] = {}


_DECIDE = msgspec.json.Decoder(list[_Verdict])
_ORDERED = and_(ORDERS.c.run_id == DECISIONS.c.run_id, ORDERS.c.decision_id == DECISIONS.c.decision_id)
_TRADED = and_(TRADES.c.run_id == ORDERS.c.run_id, TRADES.c.order_id == ORDERS.c.order_id)
_PROPOSED = and_(PROPOSALS.c.run_id == DECISIONS.c.run_id, PROPOSALS.c.decision_id == DECISIONS.c.decision_id)
_WISHES: Select[Any] = select(
    *(DECISIONS.c.decision_id, DECISIONS.c.at_ns, DECISIONS.c.signal_score, DECISIONS.c.accepted),
    *(DECISIONS.c.verdicts, DECISIONS.c.repeats, ORDERS.c.status, PROPOSALS.c.status),
    *(ORDERS.c.quote_lamports, TRADES.c.quote_lamports, TRADES.c.at_ns),
).select_from(DECISIONS.outerjoin(ORDERS, _ORDERED).outerjoin(TRADES, _TRADED).outerjoin(PROPOSALS, _PROPOSED))


class Wishes:
    """Reader of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def since(self, since_ns: int) -> Iterator[WishRow]:
        """Decisions about buys since then, in the order in which they were made: hundreds of thousands, one by one."""
        these = (DECISIONS.c.run_id == self._run_id, DECISIONS.c.side == "buy", DECISIONS.c.at_ns >= since_ns)
        return self._connections.rows(_WISHES.where(*these).order_by(DECISIONS.c.id), _wish_of)


def _wish_of(row: StoredRow) -> WishRow:
    decision_id, at_ns, score, accepted, verdicts, repeats, status, proposed, budget, spent, filled_ns = row
    asked = _DECIDE.decode(verdicts)
    most = next((one.numbers.get("max_open_positions") for one in asked if one.policy == "open positions"), None)
    return WishRow(
        decision_id=decision_id,
        at_ns=at_ns,
        has_signal=score is not None,
        accepted=bool(accepted),
        refused_by=tuple(one.policy for one in asked if not one.passed),
        repeats=repeats or 0,
        status=status,
        was_proposed=proposed is not None,
        budget_lamports=budget,
        spent_lamports=spent,
        filled_ns=filled_ns,
        most_open=None if most is None else int(most),
    )
