"""Sending, simulating, and asking what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from pumpswap.chain.node import Commitment, SignatureStatus
from pumpswap.errors import UsageError
from pumpswap.localnet.encoding import AccountForm, account_json
from pumpswap.localnet.rpc_errors import (
    invalid_params,
    preflight_failed,
    signature_failed,
)
from pumpswap.localnet.rpc_params import Config, Params, as_bytes, as_pubkey, as_signature
from pumpswap.localnet.rpc_state import Method, RpcState, Simulated
from pumpswap.localnet.rpc_transactions import LandedTransaction, TransactionForm

__all__ = ["METHODS", "sent_signature"]

_MOST_BYTES = 1_232
_MOST_STATUSES = 256
_NO_TRANSACTION = "failed to deserialize solana_transaction::versioned::VersionedTransaction"


def sent_bytes(params: Params) -> bytes:
    """The signed bytes of a call that sends or simulates. Raises NodeRefused when they are no transaction."""
    encoding = params.config(1).text("encoding", "base58")
    raw = as_bytes(params.text(0, "transaction"), encoding)
    if len(raw) > _MOST_BYTES:
        raise invalid_params(f"decoded transaction too large: {len(raw)} bytes (max: {_MOST_BYTES} bytes)")
    try:
        signed = VersionedTransaction.from_bytes(raw)
        signed.sanitize()
    except Exception as wrong:  # solders raises its own kinds and plain ValueError
        raise invalid_params(f"{_NO_TRANSACTION}: {wrong}") from None
    if bytes(signed) != raw or not isinstance(signed.message, (Message, MessageV0)):
        raise invalid_params(f"{_NO_TRANSACTION}: trailing bytes, or an unknown version")
    return raw


def sent_signature(params: Params) -> str:
    """The signature of what is sent. Raises NodeRefused when it is no transaction."""
    return str(VersionedTransaction.from_bytes(sent_bytes(params)).signatures[0])


def _send(state: RpcState, params: Params) -> object:
    raw, config = sent_bytes(params), params.config(1)
    view = state.view(config.renamed("preflightCommitment", "commitment"))
    signature = str(VersionedTransaction.from_bytes(raw).signatures[0])
    # Bytes that are known already are answered as before, also with pre-flight: that makes re-broadcast harmless.
    if not config.flag("skipPreflight") and state.status(signature) is None:
        if not _is_signed(raw):
            raise signature_failed()
        simulated = state.simulate(raw, view, replace_blockhash=False, verify=True)
        if simulated.err is not None:
            raise preflight_failed({**_simulation_json(simulated), "accounts": None})
    return state.submit(raw)


def _simulate(state: RpcState, params: Params) -> object:
    raw, config = sent_bytes(params), params.config(1)
    view = state.view(config)
    replace, verify = config.flag("replaceRecentBlockhash"), config.flag("sigVerify")
    if replace and verify:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    if verify and not _is_signed(raw):
        raise signature_failed()
    wanted = config.section("accounts")
    addresses = [] if wanted is None else [as_pubkey(each) for each in wanted.items("addresses")]
    simulated = state.simulate(raw, view, addresses=addresses, replace_blockhash=replace, verify=verify)
    value = _simulation_json(simulated)
    value["accounts"] = None if wanted is None else _accounts_json(state, simulated, wanted)
    if config.flag("innerInstructions"):
        value["innerInstructions"] = state.simulated_inner(raw)
    if replace:
        latest = state.blockhash(view)
        value["replacementBlockhash"] = {
            "blockhash": str(latest.blockhash),
            "lastValidBlockHeight": latest.last_valid_block_height,
        }
    return state.answer(view, value)


def _signature_statuses(state: RpcState, params: Params) -> object:
    signatures = params.signatures(0, most=_MOST_STATUSES)
    view = state.view(Config({"commitment": Commitment.PROCESSED.value}))
    searched = params.config(1).flag("searchTransactionHistory")
    found = [state.status(each, search_history=searched) for each in signatures]
    return state.answer(view, [_status_json(state, each) for each in found])


def _transaction(state: RpcState, params: Params) -> object:
    signature = as_signature(params.get(0))
    config = Config({"encoding": params.get(1)}) if isinstance(params.get(1), str) else params.config(1)
    commitment, form = _settled(config), TransactionForm.of(config)
    landed = state.transaction(signature)
    if landed is None or not state.has_reached(landed.slot, commitment):
        return None
    written = LandedTransaction(landed, state.decimals).json(form)
    return {"slot": landed.slot, "blockTime": landed.block_time, **written}


def _signatures_for_address(state: RpcState, params: Params) -> object:
    address, config = params.pubkey(0), params.config(1)
    commitment, limit = _settled(config), config.integer("limit", 1_000)
    if not 1 <= limit <= 1_000:
        raise invalid_params("Invalid limit; max 1000")
    before, until = (config.text(name) or None for name in ("before", "until"))
    state.view(config)
    value: list[dict[str, object]] = []
    is_past_before = before is None
    for info in state.history(address):
        if info.signature == until or len(value) == limit:
            break
        if is_past_before and state.has_reached(info.slot, commitment):
            value.append(
                {
                    "signature": info.signature,
                    "slot": info.slot,
                    "err": info.err,
                    "memo": None,
                    "blockTime": info.block_time,
                    "confirmationStatus": state.commitment_of(info.slot).value,
                }
            )
        is_past_before = is_past_before or info.signature == before
    return value


def _block(state: RpcState, params: Params) -> object:
    slot, config = params.integer(0, "slot"), params.config(1)
    commitment, form = _settled(config), TransactionForm.of(config)
    if not state.first_slot <= slot or not state.has_reached(slot, commitment):
        raise invalid_params(f"Block not available for slot {slot}")
    details = config.text("transactionDetails", "full")
    document = state.block(slot)
    signatures: Sequence[str] = state.signatures_of(slot)
    if details == "signatures":
        document["signatures"] = signatures
    elif details == "full":
        landed = (state.transaction(each) for each in signatures)
        document["transactions"] = [
            LandedTransaction(each, state.decimals).json(form) for each in landed if each is not None
        ]
    elif details != "none":
        raise invalid_params(f"Invalid params: unsupported transactionDetails `{details}`")
    return document


def _airdrop(state: RpcState, params: Params) -> object:
    address, lamports = params.pubkey(0), params.integer(1, "lamports")
    try:
        return state.chain.airdrop(address, lamports)
    except UsageError as refused:
        raise invalid_params(f"airdrop request failed: {refused.what}; {refused.hint}") from None


def _settled(config: Config) -> Commitment:
    commitment = config.commitment()
    if commitment is Commitment.PROCESSED:
        raise invalid_params("Method does not support commitment below `confirmed`")
    return commitment


def _is_signed(raw: bytes) -> bool:
    return all(VersionedTransaction.from_bytes(raw).verify_with_results())


def _status_json(state: RpcState, status: SignatureStatus | None) -> dict[str, object] | None:
    if status is None:
        return None
    is_final = status.commitment is Commitment.FINALIZED
    return {
        "slot": status.slot,
        "confirmations": None if is_final else max(state.seen_slot - status.slot, 0),
        "err": status.err,
        "status": {"Ok": None} if status.err is None else {"Err": status.err},
        "confirmationStatus": status.commitment.value,
    }


def _simulation_json(simulated: Simulated) -> dict[str, object]:
    return {
        "err": simulated.err,
        "logs": simulated.logs,
        "unitsConsumed": simulated.units_consumed,
        "returnData": simulated.return_data,
    }


def _accounts_json(state: RpcState, simulated: Simulated, wanted: Config) -> object:
    form = AccountForm.of(wanted, state.decimals, default="base64")
    if simulated.err is not None:
        return [None for _ in wanted.items("addresses")]
    return [None if each is None else account_json(each, form) for each in simulated.accounts]


METHODS: dict[str, Method] = {
    "sendTransaction": _send,
    "simulateTransaction": _simulate,
    "getSignatureStatuses": _signature_statuses,
    "getTransaction": _transaction,
    "getSignaturesForAddress": _signatures_for_address,
    "getBlock": _block,
    "requestAirdrop": _airdrop,
}
