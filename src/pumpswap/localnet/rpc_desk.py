"""Desk: takes a body with calls, lets faults happen, and gives back the bytes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pumpswap.errors import NodeRefused
from pumpswap.localnet.faults import SEND, STATUSES, TRANSACTION, Fault, FaultKind
from pumpswap.localnet.methods.transactions import sent_signature
from pumpswap.localnet.rpc_calls import Call, encode, failure, read_calls, success
from pumpswap.localnet.rpc_errors import INTERNAL_ERROR
from pumpswap.localnet.rpc_node import ServedChain
from pumpswap.localnet.rpc_state import RpcState
from pumpswap.localnet.rpc_table import perform
from pumpswap.localnet.subscriptions import Notification, Subscriptions

__all__ = ["Answer", "Desk", "Trouble"]

_PRACTICE = "localnet_"


class Trouble(Enum):
    """What a fault does to the answer as a whole."""

    NONE = auto()
    RATE_LIMITED = auto()
    SERVER_ERROR = auto()
    NO_ANSWER = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes to send, and what a new subscriber is to be told after them. Empty bytes: the caller wanted no answer."""

    body: bytes
    notifications: Sequence[Notification] = ()
    trouble: Trouble = Trouble.NONE
    retry_after: int = 0


_AT_ONCE = {
    FaultKind.RATE_LIMITED: (Trouble.RATE_LIMITED, NodeRefused("Too many requests", code=429)),
    FaultKind.SERVER_ERROR: (Trouble.SERVER_ERROR, NodeRefused("Service unavailable", code=INTERNAL_ERROR)),
    FaultKind.RESET: (Trouble.RESET, NodeRefused("Connection reset", code=INTERNAL_ERROR)),
    FaultKind.RESTART: (Trouble.RESET, NodeRefused("Node restarted", code=INTERNAL_ERROR)),
}


class Desk:
    """Serves the calls of one endpoint."""

    def __init__(self, node: ServedChain, subscriptions: Subscriptions) -> None:
        self._node = node
        self._subscriptions = subscriptions

    async def serve(self, body: bytes, owner: object | None) -> Answer:
        """Answer a body. ``owner`` is the socket that asks; without one there is nothing to subscribe with."""
        calls, is_batch = read_calls(body)
        told: list[Notification] = []
        answers: list[dict[str, object]] = []
        trouble = Trouble.NONE
        for call in calls:
            if isinstance(call, NodeRefused):
                answers.append(failure(call))
                continue
            fault = self._fault_of(call)
            if fault is not None and fault.kind in _AT_ONCE:
                return self._at_once(call, fault)
            document = self._document(call, fault, owner, told)
            if fault is not None and fault.kind is FaultKind.SLOW:
                await asyncio.sleep(fault.amount / 1_000)
            if fault is not None and fault.kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER):
                trouble = Trouble.NO_ANSWER
            if not call.is_silent:
                answers.append(document)
        if not answers:
            return Answer(b"", told, trouble)
        return Answer(encode(answers if is_batch else answers[0]), told, trouble)

    def _fault_of(self, call: Call) -> Fault | None:
        # Faults hit clients, never the hand that steers the test.
        if call.method.startswith(_PRACTICE) or not self._node.faults.faults:
            return None
        signature = _signature_of(call)
        return self._node.faults.pick(call.method, self._node.chain.slot, signature=signature, target=self._node.name)

    def _at_once(self, call: Call, fault: Fault) -> Answer:
        if fault.kind is FaultKind.RESTART:
            self._node.restart()
        trouble, refused = _AT_ONCE[fault.kind]
        return Answer(encode(failure(refused, call.id)), (), trouble, fault.amount)

    def _document(
        self, call: Call, fault: Fault | None, owner: object | None, told: list[Notification]
    ) -> dict[str, object]:
        try:
            if owner is not None and call.method.endswith(("Subscribe", "Unsubscribe")):
                result, notifications = self._subscriptions.call(owner, call.method, call.parameters())
                told.extend(notifications)
            else:
                result = perform(RpcState(self._node, fault), call)
            if fault is not None and fault.kind is FaultKind.FALSE_ERROR:
                raise NodeRefused("Internal error", code=INTERNAL_ERROR)
        except NodeRefused as refused:
            return failure(refused, call.id)
        return success(call, result)


def _signature_of(call: Call) -> str | list[str]:
    """The signature that a call is about, or all that it asks for; empty when it is about none."""
    if call.method == TRANSACTION:
        return call.text(0)
    if call.method == STATUSES:
        listed = call.params[0] if isinstance(call.params, list) and call.params else None
        return [str(each) for each in listed] if isinstance(listed, list) else ""
    if call.method == SEND:
        try:
            return sent_signature(call.parameters())
        except NodeRefused:
            return ""
    return ""
