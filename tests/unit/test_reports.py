"""Reports on a synthetic run: three tASSETs over seven days with closed nights, an outage and a shock."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from matplotlib.axes import Axes
from rich.console import Console

from seawall.models import avmm_frames, exchange_frames
from seawall.reports import html
from seawall.reports.counts import ratio_distribution
from seawall.reports.figures import all_charts, amm_premium, lp_fees, price_and_oracle, system_ratio
from seawall.reports.glossary import GLOSSARY
from seawall.reports.html import draw_all, write_figures
from seawall.reports.result import answer
from seawall.reports.staking import staking_income
from seawall.reports.style import Chart, thinned
from seawall.reports.svg import draw, file_svg, inline_svg
from seawall.reports.terminal import print_summary
from seawall.reports.words import duration, number, on_page, percent, quantity, usd

DAY = 86_400
SHOCK_S, OUTAGE_S = 3.4 * DAY, (4.5 * DAY, 4.8 * DAY)
RATIO_EDGES = np.array([0.0, 0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, np.inf])
MARKUP = "<script>alert(1)</script>"

ENTRIES: dict[str, dict[str, tuple[float | None, str]]] = {
    "solvency": {
        "bad_debt_usd": (0.0, "USD"),
        "shortfall_peak_usd": (34_512.0, "USD"),
        "shortfall_end_usd": (1_204.5, "USD"),
        "insolvent_cdps_peak": (12, "count"),
        "insolvent_cdps_end": (1, "count"),
        "min_system_collateral_ratio": (1.42, "fraction"),
        "time_to_insolvency_s": (3.4 * DAY, "seconds"),
        "under_collateralised_debt_share_end": (0.0004, "fraction"),
    },
    "liquidations": {
        "liquidations": (214, "count"),
        "liquidated_debt_usd": (1_234_567.8, "USD"),
        "collateral_sold_usd": (1_543_209.0, "USD"),
        "discount_paid_usd": (308_641.2, "USD"),
        "liquidation_efficiency": (0.633, "fraction"),
        "mean_time_to_liquidation_s": (755.0, "seconds"),
        "margin_called_at_end": (3, "count"),
        "collateral_returned_usd": (20_111.0, "USD"),
        "refused_stale_price": (95, "count"),
        "refused_unprofitable": (1_240, "count"),
        "refused_no_capital": (17, "count"),
        "refused_no_liquidity": (0, "count"),
        "refused_too_early": (0, "count"),
        "refused_delisted": (0, "count"),
    },
    "fee_yield": {
        "fee_yield_per_year": (0.0421, "per_year"),
        "lp_net_yield_per_year": (None, "per_year"),
        "protocol_fees_usd": (18_100.0, "USD"),
        "volume_usd": (24_500_000.0, "USD"),
    },
    "waterfall": {
        "owners_loss_usd": (308_641.2, "USD"),
        "holders_loss_usd": (1_204.5, "USD"),
        "lp_impermanent_loss_usd": (-532.25, "USD"),
        "liquidators_profit_usd": (121_004.0, "USD"),
    },
}
STAKING: dict[str, tuple[float | None, str]] = {
    "texo_price_start_usd": (1.0, "USD"),
    "texo_price_end_usd": (1.25, "USD"),
    "fees_sold_usd": (3_000.0, "USD"),
    "fees_paid_texo": (2_400.0, "tokens"),
    "fee_purchase_price_usd": (1.25, "USD"),
    "inflation_texo": (5_000.0, "tokens"),
    "texo_staking_yield_per_year": (0.35, "per_year"),
    "lp_rewards_usd": (2_500.0, "USD"),
    "polls_executed": (1, "count"),
    "polls_rejected": (1, "count"),
}
DELISTING: dict[str, tuple[float | None, str]] = {
    "delisted_tassets": (1, "count"),
    "delisted_debt_end_usd": (82_000.0, "USD"),
    "delisted_collateral_end_usd": (150_000.0, "USD"),
    "delisted_pools_end_usd": (0.5, "USD"),
    "replacement_debt_end_usd": (310_000.0, "USD"),
    "replacement_pools_end_usd": (220_000.0, "USD"),
}
NOON, END_PRICE = 43_200, 400.0


@dataclass(frozen=True)
class Run:
    """A stand-in for the result of a run."""

    summary: dict[str, dict[str, dict[str, Any]]]
    series: pd.DataFrame
    ratios: pd.DataFrame
    refusals: pd.DataFrame
    liquidations: pd.DataFrame
    rewards: pd.DataFrame
    polls: pd.DataFrame
    owners: pd.DataFrame
    manifest: dict[str, Any]
    markets: pd.DataFrame = field(default_factory=partial(exchange_frames.markets, None, None))
    pools: pd.DataFrame = field(default_factory=partial(exchange_frames.pools, None, None))
    exchange_traders: pd.DataFrame = field(default_factory=partial(exchange_frames.traders, None))
    exchange_lps: pd.DataFrame = field(default_factory=partial(exchange_frames.lps, None, None))
    book: pd.DataFrame = field(default_factory=partial(avmm_frames.book, None, None))
    rfq_lps: pd.DataFrame = field(default_factory=partial(avmm_frames.lps, None))
    rfq_flows: pd.DataFrame = field(default_factory=partial(avmm_frames.flows, None))


def a_run(tassets: Sequence[str] = ("tAAPL", "tTSLA", "tGOLD"), *, days: float = 7, every_s: float = 3_600) -> Run:
    """A plausible run; the debt of the tASSETs shrinks in the order given."""
    rng = np.random.default_rng(7)
    times = np.arange(0, days * DAY + 1, every_s)
    series = pd.concat([_series(rng, times, tasset, 1 / (1 + place)) for place, tasset in enumerate(tassets)], ignore_index=True)
    ratios = pd.concat([_ratios(rng, times, tasset) for tasset in tassets], ignore_index=True)
    frames = (series, ratios, _refusals(rng, times), _liquidations(rng, tassets), _rewards(times).iloc[:0], _polls().iloc[:0], _owners())
    return Run(_summary(), *frames, _manifest(tassets[0]))


def with_texo(run: Run) -> Run:
    """The run in a market with tEXO: stakers are paid, and they vote."""
    rewards = _rewards(run.series["time_s"].unique())
    return replace(
        run, summary={**run.summary, "staking": _entries(STAKING)}, rewards=rewards, polls=_polls(), owners=_owners("hold", "short")
    )


def with_delisting(run: Run, *, split: float = 5.0) -> Run:
    """The run with its second tASSET delisted at noon, and its third listed in its place; none of them is shocked."""
    (_, old, new), late = run.series["tasset"].unique(), run.series["time_s"] >= NOON
    gone, hidden = late & (run.series["tasset"] == old), ~late & (run.series["tasset"] == new)
    series = run.series.assign(is_delisted=gone)
    series.loc[gone, ["market_price", "oracle_price", "amm_price"]] = END_PRICE
    series.loc[gone, ["oracle_fresh", "market_open", "min_collateral_ratio", "amm_premium"]] = True, False, 1.0, 0.5
    series.loc[hidden, ["oracle_price", "amm_price", "amm_premium", "system_collateral_ratio"]] = np.nan
    series.loc[hidden, ["debt_usd", "debt_tokens", "collateral_usd", "pool_usd", "open_cdps"]] = 0
    series.loc[hidden, "oracle_fresh"] = False
    event = {"tasset": old, "at_s": float(NOON), "replacement": new, "split": split, "end_price": END_PRICE}
    manifest = {**run.manifest, "delistings": [event], "shocks": [], "outages": []}
    return replace(run, series=series, manifest=manifest, summary={**run.summary, "delisting": _entries(DELISTING)})


def never_listed(run: Run, tasset: str) -> Run:
    """The run with one tASSET that no oracle ever gave a price of."""
    hidden = run.series["tasset"] == tasset
    series = run.series.assign(oracle_price=run.series["oracle_price"].mask(hidden), pool_usd=run.series["pool_usd"].mask(hidden, 0.0))
    series = series.assign(**{name: series[name].mask(hidden) for name in ("amm_premium", "system_collateral_ratio")})
    return replace(run, series=series, ratios=run.ratios.assign(cdps=run.ratios["cdps"].mask(run.ratios["tasset"] == tasset, 0)))


def _entries(entries: dict[str, tuple[float | None, str]]) -> dict[str, dict[str, Any]]:
    return {name: {"value": value, "unit": unit, "paths": 1} for name, (value, unit) in entries.items()}


def _rewards(times: np.ndarray) -> pd.DataFrame:
    grown = (times - times[0]) / max(times[-1] - times[0], 1.0)
    columns = {"fees_sold_usd": 3_000.0, "fees_paid_texo": 2_400.0, "inflation_texo": 5_000.0, "lp_rewards_texo": 2_000.0}
    at = {"time_s": times, "texo_price_usd": 1.0 + 0.25 * grown, "staked_texo": 1e6}
    return pd.DataFrame(at | {name: grown * last for name, last in columns.items()})


def _polls() -> pd.DataFrame:
    rows = [
        (3_600.0, "tAAPL", "min_collateral_ratio", 1.8, 0.483, 0.012, 0.025, "executed", 61_200.0),
        (7_200.0, "tTSLA", "reassign_feeder", np.nan, 0.058, 0.566, 0.032, "rejected", np.nan),
        (9_000.0, "tTSLA", "auction_discount", 0.4, np.nan, np.nan, np.nan, "not proposed", np.nan),
    ]
    return pd.DataFrame(rows, columns=["proposed_s", "tasset", "change", "value", "yes", "no", "abstain", "outcome", "executed_s"])


def _owners(*strategies: str) -> pd.DataFrame:
    rows = [(strategy, 100 + place, 2e6, -50_000.0 * (1 + place)) for place, strategy in enumerate(strategies or ("hold",))]
    return pd.DataFrame(rows, columns=["strategy", "owners", "start_usd", "gain_usd"])


def _summary() -> dict[str, dict[str, dict[str, Any]]]:
    summary = {group: _entries(entries) for group, entries in ENTRIES.items()}
    summary["fee_yield"]["lp_net_yield_per_year"]["why"] = "no liquidity provider stayed for a whole day"
    return summary


def _series(rng: np.random.Generator, times: np.ndarray, tasset: str, weight: float) -> pd.DataFrame:
    shocked = times >= SHOCK_S
    market = 180 * weight * np.exp(np.cumsum(rng.normal(0, 0.004, times.size))) * np.where(shocked, 1.25, 1.0)
    market_open = (times % DAY >= 0.4 * DAY) & (times % DAY < 0.67 * DAY)
    fresh = market_open & ~((times >= OUTAGE_S[0]) & (times < OUTAGE_S[1]))
    oracle = pd.Series(np.where(fresh, market, np.nan)).ffill().fillna(market[0]).to_numpy()
    premium = 0.01 * np.sin(times / DAY * 3) + np.where(shocked, 0.08 * np.exp(-(times - SHOCK_S) / DAY), 0)
    debt_tokens = np.full(times.size, 40_000 * weight)
    liquidated = np.cumsum(np.where(shocked & fresh, rng.exponential(8_000 * weight, times.size), 0))
    volume = np.cumsum(rng.exponential(90_000 * weight, times.size))
    collateral = 180 * weight * debt_tokens * 1.9
    return pd.DataFrame(
        {
            "time_s": times,
            "tasset": tasset,
            "market_price": market,
            "oracle_price": oracle,
            "oracle_fresh": fresh,
            "market_open": market_open,
            "amm_price": oracle * (1 + premium),
            "amm_premium": premium,
            "collateral_usd": collateral,
            "debt_usd": debt_tokens * market,
            "debt_tokens": debt_tokens,
            "system_collateral_ratio": collateral / (debt_tokens * market),
            "min_collateral_ratio": 1.5,
            "is_delisted": False,
            "shortfall_usd": np.where(shocked, 11_504.0, 0.0),
            "insolvent_cdps": np.where(shocked, 4, 0),
            "margin_called_cdps": np.where(shocked, 20, 1),
            "open_cdps": 340,
            "bad_debt_usd": 0.0,
            "liquidated_debt_usd": liquidated,
            "liquidations": np.floor(liquidated / 5_000),
            "volume_usd": volume,
            "lp_fees_usd": volume * 0.003,
            "pool_usd": 2_000_000.0 * weight,
        }
    )


def _ratios(rng: np.random.Generator, times: np.ndarray, tasset: str) -> pd.DataFrame:
    frames = []
    base = rng.lognormal(np.log(2.1), 0.22, 340)
    for time in times:
        counts, _ = np.histogram(base / (1.25 if time >= SHOCK_S else 1) * (1 + 0.08 * np.sin(time / DAY)), RATIO_EDGES)
        frames.append(pd.DataFrame({"time_s": time, "tasset": tasset, "low": RATIO_EDGES[:-1], "high": RATIO_EDGES[1:], "cdps": counts}))
    return pd.concat(frames, ignore_index=True)


def _refusals(rng: np.random.Generator, times: np.ndarray) -> pd.DataFrame:
    kinds = [("deposit", "STALE_PRICE"), ("mint", "STALE_PRICE"), ("mint", "BELOW_MIN_RATIO"), ("purchase", "UNPROFITABLE")]
    kinds += [("purchase", "INSUFFICIENT_BALANCE"), ("swap", "INSUFFICIENT_BALANCE")]
    rows = [(time, *kinds[rng.integers(len(kinds))], int(rng.poisson(6))) for time in times]
    return pd.DataFrame(rows, columns=["time_s", "action", "status", "count"])


def _liquidations(rng: np.random.Generator, tassets: Sequence[str]) -> pd.DataFrame:
    burned = rng.exponential(5_000, 214)
    return pd.DataFrame(
        {
            "time_s": SHOCK_S + rng.uniform(0, DAY, 214),
            "tasset": rng.choice(list(tassets), 214),
            "cdp": rng.integers(1_000, size=214),
            "liquidator": rng.integers(5, size=214),
            "burned_tokens": burned / 225,
            "burned_usd": burned,
            "sold_usd": burned * 1.25,
            "price": 225.0,
            "seconds_called": rng.exponential(755, 214),
            "bad_debt_usd": 0.0,
        }
    )


def _manifest(tasset: str) -> dict[str, Any]:
    return {
        "name": "short_squeeze",
        "about": "A listed stock jumps by a quarter while its oracle sleeps.",
        "scenario_file": "scenarios/short_squeeze.yaml",
        "scenario_text": "name: short_squeeze\ntassets:\n  tAAPL: {min_collateral_ratio: 1.5, auction_discount: 0.2}\n",
        "digest": "9f2c4e11d0ab",
        "seed": 42,
        "versions": {"seawall": "0.1.0", "numpy": "2.4.6", "mesa": "3.3.1"},
        "machine": "Linux x86_64, 2 cores, Python 3.11.7",
        "started": "2026-01-05T09:30:00+00:00",
        "seconds": {"build": 0.61, "simulate": 1.93, "write": 0.2},
        "command": "python run.py run scenarios/short_squeeze.yaml --seed 42",
        "notes": ["Assumption: liquidators hold tASSET worth 1% of all debt.", "Warning: 3 CDPs start within 1% of their minimum ratio."],
        "outages": [{"tasset": tasset, "from_s": OUTAGE_S[0], "to_s": OUTAGE_S[1]}],
        "shocks": [{"asset": tasset, "at_s": SHOCK_S, "change": 0.25}],
        "delistings": [],
        "start": "2025-03-03T00:00:00-05:00",
        "path_moments": [
            {
                "asset": tasset,
                "configured": {"volatility_per_year": 0.35},
                "realised": {"volatility_per_year": 0.3471, "first_price": 181.2, "largest_down": -0.061},
            },
            {"asset": "tGOLD", "configured": None, "realised": {"volatility_per_year": 0.152}},
        ],
        "path_check": {
            "rows": [
                {"asset": tasset, "quantity": "volatility", "configured": 0.35, "realised": 0.3471, "p": 0.4, "verdict": "as configured"},
                {"asset": tasset, "quantity": "skewness", "configured": None, "realised": 0.01, "p": None, "verdict": "no closed form"},
            ],
            "why": "",
        },
    }


class Page(HTMLParser):
    """What a browser would see of a page: elements, their ids, and everything they would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in {"href", "src", "xlink:href", "srcset", "data", "action"}:
                self.targets.append(value or "")


