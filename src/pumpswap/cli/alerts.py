"""``pumpswap alerts``: list, test, ack, mute, unmute, deliveries and topics."""

from __future__ import annotations

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, DurationType
from pumpswap.errors import ChainError, UsageError

__all__ = ["ack", "alerts", "deliveries", "list_", "mute", "test", "topics", "unmute"]

_LEVELS = ("info", "warning", "error", "critical")
_STATUSES = ("waiting", "sent", "failed")
_SPAN = DurationType(least=1, most=365 * 86_400, example="30m, 12h, 7d")
_NUMBER = click.IntRange(1, 2**63 - 1)
_MOST = click.IntRange(1, 10_000)
_ENGINE = "a running engine"

alerts = LazyGroup(
    "alerts",
    entries={
        "list": Entry("pumpswap.cli.alerts:list_", "what somebody must know, newest first"),
        "test": Entry("pumpswap.cli.alerts:test", "does a message reach you?"),
        "ack": Entry("pumpswap.cli.alerts:ack", "you have seen them"),
        "mute": Entry("pumpswap.cli.alerts:mute", "be left alone with a topic for a while"),
        "unmute": Entry("pumpswap.cli.alerts:unmute", "hear of it again"),
        "deliveries": Entry("pumpswap.cli.alerts:deliveries", "messages: sent, waiting, given up, and why"),
        "topics": Entry("pumpswap.cli.alerts:topics", "what alerts are about"),
    },
    help=(
        "Alerts: what an engine has told, and how it gets to you.\n\n"
        "Every alert is stored. A running engine sends them to the channels of your settings (alerts.channels), those "
        "that come in numbers gathered into one message."
    ),
    examples=[
        Example("pumpswap alerts list", "what there was"),
        Example("pumpswap alerts mute entry --for 8h", "no messages about entries tonight"),
    ],
)


@command(
    "list",
    help="List alerts, newest first. The numbers are those that ack takes.",
    examples=[
        Example("pumpswap alerts list --unseen --level error", "what nobody has seen, errors and critical ones only"),
        Example("pumpswap alerts list --topic exit --json", "for scripts"),
    ],
)
@option("--unseen", is_flag=True, help="Only those that nobody has acknowledged.")
@option("--level", type=click.Choice(_LEVELS), default="info", show_default=True, help="This loud at least.")
@option("--topic", type=NAME, metavar="TOPIC", help="Only of this topic: see alerts topics.")
@option("--most", type=_MOST, default=30, show_default=True, help="How many.")
@option("--before", type=_NUMBER, metavar="N", help="Only older than alert N: the next page.")
@pass_output
def list_(out: Output, unseen: bool, level: str, topic: str | None, most: int, before: int | None) -> None:
    from pumpswap.alerts.topics import topic_called
    from pumpswap.app.books import open_store
    from pumpswap.cli.alerts_view import alerts_json, show_alerts
    from pumpswap.cli.config import settings_anyway
    from pumpswap.clock import SystemClock
    from pumpswap.model import AlertLevel

    levels = [AlertLevel(each) for each in _LEVELS[_LEVELS.index(level) :]] if level != "info" else []
    name = "" if topic is None else topic_called(topic).name
    with open_store(settings_anyway(out)) as database:
        wish = {"unseen": unseen, "before": before, "levels": levels, "topic": name}
        found = [] if database is None else database.alerts.newest(most + 1, **wish)  # type: ignore[arg-type]
        mutes = [] if database is None else database.mutes.holding(SystemClock().now_ns())
    shown = found[:most]
    older = shown[-1].number if len(found) > most else None
    if out.json:
        out.emit("alerts", alerts_json(shown, mutes, older))
    else:
        show_alerts(out, shown, mutes, older)


