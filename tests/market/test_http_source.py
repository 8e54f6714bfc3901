"""HttpSource under any sequence of faults: never too fast, never before it was asked back, every request counted."""

from __future__ import annotations

import asyncio
from random import Random

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import DataSourceError, SourceBusy, SourceDown, SourceRefused, UnreadableAnswer
from pumpswap.market.http_fields import decode_object
from pumpswap.market.http_source import HttpSource, SourceLimits, SourceParts
from tests.support.patient import PatientClock

FAULTS = st.one_of(
    st.sampled_from(["fine", "fine", "500", "404", "429", "drop", "cut", "slow"]),
    st.integers(0, 299).map(lambda seconds: f"after {seconds}"),
)
KINDS = {
    "500": SourceDown,
    "drop": SourceDown,
    "slow": SourceDown,
    "404": SourceRefused,
    "429": SourceBusy,
    "after": SourceBusy,
    "cut": UnreadableAnswer,
}


class Service:
    """Answers by a list of faults, then well; ``asked_ns`` are the moments of the requests."""

    def __init__(self, faults: list[str], clock: PatientClock) -> None:
        self._faults, self._clock = iter(faults), clock
        self.asked_ns: list[int] = []
        self.answered: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        fault = next(self._faults, "fine")
        self.asked_ns.append(self._clock.now_ns())
        self.answered.append(fault)
        match fault.split():
            case ["fine"]:
                return httpx2.Response(200, content=b'{"data": 1}')
            case ["drop"]:
                raise httpx2.ReadError("gone", request=request)
            case ["slow"]:
                raise httpx2.ReadTimeout("slow", request=request)
            case ["cut"]:
                return httpx2.Response(200, content=b'{"da')
            case ["after", seconds]:
                return httpx2.Response(429, headers={"Retry-After": seconds})
            case [code]:
                return httpx2.Response(int(code))
        raise AssertionError(fault)


def read(body: bytes) -> object:
    return decode_object(body, "answer")["data"]


async def ask_times(source: HttpSource, times: int) -> list[object]:
    """Answers or errors of so many requests, one after the other."""
    answers: list[object] = []
    for _ in range(times):
        try:
            answers.append(await source.ask("/x", {}, read))
        except DataSourceError as error:
            answers.append(error)
    return answers


@settings(max_examples=150, deadline=None)
@given(st.lists(FAULTS, max_size=25), st.integers(1, 600), st.integers(0, 4), st.integers(0, 10**6))
def test_p18_any_faults_are_met_politely(faults: list[str], per_minute: int, retries: int, seed: int) -> None:
    clock = PatientClock()
    service = Service(faults, clock)
    parts = SourceParts(clock.sleep, Random(seed), httpx2.MockTransport(service))
    source = HttpSource("http://service.test", SourceLimits(per_minute, retries, 20), clock, parts)

    async def run() -> list[object]:
        async with source:
            return await ask_times(source, 8)

    answers = asyncio.run(run())
    gaps_ns = [after - before for before, after in zip(service.asked_ns, service.asked_ns[1:], strict=False)]
    assert all(gap >= 60 * NS_PER_SECOND // per_minute - 1 for gap in gaps_ns)
    for fault, gap in zip(service.answered, gaps_ns, strict=False):
        if fault.startswith("after"):
            assert gap >= int(fault.split()[1]) * NS_PER_SECOND
    _answers_are_right(service.answered, answers, retries)
    told = source.statistics
    failed = [one for one in answers if isinstance(one, DataSourceError)]
    assert (told.requests, told.answers, told.failed) == (len(service.asked_ns), 8 - len(failed), len(failed))
    assert told.retries == told.requests - 8


def _answers_are_right(faults: list[str], answers: list[object], retries: int) -> None:
    """Replays what the service did: an answer ends a request, and so do a refusal and the last try."""
    left = iter(faults)
    for answer in answers:
        for attempt in range(retries + 1):
            fault = next(left)
            if fault == "fine" or fault == "404" or attempt == retries:
                break
        if fault == "fine":
            assert answer == 1
        else:
            assert type(answer) is KINDS[fault.split()[0]]
    assert next(left, None) is None


@pytest.mark.asyncio
async def test_p18_many_at_once_take_turns() -> None:
    clock = PatientClock()
    service = Service([], clock)
    parts = SourceParts(clock.sleep, Random(1), httpx2.MockTransport(service))
    async with HttpSource("http://service.test", SourceLimits(60, 0, 20), clock, parts) as source:
        await asyncio.gather(*(source.ask("/x", {}, read) for _ in range(10)))
    assert len(service.asked_ns) == 10
    assert service.asked_ns[-1] - service.asked_ns[0] >= 9 * NS_PER_SECOND
