"""The command line of Seawall, nothing else: `python run.py --help` in a clone, `seawall --help` once installed."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

if importlib.util.find_spec("seawall") is None:
    _venv = Path(__file__).parent / ".venv" / "bin" / "python"
    if not _venv.exists() or Path(sys.executable) == _venv:
        sys.exit("Seawall is not set up here: run `make setup` first.")
    os.execv(_venv, [str(_venv), *sys.argv])

import typer
from rich.console import Console

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__.split(":")[0] + ".")
out, err = Console(), Console(stderr=True)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the scenario; may be repeated.")]


Out = Annotated[Path, typer.Option("--out", help="Folder for results.")]
OUT = Path("out")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show a user's mistake as text and end with exit code 2; an interruption ends with 130."""
    from seawall.protocols.errors import SeawallError

    try:
        yield
    except SeawallError as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except OSError as error:
        err.print(f"{error.filename}: {error.strerror}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        err.print("Interrupted; nothing was written.")
        raise typer.Exit(130) from None


@app.command(epilog="Example: python run.py run scenarios/short_squeeze.yaml --seed 7 --set minters.count=2000")
def run(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the scenario's own.")] = None,
    settings: Set = None,
    path: Annotated[int, typer.Option(min=0, help="Number of the path.")] = 0,
    out_dir: Out = OUT,
    audit: Annotated[bool, typer.Option("--audit", help="Check the books after every round (slow).")] = False,
) -> None:
    """Simulate a scenario; write results and a report."""
    with plain_errors():
        from seawall.reports.html import write_report
        from seawall.reports.terminal import print_summary
        from seawall.scenarios.load import load
        from seawall.studies.simulate import run as simulate
        from seawall.studies.store import save

        loaded = load(scenario, settings or ())
        for warning in loaded.warnings:
            err.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        _tell_of_compilation(has_exchange=loaded.scenario.exchange is not None, has_avmm=loaded.scenario.avmm is not None)
        with _progress(loaded.scenario.name) as progress:
            result = simulate(loaded, seed=seed, path=path, with_audit=audit, progress=progress)
        folder = out_dir / result.folder_name
        save(result, folder)
        write_report(result, folder)
        print_summary(result, out, folder)


def _tell_of_compilation(*, has_exchange: bool, has_avmm: bool) -> None:
    from seawall.protocols.compiled import is_compiled_before

    if not is_compiled_before(has_exchange=has_exchange, has_avmm=has_avmm):
        length = "a minute or two" if has_exchange or has_avmm else "about a minute"
        err.print(f"First run: compiling the market's rules, which takes {length} once.", style="dim")


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(name.replace("[", r"\["), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


@app.command(epilog="Example: python run.py mechanisms scenarios/rfq_day.yaml --paths 20")
def mechanisms(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario with an RFQ market.")],
    paths: Annotated[int, typer.Option(min=2, max=100_000, help="Price paths; each is run with every mechanism.")] = 20,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's seed.")] = None,
    settings: Set = None,
    out_dir: Out = OUT,
) -> None:
    """Compare RFQ routing with pools and auctions: the same LPs, orders and prices, another mechanism."""
    with plain_errors():
        from seawall.reports.mechanisms import print_comparison, write_comparison
        from seawall.studies.mechanisms import compare_mechanisms

        with _progress("paths") as progress:
            found = compare_mechanisms(scenario, paths=paths, seed=seed, settings=settings or (), progress=progress)
        folder = out_dir / f"{scenario.stem}-mechanisms-{found.seed}"
        write_comparison(found, folder)
        print_comparison(found, out, folder)


@app.command(epilog="Example: python run.py report out/short_squeeze/0123456789ab-2024")
def report(folder: Annotated[Path, typer.Argument(help="Folder of a run.")]) -> None:
    """Render a run's report and figures again from its files."""
    with plain_errors():
        from seawall.reports.html import write_report
        from seawall.reports.terminal import print_summary
        from seawall.studies.store import load_run

        result = load_run(folder)
        write_report(result, folder)
        print_summary(result, out, folder)


@app.command(epilog="Example: python run.py validate scenarios/*.yaml")
def validate(files: Annotated[list[Path], typer.Argument(help="YAML files of scenarios.")], settings: Set = None) -> None:
    """Check scenario files; report every fault at once, with file, line and key."""
    from seawall.protocols.errors import ScenarioError
    from seawall.scenarios.load import load

    failed = False
    for file in files:
        try:
            loaded = load(file, settings or ())
        except ScenarioError as error:
            failed = True
            err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            continue
        for warning in loaded.warnings:
            out.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        out.print(f"{file}: fine", markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(2)


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios that ship, with one line each."""
    from rich.table import Table

    from seawall.scenarios.load import load, shipped

    table = Table.grid(padding=(0, 2))
    for file in shipped():
        table.add_row(os.path.relpath(file), load(file).scenario.about)
    out.print(table)


@app.command(epilog="Example: python run.py schema > scenario.schema.json")
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from seawall.scenarios.schema import Scenario

    print(json.dumps(Scenario.model_json_schema(), indent=2))


def main() -> None:
    """Entry point of the installed command."""
    app()


if __name__ == "__main__":
    main()
