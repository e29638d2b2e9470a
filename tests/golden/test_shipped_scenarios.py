"""Headline figures of the scenarios that ship, against the ones kept in `summaries/`.

After a change that is meant to change them: `SEAWALL_GOLDEN=write python -m pytest tests/golden`, and read the difference.
Figures agree to a millionth: processors may differ in the last bit of a price path's exponential.
"""

import io
import json
import math
import os
from pathlib import Path

import pytest
from rich.console import Console

from seawall.reports.terminal import print_summary
from seawall.scenarios.load import SHIPPED, shipped
from seawall.studies.simulate import run

SUMMARIES = Path(__file__).parent / "summaries"


def figures(result):
    return {name: entry["value"] for group in result.summary.values() for name, entry in group.items()}


def printed(result):
    console = Console(width=80, file=io.StringIO())
    print_summary(result, console, Path("out"))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.stem)
def test_a_shipped_scenario_gives_the_figures_kept_and_a_summary_of_one_screen(file):
    kept = SUMMARIES / f"{file.stem}.json"
    result = run(file)
    assert len(printed(result)) <= 24
    found = figures(result)
    if os.environ.get("SEAWALL_GOLDEN") == "write":
        kept.write_text(json.dumps(found, indent=2) + "\n")
    expected = json.loads(kept.read_text())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert same_figure(found[name], value), (name, found[name], value)


def same_figure(found, expected):
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6)


def test_every_summary_kept_belongs_to_a_shipped_scenario():
    assert {path.stem for path in SUMMARIES.glob("*.json")} == {file.stem for file in shipped()}


def test_the_rallies_of_october_2008_hurt_the_minters():
    """The S&P 500 rose from 840 to 936 within 10 October 2008, and to 1,003 on the 13th: days 38 and 41 liquidate more than all others."""
    result = run(SHIPPED / "autumn_2008.yaml")
    events = result.liquidations.assign(day=lambda frame: frame["time_s"] // 86_400)
    spx = events[events["tasset"] == "tSPX"].groupby("day")["burned_usd"].sum()
    assert set(spx.nlargest(2).index) == {38, 41}
    assert spx[[38, 41]].sum() > 0.7 * spx.sum()
