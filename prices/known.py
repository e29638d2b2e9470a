"""What is known of a process beyond its `Expected`: how long it remembers, how precisely its moments can show, which jumps can be seen."""

from __future__ import annotations

import math

import numpy as np

from seawall.prices.bars import Bars
from seawall.prices.garch import Egarch, Gjr
from seawall.prices.gbm import Gbm
from seawall.prices.heston import Heston
from seawall.prices.jumps import Kou, Merton
from seawall.prices.process import YEAR_HOURS, Process
from seawall.prices.regimes import RegimeSwitching
from seawall.prices.stable import OrnsteinUhlenbeck
from seawall.protocols.tables import Floats

_FREQUENT = 0.01  # jumps per step


def memory_years(process: Process) -> float:
    """Time in which a departure from the long run falls to 1 / e, years; 0 where steps are independent."""
    match process:
        case Heston():
            return 1 / process.reversion_per_year
        case RegimeSwitching():
            return max(regime.mean_hours for regime in process.regimes.values()) / YEAR_HOURS
        case OrnsteinUhlenbeck():
            fades = process.recovery_per_year if process.depegs_per_year > 0 else math.inf
            return 1 / min(process.reversion_per_year, fades)
        case Gjr():
            return _bars(process, process.persistence)
        case Egarch():
            return _bars(process, abs(process.beta))
        case _:
            return 0.0


def fourth_moments_settle(process: Process) -> bool:
    """Whether fourth moments of the paths have errors that the paths show: not with t innovations, whose eighth may not exist."""
    return not (isinstance(process, Bars) and process.nu is not None)


def seen_jumps(process: Process, years_per_step: float, limit: float) -> float | None:
    """How many jumps per year `jump_test` finds on average, given its threshold in standard deviations.

    Its measure of volatility is the mean product of neighbouring absolute returns, which jumps raise a little: that is counted in. None for
    processes whose own volatility moves, since bursts of it are seen as jumps, too; and where more than one step in 100 jumps, so that the
    measure depends on how many did. Two jumps in one step count as one of them.
    """
    match process:
        case Gbm():
            return 0.0
        case Merton() | Kou():
            per_step = process.jumps_per_year * years_per_step
            deviation = process.volatility_per_year * math.sqrt(years_per_step)
            if per_step > _FREQUENT or deviation == 0.0:
                return None
            calm = deviation * math.sqrt(2 / math.pi)
            measured = deviation * (1 + per_step * (_mean_absolute(process, deviation) / calm - 1))
            return process.jumps_per_year * _share_beyond(process, deviation, limit * measured)
        case _:
            return None


def exact_errors(process: Process, years_per_step: float, steps: int) -> dict[str, float]:
    """Standard errors of volatility, skewness and kurtosis over so many even steps, by name; empty where no closed form is known.

    From the moments of a step up to the eighth, which follow from its cumulants, and the influence functions of `moments`.
    """
    if not isinstance(process, Gbm | Merton | Kou) or process.expected(years_per_step).volatility_per_year == 0.0:
        return {}
    m = _standard_moments(process, years_per_step)
    skewness, kurtosis = m[3], m[4]
    squares = np.polynomial.Polynomial([-1, 0, 1])
    cubes = np.polynomial.Polynomial([-skewness, -3, 0, 1]) - 1.5 * skewness * squares
    fourths = np.polynomial.Polynomial([-kurtosis, -4 * skewness, 0, 0, 1]) - 2 * kurtosis * squares
    volatility = process.expected(years_per_step).volatility_per_year or 0.0
    return {
        "volatility_per_year": volatility / 2 * _root_mean_square(squares, m, steps),
        "skewness": _root_mean_square(cubes, m, steps),
        "excess_kurtosis": _root_mean_square(fourths, m, steps),
    }


def _bars(process: Bars, kept: float) -> float:
    """Memory of a model that keeps that share of a departure from one bar to the next."""
    return process.bar_years / -math.log(kept) if kept > 0 else process.bar_years


def _share_beyond(process: Merton | Kou, deviation: float, limit: float) -> float:
    """Chance that a jump and the diffusion of its step move the price by more than the limit, up or down."""
    if isinstance(process, Merton):
        from scipy.special import ndtr

        spread = math.hypot(process.jump_deviation, deviation)
        return float(ndtr((process.jump_mean - limit) / spread) + ndtr((-limit - process.jump_mean) / spread))
    from scipy.stats import exponnorm

    beyond = []
    for size in (process.mean_up, process.mean_down):
        jump = exponnorm(size / deviation, 0.0, deviation)
        beyond.append(float(jump.sf(limit) + jump.cdf(-limit)))
    return process.up_probability * beyond[0] + (1 - process.up_probability) * beyond[1]


def _mean_absolute(process: Merton | Kou, deviation: float) -> float:
    """Mean absolute return of a step with one jump."""
    if isinstance(process, Merton):
        spread = math.hypot(process.jump_deviation, deviation)
        return float(_mean_folded(np.array(process.jump_mean), spread))
    points, weights = np.polynomial.laguerre.laggauss(32)
    up, down = (float(weights @ _mean_folded(points * size, deviation)) for size in (process.mean_up, process.mean_down))
    return process.up_probability * up + (1 - process.up_probability) * down


def _mean_folded(mean: Floats, deviation: float) -> Floats:
    """Mean absolute value of normals; not SciPy's `foldnorm`, whose higher moments overflow where the deviation is tiny."""
    from scipy.special import erf

    c = np.abs(mean) / deviation
    folded: Floats = deviation * (math.sqrt(2 / math.pi) * np.exp(-c * c / 2) + c * erf(c / math.sqrt(2)))
    return folded


def _jump_moments(process: Merton | Kou, most: int) -> Floats:
    """Moments about zero of a log jump, first to `most`."""
    orders = range(1, most + 1)
    if isinstance(process, Kou):
        up, down = process.up_probability, 1 - process.up_probability
        return np.array([math.factorial(k) * (up * process.mean_up**k + down * (-process.mean_down) ** k) for k in orders])
    found = [1.0, process.jump_mean]
    for k in range(2, most + 1):
        found.append(process.jump_mean * found[-1] + (k - 1) * process.jump_deviation**2 * found[-2])
    return np.array(found[1:])


def _standard_moments(process: Gbm | Merton | Kou, years: float) -> list[float]:
    """Moments of a standardised step, orders 0 to 8."""
    cumulants = np.zeros(9)
    if not isinstance(process, Gbm):
        cumulants[1:] = process.jumps_per_year * years * _jump_moments(process, 8)
    cumulants[2] += process.volatility_per_year**2 * years
    scaled = cumulants / cumulants[2] ** (np.arange(9) / 2)
    scaled[1] = 0.0
    found = [1.0]
    for n in range(1, 9):  # moments from cumulants: Kendall and Stuart, The Advanced Theory of Statistics 1, chapter 3
        found.append(sum(math.comb(n - 1, k - 1) * scaled[k] * found[n - k] for k in range(1, n + 1)))
    return found


def _root_mean_square(influence: np.polynomial.Polynomial, m: list[float], steps: int) -> float:
    """Standard error of a mean of the polynomial over so many steps, given the moments of its argument."""
    square = (influence**2).coef
    return math.sqrt(max(float(square @ np.array(m[: len(square)])), 0.0) / steps)
