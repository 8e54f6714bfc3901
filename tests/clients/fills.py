"""All swaps of a pool as the chain tells them, replayed from the pool's opening state with the exact quote.

History and transactions are read as raw JSON-RPC, so that nothing of our own clients stands between chain and check.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2
from solders.pubkey import Pubkey

from pumpswap.amm import (
    BuyQuote,
    FeeSchedule,
    PoolState,
    Quote,
    SellQuote,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
)
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.amm.events import BuyEvent, SellEvent, events_of_transaction

__all__ = ["Fill", "Landed", "history_of", "replay"]

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SHARED_FEES = ("lp_fee", "protocol_fee", "cashback", "buyback_fee")


@dataclass(frozen=True)
class Landed:
    """A transaction in a block, with its trades in order and what it did to its payer.

    ``sol_change`` is native and wrapped SOL of the payer together; ``rent_paid`` is the rent of accounts that
    were made or grown, less that of accounts that were closed.
    """

    signature: str
    slot: int
    err: object
    payer: str
    fee: int
    sol_change: int
    rent_paid: int
    base_change: int
    trades: tuple[BuyEvent | SellEvent, ...]
    balances: dict[str, int]  # token units by account, after the transaction


@dataclass(frozen=True)
class Fill:
    """A trade with the exact quote on the state that it landed on."""

    landed: Landed
    before: PoolState
    quote: Quote

    @property
    def signature(self) -> str:
        return self.landed.signature


async def history_of(http_url: str, pool: PoolState) -> list[Landed]:
    """Every transaction of the pool, oldest first, in the order of the chain's history."""
    async with httpx2.AsyncClient(timeout=120) as client:
        config = {"commitment": "confirmed"}
        lines = await _call(client, http_url, "getSignaturesForAddress", [str(pool.address), config])
        details = {**config, "encoding": "json", "maxSupportedTransactionVersion": 0}
        asked = [_call(client, http_url, "getTransaction", [line["signature"], details]) for line in lines]
        found = await asyncio.gather(*asked)
    return [_landed(one, pool) for one in reversed(found)]


def replay(opening: PoolState, schedule: FeeSchedule, history: list[Landed]) -> tuple[list[Fill], PoolState]:
    """(fills, final state). Asserts for each trade: it met the replayed state, and it is the exact quote on it."""
    state = opening
    fills: list[Fill] = []
    for landed in history:
        assert landed.trades == () or landed.err is None, "a failed transaction trades nothing"
        if not landed.trades:
            continue
        first = len(fills)
        for event in landed.trades:
            assert (event.pool_base_token_reserves, event.pool_quote_token_reserves) == (
                state.base_reserve,
                state.quote_vault,
            ), f"{landed.signature} did not land on the state that the history says"
            quote = _quote(state, schedule, event)
            _assert_executed(quote, event)
            fills.append(Fill(landed, state, quote))
            state = state.after(quote, 2 if event.is_v2 else 1)
        vaults = (state.pool.pool_base_token_account, state.pool.pool_quote_token_account)
        after = tuple(landed.balances[str(vault)] for vault in vaults)
        assert after == (state.base_reserve, state.quote_vault), landed.signature
        _assert_paid(landed, [fill.quote for fill in fills[first:]])
    return fills, state


def _quote(state: PoolState, schedule: FeeSchedule, event: BuyEvent | SellEvent) -> Quote:
    if isinstance(event, SellEvent):
        return sell_exact_base(state, schedule, event.base_amount_in)
    if event.is_exact_quote:
        return buy_exact_quote(state, schedule, event.quote_amount_in)
    return buy_exact_base(state, schedule, event.base_amount_out)


