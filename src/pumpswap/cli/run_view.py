"""What `pumpswap run` shows while it runs: lines for people, a screen on a terminal, JSON lines for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from pumpswap.amm.quote import amounts_of
from pumpswap.cli.books_view import duration_text
from pumpswap.cli.formats import printable
from pumpswap.cli.live_view import LiveView, PlainView, called, would_buy_lamports
from pumpswap.cli.run_quiet import QuietSpell
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    ExitKind,
    ExitState,
    Filled,
    Heartbeat,
    Order,
    Outcome,
    Position,
    Proposal,
    ProposalStatus,
    Rejected,
    RunObserver,
    Unknown,
)

_FRAMES_PER_SECOND = 2
_LIFE_NS = 10 * NS_PER_SECOND  # without news the screen is drawn again so often

__all__ = ["JsonLines", "RunLines", "RunScreen", "alert_line", "proposal_line"]

_SHOWN = frozenset({"entry", "exit"})  # the trade itself has a line
_STYLES = {
    AlertLevel.INFO: "cyan",
    AlertLevel.WARNING: "yellow",
    AlertLevel.ERROR: "red",
    AlertLevel.CRITICAL: "bold red",
}


def alert_line(alert: Alert, names: Mapping[str, str] | None = None) -> Text:
    """An alert in one line. A pool is called by the name of its coin, where that is known."""
    known = {} if names is None else dict(names)
    about = called(known, alert.subject) if alert.subject in known else alert.subject
    subject = f" {printable(about)}" if about and about not in alert.text else ""
    line = Text(f"{alert.level.value:<9}", style=_STYLES[alert.level])
    return line.append(f" {alert.topic}{subject}: ").append(printable(alert.text), style="dim")


def proposal_line(proposal: Proposal, name: str) -> Text | None:
    """A buy that waits for a person, or why it does not any more; None where an order or a refusal tells that."""
    line = Text(f"{name:<9}", style="bold")
    if proposal.status in (ProposalStatus.DECLINED, ProposalStatus.EXPIRED):
        why = f": {printable(proposal.origin)}" if proposal.origin else ""
        line.append(" waits no longer  ", style="yellow")
        return line.append(f"proposal {proposal.decision_id} {proposal.status.value}{why}", style="dim")
    if proposal.status is not ProposalStatus.WAITING:
        return None
    seconds = (proposal.expires_ns - proposal.at_ns) // NS_PER_SECOND
    line.append(f" waits for you, {duration_text(seconds)}  ", style="magenta")
    return line.append(f"pumpswap approve {proposal.decision_id}", style="dim")


class RunLines(PlainView):
    """One line for everything that matters, for pipes, logs and services."""

    def __init__(self, console: Console, quiet: QuietSpell | None = None) -> None:
        """``quiet`` hears the same run. ``closed`` is called when nobody reads the lines any more."""
        super().__init__(console)
        self.closed: Callable[[], None] = lambda: None
        self._quiet = quiet
        self._is_open = True

    def say(self, at_ns: int, line: Text) -> None:
        if not self._is_open:
            return
        with self.console.capture() as captured:
            super().say(at_ns, line)
        try:
            click.echo(captured.get(), nl=False, color=self.console.is_terminal or None)
        except BrokenPipeError:  # rich would end the process in the middle of the engine's turn
            self._is_open = False
            self.closed()

    def on_beat(self, beat: Heartbeat) -> None:
        """While nothing is bought, say why now and then."""
        line = None if self._quiet is None else self._quiet.line(beat.at_ns)
        if line is not None:
            self.say(beat.at_ns, line)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """Told once."""

    def on_alert(self, alert: Alert) -> None:
        if alert.topic not in _SHOWN:
            self.say(alert.at_ns, alert_line(alert, self.names))

    def on_proposal(self, proposal: Proposal) -> None:
        line = proposal_line(proposal, called(self.names, proposal.pool))
        if line is not None:
            self.say(proposal.decided_ns or proposal.at_ns, line)


class RunScreen(LiveView):
    """The screen of the demo, in real time: it never holds the engine up."""

    def __init__(self, console: Console, quiet: QuietSpell | None = None) -> None:
        """``quiet`` hears the same run."""
        super().__init__(console, duration_seconds=0, seconds=0.0, frames_per_second=_FRAMES_PER_SECOND)
        self._quiet = quiet
        self._drawn_ns = 0

    def on_beat(self, beat: Heartbeat) -> None:
        """Nothing may have happened for a while: the screen shows that it lives, and why nothing is bought."""
        line = None if self._quiet is None else self._quiet.line(beat.at_ns)
        if line is not None:
            self.note(beat.at_ns, line)
        if line is not None or beat.at_ns - self._drawn_ns >= _LIFE_NS:
            self._drawn_ns = beat.at_ns
            self.draw(beat.at_ns)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """Told once."""

    def on_alert(self, alert: Alert) -> None:
        if alert.topic not in _SHOWN:
            self.note(alert.at_ns, alert_line(alert, self.names))

    def on_proposal(self, proposal: Proposal) -> None:
        line = proposal_line(proposal, called(self.names, proposal.pool))
        if line is not None:
            self.note(proposal.decided_ns or proposal.at_ns, line)


class JsonLines(RunObserver):
    """One JSON object a line on stdout. ``closed`` is called when nobody reads them any more."""

    def __init__(self) -> None:
        self.closed: Callable[[], None] = lambda: None
        self._exits: dict[str, tuple[int, ExitKind]] = {}  # that have begun and were told, by pool

    def emit(self, event: str, data: dict[str, Any]) -> None:
        """Print one object."""
        document = {"schema": "pumpswap.run", "version": 1, "event": event, **data}
        try:
            click.echo(json.dumps(document))
        except BrokenPipeError:
            self.closed()

    def on_decision(self, decision: Decision) -> None:
        intent, would = decision.intent, would_buy_lamports(decision)
        self.emit(
            "accepted" if decision else "refused",
            {
                "decision_id": decision.decision_id,
                "at_ns": str(intent.at_ns),
                "side": intent.side.value,
                "pool": intent.pool,
                "mint": intent.mint,
                "reason": intent.reason,
                "quote_lamports": str(decision.quote_lamports),
                "base_units": str(decision.base_units),
                "score": None if intent.signal is None else intent.signal.score,
                "would_buy_lamports": None if would is None else str(would),
                "refusals": [{"policy": one.policy, "text": one.text} for one in decision.refusals],
            },
        )

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """A refusal that repeats itself is told once."""

    def on_order(self, order: Order) -> None:
        self.emit("order", {"at_ns": str(order.created_ns), **_order_json(order)})

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        data: dict[str, Any] = {"at_ns": str(outcome.at_ns), **_order_json(order), **_outcome_json(outcome)}
        if position is not None:
            data |= {"realised_lamports": str(position.realised_lamports), "position_is_open": position.is_open}
        self.emit("fill" if isinstance(outcome, Filled) else "outcome", data)

    def on_exits(self, state: ExitState) -> None:
        if state.wanted is None:
            self._exits.pop(state.pool, None)
        elif self._exits.get(state.pool) != (state.round, state.wanted):
            self._exits[state.pool] = state.round, state.wanted
            data = {"pool": state.pool, "kind": state.wanted.value, "reason": state.wanted_reason}
            self.emit("exit", {**data, "base_units": str(state.wanted_units)})

    def on_proposal(self, proposal: Proposal) -> None:
        data = {"at_ns": str(proposal.at_ns), "decision_id": proposal.decision_id, "pool": proposal.pool}
        self.emit("proposal", {**data, "status": proposal.status.value})

    def on_alert(self, alert: Alert) -> None:
        data = {"at_ns": str(alert.at_ns), "level": alert.level.value, "topic": alert.topic}
        self.emit("alert", {**data, "subject": alert.subject, "text": alert.text})

    def on_beat(self, beat: Heartbeat) -> None:
        """A heartbeat, not from the engine but from its supervisor."""
        self.emit(
            "heartbeat",
            {
                "at_ns": str(beat.at_ns),
                "mode": beat.mode,
                "waiting": beat.waiting,
                "able": beat.able,
                "events": beat.events,
                "stopping": beat.stopping,
                "parts": dict(beat.parts),
            },
        )


def _order_json(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "decision_id": order.decision_id,
        "side": order.side.value,
        "pool": order.pool,
        "mint": order.mint,
        "reason": order.reason,
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Filled):
        executed = outcome.executed
        units, lamports = amounts_of(executed)
        return {
            "status": "filled",
            "base_units": str(units),
            "quote_lamports": str(lamports),
            "cost_lamports": str(outcome.costs.spent),
            "signature": outcome.signature,
        }
    if isinstance(outcome, Rejected):
        text = {"code": outcome.code, "name": outcome.name, "text": outcome.text}
        return {"status": "rejected", **text, "cost_lamports": str(outcome.costs.spent), "signature": outcome.signature}
    if isinstance(outcome, Unknown):
        return {"status": "unknown", "signature": outcome.signature, "expiry_height": str(outcome.expiry_height)}
    return {"status": "denied", "rule": outcome.rule, "text": outcome.text}
