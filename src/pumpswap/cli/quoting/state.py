"""The pool of a quote: from a state file, from options, or from both (options win).

A state file is a JSON object; integers may be written as numbers or as strings::

    {"pool": {"virtual_quote_reserves": "0",           signed, added to the vault for the price
              "is_canonical": true,                    or the pool's "creator" and "base_mint"
              "coin_creator": "<address>",             the zero key 111…1 (32 ones) when there is none
              "is_cashback_coin": false, …},           any field of the account; those left out are zero
     "base_reserve": "206900000000000",                raw units in the base vault
     "quote_vault": "84990359056",                     raw units in the quote vault
     "base_supply": "1000000000000000",                supply of the base mint
     "base_decimals": 6, "quote_decimals": 9, "slot": 0, "address": "…"}

What decides the price or the fees must be written; nothing of that is assumed. The output of ``pumpswap pool decode
--json`` lacks only the three reserves (add the keys, or the options), and the keys ``state`` and ``state_after`` of
``pumpswap quote --json`` are complete state files.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_type_hints

from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import NATIVE_MINT_2022, USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.codec import ZERO_KEY
from pumpswap.cli.decoding.records import fields_json
from pumpswap.errors import BadInput, UsageError
from pumpswap.units import U64_MAX, to_units

__all__ = ["GRADUATE", "PoolOptions", "quote_symbol", "state_json", "state_of"]

# A standard curve's graduate, as the chain recorded it most often (docs/protocol.md 2.7).
GRADUATE = {"base_reserve": 206_900_000_000_000, "quote_vault": 84_990_359_056, "base_supply": 10**15}

_SOME_CREATOR = Pubkey(b"\1" * 32)  # only whether there is a creator matters to a quote
_SOL_MINTS = (WSOL_MINT, NATIVE_MINT_2022, ZERO_KEY)
# The length of the account and what is behind its known fields decide nothing here.
_FIELDS = {name: get_type_hints(Pool)[name] for name in Pool.FIELDS if name not in ("account_len", "tail")}
_BLANK = {name: ZERO_KEY if kind is Pubkey else kind() for name, kind in _FIELDS.items()}
_RESERVES = ("base_reserve", "quote_vault", "base_supply")
_STATE_KEYS = {*_RESERVES, "pool", "address", "base_decimals", "quote_decimals", "slot", "base_token_program",
               "quote_token_program"}  # fmt: skip
# What `pool decode --json` writes besides; it decides nothing here.
_OTHER_KEYS = {"schema", "version", "kind", "fields", "owner", "account_len", "tail_hex", "derived", "warnings"}
_PRICING = {"virtual_quote_reserves": "0", "coin_creator": "the address, or the zero key when there is none"}


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """What the command line says about the pool. None: nothing. Amounts are display amounts."""

    base_reserve: Decimal | None = None
    quote_vault: Decimal | None = None
    virtual_quote: Decimal | None = None
    supply: Decimal | None = None
    canonical: bool | None = None
    coin_creator: bool | None = None
    cashback: bool | None = None
    mayhem: bool | None = None
    creator_fee_bps: int | None = None
    quote_mint: Pubkey | None = None
    base_decimals: int | None = None
    quote_decimals: int | None = None


def state_of(document: dict[str, Any] | None, options: PoolOptions) -> PoolState:
    """The state to quote on. Without a file, what the options leave open is a fresh graduate's.

    Raises BadInput for a file that does not say what it must, UsageError for options that make no sense.
    """
    fields = {} if document is None else _pool_fields(document)
    record = document or {}
    if document is None:
        fields = {"creator": pool_authority(ZERO_KEY), "coin_creator": _SOME_CREATOR, "quote_mint": WSOL_MINT}
    if options.quote_mint is not None:
        fields["quote_mint"] = options.quote_mint
    base_decimals = _first(options.base_decimals, _small(record, "base_decimals"), 6)
    quote_decimals = _first(options.quote_decimals, _small(record, "quote_decimals"), _decimals(fields["quote_mint"]))
    if quote_decimals is None:
        raise UsageError("the decimals of this quote mint are not known", hint="add --quote-decimals")
    if options.virtual_quote is not None:
        fields["virtual_quote_reserves"] = _units(options.virtual_quote, quote_decimals, "--virtual-quote")
    _apply_flags(fields, options)
    given = {
        "base_reserve": (options.base_reserve, base_decimals, "--base-reserve"),
        "quote_vault": (options.quote_vault, quote_decimals, "--quote-vault"),
        "base_supply": (options.supply, base_decimals, "--supply"),
    }
    others: dict[str, Any] = {
        name: _units(amount, decimals, option) if amount is not None else _reserve(document, name, option)
        for name, (amount, decimals, option) in given.items()
    }
    programs = ("base_token_program", "quote_token_program")
    others |= {name: _key(record[name], name) for name in programs if name in record}
    return PoolState(
        pool=Pool(**{**_BLANK, **fields}),
        address=_key(record.get("address", str(ZERO_KEY)), "address"),
        slot=_small(record, "slot", U64_MAX) or 0,
        base_decimals=base_decimals,
        quote_decimals=quote_decimals,
        **others,
    )


def state_json(state: PoolState) -> dict[str, Any]:
    """A complete state file."""
    fields = fields_json(state.pool)
    return {
        "address": str(state.address),
        "pool": {name: fields[name] for name in _FIELDS},
        **{name: str(getattr(state, name)) for name in _RESERVES},
        "base_decimals": state.base_decimals,
        "quote_decimals": state.quote_decimals,
        "base_token_program": str(state.base_token_program),
        "quote_token_program": str(state.quote_token_program),
        "slot": state.slot,
    }


def quote_symbol(mint: Pubkey) -> str:
    """What people call the quote side."""
    if mint in _SOL_MINTS:
        return "SOL"
    return "USDC" if mint == USDC_MINT else "quote"


def _pool_fields(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``Pool`` that a state file writes, converted."""
    _check_keys(document, _STATE_KEYS | _OTHER_KEYS, "the state")
    if document.get("kind", "Pool") != "Pool":
        raise BadInput(f"this is a decoded {document['kind']}, not a pool", hint="decode the pool account")
    written = document.get("fields" if "kind" in document else "pool")
    if not isinstance(written, dict):
        raise BadInput("the state has no object 'pool'", hint="see the format in: pumpswap quote --help")
    _check_keys(written, {*_FIELDS, "is_canonical"}, "the pool of the state")
    for name, example in _PRICING.items():
        if name not in written:
            raise BadInput(f"the pool of the state does not say its {name}", hint=f'write "{name}": {example}')
    fields = {name: _field(value, name) for name, value in written.items() if name in _FIELDS}
    fields.setdefault("quote_mint", WSOL_MINT)
    if "creator" in fields and "base_mint" in fields:
        actual = fields["creator"] == pool_authority(fields["base_mint"])
        if _flag(written.get("is_canonical", actual), "is_canonical") != actual:
            raise BadInput("is_canonical contradicts the pool's creator and base_mint", hint="leave is_canonical out")
        return fields
    if "is_canonical" not in written:
        hint = 'write "is_canonical", or the fields "creator" and "base_mint"'
        raise BadInput("the pool of the state does not say whether it is canonical", hint=hint)
    mint = fields.get("base_mint", ZERO_KEY)
    fields["creator"] = pool_authority(mint) if _flag(written["is_canonical"], "is_canonical") else ZERO_KEY
    return fields


