"""Cascades: the worst hour and the longest row of rounds, by hand and on small runs."""

import math

import numpy as np
import pytest
from markets import SHIPPED, storm_model
from worlds import a_market

from seawall.models import cascades, measures
from seawall.models import exchange_frames as frames
from seawall.scenarios.build import build
from seawall.scenarios.load import load


def floats(*values):
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("times", "amounts", "expected"),
    [
        ((), (), (0.0, 0.0)),
        ((60.0,), (5.0,), (5.0, 60.0)),
        ((0.0, 3_600.0), (1.0, 2.0), (2.0, 3_600.0)),  # the window is open at its beginning: an hour apart is not within an hour
        ((0.0, 3_599.0), (1.0, 2.0), (3.0, 3_599.0)),
        ((0.0, 3_000.0, 6_000.0, 6_060.0), (4.0, 4.0, 3.0, 2.0), (9.0, 6_060.0)),
        ((60.0, 60.0, 60.0), (1.0, 2.0, 3.0), (6.0, 60.0)),
    ],
)
def test_the_largest_hour(times, amounts, expected):
    assert cascades.largest_in_window(floats(*times), floats(*amounts)) == expected


def test_the_largest_hour_is_that_of_a_search_through_all_windows():
    rng = np.random.default_rng(1)
    times, amounts = np.sort(rng.integers(0, 400, 300) * 60.0), rng.exponential(size=300)
    slow = max(amounts[(times > end - cascades.WINDOW_S) & (times <= end)].sum() for end in times)
    assert cascades.largest_in_window(times, amounts)[0] == pytest.approx(slow)


@pytest.mark.parametrize(
    ("rounds", "longest"), [((), 0), ((7,), 1), ((7, 7, 7), 1), ((1, 2, 2, 3), 3), ((1, 3, 5), 1), ((0, 1, 4, 5, 6, 9), 3)]
)
def test_the_longest_row(rounds, longest):
    assert cascades.longest_row(np.array(rounds, dtype=np.int64)) == longest


# --- runs ---


def figures_of(model):
    return {name: figure for group in model.summary().values() for name, figure in group.items()}


@pytest.fixture(scope="module")
def storm():
    return storm_model().run()


def test_a_storm_has_the_cascade_that_its_list_of_purchases_has(storm):
    figures, events = figures_of(storm), storm.liquidations()
    times = events["time_s"].to_numpy()
    hours = [events["burned_usd"][(times > end - 3_600.0) & (times <= end)].sum() for end in times]
    end = times[int(np.argmax(hours))]
    series = storm.series().groupby("time_s")["debt_usd"].sum()
    before = series[series.index <= max(end - 3_600.0, 0.0)].iloc[-1]
    assert len(events) > 20
    assert figures["cascade_usd"].value == pytest.approx(max(hours))
    assert figures["cascade_debt_share"].value == pytest.approx(max(hours) / before)
    assert 1 <= figures["cascade_rounds"].value <= len(set(times))


def test_where_nothing_is_liquidated_there_is_a_cascade_of_nothing():
    figures = measures.cascade(a_market(minters=1))
    assert {name: figure.value for name, figure in figures.items()} == {"cascade_usd": 0.0, "cascade_debt_share": 0.0, "cascade_rounds": 0}


def test_a_share_of_nothing_says_so(monkeypatch):
    monkeypatch.setattr(cascades, "largest_in_window", lambda *_: (5.0, 60.0))
    found = measures.cascade(a_market(minters=1))["cascade_debt_share"]
    assert (found.value, found.why) == (None, "nothing was owed before it")


def test_purchases_that_found_the_list_full_leave_no_cascade():
    world = a_market(minters=1)
    world.clock[0].events_lost = 1
    assert {figure.why for figure in measures.cascade(world).values()} == {"not all purchases were listed one by one"}


def a_squeeze(record_minutes):
    settings = ("prices.days=0.3", "shocks[0].at_hours=2", "exchange.traders.noise.orders_per_day=24", f"record_minutes={record_minutes}")
    return build(load(SHIPPED / "perps_squeeze.yaml", settings)).run()


def test_the_worst_hour_of_traders_lies_between_records():
    model = a_squeeze(30)
    figures, records = figures_of(model), frames.markets(model.exchange, model.exchange_names).groupby("time_s")
    total, is_open = (records[name].sum().to_numpy() for name in ("liquidated_usd", "open_interest_usd"))
    hours = total[2:] - total[:-2]
    assert hours.max() > 0.0
    assert figures["perps_cascade_usd"].value == pytest.approx(hours.max())
    assert figures["perps_cascade_share"].value == pytest.approx(hours.max() / is_open[:-2][hours.argmax()])


@pytest.mark.parametrize("minutes", [29, 30, 31])
def test_the_worst_hour_of_traders_is_no_longer_than_an_hour(minutes):
    model = a_squeeze(minutes)
    found, records = cascades.of_traders(model.exchange), frames.markets(model.exchange, model.exchange_names).groupby("time_s")
    total, is_open = (records[name].sum() for name in ("liquidated_usd", "open_interest_usd"))
    hours = {at: max(total[end] - total[at] for end in total.index if 0.0 <= end - at <= 3_600.0) for at in total.index}
    worst = max(hours.values())
    assert worst > 0.0
    assert found.usd == pytest.approx(worst)
    assert found.share in [pytest.approx(worst / is_open[at]) for at, usd in hours.items() if usd == worst]


def test_records_too_far_apart_leave_no_cascade_of_traders():
    figures = figures_of(a_squeeze(90))
    assert figures["perps_cascade_usd"].why == "records lie more than an hour apart"
    assert math.isnan(float(figures["perps_cascade_share"].value or math.nan))
