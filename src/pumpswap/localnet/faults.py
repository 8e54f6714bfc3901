"""FaultPlan: what goes wrong on an endpoint, when. Scripted or drawn from a seed; the same plan fails the same way.

Methods are named as in JSON-RPC (``sendTransaction``); the in-process node and the server both ask ``pick`` once per
call, the server's sockets ask it with the ``notify`` and ``socket`` methods.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from pumpswap.errors import UsageError

__all__ = [
    "CLAIMED_ERR",
    "NOTIFY",
    "SEND",
    "SOCKET",
    "STATUSES",
    "TRANSACTION",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "FiredFault",
]

SEND = "sendTransaction"
STATUSES = "getSignatureStatuses"
TRANSACTION = "getTransaction"
HEIGHT = "getEpochInfo"
NOTIFY = "notify"  # one notification to one subscriber
SOCKET = "socket"  # asked once per slot for each open socket
_ENDLESS = 2**62


CLAIMED_ERR = {"InstructionError": [0, {"Custom": 6004}]}  # what a lie about a failure says


class FaultKind(Enum):
    """What happens. ``amount`` of the fault is in the unit named here."""

    # Sending
    DROP_BEFORE = "drop_before"  # not executed; no answer
    DROP_AFTER = "drop_after"  # executed; no answer
    FALSE_OK = "false_ok"  # not executed; answers with the signature
    FALSE_ERROR = "false_error"  # executed; answers with an error
    DELAY = "delay"  # executed ``amount`` blocks later, if its hash is then still valid; answers at once
    DELAY_TO_EXPIRY = "delay_to_expiry"  # executed at the last valid height + ``amount`` (0: exactly there)
    # Any call
    RATE_LIMITED = "rate_limited"  # 429, Retry-After ``amount`` seconds
    SERVER_ERROR = "server_error"  # 503
    SLOW = "slow"  # does its work, answers after ``amount`` ms; in process: no answer in time
    RESET = "reset"  # connection reset before anything was done
    STALE = "stale"  # answers as of ``amount`` slots ago
    RESTART = "restart"  # connection lost; afterwards the node knows nothing of the time before
    # Lies
    HIDE = "hide"  # says that it knows no such signature, though it has landed
    CLAIM_LANDED = "claim_landed"  # says that a signature succeeded and is finalised, though it has not landed
    CLAIM_FAILED = "claim_failed"  # says that a signature failed and is finalised, has it landed or not
    CLAIM_HEIGHT = "claim_height"  # says that the chain is ``amount`` blocks and slots further
    # Sockets (server only)
    DROP_NOTIFICATION = "drop_notification"
    DUPLICATE_NOTIFICATION = "duplicate_notification"
    REORDER_NOTIFICATION = "reorder_notification"  # sent after the next one
    CLOSE_SOCKET = "close_socket"


_SENDING = (
    FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.FALSE_OK, FaultKind.FALSE_ERROR, FaultKind.DELAY,
    FaultKind.DELAY_TO_EXPIRY,
)  # fmt: skip
_CALLS = (FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR, FaultKind.SLOW, FaultKind.RESET, FaultKind.STALE)
_NOTICES = (
    FaultKind.DROP_NOTIFICATION, FaultKind.DUPLICATE_NOTIFICATION, FaultKind.REORDER_NOTIFICATION,
)  # fmt: skip
_FITS = {
    **dict.fromkeys(_SENDING, frozenset({SEND})),
    **dict.fromkeys(_NOTICES, frozenset({NOTIFY})),
    FaultKind.HIDE: frozenset({STATUSES, TRANSACTION}),
    FaultKind.CLAIM_LANDED: frozenset({STATUSES}),
    FaultKind.CLAIM_FAILED: frozenset({STATUSES, TRANSACTION}),
    FaultKind.CLAIM_HEIGHT: frozenset({HEIGHT, "getBlockHeight", "getSlot"}),
    FaultKind.CLOSE_SOCKET: frozenset({SOCKET, NOTIFY}),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. ``methods`` empty: all that the kind fits. ``signatures`` empty: all. Slots are inclusive.

    ``times`` is how often it may still happen, ``per_mille`` how likely it is at each chance. ``target`` limits it to
    one endpoint or socket by name.
    """

    kind: FaultKind
    methods: frozenset[str] = frozenset()
    signatures: frozenset[str] = frozenset()
    first_slot: int = 0
    last_slot: int = _ENDLESS
    times: int = _ENDLESS
    per_mille: int = 1_000
    amount: int = 0
    target: str = ""

    def fits(self, method: str, slot: int, signatures: Sequence[str], target: str) -> bool:
        """Whether it applies to this call at all."""
        fitting = self.methods or _FITS.get(self.kind)
        if fitting is not None and method not in fitting:
            return False
        if fitting is None and method in (NOTIFY, SOCKET):
            return False
        if not self.first_slot <= slot <= self.last_slot or (self.target and self.target != target):
            return False
        return not self.signatures or not self.signatures.isdisjoint(signatures)


