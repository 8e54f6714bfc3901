"""Failures: whose they are, what they are called, and what they ask for (P5, P6)."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM, PUMP_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.failures import Advice, classify, classify_error
from pumpswap.errors import EndpointDown, NodeRefused, RateLimited, UsageError


def failed(program: Pubkey, code: int) -> tuple[object, list[str]]:
    err = {"InstructionError": [3, {"Custom": code}]}
    return err, [f"Program {program} invoke [1]", f"Program {program} failed: custom program error: {code:#x}"]


@pytest.mark.parametrize(
    ("code", "name", "advice"),
    [
        (6004, "ExceededSlippage", Advice.REBUILD),
        (6040, "BuySlippageBelowMinBaseAmountOut", Advice.REBUILD),
        (6013, "InvalidProtocolFeeRecipient", Advice.REBUILD),
        (6053, "BuybackFeeRecipientNotAuthorized", Advice.REBUILD),
        (6079, "CashbackCoinNotSupported", Advice.REBUILD),
        (101, "InstructionFallbackNotFound", Advice.REBUILD),
        (3012, "AccountNotInitialized", Advice.REBUILD),
        (6020, "DisabledBuy", Advice.STOP),
        (6021, "DisabledSell", Advice.STOP),
        (6063, "InsufficientRealQuoteReserves", Advice.STOP),
        (6999, "Unknown", Advice.STOP),
    ],
)
def test_p05_the_class_of_an_error_decides(code: int, name: str, advice: Advice) -> None:
    found = classify(*failed(AMM_PROGRAM, code))
    assert (found.program, found.code, found.advice) == (AMM_PROGRAM, code, advice)
    assert found.name == name or name.startswith(found.name) or code == 6020 or code == 6021
    assert found.amm_code == code
    assert found.text


def test_the_same_number_means_something_else_in_another_program() -> None:
    found = classify(*failed(PUMP_PROGRAM, 6063))
    assert (found.program, found.amm_code) == (PUMP_PROGRAM, None)
    assert found.name != classify(*failed(AMM_PROGRAM, 6063)).name
    unknown = classify({"InstructionError": [0, {"Custom": 6004}]}, [])
    assert (unknown.program, unknown.advice) == (None, Advice.STOP)
    assert "does not say whose" in unknown.text


def test_a_lack_of_funds_is_known_whoever_says_so() -> None:
    for program in (SYSTEM_PROGRAM, TOKEN_PROGRAM):
        assert classify(*failed(program, 1)).is_lack_of_funds
    for name in ("InsufficientFundsForFee", "AccountNotFound"):
        assert classify(name).is_lack_of_funds
    assert not classify(*failed(AMM_PROGRAM, 1)).is_lack_of_funds


@pytest.mark.parametrize(
    ("err", "advice"),
    [
        ("MaxLoadedAccountsDataSizeExceeded", Advice.REBUILD),
        ({"InstructionError": [2, "ComputationalBudgetExceeded"]}, Advice.REBUILD),
        ({"InstructionError": [2, "ProgramFailedToComplete"]}, Advice.REBUILD),
        ("BlockhashNotFound", Advice.REBROADCAST),
        ("AccountInUse", Advice.REBROADCAST),
        ({"InsufficientFundsForRent": {"account_index": 1}}, Advice.STOP),
        ({"InstructionError": [0, "PrivilegeEscalation"]}, Advice.STOP),
        ({"SomethingNew": 1}, Advice.STOP),
        ({"two": 1, "keys": 2}, Advice.STOP),
        (7, Advice.STOP),
    ],
)
def test_p06_the_networks_own_refusals_have_a_class_too(err: object, advice: Advice) -> None:
    assert classify(err).advice is advice


def test_what_did_not_fail_has_no_class() -> None:
    with pytest.raises(UsageError):
        classify(None)


def test_p05_an_error_of_asking_is_never_a_reason_to_rebuild() -> None:
    assert classify_error(EndpointDown("gone")).advice is Advice.REBROADCAST
    assert classify_error(RateLimited("slower")).advice is Advice.REBROADCAST
    assert classify_error(NodeRefused("no", code=-32000)).advice is Advice.STOP
    err, logs = failed(AMM_PROGRAM, 6004)
    preflight = NodeRefused("simulation failed", code=-32002, data={"err": err, "logs": logs})
    assert classify_error(preflight) == classify(err, logs)