def render(run):
    """The page of a run."""
    return html.render(run, draw_all(run))


@pytest.fixture(scope="module")
def run() -> Run:
    """The run most tests look at; nobody changes it."""
    return a_run()


@pytest.fixture(scope="module")
def charts(run: Run) -> dict[str, Chart]:
    return {chart.name: chart for chart in all_charts(run)}


@pytest.fixture(scope="module")
def delisted() -> Run:
    """A day on which tTSLA is delisted at noon and tTSLA.5 takes its place; with tEXO."""
    return with_texo(with_delisting(a_run(["tAAPL", "tTSLA", "tTSLA.5"], days=1, every_s=600)))


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return render(run)


def printed(run: Run, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_summary(run, console, Path("out/short_squeeze/9f2c4e11d0ab-42"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


# --- words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (usd(12_345.4), "12,345 USD"),
        (usd(0), "0 USD"),
        (usd(-532.25), "-532.25 USD"),
        (usd(0.0042), "0.004 USD"),
        (usd(24_500_000), "24.5 million USD"),
        (percent(0.012), "1.2%"),
        (percent(1.42), "142%"),
        (percent(0), "0%"),
        (percent(float("inf")), "infinite%"),
        (duration(45), "45 s"),
        (duration(0), "0 s"),
        (duration(59.7), "1 min"),
        (duration(3_599.9), "1 h"),
        (duration(12_000), "3 h 20 min"),
        (duration(-90), "-1 min 30 s"),
        (duration(2.17 * DAY), "2 d 4 h"),
        (number(1_234_567.8), "1,234,568"),
        (number(3.14159), "3.142"),
        (quantity(None, "USD"), "not computed"),
        (quantity(float("nan"), "fraction"), "not computed"),
        (quantity(0.0421, "per_year"), "4.21% per year"),
        (quantity(7, "tokens"), "7 tokens"),
    ],
)
def test_numbers_read_as_people_write_them(said: str, expected: str) -> None:
    assert said == expected


def test_answer_opens_with_insolvency_in_words(run: Run) -> None:
    assert answer(run)[0] == "At worst 12 of 1,020 CDPs were insolvent at once; peak shortfall 34,512 USD (0.298% of debt); bad debt 0 USD."


def test_answer_of_a_calm_run_says_none(run: Run) -> None:
    calm = with_value(run, "solvency", "insolvent_cdps_peak", 0)
    assert answer(calm)[0].startswith("None of the 1,020 CDPs was insolvent at any time;")


def test_answer_tells_of_delistings_and_polls_only_where_there_were_any(run: Run, delisted: Run) -> None:
    assert len(answer(run)) == 3
    assert answer(delisted)[3:] == [
        "tTSLA was delisted at 400 USD; at the end 82,000 USD of it was still owed, and 310,000 USD of its replacement tTSLA.5.",
        "Polls: 1 executed; 1 rejected; 1 not proposed.",
    ]
    twice = replace(delisted, manifest={**delisted.manifest, "delistings": delisted.manifest["delistings"] * 2})
    assert answer(twice)[3].startswith("2 tASSETs were delisted; at the end 82,000 USD of them was still owed")


def test_answer_says_that_the_net_yield_counts_rewards(run: Run, delisted: Run) -> None:
    assert "rewards" not in answer(run)[2]
    earning = with_value(delisted, "fee_yield", "lp_net_yield_per_year", 0.05)
    assert answer(earning)[2] == "LPs earned 4.21% per year in fees, 5% per year with rewards and net of impermanent loss."


def with_value(run: Run, group: str, name: str, value: float | None) -> Run:
    changed = {**run.summary[group], name: {**run.summary[group][name], "value": value}}
    return replace(run, summary={**run.summary, group: changed})


# --- figures


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("price_and_oracle", ["USD per\ntASSET"] * 3),
        ("system_ratio", ["fraction"] * 3),
        ("ratio_distribution", ["collateral ratio\n(fraction)"] * 3),
        ("liquidations_and_refusals", ["debt liquidated\n(USD per 3 h)", "refused actions\n(per 3 h)"]),
        ("amm_premium", ["fraction of\noracle price"] * 3),
        ("lp_fees", ["cumulative fees\n(USD)", "turnover (times\nthe pool value)"]),
    ],
)
def test_every_axis_names_its_unit(charts: dict[str, Chart], name: str, units: list[str]) -> None:
    axes = charts[name].figure.axes
    assert [ax.get_ylabel() for ax in axes] == units
    assert axes[-1].get_xlabel() == "days since start"


