"""The command line of Seawall, nothing else: `python run.py --help` in a clone, `seawall --help` once installed."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

if importlib.util.find_spec("seawall") is None:
    _venv = Path(__file__).parent / ".venv" / "bin" / "python"
    if not _venv.exists() or Path(sys.executable) == _venv:
        sys.exit("Seawall is not set up here: run `make setup` first.")
    os.execv(_venv, [str(_venv), *sys.argv])

import typer

from seawall.reports.console import SafeConsole

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__.split(":")[0] + ".")
out, err = SafeConsole(), SafeConsole(stderr=True)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the scenario; may be repeated.")]


Outside = Annotated[bool, typer.Option("--allow-outside", help="Let the scenario name files outside of its folder.")]


def _begin_early(processes: int | None) -> int | None:
    """Let the fork server import what is slow while this process does."""
    if processes is not None:
        from seawall.studies.fork_server import begin

        with suppress(OSError):  # whoever needs it says so
            begin("typer", "seawall.reports.console")
    return processes


_processes_help = "Processes instead of threads: for many cores and long studies."
Processes = Annotated[int | None, typer.Option(min=1, max=1024, callback=_begin_early, help=_processes_help)]
Cluster = Annotated[str | None, typer.Option(metavar="tcp://HOST:PORT", help="A Dask cluster instead of threads (docs/cluster.md).")]
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
    except BrokenPipeError:  # whoever reads along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except OSError as error:
        text = str(error) if error.strerror is None else f"{error.filename}: {error.strerror}"
        err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt as stop:
        err.print(str(stop) or "Interrupted; nothing was written.", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(130) from None


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile, nor afterwards in what is left: one run leaves little, and searching all it imports takes long."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@app.command(epilog="Example: python run.py run scenarios/short_squeeze.yaml --seed 7 --set minters.count=2000")
def run(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the scenario's own.")] = None,
    settings: Set = None,
    path: Annotated[int, typer.Option(min=0, help="Number of the path.")] = 0,
    paths: Annotated[int | None, typer.Option(min=2, max=1_000_000, help="Run so many paths over all cores: risk figures.")] = None,
    until: Annotated[str | None, typer.Option(help='With --paths as the most: stop once "cvar95(bad_debt) +- 5%" holds.')] = None,
    resume: Annotated[bool, typer.Option("--resume", help="With --paths: go on where an interrupted run stopped.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="With --paths: threads; one per core if left out.")] = None,
    processes: Processes = None,
    cluster: Cluster = None,
    out_dir: Out = OUT,
    audit: Annotated[bool, typer.Option("--audit", help="Check the books after every round (slow).")] = False,
    allow_outside: Outside = False,
) -> None:
    """Simulate a scenario, one path or many; write results and a report."""
    with plain_errors(), uncollected() if paths is None else nullcontext():
        import mesa  # noqa: F401  (before others: its loggers look at all modules there are, for each importer it stands under)

        from seawall.protocols.errors import OptionError
        from seawall.scenarios.load import load

        if paths is None and (resume or any(option is not None for option in (until, workers, processes, cluster))):
            raise OptionError("--until, --resume, --workers, --processes and --cluster are for many paths: give --paths too")
        if paths is not None and (audit or path):
            raise OptionError("--audit and --path are for a single path: leave --paths out")
        loaded = load(scenario, settings or (), allow_outside=allow_outside)
        for warning in loaded.warnings:
            err.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        if cluster is None:
            _tell_of_compilation(has_exchange=loaded.scenario.exchange is not None, has_avmm=loaded.scenario.avmm is not None)
        if paths is None:
            _run_one(loaded, out_dir, seed=seed, path=path, with_audit=audit)
        else:
            who = {"workers": workers, "processes": processes, "cluster": cluster}
            _run_many(loaded, out_dir, who, paths=paths, seed=seed, until=until, resume=resume)


def _run_one(loaded: Any, out_dir: Path, **asked: Any) -> None:
    from seawall.reports.html import write_report
    from seawall.reports.terminal import print_summary
    from seawall.studies.simulate import run as simulate
    from seawall.studies.store import save

    with _progress(loaded.scenario.name) as progress:
        result = simulate(loaded, progress=progress, **asked)
    folder = out_dir / result.folder_name
    save(result, folder)
    write_report(result, folder)
    print_summary(result, out, folder)


def _run_many(loaded: Any, out_dir: Path, who: dict[str, Any], *, seed: int | None, **asked: Any) -> None:
    from seawall.reports.ensemble import write_ensemble_report
    from seawall.reports.ensemble_terminal import print_ensemble
    from seawall.studies.ensemble import judge, run_paths
    from seawall.studies.ensemble_risk import ensemble_risk

    seed = loaded.scenario.seed if seed is None else seed
    folder = out_dir / loaded.file.stem / f"{loaded.digest}-{seed}-paths"
    with _players(**who) as players, _progress("paths") as progress:
        found = run_paths(loaded, folder=folder, seed=seed, players=players, progress=progress, max_failed_share=1.0, **asked)
    risk = ensemble_risk(found)
    write_ensemble_report(found, risk)
    print_ensemble(found, out, risk)
    judge(found)


@contextmanager
def _players(workers: int | None, processes: int | None, cluster: str | None) -> Iterator[Any]:
    """Who plays paths: threads or processes of this machine, or a cluster."""
    from seawall.protocols.errors import OptionError

    if sum(option is not None for option in (workers, processes, cluster)) > 1:
        raise OptionError("--workers counts threads, --processes processes of this machine, a cluster has its own: give one of the three")
    if cluster is None:
        from seawall.studies.players import Threads
        from seawall.studies.processes import start

        with nullcontext(Threads(workers)) if processes is None else start(processes) as players:
            yield players
        return
    from seawall.studies.cluster import connect

    with connect(cluster) as players:
        where = f"Playing on {players.workers} threads of {cluster}; dashboard: {players.dashboard or 'none'}"
        err.print(where, style="dim", markup=False, highlight=False, soft_wrap=True)
        yield players


def _tell_of_compilation(*, has_exchange: bool, has_avmm: bool) -> None:
    from seawall.protocols.compiled import is_compiled_before

    if not is_compiled_before(has_exchange=has_exchange, has_avmm=has_avmm):
        length = "a minute or two" if has_exchange or has_avmm else "half a minute or so"
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
    allow_outside: Outside = False,
) -> None:
    """Compare RFQ routing with pools and auctions: the same LPs, orders and prices, another mechanism."""
    with plain_errors():
        from seawall.reports.mechanisms import print_comparison, write_comparison
        from seawall.studies.mechanisms import compare_mechanisms, judge

        with _progress("paths") as progress:
            terms: dict[str, Any] = {"seed": seed, "settings": settings or (), "allow_outside": allow_outside}
            found = compare_mechanisms(scenario, paths=paths, progress=progress, **terms)
        folder = out_dir / f"{scenario.stem}-mechanisms-{found.seed}"
        write_comparison(found, folder)
        print_comparison(found, out, folder)
        judge(found)


@app.command(epilog="Example: python run.py prices scenarios/short_squeeze.yaml --paths 500")
def prices(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario.")],
    paths: Annotated[int, typer.Option(min=1, max=100_000, help="Price paths to draw.")] = 200,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the scenario's own.")] = None,
    settings: Set = None,
    out_dir: Out = OUT,
    allow_outside: Outside = False,
) -> None:
    """Draw a scenario's prices only: configured beside realised moments, and a fan chart."""
    with plain_errors():
        from seawall.reports.price_terminal import print_prices, write_prices
        from seawall.scenarios.load import load
        from seawall.studies.price_check import check_prices

        loaded = load(scenario, settings or (), allow_outside=allow_outside)
        with _progress("paths") as progress:
            found = check_prices(loaded, paths=paths, seed=seed, progress=progress)
        print_prices(found, out, write_prices(found, out_dir / f"{scenario.stem}-prices"))


