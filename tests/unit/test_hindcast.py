"""The hindcast scorecard: scores of known columns, realised files by bucket, and a run along a small synthetic episode."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markets import SHIPPED
from rich.console import Console

from seawall.protocols.errors import PriceFileError, ScenarioError
from seawall.reports.hindcast import print_hindcast, verdict, write_hindcast
from seawall.scenarios.load import load
from seawall.scenarios.paths import Paths
from seawall.studies import hindcast as study
from seawall.studies.hindcast import hindcast, moves, value_of
from seawall.studies.hindcast_run import Liquidated, long_share
from seawall.studies.hindcast_scores import DEFINITIONS, score, top_share
from seawall.studies.realised import RealisedColumns, read_realised, realised_usd
from seawall.studies.simulate import run as simulate

HINDCASTS = SHIPPED / "hindcasts"
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "crypto_ethusdt_perp_bbo_liquidations_1m_2021-01.csv"
START = datetime(2021, 1, 1, tzinfo=UTC)
HOURS, DRAWN = 96, np.random.default_rng(5)
VOLUME = np.exp(DRAWN.standard_normal(HOURS) * 1.5 + 10.0)
NOISE = np.exp(DRAWN.standard_normal(HOURS))


def scores_of(predicted, realised, price_range=NOISE):
    found = score(np.asarray(predicted, float), np.asarray(realised, float), np.asarray(price_range, float), bucket_hours=1.0)
    return {each.name: each for each in found}


# --- scores ---


def test_a_scaled_truth_is_perfect_in_everything_but_size():
    found = scores_of(VOLUME / 20.0, VOLUME)
    exact = {
        "rank_correlation": 1,
        "log_correlation": 1,
        "hit_rate": 1,
        "false_alarm_ratio": 0,
        "lag_hours": 0,
        "total_ratio": 0.05,
        "scale": 20,
    }
    exact |= {"out_of_sample_total_ratio": 1, "skill_over_constant": 1, "skill_over_range": 1}
    assert {name: found[name].value for name in exact} == pytest.approx(exact)
    assert found["top_tenth_share"].value == pytest.approx(found["best_top_tenth_share"].value)


def test_a_prediction_without_meaning_has_an_interval_around_zero():
    found = scores_of(NOISE, VOLUME)["rank_correlation"]
    assert found.low < 0.0 < found.high


def test_a_model_no_better_than_the_range_adds_nothing():
    assert scores_of(NOISE, VOLUME, NOISE)["rank_correlation_gain"].value == 0.0


@pytest.mark.parametrize("late", [3, -2])
def test_the_lag_is_positive_where_the_model_is_late(late):
    assert scores_of(np.roll(VOLUME, late), VOLUME)["lag_hours"].value == late


def test_the_scale_knows_nothing_of_the_second_half():
    doubled = np.concatenate([VOLUME[:48], 2.0 * VOLUME[48:]])
    found = scores_of(VOLUME, doubled)
    assert (found["scale"].value, found["out_of_sample_total_ratio"].value) == pytest.approx((1.0, 0.5))


def test_hours_that_are_not_known_are_left_out():
    gaps = np.where(np.arange(HOURS) % 10 == 0, np.nan, VOLUME)
    found = scores_of(VOLUME, gaps)["rank_correlation"]
    assert (found.value, found.buckets) == (pytest.approx(1.0), 86)


def test_where_the_model_liquidates_nothing_scores_say_why_they_are_missing():
    found = scores_of(np.zeros(HOURS), VOLUME)
    missing = {name: each.why for name, each in found.items() if each.value is None}
    assert missing["rank_correlation"] == "all buckets have the same value on one side"
    assert missing["scale"] == "nothing was predicted in the first half"
    assert (found["hit_rate"].value, found["total_ratio"].value) == (0.0, 0.0)


def test_too_few_hours_are_not_scored():
    found = scores_of([1.0] * 5, [2.0] * 5, [0.1] * 5)
    assert set(found) == set(DEFINITIONS)
    assert {each.value for each in found.values()} == {None}


def test_equal_values_at_the_cut_count_evenly():
    assert top_share(np.array([9.0, 1, 1, 1, 1]), np.array([4.0, 1, 2, 3, 6]), 0.4) == pytest.approx((4 + 12 / 4) / 16)


# --- what happened ---


def a_file(folder, rows):
    file = folder / "realised.csv"
    file.write_text("timestamp,long,short\n" + "".join(f"2021-01-01T{row}\n" for row in rows))
    return RealisedColumns(file, "long", "short")


def total_per_hour(source, hours=2):
    return usd_per_hour(source, hours)["total"]


def usd_per_hour(source, hours=2):
    paths = Paths(START, 60, ("ETH",), np.linspace(100.0, 100.0 + 60 * hours, 60 * hours + 1)[:, None], np.ones((60 * hours + 1, 1), bool))
    return realised_usd(source, paths, paths.market_price[:, 0], bucket_s=3600, count=hours)


@pytest.mark.parametrize(("stamp", "first", "second"), [("end", 160.0, 0.0), ("start", 0.0, 160.0)])
def test_what_is_stamped_on_the_hour_belongs_to_the_side_its_stamp_says(tmp_path, stamp, first, second):
    source = replace(a_file(tmp_path, ["00:30:00Z,0,0", "01:00:00Z,0.5,0.5", "01:30:00Z,0,0"]), stamp=stamp)
    assert total_per_hour(source).tolist() == [first, second]


def test_usd_are_taken_as_they_are(tmp_path):
    source = replace(a_file(tmp_path, ["00:30:00Z,7,5", "01:30:00Z,1,0"]), unit="usd")
    assert total_per_hour(source).tolist() == [12.0, 1.0]


def test_sides_and_losses_are_kept_apart_and_losses_are_always_usd(tmp_path):
    file = tmp_path / "realised.csv"
    file.write_text("timestamp,l,s,lost\n2021-01-01T00:01:00Z,2,1,30\n2021-01-01T01:01:00Z,0,1,4\n")
    found = usd_per_hour(RealisedColumns(file, "l", "s", "lost"))
    assert {name: usd.round(6).tolist() for name, usd in found.items()} == {
        "total": [303.0, 161.0],
        "long": [202.0, 0.0],
        "short": [101.0, 161.0],
        "loss": [30.0, 4.0],
    }


def test_an_hour_without_a_row_is_not_known(tmp_path):
    assert np.isnan(total_per_hour(a_file(tmp_path, ["00:30:00Z,1,0"]))).tolist() == [False, True]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["00:01:00Z,1,0", "00:01:00Z,1,0"], ":3: timestamp: '2021-01-01T00:01:00Z' is not after the row before"),
        (["00:01:00Z,-1,0"], ":2: long: '-1' is not a number >= 0"),
        (["00:01:00Z,1,"], ":2: short: '' is not a number >= 0"),
        (["00:01:00,1,0"], "has no time zone"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_column(tmp_path, rows, said):
    with pytest.raises(PriceFileError, match=re.escape(said)):
        read_realised(a_file(tmp_path, rows))


@pytest.mark.parametrize("change", [{"unit": "eth"}, {"stamp": "middle"}, {"short": "long"}, {"loss": "short"}])
def test_a_way_of_reading_that_makes_no_sense_is_refused(tmp_path, change):
    source = a_file(tmp_path, [])
    with pytest.raises(PriceFileError, match=next(iter(change))):
        replace(source, **change)


def test_a_file_of_another_time_is_refused(tmp_path):
    with pytest.raises(PriceFileError, match="no row lies in the 2 buckets"):
        usd_per_hour(a_file(tmp_path, ["03:00:00Z,1,0"]))


# --- a run ---


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    """Two days of a price that falls by a third in one hour of the second, and liquidations as the squares of its moves."""
    rng, minutes = np.random.default_rng(3), 2 * 1440 + 1
    moves = rng.standard_normal(minutes) * 1e-3
    moves[2000:2060] -= 0.4 / 60
    prices = 800.0 * np.exp(np.cumsum(moves))
    stamps = pd.date_range(START, periods=minutes, freq="min").strftime("%Y-%m-%dT%H:%M:%SZ")
    file = tmp_path_factory.mktemp("episode") / "episode.csv"
    sizes = {"usd": moves**2 * 1e9, "longs": np.minimum(moves, 0.0) ** 2 * 1e9, "shorts": np.maximum(moves, 0.0) ** 2 * 1e9}
    frame = pd.DataFrame({"timestamp": stamps, "bid_price": prices - 0.05, "ask_price": prices + 0.05, **sizes, "lost": 0.1 * sizes["usd"]})
    frame.to_csv(file, index=False)
    return file


def a_loaded(file, *settings):
    few = ("noise.count=20", "momentum.count=0", "reversion.count=0", "carry.count=0", "noise.orders_per_day=24")
    traders = (f"exchange.traders.{setting}" for setting in (*few, "noise.leverage=20", "noise.leverage_sigma=0"))
    return load(HINDCASTS / "january_2021.yaml", (f"prices.file={file}", "exchange.lps.count=4", *traders, *settings))


def columns_of(file):
    return RealisedColumns(file, "usd", unit="usd")


@pytest.fixture(scope="module")
def card(episode):
    return hindcast(a_loaded(episode), columns_of(episode), warmup_hours=12, runs=1)


def test_the_fall_is_the_worst_hour_of_model_and_reality(card):
    assert card.buckets["predicted_usd"].idxmax() in (33, 34)  # minutes 2,000 to 2,060
    assert card.buckets["realised_usd"].idxmax() in (33, 34)


def test_the_buckets_add_up_to_what_was_recorded(card, episode):
    assert card.buckets["realised_usd"].sum() == pytest.approx(pd.read_csv(episode)["usd"][1:].sum())


def test_the_warm_up_is_not_scored(card):
    assert (card.about["buckets_scored"], int(card.buckets["is_scored"].sum())) == (36, 36)
    assert {found.buckets for found in card.scores} == {36}


def test_the_files_hold_what_the_terminal_says(card, tmp_path):
    write_hindcast(card, tmp_path)
    entry = json.loads((tmp_path / "scorecard.json").read_text())
    console = Console(record=True, width=120)
    print_hindcast(card, console, tmp_path)
    shown = console.export_text()
    assert entry["verdict"] == verdict(card)
    assert entry["scores"]["rank_correlation"]["value"] == card["rank_correlation"]
    assert all(label in shown for label, _, _ in DEFINITIONS.values())
    assert len(pd.read_parquet(tmp_path / "hindcast.parquet")) == 48
    assert (tmp_path / "hindcast.svg").read_text().startswith("<?xml")


def steady(per_round):
    """A market on which the same is liquidated in every round."""
    return Liquidated(np.full(2 * 1440, per_round), np.full(2 * 1440, 2.0 * per_round), np.full(2 * 1440, 0.1), -5.0, 7.0)


def test_predictions_are_means_over_runs(episode, monkeypatch):
    """Runs that liquidate 60 and 180 USD of longs in every hour, and twice as much of shorts."""
    monkeypatch.setattr(study, "watch", lambda *_args: steady(1.0 + 2.0 * _args[-1]))
    found = hindcast(a_loaded(episode), RealisedColumns(episode, "longs", "shorts", "lost", unit="usd"), runs=2)
    sums = found.buckets[["predicted_usd", "predicted_long_usd", "predicted_short_usd", "predicted_loss_usd"]]
    assert sums.drop_duplicates().to_numpy().tolist() == [pytest.approx([360.0, 120.0, 240.0, 6.0])]
    assert (found.about["predicted_long_usd"], found.about["predicted_lp_liquidation_loss_usd"]) == (pytest.approx(120.0 * 48), -5.0)
    assert verdict(found)[0].startswith("Not scored: all buckets have the same value")


def test_a_price_file_that_changes_during_a_hindcast_is_named(episode, tmp_path, monkeypatch):
    file = tmp_path / "episode.csv"
    file.write_bytes(episode.read_bytes())

    def watch(*_):
        file.write_text(file.read_text().replace(",0.0", ",0.1", 1))
        return steady(1.0)

    monkeypatch.setattr(study, "watch", watch)
    with pytest.raises(PriceFileError, match=r"episode\.csv: has changed while it was read"):
        hindcast(a_loaded(file), columns_of(file), runs=1)


def test_rounds_that_do_not_divide_a_bucket_are_refused(episode):
    with pytest.raises(ScenarioError, match="step_seconds: is 420, which does not divide 3600, the seconds of a bucket"):
        hindcast(a_loaded(episode, "step_seconds=420", "record_minutes=7"), columns_of(episode), runs=1)


# --- sides ---


def test_a_fall_is_the_largest_from_any_price_to_a_later_one():
    found = moves(np.array([100.0, 120.0, 90.0, 95.0, 95.0, 80.0, 100.0, 99.0, 98.0]), 4, 2)
    assert np.exp(found["price_fall"]) == pytest.approx([120 / 90, 95 / 80])
    assert np.exp(found["price_rise"]) == pytest.approx([120 / 100, 100 / 80])
    assert np.exp(found["price_range"]) == pytest.approx([120 / 90, 100 / 80])


@pytest.mark.parametrize(
    ("before", "closed", "share"),
    [
        ((3.0, -1.0), (3.0, 1.0), 0.75),
        ((3.0, -2.0), (0.5, 1.5), 0.25),
        ((0.0,), (5.0,), 0.5),
        ((0.0, -4.0), (5.0, 4.0), 0.0),
        ((), (), 0.5),
    ],
)
def test_the_side_of_what_is_liquidated_is_that_of_the_position_before(before, closed, share):
    assert long_share(np.array(before), np.array(closed)) == share


@pytest.fixture(scope="module")
def two_sided(episode):
    return hindcast(a_loaded(episode), RealisedColumns(episode, "longs", "shorts", "lost", unit="usd"), warmup_hours=12, runs=1)


def test_the_fall_liquidates_longs(two_sided):
    hours = two_sided.buckets.loc[[33, 34]]
    assert hours["predicted_long_usd"].sum() > 0.0
    assert hours["predicted_short_usd"].sum() < 0.2 * hours["predicted_long_usd"].sum()


def test_both_sides_add_up_to_what_the_exchange_recorded(two_sided, episode):
    markets = simulate(a_loaded(episode), seed=2021).markets
    assert two_sided.buckets["predicted_usd"].sum() == pytest.approx(markets["liquidated_usd"].iloc[-1])
    apart = two_sided.buckets["predicted_long_usd"] + two_sided.buckets["predicted_short_usd"]
    assert apart.to_numpy() == pytest.approx(two_sided.buckets["predicted_usd"].to_numpy())


def test_what_is_lost_is_about_a_twentieth_of_what_is_liquidated_at_a_leverage_of_20(two_sided):
    """The margin put up at the start, less fees."""
    lost, liquidated = (two_sided.buckets[name].sum() for name in ("predicted_loss_usd", "predicted_usd"))
    assert 0.03 < lost / liquidated < 0.07


def test_sides_are_scored_each_against_its_own_move_of_the_price(two_sided):
    used = two_sided.buckets[two_sided.buckets["is_scored"]]
    assert list(two_sided.sides) == ["long", "short", "loss"]
    own = score(*(used[name].to_numpy() for name in ("predicted_long_usd", "realised_long_usd", "price_fall")), bucket_hours=1)
    assert two_sided.sides["long"] == own


def test_sides_are_written_and_printed(two_sided, tmp_path):
    write_hindcast(two_sided, tmp_path)
    entry = json.loads((tmp_path / "scorecard.json").read_text())
    assert entry["sides"]["short"]["total_ratio"]["value"] == value_of(two_sided.sides["short"], "total_ratio")
    console = Console(record=True, width=120)
    print_hindcast(two_sided, console, tmp_path)
    shown = console.export_text()
    assert all(word in shown for word in ("Longs", "Shorts", "Losses", "Losses in the model: ", "In reality: from lost."))


def test_a_file_with_one_column_has_no_sides(card):
    assert card.sides == {}
    assert card.about["realised_losses"].startswith("not scored")


@pytest.mark.parametrize(("scenario", "said"), [("short_squeeze", "prices.model: 'simulated'"), ("replay", "exchange: is missing")])
def test_a_scenario_of_another_kind_is_refused(scenario, said, episode):
    with pytest.raises(ScenarioError, match=said):
        hindcast(load(SHIPPED / f"{scenario}.yaml"), columns_of(episode))


def test_an_unknown_market_is_refused(episode):
    with pytest.raises(ScenarioError, match="have no 'BTC-PERP'; there are ETH-PERP"):
        hindcast(a_loaded(episode), columns_of(episode), market="BTC-PERP")


@pytest.mark.parametrize("name", ["january_2021", "black_thursday"])
def test_the_scenarios_that_ship_are_sound(name):
    found = load(HINDCASTS / f"{name}.yaml")
    assert (found.warnings, list(found.scenario.exchange.markets)) == ((), ["ETH-PERP"])


@pytest.mark.skipif(not REAL.exists(), reason="the real data are not part of the project")
def test_the_real_january_has_its_worst_hour_on_the_eleventh():
    source = RealisedColumns(REAL, "liq_long_eth", "liq_short_eth")
    times, amounts = read_realised(source)
    days = pd.Series(amounts["long"] + amounts["short"], index=pd.to_datetime(times, unit="us")).resample("D").sum()
    assert days.idxmax() == pd.Timestamp("2021-01-11")
    assert days.max() == pytest.approx(149_840 + 19_722, abs=2)
