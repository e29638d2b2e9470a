"""Who gained and who lost each dollar, over all protocols of a run: the figure and the table."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from seawall.reports.glossary import define
from seawall.reports.market_terms import CHECKS, GAINERS
from seawall.reports.result import Result
from seawall.reports.style import BLUE, INK, VERMILION, Chart, house_style, panels, say
from seawall.reports.tables import Table
from seawall.reports.words import amount, quantity, usd

GROUP = "market_waterfall"
_BAR_INCHES = 0.27
_LETTER, _GAP = 6.5, 10.0  # points that a label needs per letter, and beside its bar
_PLOT = 250.0  # points: width of the bars and their labels together


def waterfall_charts(result: Result) -> list[Chart]:
    """The waterfall as bars, where the run has one with a gain or loss in it."""
    return [waterfall_chart(result)] if gains(result) else []


def gains(result: Result) -> dict[str, float]:
    """USD that each group gained, to the cent, the largest gain first; groups without a figure are left out."""
    figures = result.summary.get(GROUP, {})
    known = {who: figures[name]["value"] for name, who in GAINERS.items() if name in figures and figures[name]["value"] is not None}
    return {who: round(gain, 2) + 0.0 for who, gain in sorted(known.items(), key=lambda item: -item[1])}


@house_style()
def waterfall_chart(result: Result) -> Chart:
    """A bar for each group: gains to the right, losses to the left."""
    found = gains(result)
    figure, (ax,) = panels(1, height=_BAR_INCHES * len(found))
    _draw(ax, found)
    spoken = ", ".join(f"{who} {usd(gain)}" for who, gain in found.items())
    alt = f"Gain of each group, losses negative. {spoken}."
    return Chart(GROUP, _title(found), alt, _note(result), figure)


def _title(found: dict[str, float]) -> str:
    (best, gain), (worst, loss) = next(iter(found.items())), next(reversed(found.items()))
    parts = [f"{best} gained most, {usd(gain)}"] if gain > 0.0 else []
    parts += [f"{worst} lost most, {usd(-loss)}"] if loss < 0.0 else []
    title = "; ".join(parts) or "Nobody gained or lost anything"
    return title[0].upper() + title[1:]


def _note(result: Result) -> str:
    """What the bars are measured against, and what came out of nothing."""
    figures = result.summary[GROUP]
    made = [f"{define(name).label} {usd(figures[name]['value'])}" for name in CHECKS if name in figures and figures[name]["value"]]
    out_of_nothing = f" Not a transfer between them: {', '.join(made)}." if made else ""
    return f"Against holding what everybody started with, at prices of the end.{out_of_nothing}"


def _draw(ax: Axes, found: dict[str, float]) -> None:
    """Bars from the top down, each labelled with its amount."""
    places, values = range(0, -len(found), -1), list(found.values())
    ax.barh(places, values, height=0.62, color=[BLUE if value >= 0.0 else VERMILION for value in values])
    for place, value in zip(places, values, strict=True):
        rightwards = value >= 0.0
        ax.annotate(
            amount(value),
            (value, place),
            xytext=(4 if rightwards else -4, 0),
            textcoords="offset points",
            ha="left" if rightwards else "right",
            va="center",
            fontsize=9.5,
        )
    ax.axvline(0.0, color=INK, linewidth=0.8)
    _set_axes(ax, found)
    if not any(values):
        say(ax, "no gains, no losses")


def _set_axes(ax: Axes, found: dict[str, float]) -> None:
    low, high = min(0.0, *found.values()), max(0.0, *found.values())
    left, right = (_label_share([gain for gain in found.values() if (gain < 0.0) == is_loss]) for is_loss in (True, False))
    span = ((high - low) or 1.0) / (1.0 - left - right)
    ax.set_xlim(low - left * span, high + right * span)
    ax.set_ylim(0.6 - len(found), 0.6)
    ax.set_yticks(range(0, -len(found), -1), list(found))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("gain (USD)")


def _label_share(values: list[float]) -> float:
    """How much of the width the longest label of these takes."""
    return max((_LETTER * len(amount(value)) + _GAP for value in values), default=0.0) / _PLOT


def waterfall_table(result: Result) -> Table:
    """The same as a table: gains, then what came out of nothing, then what remains; no rows without a waterfall."""
    figures = result.summary.get(GROUP, {})
    rows = [(who, quantity(gain, "USD")) for who, gain in gains(result).items()]
    rows += [(define(name).label, quantity(figures[name]["value"], "USD")) for name in CHECKS if name in figures]
    caption = "Who gained and who lost over all protocols; gains less unbacked tokens and new tEXO add up to 0, the exchange's apart"
    return Table(("Who", "Gain"), rows, 1, caption)
