"""Fits of independent returns: geometric Brownian motion in closed form, Merton and Kou by maximum likelihood.

Returns are scaled to a robust deviation of 1. A step of Merton's is a Poisson mixture of normals, summed until nothing is left. That of
Kou's has a characteristic function in closed form; its density is that function's Fourier transform on a fine grid, between whose points a
cubic spline runs. The likelihood of jump diffusions has spikes where the diffusion dies out on single returns (Honoré, "Pitfalls in
estimating jump-diffusion models", 1998): the search keeps its deviation above a quarter of the robust one, and jumps below one a bar.

Sources: Merton (1976), section 2; Kou (2002), section 2; Lewis, "A simple option formula for general jump-diffusion and other exponential
Lévy processes" (2001), for characteristic functions; starting values from the returns beyond three robust deviations (assumption).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from seawall.prices.fit import Fit, History, fitted, normal_residuals
from seawall.prices.fit_likelihood import maximise, with_errors
from seawall.prices.gbm import Gbm
from seawall.prices.jumps import Kou, Merton
from seawall.protocols.tables import Floats

_LEFT = 1e-12  # of the Poisson distribution, not summed
_GRID = 0.05  # robust deviations between points of Kou's density
_FLOOR = 1e-15  # of a density, where the transform has only rounding errors
_FREQUENT = 0.05  # jumps per bar from which on they are no longer rare
_SIGMA, _RATE, _SIZE = (math.log(0.25), math.log(4.0)), (math.log(1e-6), 0.0), (math.log(0.05), math.log(200.0))
_DRIFT = (-5.0, 5.0)


def fit_gbm(past: History) -> Fit:
    """Closed form: mean and standard deviation of log returns. Source: Campbell, Lo and MacKinlay (1997), section 9.3.2."""
    x, dt = past.log_returns, past.bar_years
    mean, deviation = float(x.mean()), float(x.std())

    def wanted(at: Floats) -> Mapping[str, float]:
        sigma = float(at[1]) / math.sqrt(dt)
        return {"drift_per_year": float(at[0]) / dt + sigma**2 / 2, "volatility_per_year": sigma}

    covariance = np.diag([deviation**2 / len(x), deviation**2 / (2 * len(x))])
    found = with_errors(wanted, np.array([mean, deviation]), covariance)
    z = (x - mean) / deviation
    likelihood = -len(x) / 2 * (math.log(2 * math.pi * deviation**2) + 1)
    process = Gbm(past.last_usd, **{name: one.value for name, one in found.items()})
    shape = {"log_likelihood": likelihood, "free": 2, "method": "maximum likelihood, closed form", "notes": (), "residuals": z}
    return fitted("gbm", past, process=process, parameters=found, **shape)


def fit_merton(past: History) -> Fit:
    """Maximum likelihood over the mixture of normals."""
    x, scale, dt = *_scaled(past), past.bar_years

    def wanted(at: Floats) -> Mapping[str, float]:
        sigma, rate = scale * math.exp(at[1]) / math.sqrt(dt), math.exp(at[2]) / dt
        mean, deviation = scale * float(at[3]), scale * math.exp(at[4])
        drift = scale * float(at[0]) / dt + sigma**2 / 2 + rate * math.expm1(mean + deviation**2 / 2)
        names = ("drift_per_year", "volatility_per_year", "jumps_per_year", "jump_mean", "jump_deviation")
        return dict(zip(names, (drift, sigma, rate, mean, deviation), strict=True))

    rate, size = _beyond(x)
    starts = [np.array([0.0, math.log(0.9), math.log(p), 0.0, math.log(s)]) for p, s in ((rate, size), (0.1, 2.0))]
    bounds = [_DRIFT, _SIGMA, _RATE, (-50.0, 50.0), _SIZE]
    best = maximise(lambda at: _merton_mixture(x, at)[0] - math.log(scale), starts, bounds, wanted)
    process = Merton(past.last_usd, **{name: one.value for name, one in best.parameters.items()})
    shape = {"log_likelihood": best.log_likelihood, "free": 5, "method": "maximum likelihood over a Poisson mixture of normals"}
    residuals = normal_residuals(_merton_mixture(x, best.at)[1])
    notes = best.notes + _too_frequent(math.exp(best.at[2]))
    return fitted("merton", past, process=process, parameters=best.parameters, notes=notes, residuals=residuals, **shape)


def fit_kou(past: History) -> Fit:
    """Maximum likelihood with the density from the characteristic function."""
    x, scale, dt = *_scaled(past), past.bar_years

    def wanted(at: Floats) -> Mapping[str, float]:
        sigma, rate, up = scale * math.exp(at[1]) / math.sqrt(dt), math.exp(at[2]) / dt, 1 / (1 + math.exp(-at[3]))
        rise, fall = scale * math.exp(at[4]), scale * math.exp(at[5])
        drift = scale * float(at[0]) / dt + sigma**2 / 2 + rate * (up * rise / (1 - rise) - (1 - up) * fall / (1 + fall))
        names = ("drift_per_year", "volatility_per_year", "jumps_per_year", "up_probability", "mean_up", "mean_down")
        return dict(zip(names, (drift, sigma, rate, up, rise, fall), strict=True))

    rate, size = _beyond(x)
    starts = [np.array([0.0, math.log(0.9), math.log(p), 0.0, math.log(s), math.log(s)]) for p, s in ((rate, size * 0.7), (0.1, 1.5))]
    largest = min(_SIZE[1], math.log(0.9 / scale))  # mean_up must stay below 1
    bounds = [_DRIFT, _SIGMA, _RATE, (-6.0, 6.0), (_SIZE[0], largest), (_SIZE[0], largest)]
    density = _KouDensity(x)
    best = maximise(lambda at: density.log_terms(at) - math.log(scale), starts, bounds, wanted)
    process = Kou(past.last_usd, **{name: one.value for name, one in best.parameters.items()})
    shape = {"log_likelihood": best.log_likelihood, "free": 6, "method": "maximum likelihood, density by Fourier transform"}
    residuals = normal_residuals(density.below(best.at))
    notes = best.notes + _too_frequent(math.exp(best.at[2]))
    return fitted("kou", past, process=process, parameters=best.parameters, notes=notes, residuals=residuals, **shape)


def _scaled(past: History) -> tuple[Floats, float]:
    """Returns over their robust deviation, and that; where most bars stand still, over the plain one."""
    x = past.log_returns
    robust = float(np.median(np.abs(x - np.median(x)))) / 0.6745
    scale = robust if robust > 0.05 * x.std() else float(x.std())
    return x / scale, scale


def _beyond(x: Floats) -> tuple[float, float]:
    """Share of scaled returns beyond three deviations, at least one of them, and their typical size."""
    far = np.abs(x[np.abs(x) > 3.0])
    return max(len(far), 1) / len(x), min(max(float(np.sqrt((far**2).mean())) if len(far) else 5.0, 1.0), 100.0)


def _too_frequent(per_bar: float) -> tuple[str, ...]:
    if per_bar <= _FREQUENT:
        return ()
    return (f"{per_bar:.2g} jumps a bar: too frequent for news; they stand for fat tails and for volatility that changes",)


def _merton_mixture(x: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Log density and distribution function of scaled returns, `[bars]` each."""
    from scipy.special import ndtr
    from scipy.stats import poisson

    sigma, rate, mean, deviation = math.exp(at[1]), math.exp(at[2]), float(at[3]), math.exp(at[4])
    density, below = np.zeros_like(x), np.zeros_like(x)
    for n in range(int(poisson.isf(_LEFT, rate)) + 2):
        weight = math.exp(-rate) * rate**n / math.factorial(n)
        spread = math.sqrt(sigma**2 + n * deviation**2)
        u = (x - float(at[0]) - n * mean) / spread
        density += weight / (spread * math.sqrt(2 * math.pi)) * np.exp(-(u**2) / 2)
        below += weight * ndtr(u)
    return np.log(np.maximum(density, 1e-300)), below