@command(
    "test",
    help=(
        "Send a message at once, to the channels you name or to all, and say what became of it. Quiet hours, mutes and "
        "what a channel takes do not count here.\n\n"
        "With --topic it is the newest alert of that topic, as it would be sent. When a service does not take it the "
        "exit code is 11, and the reason is shown without the secrets of the URL."
    ),
    examples=[
        Example("pumpswap alerts test", "every channel", "channels in the settings"),
        Example("pumpswap alerts test phone --topic exit", "what a sale looks like there", "channels in the settings"),
    ],
)
@click.argument("channels", nargs=-1, type=NAME, metavar="[CHANNEL...]")
@option("--topic", type=NAME, default="test", metavar="TOPIC", show_default=True, help="What it is about.")
@pass_output
def test(out: Output, channels: tuple[str, ...], topic: str) -> None:
    from pumpswap.app.alert_desk import example_of, try_channels
    from pumpswap.app.books import open_store
    from pumpswap.cli.alerts_view import message_json, show_tried
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    with open_store(settings) as database:
        message = example_of(topic, database, SystemClock())
    tried = try_channels(settings.alerts, channels, message)
    if out.json:
        told = [{"channel": one.channel, "is_taken": not one.reason, "reason": one.reason or None} for one in tried]
        out.emit("alerts_test", {"message": message_json(message), "channels": told})
    else:
        show_tried(out, tried)
    if any(one.reason for one in tried):
        click.get_current_context().exit(ChainError.exit_code)


@command(
    "ack",
    help=(
        "Acknowledge alerts: somebody has seen them. Who and when is stored, the first time; the dashboard and the "
        "host's own list of alerts stop showing them as new."
    ),
    examples=[
        Example("pumpswap alerts ack 12 13", "these two", "alerts with these numbers"),
        Example("pumpswap alerts ack --all", "all that there are"),
    ],
)
@click.argument("numbers", nargs=-1, type=_NUMBER, metavar="[N...]")
@option("--all", "is_all", is_flag=True, help="All alerts that there are now.")
@pass_output
def ack(out: Output, numbers: tuple[int, ...], is_all: bool) -> None:
    from pumpswap.app.alert_desk import acknowledge, acknowledge_all
    from pumpswap.app.books import open_store
    from pumpswap.app.control import origin_of_process
    from pumpswap.cli.config import settings_anyway
    from pumpswap.cli.formats import counted
    from pumpswap.clock import SystemClock
    from pumpswap.errors import NotFound

    if is_all == bool(numbers):
        raise UsageError("name the numbers of alerts, or --all", hint="`pumpswap alerts list` lists them")
    with open_store(settings_anyway(out)) as database:
        if database is None and numbers:
            raise NotFound("there are no alerts yet", hint="an engine that runs tells them")
        count = len(dict.fromkeys(numbers))
        if database is not None and is_all:
            count = acknowledge_all(database, SystemClock(), origin_of_process())
        elif database is not None:
            acknowledge(database, tuple(dict.fromkeys(numbers)), SystemClock(), origin_of_process())
        else:
            count = 0
    if out.json:
        out.emit("alerts_ack", {"acknowledged": count})
    else:
        out.show(f"{counted(count, 'alert')} acknowledged.")


@command(
    "mute",
    help=(
        "Send no messages about a topic for a while. Its alerts are stored as always, and critical ones come through "
        "all the same.\n\nMuted again, the new time counts. Without a topic: list what is muted."
    ),
    examples=[
        Example("pumpswap alerts mute entry --for 8h", "no messages about entries"),
        Example("pumpswap alerts mute 'feed stale' --subject snapshots", "of one feed only, for an hour"),
        Example("pumpswap alerts mute", "what is muted"),
    ],
)
@click.argument("topic", required=False, type=NAME, metavar="[TOPIC]")
@option("--subject", type=NAME, metavar="TEXT", help="Only what is about this, as alerts list names it.")
@option("--for", "seconds", type=_SPAN, default="1h", show_default=True, metavar="TIME", help="How long.")
@pass_output
def mute(out: Output, topic: str | None, subject: str | None, seconds: int) -> None:
    from pumpswap.app.alert_desk import mute_topic
    from pumpswap.app.books import open_store
    from pumpswap.app.control import origin_of_process
    from pumpswap.cli.alerts_view import mute_json, show_mutes
    from pumpswap.cli.config import settings_anyway
    from pumpswap.clock import SystemClock
    from pumpswap.model import Mute
    from pumpswap.storage.database import open_database

    settings, now_ns = settings_anyway(out), SystemClock().now_ns()
    if topic is None:
        if subject is not None:
            raise UsageError("--subject belongs to a topic", hint="`pumpswap alerts topics` lists the topics")
        with open_store(settings) as database:
            held = [] if database is None else database.mutes.holding(now_ns)
    else:
        wanted = Mute(topic, subject or "", 0, now_ns, origin_of_process())
        with open_database(settings.database_target) as store:  # made where there is none: it is to hold from the start
            held = [mute_topic(store, wanted, seconds)]
    if out.json:
        out.emit("alerts_mutes", {"mutes": [mute_json(one) for one in held]})
    else:
        show_mutes(out, held, now_ns)


