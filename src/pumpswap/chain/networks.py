"""Networks: which chain an endpoint serves. Told by the hash of its first block, never by its URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pumpswap.chain.node import Node
from pumpswap.errors import ConfigError, WrongNetwork
from pumpswap.settings import ChainSettings

__all__ = ["DEVNET_GENESIS", "MAINNET_GENESIS", "TESTNET_GENESIS", "GenesisGuard", "check_network", "network_of"]

MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
DEVNET_GENESIS = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
TESTNET_GENESIS = "4uhcVJyU9pJkvQyUS88uRDiswHXSCkY3zQawwpjk2NsY"

_PUBLIC = {MAINNET_GENESIS: "mainnet", DEVNET_GENESIS: "devnet", TESTNET_GENESIS: "testnet"}
_SET_NETWORK = "set chain.network to mainnet, devnet or localnet (PUMPSWAP_CHAIN__NETWORK)"


def network_of(genesis: str) -> str:
    """``mainnet``, ``devnet`` or ``testnet``; every other genesis hash is a ``localnet``."""
    return _PUBLIC.get(genesis, "localnet")


class GenesisGuard:
    """Checks the genesis hash of every endpoint against the settings, and that all of them serve the same chain."""

    def __init__(self, settings: ChainSettings) -> None:
        """Raises ConfigError when no network is set, WrongNetwork for mainnet without its switch."""
        if settings.network is None:
            raise ConfigError("it is not set which network the endpoints serve", hint=_SET_NETWORK)
        if settings.network == "mainnet" and not settings.allow_mainnet:
            raise WrongNetwork(
                "mainnet is not switched on",
                hint="set chain.allow_mainnet to true (PUMPSWAP_CHAIN__ALLOW_MAINNET) when real money may be spent",
            )
        self._network = settings.network
        self._genesis: str | None = None

    def check(self, name: str, genesis: str) -> None:
        """Raises WrongNetwork when endpoint ``name`` serves another chain than the settings say."""
        found = network_of(genesis)
        if found != self._network:
            raise WrongNetwork(
                f"{name} serves {found}, the settings say {self._network}",
                hint="correct chain.network or the endpoint's URL",
            )
        if self._genesis is None:
            self._genesis = genesis
        elif genesis != self._genesis:
            raise WrongNetwork(
                f"{name} serves another {found} than the other endpoints: genesis {genesis}, not {self._genesis}",
                hint="all endpoints must serve one chain; restart pumpswap if the chain was made anew",
            )


@runtime_checkable
class _ManyNodes(Protocol):
    @property
    def nodes(self) -> Sequence[Node]: ...


async def check_network(node: Node, settings: ChainSettings) -> None:
    """Compare the genesis hash of ``node``, or of each of its endpoints, with the settings.

    Raises ConfigError when no network is set, WrongNetwork for another chain or for mainnet without its switch, and the
    node's ChainError when it does not answer.
    """
    guard = GenesisGuard(settings)
    for one in node.nodes if isinstance(node, _ManyNodes) else (node,):
        guard.check(one.name, await one.genesis_hash())
