"""Risk of an ensemble, from the files it left: every figure with its interval, exceedance curves, survival, waterfall, the worst paths.

Losses are positive. Paths that failed have no values: they are left out of every figure and counted beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from seawall.protocols.tables import Floats
from seawall.studies import risk, risk_table
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.estimate import Estimate
from seawall.studies.risk import Survival
from seawall.studies.risk_table import Figures
from seawall.studies.stopping import DEPENDENT

CURVES = ("bad_debt_usd", "shortfall_peak_usd", "unpaid_peak_usd", "avmm_stale_loss_usd")
"""Losses of which an exceedance curve is drawn, where a path has any."""
WORST_BY = {"bad_debt_usd": 1, "shortfall_peak_usd": 1, "unpaid_peak_usd": 1, "lp_exchange_gain_usd": -1, "avmm_lp_gain_usd": -1}
"""What makes a path bad: the first figure that differs decides; 1 where more is worse, -1 where less is."""
_WATERFALL = {"owners_loss_usd": 1, "holders_loss_usd": 1, "lp_impermanent_loss_usd": 1, "liquidators_profit_usd": -1}
_INDEX = ("path", "log_weight", "failed")
_MOST_POINTS = 60
NOT_INDEPENDENT = "not independent, and no interval here allows for that"
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Curve:
    """An exceedance curve.

    Attributes:
        thresholds: `[points]` ascending, in the unit of the figure.
        chances: one per threshold: probability that a path's value is larger, with its pointwise interval.
    """

    thresholds: Floats
    chances: Sequence[Estimate]


@dataclass(frozen=True)
class EnsembleRisk:
    """The risk of an ensemble; made once, read by every report.

    Attributes:
        figures: estimates by figure and statistic, as `risk_table.risk_figures` makes them.
        played: one row per path that did not fail, ordered by path.
        horizon_s: length of a path, seconds; None where nobody wrote it down.
        waterfall: loss of each group, mean over paths, USD, by the name of the figure it comes from; negative is a gain.
        sampling: how paths were drawn; intervals are left out where they are not independent.
    """

    figures: Figures
    played: pd.DataFrame = field(repr=False)
    horizon_s: float | None
    waterfall: dict[str, Estimate] = field(repr=False)
    sampling: str = "plain"

    @property
    def weights(self) -> Floats:
        """Log weights, `[paths]`."""
        return column(self.played, "log_weight")

    @cached_property
    def means(self) -> dict[str, Estimate]:
        """Mean over paths of every headline figure."""
        named = (name for name in map(str, self.played.columns) if name not in _INDEX)
        return _as_sampled({name: risk.mean(column(self.played, name), self.weights) for name in named}, self.sampling)

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Exceedance curves by loss, of those losses that are above 0 on some path."""
        present = (name for name in CURVES if name in self.played)
        return {name: curve_of(values, self.weights) for name in present if (values := column(self.played, name)).max(initial=0.0) > 0.0}

    @cached_property
    def survival(self) -> Survival | None:
        """Share of paths still solvent over time; None without tASSETs, or without a horizon."""
        if "time_to_insolvency_s" not in self.played or self.horizon_s is None:
            return None
        return risk.time_to_insolvency(column(self.played, "time_to_insolvency_s"), self.horizon_s, self.weights)

    def worst(self, most: int) -> pd.DataFrame:
        """The paths with the largest losses, the worst first: `path` and the figures of `WORST_BY` that this ensemble has."""
        names = [name for name in WORST_BY if name in self.played]
        keys = [(WORST_BY[name] * self.played[name]).fillna(-np.inf) for name in names]
        order = np.lexsort([-key.to_numpy(float) for key in reversed(keys)]) if keys else np.arange(len(self.played))
        return self.played[["path", *names]].iloc[order[:most]].reset_index(drop=True)


def ensemble_risk(found: EnsembleFiles) -> EnsembleRisk:
    """Estimate everything from the files of an ensemble."""
    measures, horizon_s = found.measures(), _horizon(found)
    known = measures if horizon_s is not None else measures.drop(columns="time_to_insolvency_s", errors="ignore")
    figures = risk_table.risk_figures(known, horizon_s or 0.0, found.sums())
    played = measures[~measures["failed"].astype(bool)].reset_index(drop=True)
    sampling = str(found.manifest.get("sampling", "plain"))
    return EnsembleRisk(_as_sampled(figures, sampling), played, horizon_s, _as_sampled(_waterfall(found, played), sampling), sampling)


def as_sampled(found: Estimate, sampling: str) -> Estimate:
    """The same estimate; without its interval where paths are not independent, since all intervals take them to be."""
    if sampling not in DEPENDENT:
        return found
    return replace(found, low=None, high=None, why=found.why or f"paths drawn as {sampling} are {NOT_INDEPENDENT}")


def _as_sampled(figures: dict[K, Estimate], sampling: str) -> dict[K, Estimate]:
    return {key: as_sampled(found, sampling) for key, found in figures.items()}


def _horizon(found: EnsembleFiles) -> float | None:
    """Length of a path; of an ensemble whose manifest does not say, the last record of its bands."""
    manifest = found.manifest
    if "steps" in manifest:
        return float(manifest["steps"] * manifest["step_seconds"])
    times = found.bands()["time_s"]
    return float(times.max()) if len(times) else None


def _waterfall(found: EnsembleFiles, played: pd.DataFrame) -> dict[str, Estimate]:
    """Over all protocols where the scenario has more than one, else over the tASSET market, else over the exchange."""
    gains = [name for name in found.summary.get("market_waterfall", {}) if name.startswith("gain_")]
    gains = gains or [name for name in found.summary.get("exchange_waterfall", {}) if name.endswith("_gain_usd")]
    signs = _WATERFALL if "market_waterfall" not in found.summary and "waterfall" in found.summary else dict.fromkeys(gains, -1)
    losses = {name: sign * column(played, name) for name, sign in signs.items() if name in played}
    known = {name: values for name, values in losses.items() if not np.isnan(values).all()}
    return risk.loss_waterfall(known, column(played, "log_weight"))


def curve_of(values: Floats, log_weights: Floats) -> Curve:
    """Exceedance of at most `_MOST_POINTS` of the values themselves, the largest ones closest together, and of 0.

    Args:
        values: `[paths]`, losses; NaN where a path has none.
        log_weights: `[paths]`.
    """
    found = np.unique(values[np.isfinite(values) & (values > 0.0)])
    places = np.unique(len(found) - np.geomspace(1, max(len(found), 1), _MOST_POINTS).round().astype(int))
    thresholds = np.r_[0.0, found[places[places >= 0]]] if len(found) else np.zeros(1)
    return Curve(thresholds, risk.exceedance(values, thresholds, log_weights))


def column(frame: pd.DataFrame, name: str) -> Floats:
    """A column as float64, NaN where there is no value."""
    values: Floats = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return values
