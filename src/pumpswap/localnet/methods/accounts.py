"""Accounts: alone, together, all of a program."""

from __future__ import annotations

from pumpswap.localnet.encoding import AccountForm, account_json
from pumpswap.localnet.rpc_params import Params
from pumpswap.localnet.rpc_state import Method, RpcState

__all__ = ["METHODS"]

_MOST_ACCOUNTS = 100


def _balance(state: RpcState, params: Params) -> object:
    address, view = params.pubkey(0), state.view(params.config(1))
    found = state.account(address, view)
    return state.answer(view, 0 if found is None else found.lamports)


def _account_info(state: RpcState, params: Params) -> object:
    address, config = params.pubkey(0), params.config(1)
    view, form = state.view(config), AccountForm.of(config, state.decimals)
    found = state.account(address, view)
    return state.answer(view, None if found is None else account_json(found, form))


def _multiple_accounts(state: RpcState, params: Params) -> object:
    addresses, config = params.pubkeys(0, most=_MOST_ACCOUNTS), params.config(1)
    view, form = state.view(config), AccountForm.of(config, state.decimals, default="base64")
    found = [state.account(address, view) for address in addresses]
    return state.answer(view, [None if each is None else account_json(each, form) for each in found])


def _program_accounts(state: RpcState, params: Params) -> object:
    program, config = params.pubkey(0), params.config(1)
    view, form, filters = state.view(config), AccountForm.of(config, state.decimals), config.filters()
    value = [
        {"pubkey": str(each.address), "account": account_json(each, form)}
        for each in state.accounts_of(program, view)
        if all(wanted.passes(each.data) for wanted in filters)
    ]
    return state.answer(view, value) if config.flag("withContext") else value


def _minimum_rent(state: RpcState, params: Params) -> object:
    return state.chain.rent(params.integer(0, "size"))


METHODS: dict[str, Method] = {
    "getBalance": _balance,
    "getAccountInfo": _account_info,
    "getMultipleAccounts": _multiple_accounts,
    "getProgramAccounts": _program_accounts,
    "getMinimumBalanceForRentExemption": _minimum_rent,
}
