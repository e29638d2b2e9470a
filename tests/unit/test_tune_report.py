"""The page and the terminal screen of tuning studies whose paths are made up, not played."""

import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
from markets import command_line
from matplotlib.collections import LineCollection, QuadMesh
from rich.console import Console
from tuning import STUDY, MadeUp, answer, losses, study, terms_of
from typer.testing import CliRunner

from seawall.reports.tune import write_tuning_report
from seawall.reports.tune_check_words import checks
from seawall.reports.tune_figures import frontier, tune_charts
from seawall.reports.tune_grid import Plane
from seawall.reports.tune_maps import estimates, objective_panels, verdicts
from seawall.reports.tune_marks import feasible
from seawall.reports.tune_result import load
from seawall.reports.tune_tables import checks as check_table
from seawall.reports.tune_tables import excused, failed, neighbours
from seawall.reports.tune_terminal import LINES, WIDTH, print_tuning
from seawall.reports.tune_units import in_words, quantity_unit
from seawall.reports.tune_words import answer as in_sentences
from seawall.studies.quantity import parse_quantity
from seawall.studies.seal import NoRunError
from seawall.studies.tune_files import save_tuning

RATIO = {"name": "ratio", "key": "tassets.*.min_collateral_ratio", "low": 1.2, "high": 2.0, "points": 5}
DISCOUNT = {"name": "discount", "key": "tassets.*.auction_discount", "values": [0.05, 0.1, 0.3]}
MINTERS = {"name": "minters", "key": "minters.count", "values": [50, 100]}
CROWD = 77
SEARCH = {"first_paths": 20, "paths": 80, "finalists": 3}
CHECKS = {"paths": 60, "variations": [{"name": "a crowd of <minters>", "set": {"minters.count": CROWD}}]}


def crowded(scenario, rng):
    """A crowd of minters brings bad debt below 1.9."""
    found, (ratio, _) = losses(scenario, rng), terms_of(scenario)
    return found | {"bad_debt_usd": 1.0} if scenario.minters.count == CROWD and ratio < 1.9 else found


