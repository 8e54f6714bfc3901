"""Who decides in a back-test: signals and a strategy, ours by name or a class of a file of the user's."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from pumpswap.app.follow import FollowDesk
from pumpswap.app.q50 import Q50Source, open_q50
from pumpswap.app.run_scoring import analyser
from pumpswap.clock import ManualClock
from pumpswap.engine.engine import Signaller, SwapSignaller
from pumpswap.engine.strategies.momentum import Momentum
from pumpswap.engine.strategies.named import STRATEGIES, strategy_named
from pumpswap.engine.strategies.q50 import FrameSignaller, Q50Strategy, frame_loader
from pumpswap.engine.strategy import Strategy
from pumpswap.errors import BadInput, ConfigError, NotFound, PumpSwapError, UsageError
from pumpswap.market.book import PoolBook
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.research.backtest.runner import Cast, Players
from pumpswap.research.backtest.spec import StrategyRef
from pumpswap.research.chronicle.step import ScheduleFor
from pumpswap.research.significance.lookahead import StrategyInputs
from pumpswap.settings import Settings
from pumpswap.signals.combined import CombinedSignaller
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer

__all__ = ["ChosenStrategy", "cast_of", "choose_strategy", "frame_sha256"]

_FILE = ".py:"
# What a parameter of a class may be, by its annotation, and how it is written.
_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
_LIKE = {"int": "30", "float": "0.5", "bool": "True"}
Params = tuple[tuple[str, str], ...]
Make = Callable[[Settings, StrategyInputs], Sequence[Strategy]]


@dataclass(frozen=True, slots=True)
class ChosenStrategy:
    """A strategy by name or file. ``make`` gives new ones, for one run."""

    ref: StrategyRef
    make: Make


def choose_strategy(text: str, params: Params = ()) -> ChosenStrategy:
    """``follow-signals``, ``momentum``, … or ``FILE.py:NAME``: a class derived from Strategy, or a function
    ``NAME(settings, inputs)`` that makes one or several. ``params`` are keyword arguments of a class, as texts.

    Raises UsageError for a name or argument that does not exist, NotFound and BadInput for a file that cannot be used.
    """
    params = tuple(sorted(params))  # however they were typed, the same are the same
    if _FILE not in text:
        return _ours(text, params)
    path, _, name = text.rpartition(":")
    source = _read(Path(path))
    digest = hashlib.sha256(source).hexdigest()
    made = getattr(_module(Path(path), source, digest), name, None)
    ref = StrategyRef(f"{Path(path).name}:{name}", digest, params)
    if isinstance(made, type) and issubclass(made, Strategy):
        arguments = _arguments(made, params)
        return ChosenStrategy(ref, lambda _settings, _inputs: [_constructed(made, arguments)])
    if not callable(made) or isinstance(made, type):
        raise UsageError(
            f"{path} has no strategy {name}",
            hint="a class derived from pumpswap.engine.strategy.Strategy, or a function",
        )
    if params:
        raise UsageError(f"{name} is a function: it takes no parameters", hint="name a class, or leave --param out")
    return ChosenStrategy(ref, lambda settings, inputs: _several(made(settings, inputs), name))


def cast_of(settings: Settings, chosen: ChosenStrategy, inputs: StrategyInputs) -> Cast:
    """What ``run_backtest`` is given. Files are read here: a frame or a file that cannot be used raises at once."""
    loader = _loaded(settings, inputs.frame) if _wants_frame(settings, chosen) else None
    strategies: list[Sequence[Strategy]] = [_made(settings, chosen, inputs, loader)]

    def players(book: PoolBook, schedule_for: ScheduleFor) -> Players:
        mine = strategies.pop() if strategies else _made(settings, chosen, inputs, loader)
        hears = any(type(one).on_signal is not Strategy.on_signal for one in mine)
        snapshots = _signaller(settings, loader, book, schedule_for) if hears else None
        swaps: SwapSignaller | None = None
        if hears and "follow" in settings.run.signals:
            swaps = FollowDesk(settings).follower.signal
        return Players(mine, snapshots, swaps)

    return players


def frame_sha256(settings: Settings, chosen: ChosenStrategy, frame: Path | None) -> str | None:
    """Of the Q50 frame, where it is asked; None where it is not."""
    if not _wants_frame(settings, chosen):
        return None
    path = frame or settings.q50.path
    if path is None:
        raise ConfigError("there is no Q50 file to read", hint="set q50.path, or name it with --frame")
    return hashlib.sha256(_read(path.expanduser())).hexdigest()


# ---------------------------------------------------------------------------------------------- signals


def _signaller(
    settings: Settings, loader: Q50SignalLoader | None, book: PoolBook, schedule_for: ScheduleFor
) -> Signaller | None:
    """As ``open_scoring`` does for a run."""
    scores = analyser(settings, book, schedule_for) if "analyser" in settings.run.signals else None
    if "q50" not in settings.run.signals or loader is None:
        return scores
    source = Q50Source(loader, settings)
    if scores is None:
        return source
    enhanced = EnhancedScoreSignaller(
        settings.signals.min_score, book, schedule_for, PumpSwapSignalAnalyzer(settings=settings.feasibility)
    )
    return CombinedSignaller(source, enhanced, settings.signals.score)


def _wants_frame(settings: Settings, chosen: ChosenStrategy) -> bool:
    return "q50" in settings.run.signals or chosen.ref.name == Q50Strategy.name


def _loaded(settings: Settings, frame: Path | None) -> Q50SignalLoader:
    """Read now; a back-test has a clock of its own, and its file does not change."""
    loader = open_q50(settings, ManualClock(), frame)
    loader.load()
    if why_none := FrameSignaller(loader, settings).why_none:  # not one signal would look like a bad strategy
        raise ConfigError(why_none, hint="`pumpswap signal q50 inspect` says what the frame has")
    return loader


# ---------------------------------------------------------------------------------------------- strategies


def _ours(name: str, params: Params) -> ChosenStrategy:
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise UsageError(f"there is no strategy {name!r}", hint=f"one of {known}, or FILE.py:CLASS")
    ref = StrategyRef(name, params=params)
    if not params:
        return ChosenStrategy(ref, lambda settings, _inputs: [strategy_named(name, settings)])
    if name != Momentum.name:
        raise UsageError(f"{name} takes no parameters", hint="its settings are those of the file, or --set KEY=VALUE")
    arguments = _arguments(Momentum, params)
    return ChosenStrategy(ref, lambda _settings, _inputs: [_constructed(Momentum, arguments)])


def _made(
    settings: Settings, chosen: ChosenStrategy, inputs: StrategyInputs, loader: Q50SignalLoader | None
) -> Sequence[Strategy]:
    if chosen.ref.name == Q50Strategy.name:
        return [Q50Strategy.of_settings(settings, loader or frame_loader(settings))]
    return chosen.make(settings, inputs)


def _constructed(made: type[Strategy], arguments: Mapping[str, Any]) -> Strategy:
    try:
        return made(**arguments)
    except PumpSwapError:
        raise
    except TypeError as error:
        raise UsageError(
            f"{made.__name__} cannot be made: {error}", hint="give its parameters with --param NAME=VALUE"
        ) from None
    except Exception as error:  # the user's code: whatever is wrong with it is told
        raise UsageError(
            f"{made.__name__} cannot be made: {type(error).__name__}: {error}", hint="other parameters, or mend it"
        ) from error


def _require_types(made: type[Strategy], arguments: Mapping[str, Any]) -> None:
    """Raises UsageError for a text where a class says that it wants a number, and the like: it would only fail later,
    or compare nonsense. What is annotated otherwise, or not at all, is the class's own affair.
    """
    wanted = signature(made).parameters
    for name, value in arguments.items():
        annotation = wanted[name].annotation if name in wanted else ""
        kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
        if kind in _KINDS and type(value) not in _KINDS[kind]:
            raise UsageError(
                f"{name} of {made.__name__} is no {kind}: {value!r}", hint=f"for example --param {name}={_LIKE[kind]}"
            )


def _several(made: object, name: str) -> Sequence[Strategy]:
    found = [made] if isinstance(made, Strategy) else made
    if not isinstance(found, Sequence) or not all(isinstance(one, Strategy) for one in found) or not found:
        raise BadInput(f"{name} gave no strategy", hint="return an object derived from Strategy, or a list of them")
    return found


def _arguments(made: type[Strategy], params: Params) -> dict[str, Any]:
    """Numbers, True and False as such; everything else is text. Raises UsageError for what the class says it is not."""
    found: dict[str, Any] = {}
    for name, text in params:
        try:
            found[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            found[name] = text
    _require_types(made, found)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", hint="is the path right?") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint="choose a file that can be read") from None


def _module(path: Path, source: bytes, digest: str) -> ModuleType:
    """The file as a module. Its folder is not put on the path: what it imports must be installed, or beside nothing."""
    name = f"pumpswap_strategy_{digest[:16]}"
    spec = spec_from_file_location(name, path)
    if spec is None:
        raise BadInput(f"{path} is no Python file", hint="a strategy is a class in a file that ends in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # so that its classes can be pickled and its dataclasses resolved
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except PumpSwapError:
        raise
    except Exception as error:  # the user's code: whatever is wrong with it is told
        del sys.modules[name]
        raise BadInput(f"{path} cannot be loaded: {type(error).__name__}: {error}", hint="mend the file") from error
    return module