def test_a_short_run_counts_hours() -> None:
    chart = system_ratio(a_run(["tAAPL"], days=1))
    assert chart.figure.axes[-1].get_xlabel() == "hours since start"


def test_alternative_texts_carry_numbers_of_the_data(run: Run, charts: dict[str, Chart]) -> None:
    of_aapl = run.series[run.series["tasset"] == "tAAPL"]
    last_price = of_aapl["market_price"].iloc[-1]
    assert f"at the end {last_price:.2f} USD" in charts["price_and_oracle"].alt
    assert f"{of_aapl['system_collateral_ratio'].min():.3g} and" in charts["system_ratio"].alt
    assert f"tAAPL {usd(of_aapl['liquidated_debt_usd'].max())}" in charts["liquidations_and_refusals"].alt
    assert percent(of_aapl["amm_premium"].max()) in charts["amm_premium"].alt
    assert usd(of_aapl["lp_fees_usd"].max()) in charts["lp_fees"].alt
    share = run.ratios[run.ratios["high"] <= 1].groupby(["tasset", "time_s"])["cdps"].sum() / 340
    assert f"tAAPL: at most {percent(share['tAAPL'].max())} of CDPs below 1" in charts["ratio_distribution"].alt


def test_a_short_peak_among_many_records_is_named() -> None:
    run = a_run(["tAAPL"], days=1, every_s=200)
    at_peak = (run.ratios["time_s"] == 40_000) & (run.ratios["low"] == 0.9)
    peaked = run.ratios.assign(cdps=run.ratios["cdps"].mask(at_peak, 340))
    assert ratio_distribution(replace(run, ratios=peaked)).title.startswith(
        "Up to 50% of the CDPs of tAAPL were below a collateral ratio of 1"
    )


