"""Environment variables: ours, and the names of the proof of concept and of the SDK that mean one of our keys.

Nothing that begins with ``PUMPSWAP_`` is ignored: what is no setting, and not one of ``OTHERS``, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

import yaml

from pumpswap.settings.keys import Key, all_keys, find_key, meant, section_of
from pumpswap.settings.nearest import nearest, shown
from pumpswap.settings.tree import Settings

__all__ = [
    "BORROWED", "OTHERS", "Borrowed", "Given", "borrowed_variables", "is_borrowed", "our_variables",
    "profile_of_others", "value_of_text",
]  # fmt: skip

PREFIX = "PUMPSWAP_"
_ENVIRONMENT = "NAUTILUS_ENVIRONMENT"
OTHERS = {
    "PUMPSWAP_PROFILE": "the profile of the settings file, as --profile",
    "PUMPSWAP_WALLET_PASSWORD": "the wallet's password, where there is no keyring and no --password-fd",
    "PUMPSWAP_EXECUTABLE": "where the bridge of `pumpswap host install-cli` finds the program",
    "PUMPSWAP_NO_UV": "scripts of this repository do without uv",
    "PUMPSWAP_MATERIAL": "where the tests of this repository find their reference material",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody has set: which key, from where, and what is wrong with it, if something is."""

    path: tuple[str, ...]
    value: Any
    origin: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A variable of another program that sets keys of ours. ``convert`` raises ValueError."""

    keys: str  # several are separated by commas
    convert: Callable[[str], Any]
    how: str = "as it is"


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except DecimalException:
        raise ValueError("is no number") from None
    if not number.is_finite():
        raise ValueError("is no number")
    return number


def _bps(text: str) -> int:
    return _whole(_number(text) * 100)


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value():
        raise ValueError("has more digits than there are basis points or seconds")
    return int(number)


def _network(text: str) -> str:
    return "devnet" if text.strip().lower() == "testnet" else text.strip().lower()


def _endpoint(text: str) -> list[dict[str, str]]:
    return [{"url": text}]


# NAUTILUS_MAX_POSITION_SIZE sets what its name says; upstream it set trading.max_portfolio_risk.
BORROWED: Mapping[str, Borrowed] = {
    "NAUTILUS_MAX_POSITION_SIZE": Borrowed("risk.max_position_fraction", _number),
    "NAUTILUS_BASE_POSITION_SIZE": Borrowed("risk.base_position_fraction", _number),
    "NAUTILUS_KELLY_MULTIPLIER": Borrowed("risk.kelly_fraction", lambda text: _number(text) / 4, "a quarter of it"),
    "NAUTILUS_STOP_LOSS_PERCENT": Borrowed("exits.stop_loss_bps", _bps, "× 100"),
    "NAUTILUS_TAKE_PROFIT_PERCENT": Borrowed("exits.take_profit_bps", _bps, "× 100"),
    "NAUTILUS_MAX_SLIPPAGE": Borrowed("risk.slippage_bps, risk.max_slippage_bps", _bps, "percent × 100"),
    "NAUTILUS_MAX_DAILY_TRADES": Borrowed("risk.max_trades_per_day", lambda text: _whole(_number(text))),
    "NAUTILUS_PAYER_PUBLIC_KEY": Borrowed("wallet.public_key", str),
    "NAUTILUS_Q50_FEATURES_PATH": Borrowed("q50.path", str),
    "NAUTILUS_Q50_SIGNAL_TOLERANCE": Borrowed(
        "q50.tolerance_seconds", lambda text: _whole(_number(text) * 60), "minutes × 60"
    ),
    "NAUTILUS_SOLANA_NETWORK": Borrowed("chain.network", _network, "testnet means devnet"),
    "NAUTILUS_SOLANA_RPC_ENDPOINT": Borrowed("chain.endpoints", _endpoint, "the only endpoint"),
    "HTTPS_RPC_ENDPOINT": Borrowed("chain.endpoints", _endpoint, "the only endpoint"),
    "BUY_SLIPPAGE": Borrowed("risk.slippage_bps", _bps, "percent × 100"),
    "SELL_SLIPPAGE": Borrowed("exits.slippage_bps", _bps, "percent × 100"),
    "SWAP_PRIORITY_FEE": Borrowed(
        "sending.priority_cap_micro_lamports", lambda text: _whole(_number(text)), "never more than this"
    ),
}


def our_variables(environment: Mapping[str, str]) -> list[Given]:
    """What variables beginning with ``PUMPSWAP_`` say, those that say nothing we know included: with their problem."""
    found: list[Given] = []
    for name, text in sorted(environment.items()):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in OTHERS:
            continue
        path = tuple(upper.removeprefix(PREFIX).lower().split("__"))
        found.append(_given(name, path, text))
    return found


def borrowed_variables(environment: Mapping[str, str], profiles: object = None) -> list[Given]:
    """What variables of the proof of concept and of the SDK say. They are other programs' too, so the file wins.

    ``profiles``: those of the file, one of which NAUTILUS_ENVIRONMENT may mean instead of a network.
    """
    found: list[Given] = []
    network = _network(environment.get(_ENVIRONMENT, ""))
    if network and profile_of_others(environment, profiles) is None:
        found.append(Given(("chain", "network"), network, _ENVIRONMENT))
    for name, borrowed in BORROWED.items():
        text = environment.get(name)
        if not text:
            continue
        paths = [tuple(key.split(".")) for key in borrowed.keys.split(", ")]
        try:
            found += [Given(path, borrowed.convert(text), name) for path in paths]
        except ValueError as wrong:
            found.append(Given(paths[0], None, name, f"{name}: {wrong}"))
    return found


def profile_of_others(environment: Mapping[str, str], profiles: object) -> str | None:
    """The profile of the file that NAUTILUS_ENVIRONMENT names, if it names one."""
    name = _network(environment.get(_ENVIRONMENT, ""))
    return name if isinstance(profiles, Mapping) and name in profiles else None


def is_borrowed(origin: str) -> bool:
    """Whether the source of a value is a variable of another program."""
    return origin in BORROWED or origin == _ENVIRONMENT


def value_of_text(key: Key, text: str) -> Any:
    """What a text means as a value of ``key``: lists are YAML, or separated by commas. Raises ValueError."""
    if key.takes_none and text.strip().lower() in ("null", "none"):
        return None
    if not key.is_list:
        return text
    stripped = text.strip()
    if not stripped.startswith(("[", "{")):
        return [part.strip() for part in stripped.split(",") if part.strip()]
    try:
        return yaml.safe_load(stripped)
    except yaml.YAMLError:
        raise ValueError("is no readable list: write it like [a, b], or a,b") from None


def _given(name: str, path: tuple[str, ...], text: str) -> Given:
    if not text:
        return Given(path, None, name, f"{name} is empty: unset it, or give it a value")
    key = find_key(".".join(path))
    try:
        if key is not None:
            return Given(path, value_of_text(key, text), name)
        if len(path) == 1 and section_of(path[0]) is not None:
            section = yaml.safe_load(text)
            if isinstance(section, dict):
                return Given(path, section, name)
            return Given(path, None, name, f"{name}: a section is written like {{key: value}}")
    except (ValueError, yaml.YAMLError) as wrong:
        return Given(path, None, name, f"{name}: {wrong if isinstance(wrong, ValueError) else 'is no readable YAML'}")
    return Given(path, None, name, f"{shown(name)}: no such setting{_did_you_mean(name, path)}")


def _did_you_mean(name: str, path: tuple[str, ...]) -> str:
    variables = {variable_of(key): key for key in all_keys()}
    section = section_of(path[0]) if len(path) > 1 else None
    if section is not None and nearest(path[1], section.model_fields) is None and meant(path) is None:
        some = [variable_of(key) for key in all_keys() if key.startswith(f"{path[0]}.")][:3]
        return f"; settings of {path[0]} are {', '.join(some)} and others: `pumpswap config show`"
    every = (*OTHERS, *variables, *(PREFIX + one.upper() for one in Settings.model_fields))
    close = nearest(name.upper().removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in every])
    likely = None if close is None else PREFIX + close
    if likely is None:
        other = meant(path)
        likely = None if other is None else variable_of(other if "." in other else f"{path[0]}.{other}")
    return f"; did you mean {likely}?" if likely else "; `pumpswap config show` lists all keys"


def variable_of(key: str) -> str:
    """The variable that sets a key."""
    return PREFIX + key.upper().replace(".", "__")
