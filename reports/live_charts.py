"""The charts of the live page: the records so far, over an axis that spans the whole run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seawall.models.stress import StressModel
from seawall.reports.style import (
    BLUE,
    CLOSED,
    COLOURS,
    DASHES,
    GREY,
    INK,
    MOST_PANELS,
    MUTED,
    ORANGE,
    VERMILION,
    Chart,
    TimeAxis,
    columns,
    finish,
    house_style,
    line,
    of_tasset,
    panels,
    say,
    shortened,
)
from seawall.reports.words import DAY, HOUR, duration, number, percent, usd

_DAYS_FROM = 4 * DAY
_ABOVE, _BELOW, _LEGEND_ROW = 0.35, 0.45, 0.2  # inches
_LEAST_SPAN = 0.01  # of the price, to each side
Draw = Callable[[Axes, TimeAxis, pd.DataFrame], None]


def live_charts(model: StressModel) -> list[Chart]:
    """Prices, collateral ratios, CDPs in trouble, losses: the tASSET market as recorded so far."""
    series = model.series()
    return [_prices(model, series), _ratios(model, series), _troubled(model, series), _losses(model, series)]


def whole_run(model: StressModel) -> TimeAxis:
    """A time axis from the start to the last round, whatever has been played."""
    clock = model.world.clock[0]
    seconds = float(clock.steps * clock.step_seconds)
    unit_s, label = (DAY, "days since start") if seconds > _DAYS_FROM else (HOUR, "hours since start")
    return TimeAxis(unit_s, label, 0.0, seconds / unit_s)


@house_style()
def _prices(model: StressModel, series: pd.DataFrame) -> Chart:
    gap = (series["oracle_price"] / series["market_price"] - 1.0).abs().max()
    title = "The oracle has given no price yet" if np.isnan(gap) else f"Prices: the oracle was at most {percent(gap)} off the market"
    figure = _per_tasset(model, series, _draw_prices, unit="USD per\ntASSET")
    note = "Hatched: the feed is silent. Grey: the market is closed."
    return Chart("live-prices", title, f"{title}; market, oracle and pool price of each tASSET so far.", note, figure)


def _draw_prices(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    line(ax, axis, rows["time_s"], rows["market_price"], color=INK, linewidth=1.0, label="market")
    line(ax, axis, rows["time_s"], rows["amm_price"], color=ORANGE, linewidth=1.0, label="pool")
    line(ax, axis, rows["time_s"], rows["oracle_price"], color=BLUE, linestyle=DASHES[1], label="oracle")
    middle = float(rows["market_price"].iloc[-1])
    _at_least(ax, middle * (1.0 - _LEAST_SPAN), middle * (1.0 + _LEAST_SPAN))


@house_style()
def _ratios(model: StressModel, series: pd.DataFrame) -> Chart:
    ratios, title = series["system_collateral_ratio"], "Nobody has debt yet"
    if ratios.notna().any():
        worst = series.iloc[int(np.nanargmin(ratios.to_numpy(float)))]
        of_whom = f"{worst['tasset']}; minimum {worst['min_collateral_ratio']:.3g}"
        title = f"Lowest system collateral ratio so far: {ratios.min():.3g} ({of_whom})"
    figure = _per_tasset(model, series, _draw_ratios, unit="fraction")
    note = "Value of all collateral over value of all debt, at market prices."
    return Chart("live-ratios", title, f"{title}; the ratio of each tASSET so far against the minimum.", note, figure)


def _draw_ratios(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    if rows["system_collateral_ratio"].isna().all():
        say(ax, "no debt")
    line(ax, axis, rows["time_s"], rows["system_collateral_ratio"], color=BLUE, label="system ratio")
    line(ax, axis, rows["time_s"], rows["min_collateral_ratio"], color=INK, linestyle="--", linewidth=1, label="minimum")
    ax.axhline(1.0, color=VERMILION, linewidth=1, label="1: insolvent")


@house_style()
def _troubled(model: StressModel, series: pd.DataFrame) -> Chart:
    called, solvency = _total(series, "margin_called_cdps"), model.summary()["solvency"]
    insolvent, most = (number(solvency[f"insolvent_cdps_{when}"].value or 0) for when in ("end", "peak"))
    title = (
        f"{number(called.iloc[-1])} CDPs margin called now (at most {number(called.max())} at a record), "
        f"{insolvent} insolvent (at most {most} in any round)"
    )
    labels = {"margin_called_cdps": "margin-called\nCDPs", "insolvent_cdps": "insolvent\nCDPs"}
    note = "Margin called: below the minimum at the oracle's price. Insolvent: worth less than it owes at the market's."
    return Chart("live-cdps", title, f"{title}.", note, _of_all(model, series, labels))


@house_style()
def _losses(model: StressModel, series: pd.DataFrame) -> Chart:
    solvency = model.summary()["solvency"]
    shortfall, most, bad_debt = (usd(solvency[name].value or 0.0) for name in ("shortfall_end_usd", "shortfall_peak_usd", "bad_debt_usd"))
    title = f"Shortfall now {shortfall} (at most {most} in any round), bad debt so far {bad_debt}"
    labels = {"shortfall_usd": "shortfall\n(USD)", "bad_debt_usd": "bad debt\n(USD)"}
    note = "Shortfall: what insolvent CDPs owe beyond their collateral, now. Bad debt: what is left unpaid for good."
    return Chart("live-losses", title, f"{title}.", note, _of_all(model, series, labels))


def _total(series: pd.DataFrame, column: str) -> pd.Series[float]:
    return series.groupby("time_s")[column].sum()


def _shown(model: StressModel) -> list[tuple[int, str]]:
    """Row and name of the tASSETs drawn: the first six."""
    return list(enumerate(model.tasset_names))[:MOST_PANELS]


def _per_tasset(model: StressModel, series: pd.DataFrame, draw: Draw, *, unit: str) -> Figure:
    """A panel per tASSET, drawn by `draw` from its rows in order of time."""
    axis, shown = whole_run(model), _shown(model)
    figure, axes = panels(len(shown))
    for ax, (k, name) in zip(axes, shown, strict=True):
        _backdrop(ax, model, axis, k)
        draw(ax, axis, of_tasset(series, name))
        ax.set_title(shortened(name))
        ax.set_ylabel(unit)
    finish(figure, axes, axis)
    _lay_out(figure, between=0.4)
    return figure


def _of_all(model: StressModel, series: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """A panel per column (with its label), a curve per tASSET."""
    axis = whole_run(model)
    figure, axes = panels(len(labels), height=1.7)
    for ax, (column, label) in zip(axes, labels.items(), strict=True):
        for (_, name), colour, dash in zip(_shown(model), COLOURS, DASHES, strict=False):
            rows = of_tasset(series, name)
            line(ax, axis, rows["time_s"], rows[column], color=colour, linestyle=dash, label=shortened(name))
        ax.set_ylabel(label)
        ax.set_ylim(bottom=0)
        _at_least(ax, 0.0, 1.0)
    finish(figure, axes, axis)
    _lay_out(figure, between=0.2)
    return figure


def _lay_out(figure: Figure, *, between: float) -> None:
    """Place the panels at fixed margins, so that they stay where they are from picture to picture."""
    height, labels = figure.get_figheight(), [text.get_text() for text in figure.legends[0].get_texts()]
    legend = _LEGEND_ROW * math.ceil(len(labels) / columns(labels))
    figure.subplots_adjust(left=0.17, right=0.98, bottom=_BELOW / height, top=1.0 - (_ABOVE + legend) / height, hspace=between)


def _at_least(ax: Axes, low: float, high: float) -> None:
    """Widen an axis to hold these values: the first records differ by less than a label shows."""
    bottom, top = ax.get_ylim()
    ax.set_ylim(min(bottom, low), max(top, high))


def _backdrop(ax: Axes, model: StressModel, axis: TimeAxis, tasset: int) -> None:
    """Shade what has been played of closed markets and silent feeds of a tASSET; a line marks the present."""
    world = model.world
    played = int(world.clock[0].step) + 1
    row = world.tassets[tasset]
    seconds = float(world.clock[0].step_seconds)
    feeders = np.flatnonzero(world.oracle_feeders["account"] == world.feeds[row.feed].feeder)
    for low, high in _spans(world.market_open[:played, int(row.asset)]):
        ax.axvspan(*axis.units((low * seconds, high * seconds)), color=CLOSED, linewidth=0, zorder=0)
    for low, high in _spans(np.any(world.feed_up[:played, feeders], axis=1, keepdims=True)[:, 0]) if len(feeders) else ():
        ax.axvspan(*axis.units((low * seconds, high * seconds)), facecolor="none", edgecolor=GREY, hatch="////", linewidth=0, zorder=0.5)
    if model.rounds_left:
        ax.axvline(float(world.clock[0].now) / axis.unit_s, color=MUTED, linewidth=0.8, zorder=1)


def _spans(is_up: np.ndarray) -> Iterator[tuple[int, int]]:
    """First round and the round after the last of each stretch in which it is not."""
    turns = np.flatnonzero(np.diff(np.r_[0, ~is_up.astype(bool), 0]))
    yield from list(pairwise(int(turn) for turn in turns))[::2]


def progress(model: StressModel) -> str:
    """How far the run is, in words."""
    clock = model.world.clock[0]
    whole = duration(float(clock.steps * clock.step_seconds))
    return f"All of {whole} played." if model.rounds_left == 0 else f"{duration(float(clock.now))} of {whole} played."
