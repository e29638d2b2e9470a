"""RFQ routing against pools and auctions: differences are paired, intervals Student's, and what is printed and drawn says so."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from markets import SHIPPED, STORM, command_line
from rich.console import Console
from scipy import stats
from typer.testing import CliRunner

from seawall.agents.avmm import Mechanism
from seawall.protocols.errors import ConservationError, ScenarioError
from seawall.reports.mechanisms import chart, print_comparison, write_comparison
from seawall.scenarios.build import build, build_model
from seawall.scenarios.load import load
from seawall.studies import mechanisms as study
from seawall.studies.mechanisms import (
    FIGURES,
    MECHANISMS,
    Comparison,
    MechanismsFailed,
    compare_mechanisms,
    interval,
    judge,
    summarise,
)

FEW = ("prices.days=0.05", "avmm.traders.count=40", *(f"avmm.lps.{kind}.count=2" for kind in ("static", "undercutting", "inventory")))


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """The shipped day, its fall in the first hour."""
    text, found = re.subn(r"at_hours: \d+", "at_hours: 0.5", (SHIPPED / "rfq_day.yaml").read_text())
    assert found == 1
    path = tmp_path_factory.mktemp("scenario") / "day.yaml"
    path.write_text(re.sub(r"ramp_hours: \d+", "ramp_hours: 0.2", text))
    return path


@pytest.fixture(scope="module")
def comparison(scenario):
    return compare_mechanisms(scenario, paths=3, settings=FEW)


def a_comparison(**columns):
    """Two paths with the same figures everywhere but in these columns, which are by mechanism and path."""
    keys = [(path, mechanism) for path in (0, 1) for mechanism in MECHANISMS]
    rows = [{"path": path, "mechanism": key, **dict.fromkeys(FIGURES, 0.5)} for path, key in keys]
    for row in rows:
        row |= {name: values[row["mechanism"]][row["path"]] for name, values in columns.items() if row["mechanism"] in values}
    frame = pd.DataFrame(rows)
    return Comparison(frame, summarise(frame), "Day", 7)


def row_of(table, mechanism, figure="avmm_execution_cost"):
    return table[(table["mechanism"] == mechanism) & (table["figure"] == figure)].iloc[0]


# --- figures ---


def test_every_mechanism_of_the_market_is_compared():
    assert list(MECHANISMS) == [mechanism.name.lower() for mechanism in Mechanism]


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.1, 0.4, 0.2, 0.9], [3.0, np.nan, 5.0, np.inf, 4.0]])
def test_an_interval_is_students_of_what_is_known(values):
    known = np.array([value for value in values if math.isfinite(value)])
    mean, low, high, count = interval(np.array(values))
    expected = stats.t.interval(0.95, len(known) - 1, loc=known.mean(), scale=stats.sem(known))
    assert (mean, low, high) == pytest.approx((known.mean(), *expected), rel=1e-12)
    assert count == len(known)


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, 1.0]])
def test_fewer_than_two_values_have_no_interval(values):
    *numbers, count = interval(np.array(values))
    assert (np.isnan(numbers).all(), count) == (True, int(1.0 in values))


def test_differences_are_paired():
    """RFQ costs 1 and 9, the pool 2 more on each path: 2 with no uncertainty, though the means' own intervals are wide."""
    table = a_comparison(avmm_execution_cost={"rfq": (1.0, 9.0), "constant_product": (3.0, 11.0)}).table
    pool = row_of(table, "constant_product")
    assert (pool["difference"], pool["difference_low"], pool["difference_high"]) == (2, 2, 2)
    assert (pool["mean"], pool["low"] < 0.0) == (7, True)


def test_a_figure_that_some_path_lacks_is_compared_on_the_others():
    table = a_comparison(avmm_stale_loss_usd={"constant_product": (math.nan, math.nan), "rfq": (4.0, 6.0)}).table
    assert row_of(table, "constant_product", "avmm_stale_loss_usd")["paths"] == 0
    assert np.isnan(row_of(table, "constant_product", "avmm_stale_loss_usd")["difference"])
    assert row_of(table, "rfq", "avmm_stale_loss_usd")["mean"] == 5


# --- runs ---


def test_each_path_is_the_scenario_with_another_mechanism(scenario, comparison):
    """Recomputed without the study, from a scenario loaded anew for one path and mechanism."""
    for path, mechanism in ((0, "rfq"), (2, "constant_product"), (1, "sealed_bid")):
        figures = build(load(scenario, [*FEW, f"avmm.mechanism={mechanism}"]), path=path).run().summary()["avmm"]
        found = comparison.paths.set_index(["path", "mechanism"]).loc[(path, mechanism)]
        expected = [math.nan if figures[name].value is None else figures[name].value for name in FIGURES]
        assert found[list(FIGURES)].tolist() == pytest.approx(expected, rel=0, abs=0, nan_ok=True)


