"""The practice chain for the command line: its folder of programs, its settings, what is asked of a running one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from pydantic import SecretStr
from solders.pubkey import Pubkey

from pumpswap.chain.rpc import RpcNode
from pumpswap.clock import SystemClock
from pumpswap.errors import EndpointDown, NodeRefused, NotRunning, TimedOut
from pumpswap.localnet.pull import Pulled, pull
from pumpswap.settings import EndpointSettings, Settings

__all__ = [
    "DEFAULT_PORT",
    "airdrop",
    "ask_localnet",
    "programs_folder",
    "pull_programs",
    "pull_to_temporary",
]

DEFAULT_PORT = 8899
_CONFIRM_LOOKS, _CONFIRM_PAUSE_SECONDS = 200, 0.05


def programs_folder(settings: Settings) -> Path:
    """Where ``localnet pull`` keeps the programs, and ``localnet start`` looks for them."""
    return settings.data_dir / "localnet" / "programs"


async def pull_programs(url: str, folder: Path, pools: tuple[Pubkey, ...]) -> Pulled:
    """Programs, settings and pools of the chain that ``url`` serves, into ``folder``. Raises ChainError, NotFound."""
    endpoint = EndpointSettings(url=SecretStr(url), timeout_ms=60_000)
    async with RpcNode(endpoint, clock=SystemClock()) as node:
        return await pull(node, folder, pools)


async def pull_to_temporary(url: str, pools: tuple[Pubkey, ...]) -> Path:
    """The same into a folder that nobody has named: for a chain that is to be thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="pumpswap-localnet-"))
    await pull_programs(url, folder, pools)
    return folder


async def airdrop(url: str, address: str, lamports: int) -> str:
    """Practice SOL for a wallet; the signature, once it is confirmed. Raises NotRunning, NodeRefused, TimedOut."""
    await ask_localnet(url, "localnet_status")  # a public faucet is none of our business
    signature = str(await ask_localnet(url, "requestAirdrop", address, lamports))
    for _ in range(_CONFIRM_LOOKS):
        (status,) = (await ask_localnet(url, "getSignatureStatuses", [signature]))["value"]
        if status is not None and status["confirmationStatus"] != "processed":
            return signature
        await asyncio.sleep(_CONFIRM_PAUSE_SECONDS)
    raise TimedOut("the airdrop is not confirmed yet", hint="does the chain stand still? See localnet status")


async def ask_localnet(url: str, method: str, *parameters: object) -> Any:
    """One call of the practice chain's own methods.

    Raises NotRunning when nothing answers there, NodeRefused with the chain's own words.
    """
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    try:
        async with httpx2.AsyncClient(timeout=30) as client:
            answer = await client.post(
                url, content=msgspec.json.encode(call), headers={"Content-Type": "application/json"}
            )
            said: Mapping[str, Any] = msgspec.json.decode(answer.content)
    except httpx2.TransportError:
        raise NotRunning(
            "no practice chain answers there", hint="start one with `pumpswap localnet start`, or name it with --url"
        ) from None
    except msgspec.DecodeError:
        raise EndpointDown("what answers there is no practice chain", hint="check --url") from None
    error = said.get("error")
    if error is not None:
        raise NodeRefused(str(error.get("message")), code=int(error.get("code", 0)), hint="is it a practice chain?")
    return said["result"]