def test_bars_add_up_to_the_run(run: Run, charts: dict[str, Chart]) -> None:
    debts, refusals = charts["liquidations_and_refusals"].figure.axes
    assert bar_total(debts) == pytest.approx(run.series.groupby("tasset")["liquidated_debt_usd"].max().sum())
    assert bar_total(refusals) == run.refusals["count"].sum()


def bar_total(ax: Axes) -> float:
    return float(sum(bar.get_height() for container in ax.containers for bar in container))


def test_six_panels_at_most_those_with_the_largest_debt() -> None:
    chart = amm_premium(a_run([f"t{place}" for place in range(8)], days=0.1))
    assert [ax.get_title(loc="left") for ax in chart.figure.axes] == ["t0", "t1", "t2", "t3", "t4", "t5"]
    assert "6 of 8 tASSETs" in chart.note


def test_liquidations_of_assets_without_a_panel_are_summed_up() -> None:
    run = a_run([f"t{place}" for place in range(8)], days=4)
    debts, _ = next(chart for chart in all_charts(run) if chart.name == "liquidations_and_refusals").figure.axes
    assert bar_total(debts) == pytest.approx(run.series.groupby("tasset")["liquidated_debt_usd"].max().sum())


def test_a_stale_oracle_is_a_curve_of_its_own(run: Run) -> None:
    labels = price_and_oracle(run).figure.axes[0].get_legend_handles_labels()[1]
    assert {"market price", "oracle price", "oracle, stale", "market closed", "oracle outage"} <= set(labels)


