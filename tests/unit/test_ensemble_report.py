"""The page, the terminal screen and the risk of an ensemble that was made up, not played."""

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ensembles import FAILED, HORIZON_S, ensemble, outcome
from markets import storm
from matplotlib.collections import QuadMesh
from rich.console import Console

from seawall.reports.ensemble import cards, render, write_ensemble_report
from seawall.reports.ensemble_cascades import cascade_charts
from seawall.reports.ensemble_fans import fan_charts
from seawall.reports.ensemble_figures import ensemble_charts
from seawall.reports.ensemble_ratios import heat_map, ratio_charts
from seawall.reports.ensemble_tables import headline, worst
from seawall.reports.ensemble_terminal import LINES, WIDTH, print_ensemble
from seawall.reports.ensemble_words import answer, effort, interval, said, stopping
from seawall.reports.words import percent
from seawall.studies.chunks import Chunk, write_chunk
from seawall.studies.ensemble_risk import curve_of, ensemble_risk
from seawall.studies.estimate import Estimate
from seawall.studies.one_path import RATIOS, Outcome
from seawall.studies.ratio_shares import BINS, ratio_shares
from seawall.studies.units import unit_of, with_units

RULE = {"rule": "cvar99(bad_debt) +- 5%", "is_met": False, "paths": 150, "value": 10.0, "low": 8.0, "high": None}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return ensemble(tmp_path_factory.mktemp("storm"), stopping=RULE, asked=500)


@pytest.fixture(scope="module")
def risk(found):
    return ensemble_risk(found)


@pytest.fixture(scope="module")
def page(found):
    return write_ensemble_report(found).read_text(encoding="utf-8")


def screen(found, risk):
    console = Console(width=WIDTH, file=io.StringIO())
    print_ensemble(found, console, risk)
    return console.file.getvalue()


def nobody_loses(figures, _path):
    figures.update({"bad_debt_usd": 0.0, "shortfall_peak_usd": 0.0, "time_to_insolvency_s": np.nan})


def test_failed_paths_are_in_no_figure(found, risk):
    assert FAILED not in set(risk.played["path"])
    assert {one.paths + one.missing for one in risk.means.values()} == {found.paths - 1}


def test_liquidation_efficiency_divides_sums(found, risk):
    sums = found.sums().query("not failed")
    expected = sums["instant_usd"].sum() / sums["called_usd"].sum()
    assert risk.figures["liquidation_efficiency", "ratio"].value == pytest.approx(expected)


def test_worst_paths_are_ordered_by_bad_debt_first(risk):
    losses = risk.worst(10)["bad_debt_usd"]
    assert losses.is_monotonic_decreasing
    assert losses.iloc[0] == risk.played["bad_debt_usd"].max()


def test_where_bad_debt_is_equal_the_shortfall_decides(tmp_path):
    risk = ensemble_risk(ensemble(tmp_path, paths=50, change=lambda figures, _: figures.update(bad_debt_usd=0.0)))
    assert risk.worst(50)["shortfall_peak_usd"].is_monotonic_decreasing


def test_exceedance_starts_at_the_share_with_a_loss_and_ends_at_none():
    curve = curve_of(np.array([0.0, 0.0, 1.0, 2.0, np.nan]), np.zeros(5))
    assert [chance.value for chance in curve.chances] == [0.5, 0.25, 0.0]


def test_exceedance_takes_weights():
    curve = curve_of(np.array([0.0, 1.0]), np.log([3.0, 1.0]))
    assert curve.chances[0].value == pytest.approx(0.25)


def test_survival_is_watched_to_the_horizon(risk):
    assert risk.horizon_s == HORIZON_S
    assert risk.survival.at(HORIZON_S).value == pytest.approx(1.0 - risk.figures["insolvency", "probability"].value)


def test_the_waterfall_counts_a_profit_as_a_negative_loss(risk):
    assert risk.waterfall["liquidators_profit_usd"].value == pytest.approx(-risk.means["liquidators_profit_usd"].value)


def test_every_number_of_the_answer_has_an_interval_or_none_exists(found, risk):
    words = " ".join(answer(found, risk))
    assert "1 of 200 paths failed and is in none of these figures." in words
    assert said(risk.figures["bad_debt_usd", "cvar95"], "USD") in words


def test_no_loss_is_said_in_words(tmp_path):
    found = ensemble(tmp_path, paths=50, change=nobody_loses)
    assert "Bad debt is 0 on all 49 paths." in answer(found, ensemble_risk(found))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1.0, 2.0, "1 to 2 USD"),
        (1.0, None, "1 to unknown (too few)"),
        (None, None, "no interval: too few"),
    ],
)
def test_intervals_in_words(low, high, words):
    assert interval(Estimate(1.5, low, high, 9, "", "too few"), "USD") == words


def test_a_value_that_is_not_there_says_why():
    assert interval(Estimate(None, None, None, 0, "", "no path has a value"), "USD") == "no path has a value"


