"""Pools made by the real program from our instruction: accounts, fields, LP units, rent, and what it refuses."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import Existing, Pool, decode_event, initial_liquidity
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    ata,
    lp_mint,
)
from pumpswap.amm.instructions.liquidity import NewPool, create_pool
from pumpswap.amm.instructions.sequences import create_pool_sequence
from pumpswap.errors import TradeRefused
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pools import pool_and_bump
from tests.support.material import requires_material
from tests.svm.chain import SIGNATURE_FEE, Chain, Failure, Receipt
from tests.svm.market import supply_of, units_of, write_tokens
from tests.svm.probe import recorded_probes

pytestmark = requires_material("chain", "programs")

LAMPORTS = 10**13
PLENTY = 2**60
POOL_LEN, LP_MINT_LEN = 245, 82  # as this build makes them
SIDES = [
    ("spl coin against sol", TOKEN_PROGRAM, WSOL_MINT, TOKEN_PROGRAM),
    ("token-2022 coin against sol", TOKEN_2022_PROGRAM, WSOL_MINT, TOKEN_PROGRAM),
    ("spl coin against usdc", TOKEN_PROGRAM, USDC_MINT, TOKEN_PROGRAM),
    ("token-2022 coin against usdc", TOKEN_2022_PROGRAM, USDC_MINT, TOKEN_PROGRAM),
    ("spl coin against a token-2022 coin", TOKEN_PROGRAM, None, TOKEN_2022_PROGRAM),
    ("sol against a coin", None, None, TOKEN_PROGRAM),
    ("sol against a token-2022 coin", None, None, TOKEN_2022_PROGRAM),
]


class Founder:
    """Who makes a pool. ``quote`` None: a coin of its own; ``base_program`` None: SOL is the base."""

    def __init__(
        self, chain: Chain, seed: Any, base_program: Pubkey | None, quote: Pubkey | None, quote_program: Pubkey
    ) -> None:
        rng = random.Random(str(seed))
        self.chain, self.user = chain, Keypair.from_seed(rng.randbytes(32))
        coin = Pubkey.from_bytes(rng.randbytes(32))
        base = WSOL_MINT if base_program is None else coin
        self.new = NewPool(
            index=rng.randrange(2**16),
            creator=self.user.pubkey(),
            base_mint=base,
            quote_mint=quote or Pubkey.from_bytes(rng.randbytes(32)),
            base_token_program=base_program or TOKEN_PROGRAM,
            quote_token_program=quote_program,
        )
        chain.fund(self.user.pubkey(), LAMPORTS)
        for mint, program in self.sides():
            if mint != WSOL_MINT:
                chain.write(mint, program, token_bytes.mint(10**15, 6))
                write_tokens(chain, ata(self.user.pubkey(), mint, program), mint, self.user.pubkey(), PLENTY, program)

    def sides(self) -> tuple[tuple[Pubkey, Pubkey], tuple[Pubkey, Pubkey]]:
        new = self.new
        return (new.base_mint, new.base_token_program), (new.quote_mint, new.quote_token_program)

    def send(self, instructions: list[Instruction]) -> Receipt | Failure:
        return self.chain.send([set_compute_unit_limit(600_000), *instructions], self.user)

    def wrapped(self) -> None:
        """A wrapped-SOL account of one's own, for instructions sent without their sequence."""
        key = self.user.pubkey()
        write_tokens(self.chain, ata(key, WSOL_MINT, TOKEN_PROGRAM), WSOL_MINT, key, PLENTY)

    def vaults(self) -> None:
        pool = self.new.address
        for mint, program in self.sides():
            write_tokens(self.chain, ata(pool, mint, program), mint, pool, 0, program)


