"""Block-hashes, and what a transaction costs."""

from __future__ import annotations

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.hash import Hash, ParseHashError
from solders.message import Message, MessageV0, from_bytes_versioned

from pumpswap.localnet.rpc_errors import invalid_params
from pumpswap.localnet.rpc_params import Params, as_bytes
from pumpswap.localnet.rpc_state import Method, RpcState

__all__ = ["METHODS"]

_SIGNATURE_FEE = 5_000
_UNITS_PER_INSTRUCTION = 200_000
_MOST_UNITS = 1_400_000
_SET_LIMIT, _SET_PRICE = 2, 3
_MOST_LOCKED = 128


def _latest_blockhash(state: RpcState, params: Params) -> object:
    view = state.view(params.config(0))
    latest = state.blockhash(view)
    value = {"blockhash": str(latest.blockhash), "lastValidBlockHeight": latest.last_valid_block_height}
    return state.answer(view, value)


def _is_blockhash_valid(state: RpcState, params: Params) -> object:
    asked, view = _hash(params.text(0, "blockhash")), state.view(params.config(1))
    return state.answer(view, state.is_blockhash_valid(asked, view))


def _fee_for_message(state: RpcState, params: Params) -> object:
    raw, view = as_bytes(params.text(0, "message"), "base64"), state.view(params.config(1))
    try:
        message = from_bytes_versioned(raw)
    except ValueError as wrong:
        raise invalid_params(f"failed to deserialize solana_message::versions::VersionedMessage: {wrong}") from None
    if not isinstance(message, (Message, MessageV0)):
        raise invalid_params("this version of messages is not known")
    if not state.is_blockhash_valid(message.recent_blockhash, view):
        return state.answer(view, None)
    return state.answer(view, _fee(message))


def _recent_prioritization_fees(state: RpcState, params: Params) -> object:
    addresses = params.pubkeys(0, most=_MOST_LOCKED, default=())
    return [{"slot": slot, "prioritizationFee": fee} for slot, fee in state.priority_fees(addresses)]


def _fee(message: Message | MessageV0) -> int:
    """Signatures and priority, as the runtime rounds it: up, on the limit and not on what is used."""
    limit, price, others = None, 0, 0
    for each in message.instructions:
        if message.account_keys[each.program_id_index] != COMPUTE_BUDGET:
            others += 1
            continue
        data = bytes(each.data)
        if data[:1] == bytes([_SET_LIMIT]):
            limit = int.from_bytes(data[1:5], "little")
        elif data[:1] == bytes([_SET_PRICE]):
            price = int.from_bytes(data[1:9], "little")
    units = min(_UNITS_PER_INSTRUCTION * others if limit is None else limit, _MOST_UNITS)
    return _SIGNATURE_FEE * message.header.num_required_signatures - (-units * price // 1_000_000)


def _hash(text: str) -> Hash:
    try:
        return Hash.from_string(text)
    except ParseHashError:  # no ValueError, unlike those of keys and signatures
        raise invalid_params("Invalid param: Invalid") from None


METHODS: dict[str, Method] = {
    "getLatestBlockhash": _latest_blockhash,
    "isBlockhashValid": _is_blockhash_valid,
    "getFeeForMessage": _fee_for_message,
    "getRecentPrioritizationFees": _recent_prioritization_fees,
}
