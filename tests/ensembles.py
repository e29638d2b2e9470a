"""Ensembles for tests, made up from random numbers and written as a run of many paths writes them: nothing is played."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from markets import storm

from seawall.models.records import RATIO_EDGES
from seawall.scenarios.load import Loaded
from seawall.studies.assemble import assemble
from seawall.studies.chunks import divide, write_chunk
from seawall.studies.ensemble_files import EnsembleFiles, checked_prices, load_ensemble, write_manifest
from seawall.studies.ensemble_folder import CHUNKS, bind, fingerprint
from seawall.studies.one_path import COLUMNS, RATIOS, Outcome

HORIZON_S = 21_600.0
FAILED = 7
TIMES = np.linspace(0.0, HORIZON_S, 25)
CDPS = 40
UNITS = {
    "bad_debt_usd": ("solvency", "USD"),
    "shortfall_peak_usd": ("solvency", "USD"),
    "min_system_collateral_ratio": ("solvency", "fraction"),
    "time_to_insolvency_s": ("solvency", "seconds"),
    "under_collateralised_debt_share_end": ("solvency", "fraction"),
    "liquidations": ("liquidations", "count"),
    "liquidated_debt_usd": ("liquidations", "USD"),
    "liquidation_efficiency": ("liquidations", "fraction"),
    "cascade_debt_share": ("liquidations", "fraction"),
    "cascade_rounds": ("liquidations", "count"),
    "refused_stale_price": ("liquidations", "count"),
    "refused_unprofitable": ("liquidations", "count"),
    "refused_no_capital": ("liquidations", "count"),
    "refused_no_liquidity": ("liquidations", "count"),
    "refused_too_early": ("liquidations", "count"),
    "refused_delisted": ("liquidations", "count"),
    "fee_yield_per_year": ("fee_yield", "per_year"),
    "lp_net_yield_per_year": ("fee_yield", "per_year"),
    "owners_loss_usd": ("waterfall", "USD"),
    "holders_loss_usd": ("waterfall", "USD"),
    "lp_impermanent_loss_usd": ("waterfall", "USD"),
    "liquidators_profit_usd": ("waterfall", "USD"),
}

Change = Callable[[dict[str, float], int], None]
"""Changes the figures of a path; called with its number, too."""


def ensemble(
    folder: Path, *, paths: int = 200, seed: int = 11, loaded: Loaded | None = None, change: Change | None = None, **manifest: Any
) -> EnsembleFiles:
    """An ensemble in a folder; one path of the first ten failed. `manifest` says what else it states: `stopping`, `asked`."""
    loaded = loaded or storm()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHUNKS).mkdir(exist_ok=True)
    bound = bind(loaded, seed=seed, first_path=0, chunk_paths=50, kept_series=100)
    chunks = divide(folder / CHUNKS, range(paths), 50, fingerprint(bound))
    for chunk in chunks:
        write_chunk(chunk, [outcome(seed, path, change) for path in chunk.numbers])
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(checked_prices, loaded, seed, range(paths))
        survey = assemble(chunks, folder, beside)
    timing = {"started": "2026-01-01T00:00:00+00:00", "seconds": 12.5, "workers": 2, "peak_memory_mb": 321.0}
    asked, stopping = manifest.get("asked", paths), manifest.get("stopping")
    write_manifest(folder, loaded, bound, asked=asked, stopping=stopping, found=survey, prices=checked.result(), timing=timing)
    return load_ensemble(folder)


def outcome(seed: int, path: int, change: Change | None = None) -> Outcome:
    """What might have come out of a path: now and then a large loss, mostly none."""
    if path == FAILED:
        return Outcome(path, error=("ConservationError", "<b>money vanished</b>"))
    rng = np.random.default_rng([seed, path])
    is_bad = rng.random() < 0.3
    shortfall = float(rng.lognormal(9.0, 1.0)) * is_bad
    sold = float(rng.lognormal(10.0, 0.5))
    figures = {
        "bad_debt_usd": shortfall * float(rng.uniform(0.1, 0.6)),
        "shortfall_peak_usd": shortfall,
        "min_system_collateral_ratio": float(rng.normal(1.5, 0.1)),
        "time_to_insolvency_s": float(rng.uniform(7_200.0, HORIZON_S)) if is_bad else np.nan,
        "under_collateralised_debt_share_end": 0.02 * is_bad,
        "liquidations": float(rng.poisson(40)),
        "liquidated_debt_usd": sold,
        "liquidation_efficiency": float(rng.beta(6, 3)),
        "refused_stale_price": float(rng.poisson(20)),
        "refused_unprofitable": float(rng.poisson(60)),
        "refused_no_capital": float(rng.poisson(4)),
        "refused_no_liquidity": 0.0,
        "refused_too_early": 0.0,
        "refused_delisted": 0.0,
        "fee_yield_per_year": float(rng.normal(0.2, 0.05)),
        "lp_net_yield_per_year": float(rng.normal(-0.1, 0.4)),
        "owners_loss_usd": 0.2 * sold,
        "holders_loss_usd": 0.1 * shortfall,
        "lp_impermanent_loss_usd": float(rng.normal(500.0, 900.0)),
        "liquidators_profit_usd": 0.15 * sold,
    }
    figures |= {"cascade_debt_share": float(rng.beta(2, 20)) * (path % 10 > 0), "cascade_rounds": 1.0 + float(rng.poisson(9))}
    if change is not None:
        change(figures, path)
    missing = {} if is_bad else {"time_to_insolvency_s": "no CDP became insolvent"}
    refused = {("purchase", "STALE_PRICE"): 20, ("purchase", "UNPROFITABLE"): 60}
    sums = {"called_usd": 1.5 * sold, "instant_usd": sold, "collateral_start_usd": 5e5, "collateral_end_usd": 4e5, "required_end_usd": 2e5}
    moments = {f"{asset}.{name}": float(rng.normal(1.0, 0.1)) for asset in "AB" for name in ("first_price", "last_price")}
    return Outcome(path, 0.0, figures, UNITS, missing, _series(rng, shortfall), refused, sums, moments)


def _series(rng: np.random.Generator, shortfall: float) -> dict[str, np.ndarray]:
    rows = 2 * len(TIMES)
    late = np.repeat(TIMES, 2) / HORIZON_S
    walk = np.cumsum(rng.normal(0.0, 0.03, rows))
    price = 100.0 * np.exp(walk)
    values = {
        "market_price": price,
        "oracle_price": price,
        "market_open": np.where((late > 0.6) & (late < 0.7), 0.0, 1.0),
        "amm_premium": 0.1 * walk,
        "system_collateral_ratio": 1.7 - 0.5 * np.abs(walk),
        "shortfall_usd": shortfall * 4.0 * late * (1.0 - late),
        "bad_debt_usd": 0.3 * shortfall * late,
        "margin_called_cdps": rng.poisson(4, rows).astype(float),
        "debt_usd": np.full(rows, 2e5),
        "min_collateral_ratio": np.full(rows, 1.5),
    }
    names = np.tile(np.array(["tA", "tB"], dtype=object), len(TIMES))
    columns = {column: values[column] for column in COLUMNS["series"]}
    ratios = np.clip(rng.normal(1.9, 0.3, (rows, CDPS)) - 0.5 * np.abs(walk)[:, None], 0.0, 9.0)
    counts = np.array([np.histogram(each, RATIO_EDGES)[0] for each in ratios], dtype=float)
    labels = {"series.time_s": np.repeat(TIMES, 2), "series.tasset": names, RATIOS: counts.reshape(-1)}
    return labels | {f"series.{name}": each for name, each in columns.items()}