@dataclass(frozen=True, slots=True)
class FiredFault:
    """A fault that happened."""

    slot: int
    method: str
    signature: str
    kind: FaultKind
    amount: int = 0


@dataclass(slots=True)
class FaultPlan:
    """Rules, oldest first; the first one that fires wins. ``fired`` is the record of what happened."""

    faults: list[Fault] = field(default_factory=list)
    seed: int = 0
    fired: list[FiredFault] = field(default_factory=list)
    _rng: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"faults {self.seed}")

    def add(self, *faults: Fault) -> None:
        """More rules, after the others."""
        self.faults.extend(faults)

    def clear(self) -> None:
        """The endpoint recovers: no more faults. The record stays."""
        self.faults.clear()

    def pick(self, method: str, slot: int, *, signature: str | Sequence[str] = "", target: str = "") -> Fault | None:
        """The fault that happens to this call, if any; it is counted and recorded.

        ``signature`` is the one that the call is about, or all that it asks for.
        """
        asked = (signature,) if isinstance(signature, str) else signature
        for at, fault in enumerate(self.faults):
            if not fault.fits(method, slot, asked, target):
                continue
            if fault.per_mille < 1_000 and self._rng.randrange(1_000) >= fault.per_mille:
                continue
            if fault.times < _ENDLESS:
                if fault.times > 1:
                    self.faults[at] = replace(fault, times=fault.times - 1)
                else:
                    del self.faults[at]
            hit = next((one for one in asked if one in fault.signatures), asked[0] if len(asked) == 1 else "")
            self.fired.append(FiredFault(slot, method, hit, fault.kind, fault.amount))
            return fault
        return None

    def drop_send(self, *, after_execution: bool, times: int = 1) -> None:
        """The next sends get no answer, executed or not."""
        self.add(Fault(FaultKind.DROP_AFTER if after_execution else FaultKind.DROP_BEFORE, times=times))

    def delay_send(self, blocks: int, *, times: int = 1) -> None:
        """The next sends are executed that many blocks later."""
        self.add(Fault(FaultKind.DELAY, amount=blocks, times=times))

    def hide(self, *signatures: str, first_slot: int = 0, last_slot: int = _ENDLESS) -> None:
        """Deny that these signatures (all when none are named) have landed, for some slots."""
        self.add(Fault(FaultKind.HIDE, signatures=frozenset(signatures), first_slot=first_slot, last_slot=last_slot))

    @classmethod
    def drawn(
        cls,
        seed: int,
        *,
        first_slot: int,
        slots: int,
        count: int = 6,
        kinds: Iterable[FaultKind] = (*_SENDING, *_CALLS),
    ) -> FaultPlan:
        """``count`` faults of these kinds over the next ``slots`` slots; the same seed draws the same ones."""
        choice = tuple(kinds)
        if not choice or slots <= 0:
            raise UsageError("a plan is drawn from at least one kind and one slot", hint="name kinds and slots")
        rng = random.Random(f"fault plan {seed}")
        plan = cls(seed=seed)
        for _ in range(count):
            begins = first_slot + rng.randrange(slots)
            lasts = rng.choice((1, 2, 5, 20, 60))
            kind = rng.choice(choice)
            plan.add(
                Fault(
                    kind,
                    first_slot=begins,
                    last_slot=min(begins + lasts, first_slot + slots),
                    times=rng.choice((1, 2, 5, _ENDLESS)),
                    per_mille=rng.choice((200, 500, 1_000)),
                    amount=_drawn_amount(kind, rng),
                )
            )
        return plan


def _drawn_amount(kind: FaultKind, rng: random.Random) -> int:
    match kind:
        case FaultKind.DELAY:
            return rng.choice((1, 2, 10, 75, 149, 150, 151, 200))
        case FaultKind.DELAY_TO_EXPIRY:
            return rng.choice((-1, 0, 1))
        case FaultKind.RATE_LIMITED:
            return rng.choice((0, 1, 5))
        case FaultKind.SLOW:
            return rng.choice((50, 500, 5_000))
        case FaultKind.STALE:
            return rng.choice((1, 5, 40, 200))
        case FaultKind.CLAIM_HEIGHT:
            return rng.choice((-20, 10, 200, 1_000))
        case _:
            return 0
