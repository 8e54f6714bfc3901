"""The method table: which name is served by which function."""

from __future__ import annotations

from pumpswap.errors import BadInput, NodeRefused, PumpSwapError
from pumpswap.localnet.methods import accounts, fees, node, practice, tokens, transactions
from pumpswap.localnet.rpc_calls import Call
from pumpswap.localnet.rpc_errors import INTERNAL_ERROR, invalid_params, unknown_method
from pumpswap.localnet.rpc_state import RpcState

__all__ = ["METHODS", "perform"]

METHODS = {
    **node.METHODS,
    **accounts.METHODS,
    **tokens.METHODS,
    **fees.METHODS,
    **transactions.METHODS,
    **practice.METHODS,
}


def perform(state: RpcState, call: Call) -> object:
    """Serve a call. Raises NodeRefused, whatever is wrong with it."""
    method = METHODS.get(call.method)
    if method is None or (call.method in practice.TEST_METHODS and not state.node.allows_test_methods):
        raise unknown_method()
    try:
        return method(state, call.parameters())
    except NodeRefused:
        raise
    except BadInput as wrong:
        raise invalid_params(wrong.what) from wrong
    except PumpSwapError as error:
        what = f"{error.what} ({error.hint})" if error.hint else error.what
        raise NodeRefused(what, code=INTERNAL_ERROR) from error
