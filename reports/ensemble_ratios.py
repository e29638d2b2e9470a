"""The heat map of an ensemble: the share of the CDPs of all paths by collateral ratio over time."""

from __future__ import annotations

import pandas as pd

from seawall.reports.ensemble_fans import plan, time_axis
from seawall.reports.ratio_heat import SHADES, below_one, draw_shares, ratio_axis, shade_samples, spoken
from seawall.reports.style import INK, MOST_PANELS, VERMILION, Chart, finish, house_style, line, panels, shortened
from seawall.reports.words import duration, number, percent
from seawall.studies.ensemble_files import EnsembleFiles

LEAST_SHARE = 1e-4
"""Shares below it are not drawn: of a thousand paths one CDP on one of them would be as easy to see as a hundred times as many."""


def ratio_charts(found: EnsembleFiles) -> list[Chart]:
    """The heat map; none where no path kept its ratios, or nobody has a CDP."""
    ratios = found.ratios()
    return [heat_map(found, ratios)] if ratios["share"].any() else []


@house_style()
def heat_map(found: EnsembleFiles, ratios: pd.DataFrame) -> Chart:
    """A panel per tASSET: the share of open CDPs per bin of the ratio, below 1 in another colour; the minimum ratio, and what was planned.

    Args:
        found: the ensemble.
        ratios: as `EnsembleFiles.ratios` has them.
    """
    bands = found.bands()
    axis, every = time_axis(bands), list(dict.fromkeys(ratios["tasset"]))
    shares = {name: _shares(found, ratios, name) for name in every[:MOST_PANELS]}
    most = max(float(share.to_numpy().max(initial=0.0)) for share in shares.values())
    figure, axes = panels(len(shares), height=1.7)
    minima = bands[(bands["table"] == "series") & (bands["column"] == "min_collateral_ratio")]
    for ax, (name, share) in zip(axes, shares.items(), strict=True):
        end = min(axis.high, float(axis.units(_delisted(found, name))))
        draw_shares(ax, axis, share.where(share >= LEAST_SHARE, 0.0), most, end=end, empty="no CDPs")
        minimum = minima[minima["name"] == name].sort_values("time_s", kind="stable")
        line(ax, axis, minimum["time_s"], minimum["mean"], color=INK, linestyle="--", linewidth=1, label="minimum ratio")
        ax.axhline(1.0, color=VERMILION, linewidth=1, label="1: insolvent below")
        plan(ax, axis, found, name)
        ratio_axis(ax, share.where(share >= LEAST_SHARE, 0.0), minimum["mean"])
        ax.set_title(shortened(name))
        ax.set_ylabel("collateral ratio\n(fraction)")
    shade_samples(axes[0], most)
    finish(figure, axes, axis)
    alt = f"Heat map of the share of the CDPs of all paths by collateral ratio over time. {spoken(shares)}"
    return Chart("ratios", _title(shares), alt, _note(found, ratios, len(every)), figure)


def _shares(found: EnsembleFiles, ratios: pd.DataFrame, name: str) -> pd.DataFrame:
    """Share per bin (index: low and high edge) and time (columns: seconds) of one tASSET, up to its delisting."""
    rows = ratios[(ratios["tasset"] == name) & (ratios["time_s"] < _delisted(found, name))]
    return rows.pivot(index=["low", "high"], columns="time_s", values="share")


def _delisted(found: EnsembleFiles, name: str) -> float:
    """Seconds from the start to the delisting; infinite without one."""
    return min((float(event["at_s"]) for event in found.manifest["delistings"] if event["tasset"] == name), default=float("inf"))


def _title(shares: dict[str, pd.DataFrame]) -> str:
    worst, name = max((below_one(share), name) for name, share in shares.items())
    if not worst.peak:
        return "No CDP of any path is recorded below a collateral ratio of 1"
    return f"Up to {percent(worst.peak)} of the CDPs of {name} are below a collateral ratio of 1, {duration(worst.at_s)} after the start"


def _note(found: EnsembleFiles, ratios: pd.DataFrame, count: int) -> str:
    left_out = f"Shown are the first {MOST_PANELS} of {count}. " if count > MOST_PANELS else ""
    delisted = " Nothing after a delisting: no ratio counts any more." if found.manifest["delistings"] else ""
    paths = number(int(ratios["paths"].max()))
    return f"{left_out}{SHADES} All CDPs of {paths} paths together; shares below {percent(LEAST_SHARE)} are not drawn.{delisted}"
