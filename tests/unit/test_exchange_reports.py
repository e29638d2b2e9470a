"""The report of a run with an exchange: figures, tables and words, on hand-made records of two markets and two pools."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from exchanges import CREATOR, an_exchange
from rich.console import Console
from unit.test_reports import Run, a_run
from worlds import a_market

from seawall.models import exchange_frames, exchange_measures
from seawall.models.exchange_measures import ExchangeNames
from seawall.protocols.tables import TOKEN
from seawall.reports import exchange, exchange_tables, html
from seawall.reports.glossary import GLOSSARY, define
from seawall.reports.result import answer
from seawall.reports.terminal import print_summary
from seawall.studies.simulate import as_entries

DAY, RECORDS = 86_400.0, 25
NAMES = ExchangeNames(("BTC-PERP", "<b>SOL</b>"), ("blue", "safe"), ("ETH", "coin"), ("creator", "unused"))


def an_exchange_of_a_day():
    """BTC is long by 25 at noon, SOL has no skew; SOL's credit is short by 700 USD at the end; blue owes, safe has credit."""
    x = an_exchange()
    x = x._replace(tokens=np.append(x.tokens, np.zeros(1, TOKEN)), wallets=np.pad(x.wallets, ((0, 0), (0, 1))))
    grown = np.linspace(0.0, 1.0, RECORDS)
    x.clock[0].now, x.times["records"] = DAY, RECORDS
    markets, pools = x.market_series[:RECORDS], x.pool_series[:RECORDS]
    markets["time"] = pools["time"] = (grown * DAY)[:, None]
    markets["index_price"], markets["delegated"] = 2000.0 * (1.0 + 0.01 * np.sin(np.arange(RECORDS)))[:, None], 500_000.0
    markets["skew"][:, 0], markets["open_interest"][:, 0] = 25.0 * (1.0 - np.abs(2.0 * grown - 1.0)), 40.0
    markets["funding_rate"][:, 0], markets["capacity"][:, 0] = 0.02 * grown, 100_000.0
    markets["capacity"][:, 1], markets["reported_debt"][:, 1] = 5_000.0 - 5_700.0 * grown, 20_000.0 * grown
    markets["fees"], markets["price_gain"] = (grown * 1_200.0)[:, None], (-400.0 * np.sin(3.0 * grown))[:, None]
    for name in ("fees", "price_gain"):
        x.market_memory[name] = markets[name][-1]
    x.pool_memory["value_seconds"] = 1e6 * DAY
    pools["value"], pools["debt"][:, 0], pools["debt"][:, 1] = 1e6, 250_000.0 * grown, -900.0 * grown
    pools["min_ratio"][:, 0], pools["min_ratio"][:, 1] = 4.0 / np.maximum(grown, 0.01), np.inf
    x.perps_traders["kind"], x.siphons[0].account, x.siphons[0].fee_share = [0, 1, 3, 4], CREATOR, 0.1
    return x


@pytest.fixture(scope="module")
def x():
    return an_exchange_of_a_day()


@pytest.fixture(scope="module")
def run(x) -> Run:
    measured = as_entries(exchange_measures.measure(x, a_market(), NAMES), paths=1)
    plain = a_run(["tAAPL"], days=1)
    frames = {
        "markets": exchange_frames.markets(x, NAMES),
        "pools": exchange_frames.pools(x, NAMES),
        "exchange_traders": exchange_frames.traders(x),
        "exchange_lps": exchange_frames.lps(x, NAMES),
    }
    return replace(plain, summary={**plain.summary, **measured}, **frames)


@pytest.fixture(scope="module")
def charts(run):
    return {chart.name: chart for chart in exchange.exchange_charts(run)}


@pytest.fixture(scope="module")
def page(run):
    return html.render(run, html.draw_all(run))


def test_titles_say_what_was_found(charts):
    titles = {name: chart.title for name, chart in charts.items()}
    assert titles == {
        "exchange_skew": "Largest skew 49,732 USD long (BTC-PERP, 12 h after the start)",
        "exchange_lp_gain": "LPs gained 2,287 USD through the markets, before siphons",
        "exchange_pools": "Lowest collateral ratio of an LP 4 (blue, 1 d after the start)",
        "exchange_credit": "Credit fell short of what traders own by up to 700 USD (<b>SOL</b>, 1 d after the start)",
    }


