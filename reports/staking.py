"""The figure of tEXO: its price, the protocol fees sold for it, and what stakers were paid."""

from __future__ import annotations

import pandas as pd

from seawall.reports.backdrop import backdrop
from seawall.reports.result import Result
from seawall.reports.style import BLUE, DASHES, GREEN, INK, ORANGE, Chart, TimeAxis, finish, house_style, line, panels, say
from seawall.reports.words import duration, number, usd


@house_style()
def staking_income(result: Result) -> Chart:
    """Price of tEXO, fees sold for it, and tEXO paid to stakers out of fees and inflation, cumulative."""
    axis, rows = TimeAxis.of(result), result.rewards.sort_values("time_s", kind="stable")
    figure, axes = panels(3, height=1.5)
    if rows["texo_price_usd"].isna().all():
        say(axes[0], "its pool is empty")
    line(axes[0], axis, rows["time_s"], rows["texo_price_usd"], color=INK)
    line(axes[1], axis, rows["time_s"], rows["fees_sold_usd"], color=INK)
    for (label, paid), colour, dash in zip(_paid(rows).items(), (BLUE, ORANGE, GREEN), DASHES, strict=False):
        line(axes[2], axis, rows["time_s"], paid, color=colour, linestyle=dash, label=label)
    units = ("price of tEXO\n(USD)", "cumulative fees\nsold (USD)", "cumulative pay\n(tEXO)")
    for ax, unit in zip(axes, units, strict=True):
        backdrop(ax, result, axis)
        ax.set_ylabel(unit)
    for ax in axes[1:]:
        ax.set_ylim(bottom=0)
    finish(figure, axes, axis)
    note = "Protocol fees are sold for tEXO, which goes to those who stake tEXO. Inflation goes to them and to those who stake LP tokens."
    return Chart("staking_income", _title(rows), _alt(rows), note, figure)


def _paid(rows: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """tEXO paid so far, by what it is paid out of and to whom."""
    return {
        "fees, to stakers of tEXO": rows["fees_paid_texo"],
        "inflation, to stakers of tEXO": rows["inflation_texo"] - rows["lp_rewards_texo"],
        "inflation, to stakers of LP tokens": rows["lp_rewards_texo"],
    }


def _title(rows: pd.DataFrame) -> str:
    last = rows.iloc[-1]
    sold, bought, to_lps = (float(last[name]) for name in ("fees_sold_usd", "fees_paid_texo", "lp_rewards_texo"))
    fees = f"Fees of {usd(sold)} paid stakers {number(bought)} tEXO" if sold > 0 else "No protocol fees were sold for tEXO"
    inflation = (
        f"inflation paid {number(float(last['inflation_texo']) - to_lps)} tEXO to them and {number(to_lps)} tEXO to stakers of LP tokens"
    )
    return f"{fees}; {inflation}"


def _alt(rows: pd.DataFrame) -> str:
    price = rows["texo_price_usd"].dropna()
    spoken = "no price" if price.empty else f"from {usd(price.iloc[0])} to {usd(price.iloc[-1])}"
    paid = "; ".join(f"{label}, {number(float(so_far.iloc[-1]))} tEXO" for label, so_far in _paid(rows).items())
    horizon = duration(float(rows["time_s"].iloc[-1] - rows["time_s"].iloc[0]))
    return f"tEXO over {horizon}. Price: {spoken}. Fees sold: {usd(float(rows['fees_sold_usd'].iloc[-1]))}. Paid: {paid}."
