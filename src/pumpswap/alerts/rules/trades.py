"""TradeRule: what was bought and sold, at what price and cost, with what result; what was not bought; proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import one_line, part_text, share_text, signed_sol, sol_text, span_text, units_text
from pumpswap.amm.quote import amounts_of
from pumpswap.model import (
    AlertLevel,
    Costs,
    Denied,
    Filled,
    Order,
    Outcome,
    Position,
    Proposal,
    ProposalStatus,
    Rejected,
    TradeSide,
    gain_between,
)

__all__ = ["TradeRule"]


class TradeRule(Rule):
    """``held`` are the open positions at the start, ``decimals_of`` tells those of a pool's coin (None: unknown)."""

    def __init__(
        self, context: RuleContext, held: Iterable[Position], decimals_of: Callable[[str], int | None]
    ) -> None:
        self._context = context
        self._held = {position.pool: position for position in held}
        self._decimals_of = decimals_of

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Filled) and position is not None:
            before = self._held.pop(order.pool, None)
            if position.is_open:
                self._held[order.pool] = position
            if order.side is TradeSide.BUY:
                self._bought(order, outcome, position)
            else:
                self._sold(order, outcome, before, position)
        elif isinstance(outcome, Rejected | Denied) and order.side is TradeSide.BUY:
            self._failed(order, outcome)

    def on_proposal(self, proposal: Proposal) -> None:
        if proposal.status is not ProposalStatus.WAITING:
            return
        coin = self._context.coin(proposal.pool, proposal.mint, proposal.name)
        left = span_text(proposal.expires_ns - proposal.at_ns)
        text = (
            f"buy {coin} for {sol_text(proposal.quote_lamports)}? `pumpswap approve {proposal.decision_id}` within "
            f"{left}, or `pumpswap decline {proposal.decision_id}`; `pumpswap why {proposal.decision_id}` says why"
        )
        self._context.tell(AlertLevel.WARNING, "proposal", proposal.pool, text)

    # ------------------------------------------------------------------------------------------ texts

    def _bought(self, order: Order, filled: Filled, position: Position) -> None:
        (units, paid), (expected, _) = amounts_of(filled.executed), amounts_of(order.quote)
        coin = self._context.coin(order.pool, order.mint, position.name)
        amount = units_text(units, self._decimals_of(order.pool))
        text = (
            f"bought {amount} {coin} for {sol_text(paid + filled.costs.spent)}, all costs in "
            f"({_costs(filled)}), {_against(units, expected, 'fewer')}{_why(order)}"
        )
        self._context.tell(AlertLevel.INFO, "entry", order.pool, text)

    def _sold(self, order: Order, filled: Filled, before: Position | None, after: Position) -> None:
        (units, received), (_, expected) = amounts_of(filled.executed), amounts_of(order.quote)
        coin = self._context.coin(order.pool, order.mint, after.name)
        amount = units_text(units, self._decimals_of(order.pool))
        part = "all" if not after.is_open else part_text(units, units + after.base_units)
        gain = gain_between(before, after)
        result = ""
        if gain is not None:
            share = (
                f" ({share_text(gain.gain_lamports, gain.cost_lamports, signed=True)})" if gain.cost_lamports else ""
            )
            result = f"; result {signed_sol(gain.gain_lamports)}{share} after all costs, held {span_text(gain.held_ns)}"
        text = (
            f"sold {part} of {coin}: {amount} for {sol_text(received - filled.costs.spent)}, all costs out "
            f"({_costs(filled)}), {_against(received, expected, 'less')}{result}{_why(order)}"
        )
        self._context.tell(AlertLevel.INFO, "exit", order.pool, text)

    def _failed(self, order: Order, outcome: Rejected | Denied) -> None:
        coin = self._context.coin(order.pool, order.mint)
        why = outcome.name if isinstance(outcome, Rejected) else outcome.rule
        paid = _paid(outcome.costs) if isinstance(outcome, Rejected) else "nothing was paid"
        text = f"{coin} was not bought: {why}: {one_line(outcome.text, 300)}; {paid}; `pumpswap why {order.order_id}`"
        self._context.tell(AlertLevel.WARNING, "order", order.pool, text)


def _costs(filled: Filled) -> str:
    """Venue fees and what the network has cost."""
    return f"fees {sol_text(filled.executed.fees)}, network {sol_text(filled.costs.spent)}"


def _against(got: int, quoted: int, worse: str) -> str:
    """What came, against what the quote had promised."""
    difference = part_text(got - quoted, quoted)
    return (
        "as quoted" if difference in ("0 %", "–") else f"{difference} {'more' if got > quoted else worse} than quoted"
    )


def _paid(costs: Costs) -> str:
    return f"the attempt has cost {sol_text(costs.spent)}" if costs.spent else "nothing was paid"


def _why(order: Order) -> str:
    reason = f"; {one_line(order.reason, 200)}" if order.reason else ""
    return f"{reason} [{order.order_id}]"
