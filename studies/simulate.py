"""One run: a scenario and a seed in, figures and time series out."""

from __future__ import annotations

import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seawall.models import avmm_frames, exchange_frames, frames
from seawall.models.exchange_neutrality import Estimate
from seawall.models.measures import Figure, Summary
from seawall.models.stress import StressModel
from seawall.prices.process import YEAR_SECONDS
from seawall.scenarios import disturbances
from seawall.scenarios.avmm_layout import NOT_TASSET, lay_out_avmm
from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import Drawn, drawn_prices
from seawall.scenarios.load import Loaded, load
from seawall.scenarios.named_files import refuse_changed
from seawall.scenarios.paths import Paths, realised_moments
from seawall.scenarios.price_schema import Outage
from seawall.scenarios.process_schema import build_process
from seawall.scenarios.schema import Scenario
from seawall.scenarios.simulated_schema import SimulatedPrices
from seawall.studies.methods import described, methods
from seawall.studies.store import RunResult

PACKAGES = ("seawall", "mesa", "numba", "numpy", "pandas", "scipy")
ASSUMPTIONS = (
    "Solvency is marked at the market price, not at the oracle's: a silent feed makes nobody solvent.",
    "One tDOLLAR is one USD.",
    "Orders of traders arrive as a Poisson process with log-normal sizes; owners, liquidators and LPs behave as docs/agents.md says.",
    "Liquidators pay for gas outside the market; tokens that they hold count as an outlay at the oracle price.",
    "Refused purchases are counted once per round and margin-called CDP, with the reason of the last liquidator who looked at it.",
)
EXCHANGE_ASSUMPTIONS = (
    "Orders on the exchange are settled in the round of their arrival, at the last oracle price; each market has margin of its own.",
    "LPs, pool owners, perps traders and keepers behave as docs/agents.md says; a trader by carry hedges outside the market.",
    "One dUSD is one USD; collateral without a price of its own is a dollar.",
)
AVMM_ASSUMPTIONS = (
    "Quotes of the RFQ market are oracle prices when an order is placed; it settles after the latency at these prices, or not at all.",
    "Orders arrive as a Poisson process with log-normal sizes; RFQ LPs and traders behave as docs/agents.md says.",
    "A swap on the RFQ market costs nothing but its fee: gas is paid outside the market.",
)
ROUTES = {
    "rfq": "Orders are routed to RFQ positions by rank: largest discount first, then most REP.",
    "constant_product": "For comparison, RFQ LPs hold both sides of constant-product pools, to which all orders go.",
    "dutch_auction": "For comparison, every order is a Dutch auction, which the first RFQ LP to gain by it settles out of its wallet.",
    "sealed_bid": "For comparison, every order is a sealed-bid auction, which the RFQ LP that delivers most settles out of its wallet.",
}
"""How orders of the RFQ market find their counterparty, by mechanism; printed with the assumptions."""


