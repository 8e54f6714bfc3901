"""What no real node has: the practice chain's own methods, and those that tests steer it with."""

from __future__ import annotations

from pathlib import Path

from pumpswap.amm import PoolState
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.market_tally import DAY_SECONDS, HOUR_SECONDS, Traded
from pumpswap.localnet.pools import pool_state
from pumpswap.localnet.rpc_errors import invalid_params
from pumpswap.localnet.rpc_node import MOST_LAG_SLOTS
from pumpswap.localnet.rpc_params import Config, Params, as_bytes, as_pubkey, as_signature
from pumpswap.localnet.rpc_state import Method, RpcState

__all__ = ["METHODS", "TEST_METHODS"]

_MOST_SLOTS = 10_000
_MOST_POOLS = 500


def _status(state: RpcState, params: Params) -> object:
    chain, node = state.chain, state.node
    return {
        "slot": chain.slot,
        "blockHeight": chain.block_height,
        "unixTime": chain.unix_time,
        "genesisHash": chain.genesis_hash,
        "slotMs": node.slot_ms,
        "transactions": state.transaction_count,
        "programs": [str(program) for program in chain.programs],
        "pools": state.pool_count(),
        "botPools": 0 if node.market is None else len(node.market.pools),
        "testMethods": node.allows_test_methods,
    }


def _market(state: RpcState, params: Params) -> object:
    pools = params.integer(0, "pools")
    if not 1 <= pools <= _MOST_POOLS:
        raise invalid_params(f"Invalid params: pools is from 1 to {_MOST_POOLS}")
    created = state.node.open_market(pools)
    return [{"address": str(each.address), "baseMint": str(each.pool.base_mint)} for each in created]


def _pools(state: RpcState, params: Params) -> object:
    """The pools on which bots trade, with what was traded there in the last hour and day."""
    market, chain = state.node.market, state.chain
    if not isinstance(market, MarketBots):
        return []
    return [_pool(market, pool_state(chain, known), chain.unix_time) for known in market.pools]


def _pool(market: MarketBots, state: PoolState, unix_time: int) -> dict[str, object]:
    return {
        "address": str(state.address),
        "baseMint": str(state.pool.base_mint),
        "quoteMint": str(state.pool.quote_mint),
        "baseDecimals": state.base_decimals,
        "baseReserve": str(state.base_reserve),
        "quoteReserve": str(state.effective_quote_reserve),
        "baseSupply": str(state.base_supply),
        "createdUnix": market.created_unix[state.address],
        "hour": _span(market.tally.over(state.address, unix_time, HOUR_SECONDS)),
        "day": _span(market.tally.over(state.address, unix_time, DAY_SECONDS)),
    }


def _span(traded: Traded) -> dict[str, object]:
    before = traded.price_before
    return {
        "buys": traded.buys,
        "sells": traded.sells,
        "quoteUnits": str(traded.quote_units),
        "priceBefore": None if before is None else [str(before.numerator), str(before.denominator)],
    }


def _advance(state: RpcState, params: Params) -> object:
    state.node.advance(_slots(params))
    return {"slot": state.chain.slot, "blockHeight": state.chain.block_height}


def _skip(state: RpcState, params: Params) -> object:
    state.chain.skip(_slots(params))
    return {"slot": state.chain.slot, "blockHeight": state.chain.block_height}


def _roll_back(state: RpcState, params: Params) -> object:
    return state.chain.roll_back(_slots(params))


def _set_account(state: RpcState, params: Params) -> object:
    fields = params.config(0)
    account = ChainAccount(
        address=as_pubkey(fields.get("address")),
        owner=as_pubkey(fields.get("owner")),
        lamports=fields.integer("lamports"),
        data=_data(fields),
        executable=fields.flag("executable"),
    )
    state.chain.set_account(account)
    return None


def _add_program(state: RpcState, params: Params) -> object:
    state.chain.add_program(params.pubkey(0), as_bytes(params.text(1, "elf"), "base64"))
    return None


def _set_lag(state: RpcState, params: Params) -> object:
    slots = params.integer(0, "slots")
    if slots > MOST_LAG_SLOTS:
        raise invalid_params(f"Invalid params: at most {MOST_LAG_SLOTS} slots")
    state.node.lag_slots = slots
    return None


def _fault(state: RpcState, params: Params) -> object:
    fields = params.config(0)
    try:
        kind = FaultKind(fields.text("kind"))
    except ValueError:
        known = ", ".join(each.value for each in FaultKind)
        raise invalid_params(f"Invalid params: kind is one of {known}") from None
    usual = Fault(kind)
    state.node.faults.add(
        Fault(
            kind,
            methods=frozenset(map(str, fields.items("methods"))),
            signatures=frozenset(map(as_signature, fields.items("signatures"))),
            first_slot=fields.integer("firstSlot"),
            last_slot=fields.integer("lastSlot", usual.last_slot),
            times=fields.integer("times", usual.times),
            per_mille=fields.integer("perMille", usual.per_mille),
            amount=_signed(fields.get("amount")),
            target=fields.text("target"),
        )
    )
    return None


def _clear_faults(state: RpcState, params: Params) -> object:
    state.node.faults.clear()
    return None


def _fired_faults(state: RpcState, params: Params) -> object:
    return [
        {"slot": each.slot, "method": each.method, "signature": each.signature, "kind": each.kind.value}
        for each in state.node.faults.fired
    ]


def _signed(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_params("Invalid params: amount is not a whole number")
    return value


def _save_state(state: RpcState, params: Params) -> object:
    state.chain.save(Path(params.text(0, "path")))
    return None


def _slots(params: Params) -> int:
    slots = params.integer(0, "slots", default=1)
    if slots > _MOST_SLOTS:
        raise invalid_params(f"Invalid params: at most {_MOST_SLOTS} slots at once")
    return slots


def _data(fields: Config) -> bytes:
    listed = fields.items("data")
    if not listed:
        return b""
    if len(listed) != 2 or not all(isinstance(each, str) for each in listed):
        raise invalid_params("Invalid params: data is a list of text and encoding")
    return as_bytes(str(listed[0]), str(listed[1]))


TEST_METHODS: dict[str, Method] = {
    "localnet_advance": _advance,
    "localnet_skip": _skip,
    "localnet_rollBack": _roll_back,
    "localnet_setAccount": _set_account,
    "localnet_addProgram": _add_program,
    "localnet_lag": _set_lag,
    "localnet_fault": _fault,
    "localnet_clearFaults": _clear_faults,
    "localnet_firedFaults": _fired_faults,
    "localnet_saveState": _save_state,
}
METHODS: dict[str, Method] = {
    "localnet_status": _status,
    "localnet_market": _market,
    "localnet_pools": _pools,
    **TEST_METHODS,
}