def breaking(scenario, rng):
    if terms_of(scenario)[0] < 1.5:
        raise ValueError("a <b>bad</b> path\x1b[2J")
    return losses(scenario, rng)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Makes the folder of a study whose paths are made up."""

    def make(response=losses, **changes):
        folder = tmp_path_factory.mktemp("tune")
        asked = {"parameters": [RATIO, DISCOUNT], "search": SEARCH, "checks": {"paths": 60}} | changes
        save_tuning(answer(study(folder, **asked), folder, MadeUp(response)), folder, workers="1 of made up")
        return folder

    return make


@pytest.fixture(scope="module")
def folder(folder_of):
    return folder_of(crowded, checks=CHECKS)


@pytest.fixture(scope="module")
def found(folder):
    return load(folder)


@pytest.fixture(scope="module")
def page(folder):
    return write_tuning_report(folder).read_text(encoding="utf-8")


def screen(folder):
    console = Console(width=WIDTH, file=io.StringIO())
    print_tuning(folder, console)
    return console.file.getvalue()


def said(found):
    return " ".join(in_sentences(found))


def test_the_answer_says_what_is_recommended_by_what_and_how_sure_the_constraints_are(found):
    words = said(found)
    assert words.startswith("Recommended is ratio 1.6, discount 0.05: of ")
    assert "the one with the highest efficiency, 0.6255" in words
    assert "among equals in that, the lowest loss, 0 USD" in words
    assert "Insolvency is 0%, at most 3.68% with 95% confidence (at most 5% demanded: met)." in words


def test_the_answer_says_what_one_step_away_would_do(found):
    assert re.search(r"with ratio 1\.4 insolvency is broken \(\d+(\.\d+)?%, at least ", said(found))
    assert "with ratio 1.8 all constraints hold and efficiency is 0.556" in said(found) or "with ratio 1.8 insolvency is open" in said(
        found
    )


def test_the_runner_up_is_second_for_a_reason(found, folder_of):
    assert "Runner-up is ratio 1.6, discount 0.1: equal in efficiency and loss." in said(found)
    alone = load(folder_of(parameters=[RATIO]))
    assert re.search(r"Runner-up is ratio 1\.8: its efficiency is 0\.556\d? \(0\.556\d? to 0\.556\d?\), 11\.1% less\.", said(alone))


def test_checks_say_what_the_point_stands_and_what_it_does_not(found):
    stood, fell = checks(found)
    assert stood == "Looked at again, it meets all constraints on a fresh seed (seed 4)."
    assert fell == (
        "With a crowd of <minters> it no longer meets all constraints: insolvency is broken (100%, at least 95.1%); "
        "nor does any of the other 2 looked at."
    )
    assert {row[2] for row in check_table(found).rows if row[0].startswith("a crowd")} == {"broken"}


def test_neighbours_are_those_one_step_away(found):
    assert [row[:2] for row in neighbours(found).rows] == [("ratio", "1.4"), ("ratio", "1.8"), ("discount", "0.1")]


def test_points_that_are_not_simulated_are_counted_by_reason(found):
    assert excused(found).rows == [("purchases lower the ratio that they should restore", "2")]


def test_where_nothing_meets_the_constraints_the_closest_is_told(folder_of):
    folder = folder_of(lambda scenario, rng: losses(scenario, rng) | {"bad_debt_usd": 1.0})
    found = load(folder)
    assert said(found).startswith("No point meets all constraints on 80 paths: of 13 simulated, 13 break one. Closest comes ratio 1.2")
    assert "demanded: broken" in said(found)
    assert not checks(found)
    assert "Point 0" in screen(folder)


def test_where_no_point_can_work_nothing_is_drawn_but_the_map(folder_of):
    folder = folder_of(parameters=[RATIO | {"high": 1.4, "points": 2}, DISCOUNT | {"values": [0.5, 0.6]}])
    assert said(load(folder)) == "No point was simulated: for all 4 it is plain beforehand that they cannot work."
    assert [chart.name for chart in tune_charts(load(folder))] == ["map-verdicts"]
    page = write_tuning_report(folder).read_text(encoding="utf-8")
    assert "Nothing is recommended, so nothing was looked at again." in page
    assert "Settings to paste" not in page
    assert "No point was simulated" in screen(folder)


def test_failed_points_are_counted_and_shown_with_their_command(folder_of):
    folder = folder_of(breaking)
    found = load(folder)
    assert "Of 4 points too many paths failed to say anything." in said(found)
    assert all("20 of 20 paths failed" in row[2] and "run.py run" in row[2] for row in failed(found).rows)
    assert len(failed(found).rows) == 4
    page = write_tuning_report(folder).read_text(encoding="utf-8")
    assert "a &lt;b&gt;bad&lt;/b&gt; path" in page
    assert "<b>bad" not in page
    assert "\x1b" not in screen(folder)


@pytest.mark.parametrize(
    ("parameters", "search", "names"),
    [
        ([RATIO], {}, ["curves", "frontier"]),
        ([RATIO, {"name": "who", "key": "liquidators.venue", "values": ["pool", "inventory"]}], {}, ["map-verdicts", "map-objectives"]),
        ([RATIO | {"points": 3}, DISCOUNT, MINTERS], {}, ["parallels", "frontier"]),
        ([RATIO, RATIO | DISCOUNT | {"low": 0.03, "high": 0.2, "values": []}], {"method": "optuna", "trials": 12}, ["map-verdicts"]),
    ],
)
def test_studies_of_any_number_of_parameters_have_their_figures(folder_of, parameters, search, names):
    folder = folder_of(parameters=parameters, search=SEARCH | search)
    page = write_tuning_report(folder).read_text(encoding="utf-8")
    for name in names:
        assert f'<figure id="{name}">' in page
        ET.parse(folder / "figures" / f"{name}.svg")
    assert len(screen(folder).splitlines()) <= LINES


def test_a_study_without_constraints_has_no_verdict_to_tell(folder_of):
    folder = folder_of(constraints=[], objectives=STUDY["objectives"][:1])
    assert "constraint" not in said(load(folder))
    assert [chart.name for chart in tune_charts(load(folder))] == ["map-verdicts", "map-objectives"]


def test_the_page_needs_nothing_else_and_escapes_what_it_is_given(page):
    assert "a crowd of &lt;minters&gt;" in page
    assert "<minters>" not in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)[^<]*\.(js|css|png)|src=\"(?!data:)", page)
    assert page.count("<svg") == page.count('role="img" aria-label=') == 4


def test_the_page_has_every_part_in_order(page):
    parts = (
        "The recommended point",
        "Settings to paste",
        "To play these points again",
        "Figures",
        "Checks of the",
        "How it was found",
        "Assum",
    )
    at = [page.index(part, page.index("<section")) for part in parts]
    assert at == sorted(at)
    assert "min_collateral_ratio: 1.6" in page
    assert "--set tassets.tA.min_collateral_ratio=1.6" in page


def test_the_map_colours_the_estimate_of_each_point_in_its_place(found):
    plane = Plane.of(found)
    chart = estimates(plane, objective_panels(found), "objectives")
    meshes = [one for ax in chart.figure.axes for one in ax.collections if isinstance(one, QuadMesh) and ax.get_title("left")]
    cells = meshes[0].get_array()
    assert cells.shape == (3, 5)
    row = found.row({"ratio": 1.8, "discount": 0.1})
    assert cells[1, 3] == row["efficiency"]
    assert cells.mask[2].tolist() == [True, True, False, False, False]


def test_the_outline_separates_what_meets_all_constraints(found):
    plane, inside = Plane.of(found), found.with_status("met")
    ax = verdicts(plane).figure.axes[0]
    feasible(ax, plane)
    (outline,) = (one for one in ax.collections if isinstance(one, LineCollection) and len(one.get_segments()))
    ends = {tuple(map(tuple, segment)) for segment in outline.get_segments()}
    left, bottom = inside["ratio"].min() - 0.1, 0.025
    assert any(abs(a[0] - left) < 1e-9 and abs(b[0] - left) < 1e-9 and a[1] == pytest.approx(bottom) for a, b in ends)


def test_lines_known_beforehand_are_drawn_where_the_study_has_them(found, folder_of):
    chart = verdicts(Plane.of(found))
    labels = [text.get_text() for text in chart.figure.legends[0].get_texts()]
    assert {"restoring", "recommended", "runner-up", "meets all", "breaks one", "not simulated"} <= set(labels)
    assert "Discounts above the restoring line" in chart.note
    without = load(folder_of(parameters=[DISCOUNT, MINTERS]))
    assert without.answer["lines"] is None
    assert "restoring" not in verdicts(Plane.of(without)).note


def test_the_frontier_joins_what_no_other_point_beats(found):
    ax = frontier(found).figure.axes[0]
    drawn = {line.get_label(): line for line in ax.lines}
    assert len(drawn["meets all"].get_xdata()) == found.counts()["met"]
    best = found.row(found.best[0]["values"])
    assert drawn["recommended"].get_xdata()[0] == best["efficiency"]


def test_the_terminal_shows_the_answer_on_one_screen(folder):
    lines = screen(folder).splitlines()
    assert len(lines) <= LINES
    assert all(len(line.rstrip()) <= WIDTH for line in lines if str(folder) not in line)
    assert "insolvency <= 5%" in screen(folder)
    assert lines[-1] == f"Report  {folder / 'report.html'}"


def test_a_screen_of_many_figures_says_how_many_are_left_out(folder_of):
    limits = [{"name": f"limit_{place}", "require": f"p(bad_debt > {place}) <= 5%"} for place in range(12)]
    goals = [{"name": f"goal_{place}", "maximise": "mean(efficiency)"} for place in range(6)]
    text = screen(folder_of(constraints=limits, objectives=goals, parameters=[RATIO | {"low": 1.6, "points": 2}]))
    assert len(text.splitlines()) == LINES
    assert re.search(r"\d+ more rows in the report", text)


def test_report_renders_a_study_again_byte_for_byte(folder, page):
    (folder / "report.html").unlink()
    done = CliRunner().invoke(command_line(), ["report", str(folder)])
    assert done.exit_code == 0, done.output
    assert (folder / "report.html").read_text(encoding="utf-8") == page


def test_an_answer_of_another_version_is_refused(folder_of):
    folder = folder_of(parameters=[RATIO | {"points": 2}])
    told = json.loads((folder / "tuning.json").read_text())
    told["study"]["parameters"][0]["sideways"] = True
    (folder / "tuning.json").write_text(json.dumps(told))
    unsealed = {key: value for key, value in json.loads((folder / "manifest.json").read_text()).items() if key != "sha256"}
    (folder / "manifest.json").write_text(json.dumps(unsealed))
    with pytest.raises(NoRunError, match=r"tuning\.json: is not what this version writes: study\.parameters\.0\.sideways: "):
        load(folder)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("p(bad_debt > 0)", "fraction"),
        ("mean(debt_start_usd / collateral_start_usd)", "fraction"),
        ("cvar95((bad_debt_usd + shortfall_end_usd) / debt_start_usd)", "fraction"),
        ("mean(min(liquidated_debt_usd, called_usd) / called_usd)", "fraction"),
        ("mean(1 - liquidation_efficiency)", "fraction"),
        ("cvar99(bad_debt)", "USD"),
        ("mean(fee_yield_per_year)", "per_year"),
        ("mean(insolvent_cdps_peak)", ""),
        ("mean(time_to_insolvency / 3600)", ""),
        ("mean(bad_debt * shortfall_peak)", ""),
        ("mean(bad_debt + liquidation_efficiency)", ""),
    ],
)
def test_units_of_quantities(text, unit):
    assert quantity_unit(parse_quantity(text)) == unit


def test_numbers_in_words_by_their_unit():
    assert [in_words(0.4871, unit) for unit in ("fraction", "USD", "")] == ["48.7%", "0.49 USD", "0.4871"]
    assert in_words(None, "USD") == "unknown"
