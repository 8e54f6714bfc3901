"""What the node is, and how far it has come."""

from __future__ import annotations

from pumpswap.localnet.rpc_errors import invalid_params
from pumpswap.localnet.rpc_params import Params
from pumpswap.localnet.rpc_state import SOFTWARE_VERSION, Method, RpcState

__all__ = ["METHODS"]

_SLOTS_IN_EPOCH = 432_000
_FEATURE_SET = 3_640_012_085


def _health(state: RpcState, params: Params) -> object:
    return "ok"


def _version(state: RpcState, params: Params) -> object:
    return {"solana-core": SOFTWARE_VERSION, "feature-set": _FEATURE_SET}


def _genesis_hash(state: RpcState, params: Params) -> object:
    return state.chain.genesis_hash


def _slot(state: RpcState, params: Params) -> object:
    return state.view(params.config(0)).slot + state.claimed


def _block_height(state: RpcState, params: Params) -> object:
    return state.block_height(state.view(params.config(0))) + state.claimed


def _epoch_info(state: RpcState, params: Params) -> object:
    view = state.view(params.config(0))
    slot, block_height = view.slot + state.claimed, state.block_height(view) + state.claimed
    return {
        "absoluteSlot": slot,
        "blockHeight": block_height,
        "epoch": slot // _SLOTS_IN_EPOCH,
        "slotIndex": slot % _SLOTS_IN_EPOCH,
        "slotsInEpoch": _SLOTS_IN_EPOCH,
        "transactionCount": state.transaction_count,
    }


def _block_time(state: RpcState, params: Params) -> object:
    slot = params.integer(0, "slot")
    if not state.first_slot <= slot <= state.seen_slot:
        raise invalid_params(f"Block {slot} is not available on this node")
    return state.block_time(slot)


def _first_available_block(state: RpcState, params: Params) -> object:
    return state.first_slot


METHODS: dict[str, Method] = {
    "getHealth": _health,
    "getVersion": _version,
    "getGenesisHash": _genesis_hash,
    "getSlot": _slot,
    "getBlockHeight": _block_height,
    "getEpochInfo": _epoch_info,
    "getBlockTime": _block_time,
    "getFirstAvailableBlock": _first_available_block,
    "minimumLedgerSlot": _first_available_block,
}
