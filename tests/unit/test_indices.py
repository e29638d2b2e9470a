"""Sensitivity indices through SALib beside functions whose indices are known."""

import numpy as np
import pytest

from seawall.studies.indices import Design, design, indices, path_noise

SOBOL_POINTS = 2048


def ishigami(unit):
    """Ishigami and Homma (1990) with a = 7, b = 0.1."""
    x = (2.0 * unit - 1.0) * np.pi
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_truth(a=7.0, b=0.1):
    """First-order and total indices, Saltelli et al. (2008), Global sensitivity analysis: the primer, section 4.6."""
    first = np.array([0.5 * (1.0 + b * np.pi**4 / 5.0) ** 2, a**2 / 8.0, 0.0])
    both = b**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    variance = first.sum() + both
    return first / variance, (first + np.array([both, 0.0, both])) / variance


def found(asked, values, **more):
    values = values[:, None] if values.ndim == 1 else values
    return indices(asked, values, np.zeros(values.shape), **{"resamples": 100, "confidence": 0.95, "seed": 1, **more})


def test_ishigami():
    asked = design("sobol", 3, SOBOL_POINTS, 7)
    got = found(asked, ishigami(asked.unit))
    for name, truth in zip(("first", "total"), ishigami_truth(), strict=True):
        np.testing.assert_allclose(got[name].value, truth, atol=0.05)
        assert (got[name].low <= truth).all()
        assert (truth <= got[name].high).all()


def test_ishigami_drowned_in_noise_of_paths():
    """Each path adds what it likes, the same at all points: nothing of that may show."""
    asked = design("sobol", 3, 256, 7)
    common = 100.0 * np.random.default_rng(2).normal(size=(1, 10))
    plain, drowned = found(asked, ishigami(asked.unit)), found(asked, ishigami(asked.unit)[:, None] + common)
    for name in ("first", "total"):
        np.testing.assert_allclose(drowned[name].value, plain[name].value)
        np.testing.assert_allclose(drowned[name].high - drowned[name].low, plain[name].high - plain[name].low, rtol=0.3)


def test_intervals_know_how_few_paths_there_are():
    """Parameters that act differently on each path: with few of them nobody knows the mean effect, however many points there are."""
    asked = design("sobol", 2, 128, 7)
    slopes = np.random.default_rng(3).normal(1.0, 2.0, size=(2, 200))
    few, many = (found(asked, asked.unit @ slopes[:, :paths]) for paths in (4, 200))
    assert (few["total"].high - few["total"].low > 2.0 * (many["total"].high - many["total"].low)).all()


@pytest.mark.parametrize("seed", range(4))
def test_from_64_points_on_intervals_hold_a_sum(seed):
    """Of a sum of terms, each has the share of its own variance."""
    slopes = np.array([4.0, 3.0, 2.0, 1.0, 0.0])
    asked = design("sobol", 5, 64, seed)
    got = found(asked, asked.unit @ slopes)
    for index in got.values():
        assert (index.low - 1e-9 <= slopes**2 / 30.0).all()
        assert (slopes**2 / 30.0 <= index.high + 1e-9).all()


def test_a_parameter_without_influence_has_exactly_none():
    asked = design("sobol", 3, 64, 1)
    got = found(asked, asked.unit[:, 0] ** 2)
    np.testing.assert_array_equal(got["total"].value[1:], 0.0)
    np.testing.assert_array_equal(got["total"].high[1:], 0.0)


def test_morris_finds_slopes_and_tells_curves_from_lines():
    asked = design("morris", 3, 20, 5)
    got = found(asked, 3.0 * asked.unit[:, 0] - 2.0 * asked.unit[:, 1])
    np.testing.assert_allclose(got["effect"].value, [3.0, -2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(got["absolute"].value, [3.0, 2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(got["spread"].value, 0.0, atol=1e-12)
    curved = found(asked, asked.unit[:, 0] * asked.unit[:, 1])
    assert (curved["spread"].value[:2] > 0.1).all()
    assert curved["spread"].value[2] == 0.0


@pytest.mark.parametrize(("method", "block"), [("sobol", 5), ("morris", 4)])
def test_rows_that_belong_together_stay_together(method, block):
    asked = design(method, 3, 64, 9)
    assert (asked.block, asked.blocks, asked.unit.shape) == (block, 64, (64 * block, 3))
    assert asked.unit.min() >= 0.0
    assert asked.unit.max() <= 1.0
    np.testing.assert_array_equal(Design(method, asked.unit, block).rows(np.array([2, 0])), [*range(2 * block, 3 * block), *range(block)])


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_the_same_seed_the_same_bytes(method):
    first, again, other = (design(method, 3, 64, seed).unit for seed in (4, 4, 5))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    asked = design(method, 3, 64, 4)
    one, two = (found(asked, ishigami(asked.unit), resamples=100) for _ in range(2))
    assert all(one[name].low.tobytes() == two[name].low.tobytes() for name in one)


def test_an_outcome_that_does_not_vary_has_none():
    asked = design("sobol", 3, 64, 9)
    assert found(asked, np.full(len(asked.unit), 7.0)) is None


def test_weights_count():
    """Two kinds of paths, of which one counts for nothing."""
    asked = design("sobol", 2, 64, 9)
    values = np.stack([asked.unit[:, 0], asked.unit[:, 1]], axis=1)
    log_weights = np.broadcast_to(np.array([0.0, -60.0]), values.shape)
    got = indices(asked, values, log_weights, resamples=100, confidence=0.95, seed=1)
    assert got["total"].value[1] == pytest.approx(0.0, abs=1e-12)
    assert got["total"].value[0] > 0.5


def test_noise_of_paths_is_what_another_choice_would_have_changed():
    rng = np.random.default_rng(4)
    effect, common, own = rng.normal(size=(400, 1)), rng.normal(size=(1, 25)), rng.normal(size=(400, 25))
    log_weights = np.zeros((400, 25))
    assert path_noise(effect + 9.0 * common + own, log_weights) == pytest.approx(1.0 / 25.0 / (1.0 + 1.0 / 25.0), rel=0.15)
    assert path_noise(effect + 9.0 * common, log_weights) == pytest.approx(0.0, abs=1e-12)
    assert path_noise(effect, log_weights[:, :1]) is None
    assert path_noise(effect + own, rng.normal(size=(400, 25))) is None
