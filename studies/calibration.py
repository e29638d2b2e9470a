"""Calibration: a model of prices fitted to a column of a price file, with what a reader needs to trust it or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seawall.prices.bootstrap import resample
from seawall.prices.calibrate import MODELS, fit, to_yaml
from seawall.prices.fit import Fit, history
from seawall.prices.garch import Egarch, Gjr
from seawall.prices.heston import Heston
from seawall.prices.moments import Moments, moments
from seawall.prices.process import Process
from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Floats
from seawall.scenarios.history import read_replay
from seawall.scenarios.price_source import ReplaySource

_MARGIN = 0.01  # p values below it are called out


class CalibrationError(SeawallError, ValueError):
    """A history that the model cannot be fitted to; the text says what would be right."""


@dataclass(frozen=True)
class Calibration:
    """A fit with the history it came from.

    Attributes:
        file: the price file.
        column: its column.
        first: time of the first price.
        last: time of the last one.
        times_seconds: `[rows]` since the first price.
        prices: `[rows]` USD.
        history: moments of the log returns of its bars.
        fit: the model.
    """

    file: Path
    column: str
    first: datetime
    last: datetime
    times_seconds: Floats
    prices: Floats
    history: Moments
    fit: Fit

    @property
    def log_returns(self) -> Floats:
        """`[bars]` what was fitted to."""
        return history(self.prices, self.times_seconds).log_returns

    def yaml(self, asset_name: str, start_usd: float | None = None) -> str:
        """A block for `prices.assets`; it starts at the last price of the history unless told otherwise."""
        return to_yaml(self.fit, asset_name, float(self.prices[-1]) if start_usd is None else start_usd)

    def simulate(self, paths: int, *, seed: int) -> Floats:
        """Log returns of the fitted model over as many bars as the history has, from its long-run state, `[paths, bars]`."""
        streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(paths)]
        if self.fit.process is None:
            past, block = self.log_returns[:, None], int(self.fit.parameters["block_bars"].value)
            return np.array([resample(past, self.fit.bars, block_bars=block, rng=rng)[:, 0] for rng in streams])
        process = from_long_run(self.fit.process, float(self.prices[0]))
        years = np.full(self.fit.bars, self.history.years / self.fit.bars)
        return np.array([process.log_returns(years, rng.standard_normal(len(years)), rng) for rng in streams])

    def summary_lines(self) -> list[str]:
        """For the terminal: what was fitted, how sure it is, what it leaves unexplained."""
        found = self.fit
        lines = [
            f"{found.model} fitted to {self.column} of {self.file.name}",
            f"{found.bars:,} bars of {found.bar_seconds:g} s; {found.left_out:,} returns over gaps left out",
            f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC",
            found.method,
            "",
            *(_parameter_line(name, one.value, one.error) for name, one in found.parameters.items()),
            "",
            *self._likelihood_lines(),
            *self._residual_lines(),
        ]
        return lines + [f"note: {note}" for note in found.notes]

    def _likelihood_lines(self) -> list[str]:
        found = self.fit
        if found.log_likelihood is None:
            return ["no likelihood to compare with other models"]
        return [f"log likelihood {found.log_likelihood:,.1f}, AIC {found.aic:,.1f}, BIC {found.bic:,.1f} (lower is better)"]

    def _residual_lines(self) -> list[str]:
        left = self.fit.diagnostics
        shape = f"skewness {left.skewness:.2f}, excess kurtosis {left.excess_kurtosis:.2f} (0 and 0 if the model is right)"
        tests = {
            "returns depend on those before": left.autocorrelation_p,
            "volatility clusters in a way the model lacks": left.square_autocorrelation_p,
            "the distribution is not the model's": left.ks_p,
        }
        said = [f"residuals: {what} (p {p:.2g})" for what, p in tests.items() if p < _MARGIN]
        return [f"residuals: {shape}", *(said or ["residuals: no sign of anything left unexplained"])]


def calibrate(
    file: Path,
    column: str,
    model: str,
    *,
    bar_seconds: int,
    bar_stamp: Literal["start", "end"] = "start",
    innovations: Literal["normal", "t"] = "t",
    **reading: Any,
) -> Calibration:
    """Fit a model to the closes of a column.

    Args:
        file: CSV or Parquet.
        column: closes in USD.
        model: one of `prices.calibrate.MODELS`.
        bar_seconds: length of a bar, > 0.
        bar_stamp: as in `ReplaySource`.
        innovations: law of the innovations of the GARCH family.
        reading: other settings of `ReplaySource`: sessions, time column, start, end.

    Raises:
        PriceFileError: the file is refused.
        CalibrationError: the model is unknown or cannot be fitted to these prices.
    """
    if model not in MODELS:
        raise CalibrationError(f"model {model!r} is not known; known: {', '.join(MODELS)}")
    try:
        source = ReplaySource(file, {column: column}, bar_seconds, bar_stamp, max_gap_seconds=bar_seconds, **reading)
        start, times, prices = _read(source)
        past = history(prices, times)
        found = fit(model, prices, times, innovations=innovations)
    except ValueError as error:
        if isinstance(error, SeawallError):
            raise
        raise CalibrationError(f"{file}: {column}: {error}") from error
    realised = moments(past.log_returns, np.full(len(past.log_returns), past.bar_years))
    first, last = (start + timedelta(seconds=seconds) for seconds in (float(times[0]), float(times[-1])))
    return Calibration(file, column, first, last, times - times[0], prices, realised, found)


def _read(source: ReplaySource) -> tuple[datetime, Floats, Floats]:
    """Start of the grid; times on it at which a close became known, seconds, and the closes, both `[rows]`."""
    path = read_replay(source, step_seconds=source.bar_seconds)
    rows = np.flatnonzero(path.market_open[:, 0])
    return path.start, np.asarray(rows * float(source.bar_seconds), dtype=np.float64), path.market_price[rows, 0]


def compare(calibrations: Sequence[Calibration]) -> list[Calibration]:
    """Those with a likelihood, best BIC first; all must be fits to the same returns."""
    rated = [each for each in calibrations if each.fit.bic is not None]
    return sorted(rated, key=lambda each: each.fit.bic or 0.0)


def from_long_run(process: Process, start_usd: float) -> Process:
    """The same process from that price, its volatility at the beginning that of the long run."""
    match process:
        case Heston():
            return replace(process, start_usd=start_usd, start_volatility_per_year=process.mean_volatility_per_year)
        case Gjr() | Egarch():
            return replace(process, start_usd=start_usd, start_volatility_per_year=None)
        case _:
            return replace(process, start_usd=start_usd)  # type: ignore[type-var]


def _parameter_line(name: str, value: float, error: float) -> str:
    return f"  {name:32}{value:>14.6g}" + ("" if math.isnan(error) else f"  +- {error:.2g}")
