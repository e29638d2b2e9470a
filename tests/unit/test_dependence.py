"""Correlations that can and cannot be, normals that keep their law under both copulas, and jumps that strike all assets."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from seawall.prices.dependence import (
    CommonJumps,
    ImpossibleCorrelation,
    correlation_matrix,
    estimate,
    gaussian_copula,
    t_copula,
    tail_dependence,
)

STEPS = 100_000
AB = correlation_matrix("AB", 0.5)


def normals(steps=STEPS, assets=2, seed=1):
    return np.random.default_rng(seed).standard_normal((steps, assets))


def t_normals(correlation=0.5, degrees=4.0, seed=2, steps=STEPS):
    return t_copula(normals(steps), correlation_matrix("AB", correlation), degrees, np.random.default_rng(seed))


def joint_share(z, quantile):
    """How often both are below their quantile, given that the first is."""
    low = z < stats.norm.ppf(quantile)
    return (low[:, 0] & low[:, 1]).sum() / low[:, 0].sum()


def joint_t_share(quantile, correlation, degrees):
    """The same by the bivariate t distribution: the second is, given the first, a t variate of one degree more."""
    low, spread = stats.t.ppf(quantile, degrees), (1 - correlation**2) / (degrees + 1)

    def both(x):
        return stats.t.pdf(x, degrees) * stats.t.cdf((low - correlation * x) / math.sqrt((degrees + x**2) * spread), degrees + 1)

    return quad(both, -math.inf, low, epsrel=1e-6, epsabs=0)[0] / quantile


# --- matrices ---


def test_one_number_is_the_correlation_of_every_pair():
    assert correlation_matrix("ABC", 0.25) == pytest.approx(np.array([[1, 0.25, 0.25], [0.25, 1, 0.25], [0.25, 0.25, 1]]))


def test_pairs_left_out_are_uncorrelated():
    matrix = correlation_matrix(["ETH", "BTC", "USDC"], {("BTC", "ETH"): 0.8})
    assert matrix.tolist() == [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        ({("A", "D"): 0.1}, r"pair \('A', 'D'\)"),
        ({("A", "A"): 1.0}, r"pair \('A', 'A'\)"),
        ({("A", "B"): 0.1, ("B", "A"): 0.1}, "each once"),
        ([[1, 0, 0], [0, 1], [0, 0, 1]], "rows of 3, 2, 3 numbers; 3 assets need 3 rows of 3"),
        ([[1, 0], [0, 1]], r"shape \(2, 2\)"),
        ([[1, 2, 0], [2, 1, 0], [0, 0, 1]], r"A and B \(=2.0\) must be in"),
        ([[1, math.nan, 0], [math.nan, 1, 0], [0, 0, 1]], "nan"),
        ([[0.9, 0, 0], [0, 1, 0], [0, 0, 1]], "with itself"),
        ([[1, 0.1, 0], [0.2, 1, 0], [0, 0, 1]], "A and B is 0.1 one way and 0.2 the other"),
        (-0.5, "not positive definite"),
        (1.0, "not positive definite"),
    ],
)
def test_what_is_no_correlation_of_three_assets_is_refused(correlation, message):
    with pytest.raises(ValueError, match=message):
        correlation_matrix("ABC", correlation)


def test_a_refusal_offers_the_nearest_matrix_and_its_distance():
    """The nearest to (0.9, 0.9, -0.9) is by symmetry (1/2, 1/2, -1/2): the distance is sqrt(6 x 0.4^2)."""
    with pytest.raises(ImpossibleCorrelation, match=r"0\.98\d\d away") as caught:
        correlation_matrix("ABC", {("A", "B"): 0.9, ("B", "C"): 0.9, ("A", "C"): -0.9})
    assert caught.value.nearest == pytest.approx(np.array([[1, 0.5, -0.5], [0.5, 1, 0.5], [-0.5, 0.5, 1]]), abs=1e-3)
    assert caught.value.distance == pytest.approx(math.sqrt(6) * 0.4, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(assets=st.integers(2, 12), seed=st.integers(0, 2**32))
def test_the_matrix_offered_is_taken_when_read_off_at_four_decimals(assets, seed):
    half = np.triu(np.random.default_rng(seed).uniform(-1, 1, (assets, assets)), 1)
    names = [str(i) for i in range(assets)]
    try:
        correlation_matrix(names, half + half.T + np.eye(assets))
    except ImpossibleCorrelation as error:
        correlation_matrix(names, np.round(error.nearest, 4))


# --- estimates ---


@pytest.mark.parametrize("method", ["pearson", "kendall"])
def test_an_estimate_finds_the_correlation(method):
    """The standard error is (1 - 0.25) / sqrt(4000) = 0.012, of Kendall's a little more."""
    z = gaussian_copula(normals(4_000), AB)
    assert estimate(z, method) == pytest.approx(AB, abs=4 * 0.014)
    assert estimate(z, method) != pytest.approx(correlation_matrix("AB", 0.6), abs=4 * 0.014)


