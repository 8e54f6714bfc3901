"""Sender: from a stored order to one landed transaction, or to the proof that there is none.

Rules that hold at every moment, also after a crash at any line:

- a transaction is stored before its first byte goes out;
- an order has at most one transaction that may still land; the same bytes are sent again until their own expiry height;
- a new one is signed only after the last is proven absent for ever (``chain.expiry``);
- an error of a send, a silent endpoint or a time-out is never taken for "not sent".

The store is the state: every step reads it, so a new Sender on the same store goes on where the last one was cut off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from pumpswap.chain.attempts import AttemptStore
from pumpswap.chain.expiry import prove_expiry
from pumpswap.chain.fan_out import NodePool, ask_each
from pumpswap.chain.landing import find_landed
from pumpswap.chain.lanes import Lane, lanes_named
from pumpswap.chain.node import BlockhashAt, Commitment, Height, Node
from pumpswap.chain.order_state import BuildRequest, Built, Landed, OrderState, SendJob, Waiting
from pumpswap.chain.signing import Signer
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import (
    AmountOutOfRange,
    ChainError,
    ConfigError,
    GuardRefused,
    InsufficientFunds,
    KeyLocked,
    ProtocolDrift,
    PumpSwapError,
    StorageError,
    TradeRefused,
    UsageError,
    WrongNetwork,
)
from pumpswap.model import Attempt, AttemptState, Denied, Outcome, Unknown
from pumpswap.settings import SendingSettings

__all__ = ["PATIENCE_SECONDS", "Blockhashes", "Sender", "SenderParts", "one_look"]

# A block-hash lives for 60 to 90 seconds and is final 15 later; what is open after this waits for an endpoint.
PATIENCE_SECONDS = 180
_REMEMBERED = 1_000  # far more than anybody signs with one block-hash

_NS_PER_MS = 1_000_000
# Errors of building and signing that end an order: nothing of it is open then. The rule that the order is denied by.
_RULES: tuple[tuple[type[PumpSwapError], str], ...] = (
    (GuardRefused, "guard"),
    (KeyLocked, "key locked"),
    (InsufficientFunds, "funds"),
    (TradeRefused, "refused"),
    (ProtocolDrift, "drift"),
    (AmountOutOfRange, "amount"),
    (ChainError, "endpoints"),
    (PumpSwapError, "refused"),
)


class Blockhashes(Protocol):
    """Where block-hashes come from: ``chain.blockhash.BlockhashCache``."""

    async def get(self, *, newer_than: int = 0) -> BlockhashAt: ...


@dataclass(frozen=True, slots=True)
class SenderParts:
    """What a Sender works with.

    ``wake`` is an optional hint: it returns when the signature may have been confirmed (a subscription). It can make
    the sender look earlier; it is never believed.
    """

    pool: NodePool
    lanes: Sequence[Lane]
    store: AttemptStore
    signer: Signer
    blockhashes: Blockhashes
    clock: Clock
    settings: SendingSettings
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wake: Callable[[str], Awaitable[None]] | None = None


class Sender:
    """Sends the orders of one wallet. Any number of orders at a time, one step of each order at a time."""

    def __init__(self, parts: SenderParts) -> None:
        if not parts.lanes:
            raise ConfigError("there is no lane to send on", hint="set sending.lanes, for example to [rpc]")
        self._parts = parts
        self._jobs: dict[str, SendJob] = {}
        self._resumed: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._tended_ns: dict[str, int] = {}
        self._woken: set[str] = set()
        self._stored: deque[str] = deque(maxlen=_REMEMBERED)  # signatures, newest last

    # ------------------------------------------------------------------------------------------ whole orders

    async def run(self, job: SendJob, *, until: asyncio.Event | None = None) -> Outcome:
        """Send an order and follow it to its end.

        Unknown when ``until`` is set, or when the endpoints could not settle it in time: then no new transaction is
        signed for it any more, and ``resolve_open`` finds out later. Raises StorageError when the books fail.
        """
        return self.outcome_of(await self.follow(job, until=until), job)

    async def follow(self, job: SendJob, *, until: asyncio.Event | None = None) -> OrderState:
        """``run`` for whoever reads the landed transaction himself: the state instead of its outcome."""
        self._take(job)
        try:
            state = await self.advance(job.order_id)
            started_ns = self._now_ns()
            while isinstance(state, Waiting):
                started_ns = max(started_ns, state.attempt.created_ns)
                if self._is_over(started_ns, until):
                    break
                await self._pause(state.attempt.signature, until)
                state = await self.advance(job.order_id)
        finally:
            self._jobs.pop(job.order_id, None)
        return state

    async def resolve_open(
        self, order_ids: Iterable[str] | None = None, *, until: asyncio.Event | None = None, resume: bool = False
    ) -> dict[str, OrderState]:
        """Find out what became of ``order_ids`` (orders without a final outcome), and of no others, which may have to
        wait; without them of all open attempts.

        To be called at every start, before anything else is sent. Nothing new is signed. With ``resume`` the stored
        bytes are also sent again, on all lanes, while they are valid. Waiting is left where the endpoints could not
        settle it in time.
        """
        if order_ids is None:
            order_ids = [attempt.order_id for attempt in self._parts.store.unresolved()]
        open_ids = dict.fromkeys(order_ids)
        if resume:
            self._resumed.update(open_ids)
        states: dict[str, OrderState] = {}
        started_ns = self._now_ns()
        while True:
            for order_id in open_ids:
                states[order_id] = await self.advance(order_id)
            waiting = [state for state in states.values() if isinstance(state, Waiting)]
            if not waiting or self._is_over(started_ns, until):
                break
            open_ids = {state.attempt.order_id: None for state in waiting}
            await self._pause(waiting[0].attempt.signature, until)
        self._resumed.difference_update(states)
        return states

    def outcome_of(self, state: OrderState, job: SendJob) -> Outcome:
        """The outcome that a state means now."""
        if isinstance(state, Landed):
            return job.interpret(state.attempt, state.transaction)
        if isinstance(state, Waiting):
            attempt = state.attempt
            return Unknown(attempt.order_id, self._now_ns(), attempt.signature, attempt.last_valid_block_height)
        return state

    # ------------------------------------------------------------------------------------------ single steps

    async def start(self, job: SendJob) -> OrderState:
        """Take an order and make its first step. Its order row must be stored."""
        self._take(job)
        return await self.advance(job.order_id)

    def _take(self, job: SendJob) -> None:
        if job.order_id in self._jobs:
            raise UsageError(f"order {job.order_id} is being sent already", hint="an order is sent once")
        if not lanes_named(self._parts.lanes, job.lanes):
            raise ConfigError(f"no lane is named {', '.join(sorted(job.lanes))}", hint="see sending.lanes")
        self._jobs[job.order_id] = job

    async def advance(self, order_id: str) -> OrderState:
        """One step: look at the chain, decide, store, act. Never sleeps.

        Raises StorageError when the books fail; the order is then as open as the books say. An order that nobody has
        started here (after a restart) is followed and never signed for again.
        """
        lock = self._locks.setdefault(order_id, asyncio.Lock())
        async with lock:
            attempts = self._parts.store.of_order(order_id)
            current = next((attempt for attempt in attempts if attempt.state is not AttemptState.EXPIRED), None)
            if current is None:
                state = await self._next_attempt(order_id, attempts)
            else:
                state = await self._follow(current, attempts)
        if not isinstance(state, Waiting):
            self._forget(order_id)
        return state

    # ------------------------------------------------------------------------------------------ an open attempt

    async def _follow(self, attempt: Attempt, attempts: Sequence[Attempt]) -> OrderState:
        nodes = self._parts.pool.usable()
        # One that this process has not sent itself may be old: endpoints keep recent statuses only.
        is_inherited = attempt.signature not in self._tended_ns
        heights = await self._heights(nodes) if is_inherited or self._is_due(attempt) else ()
        may_be_past = any(height.block_height > attempt.last_valid_block_height for height in heights)
        is_thorough = is_inherited or may_be_past or not attempt.state.is_open
        landed = await find_landed(nodes, attempt, needed=self._quorum(), is_thorough=is_thorough)
        if landed is not None:
            self._parts.store.mark(attempt.signature, AttemptState.LANDED, self._now_ns(), f"slot {landed.slot}")
            return Landed(replace(attempt, state=AttemptState.LANDED), landed)
        if not attempt.state.is_open:
            return Waiting(attempt, "landed; no endpoint shows its content")
        note = "no endpoint is usable" if not nodes else "not in a confirmed block yet"
        if may_be_past:
            expiry = await prove_expiry(nodes, attempt, self._quorum())
            if expiry.is_proven:
                witnesses = f"absent by {', '.join(expiry.absent)}"
                self._parts.store.mark(attempt.signature, AttemptState.EXPIRED, self._now_ns(), witnesses)
                return await self._next_attempt(attempt.order_id, attempts)
            note = expiry.text
        if heights or is_inherited or self._is_due(attempt):
            self._tended_ns[attempt.signature] = self._now_ns()
            is_past = bool(heights) and all(h.block_height > attempt.last_valid_block_height for h in heights)
            if not is_past and (attempt.order_id in self._jobs or attempt.order_id in self._resumed):
                note = await self._broadcast(attempt) or note
        return Waiting(attempt, note)

    async def _heights(self, nodes: Sequence[Node]) -> tuple[Height, ...]:
        """Confirmed heights of as many nodes as must agree. Only for when to send again and when to ask for proof."""
        heights: list[Height] = []
        async with aclosing(ask_each(nodes, _confirmed_height)) as answers:
            async for _, answer in answers:
                if isinstance(answer, Height):
                    heights.append(answer)
                if len(heights) >= self._quorum():
                    break
        return tuple(heights)

    def _quorum(self) -> int:
        # Of the configured endpoints, not of those that answer just now: one that is left alone must not decide.
        distinct = {node.name for node in self._parts.pool.nodes}
        return max(1, min(self._parts.settings.quorum, len(distinct)))

    def _is_due(self, attempt: Attempt) -> bool:
        tended_ns = self._tended_ns.get(attempt.signature)
        return tended_ns is None or self._now_ns() - tended_ns >= self._parts.settings.rebroadcast_ms * _NS_PER_MS

    async def _broadcast(self, attempt: Attempt) -> str:
        """The same bytes on all lanes of the order. Returns what failed; it may have arrived all the same."""
        job = self._jobs.get(attempt.order_id)
        lanes = lanes_named(self._parts.lanes, job.lanes if job else frozenset())
        self._tended_ns[attempt.signature] = self._now_ns()
        errors = await asyncio.gather(*(_send_on(lane, attempt.raw) for lane in lanes))
        if attempt.state is AttemptState.SIGNED:
            self._parts.store.mark(attempt.signature, AttemptState.SENT, self._now_ns())
        return "; ".join(filter(None, errors))

    # ------------------------------------------------------------------------------------------ a new attempt

    async def _next_attempt(self, order_id: str, attempts: Sequence[Attempt]) -> OrderState:
        """Nothing of the order is open, and all ``attempts`` are proven absent."""
        job = self._jobs.get(order_id)
        if job is None or len(attempts) >= self._parts.settings.max_attempts:
            return self._never_landed(order_id, len(attempts))
        previous = attempts[-1] if attempts else None
        try:
            attempt = await self._signed(job, previous)
        except StorageError:
            raise  # an attempt may be stored or not: the order is not over
        except PumpSwapError as error:
            rule = next(rule for kind, rule in _RULES if isinstance(error, kind))
            return Denied(order_id, self._now_ns(), rule, f"{error}: {error.hint}" if error.hint else str(error))
        if isinstance(attempt, Denied):
            return attempt
        if attempt.signature in self._stored:
            # Equal instructions with one block-hash are one transaction: the chain does it once, for the other order.
            text = "another order has just sent the very same transaction: wait a second and do it again"
            return Denied(order_id, self._now_ns(), "same transaction", text)
        self._parts.store.add(attempt)
        self._stored.append(attempt.signature)
        note = await self._broadcast(attempt)
        sent = replace(attempt, state=AttemptState.SENT)
        return Waiting(sent, note or "sent")

    def _never_landed(self, order_id: str, attempts: int) -> Denied:
        if attempts == 0:
            return Denied(order_id, self._now_ns(), "not sent", "no transaction of this order was ever signed")
        text = f"{attempts} transaction(s) expired and are proven absent from the chain"
        return Denied(order_id, self._now_ns(), "expired", text)

    async def _signed(self, job: SendJob, previous: Attempt | None) -> Attempt | Denied:
        newer_than = previous.last_valid_block_height if previous else 0
        blockhash = await self._parts.blockhashes.get(newer_than=newer_than)
        number = previous.number + 1 if previous else 1
        built = await job.build(BuildRequest(number, blockhash, previous))
        if isinstance(built, Denied):
            return built
        self._check_built(built, blockhash)
        signed = await self._parts.signer.sign(built.message, built.plan)
        if signed.message != built.message:
            raise GuardRefused("the signer returned another message than it was given", hint="do not use this signer")
        return Attempt(
            order_id=job.order_id,
            number=number,
            signature=str(signed.signatures[0]),
            raw=bytes(signed),
            blockhash=str(blockhash.blockhash),
            last_valid_block_height=blockhash.last_valid_block_height,
            created_ns=self._now_ns(),
            created_slot=blockhash.slot,
            compute_unit_limit=built.compute_unit_limit,
            compute_unit_price_micro_lamports=built.compute_unit_price_micro_lamports,
            tip_lamports=built.tip_lamports,
        )

    def _check_built(self, built: Built, blockhash: BlockhashAt) -> None:
        """The expiry height belongs to one hash, the proof of absence to one fee payer: both must be those."""
        if built.message.recent_blockhash != blockhash.blockhash:
            raise UsageError("the message names another block-hash than it was given", hint="use request.blockhash")
        if built.message.account_keys[0] != self._parts.signer.public_key:
            raise UsageError("the message is paid by another wallet than signs it", hint="the wallet must be the payer")

    # ------------------------------------------------------------------------------------------ time

    def _now_ns(self) -> int:
        return self._parts.clock.now_ns()

    def _is_over(self, started_ns: int, until: asyncio.Event | None) -> bool:
        is_late = self._now_ns() - started_ns >= PATIENCE_SECONDS * NS_PER_SECOND
        return is_late or (until is not None and until.is_set())

    async def _pause(self, signature: str, until: asyncio.Event | None) -> None:
        """Sleep until the next look; shorter when the hint or ``until`` comes first."""
        waits: list[Awaitable[object]] = [self._parts.sleep(self._parts.settings.poll_ms / 1_000)]
        if until is not None:
            waits.append(until.wait())
        # One hint a signature: a subscription that repeats itself must not turn this into a busy loop.
        if self._parts.wake is not None and signature not in self._woken:
            waits.append(self._hint(signature))
        if len(waits) == 1:
            await waits[0]
            return
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hint(self, signature: str) -> None:
        if self._parts.wake is None:
            return
        try:
            await self._parts.wake(signature)
        except (ChainError, WrongNetwork):
            await asyncio.Event().wait()  # a stream that failed gives no hint; polling goes on
        self._woken.add(signature)

    def _forget(self, order_id: str) -> None:
        self._jobs.pop(order_id, None)
        self._locks.pop(order_id, None)
        for attempt in self._parts.store.of_order(order_id):
            self._tended_ns.pop(attempt.signature, None)
            self._woken.discard(attempt.signature)


def one_look() -> asyncio.Event:
    """For ``until``: ask once, without waiting."""
    event = asyncio.Event()
    event.set()
    return event


async def _confirmed_height(node: Node) -> Height:
    return await node.height(Commitment.CONFIRMED)


async def _send_on(lane: Lane, raw: bytes) -> str:
    try:
        await lane.send(raw)
    except (ChainError, WrongNetwork) as error:
        return f"{lane.name}: {error.what}"
    return ""
