"""The report of a run with an RFQ market: figures, tables and words, on hand-made records of three assets; and of the waterfall of all."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from avmm_markets import ETH, an_avmm
from exchanges import an_exchange
from rich.console import Console
from unit.test_exchange_reports import an_exchange_of_a_day
from unit.test_reports import a_run, cells, panel_labels, spans
from worlds import a_market

from seawall.agents.avmm import LpKind, Mechanism
from seawall.models import avmm_frames, avmm_measures, exchange_frames, exchange_measures, market_waterfall
from seawall.models.avmm_measures import AvmmNames
from seawall.reports import avmm, avmm_tables, html
from seawall.reports.figures import all_charts
from seawall.reports.glossary import GLOSSARY, define
from seawall.reports.market_waterfall import gains, waterfall_chart, waterfall_charts, waterfall_table
from seawall.reports.result import answer
from seawall.reports.terminal import print_summary
from seawall.reports.words import usd
from seawall.scenarios.load import load
from seawall.scenarios.price_schema import Outage
from seawall.studies.simulate import as_entries, struck, tracked
from seawall.studies.store import FRAMES, RunResult

DAY, RECORDS = 86_400.0, 25
NAMES = AvmmNames(("USDC", "WETH", "<b>tAAPL</b>"))
WATERFALL = {
    "gain_cdp_owners_usd": -224_213.4,
    "gain_liquidators_usd": 143_511.0,
    "gain_rfq_lps_usd": -76_025.0,
    "gain_informed_traders_usd": 166_326.0,
    "gain_protocol_usd": 8e-05,
    "unbacked_tokens_usd": 9_598.6,
    "emitted_usd": 0.0,
    "waterfall_gap_usd": 0.0,
}


def an_avmm_of_a_day(mechanism: Mechanism = Mechanism.RFQ):
    """WETH's oracle is 1% too high at noon, its LPs pay none of it at the end; 8,100 USD of fees, 12,300 USD of stale loss."""
    v = an_avmm(mechanism=mechanism, lps=(LpKind.STATIC, LpKind.UNDERCUTTING, LpKind.UNDERCUTTING))
    grown = np.linspace(0.0, 1.0, RECORDS)
    v.clock[0].now, v.terms[0].records = DAY, RECORDS
    rows = v.series[:RECORDS]
    rows["time"], rows["market_price"], rows["oracle_price"] = (grown * DAY)[:, None], [1.0, 2000.0, 250.0], [1.0, 2000.0, 250.0]
    rows["oracle_price"][:, ETH] *= 1.0 + 0.01 * (1.0 - np.abs(2.0 * grown - 1.0))
    rows["payable"], rows["lps"], rows["best_discount"] = [90_000.0, 40.0, 300.0], 2, 0.5
    rows["payable"][-1, ETH] = 0.0
    rows["fees_usd"], rows["stale_loss_usd"] = (8_100.0 * grown)[:, None], (12_300.0 * grown**2)[:, None]
    rows["ordered_usd"], rows["filled_usd"] = (1_000_000.0 * grown)[:, None], (940_000.0 * grown)[:, None]
    noise, informed = v.flows
    noise.orders, noise.filled, noise.ordered_usd, noise.filled_usd, noise.cost_usd = 500, 480, 800_000.0, 752_000.0, 2_331.2
    noise.waited_usd_seconds, informed.cost_usd = 752_000.0 * 90.0, -4_000.0
    lps = v.avmm_lps
    lps["settled_usd"], lps["fees_usd"], lps["fills"] = [200_000.0, 500_000.0, 500_000.0], [1_350.0, 3_375.0, 3_375.0], [100, 200, 180]
    lps["stale_loss_usd"] = [2_050.0, 5_125.0, 5_125.0]
    return v


def entries(figures: dict[str, float | None]) -> dict[str, dict[str, Any]]:
    return {name: {"value": value, "unit": "USD", "paths": 1} for name, value in figures.items()}


def a_run_with(v) -> RunResult:
    """A day of one tASSET beside the RFQ market, with a waterfall over both."""
    plain = a_run(["tAAPL"], days=1)
    summary = plain.summary | as_entries(avmm_measures.measure(v, NAMES), paths=1) | {"market_waterfall": entries(WATERFALL)}
    manifest = plain.manifest | {
        "shocks": [{"asset": "WETH", "at_s": 21_600.0, "change": -0.15}],
        "outages": [{"tasset": "WETH", "from_s": 43_200.0, "to_s": 54_000.0}],
    }
    frames = {"book": avmm_frames.book(v, NAMES), "rfq_lps": avmm_frames.lps(v), "rfq_flows": avmm_frames.flows(v)}
    return RunResult(**(vars(plain) | frames | {"summary": summary, "manifest": manifest}))


