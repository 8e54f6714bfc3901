"""Chain, sending, wallet and books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pumpswap.settings.section import BpsValue, PublicKey, Seconds, Section

__all__ = [
    "BooksSettings",
    "ChainSettings",
    "DatabaseSettings",
    "EndpointSettings",
    "SendingSettings",
    "WalletSettings",
]


def _endpoint_url(url: SecretStr) -> SecretStr:
    """Whether it is one at all: what is none fails here, and not in the middle of a trade."""
    try:
        parts = urlsplit(url.get_secret_value().strip())
        is_usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_usable = False
    if not is_usable:
        raise ValueError("is no URL of an endpoint: write it like https://host/ or wss://host/")
    return url


EndpointUrl = Annotated[SecretStr, AfterValidator(_endpoint_url)]


class EndpointSettings(Section):
    """One RPC endpoint. URLs often carry an access token, so they are secret: messages name the host only."""

    url: EndpointUrl
    ws_url: EndpointUrl | None = None  # derived when absent: wss for https, port + 1 for a port that is not 443 or 80
    requests_per_second: float = Field(10, gt=0, le=100_000)
    timeout_ms: int = Field(5_000, ge=100, le=120_000)


def _bare_urls(value: object) -> object:
    """An endpoint of which only the URL is named; one of them, or a list."""
    if isinstance(value, str):
        value = [one.strip() for one in value.split(",") if one.strip()]
    return (
        [{"url": one} if isinstance(one, str) else one for one in value] if isinstance(value, list | tuple) else value
    )


Endpoints = Annotated[tuple[EndpointSettings, ...], BeforeValidator(_bare_urls)]


class ChainSettings(Section):
    """Which chain, and through which endpoints; the first is preferred, the others take over when it fails."""

    # `mainnet`, `devnet` or `localnet`: never guessed, and compared with the endpoint's genesis hash
    network: Literal["mainnet", "devnet", "localnet"] | None = None
    allow_mainnet: bool = False  # mainnet's own switch, beside `network: mainnet`
    # the first is preferred, the others take over when it fails; URLs, or mappings with `url`
    endpoints: Endpoints = ()
    max_slot_lag: int = Field(25, ge=1)  # a node this many slots behind the best one is not read from
    # a stream this far behind stops entries, and so does a chain without a new slot for so long
    stale_after_slots: int = Field(50, ge=1)
    schedule_refresh_seconds: int = Field(300, ge=1)  # how often GlobalConfig and FeeConfig are read again


class SendingSettings(Section):
    """How a transaction is priced, sent and followed."""

    priority_percentile: int = Field(75, ge=0, le=100)  # of recent fees on this pool's writable accounts
    priority_floor_micro_lamports: int = Field(10_000, ge=0)  # for a compute unit at least, whatever others pay
    priority_cap_micro_lamports: int = Field(2_000_000, ge=0)  # for a compute unit at most
    priority_step_bps: int = Field(15_000, ge=10_000)  # a new attempt pays at least this share of the one before
    compute_margin_bps: BpsValue = 2_000  # compute limit above what the simulation used
    # transactions of one order, each only after the proven expiry of the one before
    max_attempts: int = Field(3, ge=1, le=20)
    rebroadcast_ms: int = Field(1_000, ge=50)  # between two broadcasts of the same bytes
    poll_ms: int = Field(400, ge=20)  # between two looks for the outcome
    lanes: tuple[Literal["rpc", "jito"], ...] = ("rpc",)  # on which the same bytes go out: `rpc`, `jito`, or both
    jito_url: EndpointUrl | None = None  # the block engine, for the lane `jito`
    tip_lamports: int = Field(0, ge=0)  # paid to a tip account of the block engine; booked as a cost of its own
    dont_front: bool = False  # adds the read-only jitodontfront account
    # swap instructions `1` or `2`; `auto` asks the program once, by simulation
    generation: Literal["auto", "1", "2"] = "auto"
    quorum: int = Field(2, ge=1)  # endpoints that must agree on what became of a transaction, if there are so many


class DatabaseSettings(Section):
    """Where the books are. A URL may carry a password, so it is secret: messages leave it out."""

    # `postgresql://…` or `sqlite:///…`, a secret; default: `pumpswap.sqlite` in the data folder
    url: SecretStr | None = None


class BooksSettings(Section):
    """How the books are kept in step with the chain."""

    reconcile_seconds: Seconds = 300  # books and wallet are compared on every start, and then this often; 0: never


class WalletSettings(Section):
    """Where the key is, never the key. Limits live in the keystore, under its seal."""

    keystore: Path | None = None  # the file; default: `wallets/default.json` in the data folder
    public_key: PublicKey | None = None  # compared with the key that was unlocked
