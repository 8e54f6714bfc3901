"""``python -m tests.conformance``: ours against the official SDK, on random cases from a seed."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig, Pool, PoolState
from tests.conformance.addresses import compare_addresses
from tests.conformance.cases import Cases, PoolCase
from tests.conformance.instructions import compare_instructions
from tests.conformance.layouts import compare_accounts, compare_events
from tests.conformance.liquidity import compare_liquidity
from tests.conformance.node import NodeUnavailable, Oracle
from tests.conformance.quotes import compare_quotes
from tests.conformance.report import Tally
from tests.conformance.vectors import compare_vectors
from tests.support.material import ROOT

GOLDEN = ROOT / "tests" / "golden"
SDK_VERSION = "1.20.0"
BUCKETS = (
    "Pools with fee buckets: SDK 1.20.0 does not know them, so quoteReserve is the real reserve and the rest of E is"
    " given as virtual reserves; E and what a sale can be paid from are then the pool's."
)
EXACT_QUOTE_IN = (
    "buy_exact_quote_in: the SDK has no builder for it; its 23 accounts and data come from the SDK's IDL, its tail from"
    " the SDK's own buy on the same pool."
)


def configurations(oracle: Oracle) -> dict[tuple[str, str], FeeSchedule]:
    """The mainnet configurations of October and September 2026, handed to the SDK as account bytes; ours by name.

    ``off`` is the October GlobalConfig with the per-pool creator fee switched off.
    """
    stored = json.loads((GOLDEN / "configs.json").read_text())
    on = base64.b64decode(stored["global_config_accounts"]["on"]["data_b64"])
    global_accounts = {"on": on, "off": on[:940] + bytes(9) + on[949:]}
    fee_accounts = {
        name: base64.b64decode(account["data_b64"]) for name, account in stored["fee_config_accounts"].items()
    }
    for name, data in global_accounts.items():
        oracle.ask("set_global_config", name=name, data=base64.b64encode(data).decode())
    for name, data in fee_accounts.items():
        oracle.ask("set_fee_config", name=name, data=base64.b64encode(data).decode())
    return {
        (global_name, fee_name): FeeSchedule(GlobalConfig.decode(global_data), FeeConfig.decode(fee_data))
        for global_name, global_data in global_accounts.items()
        for fee_name, fee_data in fee_accounts.items()
    }


def our_state(case: PoolCase) -> PoolState:
    """The package's state of a random pool, decoded from the same bytes that describe it to a reader."""
    return PoolState(
        pool=Pool.decode(case.account()),
        address=Pubkey.from_string(case.address),
        base_reserve=case.base_reserve,
        quote_vault=case.quote_vault,
        base_supply=case.supply,
        base_token_program=Pubkey.from_string(case.base_token_program),
        quote_token_program=Pubkey.from_string(case.quote_token_program),
        slot=0,
    )


def run(options: argparse.Namespace, oracle: Oracle, tally: Tally) -> dict[str, Any]:
    """All comparisons; returns what the evidence says about the run."""
    about = oracle.ask("about")
    if about["sdk"] != SDK_VERSION:
        raise NodeUnavailable(f"the SDK is {about['sdk']}, not {SDK_VERSION}: the lock file has changed")
    print(f"official SDK {about['sdk']} under Node {about['node']}, seed {options.seed}")
    schedules = configurations(oracle)

    def sides(case: PoolCase) -> tuple[PoolState, FeeSchedule]:
        return our_state(case), schedules[case.global_config, case.fee_config]

    def stream(part: str) -> Cases:
        return Cases(Random(f"{options.seed}/{part}"), oracle)  # parts do not shift each other

    compare_vectors(oracle, tally, GOLDEN)
    compare_quotes(stream("quotes"), oracle, tally, options.quotes, sides)
    compare_instructions(stream("instructions"), oracle, tally, options.instructions, sides)
    compare_liquidity(stream("liquidity"), oracle, tally, options.instructions, sides)
    compare_accounts(stream("accounts"), oracle, tally, options.accounts)
    compare_events(stream("events"), oracle, tally, options.accounts)
    compare_addresses(stream("addresses"), oracle, tally, options.accounts)
    return {"seed": options.seed, "sdk": about["sdk"], "node": about["node"]}


def main() -> int:
    """Exit code 0 when nothing is unexplained, 1 otherwise or when Node is not to be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat a run; default: a new one each time")
    parser.add_argument("--quotes", type=int, default=2000, metavar="N", help="random quotes (default 2000)")
    parser.add_argument("--instructions", type=int, default=300, metavar="N", help="random swaps (default 300)")
    parser.add_argument("--accounts", type=int, default=200, metavar="N", help="random byte strings of each kind")
    parser.add_argument("--no-evidence", action="store_true", help="do not write evidence/conformance.json")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = SystemRandom().randrange(2**32)
    tally, began = Tally(), time.monotonic()
    try:
        with Oracle() as oracle:
            about = run(options, oracle, tally)
    except NodeUnavailable as missing:
        print(f"conformance: {missing}", file=sys.stderr)
        return 1
    print(f"\n{tally.table()}\n")
    print(f"{BUCKETS}\n{EXACT_QUOTE_IN}\n")
    failed = len(tally.unexplained)
    print(f"{failed} unexplained differences in {time.monotonic() - began:.0f} s (repeat: --seed {options.seed})")
    if not options.no_evidence:
        from tests.support.evidence import write_evidence

        notes = [BUCKETS, EXACT_QUOTE_IN, *(f"{reason.name}: {reason.value}" for reason in tally.reasons())]
        path = write_evidence("conformance", {**about, "unexplained": failed, "rows": tally.figures()}, notes)
        print(f"figures: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
