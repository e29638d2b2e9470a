"""Limits: how they are read, and when they are met, open or broken."""

import numpy as np
import pytest
from scipy import stats

from seawall.studies.expressions import ExpressionError
from seawall.studies.verdicts import Verdict, judge, parse_limit, share_bounds


@pytest.mark.parametrize(
    ("text", "is_upper", "limit"),
    [
        ("p(bad_debt > 0.005 * debt_start) <= 1%", True, 0.01),
        ("cvar95(bad_debt) <= 10_000", True, 10_000.0),
        ("mean((a + b) / c) >= -1.5e-3", False, -0.0015),
        (" q5(x)>=2 ", False, 2.0),
    ],
)
def test_limits_are_read(text, is_upper, limit):
    found = parse_limit(text)
    assert (found.is_upper, found.limit, found.text) == (is_upper, limit, text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "p(x > 0) <= 5",
        "p(x > 0) <= 0",
        "mean(x) <= 1e999",
        "p(x > 0)",
        "p(x > 0) < 1%",
        "x <= 1",
        "mean(x) <= y",
        "mean(x) <= ",
        "mean(x) == 1",
        "mean(x) <= 1 <= 2",
    ],
)
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(ExpressionError):
        parse_limit(text)


def happened(hits, paths):
    return np.repeat([1.0, 0.0], [hits, paths - hits])


@pytest.mark.parametrize(("hits", "paths"), [(0, 1), (0, 50), (3, 50), (49, 50), (50, 50)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_bounds_of_a_share_are_the_exact_ones(hits, paths, confidence):
    share, low, high = share_bounds(happened(hits, paths), np.zeros(paths), confidence)
    assert share == hits / paths
    assert stats.binom.sf(hits - 1, paths, low) == pytest.approx(1 - confidence) if hits else low == 0.0
    assert stats.binom.cdf(hits, paths, high) == pytest.approx(1 - confidence) if hits < paths else high == 1.0


def test_nothing_is_known_of_no_paths():
    assert share_bounds(np.empty(0), np.empty(0), 0.95) == (None, None, None)


def test_weighted_shares_have_wider_bounds_than_as_many_equal_paths():
    values, logs = happened(20, 100), np.linspace(-2.0, 2.0, 100)[::-1].copy()
    share, low, high = share_bounds(values, logs, 0.95)
    weights = np.exp(logs)
    assert share == pytest.approx(weights[:20].sum() / weights.sum())
    _, plain_low, plain_high = share_bounds(happened(round(100 * share), 100), np.zeros(100), 0.95)
    assert low < plain_low < plain_high < high


def verdict(text, values, confidence=0.95):
    return judge(parse_limit(text), np.asarray(values, np.float64), np.zeros(len(values)), confidence).verdict


@pytest.mark.parametrize(
    ("hits", "paths", "expected"),
    [(0, 58, Verdict.OPEN), (0, 59, Verdict.MET), (5, 100, Verdict.OPEN), (9, 100, Verdict.OPEN), (10, 100, Verdict.BROKEN)],
)
def test_a_share_is_met_or_broken_once_its_bound_is_on_that_side(hits, paths, expected):
    """With nothing seen 5 % needs 59 paths: 0.95**59 < 0.05 < 0.95**58. Of 100 paths 10 are too many: P(>= 10) = 2.8 %."""
    assert verdict("p(x > 0) <= 5%", happened(hits, paths)) is expected


def test_the_other_way_round():
    assert verdict("p(x > 0) >= 95%", happened(59, 59)) is Verdict.MET
    assert verdict("p(x > 0) >= 95%", happened(58, 58)) is Verdict.OPEN
    assert verdict("p(x > 0) >= 95%", happened(90, 100)) is Verdict.BROKEN


def test_means_and_tails_have_one_sided_bounds():
    drawn = np.random.default_rng(1).normal(0.0, 1.0, 400)
    values = drawn - drawn.mean() + 10.0
    for text, expected in (("mean(x) <= 10.5", Verdict.MET), ("mean(x) <= 10", Verdict.OPEN), ("mean(x) <= 9.5", Verdict.BROKEN)):
        assert verdict(text, values) is expected
    one_sided = judge(parse_limit("mean(x) <= 1"), values, np.zeros(400), 0.95)
    assert one_sided.high == pytest.approx(10.0 + 1.645 * values.std() / 20, abs=0.005)


def test_what_is_the_same_on_every_path_is_known_once_the_rare_would_have_shown():
    """Whatever happens on 1 % of all paths is seen on one of 299, 95 times in a hundred."""
    assert verdict("mean(x) <= 5", [5.0] * 298) is Verdict.OPEN
    assert verdict("mean(x) <= 5", [5.0] * 299) is Verdict.MET
    assert verdict("mean(x) >= 5.1", [5.0] * 299) is Verdict.BROKEN
    assert verdict("cvar95(x) <= 0", [0.0] * 299) is Verdict.MET


def test_what_is_not_known_of_a_path_is_held_against_the_limit():
    values = [0.0] * 490 + [np.nan] * 10
    assert verdict("p(x > 0) <= 1%", [0.0] * 500) is Verdict.MET
    assert verdict("p(x > 0) <= 1%", values) is Verdict.OPEN
    failed = judge(parse_limit("p(x > 0) <= 1%"), np.zeros(495), np.zeros(495), 0.95, failed=5)
    assert (failed.value, failed.verdict) == (0.0, Verdict.OPEN)
    assert failed.high == judge(parse_limit("p(x > 0) <= 1%"), happened(5, 500), np.zeros(500), 0.95).high


@pytest.mark.parametrize("heavy", [0, 1, 2])
def test_a_hit_more_never_lowers_a_bound(heavy):
    logs = np.log(np.repeat([1.0, 9.0], 100))
    bounds = [share_bounds(np.append(happened(light, 100), happened(heavy, 100)), logs, 0.95)[1:] for light in range(6)]
    lows, highs = zip(*bounds, strict=True)
    assert list(lows) == sorted(lows)
    assert list(highs) == sorted(highs)


@pytest.mark.parametrize("chances", [(0.08, 0.008), (0.2, 0.005), (0.02, 0.02)])
def test_bounds_of_weighted_shares_hold_as_often_as_they_say(chances):
    rng, logs = np.random.default_rng(7), np.log(np.repeat([1.0, 9.0], 100))
    truth = 0.1 * chances[0] + 0.9 * chances[1]
    missed = np.zeros(2)
    for _ in range(400):
        values = np.concatenate([rng.random(100) < chance for chance in chances]).astype(np.float64)
        _, low, high = share_bounds(values, logs, 0.95)
        missed += [low > truth, high < truth]
    assert (missed / 400 <= 0.075).all()


def test_no_value_is_open():
    found = judge(parse_limit("mean(x) <= 5"), np.full(20, np.nan), np.zeros(20), 0.95)
    assert (found.value, found.verdict) == (None, Verdict.OPEN)


def test_half_confidence_is_the_estimate():
    found = judge(parse_limit("mean(x) <= 5"), np.random.default_rng(1).normal(10.0, 1.0, 400), np.zeros(400), 0.5)
    assert found.low == pytest.approx(found.value, abs=1e-3)
    assert found.high == pytest.approx(found.value, abs=1e-3)