def test_every_curve_is_there(charts):
    assert [len(ax.get_lines()) for ax in charts["exchange_lp_gain"].figure.axes] == [7, 7]  # zero, five sources, their sum
    assert len(charts["exchange_pools"].figure.axes) == 3
    drawn = charts["exchange_pools"].figure.axes[2].get_lines()[0].get_ydata()
    assert max(drawn) == exchange.HIGHEST_RATIO
    assert min(drawn) == 4.0


def test_alternative_texts_hold_the_figures(charts):
    assert "BTC-PERP: skew between 0 USD and 49,732 USD, funding between 0% and 2% per day." in charts["exchange_skew"].alt
    assert "and 1,000,000 USD, debt between -900 USD and 0 USD, no debt of an LP." in charts["exchange_pools"].alt
    assert "least credit left -700 USD" in charts["exchange_credit"].alt


def test_quiet_markets_are_said_to_be_quiet(run):
    quiet = replace(run, markets=run.markets.assign(skew_usd=0.0, credit_left_usd=9.0), pools=run.pools.assign(min_collateral_ratio=np.nan))
    titles = [chart.title for chart in exchange.exchange_charts(quiet)]
    assert titles[0] == "No market had a skew at any record"
    assert titles[2] == "No LP owed anything at any record"
    assert titles[3].startswith("At every record credit covered what traders own; the least left was 9 USD")


def test_more_markets_than_panels_are_named_as_left_out(run):
    many = pd.concat([run.markets.assign(market=f"m{i}") for i in range(8)], ignore_index=True)
    chart = exchange.credit(replace(run, markets=many))
    assert len(chart.figure.axes) == 6
    assert chart.note.startswith("Shown are the first 6 of 8 markets.")


def test_tables_in_words(run):
    tables = {table.headings[0]: table for table in exchange_tables.all_tables(run)}
    assert tables["What they do"].rows[0] == ("take sides at random", "1", "100,000", "0", "0%", "0")
    assert tables["Pool"].rows[0] == ("blue", "2", "2,000,000", "0", "0")
    assert dict(tables["Who"].rows)["check: waterfall"] == "0 USD"
    parts = {(figure, of): (value, spread) for figure, of, value, spread in tables["Figure"].rows}
    assert parts["market insolvency", "BTC-PERP"] == ("0%", "-")
    assert re.fullmatch(r"-?[\d.]+% to -?[\d.]+%", parts["LPs' beta to the market", "BTC-PERP"][1])
    assert ("traders' gain", "carry") in parts


def test_every_figure_is_defined_once(run, page):
    names = {name.partition(".")[0] for group in ("exchange", "exchange_waterfall") for name in run.summary[group]}
    assert names <= GLOSSARY.keys()
    assert define("lp_return.BTC-PERP") is GLOSSARY["lp_return"]
    for name in names:
        assert page.count(f'id="term-{name}"') == 1
    labels = [term.label for term in GLOSSARY.values()]
    assert len(set(labels)) == len(labels)


def test_the_page_shows_the_exchange(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for anchor in ("exchange_skew", "exchange_lp_gain", "exchange_pools", "exchange_credit", "table-exchange-1", "table-exchange-4"):
        assert anchor in ids
    assert "Who gained on the exchange" in page
    assert "<b>SOL</b>" not in page
    assert "lp_return.BTC-PERP" not in page  # a row of a table, no card


def test_the_answer_speaks_of_the_exchange(run):
    said = answer(run)[3]
    assert said == "On the exchange LPs gained 2,287 USD, 41.7% per year; no trader was liquidated; credit always covered what traders own."


def test_an_exchange_without_tassets_has_a_report_of_its_own(run):
    alone = replace(run, series=run.series.iloc[:0], ratios=run.ratios.iloc[:0], liquidations=run.liquidations.iloc[:0])
    drawings = html.draw_all(alone)
    assert [chart.name for chart, _ in drawings] == ["exchange_skew", "exchange_lp_gain", "exchange_pools", "exchange_credit"]
    assert answer(alone) == [answer(run)[3]]
    assert "Nothing was liquidated." not in html.render(alone, drawings)
    console = Console(width=100, record=True, file=io.StringIO())
    print_summary(alone, console, Path("out"))
    said = console.export_text()
    assert "traders' gain" in said
    assert "insolvent CDPs" not in said


def test_a_run_without_an_exchange_has_none_of_it():
    plain = a_run(["tAAPL"], days=1)
    assert exchange.exchange_charts(plain) == []
    assert exchange_tables.all_tables(plain) == []
    assert len(answer(plain)) == 3
    assert "xchange" not in html.render(plain, html.draw_all(plain))
