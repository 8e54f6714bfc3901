"""Options that every command about back-tests shares: which history, who decides, what is assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.failures import BadValue
from pumpswap.cli.lazy import option
from pumpswap.cli.output import Output
from pumpswap.cli.params import BPS, PATH, SOURCE, UTC_TIME, DurationType
from pumpswap.clock import NS_PER_SECOND

if TYPE_CHECKING:
    from pumpswap.app.backtest import BacktestOrder
    from pumpswap.settings import Settings

__all__ = ["asked_order", "asked_settings", "assumption_options", "history_options", "new_page", "strategy_options"]

_F = TypeVar("_F", bound=Callable[..., Any])
_LENGTH = DurationType(least=60, most=366 * 86_400, example="30m or 2h")
_HISTORY, _WHO, _ASSUMED = "Which history", "Who decides", "What is assumed"


def _together(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(callback: _F) -> _F:
        for one in reversed(options):
            callback = one(callback)
        return callback

    return decorate


history_options = _together(
    option("--pool", "pools", multiple=True, metavar="POOL", section=_HISTORY, help="Only this pool; may be repeated."),
    option("--from", "since", type=UTC_TIME, metavar="TIME", section=_HISTORY, help="Only from then on (UTC)."),
    option("--until", "until", type=UTC_TIME, metavar="TIME", section=_HISTORY, help="Only what was before (UTC)."),
    option(
        "--length",
        type=_LENGTH,
        metavar="TIME",
        section=_HISTORY,
        help="Length of a simulated market (30m).",
    ),
)

strategy_options = _together(
    option(
        "--strategy", type=SOURCE, metavar="NAME", section=_WHO,
        help="One of ours, or FILE.py:CLASS. Default: run.strategy of the settings.",
    ),
    option(
        "--param", "params", multiple=True, metavar="NAME=VALUE", section=_WHO,
        help="An argument of the strategy's class; may be repeated.",
    ),
    option(
        "--signals", metavar="LIST", section=_WHO,
        help="analyser, q50, follow, separated by commas. Default: run.signals of the settings.",
    ),
    option("--frame", type=PATH, metavar="FILE", section=_WHO, help="The Q50 frame. Default: q50.path."),
)  # fmt: skip

assumption_options = _together(
    option(
        "--latency-slots", type=click.IntRange(0, 1_500), metavar="N", section=_ASSUMED,
        help="Slots of 400 ms from the decision to the execution. Default: paper.latency_slots or latency_ms.",
    ),
    option(
        "--landing", type=click.Choice(["first", "last", "drawn"]), section=_ASSUMED,
        help="Our place in that slot: before all others, after all, or drawn. Default: backtest.landing.",
    ),
    option(
        "--failed-bps", type=BPS, metavar="BPS", section=_ASSUMED,
        help="Orders that fail whatever the price. Default: as observed (312).",
    ),
    option("--seed", type=click.IntRange(0), default=0, section=_ASSUMED, help="Of everything that is drawn (0)."),
    option("--start-sol", type=click.FloatRange(0.1, 1e6), metavar="SOL", section=_ASSUMED, help="Play money."),
    option(
        "--set", "changes", multiple=True, metavar="KEY=VALUE", section=_ASSUMED,
        help="Any other setting for this once, for example risk.max_position_sol=0.2; may be repeated.",
    ),
)  # fmt: skip


def asked_settings(out: Output, options: Mapping[str, Any]) -> Settings:
    """The settings with what the options say laid over them."""
    from pumpswap.cli.run_result import settings_for

    sections: dict[str, dict[str, Any]] = {}

    def put(section: str, name: str, value: object) -> None:
        if value is not None:
            sections.setdefault(section, {})[name] = value

    for change in options.get("changes") or ():
        put(*_change(change))
    signals, start_sol = options.get("signals"), options.get("start_sol")
    put("run", "signals", None if signals is None else [part.strip() for part in signals.split(",") if part.strip()])
    put("q50", "path", options.get("frame"))
    put("paper", "latency_slots", options.get("latency_slots"))
    put("paper", "failed_bps", options.get("failed_bps"))
    put("paper", "start_sol", None if start_sol is None else str(start_sol))
    put("backtest", "landing", options.get("landing"))
    put("backtest", "verify", options.get("verify"))
    return settings_for(out, **sections)


def asked_order(source: str, settings: Settings, options: Mapping[str, Any], **rest: Any) -> BacktestOrder:
    """The order that the options say. ``rest`` are further fields of it."""
    from pumpswap.app.backtest import BacktestOrder

    since, until, length = options.get("since"), options.get("until"), options.get("length")
    if length is not None and source.partition(":")[0] != "simulated":
        raise BadValue(
            f"--length is of simulated markets, not of {source}", hint="choose a part with --from and --until"
        )
    return BacktestOrder(
        source=source,
        strategy=options.get("strategy") or settings.run.strategy,
        params=tuple(map(_param, options.get("params") or ())),
        pools=tuple(options.get("pools") or ()),
        since_ns=None if since is None else since * NS_PER_SECOND,
        until_ns=None if until is None else until * NS_PER_SECOND,
        minutes=30 if length is None else max(length // 60, 1),
        seed=options.get("seed") or 0,
        **rest,
    )


def new_page(path: Path | None, *, overwrite: bool) -> Path | None:
    """The file of a page, before anything is computed. Raises UsageError for one that cannot be it."""
    from pumpswap.errors import UsageError

    if path is None:
        return None
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError("a page has a name that ends in .html", hint="for example --html backtest.html")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file in it")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="name another file, or overwrite it with --force")
    return path


def _change(text: str) -> tuple[str, str, Any]:
    from pumpswap.app.config_file import key_named
    from pumpswap.settings.environment import value_of_text

    name, equals, value = text.partition("=")
    if not equals:
        raise BadValue(f"{text!r} is no change", hint="for example --set risk.max_position_sol=0.2")
    key = key_named(name.strip())
    if len(key.path) != 2:
        raise BadValue(f"{key.name} is in no section", hint="settings that decide a back-test are in sections")
    try:
        return key.path[0], key.path[1], value_of_text(key, value.strip())
    except ValueError as wrong:
        raise BadValue(f"{key.name} {wrong}", hint="for example --set run.signals=analyser") from None


def _param(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise BadValue(f"{text!r} is no parameter", hint="for example --param window_seconds=30")
    return name.strip(), value.strip()
