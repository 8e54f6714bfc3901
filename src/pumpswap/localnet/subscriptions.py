"""Subscriptions of websockets: account, logs, program, signature and slot, each at its commitment."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount, Commitment, ConfirmedTransaction
from pumpswap.localnet.encoding import AccountForm, account_json
from pumpswap.localnet.rpc_errors import invalid_params, unknown_method
from pumpswap.localnet.rpc_params import AccountFilter, Params, as_pubkey, as_signature
from pumpswap.localnet.rpc_state import RpcState

__all__ = ["Notification", "Subscriptions"]

Kind = Literal["account", "logs", "program", "signature", "slot"]
_KINDS: tuple[Kind, ...] = ("account", "logs", "program", "signature", "slot")
_SLOTS_TO_ROOT = 32


@dataclass(frozen=True, slots=True)
class Notification:
    """What one subscriber is told. ``slot`` is the slot that it is about."""

    kind: Kind
    subscription: int
    slot: int
    result: object
    signature: str = ""  # of the transaction that it is about

    def document(self) -> dict[str, object]:
        """The JSON-RPC message."""
        params = {"result": self.result, "subscription": self.subscription}
        return {"jsonrpc": "2.0", "method": f"{self.kind}Notification", "params": params}


@dataclass(slots=True)
class _Subscriber:
    number: int
    kind: Kind
    owner: object
    commitment: Commitment
    address: Pubkey | None = None  # account and program: which; logs: which is mentioned
    signature: str = ""
    form: AccountForm | None = None
    filters: tuple[AccountFilter, ...] = ()
    told: dict[Pubkey, tuple[int, bytes, Pubkey] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    """Something that happened in a slot, waiting until that slot is settled enough for a subscriber."""

    slot: int
    accounts: tuple[ChainAccount, ...] = ()
    landed: ConfirmedTransaction | None = None
    cause: str = ""  # signature of the transaction that did this


class Subscriptions:
    """All subscriptions of all sockets. ``deliver`` takes the socket and what it is to be told."""

    def __init__(self, state: RpcState, deliver: Callable[[object, Notification], None]) -> None:
        self._state = state
        self._deliver = deliver
        self._numbers = itertools.count(1)
        self._by_number: dict[int, _Subscriber] = {}
        self._cause = ""
        self._waiting: dict[Commitment, deque[_Change]] = {
            Commitment.CONFIRMED: deque(),
            Commitment.FINALIZED: deque(),
        }

    def __len__(self) -> int:
        return len(self._by_number)

    def call(self, owner: object, method: str, params: Params) -> tuple[object, Sequence[Notification]]:
        """Serve ``…Subscribe`` or ``…Unsubscribe``: the result, and what is to be told right after it."""
        for kind in _KINDS:
            if method == f"{kind}Subscribe":
                return self._subscribe(owner, kind, params)
            if method == f"{kind}Unsubscribe":
                return self._unsubscribe(owner, params.integer(0, "subscription")), ()
        raise unknown_method()

    def drop(self, owner: object) -> None:
        """The socket is closed: nothing of it remains."""
        for number in [each.number for each in self._by_number.values() if each.owner is owner]:
            del self._by_number[number]

    # ------------------------------------------------------------ what the chain tells

    def on_accounts(self, slot: int, changed: Sequence[ChainAccount]) -> None:
        """Accounts were written in ``slot``."""
        cause, self._cause = self._cause, ""
        self._happened(_Change(slot, accounts=tuple(changed), cause=cause))

    def on_transaction(self, landed: ConfirmedTransaction) -> None:
        """A transaction was executed."""
        self._cause = landed.signature  # the chain tells its accounts right after it
        self._happened(_Change(landed.slot, landed=landed, cause=landed.signature))

    def on_slot(self, slot: int) -> None:
        """The chain came to ``slot``: older ones are more settled than before."""
        for commitment, waiting in self._waiting.items():
            while waiting and self._state.has_reached(waiting[0].slot, commitment):
                self._publish(_settled_slot(waiting), commitment)
        parent, root = slot - 1, max(slot - _SLOTS_TO_ROOT, 0)
        told = {"slot": slot, "parent": parent, "root": root}
        for each in self._of("slot"):
            self._deliver(each.owner, Notification("slot", each.number, slot, told))

    def on_rollback(self, signatures: Sequence[str]) -> None:
        """Transactions were undone. What only they caused is never told at a higher commitment."""
        undone = set(signatures)
        for commitment, waiting in self._waiting.items():
            self._waiting[commitment] = deque(each for each in waiting if each.cause not in undone)

    # ------------------------------------------------------------ inside

    def _subscribe(self, owner: object, kind: Kind, params: Params) -> tuple[int, Sequence[Notification]]:
        config = params.config(1)
        each = _Subscriber(next(self._numbers), kind, owner, config.commitment())
        if kind in ("account", "program"):
            each.address = params.pubkey(0)
            each.form = AccountForm.of(config, self._state.decimals)
            each.filters = config.filters()
        elif kind == "logs":
            each.address = _mentioned(params.get(0))
        elif kind == "signature":
            each.signature = as_signature(params.get(0))
            landed = self._state.transaction(each.signature)
            if landed is not None and self._state.has_reached(landed.slot, each.commitment):
                return each.number, (self._signature_told(each, landed),)
        if kind == "account" and each.address is not None:
            each.told[each.address] = _content(self._state.account(each.address, self._state.view(config)))
        self._by_number[each.number] = each
        return each.number, ()

    def _unsubscribe(self, owner: object, number: int) -> bool:
        found = self._by_number.get(number)
        if found is None or found.owner is not owner:
            raise invalid_params("Invalid subscription id.")
        del self._by_number[number]
        return True

    def _of(self, kind: Kind) -> list[_Subscriber]:
        return [each for each in self._by_number.values() if each.kind == kind]

    def _happened(self, change: _Change) -> None:
        self._publish([change], Commitment.PROCESSED)
        for commitment, waiting in self._waiting.items():
            if self._state.has_reached(change.slot, commitment):
                self._publish([change], commitment)
            else:
                waiting.append(change)

    def _publish(self, changes: Iterable[_Change], commitment: Commitment) -> None:
        for change in changes:
            for each in [one for one in self._by_number.values() if one.commitment is commitment]:
                if change.landed is None:
                    self._tell_accounts(each, change)
                else:
                    self._tell_transaction(each, change.landed)

    def _tell_accounts(self, each: _Subscriber, change: _Change) -> None:
        if each.form is None:
            return
        for account in change.accounts:
            if not _is_wanted(each, account):
                continue
            content = _content(account)
            if account.address in each.told and each.told[account.address] == content:
                continue
            each.told[account.address] = content
            written: dict[str, object] = account_json(account, each.form)
            if each.kind == "program":
                written = {"pubkey": str(account.address), "account": written}
            result = self._state.context(change.slot, written)
            self._deliver(each.owner, Notification(each.kind, each.number, change.slot, result))

    def _tell_transaction(self, each: _Subscriber, landed: ConfirmedTransaction) -> None:
        if each.kind == "logs" and (each.address is None or each.address in landed.keys):
            value = {"signature": landed.signature, "err": landed.err, "logs": landed.logs}
            result = self._state.context(landed.slot, value)
            self._deliver(each.owner, Notification("logs", each.number, landed.slot, result, landed.signature))
        elif each.kind == "signature" and each.signature == landed.signature:
            del self._by_number[each.number]
            self._deliver(each.owner, self._signature_told(each, landed))

    def _signature_told(self, each: _Subscriber, landed: ConfirmedTransaction) -> Notification:
        result = self._state.context(landed.slot, {"err": landed.err})
        return Notification("signature", each.number, landed.slot, result, landed.signature)


def _settled_slot(waiting: deque[_Change]) -> list[_Change]:
    """Take all changes of the oldest slot; of an account that was written several times, only the last content."""
    slot, taken = waiting[0].slot, []
    while waiting and waiting[0].slot == slot:
        taken.append(waiting.popleft())
    last = {account.address: account for change in taken for account in change.accounts}
    settled: list[_Change] = []
    for change in taken:
        if change.landed is not None:
            settled.append(change)
    if last:
        settled.insert(0, _Change(slot, accounts=tuple(last.values())))
    return settled


def _is_wanted(each: _Subscriber, account: ChainAccount) -> bool:
    if each.kind == "account":
        return account.address == each.address
    return account.owner == each.address and all(wanted.passes(account.data) for wanted in each.filters)


def _content(account: ChainAccount | None) -> tuple[int, bytes, Pubkey] | None:
    gone = account is None or not account.lamports
    return None if gone or account is None else (account.lamports, account.data, account.owner)


def _mentioned(value: object) -> Pubkey | None:
    """The address that logs must mention; None for all."""
    if value in ("all", "allWithVotes"):
        return None
    if isinstance(value, dict) and isinstance(listed := value.get("mentions"), list):
        if len(listed) != 1:
            raise invalid_params("Invalid Request: Only 1 address supported")
        return as_pubkey(listed[0])
    raise invalid_params("Invalid params: expected all or mentions")
