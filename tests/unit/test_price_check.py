"""The check on the path generator: in the study, in the manifest, in words, in the chart."""

import json
from dataclasses import replace

import numpy as np
import pytest

from seawall.reports import price_check
from seawall.reports.fan import fan_chart
from seawall.reports.svg import draw
from seawall.scenarios.inputs import drawn_prices
from seawall.scenarios.load import load
from seawall.studies.price_check import LEVELS, PUSHED, RECORDED, as_entry, check_prices, check_rows

TEXT = """\
name: T
about: T.
seed: 3
prices:
  model: simulated
  days: 7
  correlation: 0.5
  sampling: plain
  assets:
    A: {start_usd: 100, volatility_per_year: 0.5}
    B: {process: merton, start_usd: 20, volatility_per_year: 0.4, jumps_per_year: 3000, jump_mean: 0, jump_deviation: 0.02}
tassets: {tA: {tracks: A, pool: {liquidity_usd: 1e4}}}
shocks:
  - {asset: A, at_hours: 50, change: -0.2}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("check") / "t.yaml"
    path.write_text(TEXT)
    return check_prices(load(path), paths=40)


def entry_of(rows, why=""):
    return as_entry(rows, why)


def test_a_generator_that_does_as_configured_is_told_so(found):
    said = price_check.verdict(**entry_of(found.rows, found.why))
    assert all(row.verdict != "differs" for row in found.rows)
    assert said[0].startswith("All 13 moments that could be judged are as configured")


def test_a_generator_that_does_otherwise_is_told_so_in_words(scenario):
    """Paths of one volatility, checked against another one."""
    made = [drawn_prices(load(scenario), 3, path) for path in range(4)]
    wrong = load(scenario, ["prices.assets.A.volatility_per_year=0.6"])
    told = [replace(each, simulated=replace(each.simulated, processes=drawn_prices(wrong, 3, 0).simulated.processes)) for each in made]
    rows, why = check_rows(wrong, told)
    said = price_check.verdict(**entry_of(rows, why))
    assert said[0].startswith("A differs: volatility, per year: 0.5")
    assert "where 0.6 is configured" in said[0]
    assert said[1].startswith("The generator differs from its configuration")
    assert any("differs" in cell for row in price_check.table(entry_of(rows)["rows"]).rows for cell in row)


def test_every_moment_stands_beside_what_was_configured(found):
    table = price_check.table(entry_of(found.rows)["rows"])
    assert [row[:2] for row in table.rows] == [("A", "configured"), ("A", "realised"), ("B", "configured"), ("B", "realised")]
    assert len(table.headings) == 8
    assert table.rows[0][3] == "0.5"


def test_the_long_table_has_a_line_a_moment_and_names_each_asset_once(found):
    lines = price_check.long_table(entry_of(found.rows)["rows"]).rows
    assert len(lines) == 13
    assert [line[0] for line in lines if line[0]] == ["A", "B", "A, B"]


def test_quantiles_are_those_of_the_paths_with_shocks(found, scenario):
    ends = np.array([drawn_prices(load(scenario), 3, path).paths.market_price[-1] for path in range(40)])
    np.testing.assert_array_equal(found.quantiles[:, -1], np.quantile(ends, LEVELS, axis=0))
    assert found.quantiles.shape == (5, 300, 2)
    assert found.at_s[[0, -1]].tolist() == [0.0, 7 * 86_400.0]


def test_pushed_paths_are_weighted_and_not_judged(scenario):
    push = "sampling: importance\n  importance: {asset: A, change: -0.2, hours: 160}"
    scenario.write_text(TEXT.replace("sampling: plain", push))
    pushed = check_prices(load(scenario), paths=60)
    assert (pushed.rows, pushed.why) == ([], PUSHED)
    assert pushed.effective_paths < 50
    lowest = min(drawn_prices(load(scenario), 3, path).paths.market_price[-1, 0] for path in range(60))
    assert pushed.quantiles[0, -1, 0] > lowest


def test_of_mirrored_paths_only_one_of_each_pair_is_judged(scenario):
    loaded = load(scenario, ["prices.sampling=antithetic"])
    drawn = [drawn_prices(loaded, 3, path) for path in range(4)]
    assert check_rows(loaded, drawn)[0] == check_rows(loaded, drawn[:3])[0]


def test_nothing_is_configured_beside_prices_that_stand_still(scenario):
    prices = TEXT[: TEXT.index("prices:")] + "prices: {model: constant, days: 1, assets: {A: {start_usd: 2}}}\n"
    scenario.write_text(prices + "tassets: {tA: {tracks: A, pool: {liquidity_usd: 1e4}}}\n")
    still = check_prices(load(scenario), paths=2)
    assert still.why == RECORDED
    assert all(row.verdict == "no closed form" for row in still.rows)
    assert price_check.verdict(**entry_of(still.rows, still.why)) == [RECORDED]


def test_rows_are_json_even_where_a_figure_is_not_finite(found):
    odd = replace(found.rows[0], z=float("inf"), p=0.0)
    assert json.loads(json.dumps(as_entry([odd], ""), allow_nan=False))["rows"][0]["z"] is None


@pytest.mark.parametrize("days", ["0.00625", "0.001388888888888889"])
def test_paths_of_a_few_steps_are_too_short_and_no_error(scenario, days):
    scenario.write_text(TEXT[: TEXT.index("shocks:")].replace("days: 7", f"days: {days}"))
    assert not [row for row in check_prices(load(scenario), paths=2).rows if row.verdict == "differs"]


def test_the_fan_chart_marks_shocks_and_tells_where_paths_end(found):
    chart = fan_chart(found)
    drawn = draw(chart)
    assert "-20%" in drawn
    low, high = found.quantiles[0, -1, 0], found.quantiles[-1, -1, 0]
    assert chart.title == f"A ends from {low:.2f} USD to {high:.2f} USD in 9 of 10 cases, from 40 paths"
    assert drawn == draw(fan_chart(found))


def test_no_paths_are_refused(scenario):
    with pytest.raises(ValueError, match=r"paths\(=0\) must be >= 1"):
        check_prices(load(scenario), paths=0)


def test_a_price_that_only_jumps_is_checked_too(scenario):
    still = ["prices.assets.B.volatility_per_year=1e-9", "prices.assets.A.volatility_per_year=0"]
    assert not [row for row in check_prices(load(scenario, still), paths=2).rows if row.verdict == "differs"]