@app.command(epilog="Example: python run.py calibrate prices.csv --column close --model merton --model garch --bar-seconds 3600")
def calibrate(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file of prices.")],
    column: Annotated[str, typer.Option(help="Column of closes, USD.")],
    bar_seconds: Annotated[int, typer.Option(min=1, max=604_800, help="Length of a bar.")],
    models: Annotated[list[str], typer.Option("--model", help="gbm, merton, kou, heston, regimes, garch, gjr, egarch, ou or bootstrap.")],
    asset: Annotated[str, typer.Option(help="Name of the asset in the block for a scenario.")] = "ASSET",
    time_column: Annotated[str, typer.Option(help="Column of times.")] = "timestamp",
    bar_stamp: Annotated[str, typer.Option(help="What the times stamp of a bar: start or end.")] = "start",
    innovations: Annotated[str, typer.Option(help="Of the GARCH family: normal or t.")] = "t",
    out_dir: Out = OUT,
) -> None:
    """Fit models to a history of prices; print what pastes into a scenario, and how well it fits."""
    with plain_errors():
        from seawall.reports.price_terminal import print_calibrations, write_fit
        from seawall.studies.calibration import calibrate as fit

        terms: dict[str, Any] = {"bar_stamp": bar_stamp, "innovations": innovations, "time_column": time_column}
        found = [fit(file, column, model, bar_seconds=bar_seconds, **terms) for model in models]
        folder = out_dir / f"{file.stem}-fit"
        print_calibrations(found, out, [write_fit(each, folder) for each in found], asset=asset)


