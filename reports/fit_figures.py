"""The figure of a calibration: does the fitted model make returns like those of the history?

Three views of the same bars: quantiles of single returns, how squares remember, and where simulated prices go from the same start.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from seawall.protocols.tables import Floats
from seawall.reports.style import BLUE, INK, MUTED, Chart, house_style, thinned
from seawall.reports.words import percent, usd
from seawall.studies.calibration import Calibration

_LAGS = 60
_DAY = 86_400
_BANDS = ((5, 95, 0.15), (25, 75, 0.3))  # percentiles and opacity
_WIDEST = 2.0  # times the largest return of the history: quantiles of the model beyond are not drawn
_MOST_BARS = 5_000_000
_WORST = 0.001  # the tail whose size the title tells


@house_style()
def fit_chart(found: Calibration, *, paths: int | None = None, seed: int = 0) -> Chart:
    """Quantiles, autocorrelation of squares, and a fan of prices, of the history and of simulated paths.

    Args:
        found: the fit.
        paths: simulated paths, >= 2; if None 200, or as many as make five million bars, at least 20.
        seed: of the simulation; equal seeds, equal figures.

    Raises:
        ValueError: paths is < 2.
    """
    if paths is None:
        paths = min(200, max(20, _MOST_BARS // found.fit.bars))
    if paths < 2:
        raise ValueError(f"paths(={paths}) must be >= 2")
    drawn, real = found.simulate(paths, seed=seed), found.log_returns
    figure = Figure(figsize=(5.0, 7.4), layout="constrained")
    first, second, third = figure.subplots(3, 1)
    _quantiles(first, real, drawn)
    _memory(second, real, drawn)
    _fan(third, found, drawn)
    tails = [float(np.quantile(np.abs(each), 1 - _WORST)) for each in (real, drawn)]
    name = f"fit_{found.fit.model}"
    title = f"One bar in 1,000 of {found.column} moved by more than {percent(tails[0])}; in {found.fit.model}, {percent(tails[1])}"
    alt = f"{title}. {_spoken_memory(real, drawn)} {_spoken_end(found, drawn)}"
    note = (
        f"{paths} simulated paths of {found.fit.bars:,} bars of {found.fit.bar_seconds:g} s, from the model's long-run state; bands hold "
        "half and nine tenths of them. The fan starts at the first price of the history and leaves out the time of gaps. Quantiles beyond "
        "twice the history's largest return are not drawn."
    )
    return Chart(name, title, alt, note, figure)


def _quantiles(ax: Axes, real: Floats, drawn: Floats) -> None:
    """Quantiles of the history against those of the model; on the line where they agree."""
    levels = (np.arange(len(real)) + 0.5) / len(real)
    model, history = np.quantile(drawn, levels), np.sort(real)
    largest = [float(np.abs(each).max()) for each in (history, model)]
    edge = 1.05 * min(max(largest), _WIDEST * largest[0])
    ax.plot([-edge, edge], [-edge, edge], color=MUTED, linewidth=0.8)
    shown = _outer(len(real))
    ax.plot(model[shown], history[shown], color=BLUE, linestyle="none", marker="o", markersize=2.5)
    ax.set_title("Log returns of a bar, quantile by quantile")
    ax.set_xlabel("model")
    ax.set_ylabel("history")
    ax.set(xlim=(-edge, edge), ylim=(-edge, edge))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 9))))
        axis.set_major_locator(MaxNLocator(5))


def _outer(count: int, *, middle: int = 200, tail: int = 100) -> Floats:
    """Numbers of the quantiles to draw: every one of both tails, some between."""
    return np.unique(np.concatenate([np.arange(min(tail, count)), np.linspace(0, count - 1, middle).astype(int), np.arange(count)[-tail:]]))


def _memory(ax: Axes, real: Floats, drawn: Floats) -> None:
    """Autocorrelation of squared returns, by lag."""
    lags = np.arange(1, min(_LAGS, len(real) // 4) + 1)
    simulated = np.array([_autocorrelation(each, len(lags)) for each in drawn])
    ax.fill_between(lags, *np.percentile(simulated, (5, 95), axis=0), color=BLUE, alpha=0.2, linewidth=0, label="model, nine tenths")
    ax.plot(lags, np.median(simulated, axis=0), color=BLUE, label="model, median")
    ax.plot(lags, _autocorrelation(real, len(lags)), color=INK, linewidth=1.0, label="history")
    ax.set_title("Autocorrelation of squared returns")
    ax.set_xlabel("bars apart")
    ax.set_ylim(top=ax.get_ylim()[1] * 1.25)  # room for the legend
    ax.legend(loc="upper right", ncols=3)


def _autocorrelation(x: Floats, lags: int) -> Floats:
    """Of squares, `[lags]`, from lag 1."""
    w = (x - x.mean()) ** 2
    w = w - w.mean()
    return np.array([float((w[:-k] * w[k:]).sum()) for k in range(1, lags + 1)]) / float((w**2).sum())


def _fan(ax: Axes, found: Calibration, drawn: Floats) -> None:
    """The history among simulated prices, on a log scale."""
    start = float(found.prices[0])
    days = np.arange(drawn.shape[1] + 1) * found.fit.bar_seconds / _DAY
    logs = np.pad(np.cumsum(drawn, axis=1), ((0, 0), (1, 0)))
    chosen = np.unique(np.linspace(0, len(days) - 1, 300).astype(int))
    for low, high, opacity in _BANDS:
        edges = start * np.exp(np.percentile(logs[:, chosen], (low, high), axis=0))
        ax.fill_between(days[chosen], *edges, color=BLUE, alpha=opacity, linewidth=0)
    ax.plot(days[chosen], start * np.exp(np.median(logs[:, chosen], axis=0)), color=BLUE)
    real = np.pad(np.cumsum(found.log_returns), (1, 0))
    ax.plot(*thinned(days, start * np.exp(real)), color=INK, linewidth=1.0)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    ax.set_title("Price, USD: history among simulated paths")
    ax.set_xlabel("days of bars since the first price")


def _spoken_memory(real: Floats, drawn: Floats) -> str:
    near = _autocorrelation(real, 1)[0], float(np.median([_autocorrelation(each, 1)[0] for each in drawn]))
    return f"Squared returns of neighbouring bars correlate by {near[0]:.2f} in the history, {near[1]:.2f} in the model."


def _spoken_end(found: Calibration, drawn: Floats) -> str:
    low, high = (float(found.prices[0]) * float(np.exp(np.percentile(drawn.sum(axis=1), p))) for p in (5, 95))
    return f"Nine tenths of the simulated paths end from {usd(low)} to {usd(high)}; the history ended at {usd(float(found.prices[-1]))}."