def test_shocks_are_labelled_on_the_panel_they_move(charts: dict[str, Chart]) -> None:
    panels = charts["price_and_oracle"].figure.axes
    assert [[text.get_text() for text in ax.texts] for ax in panels] == [["+25%"], [], []]


def test_labels_of_crowded_shocks_do_not_overlap(run: Run) -> None:
    shocks = [{"asset": "tDOLLAR", "at_s": minute * 900.0, "change": -0.01} for minute in range(1, 24)]
    crowded = lp_fees(replace(a_run(["tA"], days=0.25, every_s=60), manifest={**run.manifest, "shocks": shocks}))
    crowded.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in crowded.figure.axes[0].texts]
    assert len(boxes) >= 3
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_after_a_delisting_the_end_price_stands_alone(delisted: Run) -> None:
    chart = price_and_oracle(delisted)
    ax = chart.figure.axes[1]
    assert seen(ax, "market price")[0].max() == seen(ax, "oracle price")[0].max() == seen(ax, "end price")[0].min() == NOON / 3_600
    assert set(seen(ax, "end price")[1]) == {END_PRICE}
    assert "end price" not in chart.figure.axes[0].get_legend_handles_labels()[1]
    assert "delisted at an end price of 400 USD" in chart.alt


def seen(ax: Axes, label: str) -> np.ndarray:
    """Hours and heights of what is seen of a curve; where a curve of prices becomes another both share a point."""
    (curve,) = (curve for curve in ax.lines if curve.get_label() == label)
    points = np.array(curve.get_data(), dtype=float)
    return points[:, ~np.isnan(points).any(axis=0)]


def test_nothing_is_drawn_before_a_listing(delisted: Run) -> None:
    for chart in (price_and_oracle(delisted), system_ratio(delisted), amm_premium(delisted)):
        ax = chart.figure.axes[2]
        curves = [curve for curve in ax.lines if len(curve.get_xdata()) > 2]
        assert curves
        assert min(np.min(curve.get_xdata()) for curve in curves) == NOON / 3_600
        assert "tTSLA.5 (listed 12 h after the start): " in chart.alt
        assert not re.search("nan|undefined", chart.title + chart.alt)