@app.command(
    "fetch-prices", epilog="Example: python run.py fetch-prices klines ETHUSDT eth.csv --start 2024-01-01 --end 2024-02-01 --bar 1m"
)
def fetch_prices(
    source: Annotated[str, typer.Argument(help="klines (Binance), klines:URL, ccxt:EXCHANGE or yfinance.")],
    symbol: Annotated[str, typer.Argument(help="Market, as the source names it.")],
    file: Annotated[Path, typer.Argument(help="CSV file to write; never overwritten.")],
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="First bar, UTC.")],
    end: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="End of the last bar, UTC.")],
    bar: Annotated[str, typer.Option(help="Length of a bar, such as 1m, 1h, 1d.")] = "1m",
) -> None:
    """Fetch a history of prices into a CSV file that can be replayed; says where bars are missing."""
    with plain_errors():
        from seawall.prices.fetch import fetch, gaps, write_csv
        from seawall.prices.market_data import FetchError

        if file.exists():  # before an hour of fetching, not after
            raise FetchError(f"{file}: exists; it is not overwritten")
        try:
            frame = fetch(source, symbol, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), bar)
        except ValueError as error:
            raise FetchError(str(error)) from None
        write_csv(frame, file)
        out.print(f"{file}: {len(frame):,} bars of {bar}", markup=False, highlight=False, soft_wrap=True)
        for gap in gaps(frame, bar)[:10]:
            said = f"missing: {gap.bars:,} bars between {gap.after:%Y-%m-%d %H:%M} and {gap.before:%Y-%m-%d %H:%M}"
            out.print(said, markup=False, highlight=False, soft_wrap=True)


@app.command(epilog="Example: python run.py hindcast EPISODE.yaml --set prices.file=F.csv --realised F.csv --long liq_long_eth")
def hindcast(
    scenario: Annotated[Path, typer.Argument(help="YAML file of a scenario that replays prices and has an exchange.")],
    realised: Annotated[Path, typer.Option(help="CSV or Parquet file of liquidations that happened.")],
    long: Annotated[str, typer.Option(help="Column of liquidated longs, or of both sides together.")],
    short: Annotated[str | None, typer.Option(help="Column of liquidated shorts.")] = None,
    loss: Annotated[str | None, typer.Option(help="Column of USD of margin that the liquidated lost.")] = None,
    unit: Annotated[str, typer.Option(help="What is recorded: base (units of the asset) or usd.")] = "base",
    time_column: Annotated[str, typer.Option(help="Column of times.")] = "timestamp",
    stamp: Annotated[str, typer.Option(help="Whether times are the start or the end of their interval.")] = "end",
    market: Annotated[str | None, typer.Option(help="Market of the exchange; its only one if left out.")] = None,
    bucket_hours: Annotated[int, typer.Option(min=1, max=168, help="Length of what is compared.")] = 1,
    warmup_hours: Annotated[int, typer.Option(min=0, help="Not scored: the model's traders begin without positions.")] = 24,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Runs along the same prices; predictions are their means.")] = 10,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the scenario's own.")] = None,
    settings: Set = None,
    out_dir: Out = OUT,
    allow_outside: Outside = False,
) -> None:
    """Set the model's liquidations in a real episode beside those that happened: a scorecard."""
    with plain_errors():
        from seawall.reports.hindcast import print_hindcast, write_hindcast
        from seawall.scenarios.load import load
        from seawall.studies.hindcast import hindcast as set_beside
        from seawall.studies.realised import RealisedColumns

        loaded = load(scenario, settings or (), allow_outside=allow_outside)
        told: dict[str, Any] = {"time": time_column, "unit": unit, "stamp": stamp}
        columns = RealisedColumns(realised, long, short, loss, **told)
        _tell_of_compilation(has_exchange=True, has_avmm=False)
        with _progress("runs") as progress:
            terms: dict[str, Any] = {
                "market": market,
                "bucket_hours": bucket_hours,
                "warmup_hours": warmup_hours,
                "runs": runs,
                "seed": seed,
            }
            found = set_beside(loaded, columns, progress=progress, **terms)
        folder = out_dir / f"{scenario.stem}-hindcast-{found.about['seed']}"
        write_hindcast(found, folder)
        print_hindcast(found, out, folder)


