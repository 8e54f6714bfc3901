"""Token accounts and mints of both token programs."""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.encoding import AccountForm, TokenAccount, account_json, mint_decimals, token_account, ui_amount
from pumpswap.localnet.rpc_errors import invalid_params
from pumpswap.localnet.rpc_params import Config, Params, as_pubkey
from pumpswap.localnet.rpc_state import Method, RpcState, View

__all__ = ["METHODS"]

_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
_MOST_HOLDERS = 20
_SUPPLY_AT = 36


def _account_balance(state: RpcState, params: Params) -> object:
    address, view = params.pubkey(0), state.view(params.config(1))
    found = state.account(address, view)
    token = None if found is None else token_account(found)
    if token is None:
        what = "could not find account" if found is None else "not a Token account"
        raise invalid_params(f"Invalid param: {what}")
    return state.answer(view, ui_amount(token.units, _decimals(state, token.mint)))


def _accounts_by_owner(state: RpcState, params: Params) -> object:
    owner, wanted, config = params.pubkey(0), params.config(1), params.config(2)
    view, form = state.view(config), AccountForm.of(config, state.decimals)
    programs, mint = _searched(state, wanted, view)
    value = [
        {"pubkey": str(account.address), "account": account_json(account, form)}
        for program in programs
        for account, token in _tokens_of(state, program, view)
        if token.owner == owner and mint in (None, token.mint)
    ]
    return state.answer(view, value)


def _supply(state: RpcState, params: Params) -> object:
    address, view = params.pubkey(0), state.view(params.config(1))
    mint = _mint(state, address, view)
    units = int.from_bytes(mint.data[_SUPPLY_AT : _SUPPLY_AT + 8], "little")
    return state.answer(view, ui_amount(units, _decimals(state, address)))


def _largest_accounts(state: RpcState, params: Params) -> object:
    address, view = params.pubkey(0), state.view(params.config(1))
    mint = _mint(state, address, view)
    holders = [(token, account) for account, token in _tokens_of(state, mint.owner, view) if token.mint == address]
    holders.sort(key=lambda each: (-each[0].units, bytes(each[1].address)))
    decimals = _decimals(state, address)
    value = [
        {"address": str(account.address), **ui_amount(token.units, decimals)}
        for token, account in holders[:_MOST_HOLDERS]
    ]
    return state.answer(view, value)


def _searched(state: RpcState, wanted: Config, view: View) -> tuple[tuple[Pubkey, ...], Pubkey | None]:
    """Programs to search, and the mint that is asked for."""
    if "mint" in wanted:
        mint = as_pubkey(wanted.get("mint"))
        return (_mint(state, mint, view).owner,), mint
    if "programId" not in wanted:
        raise invalid_params("Invalid params: expected a mint or a programId")
    program = as_pubkey(wanted.get("programId"))
    if program not in _PROGRAMS:
        raise invalid_params("Invalid param: unrecognized Token program id")
    return (program,), None


def _tokens_of(state: RpcState, program: Pubkey, view: View) -> list[tuple[ChainAccount, TokenAccount]]:
    pairs = ((account, token_account(account)) for account in state.accounts_of(program, view))
    return [(account, token) for account, token in pairs if token is not None]


def _mint(state: RpcState, address: Pubkey, view: View) -> ChainAccount:
    found = state.account(address, view)
    if found is None or mint_decimals(found) is None:
        raise invalid_params("Invalid param: could not find mint")
    return found


def _decimals(state: RpcState, mint: Pubkey) -> int:
    decimals = state.decimals(mint)
    if decimals is None:
        raise invalid_params("Invalid param: could not find mint")
    return decimals


METHODS: dict[str, Method] = {
    "getTokenAccountBalance": _account_balance,
    "getTokenAccountsByOwner": _accounts_by_owner,
    "getTokenSupply": _supply,
    "getTokenLargestAccounts": _largest_accounts,
}
