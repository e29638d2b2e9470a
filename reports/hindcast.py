"""The scorecard of a hindcast: a table for the terminal, a figure, and its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.protocols.tables import Floats
from seawall.reports.style import BLUE, INK, MUTED, Chart, house_style, say, thinned
from seawall.reports.svg import draw, file_svg
from seawall.reports.words import DAY, HOUR, NOT_COMPUTED, number, percent, printable, usd
from seawall.studies.hindcast import Scorecard
from seawall.studies.hindcast_scores import DEFINITIONS, Score
from seawall.studies.store import write

_SIDES = {"long": "Longs", "short": "Shorts", "loss": "Losses"}
_OF_SIDES = (
    "rank_correlation",
    "range_rank_correlation",
    "rank_correlation_gain",
    "top_tenth_share",
    "best_top_tenth_share",
    "total_ratio",
)
"""Scores shown of each side; `scorecard.json` has all."""
SCORECARD, BUCKETS, FIGURE = "scorecard.json", "hindcast.parquet", "hindcast.svg"
_CAVEAT = "Prices are replayed and real positions are not known: scores judge when liquidations come, not how large the market was."


def write_hindcast(card: Scorecard, folder: Path) -> None:
    """Write `scorecard.json` (scores with meanings, sides together and apart), `hindcast.parquet` (a row per bucket), `hindcast.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"about": card.about, "verdict": verdict(card), "scores": _entries(card.scores)}
    content["sides"] = {side: _entries(scores) for side, scores in card.sides.items()}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    picture = file_svg(draw(chart(card)))
    write(folder / BUCKETS, lambda file: card.buckets.to_parquet(file, index=False))
    write(folder / FIGURE, lambda file: file.write_text(picture, encoding="utf-8", newline="\n"))
    write(folder / SCORECARD, lambda file: file.write_text(text + "\n", encoding="utf-8", newline="\n"))


def _entries(scores: tuple[Score, ...]) -> dict[str, Any]:
    return {found.name: found.as_entry() for found in scores}


def print_hindcast(card: Scorecard, console: Console, folder: Path) -> None:
    """Print the answer in words, the scores with their intervals, and where the files are."""
    about = card.about
    scored = f"  {number(about['runs'])} runs, seed {about['seed']}; {number(about['buckets_scored'])} {_bucket(about)}s scored"
    console.print(Text.assemble((printable(about["name"]), "bold"), scored))
    for sentence in verdict(card):
        console.print(Text(sentence))
    table = Table("", "Score", "95 % interval", box=None, pad_edge=False, header_style="bold")
    for found in card.scores:
        table.add_row(*_cells(found))
    console.print(table)
    if card.sides:
        console.print(_sides_table(card))
    console.print(Text(_losses(card)))
    console.print(Text(_CAVEAT, style="dim"))
    console.print(Text(f"Files   {folder}"), soft_wrap=True)


def _sides_table(card: Scorecard) -> Table:
    """Longs, shorts and losses apart: the scores that tell most, each with its interval."""
    table = Table("", *(_SIDES[side] for side in card.sides), box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(_OF_SIDES):
        cells = [_cells(scores[list(DEFINITIONS).index(name)]) for scores in card.sides.values()]
        table.add_row(cells[0][0] if place != 1 else "the same of its own move of the price", *(_joined(*rest) for _, *rest in cells))
    return table


def _joined(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value


def _losses(card: Scorecard) -> str:
    """What the model says of losses, which nobody recorded, or in which file they are."""
    about = card.about
    lost, liquidated = about["predicted_loss_usd"], about["predicted_long_usd"] + about["predicted_short_usd"]
    share = f", {percent(lost / liquidated)} of what is liquidated" if liquidated > 0.0 else ""
    return (
        f"Losses in the model: {usd(lost)} of margin{share}; {usd(about['predicted_shortfall_usd'])} beyond it. "
        f"In reality: {about['realised_losses']}."
    )


def verdict(card: Scorecard) -> list[str]:
    """The answer in sentences, made of the scores."""
    rank, share, best = (card[name] for name in ("rank_correlation", "top_tenth_share", "best_top_tenth_share"))
    if rank is None or share is None or best is None:
        return [f"Not scored: {next(found.why for found in card.scores if found.value is None)}."]
    bucket = _bucket(card.about)
    answer = (
        f"The tenth of the {bucket}s in which the model liquidates most saw {percent(share)} of what was really liquidated; "
        f"knowing the worst {bucket}s would give {percent(best)}, chance 10%. Rank correlation by {bucket}: {rank:.2f}."
    )
    return [answer, *_beside_range(card)]


def _beside_range(card: Scorecard) -> list[str]:
    gain = next(found for found in card.scores if found.name == "rank_correlation_gain")
    alone = card["range_rank_correlation"]
    if gain.value is None or gain.low is None or gain.high is None or alone is None:
        return []
    said = "clearly better" if gain.low > 0.0 else "clearly worse" if gain.high < 0.0 else "not clearly better or worse"
    than = f"the price range alone ({alone:.2f}), which needs no model"
    return [f"In ranking {_bucket(card.about)}s the model is {said} than {than}."]


def _bucket(about: dict[str, Any]) -> str:
    return "hour" if about["bucket_hours"] == 1 else f"{about['bucket_hours']}-hour bucket"


def _cells(found: Score) -> tuple[str, str, str]:
    label, unit, _ = DEFINITIONS[found.name]
    if found.value is None:
        return label, NOT_COMPUTED, found.why
    interval = "" if found.low is None or found.high is None else f"{_words(found.low, unit)} to {_words(found.high, unit)}"
    return label, _words(found.value, unit), interval


def _words(value: float, unit: str) -> str:
    if unit == "fraction":
        return percent(value)
    return f"{number(value)} h" if unit == "hours" else f"{float(f'{value:.3g}'):,g}"


@house_style()
def chart(card: Scorecard) -> Chart:
    """Realised, and predicted times the fitted scale, over time; below, one against the other."""
    figure = Figure(figsize=(5.0, 6.6), layout="constrained")
    top, middle, low = figure.subplots(3, 1, height_ratios=(1.0, 1.0, 1.5))
    used = card.buckets[card.buckets["is_scored"]]
    days: Floats = np.flatnonzero(card.buckets["is_scored"].to_numpy(dtype=np.bool_)) * card.about["bucket_hours"] * HOUR / DAY
    scaled = card["scale"] is not None
    model, reality = _column(used, "scaled_usd" if scaled else "predicted_usd"), _column(used, "realised_usd")
    _over_time(top, days, reality, INK)
    _over_time(middle, days, model, BLUE)
    top.set_title("Liquidated in reality, million USD")
    middle.set_title(f"Liquidated by the model{', scaled' if scaled else ''}, million USD")
    middle.set_xlabel("days since start; the scale is fitted left of the line")
    _against(low, model, reality)
    bucket = _bucket(card.about)
    low.set_title(f"One dot per {bucket}, USD")
    title = verdict(card)[0].split(";")[0].rstrip(".")
    note = _note(int(((model > 0.0) & (reality > 0.0)).sum()), len(used), bucket)
    return Chart("hindcast", title, f"{title}. {_spoken(_starts(used), model, reality)}", note, figure)


def _column(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype=np.float64)


def _starts(frame: pd.DataFrame) -> list[str]:
    return list(frame["start"].dt.strftime("%Y-%m-%d %H:%M"))


def _over_time(ax: Axes, days: Floats, volume: Floats, colour: str) -> None:
    ax.plot(*thinned(days, volume / 1e6), color=colour, linewidth=0.9)
    if days.size:
        ax.axvline((days[0] + days[-1]) / 2.0, color=MUTED, linewidth=0.8)
    ax.set_ylim(bottom=0.0)


def _against(ax: Axes, model: Floats, reality: Floats) -> None:
    ax.set_xlabel("model")
    ax.set_ylabel("reality")
    both = (model > 0.0) & (reality > 0.0)
    if not both.any():
        say(ax, "in no bucket both are above 0")
        return
    dots = np.stack([model[both], reality[both]])
    edges = (float(dots.min()) / 2.0, float(dots.max()) * 2.0)
    ax.plot(edges, edges, color=MUTED, linewidth=0.8)
    ax.plot(*dots, color=BLUE, linestyle="none", marker="o", markersize=2.2, alpha=0.6)
    ax.set(xscale="log", yscale="log", xlim=edges, ylim=edges)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def _spoken(starts: list[str], model: Floats, reality: Floats) -> str:
    if not np.isfinite(reality).any():
        return "Nothing was recorded in reality."
    real, own = int(np.nanargmax(reality)), int(np.argmax(np.nan_to_num(model)))
    return f"Reality was worst from {starts[real]} UTC ({usd(float(reality[real]))}), the model from {starts[own]} UTC."


def _note(dots: int, buckets: int, bucket: str) -> str:
    return f"Dots are the {number(dots)} of {number(buckets)} {bucket}s with liquidations on both sides. {_CAVEAT}"