@pytest.mark.parametrize(("seed", "base_program", "quote", "quote_program"), SIDES, ids=[side[0] for side in SIDES])
def test_the_whole_sequence_makes_the_pool_we_expect(
    chain: Chain, seed: str, base_program: Pubkey | None, quote: Pubkey | None, quote_program: Pubkey
) -> None:
    rng = random.Random(seed)
    for turn in range(5):
        founder = Founder(chain, f"{seed}{turn}", base_program, quote, quote_program)
        base_in, quote_in = (int(10 ** rng.uniform(3, 12)) for _ in range(2))
        receipt = founder.send(create_pool_sequence(founder.new, base_in, quote_in, Existing()))
        assert isinstance(receipt, Receipt), receipt
        check_pool(founder, base_in, quote_in)
        check_event(founder, receipt, base_in, quote_in)


def check_pool(founder: Founder, base_in: int, quote_in: int) -> None:
    """Pool account, vaults, LP units, and every lamport that the founder is without."""
    chain, new, user = founder.chain, founder.new, founder.user.pubkey()
    address, bump = pool_and_bump(new.index, user, new.base_mint, new.quote_mint)
    liquidity = initial_liquidity(base_in, quote_in)
    assert new.address == address
    account = chain.account(address)
    assert account is not None
    assert account.owner == AMM_PROGRAM
    (base_mint, base_program), (quote_mint, quote_program) = founder.sides()
    base_vault, quote_vault = ata(address, base_mint, base_program), ata(address, quote_mint, quote_program)
    assert Pool.decode(bytes(account.data)) == Pool(
        pool_bump=bump, index=new.index, creator=user, base_mint=base_mint, quote_mint=quote_mint,
        lp_mint=lp_mint(address), pool_base_token_account=base_vault, pool_quote_token_account=quote_vault,
        lp_supply=liquidity.initial_liquidity, account_len=POOL_LEN, tail=b"",
    )  # fmt: skip
    assert (units_of(chain, base_vault), units_of(chain, quote_vault)) == (base_in, quote_in)
    assert units_of(chain, ata(user, lp_mint(address), TOKEN_2022_PROGRAM)) == liquidity.lp_token_amount_out
    assert supply_of(chain, lp_mint(address)) == liquidity.lp_token_amount_out
    spent = base_in if base_mint == WSOL_MINT else quote_in if quote_mint == WSOL_MINT else 0
    lengths = [POOL_LEN, LP_MINT_LEN, token_bytes.TOKEN_2022_ACCOUNT_LEN]
    lengths += [
        token_bytes.TOKEN_2022_ACCOUNT_LEN if program == TOKEN_2022_PROGRAM else token_bytes.SPL_ACCOUNT_LEN
        for _, program in founder.sides()
    ]
    rent = sum(chain.rent(length) for length in lengths)
    assert LAMPORTS - chain.lamports(user) == SIGNATURE_FEE + rent + spent
    assert chain.account(ata(user, WSOL_MINT, TOKEN_PROGRAM)) is None


def check_event(founder: Founder, receipt: Receipt, base_in: int, quote_in: int) -> None:
    (event,) = map(decode_event, receipt.events)
    new, liquidity = founder.new, initial_liquidity(base_in, quote_in)
    assert (event.pool, event.creator, event.index) == (new.address, new.creator, new.index)
    assert (event.base_mint, event.quote_mint, event.lp_mint) == (new.base_mint, new.quote_mint, lp_mint(new.address))
    assert (event.base_amount_in, event.quote_amount_in) == (base_in, quote_in)
    assert (event.pool_base_amount, event.pool_quote_amount) == (base_in, quote_in)
    assert event.minimum_liquidity == liquidity.minimum_liquidity
    assert event.initial_liquidity == liquidity.initial_liquidity
    assert event.lp_token_amount_out == liquidity.lp_token_amount_out


