"""Serve the live page on this machine only: `make watch SCENARIO=file`, or `python -m seawall.reports.watch FILE`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from seawall.protocols.errors import ScenarioError
from seawall.reports.console import SafeConsole
from seawall.scenarios.build import DEFAULT_SCENARIO
from seawall.scenarios.load import load

SCENARIO_VARIABLE = "SEAWALL_WATCHED_SCENARIO"
HOST, PORT = "127.0.0.1", 8765
OFFLINE = {
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",  # Solara reports starts and sessions to its makers unless told not to
    "SOLARA_ASSETS_CDN": f"http://{HOST}:9/",  # what solara-assets does not hold is missing, not fetched
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_CHECK_HOOKS": "off",  # warns of Mesa's own page
}
"""Settings of Solara under which nothing leaves this machine."""


def serve(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario.")] = DEFAULT_SCENARIO,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on this machine.")] = PORT,
) -> NoReturn:
    """Open the live page of a scenario on a port of this machine; ends with Ctrl-C."""
    if importlib.util.find_spec("solara") is None:
        sys.exit('The live page needs Solara: `make watch` in a clone, or install "seawall[viz]".')
    try:
        load(scenario)
    except ScenarioError as error:
        SafeConsole(stderr=True).print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(2) from None
    print(f"Live page of {scenario}: http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
    os.environ.update(OFFLINE, **{SCENARIO_VARIABLE: str(scenario)})
    os.execv(sys.executable, command(port))


def command(port: int) -> list[str]:
    """The command line of Solara's server: this machine only, no browser opened, no files watched, no question to PyPI."""
    quiet = ["-W", "ignore::UserWarning:solara.server.starlette"]  # of cookies inside frames of other sites
    options = ["--production", "--no-open", "--no-check-version", "--host", HOST, "--port", str(port)]
    return [sys.executable, *quiet, "-m", "solara", "run", "seawall.reports.live", *options]


if __name__ == "__main__":
    typer.run(serve)
