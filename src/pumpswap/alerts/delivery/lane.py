"""Lane: the messages to one channel, sent one after the other in a thread of their own."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace

from pumpswap.alerts.delivery.channels import Channel
from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.delivery.worker import Worker
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.model import Alert, AlertLevel, Delivery, DeliveryStatus
from pumpswap.settings import AlertSettings
from pumpswap.storage.database import Database

__all__ = ["Lane", "give_up"]

# Nobody else takes a message while its service may still be answering; after a crash it is sent again then.
_TAKEN_NS = 60 * NS_PER_SECOND
_SEND_SECONDS = 20.0  # then a service has failed, whatever it is doing
_LONGEST_PAUSE_NS = 3_600 * NS_PER_SECOND  # between two tries of one message
# Between two tries of a critical message, and between two looks at a service that is down: what is new finds out within
# this time that it works again.
_LONGEST_REST_NS = 300 * NS_PER_SECOND
_CRITICAL_REST_NS = 30 * NS_PER_SECOND  # a service that is down is asked so soon when something critical waits

_log = logging.getLogger(__name__)


class Lane:
    """A message is taken in the database before it is sent, so that two processes do not send it at once.

    A message that fails is put off by itself. Only when another one fails too, with nothing taken in between, it is the
    service that does not work: then it is left alone for a while, longer and longer.
    """

    def __init__(self, database: Database, channel: Channel, settings: AlertSettings, clock: Clock) -> None:
        self.name = channel.name
        self.worker = Worker(f"alerts to {channel.name}", self._work)
        self._database, self._channel, self._settings, self._clock = database, channel, settings, clock
        self._first_pause_ns = settings.retry_seconds * NS_PER_SECOND
        self._seconds = _SEND_SECONDS
        self._direct: deque[Message] = deque()
        self._failed: set[int] = set()  # messages that failed since the service took one
        self._rounds = 0  # how often it failed since it is down
        self._failed_ns = self._rest_until_ns = 0

    def hurry(self, seconds: float) -> None:
        """Wait no longer for an answer from now on."""
        self._seconds = seconds

    def tell(self, message: Message) -> None:
        """Send this before everything else, once, whatever the database does."""
        self._direct.append(message)
        self.worker.start()

    # ------------------------------------------------------------------------------------------ in its thread

    def _work(self) -> None:
        while not self.worker.is_stopped:
            if self._direct:
                self._send_directly(self._direct.popleft())
                continue
            delivery = self._next()
            if delivery is None:
                return
            self._send(delivery)

    def _send_directly(self, message: Message) -> None:
        reason = self._channel.send(message, self._seconds)
        if reason:
            _log.error("not-told", extra={"channel": self.name, "reason": reason})

    def _next(self) -> Delivery | None:
        """What is critical comes first; while it is in doubt whether the service works, what was tried least."""
        now_ns = self._clock.now_ns()
        beyond_ns = now_ns + self._at_most(_LONGEST_PAUSE_NS)  # a clock that was set back must not put off for ever
        due, is_resting = self._database.deliveries.due, now_ns < self._rest_until_ns <= beyond_ns
        if not is_resting:
            in_doubt = bool(self._failed)
            return next(iter(due(now_ns, 1, self.name, beyond_ns=beyond_ns, least_tried=in_doubt)), None)
        if now_ns - self._failed_ns < _CRITICAL_REST_NS:
            return None
        first = next(iter(due(now_ns, 1, self.name, beyond_ns=beyond_ns)), None)
        return first if first is not None and first.level is AlertLevel.CRITICAL else None

    def _send(self, delivery: Delivery) -> None:
        taken = self._database.deliveries.take(delivery, self._clock.now_ns() + _TAKEN_NS)
        if taken is None:
            return
        about = (taken.alerts, taken.first_alert, taken.last_alert)
        reason = self._channel.send(Message(taken.level, taken.title, taken.body, *about), self._seconds)
        now_ns = self._clock.now_ns()
        if not reason:
            self._failed.clear()
            self._rounds = self._rest_until_ns = 0
            self._database.deliveries.change(
                replace(taken, status=DeliveryStatus.SENT, sent_ns=now_ns, due_ns=now_ns, error="")
            )
            return
        self._rest(taken, now_ns)
        if now_ns - taken.created_ns >= self._settings.give_up_hours * 3_600 * NS_PER_SECOND:
            give_up(self._database, replace(taken, error=reason), now_ns)
        else:
            is_critical = taken.level is AlertLevel.CRITICAL
            pause_ns = self._pause_ns(taken.tries, _LONGEST_REST_NS if is_critical else _LONGEST_PAUSE_NS)
            self._database.deliveries.change(replace(taken, due_ns=now_ns + pause_ns, error=reason))

    def _rest(self, failed: Delivery, now_ns: int) -> None:
        self._failed.add(failed.number)
        if len(self._failed) > 1:
            self._rounds += 1
            self._failed_ns = now_ns
            self._rest_until_ns = now_ns + self._pause_ns(self._rounds, _LONGEST_REST_NS)

    def _pause_ns(self, tries: int, longest_ns: int) -> int:
        """Doubles with every try."""
        return min(self._first_pause_ns << min(tries - 1, 12), self._at_most(longest_ns))

    def _at_most(self, longest_ns: int) -> int:
        return max(longest_ns, self._first_pause_ns)


def give_up(database: Database, one: Delivery, now_ns: int) -> None:
    """Its alerts stay in the database; that they were not delivered is an alert as well."""
    text = (
        f"a message about {one.alerts:,} {'alert' if one.alerts == 1 else 'alerts'} was given up after "
        f"{one.tries} {'try' if one.tries == 1 else 'tries'}: {one.error}. "
        "`pumpswap alerts deliveries` lists it; then try the channel: `pumpswap alerts test`"
    )
    with database.batch():
        database.deliveries.change(replace(one, status=DeliveryStatus.FAILED))
        database.alerts.add(Alert(now_ns, AlertLevel.ERROR, "delivery", one.channel, text))
