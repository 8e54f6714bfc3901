"""Gatherer: turns stored alerts into messages that wait to be sent, each alert once, whoever else does the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.delivery.policy import ChannelPolicy
from pumpswap.alerts.delivery.state import ChannelState, DeliveryState
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.model import Alert, Delivery
from pumpswap.settings import AlertSettings
from pumpswap.storage.database import Database

__all__ = ["MEMORY", "Gatherer"]

MEMORY = "alert delivery"  # the name under which the database remembers how far each channel was told
_Work = Callable[[DeliveryState, int], tuple[list[Delivery], bool]]
_AT_ONCE = 200
_NOTED_NS = 600 * NS_PER_SECOND  # so often it is noted that a channel is served, when nothing happens


class Gatherer:
    """How far a channel was told is stored together with the messages: a process that is killed loses none, and does
    not make one twice. Several processes may do this; what one has changed meanwhile another one begins again with.
    """

    def __init__(self, database: Database, settings: AlertSettings, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._policies = [ChannelPolicy.of(channel, settings) for channel in settings.channels]
        self._abandoned_ns = settings.give_up_hours * 3_600 * NS_PER_SECOND

    def __bool__(self) -> bool:
        """Whether there is a channel."""
        return bool(self._policies)

    def begin(self, before: int | None = None) -> None:
        """From now on. A channel that is new, or that nobody has served for so long that its messages would have been
        given up, begins with the alert after number ``before``, by default with the next one; what was gathered for it
        before is sent.
        """
        if self._policies:
            self._change(lambda state, now_ns: self._greet(state, now_ns, before))

    def turn(self, *, at_end: bool = False) -> None:
        """Look at what is new, and at what is due."""
        while self._policies and self._change(lambda state, now_ns: self._gather(state, now_ns, at_end=at_end)):
            pass

    # ------------------------------------------------------------------------------------------ the work

    def _greet(self, state: DeliveryState, now_ns: int, before: int | None) -> tuple[list[Delivery], bool]:
        newest = self._database.alerts.newest_number()
        start = newest if before is None else min(before, newest)
        for policy in self._policies:
            known = state.channels.setdefault(policy.channel.name, ChannelState())
            # A cursor beyond the newest: somebody has restored an older database. A clock that was ahead before says
            # nothing about how long nobody has served it.
            if now_ns - known.seen_ns > self._abandoned_ns or known.cursor > newest:
                known.cursor = start
            known.seen_ns = now_ns
        return [], False

    def _gather(self, state: DeliveryState, now_ns: int, *, at_end: bool) -> tuple[list[Delivery], bool]:
        mutes = self._database.mutes.holding(now_ns)
        read: dict[int, Sequence[Alert]] = {}  # channels are mostly equally far
        deliveries = []
        for policy in self._policies:
            known = state.channels.setdefault(policy.channel.name, ChannelState())
            if known.cursor not in read:
                read[known.cursor] = self._database.alerts.after(known.cursor, _AT_ONCE)
            alerts = read[known.cursor]
            messages = policy.take(known, alerts, mutes, now_ns)
            messages += policy.settle(known, now_ns, at_end=at_end and len(alerts) < _AT_ONCE)
            deliveries += [_delivery(policy.channel.name, message, now_ns) for message in messages]
            if not 0 <= now_ns - known.seen_ns < _NOTED_NS:
                known.seen_ns = now_ns
        return deliveries, any(len(alerts) == _AT_ONCE for alerts in read.values())

    def _change(self, work: _Work) -> bool:
        """Do ``work`` on what is remembered, and store both it and its messages, unless somebody else was faster: then
        on what he has left. Returns what ``work`` says.
        """
        memory = self._database.memory
        while True:
            before, now_ns = memory.load(MEMORY), self._clock.now_ns()
            state = DeliveryState.of(before)
            deliveries, goes_on = work(state, now_ns)
            after = state.document()
            if not deliveries and after == (before or {}):
                return goes_on
            with self._database.batch():  # one writer at a time, in whatever process
                if memory.load(MEMORY) == before:
                    self._database.deliveries.add(deliveries)
                    memory.save(MEMORY, after, now_ns)
                    return goes_on


def _delivery(channel: str, message: Message, now_ns: int) -> Delivery:
    return Delivery(
        channel=channel,
        level=message.level,
        title=message.title,
        body=message.body,
        created_ns=now_ns,
        due_ns=now_ns,
        alerts=message.alerts,
        first_alert=message.first,
        last_alert=message.last,
    )