def test_the_table_is_the_paths_summed_up(comparison):
    wide = comparison.paths.pivot(index="path", columns="mechanism", values="avmm_lp_net_yield_per_year")
    gaps = wide["dutch_auction"] - wide["rfq"]
    low, high = stats.t.interval(0.95, 2, loc=gaps.mean(), scale=stats.sem(gaps))
    row = row_of(comparison.table, "dutch_auction", "avmm_lp_net_yield_per_year")
    assert (row["difference"], row["difference_low"], row["difference_high"]) == pytest.approx((gaps.mean(), low, high))
    assert len(comparison.table) == len(MECHANISMS) * len(FIGURES)


def test_all_mechanisms_had_something_to_do(comparison):
    by_mechanism = comparison.paths.groupby("mechanism")
    assert (by_mechanism["avmm_fill_rate"].min() > 0.0).all()
    assert by_mechanism["avmm_execution_cost"].nunique().min() == 3


def test_one_seed_makes_one_table_and_another_another(scenario, comparison):
    again = compare_mechanisms(scenario, paths=3, settings=FEW)
    pd.testing.assert_frame_equal(again.table, comparison.table, check_exact=True)
    other = compare_mechanisms(scenario, paths=2, seed=comparison.seed + 1, settings=FEW)
    assert (other.seed, other.table["mean"].equals(comparison.table["mean"])) == (comparison.seed + 1, False)


