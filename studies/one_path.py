"""One path of an ensemble: played, then reduced to its figures, a thinned time series and counts, so that thousands fit in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from seawall.models import avmm_frames, exchange_frames, frames
from seawall.models.stress import StressModel
from seawall.protocols.errors import SeawallError
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Ints, Table, World
from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded
from seawall.scenarios.paths import Paths, realised_moments

Array = np.ndarray[Any, Any]

MOST_RECORDS = 120
"""Records of a run kept for charts over all paths; always the first and the last."""
TABLES = {"series": "tasset", "markets": "market", "book": "asset"}
"""Tables of which a thinned series is kept, with the column that names rows: tASSETs, markets of the exchange, assets of the RFQ market."""
COLUMNS = {
    "series": (
        "market_price",
        "oracle_price",
        "market_open",
        "amm_premium",
        "system_collateral_ratio",
        "shortfall_usd",
        "bad_debt_usd",
        "margin_called_cdps",
        "debt_usd",
        "min_collateral_ratio",
    ),
    "markets": ("index_price", "market_price", "skew_usd", "open_interest_usd", "delegated_usd", "credit_left_usd", "total_debt_usd"),
    "book": ("oracle_price", "market_price", "best_discount", "payable_usd", "stale_loss_usd"),
}
"""Columns kept of each; units as in the frames of the same name."""
RATIOS = "ratios.cdps"
"""Column of open CDPs per record, tASSET and bin of `RATIO_EDGES`, of the same records as the thinned series."""
TURN = Lock()
"""Held while a path is drawn, built, reduced or written: some milliseconds of Python and NumPy for a thousand agents. Threads would snatch
Python's own lock from each other at every call of NumPy, and two of them lose a tenth of their time. Rounds are played side by side."""
MOST_ROUNDS_PER_CALL = 20_000
AGENT_ROUNDS_PER_CALL = 20_000_000  # between two looks at whether to stop: less than a second; each look waits for Python's lock


class Interrupted(SeawallError):
    """A path given up in the middle because somebody asked to stop; never counted as failed."""


@dataclass(frozen=True)
class Outcome:
    """What is kept of a path.

    Attributes:
        path: its number.
        log_weight: log of its importance weight; 0 where paths are drawn as they are.
        figures: headline figures by name; NaN where there is none.
        units: (group, unit) by name of the figure.
        missing: why there is none, by name of the figure.
        series: columns of thinned time series by "table.column", and `RATIOS`; empty where none was asked for.
        refused: count by (action, reason).
        sums: what ratios over all paths are made of, see `sums_of`; empty without tASSETs.
        moments: what the prices turned out to be, by "asset.moment".
        error: type and text of what went wrong; the rest is empty then.
    """

    path: int
    log_weight: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    series: dict[str, Array] = field(default_factory=dict)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)
    moments: dict[str, float] = field(default_factory=dict)
    error: tuple[str, str] | None = None


def play(loaded: Loaded, seed: int, path: int, *, keeps_series: bool, is_stopped: Callable[[], bool]) -> Outcome:
    """Play one path and reduce it. A path that raises is an outcome, too: one with an error.

    Args:
        loaded: a checked scenario.
        seed: of the ensemble.
        path: number of the path, >= 0.
        keeps_series: whether its thinned time series is wanted.
        is_stopped: asked between rounds.

    Raises:
        Interrupted: `is_stopped` said so.
    """
    try:
        with TURN:
            paths = price_paths(loaded, seed, path)
            model = build_model(loaded, paths, seed, path)
        _run(model, is_stopped)
        with TURN:
            found = _reduce(model, paths, path, keeps_series)
        model.__dict__.clear()  # a Mesa model stands in circles of references: its tables would wait for the garbage collector
    except Interrupted:
        raise
    except Exception as error:
        return Outcome(path, error=(type(error).__name__, str(error)))
    return found