def test_the_stopping_rule_says_how_it_stands(found):
    assert stopping(found) == ["Stopping rule cvar99(bad_debt) +- 5%: not met after 150 paths, at 10 USD (8 USD to unknown)."]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("p(bad_debt > 0) +- 0.01", "at 10% (8% to 12%)"),
        ("mean(lp_net_yield_per_year) +- 1%", "at 10% per year (8% per year to 12% per year)"),
        ("q95(time_to_insolvency) +- 60", "at 0.1 s (0.08 s to 0.12 s)"),
        ("mean(liquidations) +- 1", "at 0.1 (0.08 to 0.12)"),
    ],
)
def test_the_figure_of_a_stopping_rule_stands_in_its_unit(found, rule, said):
    rule = {"rule": rule, "is_met": True, "paths": 100, "value": 0.1, "low": 0.08, "high": 0.12}
    manifest = found.manifest | {"stopping": rule}
    assert stopping(replace(found, manifest=manifest)) == [f"Stopping rule {rule['rule']}: met after 100 paths, {said}."]


def test_the_screen_fits(found, risk):
    lines = [line.rstrip() for line in screen(found, risk).splitlines()]
    assert len(lines) <= LINES
    assert [line for line in lines if len(line) > WIDTH and not line.startswith(("Replay", "Report"))] == []


def test_the_screen_names_the_worst_paths_and_how_to_replay_them(found, risk):
    first = int(risk.worst(1)["path"].iloc[0])
    assert f"python run.py run {found.manifest['scenario_file']} --seed 11 --path {first}" in screen(found, risk)


def test_the_screen_says_asked_run_and_failed(found, risk):
    assert "500 paths asked for, 200 run, 1 failed" in screen(found, risk)


def test_the_page_escapes_what_paths_say(page):
    assert "<b>money vanished" not in page
    assert "&lt;b&gt;money vanished" in page


def test_the_page_needs_nothing_else(page):
    assert re.findall(r"<script|<link|@import|https?://(?!www\.w3\.org)", page) == []


def test_links_of_the_page_lead_somewhere(page):
    assert set(re.findall(r'href="#([^"]+)"', page)) - set(re.findall(r'id="([^"]+)"', page)) == set()


