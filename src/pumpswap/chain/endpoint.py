"""Endpoint: a node with everything we know about how it behaves. Questions that it may not be asked do not go out.

The order of the guards: right chain, method served, circuit, ``Retry-After``, rate limit; then the answer must not be
older than what we have seen already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from solders.pubkey import Pubkey

from pumpswap.chain.circuit import Circuit, CircuitState
from pumpswap.chain.networks import GenesisGuard
from pumpswap.chain.node import (
    AccountsAt,
    BlockhashAt,
    Commitment,
    Height,
    Node,
    NodeHealth,
    Simulation,
    StatusesAt,
)
from pumpswap.chain.rate_limit import RateLimit
from pumpswap.chain.relay import NodeRelay, Question
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import ChainError, NodeRefused, NotServed, RateLimited, StaleNode, WrongNetwork

__all__ = ["Endpoint", "EndpointRules", "ToldSlots"]

Answer = TypeVar("Answer")

_REFUSAL_LASTS_NS = 600 * NS_PER_SECOND
_LATENCY_WEIGHT = 0.2  # of the newest measurement in the moving average
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """When an endpoint is not asked. ``max_wait_seconds`` is how long a question may wait for one to come back."""

    max_slot_lag: int = 25
    failures_to_open: int = 2
    pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    max_wait_seconds: float = 2.0
    behind_wait_seconds: float = 0.4  # about a slot


class ToldSlots:
    """How far the chain is, as the endpoints tell it, by commitment. Account reads never turn back.

    What an endpoint told counts until it tells something else or fails: one that told too high a slot must not make
    all others look old for ever. For the same reason account reads of one raise the floor at most ``max_lag`` beyond
    what another one tells.
    """

    def __init__(self, max_lag: int) -> None:
        self._max_lag = max_lag
        self._told: dict[Commitment, dict[int, int]] = {}
        self._accounts: dict[Commitment, int] = {}

    def best(self, commitment: Commitment, *, besides: int = 0) -> int:
        """Highest slot that an endpoint tells at this commitment, ``besides`` one; 0 when none does."""
        told = self._told.get(commitment, {})
        return max((slot for number, slot in told.items() if number != besides), default=0)

    def accounts_floor(self, commitment: Commitment) -> int:
        """No account read at this commitment may be older than this slot."""
        return self._accounts.get(commitment, 0)

    def saw(self, number: int, commitment: Commitment, slot: int, *, in_accounts: bool) -> None:
        """Remember an answer of endpoint ``number`` that was accepted."""
        self._told.setdefault(commitment, {})[number] = slot
        if in_accounts:
            witnessed = self.best(commitment, besides=number)
            floor = min(slot, witnessed + self._max_lag) if witnessed else slot
            self._accounts[commitment] = max(self.accounts_floor(commitment), floor)

    def forget(self, number: int) -> None:
        """What this endpoint told counts no more."""
        for told in self._told.values():
            told.pop(number, None)


class Endpoint(NodeRelay):
    """One guarded node. It implements ``Node`` itself and raises what its node raises, or would."""

    def __init__(
        self,
        node: Node,
        clock: Clock,
        rate: RateLimit,
        watch: ToldSlots,
        *,
        rules: EndpointRules,
        guard: GenesisGuard | None = None,
    ) -> None:
        self.node = node
        self._clock, self._rate, self._watch, self._guard, self._rules = clock, rate, watch, guard, rules
        self.circuit = Circuit(
            clock,
            failures_to_open=rules.failures_to_open,
            pause_seconds=rules.pause_seconds,
            longest_pause_seconds=rules.longest_pause_seconds,
        )
        self._is_verified = guard is None
        self._barred: WrongNetwork | None = None
        self._served: dict[str, bool] = {}
        self._refused_ns: dict[str, int] = {}  # when a method was last said not to be served
        self._blocked_until_ns = 0
        self._limits_in_a_row = 0
        self._latency_ms: float | None = None
        self._slots: dict[Commitment, int] = {}
        self._number = id(self)  # in the watch
        self._lag = 0
        self._note = ""

    def __repr__(self) -> str:
        return f"<Endpoint {self.name} {self.circuit.state.value}>"

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_usable(self) -> bool:
        """Whether it may be asked now."""
        return self._barred is None and self.circuit.state is CircuitState.CLOSED and self.blocked_seconds == 0

    @property
    def barred(self) -> WrongNetwork | None:
        """Set for good when it serves another chain."""
        return self._barred

    @property
    def blocked_seconds(self) -> float:
        """How long ``Retry-After`` still lasts."""
        return max(self._blocked_until_ns - self._clock.now_ns(), 0) / NS_PER_SECOND

    def serves(self, method: str) -> bool:
        """False for a while after the node has said that it does not serve this method; else True.

        For a while only: a firewall or an expired plan says the same for a moment, also of sends.
        """
        refused_ns = self._refused_ns.get(method)
        return refused_ns is None or self._clock.now_ns() - refused_ns >= _REFUSAL_LASTS_NS

    def wait_seconds(self, method: str) -> float | None:
        """Seconds until this method may be asked; 0: now; None: not in the foreseeable future."""
        if self._barred is not None or not self.serves(method):
            return None
        trial = self._rules.behind_wait_seconds if self.circuit.is_on_trial else 0.0
        return max(self.circuit.wait_seconds, self.blocked_seconds, trial)

    def health(self) -> NodeHealth:
        """What is known, without asking."""
        return NodeHealth(
            name=self.name,
            is_usable=self.is_usable,
            latency_ms=self._latency_ms,
            slot=max(self._slots.values(), default=0),
            lag_slots=self._lag,
            failures_in_a_row=self.circuit.failures_in_a_row,
            note=self._barred.what if self._barred is not None else self._note,
            capabilities=dict(self._served),
        )

    async def accounts(
        self,
        addresses: Sequence[Pubkey],
        *,
        commitment: Commitment = Commitment.CONFIRMED,
        min_context_slot: int = 0,
    ) -> AccountsAt:
        floor = max(min_context_slot, self._watch.accounts_floor(commitment))
        return await super().accounts(addresses, commitment=commitment, min_context_slot=floor)

    async def _relay(self, question: Question, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        await self._verify()
        if not self.serves(question.method):
            raise self._not_served(question.method)
        answer = await self._asked(question, ask)
        self._check_slot(question, answer)
        self._note = ""
        return answer

    async def _verify(self) -> None:
        """An endpoint of another chain is never asked again, not even when it comes back after a failure."""
        if self._barred is not None:
            raise self._barred
        if self._is_verified or self._guard is None:
            return
        genesis = await self._asked(Question("genesis_hash"), lambda node: node.genesis_hash())
        try:
            self._guard.check(self.name, genesis)
        except WrongNetwork as wrong:
            self._barred = wrong
            raise
        self._is_verified = True

    async def _asked(self, question: Question, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        await self._rate.turn(urgent=question.is_urgent)
        # Those who stood in line when the endpoint closed its door must not knock one after the other (P18).
        if (blocked := self.blocked_seconds) > 0:
            raise RateLimited(
                f"{self.name} wants no requests for {blocked:.3g} s",
                retry_after_seconds=blocked,
                hint="lower chain.endpoints[].requests_per_second, or add an endpoint",
            )
        self.circuit.asked()
        started_ns = self._clock.now_ns()
        try:
            answer = await ask(self.node)
        except ChainError as failed:
            self._failed(question.method, failed)
            raise
        except BaseException:
            self.circuit.abandoned()
            raise
        self._took(self._clock.now_ns() - started_ns)
        self._served[question.method] = True
        self._refused_ns.pop(question.method, None)
        self._limits_in_a_row = 0
        self.circuit.succeeded()
        return answer

    def _failed(self, method: str, failed: ChainError) -> None:
        self._note = failed.what
        if isinstance(failed, RateLimited):
            pause = failed.retry_after_seconds
            if pause is None:
                pause = min(self._rules.pause_seconds * 2**self._limits_in_a_row, self._rules.longest_pause_seconds)
            if self.blocked_seconds == 0:
                self._limits_in_a_row = min(self._limits_in_a_row + 1, 20)
            until_ns = self._clock.now_ns() + round(pause * NS_PER_SECOND)
            self._blocked_until_ns = max(self._blocked_until_ns, until_ns)
            self.circuit.abandoned()
        elif isinstance(failed, NotServed):
            self._served[method] = False
            self._refused_ns[method] = self._clock.now_ns()
            self.circuit.succeeded()
        elif isinstance(failed, NodeRefused):
            self.circuit.succeeded()
        else:
            self.circuit.failed()
            self._left()

    def _left(self) -> None:
        """When the circuit has opened, what the endpoint told and which chain it serves must be found out anew."""
        if self.circuit.state is not CircuitState.CLOSED:
            self._watch.forget(self._number)
            self._is_verified = self._guard is None

    def _check_slot(self, question: Question, answer: object) -> None:
        if not isinstance(answer, AccountsAt | BlockhashAt | Height | Simulation | StatusesAt):
            return
        self._slots[question.commitment] = answer.slot
        self._lag = max(self._watch.best(question.commitment, besides=self._number) - answer.slot, 0)
        if self._lag > self._rules.max_slot_lag:
            self.circuit.trip()
            self._left()
            raise self._behind(f"{self._lag} slots behind the other endpoints")
        if answer.slot < question.floor:
            self.circuit.failed()
            self._left()
            raise self._behind(f"at slot {answer.slot}, {question.floor} was seen already")
        in_accounts = isinstance(answer, AccountsAt)
        self._watch.saw(self._number, question.commitment, answer.slot, in_accounts=in_accounts)

    def _behind(self, what: str) -> StaleNode:
        self._note = f"{self.name} is {what}"
        return StaleNode(
            self._note, hint="another endpoint takes over; restart pumpswap if the chain was set back on purpose"
        )

    def _not_served(self, method: str) -> NotServed:
        return NotServed(f"{self.name} does not serve {method}", hint="add an endpoint that does under chain.endpoints")

    def _took(self, elapsed_ns: int) -> None:
        measured = max(elapsed_ns, 0) / _NS_PER_MS
        known = self._latency_ms
        self._latency_ms = measured if known is None else known + _LATENCY_WEIGHT * (measured - known)

    async def try_again(self) -> bool:
        """The trial of a half-open circuit: whether the endpoint answers and is not behind."""
        try:
            await self.height()
        except (ChainError, WrongNetwork):
            return False
        finally:
            self.circuit.abandoned()  # a trial that ended before anything was asked must not block the next one
        return True

    async def aclose(self) -> None:
        """Close the node when it has something to close."""
        close = getattr(self.node, "aclose", None)
        if close is not None:
            await close()
