"""Files that the examples of the help speak of, made from the golden vectors."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import Pool
from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM, pool_address, pool_authority
from pumpswap.amm.events.decode import CPI_PREFIX
from pumpswap.sdk.facts_file import facts_json
from tests.signals.screens.coins import good
from tests.support.vectors import load

STRANGER = str(Pubkey(b"\7" * 32))
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def event_bytes(name: str) -> bytes:
    """Payload of the newest golden event of that name, with its discriminator."""
    found = [each for each in load("events")["vectors"] if each["event"] == name]
    return base64.b64decode(found[-1]["data_b64"])


def pool_bytes(length: int = 301) -> bytes:
    found = [each for each in load("accounts")["vectors"] if (each["account"], each["len"]) == ("Pool", length)]
    return base64.b64decode(found[0]["data_b64"])


def account_json(data: bytes, *, owner: Pubkey = AMM_PROGRAM, address: Pubkey | None = None) -> dict[str, Any]:
    """What ``solana account --output json-compact`` prints."""
    if address is None:
        pool = Pool.decode(data)
        address = pool_address(pool.index, pool.creator, pool.base_mint, pool.quote_mint)
    account = {
        "data": [base64.b64encode(data).decode(), "base64"],
        "executable": False,
        "lamports": 2985840,
        "owner": str(owner),
        "rentEpoch": 2**64 - 1,
        "space": len(data),
    }
    return {"account": account, "pubkey": str(address)}


def graduate_state(**changes: Any) -> dict[str, Any]:
    """The smallest complete state file."""
    pool = {"is_canonical": True, "coin_creator": STRANGER, "virtual_quote_reserves": "0"}
    reserves = {"base_reserve": "206900000000000", "quote_vault": 84990359057, "base_supply": "1000000000000000"}
    return {"pool": pool, **reserves, **changes}


def log_lines(*events: bytes, program: str = str(AMM_PROGRAM), end: str = "success") -> list[str]:
    data = [f"Program data: {base64.b64encode(each).decode()}" for each in events]
    return [f"Program {program} invoke [1]", *data, f"Program {program} {end}"]


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def transaction_json(*events: bytes, err: Any = None, logs: list[str] | None = None) -> dict[str, Any]:
    """An answer of getTransaction with every event as a call of the AMM to itself."""
    calls = [
        {"programIdIndex": 2, "accounts": [1], "data": base58(CPI_PREFIX + each), "stackHeight": 2} for each in events
    ]
    meta = {
        "err": err,
        "logMessages": logs,
        "innerInstructions": [{"index": 0, "instructions": calls}],
        "loadedAddresses": {"writable": [str(AMM_EVENT_AUTHORITY)], "readonly": [str(AMM_PROGRAM)]},
    }
    message = {"accountKeys": [STRANGER]}
    return {"jsonrpc": "2.0", "id": 1, "result": {"slot": 5, "meta": meta, "transaction": {"message": message}}}


def write_samples(folder: Path) -> None:
    """The files of the examples."""
    # A pool that a quote can be made on: canonical, priced in SOL.
    pool = Pool.decode(pool_bytes())
    mint = pool.base_mint
    data = pool.with_changes(creator=pool_authority(mint), quote_mint=_WSOL).encode()
    buy, sell = event_bytes("BuyEvent"), event_bytes("SellEvent")
    (folder / "pool.json").write_text(json.dumps(account_json(data)))
    (folder / "state.json").write_text(json.dumps(graduate_state()))
    (folder / "transaction.json").write_text(json.dumps(transaction_json(buy, sell)))
    (folder / "facts.json").write_text(json.dumps({"facts": facts_json(good())}))
    (folder / "logs.txt").write_text("\n".join(log_lines(buy, sell)))
    (folder / "qlib_csv").mkdir()
    hours = "".join(f"2026-10-01 0{hour}:00:00,solana_Aa,1,2,1,2,10\n" for hour in (1, 2, 4))
    (folder / "qlib_csv" / "solana_Aa.csv").write_text(f"datetime,symbol,open,high,low,close,volume\n{hours}")


_WSOL = Pubkey.from_string("So11111111111111111111111111111111111111112")