@app.command(epilog="Example: python run.py tune scenarios/studies/quick.yaml")
def tune(
    study: Annotated[Path, typer.Argument(help="YAML file of a tuning study.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the study's own.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted study stopped.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Threads; one per core if left out.")] = None,
    processes: Processes = None,
    cluster: Cluster = None,
    out_dir: Out = OUT,
    allow_outside: Outside = False,
) -> None:
    """Choose parameters: the frontier, a recommendation with intervals, and what it rests on."""
    with plain_errors():
        from seawall.reports.tune import write_tuning_report
        from seawall.reports.tune_terminal import print_tuning
        from seawall.studies.tune import load_study, scenarios_of
        from seawall.studies.tune import tune as search
        from seawall.studies.tune_files import save_tuning

        asked = load_study(study, allow_outside=allow_outside)
        _tell_of_scenarios(scenarios_of(asked))
        folder = out_dir / f"{study.stem}-tune" / f"{asked.digest}-{asked.spec.seed if seed is None else seed}"
        with _at_work(folder, resume=resume, workers=workers, processes=processes, cluster=cluster) as (trials, players, progress):
            found = search(asked, trials, players, seed=seed, progress=progress)
            save_tuning(found, folder, workers=f"{players.workers} of {players.place}")
        write_tuning_report(folder)
        print_tuning(folder, out)


@app.command(epilog="Example: python run.py reverse scenarios/studies/outage.yaml")
def reverse(
    file: Annotated[Path, typer.Argument(help="YAML file of a reverse stress test; with --breach, of a scenario.")],
    breach: Annotated[str | None, typer.Option(help='What must hold: "p(bad_debt > 0.005 * debt_start) <= 5%".')] = None,
    along: Annotated[str | None, typer.Option(metavar="KEY", help="Key whose level is looked for: shocks[0].change.")] = None,
    low: Annotated[float | None, typer.Option(help="Lower end.")] = None,
    high: Annotated[float | None, typer.Option(help="Upper end.")] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Levels multiply what the scenario says.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Levels are spaced by ratios.")] = False,
    cases: Annotated[list[str] | None, typer.Option("--for", metavar="KEY=V,V,...", help="Search once for each value.")] = None,
    paths: Annotated[int | None, typer.Option(help="Paths of each level; 200 if left out.")] = None,
    most_paths: Annotated[int | None, typer.Option(help="Paths where more narrow the interval; four times --paths if left out.")] = None,
    confidence: Annotated[float | None, typer.Option(help="Of either end of the interval; 0.95 if left out.")] = None,
    precision: Annotated[float | None, typer.Option(help="Share of the way between the ends; 0.01 if left out.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the study's or scenario's own.")] = None,
    settings: Set = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted search stopped.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Threads; one per core if left out.")] = None,
    processes: Processes = None,
    cluster: Cluster = None,
    out_dir: Out = OUT,
    allow_outside: Outside = False,
) -> None:
    """Find the smallest shock, gap, outage or drain that breaks a limit, with its interval."""
    with plain_errors():
        from seawall.reports.reverse import print_reverse, write_reverse
        from seawall.studies.reverse import reverse as search
        from seawall.studies.reverse_files import save
        from seawall.studies.reverse_options import ReverseOptions

        ends: dict[str, Any] = {"along": along, "low": low, "high": high, "scale": scale, "log": log, "cases": tuple(cases or ())}
        closely: dict[str, Any] = {"paths": paths, "most_paths": most_paths, "confidence": confidence, "precision": precision}
        spec = ReverseOptions(breach, **ends, **closely).spec(file)
        base, folder = _scenario_of(spec, file, settings, out_dir, seed=seed, allow_outside=allow_outside)
        with _at_work(folder, resume=resume, workers=workers, processes=processes, cluster=cluster) as (trials, players, progress):
            found = search(spec, base, file, trials, players, seed=seed, progress=progress)
            save(found, folder)
        print_reverse(found, out, write_reverse(found, folder))


