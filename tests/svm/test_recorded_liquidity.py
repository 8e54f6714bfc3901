"""The recorded probes of deposits, withdrawals and account growth, sent again."""

from __future__ import annotations

import random
from typing import Any

import pytest
from solders.keypair import Keypair

from pumpswap.amm import Pool, decode_event, execute_deposit, execute_withdraw
from pumpswap.amm.instructions.liquidity import deposit, extend_account, withdraw
from pumpswap.errors import TradeRefused
from tests.support.material import requires_material
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Reserves, make_market
from tests.svm.probe import kind_of, recorded_probes
from tests.svm.provider import Provider

pytestmark = [requires_material("chain", "programs"), requires_material("protocol", "vectors", "svm_v1.json")]

PLENTY = 2**63
BUILDERS = {"deposit": deposit, "withdraw": withdraw}
EXECUTED = {"deposit": execute_deposit, "withdraw": execute_withdraw}
PROBES = [probe for probe in recorded_probes() if probe["ix"] in BUILDERS]
EXTENSIONS = [probe for probe in recorded_probes() if probe["ix"] == "extend_account"]


def provider_of(chain: Chain, probe: dict[str, Any]) -> Provider:
    pool, rng = probe["pool"], random.Random(probe["id"])
    reserves = Reserves(*(int(pool[name]) for name in ("base_vault", "quote_vault", "base_supply", "lp_supply")))
    # A pool of 211 bytes has no room for the creator that the defaults give it.
    kind = kind_of({**pool, "has_coin_creator": pool["has_coin_creator"] and pool["account_len"] > 211})
    market = make_market(kind, reserves, rng, account_len=pool["account_len"])
    market.write(chain)
    provider = Provider(chain, market.state, Keypair.from_seed(rng.randbytes(32)))
    provider.write(base=PLENTY, quote=PLENTY, lp=int(pool["lp_supply"]), lamports=10**12)
    return provider


def pool_of(chain: Chain, provider: Provider) -> Pool:
    account = chain.account(provider.state.address)
    assert account is not None
    return Pool.decode(bytes(account.data))


@pytest.mark.parametrize("probe", PROBES, ids=[f"{probe['id']}-{probe['title'][:40]}" for probe in PROBES])
def test_a_recorded_liquidity_probe_gets_the_recorded_answer(chain: Chain, probe: dict[str, Any]) -> None:
    provider = provider_of(chain, probe)
    arguments = [int(value) for value in probe["args"].values()]
    before = provider.holdings()
    built = BUILDERS[probe["ix"]](provider.state, provider.accounts, *arguments)
    outcome = chain.send([built], provider.user)
    if not probe["ok"]:
        assert isinstance(outcome, Failure)
        assert outcome.code == probe["error"]["code"]
        if outcome.code is None:
            assert outcome.name == probe["error"]["name"]
        else:
            with pytest.raises(TradeRefused) as refusal:
                EXECUTED[probe["ix"]](provider.state, *arguments)
            assert refusal.value.code == outcome.code
        return
    assert isinstance(outcome, Receipt), outcome
    after = provider.holdings()
    if arguments[0] == 0:
        # The program lets an empty deposit through, without effect; we refuse to plan one.
        assert after._replace(user_lamports=0) == before._replace(user_lamports=0)
        return
    expected = EXECUTED[probe["ix"]](provider.state, *arguments)
    assert (after.base_vault, after.quote_vault) == (expected.base_reserve, expected.quote_vault)
    assert pool_of(chain, provider).lp_supply == expected.pool.lp_supply
    observed = probe.get("observed")
    if observed:
        assert after.base_vault - before.base_vault == int(observed["pool_base_delta"])
        assert after.quote_vault - before.quote_vault == int(observed["pool_quote_delta"])
        assert expected.pool.lp_supply == int(observed["lp_supply_after"])
        (event,) = map(decode_event, outcome.events)
        assert event.lp_mint_supply == int(observed["event_lp_mint_supply"])


@pytest.mark.parametrize("probe", EXTENSIONS, ids=[probe["title"] for probe in EXTENSIONS])
def test_a_recorded_extension_gives_the_recorded_length(chain: Chain, probe: dict[str, Any]) -> None:
    provider = provider_of(chain, probe)
    outcome = chain.send([extend_account(provider.state.address, provider.key)], provider.user)
    assert isinstance(outcome, Receipt), outcome
    assert pool_of(chain, provider).account_len == probe["observed"]["new_len"]


def test_all_recorded_liquidity_probes_are_here() -> None:
    assert (len(PROBES), len(EXTENSIONS)) == (24, 2)