def run(
    scenario: str | Path | Loaded,
    *,
    seed: int | None = None,
    path: int = 0,
    settings: Sequence[str] = (),
    with_audit: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Run one path of a scenario.

    Args:
        scenario: file of a scenario, or one already loaded.
        seed: replaces the scenario's own, >= 0.
        path: number of the path, >= 0; the same number gives the same path.
        settings: "KEY=VALUE" each, as on the command line; only with a file.
        with_audit: check the books after every round instead of once per thousand.
        progress: called with rounds played and rounds in all.

    Raises:
        ScenarioError, PriceFileError: for a scenario that cannot be run, or whose files change while they are read.
        ConservationError: if the books do not balance.
    """
    loaded = scenario if isinstance(scenario, Loaded) else load(scenario, settings)
    seed = loaded.scenario.seed if seed is None else seed
    started, clock = datetime.now(UTC), time.perf_counter()
    digest = loaded.digest
    drawn = drawn_prices(loaded, seed, path)
    model = build_model(loaded, drawn.paths, seed, path, with_audit=with_audit)
    refuse_changed(loaded, digest)
    built = time.perf_counter()
    _play(model, progress)
    played = time.perf_counter()
    manifest = _manifest(loaded, digest, model, drawn, seed, path)
    manifest["started"] = started.isoformat(timespec="seconds")
    manifest["seconds"] = {"build": round(built - clock, 3), "simulate": round(played - built, 3)}
    return result_of(model, manifest)


def _play(model: StressModel, progress: Callable[[int, int], None] | None) -> None:
    steps = model.rounds_left
    if progress is None:
        model.run(rounds_per_call=max(steps, 1))
    else:
        model.run(progress=lambda _: progress(steps - model.rounds_left, steps), rounds_per_call=max(steps // 100, 1))


def result_of(model: StressModel, manifest: dict[str, Any]) -> RunResult:
    """The files' content of a model that has been run."""
    world, names = model.world, model.tasset_names
    exchange, rows = model.exchange, model.exchange_names
    avmm = model.avmm
    return RunResult(
        summary=as_entries(model.summary(), paths=1),
        series=frames.series(world, names),
        ratios=frames.ratios(world, names),
        refusals=frames.refusals(world),
        liquidations=frames.liquidations(world, names),
        rewards=frames.rewards(world),
        polls=frames.polls(world, names),
        owners=frames.owners(world),
        markets=exchange_frames.markets(exchange, rows),
        pools=exchange_frames.pools(exchange, rows),
        exchange_traders=exchange_frames.traders(exchange),
        exchange_lps=exchange_frames.lps(exchange, rows),
        book=avmm_frames.book(avmm, model.avmm_names),
        rfq_lps=avmm_frames.lps(avmm),
        rfq_flows=avmm_frames.flows(avmm),
        manifest=manifest,
    )


def as_entries(summary: Summary, *, paths: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Headline figures as plain data: value, unit, paths, `why` where there is no value, and `interval` where one was estimated."""
    return {group: {name: _entry(figure, paths) for name, figure in figures.items()} for group, figures in summary.items()}


def _entry(figure: Figure, paths: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"value": figure.value, "unit": figure.unit, "paths": paths}
    if figure.value is None:
        entry["why"] = figure.why
    if isinstance(figure, Estimate):
        entry["interval"] = list(figure.interval)
    return entry


def _manifest(loaded: Loaded, digest: str, model: StressModel, drawn: Drawn, seed: int, path: int) -> dict[str, Any]:
    scenario, paths = loaded.scenario, drawn.paths
    return {
        "name": scenario.name,
        "about": scenario.about,
        "scenario_file": str(loaded.file),
        "scenario_text": loaded.text,
        "settings": list(loaded.settings),
        "digest": digest,
        "seed": seed,
        "path": path,
        "command": replay_command(loaded, seed) + (f" --path {path}" if path else ""),
        "start": paths.start.isoformat(),
        "steps": paths.steps,
        "step_seconds": paths.step_seconds,
        "world_digest": model.digest(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": f"{platform.system()} {platform.machine()}, {sys.byteorder}-endian",
        "notes": [*(str(warning) for warning in loaded.warnings), *_notes(model), *methods(scenario.prices), *assumptions(scenario)],
        "outages": [
            {"tasset": name, "from_s": outage.at_hours * 3600.0, "to_s": (outage.at_hours + outage.hours) * 3600.0}
            for outage in scenario.outages
            for name in struck(scenario, outage)
        ],
        "shocks": [
            {"asset": tasset, "at_s": event.at_s, **described(event)}
            for event in drawn.events
            for tasset, tracks in tracked(scenario)
            if event.asset in (None, tracks)
        ],
        "disturbances": disturbances.listed(scenario, paths.steps, seed, path),
        "delistings": [
            {
                "tasset": event.tasset,
                "at_s": float(plan["done_at"]),
                "replacement": event.replacement,
                "split": event.split,
                "end_price": float(model.world.tassets[plan["tasset"]].end_price),
            }
            for event, plan in zip(scenario.delistings, model.world.migrations, strict=True)
            if plan["done_at"] < float("inf")
        ],
        "log_weight": paths.log_weight,
        "path_moments": path_moments(loaded, paths),
        "path_check": path_check(loaded, drawn),
    }


def replay_command(loaded: Loaded, seed: int) -> str:
    """The command that plays paths of this scenario again, less the path."""
    settings = [part for setting in loaded.settings for part in ("--set", setting)]
    outside = ["--allow-outside"] if loaded.allow_outside else []
    return shlex.join(["python", "run.py", "run", str(loaded.file), "--seed", str(seed), *settings, *outside])


def tracked(scenario: Scenario) -> list[tuple[str, str]]:
    """Every tASSET, every market of the exchange and every other asset of the RFQ market with a price, with the asset that it tracks."""
    markets = scenario.exchange.markets.items() if scenario.exchange is not None else ()
    named = [(name, terms.tracks) for name, terms in scenario.tassets.items()] + [(name, terms.tracks) for name, terms in markets]
    return list(dict.fromkeys([*named, *((name, asset) for name, asset, _ in _quoted(scenario))]))


def struck(scenario: Scenario, outage: Outage) -> list[str]:
    """TASSETs and other assets of the RFQ market whose feed an outage strikes."""
    quoted = _quoted(scenario)
    if outage.tasset is not None:
        feed = scenario.tasset_names.index(outage.tasset)
        return [outage.tasset, *(name for name, _, shared in quoted if shared == feed)]
    named = [(name, terms.tracks) for name, terms in scenario.tassets.items()] + [(name, asset) for name, asset, _ in quoted]
    return [name for name, asset in named if outage.asset in (None, asset)]


def _quoted(scenario: Scenario) -> list[tuple[str, str, int]]:
    """Name, asset and row of the feed of what the RFQ market trades beside tASSETs and dollars."""
    spec = scenario.avmm
    if spec is None:
        return []
    assets = zip(spec.names, lay_out_avmm(scenario, spec).assets, strict=True)
    return [(name, asset.tracks, asset.feed) for name, asset in assets if asset.tracks is not None and asset.tasset == NOT_TASSET]


def assumptions(scenario: Scenario) -> tuple[str, ...]:
    """What is assumed of the protocols that a scenario has, in sentences."""
    has_others = scenario.exchange is not None or scenario.avmm is not None
    of_tassets = ASSUMPTIONS if scenario.tassets or not has_others else ()
    of_avmm = (*AVMM_ASSUMPTIONS, ROUTES[scenario.avmm.mechanism]) if scenario.avmm is not None else ()
    return (*of_tassets, *(EXCHANGE_ASSUMPTIONS if scenario.exchange is not None else ()), *of_avmm)


def _notes(model: StressModel) -> list[str]:
    lost = int(model.world.clock[0].events_lost)
    return [f"{lost:,} liquidations more than the list of events holds; totals include them."] if lost else []


def path_moments(loaded: Loaded, paths: Paths) -> list[dict[str, Any]]:
    """What each asset's path turned out to be, shocks and closed hours included, beside what is configured of the whole path."""
    rows = []
    for moments in realised_moments(paths):
        realised = {name: getattr(moments, name) for name in moments.__slots__ if name != "asset"}
        rows.append({"asset": moments.asset, "configured": _configured(loaded, moments.asset), "realised": realised})
    return rows


def _configured(loaded: Loaded, asset: str) -> dict[str, float] | None:
    """In closed form; None where the path is recorded, or more than the asset's own process moves it."""
    prices, step_seconds = loaded.scenario.prices, loaded.scenario.step_seconds
    if not isinstance(prices, SimulatedPrices) or prices.common_jumps is not None or prices.opening_gap_deviation > 0.0:
        return None
    expected = build_process(prices.assets[asset], step_seconds).expected(step_seconds / YEAR_SECONDS)
    known = {"mean_per_year": expected.mean_per_year, "volatility_per_year": expected.volatility_per_year}
    return {name: value for name, value in known.items() if value is not None} | {"first_price": prices.assets[asset].start_usd}


def path_check(loaded: Loaded, drawn: Drawn) -> dict[str, Any]:
    """Configured beside realised moments of the path with verdicts, as plain data; see `price_check`."""
    from seawall.studies.price_check import as_entry, check_rows

    return as_entry(*check_rows(loaded, [drawn]))
