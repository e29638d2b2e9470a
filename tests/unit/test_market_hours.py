"""Market hours over generated prices: who is silent when, and where the gap lands."""

from datetime import UTC, datetime

import numpy as np
import pytest
from markets import SHIPPED

from seawall.prices.events import Change
from seawall.scenarios.build import build
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import load
from seawall.scenarios.market_hours import last_open, open_rounds, variance_weights
from seawall.scenarios.price_events import strike
from seawall.scenarios.simulated import simulate
from seawall.scenarios.simulated_schema import SimulatedPrices

FRIDAY = datetime(2024, 3, 1, 14, 30, tzinfo=UTC)
MINUTES_A_DAY = 1440


def hours(start, *, days, calendar="XNYS"):
    return open_rounds(calendar, start=start, steps=days * MINUTES_A_DAY, step_seconds=60)


@pytest.mark.parametrize(
    ("start", "days", "calendar", "open_minutes"),
    [
        (datetime(2024, 3, 4, tzinfo=UTC), 5, "XNYS", 5 * 391),  # both bells count
        (datetime(2008, 11, 27, tzinfo=UTC), 2, "XNYS", 211),  # Thanksgiving, then a half-day until 18:00 UTC
        (datetime(2024, 3, 2, tzinfo=UTC), 3, "XNYS", 391),  # a weekend and a Monday
        (datetime(2024, 3, 4, tzinfo=UTC), 1, "XTKS", 151 + 151 + 1),  # Tokyo rests for lunch; the next day's first bell
        (datetime(2024, 3, 3, tzinfo=UTC), 1, "24/7", MINUTES_A_DAY + 1),
    ],
)
def test_sessions_have_their_bells_half_days_holidays_and_lunch(start, days, calendar, open_minutes):
    assert hours(start, days=days, calendar=calendar).sum() == open_minutes


def test_a_run_without_a_session_is_refused():
    with pytest.raises(ValueError, match="'XNYS' has no session between 2024-03-02"):
        hours(datetime(2024, 3, 2, tzinfo=UTC), days=1)


def test_weights_keep_the_volatility_of_the_whole_calendar():
    weights = variance_weights(hours(FRIDAY, days=7), 0.4)
    assert weights.mean() == pytest.approx(1.0)
    assert weights.min() / weights.max() == pytest.approx(0.16)
    assert set(variance_weights(np.ones(5, bool), 0.4)) == {1.0}


def a_path(*, days, seed=1):
    spec = {"model": "simulated", "start": FRIDAY, "days": days, "calendar": "XNYS", "closed_volatility": 0.5}
    prices = SimulatedPrices(**spec, assets={"A": {"start_usd": 100.0, "volatility_per_year": 0.6}})
    return simulate(prices, steps=days * MINUTES_A_DAY, step_seconds=60, seed=seed, path=0).paths


def test_prices_rest_while_closed_and_reopen_with_what_happened_meanwhile():
    is_open = hours(FRIDAY, days=6)
    paths = a_path(days=6)
    steps = np.diff(np.log(paths.market_price[:, 0]))
    assert (steps[~is_open[1:]] == 0).all()
    assert (paths.market_open[:, 0] == is_open).all()
    assert (steps[is_open[1:]] != 0).all()  # the first minute too: it brings the gap


def test_gaps_and_minutes_have_the_variance_configured():
    is_open = hours(FRIDAY, days=1400)
    steps = np.diff(np.log(a_path(days=1400, seed=5).market_price[:, 0]))
    weights = variance_weights(is_open, 0.5)
    minute = 0.6**2 / (365 * MINUTES_A_DAY)
    opens = np.flatnonzero(is_open[1:] & ~is_open[:-1])
    assert steps[is_open[1:] & is_open[:-1]].var() == pytest.approx(minute * weights.max(), rel=0.02)
    closed_minutes = (opens + 1) - last_open(is_open)[opens]
    standardised = steps[opens] / np.sqrt(minute * weights.min() * closed_minutes)
    assert standardised.var() == pytest.approx(1, abs=4 * np.sqrt(2 / len(opens)))


def test_a_shock_while_closed_shows_at_the_open():
    quiet = a_path(days=4)
    shocked = strike(quiet, [Change("A", at_s=24 * 3600.0, change=0.2)])
    ratio = shocked.market_price[:, 0] / quiet.market_price[:, 0]
    monday = 3 * MINUTES_A_DAY
    assert (ratio[:monday] == 1.0).all()
    assert ratio[monday:] == pytest.approx(1.2)


def test_before_the_first_session_the_price_rests_at_the_start():
    assert list(last_open(np.array([False, False, True, False, True]))) == [0, 0, 2, 2, 4]


@pytest.fixture(scope="module")
def weekend():
    loaded = load(SHIPPED / "weekend_gap.yaml")
    return loaded, build(loaded).run()


def test_the_weekend_is_silent_and_monday_opens_higher(weekend):
    loaded, model = weekend
    tsla = model.series().query("tasset == 'tTSLA'").set_index("time_s")
    saturday = tsla.loc[24 * 3600 : 72 * 3600 - 1]
    assert not saturday["oracle_fresh"].any()
    assert not saturday["market_open"].any()
    assert saturday["oracle_price"].nunique() == 1
    assert tsla.loc[72 * 3600 :, "oracle_price"].iloc[0] / saturday["oracle_price"].iloc[-1] > 1.1
    assert saturday["volume_usd"].iloc[-1] > saturday["volume_usd"].iloc[0]  # the pools trade on
    prices = price_paths(loaded, 31, 0).market_price
    assert prices[3 * MINUTES_A_DAY, 1] / prices[2 * MINUTES_A_DAY, 1] > 1.1


def test_nothing_is_liquidated_while_the_feed_is_silent(weekend):
    times = weekend[1].liquidations()["time_s"] / 3600
    assert not times.between(6.6, 71.9).any()
    assert times.between(72, 79).any()


def test_the_other_reading_lets_auctions_go_on_at_the_last_price():
    """CDPs still margin called at Monday's close are bought from in the night that follows, or not."""
    settings = ["liquidators.cash_usd.median=50", "liquidators.count=1", "arbitrageurs.count=0"]
    in_the_night = []
    for fresh in ("true", "false"):
        loaded = load(SHIPPED / "weekend_gap.yaml", [*settings, f"tassets.tTSLA.auction_needs_fresh_price={fresh}"])
        model = build(loaded).run()
        hours_of = model.liquidations().query("tasset == 'tTSLA'")["time_s"] / 3600
        in_the_night.append(int(hours_of.between(78.6, 95.9).sum()))
    assert in_the_night[0] == 0
    assert in_the_night[1] > 0
