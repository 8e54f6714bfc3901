"""Options of the commands that ask a chain: which endpoints, which network, which wallet. They win over the settings
file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.lazy import option
from pumpswap.cli.params import NAME

if TYPE_CHECKING:
    from pumpswap.cli.output import Output
    from pumpswap.settings import Settings

__all__ = ["chain_options", "chain_sections", "chain_settings", "wallet_option", "wallet_options"]

_F = TypeVar("_F", bound=Callable[..., Any])
_CHAIN = "The chain (default: the settings' section chain)"


def chain_options(callback: _F) -> _F:
    """``--url``, ``--ws-url`` and ``--network``."""
    network = option(
        "--network",
        type=click.Choice(["mainnet", "devnet", "localnet"]),
        section=_CHAIN,
        help="Compared with what the endpoint serves. Mainnet also needs chain.allow_mainnet.",
    )
    ws_url = option("--ws-url", metavar="URL", section=_CHAIN, help="Websocket of the first --url, if it is elsewhere.")
    url = option("--url", "urls", multiple=True, metavar="URL", section=_CHAIN, help="Endpoint; may be repeated.")
    return url(ws_url(network(callback)))


def wallet_option(callback: _F, *, section: str = "") -> _F:
    """``--wallet``."""
    text = "Wallet of the data folder; default: the settings'."
    return option("--wallet", type=NAME, metavar="NAME", section=section, help=text)(callback)


def wallet_options(callback: _F, *, section: str = "") -> _F:
    """``--wallet`` and ``--password-fd``, for who signs."""
    number, text = click.IntRange(min=0), "Read the password from there."
    password = option("--password-fd", type=number, metavar="N", section=section, help=text)
    return wallet_option(password(callback), section=section)


def chain_settings(
    out: Output, urls: tuple[str, ...], ws_url: str | None, network: str | None, **sections: Any
) -> Settings:
    """Settings with the chain that the options name. Loopback URLs without ``--network`` mean the practice chain."""
    from pumpswap.cli.run_result import settings_for

    return settings_for(out, **chain_sections(urls, ws_url, network), **sections)


def chain_sections(urls: tuple[str, ...], ws_url: str | None, network: str | None) -> dict[str, Any]:
    """What the options say, as sections of the settings."""
    from pumpswap.errors import UsageError

    if ws_url is not None and not urls:
        raise UsageError("--ws-url belongs to an --url", hint="name both, or set chain.endpoints in pumpswap.yaml")
    chain: dict[str, Any] = {}
    for name, url in (*(("--url", url) for url in urls), *((("--ws-url", ws_url),) if ws_url is not None else ())):
        if not _is_url(url):
            raise UsageError(
                f"{name}: that is no URL of an endpoint", hint="write it like https://host/ or wss://host/"
            )
    if urls:
        chain["endpoints"] = [{"url": url} for url in urls]
        if ws_url is not None:
            chain["endpoints"][0]["ws_url"] = ws_url
        if all(_is_loopback(url) for url in urls):
            # The genesis hash is compared all the same; rates are limited for the sake of other people's machines.
            chain["network"] = "localnet"
            for endpoint in chain["endpoints"]:
                endpoint["requests_per_second"] = 1_000
    if network is not None:
        chain["network"] = network
    return {"chain": chain} if chain else {}


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text.strip())
        return parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _is_loopback(url: str) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