def _apply_flags(fields: dict[str, Any], options: PoolOptions) -> None:
    authority = pool_authority(fields.get("base_mint", ZERO_KEY))
    if options.canonical:
        fields["creator"] = authority
    elif options.canonical is False and fields["creator"] == authority:
        fields["creator"] = ZERO_KEY
    if options.coin_creator is False:
        fields["coin_creator"] = ZERO_KEY
    elif options.coin_creator and fields["coin_creator"] == ZERO_KEY:
        fields["coin_creator"] = _SOME_CREATOR
    flags = {
        "is_cashback_coin": options.cashback,
        "is_mayhem_mode": options.mayhem,
        "creator_fee_bps": options.creator_fee_bps,
    }
    fields |= {name: value for name, value in flags.items() if value is not None}


def _reserve(document: dict[str, Any] | None, name: str, option: str) -> int:
    if document is None:
        return GRADUATE[name]
    if name not in document:
        raise BadInput(f"the state does not say its {name}", hint=f'write "{name}" in raw units, or add {option}')
    return _integer(document[name], name, 0, U64_MAX)


def _units(amount: Decimal, decimals: int, option: str) -> int:
    try:
        units = to_units(amount, decimals)
    except UsageError as error:
        raise UsageError(f"{option}: {error.what}", hint=error.hint) from None
    if abs(units) > U64_MAX:
        raise UsageError(f"{option}: {amount} is beyond 64 bits", hint="this is a display amount, not raw units")
    return units


def _field(value: Any, name: str) -> Any:
    kind = _FIELDS[name]
    if kind is bool:
        return _flag(value, name)
    if kind is Pubkey:
        return _key(value, name)
    if name == "virtual_quote_reserves":
        return _integer(value, name, -(2**127), 2**127 - 1)
    return _integer(value, name, 0, U64_MAX)


def _integer(value: Any, name: str, least: int, most: int) -> int:
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 40:
        raise BadInput(f"{name} is {value!r}, not an integer", hint="raw units, as a number or as a string of digits")
    number = int(text)
    if not least <= number <= most:
        raise BadInput(f"{name} is {number}, outside of what the chain can hold", hint=f"from {least} to {most}")
    return number


def _small(record: dict[str, Any], name: str, most: int = 18) -> int | None:
    return _integer(record[name], name, 0, most) if name in record else None


def _flag(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise BadInput(f"{name} is {value!r}, neither true nor false", hint="write it without quotes")


def _key(value: Any, name: str) -> Pubkey:
    try:
        return Pubkey.from_string(value)
    except (ValueError, TypeError):
        raise BadInput(f"{name} is {value!r}, no address", hint="32 to 44 base58 characters, in quotes") from None


def _check_keys(record: dict[str, Any], known: set[str], what: str) -> None:
    for name in record:
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {similar[0]!r}?" if similar else "see the format in: pumpswap quote --help"
            raise BadInput(f"{what} has an unknown key {name!r}", hint=hint)


def _decimals(mint: Pubkey) -> int | None:
    if mint in _SOL_MINTS:
        return 9
    return 6 if mint == USDC_MINT else None


def _first(*values: int | None) -> Any:
    return next((value for value in values if value is not None), None)