def test_a_panel_says_that_its_tasset_is_never_listed() -> None:
    run = never_listed(a_run(["tAAPL", "tTSLA"], days=1), "tTSLA")
    for chart in (price_and_oracle(run), system_ratio(run), amm_premium(run), ratio_distribution(run)):
        assert "never listed" in [text.get_text() for text in chart.figure.axes[1].texts]
        assert not re.search("nan|undefined", chart.title + chart.alt)
        assert "tTSLA: never listed." in chart.alt or "tTSLA: no CDPs." in chart.alt
    assert "tTSLA" not in lp_fees(run).figure.axes[0].get_legend_handles_labels()[1]


def test_listings_and_delistings_are_labelled(delisted: Run) -> None:
    assert panel_labels(price_and_oracle(delisted)) == [[], ["delisted"], ["listed"]]
    assert panel_labels(lp_fees(delisted)) == [["tTSLA delisted", "tTSLA.5 listed"]] * 2


def panel_labels(chart: Chart) -> list[list[str]]:
    return [[text.get_text() for text in ax.texts] for ax in chart.figure.axes]


def test_a_listing_by_poll_is_labelled(run: Run) -> None:
    listing = _polls().iloc[:1].assign(tasset="tGOLD", change="whitelist", value=np.nan, executed_s=2.0 * DAY)
    chart = price_and_oracle(replace(run, polls=listing))
    assert panel_labels(chart)[2] == ["listed"]
    assert "tGOLD (listed 2 d after the start)" in chart.alt


def test_a_replacement_inherits_shocks_and_outages(delisted: Run) -> None:
    shocks = [{"asset": "tTSLA", "at_s": hours * 3_600.0, "change": 0.1} for hours in (6, 18)]
    outages = [{"tasset": "tTSLA", "from_s": 11 * 3_600.0, "to_s": 13 * 3_600.0}]
    chart = price_and_oracle(replace(delisted, manifest={**delisted.manifest, "shocks": shocks, "outages": outages}))
    assert panel_labels(chart) == [[], ["+10%", "delisted"], ["listed", "+10%"]]
    assert [spans(ax, "oracle outage") for ax in chart.figure.axes] == [[], [(11.0, 12.0)], [(12.0, 13.0)]]


def spans(ax: Axes, label: str) -> list[tuple[float, float]]:
    """Hours from and to which something is shaded."""
    boxes = [patch.get_path().get_extents(patch.get_patch_transform()) for patch in ax.patches if patch.get_label() == label]
    return [(box.x0, box.x1) for box in boxes]


def test_a_delisted_tasset_has_no_closed_market(delisted: Run) -> None:
    first, old, new = (spans(ax, "market closed") for ax in price_and_oracle(delisted).figure.axes)
    assert max(end for _, end in first) == 24
    assert max(end for _, end in old) < NOON / 3_600 <= min(start for start, _ in new)


def test_a_premium_in_a_pool_of_cents_is_left_out(delisted: Run) -> None:
    drained = (delisted.series["tasset"] == "tTSLA") & (delisted.series["time_s"] > 18 * 3_600)
    series = delisted.series.assign(
        pool_usd=delisted.series["pool_usd"].mask(drained, 0.07), amm_premium=delisted.series["amm_premium"].mask(drained, 1e6)
    )
    chart = amm_premium(replace(delisted, series=series))
    assert chart.title.endswith("after a delisting, at most 50% away from the end price")
    assert chart.note.endswith("Left out: records of pools that hold less than 1 USD.")
    assert "Left out" not in amm_premium(delisted).note
    assert np.nanmax(chart.figure.axes[1].lines[1].get_ydata()) == 0.5
    traded = lp_fees(replace(delisted, series=series)).figure.axes[1].lines[1].get_ydata()
    assert np.max(traded) < 100


def test_no_ratio_is_drawn_after_a_delisting(delisted: Run) -> None:
    ratios, low = delisted.ratios, delisted.ratios["low"]
    sunk = (ratios["tasset"] == "tTSLA") & (ratios["time_s"] >= NOON) & (low == 0.9)
    chart = ratio_distribution(replace(delisted, ratios=ratios.assign(cdps=ratios["cdps"].where(low >= 1, 0).mask(sunk, 340))))
    assert chart.title == "No CDP was recorded below a collateral ratio of 1"
    assert max(mesh.get_coordinates()[..., 0].max() for mesh in chart.figure.axes[1].collections) == NOON / 3_600
    assert seen(chart.figure.axes[1], "minimum ratio")[0].max() < NOON / 3_600


def test_the_minimum_ratio_is_drawn_as_it_changes(run: Run) -> None:
    raised = run.series.assign(min_collateral_ratio=np.where(run.series["time_s"] > DAY, 1.8, 1.5))
    assert set(seen(ratio_distribution(replace(run, series=raised)).figure.axes[0], "minimum ratio")[1]) == {1.5, 1.8}


def test_income_of_stakers_is_drawn_where_there_is_texo(charts: dict[str, Chart], delisted: Run) -> None:
    assert "staking_income" not in charts
    chart = next(chart for chart in all_charts(delisted) if chart.name == "staking_income")
    assert [ax.get_ylabel() for ax in chart.figure.axes] == [
        "price of tEXO\n(USD)",
        "cumulative fees\nsold (USD)",
        "cumulative pay\n(tEXO)",
    ]
    assert chart.title == (
        "Fees of 3,000 USD paid stakers 2,400 tEXO; inflation paid 3,000 tEXO to them and 2,000 tEXO to stakers of LP tokens"
    )
    assert "Price: from 1 USD to 1.25 USD." in chart.alt
    assert seen(chart.figure.axes[2], "inflation, to stakers of tEXO")[1].max() == 3_000