def test_ids_of_the_page_are_unique(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_has_a_command_for_each_of_the_ten_worst_paths(found, risk, page):
    assert len(worst(found, risk).rows) == 10
    assert all(f"--path {path}<" in page for path in risk.worst(10)["path"])


def test_equal_ensembles_give_equal_pages(found, page):
    assert write_ensemble_report(found).read_text(encoding="utf-8") == page


def test_every_chart_has_words_for_those_who_do_not_see_it(found, risk):
    charts = ensemble_charts(found, risk)
    assert len({chart.name for chart in charts}) == len(charts)
    assert [chart.name for chart in charts if len(chart.alt) < 40 or "nan" in chart.alt + chart.title + chart.note] == []


def test_fans_mark_shocks_outages_and_closed_hours(found):
    prices = fan_charts(found)[0]
    labels = {text.get_text() for text in prices.figure.axes[0].texts}
    legend = {text.get_text() for text in prices.figure.legends[0].get_texts()}
    assert "+60%" in labels
    assert {"market closed", "oracle outage", "median", "mean"} <= legend


def test_without_any_loss_there_is_no_curve_of_it(tmp_path):
    found = ensemble(tmp_path, paths=50, change=nobody_loses)
    names = {chart.name for chart in ensemble_charts(found, ensemble_risk(found))}
    assert names & {"exceedance-bad-debt-usd", "survival", "losses-bad-debt-usd"} == set()


def test_a_loss_that_nobody_has_is_one_card(tmp_path):
    groups = dict(cards(ensemble_risk(ensemble(tmp_path, paths=50, change=nobody_loses))))
    assert [card.value for card in groups["Bad debt"]] == ["0 USD"]


def test_paths_without_a_figure_are_counted_beside_it(found, risk):
    row = next(row for row in headline(found, risk).rows if row[0] == "time to insolvency")
    lasting = int(risk.played["time_to_insolvency_s"].isna().sum())
    assert row[-1] == f"{199 - lasting} ({lasting} without)"


def test_shocks_at_random_times_are_not_marked_but_said(tmp_path):
    loaded = storm("shocks[0].at_hours=null", "shocks[0].per_year=300")
    chart = fan_charts(ensemble(tmp_path, paths=20, loaded=loaded))[0]
    assert "Shocks at random times differ from path to path" in chart.note
    assert "+60%" not in {text.get_text() for text in chart.figure.axes[0].texts}


def test_without_time_series_the_rest_of_the_page_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr("ensembles._series", lambda *_: {})
    found = ensemble(tmp_path, paths=30)
    page = render(found, ensemble_risk(found), [])
    assert "No path kept a time series" in page


def test_where_every_path_failed_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("ensembles.outcome", lambda _seed, path, _change: Outcome(path, error=("ValueError", "no")))
    found = ensemble(tmp_path, paths=5)
    page = write_ensemble_report(found).read_text(encoding="utf-8")
    assert "5 of 5 paths failed" in page
    assert "No path was played to its end" in page


def test_notebooks_show_the_summary_escaped(found):
    found.manifest["name"], kept = "<i>x</i>", found.manifest["name"]
    shown = found._repr_html_()
    found.manifest["name"] = kept
    assert "&lt;i&gt;x" in shown
    assert "bad_debt_usd" in shown


def test_frames_say_their_units(found):
    assert found.measures().attrs["units"]["time_to_insolvency_s"] == "seconds"
    assert found.bands().attrs["units"]["shortfall_usd"] == "USD"


@pytest.mark.parametrize(
    ("column", "unit"), [("time_s", "seconds"), ("siphoned_usd.dao", "USD"), ("tasset", ""), ("amm_premium", "fraction")]
)
def test_units_follow_names(column, unit):
    assert unit_of(column) == unit


def test_known_units_go_before_names():
    assert with_units(pd.DataFrame({"time_s": [1.0]}), {"time_s": "hours"}).attrs["units"] == {"time_s": "hours"}


# --- collateral ratios and cascades ---


def test_shares_by_ratio_are_of_the_cdps_of_all_paths_that_kept_them(found):
    """Recomputed from the outcomes themselves."""
    ratios = found.ratios()
    counts = sum(outcome(11, path).series[RATIOS].reshape(-1, BINS) for path in range(200) if path != FAILED)
    own = ratios[(ratios["time_s"] == HORIZON_S) & (ratios["tasset"] == "tB")]
    assert own["share"].to_numpy() == pytest.approx(counts[-1] / counts[-1].sum())
    assert ratios.groupby(["time_s", "tasset"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert set(ratios["paths"]) == {199}


def test_a_path_weighs_on_the_shares_as_on_everything_else(tmp_path):
    chunk = Chunk(tmp_path, 0, 2, "x")
    cdps = np.zeros((3, BINS))
    cdps[0, 5] = cdps[1, 7] = 10.0
    write_chunk(chunk, [Outcome(path, log_weight=np.log(path + 1.0), series={RATIOS: cdps[path]} if path < 2 else {}) for path in range(3)])
    found = ratio_shares([chunk], (np.zeros(1), ["tA"]), pd.Series(np.log([1.0, 2.0, 3.0])))
    assert found["share"][[5, 7]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert set(found["paths"]) == {2}


def test_the_heat_map_says_how_many_were_below_one(found):
    chart = heat_map(found, found.ratios())
    below = found.ratios().query("high <= 1").groupby(["tasset", "time_s"])["share"].sum()
    assert chart.title.startswith(f"Up to {percent(below.max())} of the CDPs of {below.idxmax()[0]} are below a collateral ratio of 1")
    assert [ax.get_title(loc="left") for ax in chart.figure.axes] == ["tA", "tB"]
    assert {"minimum ratio", "1: insolvent below", "oracle outage"} <= {text.get_text() for text in chart.figure.legends[0].get_texts()}
    assert "shares below 0.01% are not drawn" in chart.note


def test_nothing_is_drawn_of_a_tasset_after_its_delisting(found):
    found = replace(found, manifest=found.manifest | {"delistings": [{"tasset": "tA", "at_s": HORIZON_S / 2, "replacement": "tC"}]})
    meshes = [mesh for mesh in heat_map(found, found.ratios()).figure.axes[0].collections if isinstance(mesh, QuadMesh)]
    assert max(mesh.get_coordinates()[:, :, 0].max() for mesh in meshes) == HORIZON_S / 2 / 3600


def test_an_ensemble_without_ratios_has_no_heat_map(found, tmp_path):
    ratio_shares([], None, pd.Series([0.0])).to_parquet(tmp_path / "ratios.parquet")
    assert ratio_charts(replace(found, folder=tmp_path)) == []


def test_a_chart_of_cascades_has_a_panel_for_each_measure_and_the_mean_in_its_title(found, risk):
    (chart,) = cascade_charts(risk)
    assert chart.title.startswith(f"In the worst hour {said(risk.means['cascade_debt_share'], 'fraction')} of all debt is liquidated")
    drawn = [sum(patch.get_height() for patch in ax.patches) for ax in chart.figure.axes]
    quiet = (risk.played["cascade_debt_share"] == 0.0).mean()
    assert drawn == pytest.approx([1.0 - quiet, 1.0])
    assert "Paths on which nothing is liquidated are not drawn." in chart.note


def test_where_nothing_is_ever_liquidated_there_are_no_cascades(tmp_path):
    found = ensemble(tmp_path, paths=20, change=lambda figures, _: figures.update(cascade_debt_share=0.0, cascade_rounds=0.0))
    assert cascade_charts(ensemble_risk(found)) == []


@pytest.mark.parametrize(
    ("players", "workers", "said"),
    [
        ("threads", 1, "with 1 thread, 321 MB at most"),
        ("processes", 16, "with 16 processes, 321 MB at most in the process that asked"),
        ("tcp://h:8786", 2, "with 2 threads of tcp://h:8786, 321 MB at most in the process that asked"),
    ],
)
def test_who_played_and_whose_memory_it_was_is_said(found, players, workers, said):
    manifest = found.manifest | {"players": players, "workers": workers, "peak_memory_mb": 321.0}
    assert effort(replace(found, manifest=manifest)).endswith(said)
