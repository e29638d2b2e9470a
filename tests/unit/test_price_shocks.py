"""Shocks of a scenario: their kinds, at stated and at random times, and what reports say of them."""

import numpy as np
import pytest

from seawall.prices.events import Change, Depeg, Drift, Gap, VolatilityBurst
from seawall.protocols.errors import ScenarioError
from seawall.reports.shock_words import label, sentence
from seawall.scenarios.inputs import drawn_prices
from seawall.scenarios.load import load
from seawall.studies.methods import described

HEAD = """\
name: T
about: T.
seed: 3
prices: {model: constant, days: 10, assets: {A: {start_usd: 100}, B: {start_usd: 1}}}
tassets: {tA: {tracks: A, pool: {liquidity_usd: 1e4}}}
shocks:
"""


@pytest.fixture
def write(tmp_path):
    def to_file(*shocks, head=HEAD):
        path = tmp_path / "t.yaml"
        path.write_text(head + "".join(f"  - {shock}\n" for shock in shocks))
        return path

    return to_file


def drawn(path, *settings, number=0):
    return drawn_prices(load(path, settings), 3, number)


def faults_of(path):
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return [str(fault).removeprefix(str(path.parent) + "/") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("{asset: A, at_hours: 2, change: 0.1}", Change("A", 7_200.0, 0.1)),
        (
            "{kind: change, at_hours: 2, change: -0.1, ramp_hours: 1, hold_hours: 2, recovery_hours: 3}",
            Change(None, 7_200.0, -0.1, 3_600.0, 7_200.0, 10_800.0),
        ),
        ("{kind: gap, at_hours: 2, change: 0.1}", Gap(None, 7_200.0, 0.1)),
        ("{kind: drift, at_hours: 2, per_day: -0.1, hours: 3}", Drift(None, 7_200.0, -0.1, 10_800.0)),
        (
            "{kind: volatility_burst, at_hours: 2, factor: 3, hours: 1, ramp_down_hours: 2}",
            VolatilityBurst(None, 7_200.0, 3.0, 3_600.0, 7_200.0),
        ),
        (
            "{kind: depeg, asset: B, at_hours: 2, level_usd: 0.9, hold_hours: 1, own_moves: 0}",
            Depeg("B", 7_200.0, 0.9, 0.0, 3_600.0, None, 0.0),
        ),
    ],
)
def test_a_shock_is_the_event_that_it_says(write, text, event):
    assert drawn(write(text)).events == [event]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{at_hours: 1, per_year: 2, change: 0.1}", "t.yaml:7: shocks[0]: needs exactly one of at_hours (once, then) and per_year"),
        ("{change: 0.1}", "t.yaml:7: shocks[0]: needs exactly one of at_hours (once, then) and per_year"),
        ("{kind: crash, at_hours: 1}", "t.yaml:7: shocks[0]: kind is unknown; known: change, gap, drift, volatility_burst, depeg"),
        ("{at_hours: 1, change: -1}", "t.yaml:7: shocks[0].change: -1 is not in (-1, 100]"),
        ("{kind: gap, at_hours: 1}", "t.yaml:7: shocks[0].change: is missing"),
        ("{kind: drift, at_hours: 1, per_day: 0.1, hour: 2, hours: 1}", "t.yaml:7: shocks[0].hour: is not a key here; did you mean hours?"),
        ("{kind: depeg, asset: C, at_hours: 1, level_usd: 1}", "t.yaml:7: shocks[0].asset: 'C' is no asset of prices.assets"),
        ("{per_year: 100000, change: 0.1, recovery_hours: 0}", "t.yaml:7: shocks[0].recovery_hours: 0 is not in [1e-12, 1e12]"),
    ],
)
def test_a_fault_of_a_shock_is_named_with_line_and_key(write, text, fault):
    found = faults_of(write(text))
    assert any(each.startswith(fault) for each in found), found


