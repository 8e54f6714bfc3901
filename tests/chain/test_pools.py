"""PoolReader: states that are of one slot, of every kind of pool, and named refusals for everything else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import PUMP_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import AccountsAt, ChainAccount, Commitment
from pumpswap.chain.pools import PoolReader, load_pool, load_pools
from pumpswap.chain.token_extensions import mint_extensions, risky_extensions
from pumpswap.errors import MalformedAccount, NotFound, ProtocolDrift, PumpSwapError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pool_kinds import KINDS, OTHER_QUOTES
from pumpswap.localnet.pools import PoolSpec, create_pool, fund_tokens
from pumpswap.localnet.programs import read_account
from tests.chain.practice import pools_of_all_kinds, practice_chain
from tests.support.material import material, requires_material

pytestmark = pytest.mark.asyncio

NOBODY = Pubkey.from_bytes(b"nobody was ever at this address.")
PLAIN_MINT = bytes(82)


class Counting(LocalNode):
    """Counts calls; the chain moves on between any two of them."""

    calls = 0

    async def accounts(
        self, addresses: Sequence[Pubkey], *, commitment: Commitment = Commitment.CONFIRMED, min_context_slot: int = 0
    ) -> AccountsAt:
        self.calls += 1
        self.chain.advance()
        return await super().accounts(addresses, commitment=commitment, min_context_slot=min_context_slot)


async def test_every_kind_of_pool_is_read_as_it_is() -> None:
    chain = practice_chain()
    made = pools_of_all_kinds(chain, [kind.name for kind in (*KINDS, *OTHER_QUOTES)])
    states = await load_pools(LocalNode(chain), [one.address for one in made])
    assert list(states) == [one.address for one in made]
    for one in made:
        read = states[one.address]
        assert read.slot == chain.slot - 1
        if one.base_supply:
            assert read == msgspec.structs.replace(one, slot=read.slot)
        assert (read.base_reserve, read.quote_vault) == (one.base_reserve, one.quote_vault)


async def test_states_of_1000_pools_load_in_one_function_call_of_51_questions() -> None:
    chain = practice_chain()
    rng = random.Random(5)
    made = [create_pool(chain, PoolSpec(base_units=10**14 + number), rng) for number in range(1_000)]
    chain.advance(2)
    node = Counting(chain)
    reader = PoolReader(node)
    states = await reader.load_many(one.address for one in made)
    assert [state.base_reserve for state in states.values()] == [10**14 + number for number in range(1_000)]
    assert node.calls == 10 + 1 + 40  # addresses of the vaults, the quote mint, then 25 pools a call
    node.calls = 0
    await reader.load(made[0].address)
    assert node.calls == 1


async def test_all_parts_of_a_state_are_of_its_slot() -> None:
    chain = practice_chain()
    (made,) = pools_of_all_kinds(chain, ["graduate"])
    history = {}
    for units in range(1, 20):
        chain.advance()
        fund_tokens(chain, made.address, made.pool.base_mint, TOKEN_PROGRAM, units)
        fund_tokens(chain, made.address, made.pool.quote_mint, TOKEN_PROGRAM, units * 7)
        history[chain.slot] = units
    reader = PoolReader(Counting(chain))
    for _ in range(3):
        state = await reader.load(made.address)
        assert state.quote_vault == state.base_reserve * 7
        assert state.base_reserve == history.get(state.slot, 19)


async def test_what_is_no_pool_has_a_named_refusal() -> None:
    chain = practice_chain()
    good, foreign, cut, robbed = pools_of_all_kinds(chain, ["graduate"] * 4)
    account = chain.account(foreign.address)
    assert account is not None
    chain.set_account(replace(account, owner=PUMP_PROGRAM))
    account = chain.account(cut.address)
    assert account is not None
    chain.set_account(replace(account, data=account.data[:100]))
    vault = chain.account(robbed.pool.pool_quote_token_account)
    assert vault is not None
    chain.set_account(replace(vault, data=vault.data[:32] + bytes(NOBODY) + vault.data[64:]))
    chain.advance(3)
    node = LocalNode(chain)
    for address, kind in (
        (NOBODY, NotFound),
        (foreign.address, ProtocolDrift),
        (cut.address, MalformedAccount),
        (robbed.address, MalformedAccount),
    ):
        with pytest.raises(kind):
            await load_pool(node, address)
    refused: dict[Pubkey, PumpSwapError] = {}
    every = [NOBODY, foreign.address, good.address, cut.address, robbed.address]
    states = await load_pools(node, every, on_refusal=refused.__setitem__)
    assert list(states) == [good.address]
    assert set(refused) == set(every) - {good.address}


async def test_a_mint_of_no_token_program_is_drift() -> None:
    chain = practice_chain()
    (made,) = pools_of_all_kinds(chain, ["graduate"])
    mint = chain.account(made.pool.base_mint)
    assert mint is not None
    chain.set_account(replace(mint, owner=PUMP_PROGRAM))
    chain.advance(3)
    with pytest.raises(ProtocolDrift, match="no token program"):
        await load_pool(LocalNode(chain), made.address)


def _mint(*extensions: tuple[int, bytes]) -> bytes:
    body = b"".join(kind.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data for kind, data in extensions)
    return PLAIN_MINT + bytes(83) + b"\1" + body


async def test_p16_extensions_that_make_a_token_something_else_are_named() -> None:
    assert risky_extensions(PLAIN_MINT) == ()
    risky = _mint((18, bytes(64)), (1, bytes(108)), (14, bytes(64)), (12, bytes(32)), (99, b"?"), (0, b""))
    assert risky_extensions(risky) == ("transfer-fee", "transfer-hook", "permanent-delegate", "unknown-99")
    assert mint_extensions(_mint((18, bytes(64)), (19, bytes(80)))) == ("metadata-pointer", "token-metadata")
    with pytest.raises(MalformedAccount):
        risky_extensions(_mint((1, bytes(108)))[:-1])
    with pytest.raises(MalformedAccount):
        risky_extensions(bytes(165) + b"\2")


async def test_p16_the_reader_remembers_the_risks_of_a_mint() -> None:
    chain = practice_chain()
    made = create_pool(chain, PoolSpec(base_program=TOKEN_2022_PROGRAM), random.Random(3))
    mint = chain.account(made.pool.base_mint)
    assert mint is not None
    _write(chain, mint, mint.data[:82] + _mint((1, bytes(108)))[82:])
    reader = PoolReader(LocalNode(chain))
    state = await reader.load(made.address)
    facts = reader.mint(made.pool.base_mint)
    assert state.base_token_program == TOKEN_2022_PROGRAM
    assert facts is not None and facts.risks == ("transfer-fee",) and facts.decimals == 6


def _write(chain: LocalChain, account: ChainAccount, data: bytes) -> None:
    chain.set_account(replace(account, data=data))
    chain.advance(3)


@requires_material("chain", "accounts")
async def test_recorded_mints_carry_no_risk() -> None:
    folder = material("chain", "accounts")
    assert folder is not None
    token_2022 = read_account(folder / "mint_token_2022.2026-08-10.24QHKVts.json")
    assert mint_extensions(token_2022.data) == ("metadata-pointer", "token-metadata")
    assert risky_extensions(token_2022.data) == ()
    assert risky_extensions(read_account(folder / "mint_wsol.2025-05.So111111.json").data) == ()