class _KouDensity:
    """Density of scaled returns on a grid that is wide enough for all of them."""

    def __init__(self, x: Floats) -> None:
        """Lay the grid."""
        self.x = x
        half = 1.5 * float(np.abs(x).max()) + 20.0
        self.points = 2 ** math.ceil(math.log2(2 * half / _GRID))
        self.grid = (np.arange(self.points) - self.points // 2) * _GRID
        self.u = 2 * np.pi * np.fft.rfftfreq(self.points, _GRID)

    def on_grid(self, at: Floats) -> Floats:
        """Density at the points of the grid."""
        sigma, rate, up = math.exp(at[1]), math.exp(at[2]), 1 / (1 + math.exp(-at[3]))
        u = self.u
        jump = up / (1 - 1j * u * math.exp(at[4])) + (1 - up) / (1 + 1j * u * math.exp(at[5]))
        characteristic = np.exp(1j * u * float(at[0]) - sigma**2 * u**2 / 2 + rate * (jump - 1))
        return np.asarray(np.fft.fftshift(np.fft.irfft(np.conj(characteristic), self.points)) / _GRID, dtype=np.float64)

    def log_terms(self, at: Floats) -> Floats:
        """Log density of each return."""
        from scipy.interpolate import CubicSpline

        return np.log(np.maximum(CubicSpline(self.grid, self.on_grid(at))(self.x), _FLOOR))

    def below(self, at: Floats) -> Floats:
        """Distribution function at each return."""
        from scipy.interpolate import CubicSpline

        return np.asarray(CubicSpline(self.grid, self.on_grid(at)).antiderivative()(self.x), dtype=np.float64)
