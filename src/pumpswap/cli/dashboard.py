"""``pumpswap dashboard``."""

from __future__ import annotations

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, PORT, DurationType

__all__ = ["dashboard"]


@command(
    "dashboard",
    help=(
        "Serve the dashboard: what is held and worth, what was decided and why, orders, pools, signals, alerts, "
        "health; live, in any browser, and as a REST API below /api/v1.\n\n"
        "It listens on this machine only. At any other address it asks for the token of dashboard.token; without one "
        "it does not start there. It never holds a key, and can do no more than stop entries, let them go on, sell "
        "everything, answer buys that wait, and note that alerts were seen. Ctrl-C ends it; the engine goes on."
    ),
    examples=[
        Example("pumpswap dashboard", "then open the address that it shows", needs="it serves until it is ended"),
        Example("pumpswap dashboard --port 9000", "elsewhere", needs="it serves until it is ended"),
    ],
)
@option("--host", type=NAME, metavar="ADDRESS", help="Where to listen; default: dashboard.host, which is loopback.")
@option("--port", type=PORT, metavar="PORT", help="On which port, 0: a free one; default: dashboard.port.")
@option("--for", "seconds", type=DurationType(least=1), metavar="TIME", help="End by itself after so long.")
@pass_output
def dashboard(out: Output, host: str | None, port: int | None, seconds: int | None) -> None:
    from pumpswap.app.logs.setup import begun_logging
    from pumpswap.cli.config import loaded_for
    from pumpswap.errors import ConfigError

    try:
        from pumpswap.web.app import create_app
        from pumpswap.web.security.hosts import shown_address
        from pumpswap.web.server import bound_socket, give_way, serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("pumpswap"):
            raise
        raise ConfigError(
            f"the dashboard needs {missing.name}, which is not installed", hint="pip install 'pumpswap[dashboard]'"
        ) from None
    loaded = loaded_for(out)
    chosen = loaded.settings.dashboard
    where = chosen.host if host is None else host
    app = create_app(loaded, host=where, load=lambda: loaded_for(out))
    with bound_socket(where, chosen.port if port is None else port) as listening:
        url = shown_address(where, listening.getsockname()[1])

        def tell() -> None:
            if out.json:
                out.emit("dashboard", {"url": url, "api": f"{url}api/v1", "needs_token": chosen.token is not None})
            else:
                out.show(url, keep_lines=True)
                out.say("Open it in a browser. Ctrl-C ends the dashboard; the engine goes on.")

        with begun_logging(loaded.settings, verbose=out.options.verbose, quiet=out.options.quiet):
            give_way()
            serve(app, listening, tell, seconds=seconds)