def test_progress_counts_paths(scenario):
    told = []
    compare_mechanisms(scenario, paths=2, settings=FEW, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


def test_whole_paths_are_kept_when_somebody_stops_it(scenario):
    def stop(done, _):
        if done == 2:
            raise KeyboardInterrupt

    found = compare_mechanisms(scenario, paths=5, settings=FEW, progress=stop)
    assert found.paths.groupby("mechanism")["path"].nunique().tolist() == [2] * 4


def test_one_path_is_not_enough_to_be_kept(scenario):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_mechanisms(scenario, paths=5, settings=FEW, progress=stop)


@pytest.fixture
def frail(monkeypatch):
    """Markets with sealed bids lose money on path 1."""

    def build_frail(loaded, prices, seed, path):
        if path == 1 and loaded.scenario.avmm.mechanism == "sealed_bid":
            raise ConservationError("money vanished")
        return build_model(loaded, prices, seed, path)

    monkeypatch.setattr(study, "build_model", build_frail)


def test_a_path_that_fails_with_one_mechanism_is_left_out_with_all(scenario, comparison, frail):
    found = compare_mechanisms(scenario, paths=3, settings=FEW)
    whole = comparison.paths[comparison.paths["path"] != 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.paths, whole, check_exact=True)
    assert set(found.table["paths"]) <= {0, 2}
    said = found.failed.iloc[0].to_dict()
    command = said.pop("command")
    assert said == {"path": 1, "mechanism": "sealed_bid", "type": "ConservationError", "error": "money vanished"}
    assert command.endswith("--set avmm.mechanism=sealed_bid --path 1")


def test_failed_paths_are_counted_listed_and_too_many_are_refused(scenario, frail, tmp_path):
    found = compare_mechanisms(scenario, paths=3, settings=FEW)
    write_comparison(found, tmp_path)
    assert pd.read_parquet(tmp_path / "mechanism_failures.parquet")["path"].tolist() == [1]
    text = printed(found, tmp_path)
    assert "2 paths with each mechanism, 1 left out that failed" in text
    assert "Failed  path 1 with sealed-bid auctions: ConservationError: money vanished" in text
    assert "1 paths that failed are left out" in chart(found).note
    judge(found, max_failed_share=0.34)
    with pytest.raises(MechanismsFailed, match=r"1 of 3 paths failed, more than 1\.0%; the first is path 1 with sealed-bid auctions"):
        judge(found)


def test_where_every_path_fails_nothing_is_computed_and_all_is_listed(scenario, monkeypatch, tmp_path):
    def refuse(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(study, "price_paths", refuse)
    found = compare_mechanisms(scenario, paths=2, settings=FEW)
    write_comparison(found, tmp_path)
    assert (len(found.failed), found.table["mean"].notna().sum()) == (2, 0)
    with pytest.raises(MechanismsFailed, match="2 of 2 paths failed"):
        judge(found)


REPLAY = """prices:
  model: replay
  file: ../two.csv
  assets: {ETH: eth, BTC: btc}
  bar_stamp: end
  bar_seconds: 60

oracle_feeders"""


def test_a_file_outside_of_the_folder_is_read_only_if_allowed(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    times = pd.date_range("2024-03-04T00:01:00Z", periods=61, freq="min").strftime("%Y-%m-%dT%H:%M:%SZ")
    pd.DataFrame({"timestamp": times, "eth": 3_000.0, "btc": 60_000.0}).to_csv(tmp_path / "two.csv", index=False)
    text, found = re.subn(r"prices:.*?oracle_feeders", REPLAY, (SHIPPED / "rfq_day.yaml").read_text(), flags=re.DOTALL)
    assert found == 1
    (inner / "day.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="--allow-outside"):
        compare_mechanisms(inner / "day.yaml", paths=2, settings=FEW[1:])
    assert compare_mechanisms(inner / "day.yaml", paths=2, settings=FEW[1:], allow_outside=True).paths["path"].nunique() == 2


def test_a_scenario_without_an_rfq_market_is_refused():
    with pytest.raises(ScenarioError, match=r"storm\.yaml: avmm: is missing"):
        compare_mechanisms(STORM, paths=2)


def test_one_path_has_no_interval_and_is_refused(scenario):
    with pytest.raises(ValueError, match="at least 2 paths, not 1"):
        compare_mechanisms(scenario, paths=1, settings=FEW)


# --- what is shown ---


def printed(comparison, tmp_path):
    console = Console(width=80)
    with console.capture() as capture:
        print_comparison(comparison, console, tmp_path)
    return capture.get()


def test_a_difference_that_is_clear_is_starred(tmp_path):
    costs = {"rfq": (0.01, 0.09), "constant_product": (0.03, 0.11), "dutch_auction": (0.09, 0.01)}
    text = printed(a_comparison(avmm_execution_cost=costs), tmp_path)
    lines = {name: next(line for line in text.splitlines() if name in line) for name in MECHANISMS.values()}
    assert "2% *" in lines["constant-product pools"]
    assert "*" not in lines["RFQ routing"] + lines["Dutch auctions"] + lines["sealed-bid auctions"]
    assert "seed 7" in text
    assert "2 paths" in text


def test_what_is_printed_fits_a_narrow_terminal(comparison, tmp_path):
    text = printed(comparison, tmp_path)
    assert "…" not in text
    assert len(text.splitlines()) == 4 + len(FIGURES) * (1 + len(MECHANISMS))


def test_what_is_not_known_is_said_once(tmp_path):
    lost = {"constant_product": (math.nan, math.nan)}
    text = printed(a_comparison(avmm_stale_loss_usd=lost), tmp_path)
    assert text.count("not computed") == 1
    assert "nan" not in text


def test_the_chart_has_a_panel_for_each_figure_and_a_point_for_each_mechanism(comparison):
    drawn = chart(comparison)
    panels = drawn.figure.axes
    assert len(panels) == len(FIGURES)
    assert [label.get_text() for label in panels[0].get_yticklabels()] == list(MECHANISMS.values())
    points = [sum(line.get_marker() == "o" for line in ax.lines) for ax in panels]
    assert points == [3 if name == "avmm_stale_loss_usd" else 4 for name in FIGURES]
    assert [text.get_text() for ax in panels for text in ax.texts] == ["not computed"]


def test_the_charts_title_names_what_a_trader_pays(comparison):
    drawn = chart(comparison)
    assert drawn.title.startswith("A trader's cost: RFQ routing ")
    assert all(name in drawn.alt for name in MECHANISMS.values())
    assert "nan" not in drawn.title + drawn.alt


def test_points_of_the_chart_are_the_means(comparison):
    ax = chart(comparison).figure.axes[0]
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    means = [100 * row_of(comparison.table, mechanism)["mean"] for mechanism in MECHANISMS]
    assert points == pytest.approx(means)


def test_four_files_are_written(comparison, tmp_path):
    write_comparison(comparison, tmp_path / "new")
    files = ["mechanism_failures.parquet", "mechanism_paths.parquet", "mechanisms.parquet", "mechanisms.svg"]
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == files
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "new" / "mechanisms.parquet"), comparison.table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "new" / "mechanism_paths.parquet"), comparison.paths)


# --- the command ---


def command(*arguments):
    return CliRunner().invoke(command_line(), ["mechanisms", *map(str, arguments)])


def test_the_command_compares_and_says_where_its_files_are(scenario, tmp_path):
    done = command(scenario, "--paths", 2, "--seed", 3, "--out", tmp_path, *(part for key in FEW for part in ("--set", key)))
    assert done.exit_code == 0, done.output
    assert {file.name for file in (tmp_path / "day-mechanisms-3").iterdir()} >= {"mechanisms.svg", "mechanisms.parquet"}
    assert "constant-product pools" in done.stdout
    assert str(tmp_path / "day-mechanisms-3") in done.stdout


def test_the_command_fails_where_too_many_paths_do_after_writing_everything(scenario, frail, tmp_path):
    done = command(scenario, "--paths", 3, "--seed", 3, "--out", tmp_path, *(part for key in FEW for part in ("--set", key)))
    assert done.exit_code == 2
    assert "1 of 3 paths failed" in done.output
    assert len(list((tmp_path / "day-mechanisms-3").iterdir())) == 4


def test_the_command_refuses_in_words():
    refused = command(STORM)
    assert refused.exit_code == 2
    assert "avmm: is missing" in refused.output
    assert "Traceback" not in refused.output