def test_extremes_hardly_sway_kendalls_estimate():
    z = gaussian_copula(normals(2_000), AB)
    z[0] = [100, -100]
    assert estimate(z, "kendall")[0, 1] == pytest.approx(0.5, abs=0.06)
    assert estimate(z, "pearson")[0, 1] < 0


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (np.ones((3, 2)), r"\(3, 2\) must be"),
        (np.ones((9, 2)), "column 0 are all 1.0"),
        (np.full((9, 2), math.nan), "18 values are not"),
    ],
)
def test_no_estimate_from_what_tells_nothing(returns, message):
    with pytest.raises(ValueError, match=message):
        estimate(returns)


# --- copulas ---


def test_the_gaussian_copula_is_the_product_with_the_cholesky_factor():
    n, matrix = normals(1_000, 3), correlation_matrix("ABC", 0.37)
    np.testing.assert_allclose(gaussian_copula(n, matrix), n @ np.linalg.cholesky(matrix).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("column", [0, 1])
def test_margins_of_the_t_copula_are_standard_normal(column):
    assert stats.kstest(t_normals()[:, column], "norm").pvalue > 0.01


def test_the_margins_of_t_variates_themselves_are_not():
    """Negative control of the test above: without the mapping back, it would show."""
    variates = normals()[:, 0] / np.sqrt(np.random.default_rng(2).chisquare(4, STEPS) / 4)
    assert stats.kstest(variates, "norm").pvalue < 1e-6


@pytest.mark.parametrize("degrees", [3.0, 8.0])
def test_joint_crashes_of_the_t_copula_are_as_frequent_as_its_distribution_says(degrees):
    """P(both below their 1% quantile | one is), by the bivariate t distribution; 4 binomial standard errors of 1,000 cases."""
    expected = joint_t_share(0.01, 0.5, degrees)
    assert joint_share(t_normals(degrees=degrees), 0.01) == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 1_000))


def test_the_gaussian_copula_has_fewer_joint_crashes():
    """About 0.13 against 0.29 with 3 degrees of freedom: the test above would catch it."""
    assert joint_share(gaussian_copula(normals(), AB), 0.01) < 0.2 < joint_share(t_normals(degrees=3.0), 0.01)


def test_the_t_copula_of_mirrored_normals_is_mirrored():
    n = normals(100)
    one, other = (t_copula(sign * n, AB, 4.0, np.random.default_rng(3)) for sign in (1, -1))
    assert (one == -other).all()


def test_a_longer_path_of_the_t_copula_begins_with_the_shorter_one():
    n = normals(100)
    short, long = (t_copula(n[:steps], AB, 4.0, np.random.default_rng(3)) for steps in (60, 100))
    assert short.tobytes() == long[:60].tobytes()


def test_infinite_degrees_are_the_gaussian_copula():
    n = normals(10)
    assert t_copula(n, AB, math.inf, np.random.default_rng(1)).tobytes() == gaussian_copula(n, AB).tobytes()


