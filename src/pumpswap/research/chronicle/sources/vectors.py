"""State sequences of the protocol's test vectors as a chronicle: every sequence is a pool of its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, Pool, PoolState, current_schedule
from pumpswap.amm.acts import BoostBurn, BuyBase, BuyQuote, Deposit, PoolAct, Rates, Sell, SweepFees, Told, Withdraw
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.amm.events import FeeBucket
from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.errors import BadInput, NotFound
from pumpswap.model import Swap
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.slots import SLOT_NS, EvenSlots
from pumpswap.research.chronicle.step import Step
from pumpswap.research.chronicle.window import Numbering, Window

__all__ = ["VectorChronicle"]

_TRADES: Mapping[str, Any] = {"buy": BuyBase, "buy_exact_quote_in": BuyQuote, "sell": Sell}
_OTHERS: Mapping[str, Any] = {"boost_buy_and_burn": BoostBurn, "deposit": Deposit, "withdraw": Withdraw}
_SWEEPS = {"sweep_protocol_fee": FeeBucket.PROTOCOL, "sweep_creator_fee": FeeBucket.CREATOR}


def _newest_fees(_unix_seconds: int) -> FeeSchedule:
    return current_schedule()


class VectorChronicle(BaseChronicle):
    """One step of every sequence in each slot. Trades carry the rates that the vector says; steps that the program
    refuses change nothing and are left out.

    Raises NotFound, and BadInput for a file that holds no sequences.
    """

    def __init__(self, path: Path, window: Window | None = None) -> None:
        if not path.is_file():
            raise NotFound(f"{path} does not exist", hint="pass simulator.json of the protocol's vectors")
        content = path.read_bytes()
        source = {"kind": "vectors", "file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
        super().__init__(str(path), source, EvenSlots(1, TRIAL_START_NS), _newest_fees, window)
        try:
            cases = json.loads(content)["vectors"]
            self._sequences = [(_opening(case), list(_moves(case))) for case in cases]
        except (ValueError, LookupError, TypeError, AttributeError) as broken:
            raise BadInput(f"{path.name} holds no sequences of states: {broken}", hint="pass simulator.json") from None

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is invented."""
        return ("Pools are those of test vectors: times and addresses are invented, each trade pays what it says.",)

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        numbers = Numbering()
        states = {str(opening.address): opening for opening, _ in self._sequences}
        for pool, state in states.items():
            yield Step(TRIAL_START_NS, 1, numbers.next(1), pool, Told(state), None, state)
        for turn in range(max((len(moves) for _, moves in self._sequences), default=0)):
            slot, at_ns = turn + 2, TRIAL_START_NS + (turn + 1) * SLOT_NS
            for opening, moves in self._sequences:
                if turn >= len(moves):
                    continue
                act, rates, figures, swapped = moves[turn]
                pool = str(opening.address)
                before = states[pool]
                after = states[pool] = _with_figures(before, figures, slot)
                order = numbers.next(slot)
                swap = None if swapped is None else Swap(pool, at_ns, *swapped, slot=slot, signature=f"{pool}-{turn}")
                yield Step(at_ns, slot, order, pool, act, before, after, swap, rates=rates)


_Move = tuple[PoolAct, Rates | None, Mapping[str, int], tuple[bool, int, int] | None]


def _moves(case: Mapping[str, Any]) -> Iterator[_Move]:
    for step in case["steps"]:
        if "error" in step:
            continue
        figures = {name: int(value) for name, value in step["after"].items()}
        yield _act(step["op"]), _rates(step["event"]), figures, _swapped(step["transfers"])


def _act(op: Mapping[str, Any]) -> PoolAct:
    ix = op["ix"]
    figures = [int(value) for name, value in op.items() if name != "ix"]
    trade = _TRADES.get(ix.removesuffix("_v2"))
    if trade is not None:
        return cast(PoolAct, trade(*figures, 2 if ix.endswith("_v2") else 1))
    return SweepFees(_SWEEPS[ix]) if ix in _SWEEPS else cast(PoolAct, _OTHERS[ix](*figures))


def _rates(event: Mapping[str, str]) -> Rates | None:
    if "lp_fee_basis_points" not in event:
        return None
    names = ("lp_fee_basis_points", "protocol_fee_basis_points", "coin_creator_fee_basis_points")
    lp, protocol, creator = (int(event[name]) for name in names)
    if int(event["cashback_fee_basis_points"]):
        creator = int(event["cashback_fee_basis_points"])
    elif int(event["coin_creator_fee"]) == 0:
        creator = 0
    return Rates(lp, protocol, creator, int(event["buyback_fee_basis_points"]))


def _swapped(transfers: Mapping[str, str]) -> tuple[bool, int, int] | None:
    if "buyback" not in transfers:
        return None
    if "user_base_received" in transfers:
        return True, int(transfers["user_base_received"]), int(transfers["user_quote_paid"])
    return False, int(transfers["user_base_paid"]), int(transfers["user_quote_received"])


def _opening(case: Mapping[str, Any]) -> PoolState:
    told, figures = case["pool"], {name: int(value) for name, value in case["initial_state"].items()}
    address = Pubkey.from_bytes(hashlib.sha256(f"vector {case['id']}".encode()).digest())
    pool = Pool(
        pool_bump=255,
        index=0,
        creator=Pubkey.from_string(told["creator"]),
        base_mint=Pubkey.from_string(told["base_mint"]),
        quote_mint=Pubkey.from_string(told["quote_mint"]),
        lp_mint=ZERO_KEY,
        pool_base_token_account=ZERO_KEY,
        pool_quote_token_account=ZERO_KEY,
        lp_supply=0,
        coin_creator=Pubkey.from_string(told["coin_creator"]),
        is_mayhem_mode=told["is_mayhem_mode"],
        is_cashback_coin=told["is_cashback_coin"],
        creator_fee_bps=int(told["creator_fee_bps"]),
    )
    return _with_figures(PoolState(pool, address, 0, 0, 0), figures, 1)


def _with_figures(state: PoolState, figures: Mapping[str, int], slot: int) -> PoolState:
    names = ("virtual_quote_reserves", "protocol_fees", "creator_fees", "lp_supply")
    pool = state.pool.with_changes(**{name: figures[name] for name in names})
    return msgspec.structs.replace(
        state,
        pool=pool,
        base_reserve=figures["base_vault"],
        quote_vault=figures["quote_vault"],
        base_supply=figures["base_supply"],
        slot=slot,
    )