@pytest.mark.parametrize(
    ("base_in", "quote_in", "code"), [(1, 1, 6003), (99, 99, 6003), (0, 10**6, 6001), (10**6, 0, 6002), (0, 0, 6001)]
)
def test_what_is_too_little_for_a_pool_is_refused_alike(chain: Chain, base_in: int, quote_in: int, code: int) -> None:
    with pytest.raises(TradeRefused) as refusal:
        initial_liquidity(base_in, quote_in)
    assert refusal.value.code == code
    founder = Founder(chain, (base_in, quote_in), TOKEN_PROGRAM, WSOL_MINT, TOKEN_PROGRAM)
    founder.wrapped()
    founder.vaults()
    outcome = founder.send([create_pool(founder.new, base_in, quote_in)])
    assert isinstance(outcome, Failure)
    assert outcome.code == code


def own_pool_with(chain: Chain, **setting: Any) -> tuple[Founder, Receipt | Failure]:
    founder = Founder(chain, str(setting), TOKEN_PROGRAM, WSOL_MINT, TOKEN_PROGRAM)
    founder.wrapped()
    founder.vaults()
    return founder, founder.send([create_pool(msgspec.structs.replace(founder.new, **setting), 10**9, 10**9)])


@pytest.mark.parametrize(("setting", "code"), [("is_mayhem_mode", 6042), ("is_cashback_coin", 6050)])
def test_an_own_pool_cannot_be_a_mayhem_or_cashback_pool(chain: Chain, setting: str, code: int) -> None:
    _, outcome = own_pool_with(chain, **{setting: True})
    assert isinstance(outcome, Failure)
    assert outcome.code == code


def test_an_own_pool_has_no_coin_creator_although_its_event_names_one(chain: Chain) -> None:
    creator = Keypair.from_seed(b"7" * 32).pubkey()
    founder, outcome = own_pool_with(chain, coin_creator=creator)
    assert isinstance(outcome, Receipt), outcome
    assert decode_event(outcome.events[0]).coin_creator == creator
    account = chain.account(founder.new.address)
    assert account is not None
    assert not Pool.decode(bytes(account.data)).has_coin_creator


PROBES = [probe for probe in recorded_probes() if probe["ix"] == "create_pool"]


@pytest.mark.parametrize("probe", PROBES, ids=[f"{probe['id']}-{probe['title'][:40]}" for probe in PROBES])
def test_a_recorded_creation_gets_the_recorded_answer(chain: Chain, probe: dict[str, Any]) -> None:
    program = TOKEN_2022_PROGRAM if "Token-2022" in probe["title"] else TOKEN_PROGRAM
    founder = Founder(chain, probe["id"], program, WSOL_MINT, TOKEN_PROGRAM)
    founder.wrapped()
    founder.vaults()
    if "transfer-fee" in probe["title"]:
        chain.write(founder.new.base_mint, program, token_bytes.transfer_fee_mint(10**15, 6, 100))
    arguments = probe["args"]
    built = create_pool(founder.new, int(arguments["base_amount_in"]), int(arguments["quote_amount_in"]))
    # discriminator, index, two amounts, coin creator: the recorded probe says how the data goes on
    data = bytes(built.data)[:58] + bytes.fromhex(arguments["bytes_after_coin_creator"])
    outcome = founder.send([Instruction(built.program_id, data, built.accounts)])
    if not probe["ok"]:
        assert isinstance(outcome, Failure)
        assert outcome.code == probe["error"]["code"]
        return
    assert isinstance(outcome, Receipt), outcome
    observed = probe["observed"]
    account = chain.account(founder.new.address)
    assert account is not None
    assert len(account.data) == observed["pool_len"]
    assert Pool.decode(bytes(account.data)).lp_supply == int(observed["lp_supply"])
    lp = lp_mint(founder.new.address)
    assert units_of(chain, ata(founder.user.pubkey(), lp, TOKEN_2022_PROGRAM)) == int(observed["user_lp"])
    (raw,) = outcome.events
    event = decode_event(raw)
    assert len(raw) - 8 == observed["event_payload_len"]
    for name in ("minimum_liquidity", "initial_liquidity", "lp_token_amount_out"):
        assert str(getattr(event, name)) == observed[f"event_{name}"]


def test_all_recorded_creations_are_here() -> None:
    assert len(PROBES) == 9
