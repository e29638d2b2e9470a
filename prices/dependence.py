"""How assets move together: correlation matrices, Gaussian and t copulas of the normals that drive them, and jumps that strike them all.

The normals of each asset stay standard normal whatever the copula; only what the assets share changes. A matrix that no assets can have is
refused with the nearest one that they can, which is never used unasked.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seawall.prices.process import check_finite, check_not_negative
from seawall.protocols.tables import Floats

SMALLEST_EIGENVALUE = 1e-10  # below it a Cholesky factor is mostly rounding
EIGENVALUE_PER_ASSET = 1e-4  # what the matrix offered instead keeps, so that it is one of correlations still when read from four decimals
PROJECTIONS = 300  # alternating, onto the matrices that are positive definite and those with 1 on the diagonal
JUMPS_AT_A_TIME = 64  # drawn together, so that a longer path begins with the jumps of the shorter one

Pairs = Mapping[tuple[str, str], float]


class ImpossibleCorrelation(ValueError):
    """Correlations that no set of assets can have.

    Attributes:
        nearest: `[assets, assets]` the nearest matrix that they could have.
        distance: root of the sum of the squared differences from it (Frobenius norm).
    """

    def __init__(self, assets: Sequence[str], correlation: Floats) -> None:
        """Find and print what would be right."""
        self.nearest = nearest_correlation(correlation)
        self.distance = float(np.linalg.norm(self.nearest - correlation))
        smallest = float(np.linalg.eigvalsh(correlation)[0])
        rows = "\n".join(f"  {name}: [{', '.join(f'{v:.4f}' for v in row)}]" for name, row in zip(assets, self.nearest, strict=True))
        super().__init__(
            f"correlation is not positive definite (smallest eigenvalue {smallest:.3g}): no {len(assets)} assets can move like that. "
            f"The nearest matrix, {self.distance:.4f} away (Frobenius norm), is\n{rows}"
        )


def correlation_matrix(assets: Sequence[str], correlation: float | Pairs | Sequence[Sequence[float]] | Floats) -> Floats:
    """Correlations of all assets, from one number, from some pairs, or from the whole matrix.

    Args:
        assets: names of the n assets, in the order of columns.
        correlation: one number for every pair; or by pair of names, each pair once in either order, 0 for pairs left out; or `[n, n]`.

    Returns:
        `[n, n]`, symmetric and positive definite, with 1 on the diagonal.

    Raises:
        ImpossibleCorrelation: a ValueError; the matrix is not positive definite.
        ValueError: not a matrix of correlations, or a pair of unknown or equal assets, or named twice.
    """
    n = len(assets)
    if isinstance(correlation, Mapping):
        matrix = _from_pairs(list(assets), correlation)
    elif isinstance(correlation, (int, float)):
        # Written as scenarios/paths.py writes it, to the last bit, so that its prices come out the same.
        matrix = np.full((n, n), correlation) + (1 - correlation) * np.eye(n)
    else:
        matrix = _from_rows(n, correlation)
    _check(assets, matrix)
    return matrix


def _from_pairs(assets: list[str], pairs: Pairs) -> Floats:
    matrix, seen = np.eye(len(assets)), set[frozenset[str]]()
    for pair, value in pairs.items():
        strange = [name for name in pair if name not in assets]
        if strange or pair[0] == pair[1] or frozenset(pair) in seen:
            raise ValueError(f"correlation names the pair {pair}; pairs are of two of {', '.join(assets)}, each once")
        seen.add(frozenset(pair))
        i, j = assets.index(pair[0]), assets.index(pair[1])
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _from_rows(n: int, rows: Sequence[Sequence[float]] | Floats) -> Floats:
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        raise ValueError(f"correlation has rows of {', '.join(map(str, lengths))} numbers; {n} assets need {n} rows of {n}")
    return np.array(rows, dtype=np.float64)


def _check(assets: Sequence[str], matrix: Floats) -> None:
    n = len(assets)
    if matrix.shape != (n, n):
        raise ValueError(f"correlation has the shape {matrix.shape}; {n} assets need ({n}, {n})")
    bad = np.argwhere(~(np.abs(matrix) <= 1 + 1e-12))
    if len(bad):
        i, j = bad[0]
        raise ValueError(f"correlation of {assets[i]} and {assets[j]} (={matrix[i, j]}) must be in [-1, 1]")
    if not np.allclose(np.diag(matrix), 1.0, rtol=0, atol=1e-12):
        raise ValueError(f"correlation of an asset with itself (={np.diag(matrix).tolist()}) must be 1")
    bad = np.argwhere(np.abs(matrix - matrix.T) > 1e-12)
    if len(bad):
        i, j = bad[0]
        raise ValueError(f"correlation of {assets[i]} and {assets[j]} is {matrix[i, j]} one way and {matrix[j, i]} the other")
    if np.linalg.eigvalsh(matrix)[0] < SMALLEST_EIGENVALUE:
        raise ImpossibleCorrelation(assets, matrix)


def nearest_correlation(matrix: Floats) -> Floats:
    """The nearest correlation matrix (Frobenius norm) whose smallest eigenvalue leaves room for rounding to four decimals.

    Args:
        matrix: `[n, n]`, symmetric, with 1 on the diagonal.

    Source: Higham, Computing the nearest correlation matrix (2002), algorithm 3.3, as in statsmodels' `corr_nearest`.
    """
    from statsmodels.stats.correlation_tools import corr_nearest

    n = len(matrix)
    with warnings.catch_warnings():
        # It stops only when nothing at all is left to clip, which rounding prevents; long before that the steps are below four decimals.
        warnings.simplefilter("ignore")
        nearest: Floats = corr_nearest(matrix, threshold=EIGENVALUE_PER_ASSET * n, n_fact=PROJECTIONS / n)
    return (nearest + nearest.T) / 2


def estimate(log_returns: Floats, method: Literal["pearson", "kendall"] = "pearson") -> Floats:
    """Correlations of a history.

    Args:
        log_returns: `[bars, assets]`, finite, at least two bars more than assets, no asset standing still.
        method: "pearson" for the correlation of the returns; "kendall" for that of an elliptical copula, sin(pi tau / 2), which extremes
            hardly sway: the one to take for a t copula.

    Returns:
        `[assets, assets]`; to be handed to `correlation_matrix`, which sees whether it can be used (one by Kendall's tau need not be).

    Raises:
        ValueError: too short a history, a value that is not finite, or an asset that stands still.

    Source: McNeil, Frey and Embrechts, Quantitative Risk Management (2005), proposition 5.37 and example 5.53.
    """
    _check_history(log_returns)
    assets = log_returns.shape[1]
    if method == "pearson":
        matrix = np.atleast_2d(np.corrcoef(log_returns, rowvar=False))
        np.fill_diagonal(matrix, 1.0)
        return matrix
    from scipy.stats import kendalltau

    matrix = np.eye(assets)
    for i in range(assets):
        for j in range(i):
            tau = float(kendalltau(log_returns[:, i], log_returns[:, j]).statistic)
            matrix[i, j] = matrix[j, i] = math.sin(math.pi * tau / 2)
    return matrix


def _check_history(log_returns: Floats) -> None:
    if log_returns.ndim != 2 or log_returns.shape[0] < log_returns.shape[1] + 2:
        raise ValueError(f"log_returns {log_returns.shape} must be [bars, assets] with at least two bars more than assets")
    if not np.isfinite(log_returns).all():
        raise ValueError(f"log_returns must be finite; {int((~np.isfinite(log_returns)).sum())} values are not")
    still = np.flatnonzero(np.ptp(log_returns, axis=0) == 0)
    if len(still):
        raise ValueError(f"log_returns of column {still[0]} are all {log_returns[0, still[0]]}: it has no correlation")


def gaussian_copula(normals: Floats, correlation: Floats) -> Floats:
    """Dependent standard normals, z = L n with L the Cholesky factor of the correlations.

    Args:
        normals: `[steps, assets]` independent standard normals.
        correlation: `[assets, assets]`, of `correlation_matrix`.

    Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), section 2.3.3.
    """
    factor = np.linalg.cholesky(correlation)
    of_asset = np.ascontiguousarray(normals.T, dtype=np.float64)
    dependent = np.zeros_like(of_asset)
    # A sum in a written order, because a matrix product may round differently from machine to machine.
    for asset in range(len(dependent)):
        for k in range(asset + 1):  # the factor is 0 beyond
            dependent[asset] += of_asset[k] * factor[asset, k]
    return np.ascontiguousarray(dependent.T)


def t_copula(normals: Floats, correlation: Floats, degrees: float, rng: np.random.Generator) -> Floats:
    """Standard normals that go to extremes together: a t copula, each margin mapped back to the normal by its quantiles.

    In every step one chi-square is shared by all assets, so that even uncorrelated ones share their large moves. Steps stay independent:
    sums over many steps tend to Gaussian dependence, so that what counts as "together" is the length of a step.

    Args:
        normals: `[steps, assets]` independent standard normals; their mirror image gives the mirror image of the result.
        correlation: `[assets, assets]` of the underlying t variates; that of the result is a little nearer to 0.
        degrees: of freedom, > 2; the lower, the more the extremes coincide.
        rng: source of the chi-squares, one a step: the same state gives the same bytes, a longer path begins with the shorter one.

    Raises:
        ValueError: `degrees` is out of range.

    Source: McNeil, Frey and Embrechts (2005), sections 3.2.1 and 5.1.3, algorithm 5.10.
    """
    from scipy.special import ndtri, stdtr

    _check_degrees(degrees)
    if math.isinf(degrees):
        return gaussian_copula(normals, correlation)
    mixing = rng.chisquare(degrees, size=len(normals)) / degrees
    variates = gaussian_copula(normals, correlation) / np.sqrt(mixing)[:, None]
    # The lower tail on both sides, because 1 - p has no digits left of a small p.
    return np.copysign(ndtri(stdtr(degrees, -np.abs(variates))), variates)


def tail_dependence(correlation: float, degrees: float) -> float:
    """Chance that one of two assets goes to its extreme given that the other does, in the limit: 0 for the Gaussian copula.

    2 t_{v+1}(-sqrt((v + 1) (1 - rho) / (1 + rho))), for correlation rho in (-1, 1] and v > 2 degrees of freedom (infinite: Gaussian).

    Source: McNeil, Frey and Embrechts (2005), equation 5.31.
    """
    from scipy.special import stdtr

    _check_degrees(degrees)
    if not -1 < correlation <= 1:
        raise ValueError(f"correlation(={correlation}) must be in (-1, 1]")
    if math.isinf(degrees):
        return 1.0 if correlation == 1 else 0.0
    return float(2 * stdtr(degrees + 1, -math.sqrt((degrees + 1) * (1 - correlation) / (1 + correlation))))


def _check_degrees(degrees: float) -> None:
    if not degrees > 2:
        raise ValueError(f"degrees(={degrees}) must be > 2")


@dataclass(frozen=True, slots=True)
class CommonJumps:
    """Jumps that strike all assets in the same step, each to its share; compensated, so that expected prices stay what they were.

    Attributes:
        jumps_per_year: how often, >= 0 (Poisson).
        mean: of a jump in log price, of an asset whose share is 1.
        deviation: standard deviation of the same, >= 0 (normal).
        share: how much of the jump each asset takes, in the order of columns; 0 for none, negative for the other way.

    Source: Merton, Option pricing when underlying stock returns are discontinuous (1976); one shared jump with a share each: assumption.
    """

    jumps_per_year: float
    mean: float
    deviation: float
    share: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        check_not_negative(jumps_per_year=self.jumps_per_year, deviation=self.deviation)
        check_finite(mean=self.mean)
        if not self.share or not all(math.isfinite(part) for part in self.share):
            raise ValueError(f"share(={self.share}) must be a finite number for each asset")

    def log_returns(self, years: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps, assets]` to add to those of the assets.

        Args:
            years: `[steps]` length of each step in years; none strikes in a step of length 0.
            rng: source of times and sizes; a longer path begins with the shorter one.
        """
        sizes = np.zeros(len(years))
        ends = np.cumsum(years)
        at, jumps = self._draw(float(ends[-1]), rng)
        np.add.at(sizes, np.searchsorted(ends, at), jumps)
        share = np.array(self.share)
        growth = np.expm1(share * self.mean + (share * self.deviation) ** 2 / 2)
        return sizes[:, None] * share - self.jumps_per_year * growth * years[:, None]

    def _draw(self, years: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Times in years, before the end, and log sizes of all jumps."""
        at, sizes = np.empty(0), np.empty(0)
        while self.jumps_per_year > 0 and (not len(at) or at[-1] <= years):
            waits = rng.standard_exponential(JUMPS_AT_A_TIME) / self.jumps_per_year
            at = np.concatenate([at, (at[-1] if len(at) else 0.0) + np.cumsum(waits)])
            sizes = np.concatenate([sizes, self.mean + self.deviation * rng.standard_normal(JUMPS_AT_A_TIME)])
        return at[at <= years], sizes[at <= years]
