"""Where data commands write: the lake of the settings, under the name of the network that the data are of."""

from __future__ import annotations

from pathlib import Path

from pumpswap.market.lake import Lake
from pumpswap.settings import Settings

__all__ = ["lake_for_chain", "lake_for_service"]


def lake_for_chain(settings: Settings, folder: Path | None = None) -> Lake:
    """The lake for data of the configured chain. Mainnet is called as market-data services call it, so that its rows
    lie together; a practice chain's rows never lie among real ones."""
    network = settings.chain.network or "solana"
    return Lake(folder or settings.lake_folder, "solana" if network == "mainnet" else network)


def lake_for_service(settings: Settings, folder: Path | None = None) -> Lake:
    """The lake for data of market-data services, in the network of ``collect``."""
    return Lake(folder or settings.lake_folder, settings.collect.network)
