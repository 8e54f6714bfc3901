"""``pumpswap quote``: the figures are amm's, whatever way the pool was told."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import (
    BuyQuote,
    PoolState,
    Quote,
    buy_exact_base,
    buy_exact_quote,
    current_schedule,
    preferred_generation,
    schedule_at,
    sell_exact_base,
    sell_exact_quote,
)
from pumpswap.amm.addresses import USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.codec import ZERO_KEY
from tests.cli.running import answer, refusal, run
from tests.cli.samples import account_json, graduate_state, pool_bytes
from tests.support.vectors import load, pool

CREATOR = Pubkey(b"\7" * 32)
GRADUATE = PoolState(
    pool=pool(creator=pool_authority(ZERO_KEY), quote_mint=WSOL_MINT, coin_creator=CREATOR),
    address=ZERO_KEY,
    base_reserve=206_900_000_000_000,
    quote_vault=84_990_359_056,
    base_supply=10**15,
)
SOL = 10**9
TOKEN = 10**6


def check(said: dict[str, Any], quote: Quote, state: PoolState) -> None:
    """Every figure of the object, against the quote itself."""
    is_buy = isinstance(quote, BuyQuote)
    base = quote.base_out if isinstance(quote, BuyQuote) else quote.base_in
    paid = quote.total_quote if isinstance(quote, BuyQuote) else quote.user_quote_out
    assert said["side"] == ("buy" if is_buy else "sell")
    assert said["base_units"] == str(base)
    assert said["total_quote_units" if is_buy else "user_quote_units"] == str(paid)
    for name in ("gross_quote", "lp_fee", "protocol_fee", "creator_fee", "cashback", "buyback_fee"):
        assert said[f"{name}_quote_units" if name != "gross_quote" else "gross_quote_units"] == str(
            getattr(quote, name)
        )
    assert said["rates"] == {
        "lp_bps": quote.lp_bps,
        "protocol_bps": quote.protocol_bps,
        "creator_bps": quote.creator_bps,
    }
    (limit,) = [value for name, value in said.items() if name.startswith("limit_")]
    assert limit == str(quote.limit(said["slippage_bps"]))
    after = state.after(quote, preferred_generation(state))
    for name, exact in (
        ("impact", quote.impact),
        ("price_before", state.spot_price),
        ("price_after", after.spot_price),
    ):
        assert Fraction(int(said[name]["numerator"]), int(said[name]["denominator"])) == exact
    assert said["market_cap_quote_units"] == str(state.market_cap)
    assert said["market_cap_after_quote_units"] == str(after.market_cap)


@pytest.mark.parametrize(
    ("arguments", "quote", "limit_key"),
    [
        (["--buy-sol", "1"], buy_exact_quote(GRADUATE, current_schedule(), SOL), "limit_least_base_units"),
        (["--buy-quote-units", "100"], buy_exact_quote(GRADUATE, current_schedule(), 100), "limit_least_base_units"),
        (["--buy-base", "1000000"], buy_exact_base(GRADUATE, current_schedule(), 10**12), "limit_most_quote_units"),
        (["--buy-base-units", "7"], buy_exact_base(GRADUATE, current_schedule(), 7), "limit_most_quote_units"),
        (["--sell-base", "0.5"], sell_exact_base(GRADUATE, current_schedule(), 500_000), "limit_least_quote_units"),
        (["--sell-base-units", "9999"], sell_exact_base(GRADUATE, current_schedule(), 9999), "limit_least_quote_units"),
        (
            ["--sell-for-sol", "2.5"],
            sell_exact_quote(GRADUATE, current_schedule(), 5 * SOL // 2),
            "limit_least_quote_units",
        ),
        (["--sell-for-quote-units", "5"], sell_exact_quote(GRADUATE, current_schedule(), 5), "limit_least_quote_units"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
@pytest.mark.parametrize("slippage", ["0", "100", "9999"])
def test_without_a_pool_a_fresh_graduate_is_quoted(
    arguments: list[str], quote: Quote, limit_key: str, slippage: str
) -> None:
    said = answer("quote", *arguments, "--slippage-bps", slippage)
    check(said, quote, GRADUATE)
    assert limit_key in said
    assert said["slippage_bps"] == int(slippage)


def test_slippage_is_one_percent_unless_told() -> None:
    assert answer("quote", "--buy-sol", "1")["slippage_bps"] == 100


def changed(state: PoolState, fields: dict[str, Any], **reserves: int) -> PoolState:
    figures = {name: getattr(state, name) for name in ("base_reserve", "quote_vault", "base_supply")}
    return PoolState(pool=state.pool.with_changes(**fields), address=ZERO_KEY, **{**figures, **reserves})


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["--permissionless"], changed(GRADUATE, {"creator": ZERO_KEY})),
        (["--no-coin-creator"], changed(GRADUATE, {"coin_creator": ZERO_KEY})),
        (["--cashback"], changed(GRADUATE, {"is_cashback_coin": True})),
        (["--mayhem", "--supply", "5000000000"], changed(GRADUATE, {"is_mayhem_mode": True}, base_supply=5 * 10**15)),
        (["--creator-fee-bps", "300"], changed(GRADUATE, {"creator_fee_bps": 300})),
        (["--supply", "2000000000"], changed(GRADUATE, {}, base_supply=2 * 10**15)),
        (["--base-reserve", "100000000.5"], changed(GRADUATE, {}, base_reserve=100_000_000_500_000)),
        (["--quote-vault", "0.25"], changed(GRADUATE, {}, quote_vault=SOL // 4)),
        (["--virtual-quote", "-0.6"], changed(GRADUATE, {"virtual_quote_reserves": -600_000_000})),
        (["--quote-vault", "67.4", "--virtual-quote", "17.584505294"],
         changed(GRADUATE, {"virtual_quote_reserves": 17_584_505_294}, quote_vault=67_400_000_000)),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_options_describe_the_pool(arguments: list[str], state: PoolState) -> None:
    buy = answer("quote", "--buy-quote-units", "50000000", *arguments)
    check(buy, buy_exact_quote(state, current_schedule(), 50_000_000), state)
    sell = answer("quote", "--sell-base", "1000", *arguments)
    check(sell, sell_exact_base(state, current_schedule(), 1000 * TOKEN), state)


@pytest.mark.parametrize("date", ["2025-03-21", "2025-06-01", "2025-09-02T12:00", "2026-05-01", "2024-01-01"])
def test_fees_of_the_past_can_be_asked_for(date: str) -> None:
    from pumpswap.clock import NS_PER_SECOND, parse_utc

    schedule = schedule_at(parse_utc(date) // NS_PER_SECOND)
    said = answer("quote", "--buy-sol", "1", "--at", date)
    check(said, buy_exact_quote(GRADUATE, schedule, SOL), GRADUATE)


def test_todays_fees_are_those_of_the_last_dated_schedule() -> None:
    assert answer("quote", "--buy-sol", "1")["schedule_since"] == "2026-09-09"


def worked_examples() -> list[Any]:
    """Those of the current schedule, where slippage in percent is an integer of bps."""
    every = load("worked_examples")["quotes"] + load("quotes")["vectors"][:60]
    return [
        pytest.param(each, id=each["id"])
        for each in every
        if "output" in each
        and (each["input"]["fee_config"], each["input"]["global_config"]) == ("oct2026", "on")
        and not any(tag.startswith("degenerate") for tag in each["tags"])
    ]


@pytest.mark.parametrize("vector", worked_examples())
def test_a_state_file_gives_the_figures_of_the_official_sdk(vector: dict[str, Any], tmp_path: Path) -> None:
    given, expected, call = vector["input"], vector["output"], vector["fn"]
    names = ("creator", "base_mint", "quote_mint", "coin_creator", "is_mayhem_mode", "creator_fee_bps")
    fields = {name: given[name] for name in (*names, "virtual_quote_reserves")}
    state = {
        "pool": fields,
        "base_reserve": given["base_reserve"],
        "quote_vault": given["quote_reserve"],
        "base_supply": given["base_mint_supply"],
        "quote_decimals": 6,
    }
    (tmp_path / "state.json").write_text(json.dumps(state))
    option = {
        "buyBaseInput": "--buy-base-units",
        "buyQuoteInput": "--buy-quote-units",
        "sellBaseInput": "--sell-base-units",
        "sellQuoteInput": "--sell-for-quote-units",
    }[call]
    result = run(
        "quote", option, given.get("base") or given["quote"], "--state", str(tmp_path / "state.json"), "--json"
    )
    if call == "sellQuoteInput" and result.exit_code == 8:
        return  # the SDK quotes what the pool cannot pay
    said = json.loads(result.stdout)
    if call == "buyBaseInput":
        assert said["total_quote_units"] == expected["ui_quote"]
    elif call == "buyQuoteInput":
        assert (said["base_units"], said["gross_quote_units"]) == (
            expected["base"],
            expected["internal_quote_without_fees"],
        )
    elif call == "sellBaseInput":
        assert said["user_quote_units"] == expected["ui_quote"]
    else:
        assert int(said["user_quote_units"]) >= int(given["quote"])


def test_the_printed_state_is_a_state_file_and_quotes_can_be_chained(tmp_path: Path) -> None:
    first = answer("quote", "--buy-sol", "3", "--cashback", "--virtual-quote", "-0.5")
    (tmp_path / "same.json").write_text(json.dumps(first["state"]))
    (tmp_path / "after.json").write_text(json.dumps(first["state_after"]))
    assert answer("quote", "--buy-sol", "3", "--state", str(tmp_path / "same.json")) == first
    second = answer("quote", "--sell-base-units", first["base_units"], "--state", str(tmp_path / "after.json"))
    assert second["price_before"] == first["price_after"]
    assert int(second["user_quote_units"]) < int(first["total_quote_units"])


def test_a_decoded_pool_becomes_a_state_by_adding_reserves(tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text(json.dumps(account_json(pool_bytes())))
    decoded = answer("pool", "decode", str(tmp_path / "account.json"))
    (tmp_path / "pool.json").write_text(json.dumps(decoded))
    call = ("quote", "--buy-quote-units", "1000000", "--state", str(tmp_path / "pool.json"), "--quote-decimals", "6")
    assert refusal(1, *call)["what"] == "the state does not say its base_reserve"
    said = answer(*call, "--base-reserve", "1000", "--quote-vault", "50", "--supply", "1000000")
    (tmp_path / "pool.json").write_text(
        json.dumps({**decoded, "base_reserve": 10**9, "quote_vault": 50 * 10**6, "base_supply": str(10**12)})
    )
    assert answer(*call) == said
    assert said["state"]["pool"] == decoded["fields"]


def test_a_state_may_come_from_standard_input() -> None:
    piped = answer("quote", "--buy-sol", "1", "--state", "-", input=json.dumps(graduate_state()))
    assert piped["base_units"] == "2376720170393"  # worked example E02


def test_options_win_over_the_file() -> None:
    state = json.dumps(graduate_state())
    flags = ["--permissionless", "--no-coin-creator", "--quote-vault", "10", "--virtual-quote", "1"]
    said = answer("quote", "--buy-sol", "1", "--state", "-", *flags, input=state)
    fields = {"creator": ZERO_KEY, "coin_creator": ZERO_KEY, "virtual_quote_reserves": SOL}
    check(said, buy_exact_quote(changed(GRADUATE, fields, quote_vault=10 * SOL), current_schedule(), SOL),
          changed(GRADUATE, fields, quote_vault=10 * SOL))  # fmt: skip
    state = json.dumps(graduate_state(pool={"is_canonical": False, "coin_creator": str(ZERO_KEY),
                                            "virtual_quote_reserves": 0}))  # fmt: skip
    said = answer("quote", "--buy-sol", "1", "--state", "-", "--canonical", "--coin-creator", input=state)
    assert said["rates"] == {"lp_bps": 2, "protocol_bps": 93, "creator_bps": 30}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in graduate_state().items() if key != name}


def pool_with(**changes: Any) -> dict[str, Any]:
    fields = {**graduate_state()["pool"], **changes}
    return graduate_state(pool={name: value for name, value in fields.items() if value is not ...})


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (without("base_reserve"), "the state does not say its base_reserve"),
        (without("quote_vault"), "the state does not say its quote_vault"),
        (without("base_supply"), "the state does not say its base_supply"),
        (without("pool"), "the state has no object 'pool'"),
        (graduate_state(pool=[]), "the state has no object 'pool'"),
        (graduate_state(base_suply=1), "the state has an unknown key 'base_suply'"),
        (graduate_state(kind="FeeConfig"), "this is a decoded FeeConfig, not a pool"),
        (graduate_state(base_reserve=1.5), "base_reserve is 1.5, not an integer"),
        (graduate_state(base_reserve="1e9"), "base_reserve is '1e9', not an integer"),
        (graduate_state(base_reserve=True), "base_reserve is True, not an integer"),
        (graduate_state(base_reserve=None), "base_reserve is None, not an integer"),
        (graduate_state(base_reserve="-1"), "base_reserve is -1, outside of what the chain can hold"),
        (graduate_state(quote_vault=2**64), f"quote_vault is {2**64}, outside"),
        (graduate_state(base_decimals=77), "base_decimals is 77, outside"),
        (graduate_state(address="abc"), "address is 'abc', no address"),
        (graduate_state(address=5), "address is 5, no address"),
        (pool_with(coin_creator=...), "the pool of the state does not say its coin_creator"),
        (pool_with(virtual_quote_reserves=...), "the pool of the state does not say its virtual_quote_reserves"),
        (pool_with(is_canonical=...), "the pool of the state does not say whether it is canonical"),
        (pool_with(is_canonical="yes"), "is_canonical is 'yes', neither true nor false"),
        (pool_with(is_mayhem_mode=1), "is_mayhem_mode is 1, neither true nor false"),
        (pool_with(lp_suply=1), "the pool of the state has an unknown key 'lp_suply'"),
        (pool_with(creator=str(ZERO_KEY), base_mint=str(ZERO_KEY)), "is_canonical contradicts"),
        (pool_with(virtual_quote_reserves=str(2**127)), f"virtual_quote_reserves is {2**127}, outside"),
    ],
)
def test_a_state_that_leaves_a_doubt_is_refused(state: dict[str, Any], what: str) -> None:
    error = refusal(1, "quote", "--buy-sol", "1", "--state", "-", input=json.dumps(state))
    assert error["code"] == "bad_input"
    assert error["what"].startswith(what)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "is no JSON"), (b"{", "is no JSON"), (b"[1]", "but no object"), (b"\xff\xfe\x00", "is no JSON"),
     (b"[" * 100_000, "is no JSON"), (b'{"a": ' + b"9" * 5000 + b"}", "is no JSON")],
    ids=["empty", "cut", "list", "binary", "deep", "huge number"],
)  # fmt: skip
def test_a_broken_state_file_is_refused(content: bytes, what: str) -> None:
    assert what in refusal(1, "quote", "--buy-sol", "1", "--state", "-", input=content)["what"]


def test_a_missing_state_file_is_not_found(tmp_path: Path) -> None:
    missing = str(tmp_path / "nope.json")
    assert refusal(3, "quote", "--buy-sol", "1", "--state", missing)["what"] == f"there is no file {missing}"
    assert "is a folder" in refusal(1, "quote", "--buy-sol", "1", "--state", str(tmp_path))["what"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "there is no trade to quote"),
        (["--buy-sol", "1", "--sell-base", "1"], "--buy-sol and --sell-base are two trades"),
        (["--buy-sol", "1", "--buy-quote-units", "1"], "--buy-sol and --buy-quote-units are two trades"),
        (["--buy-sol", "-1"], "--buy-sol: -1 is negative"),
        (["--buy-sol", "0"], "--buy-sol: 0 SOL is nothing to trade"),
        (["--buy-base", "0"], "--buy-base: 0 tokens are nothing to trade"),
        (["--sell-base", "-2"], "--sell-base: -2 is negative"),
        (["--buy-sol", "0.1234567891"], "--buy-sol: 0.1234567891 has more than 9 decimals"),
        (["--sell-base", "0.1234567"], "--sell-base: 0.1234567 has more than 6 decimals"),
        (["--sell-base", "1.5", "--base-decimals", "0"], "--sell-base: 1.5 has more than 0 decimals"),
        (["--buy-sol", "one"], "--buy-sol: 'one' is not a number"),
        (["--buy-sol", "1", "--quote-vault", "0.0000000001"], "--quote-vault: 1E-10 has more than 9 decimals"),
        (["--buy-sol", "1", "--base-reserve", "99999999999999999"], "--base-reserve: 99999999999999999 is beyond"),
        (["--buy-sol", "1", "--slippage-bps", "10001"], "--slippage-bps: '10001' is not an integer"),
        (["--buy-sol", "1", "--at", "soon"], "--at: 'soon' is no date"),
        (["--buy-sol", "1", "--quote-mint", "abc"], "--quote-mint: 'abc' is no Solana address"),
        (["--buy-sol", "1", "--quote-mint", str(USDC_MINT)], "--buy-sol: this pool is not priced in SOL"),
        (["--buy-quote-units", "1", "--quote-mint", str(CREATOR)], "the decimals of this quote mint are not known"),
    ],
)
def test_a_wrong_trade_or_pool_is_a_usage_error(arguments: list[str], what: str) -> None:
    assert refusal(2, "quote", *arguments)["what"].startswith(what)


@pytest.mark.parametrize(
    ("arguments", "program_code", "program_error"),
    [
        (["--buy-base", "206900000"], 6025, "DivisionByZero"),
        (["--buy-base", "206900001"], 6016, "BuyMoreBaseAmountThanPoolReserves"),
        (["--buy-quote-units", "1"], 6039, None),
        (["--sell-for-sol", "85"], 6063, "InsufficientRealQuoteReserves"),
        (["--buy-sol", "1", "--base-reserve", "0"], None, "EmptyPool"),
    ],
)
def test_what_the_program_refuses_carries_its_code(
    arguments: list[str], program_code: int | None, program_error: str | None
) -> None:
    error = refusal(8, "quote", *arguments)
    assert error["code"] == "trade_refused"
    assert error["program_code"] == program_code
    if program_error:
        assert error["program_error"] == program_error


def test_a_sale_for_nothing_is_quoted_with_a_warning() -> None:
    said = answer("quote", "--sell-base-units", "1")
    assert said["user_quote_units"] == "0"
    assert said["warnings"] == ["this sale pays nothing: the program would take the tokens; sell more at once"]
    assert run("quote", "--sell-base-units", "1").stderr.startswith("Warning: this sale pays nothing")


def test_a_usdc_pool_is_quoted_in_usdc() -> None:
    usdc = ["--quote-mint", str(USDC_MINT), "--quote-vault", "12000"]
    said = answer("quote", "--buy-quote-units", "100000000", *usdc)
    assert said["quote_symbol"] == "USDC"
    assert said["base_units"] == "1688979539277"  # worked example E11
    assert "Buy for 100 USDC" in run("quote", "--buy-quote-units", "100000000", *usdc).stdout


def test_the_table_for_people() -> None:
    assert run("quote", "--buy-sol", "1").stdout.splitlines() == [
        "Buy for 1 SOL   canonical pool, fees of 2026-09-09",
        "",
        " price                  0.00000041078    SOL      per token",
        " market cap           410.779889105      SOL      decides the fees",
        " in the pool           84.990359056      SOL      and 206,900,000 tokens",
        "",
        " swap                   0.98765432       SOL      0.000000415553 per token",
        " LP fee                 0.000197531      SOL      2 bps",
        " protocol fee           0.009185186      SOL      93 bps, buyback 0.004592593",
        " creator fee            0.002962963      SOL      30 bps",
        " you pay                1                SOL      1.23 % of it are fees",
        "",
        " you receive    2,376,720.170421         tokens",
        " at least       2,352,952.968716         tokens   limit, 1 % slippage",
        " price impact          +1.16             %        before fees, above the price",
        " price after            0.000000420383   SOL      +2.34 %",
        "",
    ]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["--sell-base", "1000000"], ["Sell 1,000,000 tokens", " you receive", " you sell", " at least", "−0.96 %"]),
        (["--sell-for-sol", "1"], ["Sell for 1 SOL", " you receive", " you sell"]),
        (["--buy-base", "5"], ["Buy 5 tokens", " you pay ", " pay at most"]),
        (["--buy-sol", "1", "--cashback"], ["cashback canonical pool", " cashback ", "can be claimed back"]),
        (["--buy-sol", "1", "--mayhem", "--permissionless"], ["mayhem permissionless pool"]),
        (["--buy-sol", "1", "--no-coin-creator"], ["0 bps, no coin creator"]),
        (["--buy-sol", "1", "--virtual-quote", "1"], [" virtual ", "prices, cannot be paid out"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_the_table_says_what_kind_of_trade_it_is(arguments: list[str], lines: list[str]) -> None:
    table = run("quote", *arguments).stdout
    assert max(map(len, table.splitlines())) <= 80
    for line in lines:
        assert line in table