@pytest.fixture(scope="module")
def run() -> RunResult:
    return a_run_with(an_avmm_of_a_day())


@pytest.fixture(scope="module")
def alone(run) -> RunResult:
    """The same without a tASSET."""
    empty = {name: getattr(run, name).iloc[:0] for name in ("series", "ratios", "liquidations", "owners")}
    return replace(run, **empty, summary={"avmm": run.summary["avmm"]})


@pytest.fixture(scope="module")
def charts(run):
    return {chart.name: chart for chart in avmm.avmm_charts(run)}


@pytest.fixture(scope="module")
def page(run):
    return html.render(run, html.draw_all(run))


def with_value(run: RunResult, name: str, value: float | None) -> RunResult:
    changed = {**run.summary["avmm"], name: {**run.summary["avmm"][name], "value": value}}
    return replace(run, summary={**run.summary, "avmm": changed})


def printed(run: RunResult) -> list[str]:
    console = Console(width=80, file=io.StringIO())
    print_summary(run, console, Path("out"))
    return console.file.getvalue().splitlines()


# --- figures


def test_titles_say_what_was_found(charts):
    assert charts["avmm_book"].title == (
        "The book would pay at least 165,000 USD (1 d after the start); "
        "the oracle was at most 1% away from the market (WETH, 12 h after the start)"
    )
    assert charts["avmm_lps"].title == "RFQ LPs lost 4,200 USD on orders: 8,100 USD of fees less 12,300 USD to stale quotes"


def test_every_curve_is_there(charts):
    payable, deviation, orders = charts["avmm_book"].figure.axes
    assert [curve.get_label() for curve in payable.get_lines()[:3]] == list(NAMES.assets)
    assert max(deviation.get_lines()[1].get_ydata()) == pytest.approx(0.01)  # the first is zero
    assert [curve.get_ydata()[-1] for curve in orders.get_lines()[:2]] == [1_000_000.0, 940_000.0]
    assert [curve.get_ydata()[-1] for curve in charts["avmm_lps"].figure.axes[0].get_lines()[1:4]] == [8_100.0, -12_300.0, -4_200.0]


def test_shocks_and_outages_stand_behind_the_curves(charts):
    assert panel_labels(charts["avmm_book"]) == [["WETH -15%"]] * 3
    assert spans(charts["avmm_lps"].figure.axes[0], "oracle outage") == [(12.0, 15.0)]


def test_alternative_texts_hold_the_figures(charts):
    assert "WETH: payable between 0 USD and 80,800 USD, oracle up to 1% from the market." in charts["avmm_book"].alt
    assert "fees 8,100 USD, stale loss 12,300 USD, net -4,200 USD" in charts["avmm_lps"].alt


def test_records_in_which_nothing_is_payable_are_counted(run):
    stale = run.book.assign(payable_usd=run.book["payable_usd"].where(run.book["time_s"] < 0.8 * DAY, 0.0))
    title = avmm.book_and_prices(replace(run, book=stale)).title
    assert title.startswith("In 20% of the records the book would pay nothing;")


def test_an_oracle_at_the_markets_price_is_said_to_be(run):
    chart = avmm.book_and_prices(replace(run, book=run.book.assign(oracle_price=run.book["market_price"])))
    assert chart.title.endswith("at every record the oracle had the market's price")
    assert panel_labels(chart)[1] == ["the market's price at every record", "WETH -15%"]


def test_an_oracle_without_a_price_is_said_to_have_none(run):
    chart = avmm.book_and_prices(replace(run, book=run.book.assign(oracle_price=np.nan)))
    assert chart.title.endswith("the oracle never gave a price")
    assert "nan" not in chart.alt


def test_more_assets_than_colours_are_named_as_left_out(run):
    many = pd.concat([run.book.assign(asset=f"a{i}") for i in range(8)], ignore_index=True)
    assert avmm.book_and_prices(replace(run, book=many)).note.startswith("Shown are the first 6 of 8 assets.")


def test_a_gain_on_prices_is_no_stale_loss(run):
    solvers = replace(run, book=run.book.assign(fees_usd=0.0, stale_loss_usd=-1_727.0))
    assert avmm.lp_income(solvers).title == "RFQ LPs earned 1,727 USD on orders"