def test_income_of_stakers_without_price_or_fees_is_drawn(delisted: Run) -> None:
    poor = delisted.rewards.assign(texo_price_usd=np.nan, fees_sold_usd=0.0, fees_paid_texo=0.0)
    chart = staking_income(replace(delisted, rewards=poor))
    assert panel_labels(chart)[0][0] == "its pool is empty"
    assert chart.title.startswith("No protocol fees were sold for tEXO;")
    assert "Price: no price." in chart.alt


def test_thinning_keeps_every_peak() -> None:
    values = np.random.default_rng(1).normal(size=50_000)
    _, kept = thinned(np.arange(50_000.0), values)
    assert len(kept) <= 802
    assert (kept.min(), kept.max()) == (values.min(), values.max())


def test_svg_bytes_are_the_same_twice(tmp_path: Path) -> None:
    run = a_run(["tAAPL"], days=1)
    first, second = write_figures(draw_all(run), tmp_path / "first"), write_figures(draw_all(run), tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len(first) == 6


def test_drawing_leaves_the_settings_of_matplotlib_alone(run: Run) -> None:
    before = dict(matplotlib.rcParams)
    draw(system_ratio(run))
    assert dict(matplotlib.rcParams) == before


def test_svg_is_described_for_those_who_do_not_see_it(charts: dict[str, Chart]) -> None:
    chart = charts["system_ratio"]
    for svg in (inline_svg(chart, draw(chart)), file_svg(draw(chart))):
        assert f'role="img" aria-label="{chart.alt}"' in svg
        assert f"<title>{chart.title}</title>" in svg


@pytest.mark.parametrize("case", ["no_liquidations", "one_record", "no_debt", "no_ratios", "ratios_of_one", "long_names", "empty"])
def test_odd_runs_are_drawn_without_a_warning(run: Run, case: str) -> None:
    page = render(odd_run(run, case))
    assert page.count("<figure") == {"empty": 0, "no_ratios": 5}.get(case, 6)


def odd_run(run: Run, case: str) -> Run:
    small = a_run(["tAAPL", "tGOLD"], days=0.1)
    calm = small.series.assign(liquidated_debt_usd=0.0)
    nothing = dict.fromkeys(("debt_usd", "debt_tokens"), 0.0) | dict.fromkeys(("system_collateral_ratio", "amm_premium"), np.nan)
    debtless = small.series.assign(**nothing, oracle_price=np.nan)
    frames = ("series", "ratios", "refusals", "liquidations", "rewards", "polls", "owners")
    return {
        "no_liquidations": replace(small, series=calm, refusals=small.refusals.iloc[:0], liquidations=small.liquidations.iloc[:0]),
        "one_record": a_run(days=0),
        "no_debt": replace(small, series=debtless, ratios=small.ratios.assign(cdps=0)),
        "no_ratios": replace(small, ratios=small.ratios.iloc[:0]),
        "ratios_of_one": replace(small, ratios=small.ratios[small.ratios["tasset"] == "tAAPL"]),
        "long_names": a_run(["tA_NAME_THAT_GOES_ON_AND_ON_AND_ON_AND_ON_AND_ON", "t$A_{x}$", "tŽluťoučký株"], days=0.1),
        "empty": replace(run, summary={}, **{name: getattr(run, name).iloc[:0] for name in frames}),
    }[case]


# --- the page


def test_page_loads_nothing_and_links_only_into_itself(page: str) -> None:
    parsed = Page(page)
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert not {"script", "link", "iframe", "img", "object"} & set(parsed.tags)
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in parsed.targets)


def test_page_has_unique_ids_and_every_link_leads_somewhere(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {target[1:] for target in parsed.targets if target.startswith("#")} <= set(parsed.ids)


def test_page_is_the_same_twice(run: Run, page: str) -> None:
    assert render(run) == page


def test_markup_from_a_scenario_is_inert() -> None:
    asset = f'tX"{MARKUP}'
    run = a_run([asset], days=0.1)
    hostile = {
        **dict.fromkeys(("name", "about", "scenario_file", "scenario_text", "digest", "command", "machine", "started", "start"), MARKUP),
        "notes": [MARKUP],
        "versions": {MARKUP: MARKUP},
        "path_moments": [{"asset": MARKUP, "configured": {MARKUP: MARKUP}, "realised": {MARKUP: 1.0}}],
        "path_check": {
            "rows": [{"asset": MARKUP, "quantity": MARKUP, "configured": 1.0, "realised": 2.0, "p": 0.0, "verdict": "differs"}],
            "why": MARKUP,
        },
        "shocks": [{"asset": MARKUP, "at_s": 3_600.0, "change": 0.1}],
    }
    refusals = pd.DataFrame({"time_s": [60.0], "action": [MARKUP], "status": [MARKUP], "count": [1]})
    page = render(replace(run, manifest=run.manifest | hostile, refusals=refusals))
    assert "script" not in Page(page).tags
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tA\u202epose\u2066d\u2069 tA\u202e", "tA pose d  tA "),  # as often as they stand there
        ("a\x1b[2J\x00\u2028b\u2029c\r\n", "a [2J  b c \n"),
        ("one\n\ttwo: \u2212 3 \u2026 \U0001f30a", "one\n\ttwo: \u2212 3 \u2026 \U0001f30a"),
        ("\n" * 3, "\n" * 3),
    ],
)
def test_letters_that_steer_or_turn_text_become_blanks_on_a_page(text: str, shown: str) -> None:
    assert on_page(text) == shown
    assert on_page(Markup(text)) == text  # what is our own stays