def _run(model: StressModel, is_stopped: Callable[[], bool]) -> None:
    def look(_: int) -> None:
        if is_stopped():
            raise Interrupted

    look(0)
    agents = sum(len(model.rows_of(kind)) for kind in model.kinds)
    rounds = min(max(AGENT_ROUNDS_PER_CALL // max(agents, 1), 1), MOST_ROUNDS_PER_CALL)
    model.run(progress=look, rounds_per_call=rounds)


def _reduce(model: StressModel, paths: Paths, path: int, keeps_series: bool) -> Outcome:
    named = [(group, name, figure) for group, figures in model.summary().items() for name, figure in figures.items()]
    return Outcome(
        path,
        log_weight=paths.log_weight,
        figures={name: math.nan if figure.value is None else float(figure.value) for _, name, figure in named},
        units={name: (group, figure.unit) for group, name, figure in named},
        missing={name: figure.why for _, name, figure in named if figure.value is None},
        series=thinned_series(model) if keeps_series else {},
        refused=_refused(model),
        sums=sums_of(model.world),
        moments=_moments(paths),
    )


def thinned_series(model: StressModel) -> dict[str, Array]:
    """Columns of the time series by "table.column", and CDPs by ratio, of `MOST_RECORDS` records at most, evenly spread."""
    world = model.world
    ratios = {RATIOS: world.ratio_counts[_kept(world.clock)].reshape(-1).astype(np.float64)} if len(world.tassets) else {}
    return ratios | {
        f"{table}.{column}": _values(columns[column])
        for table, columns in _thinned_columns(model).items()
        if len(columns["time_s"])
        for column in ("time_s", TABLES[table], *COLUMNS[table])
    }


def _values(column: Array | pd.Series[Any]) -> Array:
    names = isinstance(column.dtype, pd.StringDtype) or column.dtype == object
    return np.asarray(column, dtype=object if names else np.float64)


def _thinned_columns(model: StressModel) -> dict[str, Mapping[str, Any]]:
    """The records are thinned before they become columns, which costs ten times what the thinning does."""
    world, exchange, avmm = model.world, model.exchange, model.avmm
    rows, clock = _thinned(world.series, world.clock)
    found: dict[str, Any] = {"series": frames.series_columns(world._replace(series=rows, clock=clock), model.tasset_names)}
    if exchange is not None:
        rows, times = _thinned(exchange.market_series, exchange.times)
        found["markets"] = exchange_frames.markets(exchange._replace(market_series=rows, times=times), model.exchange_names)
    if avmm is not None:
        rows, terms = _thinned(avmm.series, avmm.terms)
        found["book"] = avmm_frames.book(avmm._replace(series=rows, terms=terms), model.avmm_names)
    return found


def _thinned(series: Table, counter: Table) -> tuple[Table, Table]:
    """Records evenly spread, [records, rows], and the table with the number of them."""
    kept = _kept(counter)
    thin = counter.copy()
    thin["records"] = len(kept)
    return series[kept], thin


def _kept(counter: Table) -> Ints:
    """Numbers of the records kept."""
    written = int(counter[0].records)
    return np.unique(np.linspace(0, max(written - 1, 0), min(written, MOST_RECORDS)).round().astype(np.int64))


def _refused(model: StressModel) -> dict[tuple[str, str], int]:
    """How often which action was refused for which reason."""
    tallies = model.world.tallies
    asked = ((Action(int(a)).name.lower(), Status(int(s)), int(tallies[a, s])) for a, s in np.argwhere(tallies > 0))
    return {(action, status.name): count for action, status, count in asked if status != Status.OK}


def sums_of(world: World) -> dict[str, float]:
    """USD of a path whose ratios mean little path by path: those over all paths divide sums of these.

    `called_usd` debt put up for sale by margin calls, `instant_usd` what of it was liquidated in the same round; at market prices, all CDPs
    together, `debt_start_usd` and `collateral_start_usd` at the start, `collateral_end_usd` at the end, `required_end_usd` their debt then
    times the minimum ratio.
    """
    if not len(world.tassets):
        return {}
    first, last = world.series[0], world.series[int(world.clock[0].records) - 1]
    return {
        "called_usd": float(world.flows["called_usd"].sum()),
        "instant_usd": float(world.flows["instant_usd"].sum()),
        "debt_start_usd": float((first["debt"] * first["market_price"]).sum()),
        "collateral_start_usd": float(first["collateral_usd"].sum()),
        "collateral_end_usd": float(last["collateral_usd"].sum()),
        "required_end_usd": float((last["debt"] * last["market_price"] * last["min_collateral_ratio"]).sum()),
    }


def _moments(paths: Paths) -> dict[str, float]:
    """Realised moments of each asset by "asset.moment"."""
    return {
        f"{one.asset}.{name}": float(getattr(one, name)) for one in realised_moments(paths) for name in one.__slots__ if name != "asset"
    }
