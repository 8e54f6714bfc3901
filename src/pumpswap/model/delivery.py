"""Delivery: a message about alerts on its way to one channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pumpswap.model.alert import AlertLevel

__all__ = ["Delivery", "DeliveryStatus"]


class DeliveryStatus(Enum):
    """What became of it."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up: the alerts stay in the database


@dataclass(frozen=True, slots=True)
class Delivery:
    """``first_alert`` and ``last_alert`` are the numbers of what it tells of, ``alerts`` how many; ``due_ns`` is when
    it is tried, or tried again. ``error`` is what the service said last, without any secret. ``number`` is given by the
    store.
    """

    channel: str
    level: AlertLevel
    title: str
    body: str
    created_ns: int
    due_ns: int
    alerts: int = 1
    first_alert: int = 0
    last_alert: int = 0
    status: DeliveryStatus = DeliveryStatus.WAITING
    tries: int = 0
    sent_ns: int | None = None
    error: str = ""
    number: int = 0
