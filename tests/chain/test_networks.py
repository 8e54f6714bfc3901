"""Networks: told by the genesis hash, explicit, mainnet with a switch of its own."""

from __future__ import annotations

import pytest

from pumpswap.chain.networks import DEVNET_GENESIS, MAINNET_GENESIS, TESTNET_GENESIS, check_network, network_of
from pumpswap.errors import ConfigError, WrongNetwork
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.settings import ChainSettings

pytestmark = pytest.mark.asyncio


class Claiming(LocalNode):
    """Says that its chain started with this hash."""

    genesis = ""

    async def genesis_hash(self) -> str:
        return self.genesis


def node(genesis: str) -> Claiming:
    claiming = Claiming(LocalChain(seed=1))
    claiming.genesis = genesis
    return claiming


async def test_each_network_is_accepted_as_what_it_is_and_as_nothing_else() -> None:
    hashes = {"mainnet": MAINNET_GENESIS, "devnet": DEVNET_GENESIS, "localnet": LocalChain(seed=3).genesis_hash}
    for said in hashes:
        settings = ChainSettings.model_validate({"network": said, "allow_mainnet": True})
        for real, genesis in hashes.items():
            assert network_of(genesis) == real
            if said == real:
                await check_network(node(genesis), settings)
            else:
                with pytest.raises(WrongNetwork, match=f"serves {real}, the settings say {said}"):
                    await check_network(node(genesis), settings)


async def test_a_practice_chain_is_never_a_public_one() -> None:
    settings = ChainSettings(network="localnet")
    for genesis in (MAINNET_GENESIS, DEVNET_GENESIS, TESTNET_GENESIS):
        with pytest.raises(WrongNetwork):
            await check_network(node(genesis), settings)


async def test_mainnet_needs_its_own_switch() -> None:
    with pytest.raises(WrongNetwork) as caught:
        await check_network(node(MAINNET_GENESIS), ChainSettings(network="mainnet"))
    assert "chain.allow_mainnet" in caught.value.hint


async def test_without_a_network_the_error_says_which_key_to_set() -> None:
    with pytest.raises(ConfigError) as caught:
        await check_network(node(MAINNET_GENESIS), ChainSettings())
    assert "chain.network" in caught.value.hint and not isinstance(caught.value, WrongNetwork)