def test_why_a_figure_is_missing_and_intervals_are_shown(run: Run) -> None:
    solvency = {**run.summary["solvency"]}
    solvency["bad_debt_usd"] = {"value": 1_500.0, "unit": "USD", "paths": 400, "interval": [1_200.0, 1_900.0]}
    page = render(replace(odd_run(run, "empty"), summary={**run.summary, "solvency": solvency}))
    assert "interval 1,200 USD to 1,900 USD" in page
    assert "no liquidity provider stayed for a whole day" in page
    assert "400 price paths" in page


def test_polls_and_behaviours_of_owners_are_tables(page: str, delisted: Run) -> None:
    assert "table-polls" not in page
    assert "table-owners" not in page
    with_tables = render(delisted)
    assert cells("tAAPL", "min collateral ratio", "executed", "1 h", "17 h", "180%", "48.3%", "1.2%", "2.5%", texts=3) in with_tables
    assert cells("tTSLA", "auction discount", "not proposed", "2 h 30 min", "-", "40%", "-", "-", "-", texts=3) in with_tables
    assert cells("sold them at a premium, to buy them back", "101", "2,000,000", "-100,000", "-5%", texts=1) in with_tables


def cells(*words: str, texts: int) -> str:
    """A row of a table whose first `texts` cells are no numbers."""
    return "".join(f"<td>{word}</td>" if place < texts else f'<td class="number">{word}</td>' for place, word in enumerate(words))


def test_delistings_stand_among_the_events(run: Run, delisted: Run) -> None:
    gone = "<li>tTSLA is delisted 12 h after the start, at an end price of 400 USD; tTSLA.5 replaces it"
    assert f"{gone} and tracks a share after a split of 5 for 1.</li>" in render(delisted)
    assert "<li>tTSLA is delisted 12 h after the start, at an end price of 400 USD; tGOLD replaces it.</li>" in render(
        with_delisting(run, split=1.0)
    )


def test_page_with_texo_and_a_delisting_is_whole(delisted: Run) -> None:
    parsed = Page(render(delisted))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {"staking_income", "term-fee_purchase_price_usd", "term-delisted_pools_end_usd"} <= set(parsed.ids)


def test_configured_moments_stand_beside_realised_ones(page: str) -> None:
    assert cells("tAAPL", "configured", "0.35", "-", texts=2) in page
    assert cells("tAAPL", "realised", "0.3471", "0.01", texts=2) in page
    assert "The one moment that could be judged is as configured" in page


def test_prices_of_the_path_are_a_line_an_asset(page: str) -> None:
    assert cells("tAAPL", "181.20", "-", "-", "-6.1%", "34.7%", "-", texts=1) in page
    assert cells("tGOLD", "-", "-", "-", "-", "15.2%", "-", texts=1) in page


def test_page_says_how_to_run_it_again(page: str) -> None:
    for part in ("python run.py run scenarios/short_squeeze.yaml --seed 42", "9f2c4e11d0ab", "numpy 2.4.6", "auction_discount: 0.2"):
        assert part in page


def test_every_figure_of_the_summary_is_defined(run: Run) -> None:
    names = {name for group in (*run.summary.values(), STAKING, DELISTING) for name in group}
    assert names <= set(GLOSSARY)
    assert all(term.label and term.meaning.endswith(".") and term.unit and term.sign and term.source for term in GLOSSARY.values())


def test_a_figure_without_definition_stops_the_page(run: Run) -> None:
    unknown = {**run.summary, "solvency": {"gloom": {"value": 1, "unit": "count", "paths": 1}}}
    with pytest.raises(KeyError, match="gloom"):
        render(replace(run, summary=unknown))


# --- the terminal


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_summary_is_one_screen(run: Run, width: int) -> None:
    lines = printed(run, width)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width


def test_terminal_summary_stays_one_screen_whatever_the_scenario_says(run: Run) -> None:
    endless = replace(run, manifest={**run.manifest, "name": "x" * 300, "about": "word " * 100})
    assert len(printed(endless, 80)) <= 24


def test_terminal_summary_stays_one_screen_with_delisting_and_polls(delisted: Run) -> None:
    lines = printed(with_value(delisted, "fee_yield", "lp_net_yield_per_year", -0.0123), 80)
    assert len(lines) <= 24
    assert "Polls: 1 executed; 1 rejected; 1 not proposed." in " ".join(lines)


def test_terminal_summary_says_where_the_report_is_and_what_was_refused(run: Run) -> None:
    text = "\n".join(printed(run, 100))
    assert "out/short_squeeze/9f2c4e11d0ab-42/report.html" in text
    assert re.search(r"Refused: \w+, [a-z ]+ \d+;", text)
    assert "4.21% per year" in text


def test_terminal_takes_no_orders_from_a_scenario(run: Run) -> None:
    text = "\n".join(printed(replace(run, manifest={**run.manifest, "name": "\x1b[2J[red]squeeze[/red]"}), 100))
    assert "\x1b" not in text
    assert "[red]squeeze[/red]" in text


def test_terminal_summary_needs_neither_matplotlib_nor_jinja() -> None:
    code = "import sys, seawall.reports.terminal; print({'matplotlib', 'jinja2'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
