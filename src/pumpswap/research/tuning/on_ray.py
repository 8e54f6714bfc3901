"""Workers on a Ray cluster: one actor for each processor that it has. The history travels once to each machine, through
Ray's object store; results come in the order of the chunks, as from processes.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from pumpswap.errors import ChainError, ConfigError, NotRunning, UsageError
from pumpswap.research.tuning.build import Build, this_build
from pumpswap.research.tuning.pool import computed
from pumpswap.research.tuning.trials import Chunk, RunnerFactory, TrialResult, TrialRunner

__all__ = ["OnRay"]

_AHEAD = 2  # chunks that wait at each actor, so that none is ever idle
_CONNECT_SECONDS = 10
_LONGEST_ADDRESS = 63  # characters: what is longer may be a secret that was pasted by mistake
# How a client of HTTP/2 begins, which gRPC is: its preface, and settings that change nothing.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS, _TLS_ALERT = b"\x04", b"\x15"
_START_SECONDS = 120  # for actors to start, imports and the history's way included


class OnRay:
    """Joins the cluster at ``address`` (``127.0.0.1:6379``, ``ray://head:10001``; ``local`` starts one here).

    Raises ConfigError where Ray is not installed or a machine has another pumpswap, UsageError for an address that none
    is at, NotRunning when a machine is lost on the way. ``most`` bounds the actors; 0: every processor of the cluster.
    """

    def __init__(self, factory: RunnerFactory, address: str, *, most: int = 0) -> None:
        _require_listener(address)
        try:
            import ray
        except ImportError as error:
            raise ConfigError("Ray is not installed", hint="pip install 'pumpswap[ray]'") from error
        self._ray: Any = ray
        try:
            ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
            raise UsageError(
                f"the Ray cluster at {address} cannot be joined: {str(error).splitlines()[0]}",
                hint="has it the same version of Ray? One that wants a token needs RAY_AUTH_MODE=token and it here",
            ) from error
        try:
            self._actors = self._started(factory, most)
        except BaseException:
            ray.shutdown()
            raise
        self.told = f"{len(self._actors)} workers of the Ray cluster at {address}"

    def map(self, chunks: Iterable[Chunk]) -> Iterator[tuple[TrialResult, ...]]:
        """As of ``Workers``. A chunk goes to whoever is free: how long trials take is no part of their result."""
        waiting: deque[Any] = deque()
        busy: dict[Any, int] = {}  # which actor a chunk that is not done was given to
        free = [place for place in range(len(self._actors)) for _ in range(_AHEAD)]
        try:
            for chunk in chunks:
                while not free:
                    done, _ = self._ray.wait(list(busy), num_returns=1, fetch_local=False)
                    free.extend(busy.pop(one) for one in done)
                place = free.pop(0)
                one = self._actors[place].work.remote(chunk)
                busy[one] = place
                waiting.append(one)
                while waiting and waiting[0] not in busy:
                    yield self._ray.get(waiting.popleft())
            while waiting:
                yield self._ray.get(waiting.popleft())
        except self._ray.exceptions.RayTaskError as error:
            # Ray wraps what a trial has raised into an error that is both; people are shown ours.
            raise error.cause or error from None
        except self._ray.exceptions.RayError as error:
            raise NotRunning(
                f"the Ray cluster has lost a worker: {str(error).splitlines()[0]}",
                hint="most often its machine ran out of memory; --resume goes on where it was",
            ) from error

    def close(self) -> None:
        """Leave the cluster; actors end with whoever started them."""
        self._ray.shutdown()

    def _started(self, factory: RunnerFactory, most: int) -> list[Any]:
        ray = self._ray
        count = int(ray.cluster_resources().get("CPU", 0))
        if most:
            count = min(count, most)
        if count < 1:
            raise ConfigError("the Ray cluster has no processors to give", hint="ray start --num-cpus=2")
        actor = ray.remote(num_cpus=1)(_Actor)
        shared = ray.put(factory)
        actors = [actor.remote(shared) for _ in range(count)]
        try:
            builds = ray.get([one.build.remote() for one in actors], timeout=_START_SECONDS)
        except ray.exceptions.GetTimeoutError as error:
            raise ChainError(
                f"{count} workers of the Ray cluster did not start within {_START_SECONDS} s",
                hint="is it busy with other work? `ray status` tells; --jobs asks for fewer",
            ) from error
        except ray.exceptions.RayError as error:
            raise ConfigError(
                f"a worker of the Ray cluster could not start: {str(error).strip().splitlines()[-1]}",
                hint="every machine needs pumpswap[research] of this same version and build",
            ) from error
        build = this_build()
        for other in builds:
            if other != build:
                raise ConfigError(
                    f"this machine runs pumpswap {build}, a worker of the Ray cluster {other}",
                    hint="install the same one everywhere: their figures would not be comparable",
                )
        return actors


def _require_listener(address: str) -> None:
    """Ray waits for minutes at an address where nobody is, or somebody else, and then ends the process."""
    if len(address) > _LONGEST_ADDRESS:
        raise UsageError("that is no address of a Ray cluster", hint="HOST:PORT, ray://HOST:PORT, auto or local")
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # ``local``, ``auto``
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS) as connection:
            connection.sendall(_GREETING)
            answer = connection.recv(9)
    except TimeoutError as error:
        raise UsageError(
            f"nothing that answers like a Ray cluster is at {address}",
            hint="is it the port of `ray start --head` (6379), or of ray:// (10001)?",
        ) from error
    except ConnectionResetError:
        return
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address}: {error}",
            hint="start one with `ray start --head`, or leave --ray-address out",
        ) from error

    # A frame of HTTP/2; or, where the cluster is behind TLS, an alert or a closed connection: Ray knows more then.
    if answer and answer[3:4] != _SETTINGS and answer[:1] != _TLS_ALERT:
        raise UsageError(
            f"what answers at {address} is no Ray cluster",
            hint="is it the port of `ray start --head` (6379), or of ray:// (10001)?",
        )


class _Actor:
    """One worker of the cluster."""

    def __init__(self, factory: RunnerFactory) -> None:
        self._runner: TrialRunner = factory.open()

    def build(self) -> Build:
        """Which pumpswap this is."""
        return this_build()

    def work(self, chunk: Chunk) -> tuple[TrialResult, ...]:
        """Compute a chunk."""
        return computed(self._runner, chunk)