def test_mechanisms_without_a_book_have_no_panel_of_it():
    pooled = a_run_with(an_avmm_of_a_day(Mechanism.CONSTANT_PRODUCT))
    (chart,) = avmm.avmm_charts(pooled)  # nor is a stale loss known
    assert [ax.get_ylabel() for ax in chart.figure.axes] == ["oracle less market\n(fraction)", "traders' orders\n(cumulative USD)"]
    assert chart.title.startswith("The oracle was at most 1% away")


# --- the waterfall over all protocols


def test_bars_of_the_waterfall_are_gains_by_size(run):
    (ax,) = waterfall_chart(run).figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["informed traders", "liquidators", "protocol", "RFQ LPs", "CDP owners"]
    assert [text.get_text() for text in ax.texts] == ["166,326", "143,511", "0", "-76,025", "-224,213"]
    assert [bar.get_width() > 0 for bar in ax.patches] == [True, True, False, False, False]


def test_labels_of_bars_stay_inside_the_figure(run):
    chart = waterfall_chart(run)
    chart.figure.canvas.draw()
    (ax,) = chart.figure.axes
    inside = ax.get_window_extent()
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in (text.get_window_extent() for text in ax.texts))


def test_the_waterfall_says_who_gained_and_who_lost(run):
    chart = waterfall_chart(run)
    assert chart.title == "Informed traders gained most, 166,326 USD; CDP owners lost most, 224,213 USD"
    assert chart.note.endswith("Not a transfer between them: unbacked tokens 9,599 USD.")


def test_a_waterfall_without_gains_is_drawn(run):
    calm = replace(run, summary={"market_waterfall": entries({"gain_rfq_lps_usd": 0.0, "gain_protocol_usd": -1e-6})})
    assert waterfall_chart(calm).title == "Nobody gained or lost anything"
    assert panel_labels(waterfall_chart(calm)) == [["0", "0", "no gains, no losses"]]


def test_the_waterfall_is_a_table_with_its_check_last(run):
    rows = waterfall_table(run).rows
    assert rows[0] == ("informed traders", "166,326 USD")
    assert rows[-3:] == [("unbacked tokens", "9,599 USD"), ("new tEXO", "0 USD"), ("check: all protocols", "0 USD")]


# --- tables


def test_tables_in_words(run):
    tables = {table.headings[0]: table.rows for table in avmm_tables.all_tables(run)}
    static = ("set their ranges once", "1", "100,000", "200,000", "16.7%", "1,350", "2,050", "0", "0%", "100", "0")
    assert tables["What they do"][0] == static
    noise = ("know no more than the oracle", "500", "480", "800,000", "752,000", "94%", "2,331", "0.31%", "1 min 30 s")
    assert tables["Traders who"][0] == noise
    assert ("WETH", "0 USD") in tables["Asset"]


def test_what_is_not_known_of_lps_in_pools_is_a_dash():
    (row, _) = avmm_tables.lps(a_run_with(an_avmm_of_a_day(Mechanism.CONSTANT_PRODUCT))).rows
    assert (row[3], row[5], row[6]) == ("-", "-", "-")


# --- words


def test_the_answer_speaks_of_the_rfq_market(run):
    said = "RFQ LPs settled 1,200,000 USD; 94% of what traders ordered was filled at a cost of 0.31%; "
    assert answer(run)[3] == said + "stale quotes cost them 12,300 USD against 8,100 USD of fees."
    assert answer(with_value(run, "avmm_stale_loss_usd", None))[3] == said + "they earned 8,100 USD in fees."
    assert answer(with_value(run, "avmm_stale_loss_usd", -400.0))[3] == said + "they earned 8,500 USD on orders, 8,100 USD of it in fees."


def test_the_answer_is_silent_on_orders_where_there_were_none(run):
    idle = with_value(with_value(run, "avmm_fill_rate", None), "avmm_execution_cost", None)
    assert answer(idle)[3].startswith("RFQ LPs settled 1,200,000 USD; stale quotes")


def test_every_figure_is_defined_once(run, page):
    names = {name.partition(".")[0] for group in ("avmm", "market_waterfall") for name in run.summary[group]}
    assert names <= GLOSSARY.keys()
    assert define("avmm_settled_share.static") is GLOSSARY["avmm_settled_share"]
    for name in names:
        assert page.count(f'id="term-{name}"') == 1
    labels = [term.label for term in GLOSSARY.values()]
    assert len(set(labels)) == len(labels)