def _assert_executed(quote: Quote, event: BuyEvent | SellEvent) -> None:
    for name in SHARED_FEES:
        assert getattr(quote, name) == getattr(event, name), name
    assert (quote.creator_fee, quote.gross_quote) == (event.coin_creator_fee, event.gross_quote)
    if isinstance(event, BuyEvent):
        assert isinstance(quote, BuyQuote)
        assert (quote.base_out, quote.total_quote) == (event.base_amount_out, event.total_quote)
    else:
        assert isinstance(quote, SellQuote)
        assert (quote.base_in, quote.user_quote_out) == (event.base_amount_in, event.user_quote_amount_out)


def _assert_paid(landed: Landed, quotes: list[Quote]) -> None:
    """The payer's balances moved by the quotes, the fee and the rent of new accounts, and by nothing else."""
    base = sum(quote.base_out if isinstance(quote, BuyQuote) else -quote.base_in for quote in quotes)
    sol = sum(-quote.total_quote if isinstance(quote, BuyQuote) else quote.user_quote_out for quote in quotes)
    assert landed.base_change == base, landed.signature
    assert landed.sol_change == sol - landed.fee - landed.rent_paid, landed.signature


async def _call(client: httpx2.AsyncClient, url: str, method: str, params: list[Any]) -> Any:
    answer = await client.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    body = answer.json()
    assert "result" in body, body
    return body["result"]


def _landed(answer: dict[str, Any], pool: PoolState) -> Landed:
    message, meta = answer["transaction"]["message"], answer["meta"]
    loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    keys = [*message["accountKeys"], *loaded["writable"], *loaded["readonly"]]
    payer = keys[0]
    before, after = (_tokens(meta[name], keys) for name in ("preTokenBalances", "postTokenBalances"))
    pre, post = meta["preBalances"], meta["postBalances"]
    rents = [_rent(before, keys, pre), _rent(after, keys, post)]
    changed = {at for at in range(1, len(keys)) if not pre[at] or not post[at] or keys[at] == str(pool.address)}
    called = [
        (
            Pubkey.from_string(keys[one["programIdIndex"]]),
            [Pubkey.from_string(keys[at]) for at in one["accounts"]],
            data,
        )
        for group in meta["innerInstructions"]
        for one in group["instructions"]
        for data in (_base58(one["data"]),)
    ]
    events = events_of_transaction(meta["logMessages"], called)
    assert not events.malformed
    wsol, base = str(WSOL_MINT), str(pool.pool.base_mint)
    return Landed(
        signature=answer["transaction"]["signatures"][0],
        slot=answer["slot"],
        err=meta["err"],
        payer=payer,
        fee=meta["fee"],
        sol_change=post[0] - pre[0] + _held(after, payer, wsol) - _held(before, payer, wsol),
        rent_paid=sum(rents[1][at] - rents[0][at] for at in changed),
        base_change=_held(after, payer, base) - _held(before, payer, base),
        trades=tuple(
            one.event
            for one in events.events
            if isinstance(one.event, BuyEvent | SellEvent) and one.event.pool == pool.address
        ),
        balances={account: units for account, (_, _, units) in after.items()},
    )


def _tokens(lines: list[dict[str, Any]], keys: list[str]) -> dict[str, tuple[str, str, int]]:
    return {
        keys[line["accountIndex"]]: (line["mint"], line["owner"], int(line["uiTokenAmount"]["amount"]))
        for line in lines
    }


def _rent(tokens: dict[str, tuple[str, str, int]], keys: list[str], lamports: list[int]) -> list[int]:
    """Lamports of each account without the wrapped SOL in it."""
    wrapped = {account: units for account, (mint, _, units) in tokens.items() if mint == str(WSOL_MINT)}
    return [held - wrapped.get(key, 0) for key, held in zip(keys, lamports, strict=True)]


def _held(tokens: dict[str, tuple[str, str, int]], owner: str, mint: str) -> int:
    return sum(units for at_mint, at_owner, units in tokens.values() if (at_mint, at_owner) == (mint, owner))


def _base58(text: str) -> bytes:
    number = 0
    for letter in text:
        number = number * 58 + ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
