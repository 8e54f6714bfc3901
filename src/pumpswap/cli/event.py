"""``pumpswap event``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.sources import one_source
from pumpswap.clock import SystemClock
from pumpswap.errors import NotFound, ProtocolDrift

if TYPE_CHECKING:
    from pumpswap.cli.decoding.events import Findings, FoundEvent

__all__ = ["decode", "event"]

event = LazyGroup(
    "event",
    entries={"decode": Entry("pumpswap.cli.event:decode", "events from bytes, log lines or a whole transaction")},
    help="Read what the program reports in transactions.",
    examples=[Example("pumpswap event decode transaction.json")],
)


@command(
    "decode",
    help=(
        "Decode events, offline, in every layout they ever had.\n\n"
        "FILE may hold a transaction (the JSON of getTransaction), its log lines "
        "(as text, or as a JSON list), or single events as base64 or hex, one a line; - is standard input. Bytes alone "
        "do not say who emitted them, a transaction does: events that other programs imitate are left out, and a "
        "failed transaction has none.\n\n"
        "Exit code 12: events that this version does not know, or broken ones. 3: no event at all."
    ),
    examples=[
        Example("pumpswap event decode transaction.json"),
        Example("pumpswap event decode --json logs.txt", "log lines, for scripts"),
        Example("grep 'Program data' logs.txt | pumpswap event decode -", "single lines", needs="a pipe"),
    ],
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--base64", metavar="TEXT", help="The bytes of one event as base64, with or without the prefix of a call."
)
@click.option("--hex", "hex_text", metavar="TEXT", help="The bytes of one event as hex.")
@pass_output
def decode(out: Output, file: str | None, base64: str | None, hex_text: str | None) -> None:
    content = one_source(file, base64, hex_text, example="pumpswap event decode transaction.json")

    from pumpswap.cli.decoding.events import events_of_bytes, events_of_content

    found = events_of_content(content) if file is not None else events_of_bytes(content)
    if not (found.events or found.failed):
        _refuse_empty(found)
    for problem in found.problems:
        out.warn(problem)
    if out.json:
        out.emit("events", _as_json(found))
    else:
        _show(out, found)
    if found.is_drift:
        click.get_current_context().exit(ProtocolDrift.exit_code)


def _refuse_empty(found: Findings) -> None:
    if found.is_drift:
        raise ProtocolDrift(f"nothing could be decoded: {'; '.join(found.problems)}")
    seen = f" ({'; '.join(found.problems)})" if found.problems else ""
    raise NotFound(f"there is no PumpSwap event in these {found.source}{seen}", hint="is it the right transaction?")


def _as_json(found: Findings) -> dict[str, Any]:
    from pumpswap.cli.decoding.records import fields_json

    failure = found.failure
    return {
        "source": found.source,
        "failed": found.failed,
        "failure": failure
        and {
            "program": str(failure.program),
            "code": failure.error and failure.error.code,
            "name": failure.error and failure.error.name,
            "hint": failure.error and failure.error.hint,
            "text": failure.text,
        },
        "truncated": found.truncated,
        "malformed": found.malformed,
        "unknown": found.unknown,
        "unattributed": found.unattributed,
        "events": [
            {
                "event": type(each.event).__name__,
                "program": each.program and str(each.program),
                "position": each.position,
                "fields": fields_json(each.event),
            }
            for each in found.events
        ],
    }


def _show(out: Output, found: Findings) -> None:
    from pumpswap.cli.decoding.records import fields_table

    if found.failed:
        out.show("This transaction failed: nothing that it reported has happened.")
        failure = found.failure
        if failure is not None:
            error = failure.error
            said = f"{error.code} {error.name}: {error.hint}" if error else failure.text
            out.show(f"  {failure.program}", f"  {said}")
    now_ns = SystemClock().now_ns()
    for number, each in enumerate(found.events):
        rows = {name: getattr(each.event, name) for name in each.event.__struct_fields__}
        table = fields_table(rows, type(each.event).__name__, _place(each, found.source), now_ns=now_ns)
        out.show(*([""] if number else []), table, keep_lines=True)


def _place(found: FoundEvent, source: str) -> str:
    if found.program is None:
        return "" if source == "bytes" else f"line {found.position}"
    return f"{'log line' if source == 'logs' else 'inner instruction'} {found.position}, program {found.program}"
