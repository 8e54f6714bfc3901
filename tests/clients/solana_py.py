"""A trader on solana-py alone: AsyncClient sends with pre-flight, SolanaWsClient confirms by signature subscription."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.models import TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.responses import SignatureNotification
from solders.transaction import VersionedTransaction

from pumpswap.amm import (
    Existing,
    FeeConfig,
    FeeSchedule,
    GlobalConfig,
    Pool,
    PoolState,
    Quote,
    buy_exact_quote,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import AMM_FEE_CONFIG, GLOBAL_CONFIG, ata

__all__ = ["SolanaPyTrade", "SolanaPyTrader"]

SLIPPAGE_BPS = 1_000
UNITS_AT = slice(64, 72)
SUPPLY_AT = slice(36, 44)


@dataclass(frozen=True)
class SolanaPyTrade:
    """``quoted`` is the quote on the state that was read before sending, not the one it landed on."""

    is_buy: bool
    asked: int
    quoted: Quote
    signature: str
    slot: int
    lamports_before: int
    lamports_after: int
    base_before: int
    base_after: int


class SolanaPyTrader:
    """One wallet, one pool. Instructions are ours, everything on the wire is solana-py's."""

    def __init__(self, http_url: str, ws_url: str, pool: Pubkey, wallet: Keypair) -> None:
        self.client = AsyncClient(http_url, Confirmed, max_transport_retries=0)
        self.socket = SolanaWsClient(ws_url)
        self.pool = pool
        self.wallet = wallet

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        await self.socket.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.socket.close()
        await self.client.close()

    async def state(self) -> tuple[PoolState, FeeSchedule]:
        """The pool and its fees, of one slot."""
        pool = Pool.decode((await self._data([self.pool]))[1][0])
        vaults = [pool.pool_base_token_account, pool.pool_quote_token_account]
        asked = [self.pool, *vaults, pool.base_mint, GLOBAL_CONFIG, AMM_FEE_CONFIG]
        answer = await self.client.get_multiple_accounts(asked, commitment=Confirmed)
        account, base, quote, mint, config, fees = (one for one in answer.value if one is not None)
        state = PoolState(
            pool=Pool.decode(bytes(account.data)),
            address=self.pool,
            base_reserve=int.from_bytes(base.data[UNITS_AT], "little"),
            quote_vault=int.from_bytes(quote.data[UNITS_AT], "little"),
            base_supply=int.from_bytes(mint.data[SUPPLY_AT], "little"),
            base_token_program=mint.owner,
            slot=answer.context.slot,
        )
        return state, FeeSchedule(GlobalConfig.decode(bytes(config.data)), FeeConfig.decode(bytes(fees.data)))

    async def buy(self, quote_in: int) -> SolanaPyTrade:
        """Spend ``quote_in`` lamports, fees of the pool included."""
        state, schedule = await self.state()
        return await self._trade(state, schedule, buy_exact_quote(state, schedule, quote_in), quote_in)

    async def sell(self, base_in: int) -> SolanaPyTrade:
        """Sell ``base_in`` base units."""
        state, schedule = await self.state()
        return await self._trade(state, schedule, sell_exact_base(state, schedule, base_in), base_in)

    async def base_units(self) -> int:
        """Base units in the wallet's associated account; 0 when there is none."""
        state, _ = await self.state()
        return await self._units(ata(self.wallet.pubkey(), state.pool.base_mint, state.base_token_program))

    async def _trade(self, state: PoolState, schedule: FeeSchedule, quoted: Quote, asked: int) -> SolanaPyTrade:
        user = self.wallet.pubkey()
        swap = swap_instruction(
            quoted, state, schedule, user=user, limit=quoted.limit(SLIPPAGE_BPS), generation=1, track_volume=True
        )
        base_account, quote_account = swap.accounts[5].pubkey, swap.accounts[6].pubkey
        _, (base_data, quote_data) = await self._data([base_account, quote_account], missing=True)
        existing = Existing(bool(base_data), bool(quote_data), pool_account_len=state.pool.account_len)
        steps = [set_compute_unit_limit(400_000), set_compute_unit_price(20_000)]
        steps += swap_sequence(swap, state, user, existing)
        latest = (await self.client.get_latest_blockhash(Confirmed)).value
        transaction = VersionedTransaction(MessageV0.try_compile(user, steps, [], latest.blockhash), [self.wallet])
        lamports_before = (await self.client.get_balance(user, Confirmed)).value
        base_before = await self._units(base_account)
        options = TxOpts(skip_preflight=False, preflight_commitment=Confirmed)
        sent = (await self.client.send_raw_transaction(bytes(transaction), options)).value
        assert sent == transaction.signatures[0]
        await self.socket.signature_subscribe(signature=sent, commitment=Confirmed)
        told = await asyncio.wait_for(self.socket.recv(), timeout=120)
        assert isinstance(told, SignatureNotification), told
        assert told.result.value.err is None, told
        status = (await self.client.get_signature_statuses([sent])).value[0]
        assert status is not None and status.err is None
        return SolanaPyTrade(
            is_buy=hasattr(quoted, "base_out"),
            asked=asked,
            quoted=quoted,
            signature=str(sent),
            slot=status.slot,
            lamports_before=lamports_before,
            lamports_after=(await self.client.get_balance(user, Confirmed)).value,
            base_before=base_before,
            base_after=await self._units(base_account),
        )

    async def _units(self, account: Pubkey) -> int:
        _, (data,) = await self._data([account], missing=True)
        return int.from_bytes(data[UNITS_AT], "little")

    async def _data(self, addresses: list[Pubkey], *, missing: bool = False) -> tuple[int, list[bytes]]:
        answer = await self.client.get_multiple_accounts(addresses, commitment=Confirmed)
        found = [bytes(account.data) if account is not None else b"" for account in answer.value]
        assert missing or all(found), "an account of the pool is not on the chain"
        return answer.context.slot, found