@app.command(epilog="Example: python run.py sensitivity scenarios/studies/drivers.yaml")
def sensitivity(
    study: Annotated[Path, typer.Argument(help="YAML file of a sensitivity study.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the study's or scenario's own.")] = None,
    settings: Set = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted study stopped.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Threads; one per core if left out.")] = None,
    processes: Processes = None,
    cluster: Cluster = None,
    out_dir: Out = OUT,
    allow_outside: Outside = False,
) -> None:
    """Tell which parameters drive which outcomes over their ranges: Sobol's or Morris's indices, with intervals."""
    with plain_errors():
        from seawall.reports.sensitivity import print_sensitivity, write_sensitivity
        from seawall.studies.sensitivity import sensitivity as ask
        from seawall.studies.sensitivity_files import save
        from seawall.studies.sensitivity_schema import SensitivitySpec
        from seawall.studies.study_file import read_study

        spec, _ = read_study(study, SensitivitySpec)
        base, folder = _scenario_of(spec, study, settings, out_dir, seed=seed, allow_outside=allow_outside)
        with _at_work(folder, resume=resume, workers=workers, processes=processes, cluster=cluster) as (trials, players, progress):
            found = ask(spec, base, study, trials, players, seed=seed, progress=progress)
            save(found, folder)
        print_sensitivity(found, out, write_sensitivity(found, folder))


def _scenario_of(spec: Any, study: Path, settings: list[str] | None, out_dir: Path, *, seed: int | None, allow_outside: bool) -> Any:
    """The scenario of a study, its warnings told, and the study's folder."""
    from seawall.studies.study_file import base_of, folder_name

    base = base_of(spec, study, settings or (), allow_outside=allow_outside)
    _tell_of_scenarios([base])
    return base, out_dir / folder_name(spec, base, study, seed)


def _tell_of_scenarios(bases: Any) -> None:
    """Warnings of a study's scenarios, and that their rules are compiled first."""
    for base in bases:
        for warning in base.loaded.warnings:
            err.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    scenarios = [base.loaded.scenario for base in bases]
    _tell_of_compilation(
        has_exchange=any(one.exchange is not None for one in scenarios), has_avmm=any(one.avmm is not None for one in scenarios)
    )


@contextmanager
def _at_work(folder: Path, *, resume: bool, **who: Any) -> Iterator[Any]:
    """The folder for a study's trials, who plays them, and a progress bar."""
    from seawall.studies.study_folder import study_folder

    with _players(**who) as players, study_folder(folder, resume=resume) as trials, _progress("paths") as progress:
        yield trials, players, progress


@app.command(epilog="Example: python run.py compare out/short_squeeze/A-2024-paths out/short_squeeze/B-2024-paths")
def compare(
    folders: Annotated[list[Path], typer.Argument(help="Folders of two or more runs, or of ensembles.")],
    out_dir: Out = OUT,
) -> None:
    """Runs side by side, with differences, paired where paths are the same."""
    with plain_errors():
        from seawall.reports.compare import print_comparison, write_comparison
        from seawall.studies.compare import compare as set_beside
        from seawall.studies.seal import understood

        with understood(*folders):
            found = set_beside(folders)
            print_comparison(found, out, write_comparison(found, out_dir / "compare"))


