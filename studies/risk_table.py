"""All risk figures of an ensemble from its tables: one row per path, one column per headline figure of a run.

A figure is left out where its market is not part of the scenario. A path that failed has no values and counts in none of them; the ensemble
counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from seawall.protocols.tables import Floats
from seawall.studies import risk
from seawall.studies.estimate import Estimate

LOSSES = (
    "bad_debt_usd",
    "shortfall_peak_usd",
    "shortfall_end_usd",
    "owners_loss_usd",
    "holders_loss_usd",
    "lp_impermanent_loss_usd",
    "unpaid_peak_usd",
    "perps_shortfall_usd",
    "avmm_stale_loss_usd",
)
"""Losses, USD: each with its mean, VaR and CVaR."""

YIELDS = (
    "fee_yield_per_year",
    "lp_net_yield_per_year",
    "lp_fee_return_per_year",
    "lp_return_per_year",
    "avmm_fee_yield_per_year",
    "avmm_lp_net_yield_per_year",
)
"""Fees and net yield of the tASSET pools, the exchange and the RFQ market; after a dot, of a kind of LP or a market."""

SLOPES = ("lp_beta_to_market", "lp_beta_to_traders")
REFUSALS = (
    "refused_stale_price",
    "refused_unprofitable",
    "refused_no_capital",
    "refused_no_liquidity",
    "refused_too_early",
    "refused_delisted",
)
BEARERS = ("owners_loss_usd", "holders_loss_usd", "lp_impermanent_loss_usd")

STATISTICS: dict[str, Callable[[Floats, Floats], Estimate]] = {
    "mean": risk.mean,
    "var95": lambda values, weights: risk.var(values, 0.95, weights),
    "var99": lambda values, weights: risk.var(values, 0.99, weights),
    "cvar95": lambda values, weights: risk.cvar(values, 0.95, weights),
    "cvar99": lambda values, weights: risk.cvar(values, 0.99, weights),
}
"""What is stated of each loss."""

Figures = dict[tuple[str, str], Estimate]
"""By name and statistic."""


def risk_figures(measures: pd.DataFrame, horizon_s: float, sums: pd.DataFrame | None = None) -> Figures:
    """Every risk figure that the tables of an ensemble allow.

    Args:
        measures: one row per path: `path`, `log_weight`, `failed` (0 and False if left out), headline figures, NaN where there is none.
        horizon_s: length of each path in seconds, > 0.
        sums: one row per path: `path` and what ratios over all paths divide, see `one_path.sums_of`; without it there are no such ratios.

    Returns:
        Estimates by name and statistic, in the order of a report.
    """
    table = measures if sums is None else measures.merge(sums[["path", *sums.columns.difference(measures.columns)]], on="path")
    played = table[~table["failed"].astype(bool)] if "failed" in table else table
    weights = _column(played, "log_weight") if "log_weight" in played else np.zeros(len(played))
    return {
        **dict(_solvency(played, weights, horizon_s)),
        **{(name, kind): of(_column(played, name), weights) for name in LOSSES if name in played for kind, of in STATISTICS.items()},
        **dict(_liquidations(played, weights)),
        **dict(_means(played, weights)),
    }


def _solvency(measures: pd.DataFrame, weights: Floats, horizon_s: float) -> Iterator[tuple[tuple[str, str], Estimate]]:
    if "time_to_insolvency_s" in measures:
        first = _column(measures, "time_to_insolvency_s")
        yield ("insolvency", "probability"), risk.insolvency_probability(first, weights)
        yield ("time_to_insolvency_s", "median"), risk.median_time(risk.time_to_insolvency(first, horizon_s, weights))
    if "under_collateralised_debt_share_end" in measures:
        share = _column(measures, "under_collateralised_debt_share_end")
        yield ("under_collateralised_run", "probability"), risk.under_collateralised_runs(share, weights)


def _liquidations(measures: pd.DataFrame, weights: Floats) -> Iterator[tuple[tuple[str, str], Estimate]]:
    column = partial(_column, measures)
    if "liquidated_debt_usd" in measures:
        yield ("liquidated_debt_usd", "at_risk"), risk.liquidation_at_risk(column("liquidated_debt_usd"), weights)
    if {"instant_usd", "called_usd"} <= set(measures):
        efficiency = risk.liquidation_efficiency(column("instant_usd"), column("called_usd"), weights)
        yield ("liquidation_efficiency", "ratio"), efficiency
    if {"owners_loss_usd", "collateral_start_usd"} <= set(measures):
        lost = risk.borrower_loss_at_risk(column("owners_loss_usd"), column("collateral_start_usd"), weights)
        yield ("borrower_loss", "at_risk"), lost
    if {"required_end_usd", "collateral_end_usd"} <= set(measures):
        used = risk.capital_efficiency(column("required_end_usd"), column("collateral_end_usd"), weights)
        yield ("capital_efficiency", "ratio"), used
    refused = {name: column(name) for name in REFUSALS if name in measures}
    yield from (((name, "share"), found) for name, found in risk.explained_failures(refused, weights).items())


def _means(measures: pd.DataFrame, weights: Floats) -> Iterator[tuple[tuple[str, str], Estimate]]:
    for name in _with_parts(measures, YIELDS):
        yield (name, "mean"), risk.mean_yield(_column(measures, name), weights)
    for name in _with_parts(measures, SLOPES):
        yield (name, "mean"), risk.delta_neutrality(_column(measures, name), weights)
    borne = {name: _column(measures, name) for name in BEARERS if name in measures}
    yield from (((name, "waterfall"), found) for name, found in risk.loss_waterfall(borne, weights).items())


def _with_parts(measures: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    """Columns of these names and, after a dot, of their parts."""
    return [column for name in names for column in map(str, measures.columns) if column == name or column.startswith(f"{name}.")]


def _column(measures: pd.DataFrame, name: str) -> Floats:
    values: Floats = measures[name].to_numpy(dtype="float64", na_value=float("nan"))
    return values