def test_every_line_of_the_waterfall_of_all_markets_is_defined():
    """With an exchange it has lines of its own."""
    world = a_market()
    start = market_waterfall.holdings(world, None, None)
    names = set(market_waterfall.waterfall(world, None, None, start)) | set(market_waterfall.of_exchange(an_exchange()))
    assert names <= GLOSSARY.keys()


def test_tiny_amounts_are_written_out():
    assert [usd(value) for value in (8e-05, -0.0042, 0.0096, 9.9e-05)] == ["0.00008 USD", "-0.004 USD", "0.01 USD", "0.0001 USD"]


# --- the page and the terminal


def test_the_page_shows_the_rfq_market(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {"avmm_book", "avmm_lps", "market_waterfall", "table-avmm-1", "table-avmm-3", "table-waterfall"} <= set(ids)
    assert "Who gained and who lost, all protocols" in page
    assert "<b>tAAPL</b>" not in page
    assert "avmm_settled_share.static" not in page  # a cell of a table, no card
    assert cells("CDP owners", "-224,213 USD", texts=1) in page


def test_an_rfq_market_alone_has_a_report_of_its_own(alone):
    drawings = html.draw_all(alone)
    assert [chart.name for chart, _ in drawings] == ["avmm_book", "avmm_lps"]
    assert len(answer(alone)) == 1
    assert "Nothing was liquidated." not in html.render(alone, drawings)
    said = printed(alone)
    assert any(re.search(r"RFQ LP net yield +-?[\d.,]+% per year +fill rate +94%", line) for line in said)
    assert not any("insolvent CDPs" in line for line in said)


def test_the_terminal_stays_one_screen_with_all_markets(run):
    x = an_exchange_of_a_day()
    frames = {"markets": exchange_frames.markets(x, None), "pools": exchange_frames.pools(x, None)}
    crowded = replace(run, **frames, summary=run.summary | as_entries(exchange_measures.measure(x, a_market()), paths=1))
    assert len(answer(crowded)) == 5
    assert len(printed(crowded)) <= 24
    without = replace(crowded, series=crowded.series.iloc[:0])
    assert len(printed(without)) <= 24
    assert len(all_charts(without)) == 7  # four of the exchange


def test_a_run_without_an_rfq_market_has_none_of_it():
    plain = a_run(["tAAPL"], days=1)
    frames = {"book": avmm_frames.book(None, None), "rfq_lps": avmm_frames.lps(None), "rfq_flows": avmm_frames.flows(None)}
    without = RunResult(**(vars(plain) | frames))
    assert avmm.avmm_charts(without) == waterfall_charts(without) == avmm_tables.all_tables(without) == []
    assert gains(without) == {}
    assert len(answer(without)) == 3
    assert "RFQ" not in html.render(without, html.draw_all(without))


# --- what a run says of itself


BOTH = """
name: Both
about: A tASSET beside an RFQ market.
seed: 1
prices:
  model: constant
  days: 0.1
  assets: {A: {start_usd: 100}, B: {start_usd: 7}, D: {start_usd: 30}}
tassets:
  tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.2, pool: {liquidity_usd: 1000}}
  tB: {tracks: B, min_collateral_ratio: 1.5, auction_discount: 0.2, pool: {liquidity_usd: 1000}}
avmm:
  assets: {tDOLLAR: {}, tA: {}, WA: {tracks: A}, USDC: {}, WETH: {tracks: D}}
  lps: {static: {count: 1}}
"""


@pytest.fixture
def scenario(tmp_path):
    """WA shares the feed of tA, WETH has one of its own."""
    file = tmp_path / "both.yaml"
    file.write_text(BOTH, encoding="utf-8")
    return load(file).scenario


def test_shocks_concern_assets_of_the_rfq_market_that_no_other_names(scenario):
    assert tracked(scenario) == [("tA", "A"), ("tB", "B"), ("WA", "A"), ("WETH", "D")]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ({"tasset": "tA"}, ["tA", "WA"]),
        ({"tasset": "tB"}, ["tB"]),
        ({"asset": "A"}, ["tA", "WA"]),
        ({"asset": "D"}, ["WETH"]),
        ({}, ["tA", "tB", "WA", "WETH"]),
    ],
)
def test_outages_strike_assets_that_share_the_feed(scenario, target, names):
    assert struck(scenario, Outage(at_hours=1.0, hours=1.0, **target)) == names


def test_records_of_the_rfq_market_are_files_of_a_run():
    assert [FRAMES[name] for name in ("book", "rfq_lps", "rfq_flows")] == ["book.parquet", "rfq_lps.parquet", "rfq_flows.parquet"]
