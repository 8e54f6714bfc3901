"""Real bytes to start from: the golden vectors, and a transaction's log lines around them."""

from __future__ import annotations

import base64

from pumpswap.amm.addresses import AMM_PROGRAM, FEES_PROGRAM, PUMP_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.events import CPI_PREFIX
from tests.support.vectors import load


def seeds() -> dict[str, list[bytes]]:
    """Bytes by kind: one entry per account, ``event`` and ``log`` (lines joined by line breaks)."""
    found: dict[str, list[bytes]] = {}
    for vector in load("accounts")["vectors"]:
        found.setdefault(vector["account"], []).append(base64.b64decode(vector["data_b64"]))
    found["Pool"] += [base64.b64decode(vector["data_b64"]) for vector in load("pools_287")["vectors"]]
    for entry in load("configs")["fee_config_accounts"].values():
        found["FeeConfig"].append(base64.b64decode(entry["data_b64"]))
    events = [base64.b64decode(vector["data_b64"]) for vector in load("events")["vectors"]]
    found["event"] = events + [CPI_PREFIX + event for event in events]
    found["log"] = [log_of(event, code) for code, event in enumerate(events, 6000)]
    return found


def log_of(event: bytes, code: int) -> bytes:
    """Log lines of a router's transaction: a swap with an event, a migration, and a failure with ``code``."""
    data = base64.b64encode(event).decode()
    router = "proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u"
    lines = [
        f"Program {router} invoke [1]",
        f"Program {AMM_PROGRAM} invoke [2]",
        "Program log: Instruction: Buy",
        f"Program {FEES_PROGRAM} invoke [3]",
        f"Program return: {FEES_PROGRAM} FAAAAAAAAAAFAAAAAAAAAAUAAAAAAAAA",
        f"Program {FEES_PROGRAM} success",
        f"Program data: {data}",
        f"Program {AMM_PROGRAM} invoke [3]",
        f"Program {AMM_PROGRAM} success",
        f"Program {AMM_PROGRAM} consumed 81716 of 227084 compute units",
        f"Program {AMM_PROGRAM} success",
        f"Program {PUMP_PROGRAM} invoke [2]",
        f"Program data: {data}",
        f"Program {PUMP_PROGRAM} success",
        f"Program {TOKEN_PROGRAM} invoke [2]",
        f"Program {TOKEN_PROGRAM} failed: custom program error: {code:#x}" if code % 2 else "Log truncated",
    ]
    return "\n".join(lines).encode()
