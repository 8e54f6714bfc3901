"""EndpointPool: several endpoints as one node. The first that may be asked answers; when it fails, the next one does.

Reads fail over; broadcasts go to all healthy endpoints at once. An endpoint that comes back after a failure is tried in
the background, so that no read has to wait for it. Proofs of absence need single endpoints: ``usable()``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Self, TypeVar

from solders.hash import Hash
from solders.signature import Signature

from pumpswap.amm.addresses import GLOBAL_CONFIG
from pumpswap.chain.closing import Closing
from pumpswap.chain.endpoint import Endpoint, EndpointRules, ToldSlots
from pumpswap.chain.networks import GenesisGuard
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node, NodeHealth
from pumpswap.chain.rate_limit import RateLimit, Sleep
from pumpswap.chain.relay import NodeRelay, Question
from pumpswap.chain.rpc import RpcNode
from pumpswap.clock import Clock
from pumpswap.errors import (
    ChainError,
    ConfigError,
    EndpointDown,
    NodeRefused,
    NotServed,
    PumpSwapError,
    RateLimited,
    StaleNode,
    WrongNetwork,
)
from pumpswap.settings import ChainSettings

__all__ = ["EndpointPool"]

Answer = TypeVar("Answer")

_UNLIMITED = 1e9
# What says most about why nobody answered comes first.
_TELLING = (NodeRefused, EndpointDown, StaleNode, RateLimited, NotServed)
_TOKEN_ACCOUNT_BYTES = 165


class EndpointPool(NodeRelay, Closing):
    """Endpoints in order of preference."""

    def __init__(
        self,
        nodes: Sequence[Node],
        clock: Clock,
        *,
        rules: EndpointRules | None = None,
        requests_per_second: Sequence[float] = (),
        guard: GenesisGuard | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """``requests_per_second`` is by endpoint; without it nothing is limited. With ``guard``, the genesis hash of
        each endpoint is checked before its first use. Raises ConfigError without nodes.
        """
        if not nodes:
            raise ConfigError("there is no endpoint", hint="add at least one under chain.endpoints")
        rates = requests_per_second or [_UNLIMITED] * len(nodes)
        self._rules = rules or EndpointRules()
        self._sleep = sleep
        self._watch = ToldSlots(self._rules.max_slot_lag)
        self._endpoints = tuple(
            Endpoint(node, clock, RateLimit(rate, clock, sleep=sleep), self._watch, rules=self._rules, guard=guard)
            for node, rate in zip(nodes, rates, strict=True)
        )
        self._background: set[asyncio.Task[Any]] = set()

    @classmethod
    def from_settings(cls, settings: ChainSettings, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> Self:
        """A pool over HTTP. Raises ConfigError without endpoints or network, WrongNetwork for mainnet switched off."""
        guard = GenesisGuard(settings)
        hosts: dict[str, int] = {}
        nodes: list[RpcNode] = []
        for one in settings.endpoints:
            node = RpcNode(one, clock=clock)
            hosts[node.name] = hosts.get(node.name, 0) + 1
            if hosts[node.name] > 1:
                node = RpcNode(one, clock=clock, name=f"{node.name}#{hosts[node.name]}")
            nodes.append(node)
        return cls(
            nodes,
            clock,
            rules=EndpointRules(max_slot_lag=settings.max_slot_lag),
            requests_per_second=[one.requests_per_second for one in settings.endpoints],
            guard=guard,
            sleep=sleep,
        )

    @property
    def name(self) -> str:
        return ", ".join(endpoint.name for endpoint in self._endpoints)

    @property
    def nodes(self) -> tuple[Endpoint, ...]:
        """Every endpoint, each with its own guards and without failover."""
        return self._endpoints

    def usable(self) -> tuple[Endpoint, ...]:
        """The endpoints that may be asked now, in order of preference."""
        return tuple(endpoint for endpoint in self._endpoints if endpoint.is_usable)

    def best_slot(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """The highest slot that an endpoint has told at this commitment; 0 before the first answer."""
        return self._watch.best(commitment)

    def health(self) -> tuple[NodeHealth, ...]:
        """How each endpoint has been doing, without asking it."""
        return tuple(endpoint.health() for endpoint in self._endpoints)

    async def refresh(self) -> tuple[NodeHealth, ...]:
        """Ask every endpoint that may be asked for its height, then tell their health."""
        await asyncio.gather(*(one.try_again() for one in self._endpoints if one.wait_seconds("height") == 0))
        return self.health()

    async def probe(self) -> tuple[NodeHealth, ...]:
        """Find out which methods each endpoint serves, with the cheapest question of each kind (P21)."""
        await asyncio.gather(*(self._probe_one(endpoint) for endpoint in self._endpoints))
        return self.health()

    async def aclose(self) -> None:
        """End what goes on in the background and close the connections."""
        pending = tuple(self._background)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for endpoint in self._endpoints:
            await endpoint.aclose()

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        """Broadcast through all healthy endpoints at once; returns when the first one has accepted.

        The others go on in the background. When none is healthy, those whose circuit is open are tried as well: one
        more broadcast of the same bytes harms nobody. An error does not mean that the transaction will not land.
        """
        targets = self.usable() or tuple(
            one for one in self._endpoints if one.barred is None and one.blocked_seconds == 0
        )
        if not targets:
            raise self._nobody("send", [])
        pending = {
            self._spawn(one.send(raw, skip_preflight=skip_preflight, min_context_slot=min_context_slot))
            for one in targets
        }
        failures: list[PumpSwapError] = []
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failed = task.exception()
                if failed is None:
                    return task.result()
                if not isinstance(failed, ChainError | WrongNetwork):
                    raise failed
                failures.append(failed)
        # A refusal is certain only if every endpoint refused: one that did not answer may have passed the bytes on.
        silent = [one for one in failures if not isinstance(one, NodeRefused)]
        raise self._nobody("send", silent or failures)

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        """A landed transaction, from whichever endpoint knows it. None when those that answered do not know it.

        None proves nothing: ask single endpoints for that.
        """
        failures: list[PumpSwapError] = []
        is_answered = False
        for endpoint in self._endpoints:
            if endpoint.wait_seconds("transaction") != 0:
                continue
            try:
                found = await endpoint.transaction(signature, commitment)
            except (ChainError, WrongNetwork) as failed:
                failures.append(failed)
                continue
            if found is not None:
                return found
            is_answered = True
        if is_answered:
            return None
        if failures:
            raise self._nobody("transaction", failures)
        return await super().transaction(signature, commitment)  # nobody could be asked at once: wait for one

    async def _relay(self, question: Question, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        failures: list[PumpSwapError] = []
        lost: set[Endpoint] = set()  # failed in a way that waiting does not mend
        budget = self._rules.max_wait_seconds
        while True:
            soonest: float | None = None
            self._revive(question.method)
            for endpoint in self._endpoints:
                if endpoint in lost:
                    continue
                wait = endpoint.wait_seconds(question.method)
                if wait == 0:
                    try:
                        return await ask(endpoint)
                    except (RateLimited, StaleNode) as failed:
                        failures.append(failed)
                        wait = max(endpoint.wait_seconds(question.method) or 0, self._rules.behind_wait_seconds)
                    except (ChainError, WrongNetwork) as failed:
                        failures.append(failed)
                        lost.add(endpoint)
                        continue
                if wait is not None:
                    soonest = wait if soonest is None else min(soonest, wait)
            if soonest is None or soonest > budget:
                raise self._nobody(question.method, failures)
            budget -= soonest
            await self._sleep(soonest)

    def _revive(self, method: str) -> None:
        """Try endpoints whose pause is over in the background, unless there is nobody else to ask."""
        if not any(one.is_usable and one.serves(method) for one in self._endpoints):
            return
        for endpoint in self._endpoints:
            if endpoint.barred is None and endpoint.circuit.is_due and endpoint.blocked_seconds == 0:
                endpoint.circuit.asked()
                self._spawn(endpoint.try_again())

    def _spawn(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of by the endpoint's health; here it only has to be retrieved

    def _nobody(self, method: str, failures: Sequence[PumpSwapError]) -> PumpSwapError:
        """The error to raise when no endpoint has answered: the most telling one, and all of them in its text."""
        if len(failures) == 1:
            return failures[0]
        for kind in _TELLING:
            chosen = next((one for one in reversed(failures) if isinstance(one, kind)), None)
            if chosen is not None:
                return _with_others(chosen, failures)
        if failures:
            return failures[-1]
        return self._unasked(method)

    def _unasked(self, method: str) -> PumpSwapError:
        barred = [one.barred for one in self._endpoints if one.barred is not None]
        if len(barred) == len(self._endpoints):
            return barred[0]
        serving = [one for one in self._endpoints if one.barred is None and one.serves(method)]
        if not serving:
            return NotServed(
                f"no endpoint serves {method}: {self.name}", hint="add one that does under chain.endpoints"
            )
        blocked = [one.blocked_seconds for one in serving if one.blocked_seconds > 0]
        if len(blocked) == len(serving):
            return RateLimited(
                f"all endpoints want fewer requests: {self.name}",
                retry_after_seconds=min(blocked),
                hint="wait, lower chain.endpoints[].requests_per_second, or add an endpoint",
            )
        notes = "; ".join(note for one in serving if (note := one.health().note))
        return EndpointDown(
            f"no endpoint can be asked now{': ' if notes else ''}{notes}",
            hint="they are tried again by themselves; see them with: pumpswap doctor",
        )

    async def _probe_one(self, endpoint: Endpoint) -> None:
        nobody, never = GLOBAL_CONFIG, str(Signature.default())  # an address that owns nothing, a signature of nothing
        questions: tuple[Callable[[], Coroutine[Any, Any, object]], ...] = (
            lambda: endpoint.height(),
            lambda: endpoint.accounts([nobody]),
            lambda: endpoint.latest_blockhash(),
            lambda: endpoint.is_blockhash_valid(Hash.default()),
            lambda: endpoint.statuses([never]),
            lambda: endpoint.transaction(never),
            lambda: endpoint.signatures_for(nobody, limit=1),
            lambda: endpoint.first_available_block(),
            lambda: endpoint.priority_fees([nobody]),
            lambda: endpoint.minimum_rent(_TOKEN_ACCOUNT_BYTES),
            lambda: endpoint.program_accounts(nobody),
            lambda: endpoint.token_accounts(nobody),
            lambda: endpoint.largest_holdings(nobody),
        )
        for ask in questions:
            try:
                await ask()
            except (NotServed, NodeRefused):
                continue  # the endpoint remembers what it does not serve
            except (ChainError, WrongNetwork):
                return  # its health says why; the rest stays unknown


def _with_others(chosen: PumpSwapError, failures: Sequence[PumpSwapError]) -> PumpSwapError:
    """``chosen``, whose text also tells the other endpoints' failures."""
    others = dict.fromkeys(one.what for one in failures if one.what != chosen.what)
    text = "; ".join((chosen.what, *others))
    if isinstance(chosen, NodeRefused):
        return NodeRefused(text, code=chosen.code, data=chosen.data, hint=chosen.hint)
    if isinstance(chosen, RateLimited):
        waits = [one.retry_after_seconds for one in failures if isinstance(one, RateLimited)]
        soonest = min((one for one in waits if one is not None), default=None)
        return RateLimited(text, retry_after_seconds=soonest, hint=chosen.hint)
    return type(chosen)(text, hint=chosen.hint)
