"""What ``pumpswap alerts`` shows: alerts, mutes, messages, topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.topics import Topic
from pumpswap.app.alert_desk import Tried
from pumpswap.cli.books_view import books_table, duration_text, iso_time, time_at
from pumpswap.cli.formats import counted, printable
from pumpswap.cli.output import Output
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert, AlertLevel, Delivery, DeliveryStatus, Mute

__all__ = [
    "alerts_json",
    "deliveries_json",
    "message_json",
    "mute_json",
    "show_alerts",
    "show_deliveries",
    "show_mutes",
    "show_tried",
    "topic_json",
    "topics_table",
]

_STYLES = {
    AlertLevel.INFO: "cyan",
    AlertLevel.WARNING: "yellow",
    AlertLevel.ERROR: "red",
    AlertLevel.CRITICAL: "bold red",
}
_STATUS_STYLES = {DeliveryStatus.SENT: "green", DeliveryStatus.WAITING: "yellow", DeliveryStatus.FAILED: "red"}


# ---------------------------------------------------------------------------------------------- for people


def show_alerts(out: Output, alerts: Sequence[Alert], mutes: Sequence[Mute], older: int | None) -> None:
    """A table, what is muted, and how to get the next page."""
    if not alerts:
        out.show("No alerts.")
    else:
        table = books_table()
        table.add_column("no", justify="right", no_wrap=True)
        table.add_column("at (UTC)", no_wrap=True)
        table.add_column("level", no_wrap=True)
        table.add_column("topic", no_wrap=True)
        table.add_column("what")
        for alert in alerts:
            when = time_at(alert.at_ns).removesuffix(" UTC")
            level = Text(alert.level.value, style=_STYLES[alert.level])
            table.add_row(str(alert.number), when, level, printable(alert.topic), _what(alert))
        out.show(table)
    if mutes:
        out.show("", f"Muted: {', '.join(_muted(mute) for mute in mutes)}.")
    if older is not None:
        out.show("", f"There are older ones: --before {older}")


def show_mutes(out: Output, mutes: Sequence[Mute], now_ns: int) -> None:
    """Until when, and who wanted it."""
    if not mutes:
        out.show("Nothing is muted.")
    for mute in mutes:
        left = duration_text((mute.until_ns - now_ns) // NS_PER_SECOND)
        who = f", by {printable(mute.origin)}" if mute.origin else ""
        out.show(f"{_muted(mute)}: muted until {time_at(mute.until_ns)} ({left}){who}")
    if mutes:
        out.show("", "Their alerts are stored; critical ones are sent all the same.")


def show_tried(out: Output, tried: Iterable[Tried]) -> None:
    """One line for each channel."""
    for one in tried:
        found = ("sent", "green") if not one.reason else (f"not sent: {printable(one.reason)}", "red")
        out.show(Text.assemble((f"{one.channel}: ", "bold"), found))


def show_deliveries(
    out: Output,
    deliveries: Sequence[Delivery],
    counts: Mapping[DeliveryStatus, int],
    older: int | None,
    now_ns: int,
) -> None:
    """A table, and how many there are in all."""
    if deliveries:
        out.show(_deliveries_table(deliveries, now_ns))
    total = sum(counts.values())
    each = ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count)
    out.show(*([""] if deliveries else []), f"{counted(total, 'message')}{f': {each}' if each else ''}.")
    if older is not None:
        out.show(f"There are older ones: --before {older}")


def _deliveries_table(deliveries: Sequence[Delivery], now_ns: int) -> Table:
    table = books_table()
    table.add_column("no", justify="right", no_wrap=True)
    table.add_column("made (UTC)", no_wrap=True)
    table.add_column("channel", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("tries", justify="right", no_wrap=True)
    table.add_column("alerts", justify="right", no_wrap=True)
    table.add_column("message")
    for one in deliveries:
        status = Text(one.status.value, style=_STATUS_STYLES[one.status])
        if one.status is DeliveryStatus.WAITING and one.due_ns > now_ns:
            status.append(f", {duration_text((one.due_ns - now_ns) // NS_PER_SECOND)}")
        what = Text(printable(one.title))
        if one.error:
            what.append(f"\n{printable(one.error)}", style="dim")
        made = time_at(one.created_ns).removesuffix(" UTC")
        figures = (f"{one.tries:,}", f"{one.alerts:,}")
        table.add_row(str(one.number), made, printable(one.channel), status, *figures, what)
    return table


def topics_table(topics: Iterable[Topic]) -> Table:
    """The words, how loud, what about."""
    table = books_table()
    table.add_column("topic", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("told when")
    table.add_column("alert_rules.", no_wrap=True)
    for topic in topics:
        level = Text(topic.level.value, style=_STYLES[topic.level])
        table.add_row(topic.name, level, topic.about, topic.setting)
    return table


def _what(alert: Alert) -> Text:
    about = "" if not alert.subject or alert.subject in alert.text else f"{alert.subject}: "
    text = Text(printable(about + alert.text))
    if alert.acknowledged_ns is not None:
        text.append(f" (seen {time_at(alert.acknowledged_ns)})", style="dim")
    return text


def _muted(mute: Mute) -> str:
    return printable(f"{mute.topic} about {mute.subject}" if mute.subject else mute.topic)


# ---------------------------------------------------------------------------------------------- for scripts


def alerts_json(alerts: Sequence[Alert], mutes: Sequence[Mute], older: int | None) -> dict[str, Any]:
    """All that is known of them."""
    return {
        "alerts": [_alert_json(alert) for alert in alerts],
        "mutes": [mute_json(mute) for mute in mutes],
        "older_before": None if older is None else str(older),
    }


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {
        "number": str(alert.number),
        "run_id": None if alert.run_id is None else str(alert.run_id),
        "run_kind": alert.run_kind or None,
        "at": iso_time(alert.at_ns),
        "level": alert.level.value,
        "topic": alert.topic,
        "subject": alert.subject,
        "text": alert.text,
        "acknowledged_at": iso_time(alert.acknowledged_ns),
        "acknowledged_by": alert.acknowledged_by or None,
    }


def mute_json(mute: Mute) -> dict[str, Any]:
    """A mute, exactly."""
    return {
        "topic": mute.topic,
        "subject": mute.subject or None,
        "until": iso_time(mute.until_ns),
        "at": iso_time(mute.at_ns),
        "origin": mute.origin,
    }


def topic_json(topic: Topic) -> dict[str, Any]:
    """A line of the table of topics."""
    return {
        "topic": topic.name,
        "level": topic.level.value,
        "about": topic.about,
        "subject": topic.subject or None,
        "setting": f"alert_rules.{topic.setting}" if topic.setting else None,
    }


def message_json(message: Message) -> dict[str, Any]:
    """What is sent."""
    return {"level": message.level.value, "title": message.title, "body": message.body}


def deliveries_json(
    deliveries: Sequence[Delivery], counts: Mapping[DeliveryStatus, int], older: int | None
) -> dict[str, Any]:
    """All that is known of them."""
    return {
        "deliveries": [_delivery_json(one) for one in deliveries],
        "counts": {status.value: count for status, count in counts.items()},
        "older_before": None if older is None else str(older),
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "number": str(delivery.number),
        "channel": delivery.channel,
        "status": delivery.status.value,
        "level": delivery.level.value,
        "title": delivery.title,
        "body": delivery.body,
        "alerts": delivery.alerts,
        "first_alert": str(delivery.first_alert),
        "last_alert": str(delivery.last_alert),
        "tries": delivery.tries,
        "created_at": iso_time(delivery.created_ns),
        "due_at": iso_time(delivery.due_ns),
        "sent_at": iso_time(delivery.sent_ns),
        "error": delivery.error or None,
    }