def test_more_random_shocks_than_a_path_can_hold_are_refused(write):
    path = write("{per_year: 100000, change: 0.1}")
    path.write_text(path.read_text().replace("days: 10", "days: 365"))
    assert faults_of(path) == ["t.yaml:7: shocks[0].per_year: makes about 100,000 shocks, more than 10,000"]


def test_random_shocks_come_as_often_as_they_should_and_elsewhere_on_each_path(write):
    path = write("{per_year: 73, change: 0.01}")
    counts = [len(drawn(path, number=number).events) for number in range(100)]
    assert abs(np.mean(counts) - 2.0) < 4 * np.sqrt(2.0 / 100)  # 73 a year are 2 in 10 days, a Poisson number
    assert len({drawn(path, number=number).events[0].at_s for number in range(5) if drawn(path, number=number).events}) > 1


def test_the_price_moves_with_every_random_shock(write):
    found = drawn(write("{asset: A, per_year: 365, change: 0.1}"))
    assert len(found.events) > 3
    assert found.paths.market_price[-1, 0] == pytest.approx(100 * 1.1 ** len(found.events))
    assert (found.paths.market_price[:, 1] == 1).all()


def test_a_shock_added_at_the_end_leaves_the_times_of_the_others_alone(write):
    one = drawn(write("{per_year: 365, change: 0.1}")).events
    two = drawn(write("{per_year: 365, change: 0.1}", "{kind: drift, per_year: 365, per_day: 0.1, hours: 1}")).events
    assert two[: len(one)] == one
    assert {event.at_s for event in two[len(one) :]}.isdisjoint(event.at_s for event in one)


def test_a_random_gap_after_the_last_open_is_not_seen_and_not_refused(write):
    prices = "prices: {model: simulated, days: 3, calendar: XNYS, assets: {A: {start_usd: 100, volatility_per_year: 0}}}"
    head = HEAD.replace(HEAD.splitlines()[3], prices)
    path = write("{kind: gap, per_year: 3650, change: 0.1}", head=head)
    last_open_s = (2 * 24 + 14.5) * 3_600
    found = drawn(path)
    assert found.events
    assert all(event.at_s <= last_open_s for event in found.events)
    assert found.paths.market_price[-1, 0] == pytest.approx(100 * 1.1 ** len(found.events))


def test_a_stated_gap_after_the_last_open_is_refused(write):
    prices = "prices: {model: simulated, days: 3, calendar: XNYS, assets: {A: {start_usd: 100, volatility_per_year: 0}}}"
    path = write("{kind: gap, at_hours: 70, change: 0.1}", head=HEAD.replace(HEAD.splitlines()[3], prices))
    with pytest.raises(ScenarioError, match="waits for an open, and no session begins after it"):
        drawn(path)


@pytest.mark.parametrize(
    ("event", "short", "long"),
    [
        (Change("A", 3_600.0, -0.1), "-10%", "A falls by 10%, 1 h after the start."),
        (Gap("A", 3_600.0, 0.1), "gap +10%", "A rises by 10% at the next open, 1 h after the start."),
        (Drift("A", 3_600.0, 0.02, 7_200.0), "+2% a day", "A rises by 2% a day for 2 h, 1 h after the start."),
        (VolatilityBurst("A", 3_600.0, 3.0, 60.0), "volatility x 3", "A is 3 times as volatile for 1 min, 1 h after the start."),
        (Depeg("A", 3_600.0, 0.9), "to 0.90 USD", "A goes to 0.90 USD, 1 h after the start."),
    ],
)
def test_a_shock_is_told_in_words(event, short, long):
    shock = {"asset": event.asset, "at_s": event.at_s, **described(event)}
    assert (label(shock), sentence(shock)) == (short, long)


def test_a_shock_of_an_older_run_is_a_change():
    assert label({"asset": "A", "at_s": 0.0, "change": 0.25}) == "+25%"
