"""The lane of the Jito block engine: a transaction, or a bundle of one, for a tip.

A bundle that would fail is not landed and costs nothing; its tip is paid only when it lands and is a cost of the trade.
What the engine says about a bundle is a hint: only a confirmed block proves that a transaction has landed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Literal

import httpx2
import msgspec
from pydantic import SecretStr
from solders.pubkey import Pubkey

from pumpswap.chain.closing import Closing
from pumpswap.errors import ChainError, ConfigError, EndpointDown, NodeRefused, NotServed, RateLimited

__all__ = ["MIN_TIP_LAMPORTS", "TIP_ACCOUNTS", "BundleState", "BundleStatus", "JitoLane"]

MIN_TIP_LAMPORTS = 1_000
# The engine's eight accounts; getTipAccounts may tell others.
TIP_ACCOUNTS = tuple(
    map(
        Pubkey.from_string,
        (
            "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
            "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
            "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
            "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
            "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
            "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
            "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
            "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
        ),
    )
)

_TRANSACTIONS, _BUNDLES = "api/v1/transactions", "api/v1/bundles"
_CALL_IDS = 1
_METHOD_NOT_FOUND = -32601
_RATE_LIMITED = -32097


class BundleState(Enum):
    """What the engine says of a bundle. ``INVALID``: not among those of the last five minutes."""

    INVALID = "Invalid"
    PENDING = "Pending"
    FAILED = "Failed"
    LANDED = "Landed"


@dataclass(frozen=True, slots=True)
class BundleStatus:
    """``landed_slot`` is set for landed ones."""

    bundle_id: str
    state: BundleState
    landed_slot: int | None = None


class JitoLane(Closing):
    """Hands signed bytes to a block engine.

    ``mode`` bundle: protected, lands only in the blocks of Jito's leaders and only if it succeeds. ``mode``
    transaction: the engine forwards it to the leader as well. Use as an asynchronous context, or call ``aclose``. The
    URL may carry an access token and is never shown; ``host`` is.
    """

    name = "jito"

    def __init__(
        self,
        url: SecretStr,
        *,
        mode: Literal["bundle", "transaction"] = "bundle",
        min_tip_lamports: int = MIN_TIP_LAMPORTS,
        timeout_seconds: float = 5.0,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        try:
            self._url = httpx2.URL(url.get_secret_value())
        except httpx2.InvalidURL:
            raise ConfigError(
                "sending.jito_url is no URL", hint="for example https://mainnet.block-engine.jito.wtf"
            ) from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ConfigError("sending.jito_url is no http URL", hint="it begins with https://")
        self.min_tip_lamports = min_tip_lamports
        self._mode = mode
        self._client = client or httpx2.AsyncClient(timeout=timeout_seconds)
        self._tip_accounts = TIP_ACCOUNTS
        self._bundles: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"JitoLane({self.host!r})"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def host(self) -> str:
        """The engine, for people."""
        return self._url.host

    @property
    def tip_accounts(self) -> tuple[Pubkey, ...]:
        """Where tips may go: for the guard, and to tell a tip in a landed transaction."""
        return self._tip_accounts

    def tip_account(self, rng: Random) -> Pubkey | None:
        """One of them by chance, so that traders do not all lock the same one."""
        return rng.choice(self._tip_accounts)

    async def refresh_tip_accounts(self) -> tuple[Pubkey, ...]:
        """Ask the engine for its tip accounts. Raises ChainError, and keeps the known ones."""
        told = await self._call(_BUNDLES, "getTipAccounts", [])
        try:
            accounts = tuple(Pubkey.from_string(address) for address in _texts(told))
        except ValueError:
            accounts = ()
        if not accounts:
            raise EndpointDown(f"{self.host} told no tip accounts", hint="the known ones are kept")
        self._tip_accounts = accounts
        return accounts

    async def send(self, raw: bytes) -> None:
        """Hand over signed bytes. The same bytes again are the same bundle. Raises ChainError."""
        encoded = base64.b64encode(raw).decode()
        if self._mode == "transaction":
            await self._call(_TRANSACTIONS, "sendTransaction", [encoded, {"encoding": "base64"}])
            return
        bundle_id = await self._call(_BUNDLES, "sendBundle", [[encoded], {"encoding": "base64"}])
        if not isinstance(bundle_id, str):
            raise EndpointDown(f"{self.host} gave no bundle number", hint="it may land all the same")
        self._bundles[encoded] = bundle_id

    def bundle_of(self, raw: bytes) -> str | None:
        """Number of the bundle in which these bytes went out last; None when they did not."""
        return self._bundles.get(base64.b64encode(raw).decode())

    async def bundle_statuses(self, bundle_ids: Sequence[str]) -> tuple[BundleStatus, ...]:
        """What the engine says of at most five bundles of the last five minutes. Raises ChainError."""
        told = await self._call(_BUNDLES, "getInflightBundleStatuses", [list(bundle_ids)])
        lines = told.get("value") if isinstance(told, Mapping) else None
        if not isinstance(lines, list):
            raise EndpointDown(f"{self.host} gave no bundle statuses", hint="ask again")
        return tuple(self._status_of(line) for line in lines)

    def _status_of(self, line: object) -> BundleStatus:
        try:
            status = msgspec.convert(line, _StatusLine)
            return BundleStatus(status.bundle_id, BundleState(status.status), status.landed_slot)
        except (msgspec.ValidationError, ValueError):
            raise EndpointDown(f"{self.host} gave a bundle status that is none", hint="ask again") from None

    async def _call(self, path: str, method: str, params: Sequence[object]) -> object:
        url = self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path}")
        body = {"jsonrpc": "2.0", "id": _CALL_IDS, "method": method, "params": params}
        try:
            response = await self._client.post(
                url, content=msgspec.json.encode(body), headers={"content-type": "application/json"}
            )
        except httpx2.HTTPError as error:
            # The error's own text may hold the URL.
            raise EndpointDown(
                f"{self.host}: {type(error).__name__} on {method}", hint="it may have arrived all the same"
            ) from None
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            raise self._rate_limited(response.headers.get("retry-after"))
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
        except msgspec.MsgspecError:
            raise EndpointDown(f"{self.host}: {response.status_code} on {method}", hint="try again") from None
        if answer.error is not None:
            raise self._refusal(answer.error, method)
        if response.status_code >= httpx2.codes.BAD_REQUEST:
            raise EndpointDown(f"{self.host}: {response.status_code} on {method}", hint="try again")
        return answer.result

    def _refusal(self, error: _Error, method: str) -> ChainError:
        if error.code == _RATE_LIMITED:
            return self._rate_limited(None)
        if error.code == _METHOD_NOT_FOUND:
            return NotServed(f"{self.host} does not serve {method}", hint="is it a block engine?")
        return NodeRefused(f"{self.host}: {error.message}", code=error.code, data=error.data, hint="see the message")

    def _rate_limited(self, retry_after: str | None) -> RateLimited:
        seconds = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
        return RateLimited(
            f"{self.host} wants fewer requests", retry_after_seconds=seconds, hint="one a second without an agreement"
        )


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    data: object = None


class _Answer(msgspec.Struct):
    result: object = None
    error: _Error | None = None


class _StatusLine(msgspec.Struct):
    bundle_id: str
    status: str
    landed_slot: int | None = None


def _texts(told: object) -> list[str]:
    return [text for text in told if isinstance(text, str)] if isinstance(told, list) else []
