"""``pumpswap pool``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.sources import one_source

if TYPE_CHECKING:
    from pumpswap.amm import Pool

__all__ = ["decode", "pool"]

pool = LazyGroup(
    "pool",
    entries={
        "show": Entry("pumpswap.cli.pool_chain:show", "a pool now: price, reserves, fees, risks"),
        "find": Entry("pumpswap.cli.pool_chain:find", "the pools of a coin, canonical ones first"),
        "new": Entry("pumpswap.cli.pool_new:new", "new pools as they are made, graduates told apart"),
        "watch": Entry("pumpswap.cli.pool_chain:watch", "every swap of a pool as it is confirmed"),
        "decode": Entry("pumpswap.cli.pool:decode", "account bytes to fields: pools, configs, fees, curves"),
    },
    help="Pools on the chain, and the bytes of their accounts.",
    examples=[Example("pumpswap pool decode pool.json")],
)


@command(
    "decode",
    help=(
        "Decode an account, offline.\n\n"
        "FILE may hold raw bytes, base64, hex, or the JSON of 'solana account ADDRESS --output json-compact' and of "
        "getAccountInfo; - is standard input. The kind is recognised by itself: Pool in every length it ever had, "
        "GlobalConfig, FeeConfig, SharingConfig, BondingCurve, the volume accumulators, token accounts and mints. "
        "Fields have the names of the IDL; those newer than the account are zero.\n\n"
        "Exit code 12: bytes that this version does not know. Stop trading and upgrade."
    ),
    examples=[
        Example("pumpswap pool decode pool.json"),
        Example("solana account ADDRESS --output json-compact | pumpswap pool decode -", needs="the solana CLI"),
        Example("pumpswap pool decode --json pool.json > decoded.json", "with reserves a state file for 'quote'"),
        Example(
            "pumpswap quote --state decoded.json --base-reserve 206900000 --quote-vault 85 --supply 1000000000"
            " --buy-sol 1",
            "for example these",
        ),
    ],
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--base64", metavar="TEXT", help="The account's bytes as base64.")
@click.option("--hex", "hex_text", metavar="TEXT", help="The account's bytes as hex.")
@pass_output
def decode(out: Output, file: str | None, base64: str | None, hex_text: str | None) -> None:
    content = one_source(file, base64, hex_text, example="pumpswap pool decode pool.json")

    from pumpswap.amm import Pool
    from pumpswap.amm.codec import field_names
    from pumpswap.cli.decoding.accounts import RawAccount, account_of, decode_account
    from pumpswap.cli.decoding.records import fields_json, fields_table

    raw = account_of(content) if file is not None else RawAccount(content)
    account = decode_account(raw)
    for doubt in account.warnings:
        out.warn(doubt)
    record = account.record
    derived = _derived(record) if isinstance(record, Pool) else {}
    if out.json:
        fields = fields_json(record)
        wrapping = {"address": raw.address, "owner": raw.owner}
        said: dict[str, Any] = {name: str(key) for name, key in wrapping.items() if key is not None}
        said["account_len"] = len(raw.data)
        if isinstance(record, Pool):
            del fields["account_len"]
            said["tail_hex"] = fields.pop("tail")
        shown = {name: str(value) if type(value) is int else value for name, value in derived.items()}
        out.emit("account", {"kind": account.kind, **said, "fields": fields, "derived": shown})
        return
    # "program", since a token account has an owner of its own.
    rows = {name: key for name, key in (("address", raw.address), ("program", raw.owner)) if key is not None}
    rows |= {name: getattr(record, name) for name in field_names(record) if name not in ("account_len", "tail")}
    out.show(fields_table(rows, account.kind, f"{len(raw.data)} bytes"), keep_lines=True)
    if derived:
        out.show("", fields_table(derived, "What follows from it"), keep_lines=True)


def _derived(record: Pool) -> dict[str, Any]:
    return {
        "is_canonical": record.is_canonical,
        "fee_family": record.fee_family.value,
        "has_coin_creator": record.has_coin_creator,
        "is_boosted": record.is_boosted,
        "boost_reserves": record.boost_reserves,
        "fees_owed": record.fees_owed,
    }