@command(
    "unmute",
    help="Hear of a topic again, or of everything.",
    examples=[Example("pumpswap alerts unmute --all", "everything"), Example("pumpswap alerts unmute entry")],
)
@click.argument("topic", required=False, type=NAME, metavar="[TOPIC]")
@option("--subject", type=NAME, metavar="TEXT", help="What was muted with this subject. Default: however it was muted.")
@option("--all", "is_all", is_flag=True, help="Every topic.")
@pass_output
def unmute(out: Output, topic: str | None, subject: str | None, is_all: bool) -> None:
    from pumpswap.alerts.topics import topic_called
    from pumpswap.app.books import open_store
    from pumpswap.cli.config import settings_anyway
    from pumpswap.cli.formats import counted
    from pumpswap.clock import SystemClock

    if is_all == (topic is not None) or (is_all and subject is not None):
        raise UsageError("name a topic, or --all", hint="`pumpswap alerts mute` lists what is muted")
    if topic is not None:
        topic_called(topic)
    ended, now_ns = 0, SystemClock().now_ns()
    with open_store(settings_anyway(out)) as database:
        held = [] if database is None else database.mutes.holding(now_ns)
        chosen = [one for one in held if is_all or (one.topic == topic and subject in (None, one.subject))]
        for key in {(one.topic, one.subject) for one in chosen}:
            ended += 0 if database is None else database.mutes.end(*key, now_ns)
    if out.json:
        out.emit("alerts_unmute", {"ended": ended})
    else:
        out.show(f"{counted(ended, 'mute')} ended." if ended else "That was not muted.")


@command(
    "deliveries",
    help=(
        "List the messages that were made of alerts, newest first: what became of each, how often it was tried, and "
        "what the service said last. One that waits is sent by the next engine that runs."
    ),
    examples=[
        Example("pumpswap alerts deliveries", "the last ones"),
        Example("pumpswap alerts deliveries --status failed --json", "what was given up, for scripts"),
    ],
)
@option("--status", type=click.Choice(_STATUSES), help="Only these.")
@option("--most", type=_MOST, default=20, show_default=True, help="How many.")
@option("--before", type=_NUMBER, metavar="N", help="Only older than message N: the next page.")
@pass_output
def deliveries(out: Output, status: str | None, most: int, before: int | None) -> None:
    from pumpswap.app.books import open_store
    from pumpswap.cli.alerts_view import deliveries_json, show_deliveries
    from pumpswap.cli.config import settings_anyway
    from pumpswap.clock import SystemClock
    from pumpswap.model import DeliveryStatus

    wanted = None if status is None else DeliveryStatus(status)
    with open_store(settings_anyway(out)) as database:
        found = [] if database is None else database.deliveries.newest(most + 1, status=wanted, before=before)
        counts = dict.fromkeys(DeliveryStatus, 0) if database is None else database.deliveries.counts()
    shown = found[:most]
    older = shown[-1].number if len(found) > most else None
    if out.json:
        out.emit("alerts_deliveries", deliveries_json(shown, counts, older))
    else:
        show_deliveries(out, shown, counts, older, SystemClock().now_ns())


@command(
    "topics",
    help=(
        "What alerts are about: the words that alerts mute and the settings (alerts.channels, topics) take, how loud "
        "each usually is, and the key of alert_rules that sets it."
    ),
    examples=[Example("pumpswap alerts topics")],
)
@pass_output
def topics(out: Output) -> None:
    from pumpswap.alerts.topics import TOPICS
    from pumpswap.cli.alerts_view import topic_json, topics_table

    if out.json:
        told = [topic_json(one) for one in TOPICS.values()]
        out.emit("alerts_topics", {"topics": told})
    else:
        out.show(topics_table(TOPICS.values()))
