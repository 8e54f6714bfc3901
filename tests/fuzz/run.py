"""The loop: every string through every decoder, counted; anything but a value or a named error ends it."""

from __future__ import annotations

import base64
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pumpswap.amm import (
    BondingCurve,
    FeeConfig,
    GlobalConfig,
    GlobalVolumeAccumulator,
    Mint,
    Pool,
    SharingConfig,
    TokenAccount,
    UserVolumeAccumulator,
    decode_event,
    failure_from_logs,
)
from pumpswap.amm.accounts import Account
from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM
from pumpswap.amm.events import CPI_PREFIX, encode_event, events_from_inner_instructions, events_from_logs
from pumpswap.errors import PumpSwapError
from tests.fuzz.corpus import seeds
from tests.fuzz.mutate import Mutator

Decoder = Callable[[bytes], object]

MEMORY_LIMIT_MIB = 64  # what the process may grow by; a string is at most 12 kB


class Broken(Exception):
    """A decoded value that does not survive its round trip."""


def _same(what: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise Broken(what)


def _pool(data: bytes) -> object:
    pool = Pool.decode(data)
    _same("Pool.decode(d).encode() is not d", data, pool.encode())
    return pool


def _fee_config(data: bytes) -> object:
    config = FeeConfig.decode(data)
    _same("FeeConfig changes when encoded and decoded", config, FeeConfig.decode(config.encode(len(data))))
    return config


def _account(kind: type[Account]) -> Decoder:
    def decode(data: bytes) -> object:
        account = kind.decode(data)
        _same(f"{kind.__name__} changes when encoded and decoded", account, kind.decode(account.encode()))
        return account

    return decode


def _event(data: bytes) -> object:
    event = decode_event(data)
    if event is not None:
        _same("an event changes when encoded and decoded", event, decode_event(encode_event(event)))
    return event


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").split("\n")


def _logs(data: bytes) -> object:
    """The string as log lines, and as the event of a log line."""
    event = f"Program data: {base64.b64encode(data).decode()}"
    found = events_from_logs(
        [f"Program {AMM_PROGRAM} invoke [1]", event, f"Program {AMM_PROGRAM} success", *_lines(data)]
    )
    return found.events or None


def _inner(data: bytes) -> object:
    raw = data if data.startswith(CPI_PREFIX) else CPI_PREFIX + data
    return events_from_inner_instructions([(AMM_PROGRAM, [AMM_EVENT_AUTHORITY], raw)]).events or None


DECODERS: dict[str, Decoder] = {
    "Pool": _pool,
    "GlobalConfig": _account(GlobalConfig),
    "FeeConfig": _fee_config,
    "UserVolumeAccumulator": _account(UserVolumeAccumulator),
    "GlobalVolumeAccumulator": _account(GlobalVolumeAccumulator),
    "BondingCurve": _account(BondingCurve),
    "SharingConfig": SharingConfig.decode,
    "TokenAccount": TokenAccount.decode,
    "Mint": Mint.decode,
    "decode_event": _event,
    "events_from_logs": _logs,
    "events_from_inner_instructions": _inner,
    "failure_from_logs": lambda data: failure_from_logs(_lines(data)),
}


@dataclass(slots=True)
class Count:
    """What became of the strings. ``nothing``: no event, no failure, which is an answer too."""

    accepted: int = 0
    refused: int = 0
    nothing: int = 0


@dataclass(frozen=True, slots=True)
class Offender:
    """The first string that broke a decoder."""

    decoder: str
    number: int
    error: str
    data: bytes


@dataclass(slots=True)
class Outcome:
    """Figures of a run."""

    strings: int = 0
    bytes: int = 0
    grown_mib: float = 0.0
    counts: dict[str, Count] = field(default_factory=dict)
    offender: Offender | None = None

    @property
    def within_memory(self) -> bool:
        return self.grown_mib <= MEMORY_LIMIT_MIB

    def table(self) -> dict[str, dict[str, int]]:
        return {
            name: {"accepted": count.accepted, "refused": count.refused, "nothing": count.nothing}
            for name, count in self.counts.items()
        }


def run(count: int, seed: int, decoders: Mapping[str, Decoder] = DECODERS) -> Outcome:
    """Feed ``count`` strings made from ``seed`` to every decoder; stops at the first offender."""
    mutator = Mutator(Random(seed), seeds())
    outcome = Outcome(counts={name: Count() for name in decoders})
    before = _peak_mib()
    for number in range(count):
        data = mutator.next()
        outcome.strings += 1
        outcome.bytes += len(data)
        for name, decode in decoders.items():
            tally = outcome.counts[name]
            try:
                value: Any = decode(data)
            except PumpSwapError:
                tally.refused += 1
            except Exception as error:  # whatever it is, it is the finding
                outcome.offender = Offender(name, number, f"{type(error).__name__}: {error}", data)
                outcome.grown_mib = _peak_mib() - before
                return outcome
            else:
                if value is None:
                    tally.nothing += 1
                else:
                    tally.accepted += 1
    outcome.grown_mib = _peak_mib() - before
    return outcome


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
