"""Identifiers of the host: ``<network>_<address>`` or a bare address, for pools and for tokens alike."""

from __future__ import annotations

__all__ = ["bare_address", "network_of"]

_NETWORKS = frozenset(
    {
        "arbitrum",
        "avalanche",
        "base",
        "bsc",
        "ethereum",
        "fantom",
        "optimism",
        "polygon",
        "solana",
        "sui-network",
        "ton-network",
    }
)


def bare_address(identifier: str) -> str:
    """The address without a known network in front: the part before the first ``_`` may also belong to it."""
    network, _, address = identifier.strip().partition("_")
    return address if network in _NETWORKS else identifier.strip()


def network_of(identifier: str) -> str:
    """The network in front; Solana when none is named."""
    network, _, _ = identifier.strip().partition("_")
    return network if network in _NETWORKS else "solana"