@app.command(epilog="Example: python run.py report out/short_squeeze/0123456789ab-2024")
def report(folder: Annotated[Path, typer.Argument(help="Folder of a run, of many paths, or of a study.")]) -> None:
    """Render the report and figures of a run, of many paths or of a study again from their files."""
    from seawall.studies.folder_lock import refuse_link
    from seawall.studies.seal import understood

    with plain_errors(), uncollected(), understood(folder):
        from seawall.studies.ensemble_files import is_ensemble, load_ensemble

        refuse_link(folder)
        if is_ensemble(folder):
            from seawall.reports.ensemble import write_ensemble_report
            from seawall.reports.ensemble_terminal import print_ensemble

            many = load_ensemble(folder)
            write_ensemble_report(many)
            print_ensemble(many, out)
            return
        from seawall.studies.tune_files import ANSWER

        if (folder / ANSWER).exists():
            from seawall.reports.tune import write_tuning_report
            from seawall.reports.tune_terminal import print_tuning

            write_tuning_report(folder)
            print_tuning(folder, out)
            return
        from seawall.reports.html import write_report
        from seawall.reports.terminal import print_summary
        from seawall.studies.store import SUMMARY, load_run

        if not (folder / SUMMARY).exists() and _report_study(folder):
            return
        result = load_run(folder)
        write_report(result, folder)
        print_summary(result, out, folder)


def _report_study(folder: Path) -> bool:
    """Render a reverse stress test or a sensitivity study again, if the folder holds one."""
    from seawall.studies import reverse_files, sensitivity_files

    if (folder / reverse_files.ANSWER).exists():
        from seawall.reports.reverse import print_reverse, write_reverse

        edges = reverse_files.load(folder)
        print_reverse(edges, out, write_reverse(edges, folder))
    elif (folder / sensitivity_files.ANSWER).exists():
        from seawall.reports.sensitivity import print_sensitivity, write_sensitivity

        drivers = sensitivity_files.load(folder)
        print_sensitivity(drivers, out, write_sensitivity(drivers, folder))
    else:
        return False
    return True


@app.command(epilog="Example: python run.py validate scenarios/*.yaml scenarios/studies/*.yaml")
def validate(
    files: Annotated[list[Path], typer.Argument(help="YAML files of scenarios or studies.")],
    settings: Set = None,
    allow_outside: Outside = False,
) -> None:
    """Check files of scenarios and studies; report every fault at once, with file, line and key."""
    from seawall.protocols.errors import SeawallError
    from seawall.studies.study_kinds import check

    failed = False
    for file in files:
        try:
            warnings = check(file, settings or (), allow_outside=allow_outside)
        except SeawallError as error:
            failed = True
            err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            continue
        for warning in warnings:
            out.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        out.print(f"{file}: fine", markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(2)


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios and studies that ship, with one line each."""
    from rich.table import Table

    from seawall.scenarios.load import load, shipped
    from seawall.studies.study_kinds import shipped_studies

    table = Table.grid(padding=(0, 2))
    for file in shipped():
        table.add_row("run", os.path.relpath(file), load(file).scenario.about)
    for file, kind, about in shipped_studies():
        table.add_row(kind, os.path.relpath(file), about)
    out.print(table)


@app.command(epilog="Example: python run.py schema > scenario.schema.json")
def schema(kind: Annotated[str, typer.Argument(help="scenario, tune, reverse or sensitivity.")] = "scenario") -> None:
    """Print the JSON Schema of scenario or study files, for editors."""
    import json

    with plain_errors():
        from seawall.protocols.errors import OptionError
        from seawall.studies.study_kinds import SCHEMAS

        if kind not in SCHEMAS:
            raise OptionError(f"{kind!r} is no kind of file; known: {', '.join(SCHEMAS)}")
        print(json.dumps(SCHEMAS[kind].model_json_schema(), indent=2))


def main() -> None:
    """Entry point of the installed command. What it leaves in memory goes with the process: nothing searches that for garbage."""
    try:
        app()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
