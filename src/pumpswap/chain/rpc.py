"""RpcNode: one endpoint over HTTP. The only module that knows solana-py's HTTP client.

It asks once and never retries: who is asked next, and when, is decided by the endpoint pool.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeVar

import msgspec
from solana.exceptions import SolanaRpcException
from solana.rpc.async_http_provider import AsyncHTTPProvider
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain import answers
from pumpswap.chain.closing import Closing
from pumpswap.chain.node import (
    AccountsAt,
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    Height,
    HoldingsAt,
    ProgramFilter,
    SignatureInfo,
    Simulation,
    StatusesAt,
)
from pumpswap.chain.rate_limit import retry_after_seconds
from pumpswap.chain.redact import Redactor, host_of, silence_request_lines
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import ChainError, EndpointDown, NodeRefused, NotServed, RateLimited, StaleNode, UsageError
from pumpswap.settings import EndpointSettings

__all__ = ["RpcNode"]

MOST_ACCOUNTS: Final = 100  # getMultipleAccounts
MOST_STATUSES: Final = 256  # getSignatureStatuses
_MOST_FEE_ACCOUNTS: Final = 128  # getRecentPrioritizationFees

_MIN_CONTEXT_SLOT_NOT_REACHED, _BLOCK_STATUS_NOT_YET, _NODE_UNHEALTHY = -32016, -32014, -32005
_NO_METHOD, _NOT_INDEXED, _NO_HISTORY = -32601, -32010, -32011
_INTERNAL, _STORAGE_UNREACHABLE = -32603, -32019
_TOO_MANY = (429, -32429)

_OTHERS = "check the endpoint, or configure more of them under chain.endpoints"
_SLOW = "lower chain.endpoints[].requests_per_second, or use a plan with a higher limit"

Parsed = TypeVar("Parsed")


class _Body(msgspec.Struct):
    """A JSON-RPC request."""

    id: int
    method: str
    params: list[Any]
    jsonrpc: str = "2.0"

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class RpcNode(Closing):
    """An endpoint of the settings. ``async with`` or ``aclose()`` closes its kept-alive connections."""

    def __init__(self, settings: EndpointSettings, *, clock: Clock | None = None, name: str | None = None) -> None:
        """Raises ConfigError when the URL is no http or https URL."""
        silence_request_lines()
        url = settings.url.get_secret_value()
        self._name = name or host_of(url)
        self._redactor = Redactor(url)
        self._clock = clock or SystemClock()
        self._timeout_seconds = settings.timeout_ms / 1_000
        self._provider = AsyncHTTPProvider(url, timeout=self._timeout_seconds, max_transport_retries=0)
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<RpcNode {self._name}>"

    @property
    def name(self) -> str:
        return self._name

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.close()

    async def genesis_hash(self) -> str:
        return await self._ask("getGenesisHash", [], lambda result: str(Hash.from_string(result)))

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        return await self._ask(
            "getEpochInfo",
            [{"commitment": commitment.value}],
            lambda result: Height(int(result["absoluteSlot"]), int(result["blockHeight"])),
        )

    async def accounts(
        self,
        addresses: Sequence[Pubkey],
        *,
        commitment: Commitment = Commitment.CONFIRMED,
        min_context_slot: int = 0,
    ) -> AccountsAt:
        _at_most(len(addresses), MOST_ACCOUNTS, "accounts")
        options = _options(commitment, encoding="base64", minContextSlot=min_context_slot or None)
        return await self._ask(
            "getMultipleAccounts",
            [[str(one) for one in addresses], options],
            lambda result: answers.read_accounts(result, addresses),
        )

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        return await self._ask(
            "getLatestBlockhash",
            [_options(commitment)],
            lambda result: BlockhashAt(
                Hash.from_string(result["value"]["blockhash"]),
                int(result["value"]["lastValidBlockHeight"]),
                int(result["context"]["slot"]),
            ),
        )

    async def is_blockhash_valid(
        self, blockhash: Hash, *, commitment: Commitment = Commitment.CONFIRMED, min_context_slot: int = 0
    ) -> bool:
        options = _options(commitment, minContextSlot=min_context_slot or None)
        return await self._ask("isBlockhashValid", [str(blockhash), options], lambda result: result["value"] is True)

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        expected = _signature_of(raw)
        options = {
            "encoding": "base64",
            "skipPreflight": skip_preflight,
            "preflightCommitment": Commitment.CONFIRMED.value,
            "maxRetries": 0,
        }
        if min_context_slot:
            options["minContextSlot"] = min_context_slot

        def signature(result: Any) -> str:
            if result != expected:
                raise ValueError("another signature than that of the bytes")
            return expected

        return await self._ask("sendTransaction", [base64.b64encode(raw).decode(), options], signature)

    async def simulate(
        self, raw: bytes, *, accounts: Sequence[Pubkey] = (), commitment: Commitment = Commitment.CONFIRMED
    ) -> Simulation:
        options = _options(commitment, encoding="base64", sigVerify=False, replaceRecentBlockhash=True)
        if accounts:
            options["accounts"] = {"encoding": "base64", "addresses": [str(one) for one in accounts]}
        return await self._ask(
            "simulateTransaction",
            [base64.b64encode(raw).decode(), options],
            lambda result: answers.read_simulation(result, accounts),
        )

    async def statuses(self, signatures: Sequence[str], *, search_history: bool = False) -> StatusesAt:
        _at_most(len(signatures), MOST_STATUSES, "signatures")

        def read(result: Any) -> StatusesAt:
            if len(result["value"]) != len(signatures):
                raise ValueError("not as many statuses as signatures")
            return StatusesAt(
                int(result["context"]["slot"]), tuple(answers.read_status(one) for one in result["value"])
            )

        return await self._ask(
            "getSignatureStatuses", [list(signatures), {"searchTransactionHistory": search_history}], read
        )

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        # The method knows no "processed"; the next weaker commitment is the nearest answer.
        told = Commitment.CONFIRMED if commitment is Commitment.PROCESSED else commitment
        options = _options(told, encoding="base64", maxSupportedTransactionVersion=0)
        return await self._ask(
            "getTransaction", [signature, options], lambda result: answers.read_transaction(signature, result)
        )

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        told = Commitment.CONFIRMED if commitment is Commitment.PROCESSED else commitment
        options = _options(told, before=before, until=until, limit=limit)
        return await self._ask("getSignaturesForAddress", [str(address), options], answers.read_signatures)

    async def first_available_block(self) -> int:
        return await self._ask("getFirstAvailableBlock", [], int)

    async def priority_fees(self, addresses: Sequence[Pubkey]) -> tuple[tuple[int, int], ...]:
        _at_most(len(addresses), _MOST_FEE_ACCOUNTS, "accounts")
        return await self._ask(
            "getRecentPrioritizationFees",
            [[str(one) for one in addresses]],
            lambda result: tuple((int(one["slot"]), int(one["prioritizationFee"])) for one in result),
        )

    async def minimum_rent(self, size: int) -> int:
        return await self._ask("getMinimumBalanceForRentExemption", [size], int)

    async def program_accounts(
        self, program: Pubkey, filters: Sequence[ProgramFilter] = (), *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        chosen = [
            {"memcmp": {"offset": one.offset, "bytes": base64.b64encode(one.data).decode(), "encoding": "base64"}}
            for one in filters
        ]
        options = _options(commitment, encoding="base64", filters=chosen or None)
        return await self._ask("getProgramAccounts", [str(program), options], answers.keyed_accounts)

    async def token_accounts(
        self, owner: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        options = _options(commitment, encoding="base64")
        every = [
            await self._ask(
                "getTokenAccountsByOwner",
                [str(owner), {"programId": str(program)}, options],
                lambda result: answers.keyed_accounts(result["value"]),
            )
            for program in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
        ]
        return (*every[0], *every[1])

    async def largest_holdings(self, mint: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED) -> HoldingsAt:
        return await self._ask("getTokenLargestAccounts", [str(mint), _options(commitment)], answers.read_holdings)

    async def version(self) -> Mapping[str, str]:
        return await self._ask(
            "getVersion", [], lambda result: {str(name): str(value) for name, value in result.items()}
        )

    async def _ask(self, method: str, params: list[Any], read: Callable[[Any], Parsed]) -> Parsed:
        """Raises one of the kinds of ChainError; never with the client's own exception, which names the whole URL,
        as its cause or context.
        """
        number = next(self._numbers)
        text = await self._post(_Body(number, method, params))
        if isinstance(text, ChainError):
            raise text
        outcome = self._result(text, method, number)
        if isinstance(outcome, ChainError):
            raise outcome
        try:
            return read(outcome.value)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as broken:
            failure = self._broken(method, f"{type(broken).__name__}: {broken}")
        raise failure

    async def _post(self, body: _Body) -> str | ChainError:
        try:
            # The client's own time-out is per read; an endpoint that drips bytes would hold us for ever.
            async with asyncio.timeout(self._timeout_seconds):
                return await self._provider.make_request_unparsed(body)
        except TimeoutError:
            return self._down(f"no answer to {body.method} within {self._timeout_seconds:g} s")
        except SolanaRpcException as failed:
            response = getattr(failed.__cause__, "response", None)
            if response is None:
                return self._down(f"{body.method}: {type(failed.__cause__).__name__}")
            return self._http_failure(body, response.status_code, response.headers, response.text)
        except RuntimeError as closed:
            return self._down(f"{body.method}: {self._redactor.clean(str(closed))}")

    def _http_failure(self, body: _Body, status: int, headers: Mapping[str, str], text: str) -> ChainError:
        if status == 429:
            return self._limited(body.method, retry_after_seconds(headers.get("retry-after"), self._clock))
        if status in (401, 403, 405, 410):
            return NotServed(
                f"{self._name} does not serve {body.method} to us (HTTP {status})",
                hint="check the access token and the plan of this endpoint, or add another one",
            )
        if status < 500:
            told = self._result(text, body.method, body.id)
            if isinstance(told, ChainError) and not isinstance(told, EndpointDown):
                return told
        return self._down(f"{body.method}: HTTP {status}")

    def _result(self, text: str, method: str, number: int) -> _Result | ChainError:
        try:
            envelope = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError):
            return self._broken(method, "no JSON")
        if not isinstance(envelope, dict):
            return self._broken(method, "no JSON-RPC object")
        error = envelope.get("error")
        if error is not None:
            if not isinstance(error, dict) or not isinstance(error.get("code"), int):
                return self._broken(method, "an error without a code")
            return self._rpc_failure(method, error["code"], str(error.get("message", "")), error.get("data"))
        if "result" not in envelope:
            return self._broken(method, "neither a result nor an error")
        if envelope.get("id") != number:
            return self._broken(method, "the answer to another question")
        return _Result(envelope["result"])

    def _rpc_failure(self, method: str, code: int, message: str, data: object) -> ChainError:
        said = self._redactor.clean(message)
        lower = said.lower()
        if code in _TOO_MANY or "too many requests" in lower or "rate limit" in lower:
            return self._limited(method, None)
        if code in (_MIN_CONTEXT_SLOT_NOT_REACHED, _BLOCK_STATUS_NOT_YET, _NODE_UNHEALTHY):
            return StaleNode(f"{self._name} is behind ({method}: {said})", hint=_OTHERS)
        if code in (_NO_METHOD, _NOT_INDEXED, _NO_HISTORY) or "excluded from" in lower:
            return NotServed(
                f"{self._name} does not serve {method} ({code} {said})",
                hint="add an endpoint that does under chain.endpoints",
            )
        if code in (_INTERNAL, _STORAGE_UNREACHABLE):
            return self._down(f"{method}: {code} {said}")
        return NodeRefused(
            f"{self._name} refused {method}: {said} ({code})",
            code=code,
            data=data,
            hint="the node's message says why; the same question to the same node gets the same answer",
        )

    def _limited(self, method: str, seconds: float | None) -> RateLimited:
        until = "" if seconds is None else f", again in {seconds:g} s"
        return RateLimited(
            f"{self._name} wants fewer requests ({method}{until})", retry_after_seconds=seconds, hint=_SLOW
        )

    def _down(self, what: str) -> EndpointDown:
        return EndpointDown(f"{self._name}: {what}", hint=_OTHERS)

    def _broken(self, method: str, why: str) -> EndpointDown:
        return self._down(f"a broken answer to {method} ({self._redactor.clean(why)})")


class _Result(msgspec.Struct):
    """A result that may be null."""

    value: Any


def _options(commitment: Commitment, **others: Any) -> dict[str, Any]:
    return {"commitment": commitment.value, **{name: value for name, value in others.items() if value is not None}}


def _at_most(given: int, most: int, what: str) -> None:
    if given > most:
        raise UsageError(f"{given} {what} in one question", hint=f"ask for at most {most} at once")


def _signature_of(raw: bytes) -> str:
    """The first signature of a signed transaction, which is its name."""
    if len(raw) < 65 or not 0 < raw[0] < 128:
        raise UsageError("these bytes are no signed transaction", hint="sign it first")
    return str(Signature.from_bytes(raw[1:65]))