@pytest.mark.parametrize("degrees", [2.0, -1.0, math.nan])
def test_too_few_degrees_are_refused(degrees):
    with pytest.raises(ValueError, match="degrees"):
        t_copula(normals(2), AB, degrees, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("correlation", "degrees", "expected"),
    # McNeil, Frey and Embrechts (2005), table 5.1; the last two are the limits.
    [(0.0, 4.0, 0.08), (0.5, 4.0, 0.25), (0.9, 4.0, 0.63), (0.5, 10.0, 0.08), (0.5, math.inf, 0.0), (1.0, math.inf, 1.0)],
)
def test_tail_dependence_is_that_of_the_table(correlation, degrees, expected):
    assert tail_dependence(correlation, degrees) == pytest.approx(expected, abs=0.005)


def test_tail_dependence_is_the_limit_of_joint_crashes():
    assert tail_dependence(0.5, 4.0) == pytest.approx(joint_t_share(1e-9, 0.5, 4.0), abs=1e-3)
    assert tail_dependence(0.5, 5.0) != pytest.approx(joint_t_share(1e-9, 0.5, 4.0), abs=1e-3)


# --- jumps ---

JUMPS = CommonJumps(jumps_per_year=500.0, mean=-0.02, deviation=0.03, share=(1.0, 0.5, 0.0))


def jump_returns(years_per_step=1e-4, steps=200_000, seed=4):
    return JUMPS.log_returns(np.full(steps, years_per_step), np.random.default_rng(seed))


def test_jumps_strike_all_assets_in_the_same_steps_by_their_share():
    returns = jump_returns()
    moves = returns - np.median(returns, axis=0)
    assert moves[:, 1] == pytest.approx(moves[:, 0] / 2, abs=1e-12)
    assert (returns[:, 2] == 0).all()


def test_as_many_jumps_as_configured():
    """2 years of 500, within 4 roots of it; 600 a year would be caught."""
    returns = jump_returns(1e-5, 200_000)[:, 0]
    jumps = (np.abs(returns - np.median(returns)) > 1e-9).sum()  # two in a step, which count once, are rare
    assert abs(jumps - 1_000) < 4 * math.sqrt(1_000)
    assert abs(jumps - 1_200) > 4 * math.sqrt(1_200)


def test_variance_of_jumps_is_rate_times_mean_square():
    """The standard error follows from the fourth moment m4 = m^4 + 6 m^2 s^2 + 3 s^4: sqrt(rate x m4 / years)."""
    years, m, s = 20.0, 0.02, 0.03
    returns = jump_returns()[:, 0]
    squares = (returns - np.median(returns)) ** 2
    error = math.sqrt(500 * (m**4 + 6 * m**2 * s**2 + 3 * s**4) / years)
    assert squares.sum() / years == pytest.approx(500 * (m**2 + s**2), abs=4 * error)
    assert squares.sum() / years != pytest.approx(500 * (1.2 * m**2 + 1.2 * s**2), abs=4 * error)


def test_expected_growth_is_untouched():
    """E[exp(sum)] = 1 over each tenth of a year, 200 of them."""
    jumps = CommonJumps(50.0, -0.05, 0.02, (1.0,))
    logs = jumps.log_returns(np.full(2_000, 0.1), np.random.default_rng(1))
    growth = np.exp(logs)
    assert growth.mean() == pytest.approx(1.0, abs=4 * growth.std() / math.sqrt(2_000))


def test_a_longer_path_begins_with_the_jumps_of_the_shorter_one():
    assert jump_returns(steps=5_000)[:900].tobytes() == jump_returns(steps=900).tobytes()


def test_no_jump_strikes_while_time_stands_still():
    years = np.tile([1e-3, 0.0], 5_000)
    returns = JUMPS.log_returns(years, np.random.default_rng(1))
    assert (returns[1::2] == 0).all()
    assert (np.abs(returns[::2, 0]) > 0.01).sum() > 1_000


@pytest.mark.parametrize("values", [(-1.0, 0.0, 0.1, (1.0,)), (1.0, math.inf, 0.1, (1.0,)), (1.0, 0.0, -0.1, (1.0,)), (1.0, 0.0, 0.1, ())])
def test_impossible_jumps_are_refused(values):
    with pytest.raises(ValueError, match=r"\(="):
        CommonJumps(*values)
