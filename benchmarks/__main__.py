"""``make bench``: ours against the official SDK under Node, in one run on one machine.

Every figure that the documentation claims comes from here. Figures are the best of several batches, so that the
machine's noise counts as little as possible; ratios are what is claimed, absolute figures only say what to expect.
"""

from __future__ import annotations

import argparse
import base64
import sys
from typing import Any

from benchmarks.node import NodeUnavailable, sdk_figures
from benchmarks.ours import our_figures, start_up_milliseconds
from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig
from tests.support.evidence import write_evidence
from tests.support.vectors import instruction_state, load

LEAST_RATIO = {
    "buy_base_input": 40,
    "buy_quote_input": 40,
    "sell_base_input": 40,
    "decode_pool": 3,
    "build_and_sign_swap": 5,
}
LABELS = {
    "buy_base_input": "quote: buy exact base",
    "buy_quote_input": "quote: buy by budget",
    "sell_base_input": "quote: sell exact base",
    "decode_pool": "decode a Pool account",
    "decode_event": "decode a swap event from base64",
    "build_swap": "build the instructions of a swap",
    "compile_sign_serialise": "compile, sign, serialise",
    "build_and_sign_swap": "build and sign a swap",
}


def main() -> int:
    """Measure, print, write the evidence; 1 when a ratio is below what is promised."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--no-evidence", action="store_true", help="print only")
    options = parser.parse_args()
    request, state, schedule = _case()
    try:
        peer = sdk_figures(request)
    except NodeUnavailable as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    ours = our_figures(state, schedule, request)
    help_ms = start_up_milliseconds()
    ratios = {name: peer["microseconds"][name] / ours[name] for name in LABELS}
    print(
        f"ours (CPython {sys.version.split()[0]}) against @pump-fun/pump-swap-sdk {peer['sdk']} (Node {peer['node']})\n"
    )
    print(f"{'':36}{'SDK µs':>12}{'ours µs':>12}{'ratio':>10}{'promised':>11}")
    for name, label in LABELS.items():
        promised = f"≥ {LEAST_RATIO[name]}" if name in LEAST_RATIO else ""
        print(f"{label:36}{peer['microseconds'][name]:12.2f}{ours[name]:12.2f}{ratios[name]:9.1f}×{promised:>11}")
    print(f"\n{'build and sign, addresses cached':36}{'':12}{ours['build_and_sign_swap_warm']:12.2f}")
    print(f"{'decode a swap event from bytes':36}{'':12}{ours['decode_event_bytes']:12.2f}")
    print(f"{'pumpswap --help':36}{'':12}{help_ms:10.0f} ms   (aim 250 ms)")
    short = [name for name, least in LEAST_RATIO.items() if ratios[name] < least]
    if not options.no_evidence:
        figures = {
            "ours_microseconds": {name: round(value, 3) for name, value in ours.items()},
            "sdk_microseconds": peer["microseconds"],
            "ratios": {name: round(value, 1) for name, value in ratios.items()},
            "help_milliseconds": round(help_ms),
            "sdk": peer["sdk"],
            "node": peer["node"],
        }
        notes = ["best of several batches on both sides", "build and sign derives every address anew on both sides"]
        print(f"\n{write_evidence('bench', figures, notes)}")
    for name in short:
        print(f"bench: {LABELS[name]} is {ratios[name]:.1f}×, {LEAST_RATIO[name]}× was promised", file=sys.stderr)
    return 1 if short else 0


def _case() -> tuple[dict[str, Any], Any, FeeSchedule]:
    """A fresh graduate on the live configuration, as a request to the peer and as our objects."""
    vector = next(one for one in load("instructions_v1")["vectors"] if one["builder"] == "buyInstructions")
    configs = load("configs")
    state = instruction_state(vector["state"])
    pool = state.pool.with_changes(account_len=300, tail=b"\0" * 13)
    global_account = configs["global_config_accounts"]["on"]["data_b64"]
    fee_account = configs["fee_config_accounts"]["oct2026"]["data_b64"]
    swaps = [one for one in load("events")["vectors"] if one["event"] == "SellEvent"]
    request = {
        "state": vector["state"],
        "pool_account": base64.b64encode(pool.encode()).decode(),
        "global_config": global_account,
        "fee_config": fee_account,
        "event": max(swaps, key=lambda one: one["payload_len"])["data_b64"],
        "base": "1000000000000",
        "quote": "1000000000",
    }
    schedule = FeeSchedule(
        GlobalConfig.decode(base64.b64decode(global_account)), FeeConfig.decode(base64.b64decode(fee_account))
    )
    return request, state, schedule


if __name__ == "__main__":
    sys.exit(main())
