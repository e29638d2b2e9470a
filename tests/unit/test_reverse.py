"""Reverse stress on made-up outcomes: edges that are known, both directions, and what has none."""

import io
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import MadeUp, quick_disk, small
from markets import SHIPPED
from rich.console import Console

from seawall.protocols.errors import OptionError, ScenarioError
from seawall.reports import reverse_words
from seawall.reports.reverse import levels_table, notes, print_reverse, write_reverse
from seawall.reports.tune_units import ticks
from seawall.studies import reverse_files
from seawall.studies.expressions import ExpressionError
from seawall.studies.levels import Line, NoValueError, PathsFailed
from seawall.studies.reverse import Outcome, reverse
from seawall.studies.reverse_checks import faults_of_answer
from seawall.studies.reverse_options import ReverseOptions
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.seal import NoRunError, read_manifest
from seawall.studies.study_file import base_of
from seawall.studies.verdicts import Verdict

CHANGE = {"name": "change", "key": "shocks[0].change", "low": 0.0, "high": 1.0}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    quick_disk(monkeypatch)
    monkeypatch.setattr("seawall.studies.reverse.CHUNK_PATHS", 50)


def study(**more):
    asked = {"name": "Test", "about": "Of a shock.", "scenario": "small.yaml", "require": "p(bad_debt > 0) <= 25%", "along": CHANGE}
    return ReverseSpec.model_validate({**asked, "precision": 0.02, "paths": 100, "most_paths": 100, **more})


def asked(folder, players, spec):
    file = small(folder).file
    return reverse(spec, base_of(spec, file), file, folder / "trials", players)


def noise(path):
    return float(np.random.default_rng([9, path]).normal())


def loss(loaded, path):
    """Lost is what a shock is beyond 0.6, give or take 0.1: more than nothing on a quarter of all paths at 0.5326."""
    return {"bad_debt_usd": max(loaded.scenario.shocks[0].change + 0.1 * noise(path) - 0.6, 0.0)}


EDGE = 0.6 - 0.1 * 0.6744897501960817


def test_the_edge_lies_in_its_interval(tmp_path):
    answer = asked(tmp_path, MadeUp(loss), study()).answers[0]
    assert (answer.outcome, answer.is_rising, answer.crossings, answer.is_disordered) == (Outcome.FOUND, True, 1, False)
    assert answer.surely_holds < EDGE < answer.surely_breaks
    assert answer.surely_holds <= answer.holds < answer.breaks <= answer.surely_breaks
    assert answer.breaks - answer.holds <= 0.02 + 1e-9
    sample_edge = 0.6 - 0.1 * np.sort([noise(path) for path in range(100)])[74]
    assert answer.holds - 1e-3 <= sample_edge <= answer.breaks + 1e-3


def test_verdicts_are_in_order_and_estimates_grow(tmp_path):
    levels = asked(tmp_path, MadeUp(loss), study()).answers[0].levels
    ranks = [(Verdict.MET, Verdict.OPEN, Verdict.BROKEN).index(level.standing.verdict) for level in levels]
    assert ranks == sorted(ranks)
    assert [level.standing.value for level in levels] == sorted(level.standing.value for level in levels)


def test_harm_may_grow_downwards(tmp_path):
    def thin(loaded, path):
        return {"bad_debt_usd": max(0.4 + 0.1 * noise(path) - loaded.scenario.shocks[0].change, 0.0)}

    answer = asked(tmp_path, MadeUp(thin), study()).answers[0]
    edge = 0.4 + 0.1 * 0.6744897501960817
    assert (answer.outcome, answer.is_rising) == (Outcome.FOUND, False)
    assert answer.surely_breaks < edge < answer.surely_holds
    assert answer.surely_breaks <= answer.breaks < answer.holds <= answer.surely_holds
    assert reverse_words.ways(answer) == ("down to", "down")


def test_a_limit_from_below_is_kept_by_more(tmp_path):
    spec = study(require="mean(bad_debt) >= 0.3", precision=0.01)
    answer = asked(tmp_path, MadeUp(lambda loaded, _: {"bad_debt_usd": loaded.scenario.shocks[0].change}), spec).answers[0]
    assert not answer.is_rising
    assert answer.breaks < 0.3 <= answer.holds
    assert (answer.surely_breaks, answer.surely_holds) == (None, None)  # the same on the few paths played: nothing is sure


def test_more_paths_narrow_the_interval_and_none_are_spent_elsewhere(tmp_path):
    few, more = study(paths=50, most_paths=50), study(paths=50, most_paths=400)
    narrow, wide = (asked(tmp_path / name, MadeUp(loss), spec).answers[0] for name, spec in _folders(tmp_path, more=more, few=few))
    assert narrow.surely_breaks - narrow.surely_holds < wide.surely_breaks - wide.surely_holds
    paths = {level.value: level.paths for level in narrow.levels}
    assert paths[0.0] == paths[1.0] == 50
    assert max(paths.values()) == 400
    assert all(
        level.paths == 400 or not level.is_open for level in narrow.levels if narrow.surely_holds < level.value < narrow.surely_breaks
    )


def _folders(tmp_path, **specs):
    for name in specs:
        (tmp_path / name).mkdir()
    return specs.items()


def test_bounds_share_the_error_over_the_looks(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study(paths=50, most_paths=150, precision=0.2))
    assert found.spec.looks == (50, 100, 150)
    assert found.spec.bound_confidence == pytest.approx(1.0 - 0.05 / 3)


def test_either_sure_end_errs_seldom():
    """Twelve searches, each on paths of its own: at 95 % of either end, more than 3 errors of one have a chance of 1 in 450."""
    errors = np.zeros(2, int)
    for run in range(12):
        with tempfile.TemporaryDirectory() as folder:

            def loss_of(loaded, path, run=run):
                drawn = float(np.random.default_rng([run, path]).normal())
                return {"bad_debt_usd": max(loaded.scenario.shocks[0].change + 0.1 * drawn - 0.6, 0.0)}

            answer = asked(Path(folder), MadeUp(loss_of), study(paths=50, most_paths=50, precision=0.05)).answers[0]
            errors += [(answer.surely_holds or 0.0) > EDGE, (answer.surely_breaks or 1.0) < EDGE]
    assert (errors <= 3).all()


@pytest.mark.parametrize(("threshold", "outcome", "verdict"), [(2.0, Outcome.HOLDS, Verdict.MET), (-1.0, Outcome.BREAKS, Verdict.BROKEN)])
def test_no_edge_between_the_ends_is_an_answer_too(tmp_path, threshold, outcome, verdict):
    def steady(loaded, path):
        return {"bad_debt_usd": max(loaded.scenario.shocks[0].change - threshold, 0.0)}

    found = asked(tmp_path, MadeUp(steady), study())
    answer = found.answers[0]
    assert (answer.outcome, answer.holds, answer.surely_holds) == (outcome, None, None)
    assert {level.standing.verdict for level in answer.levels} == {verdict}
    assert "for sure at all of them" in " ".join(reverse_words.answer(found))


def hump(loaded, path):
    return {"bad_debt_usd": float(0.2 < loaded.scenario.shocks[0].change < 0.8)}


def test_a_hump_between_the_ends_has_no_single_edge(tmp_path):
    found = asked(tmp_path, MadeUp(hump), study())
    assert found.answers[0].outcome is Outcome.NO_ORDER
    assert "has no single edge from 0 to 1" in reverse_words.answer(found)[0]


def test_a_second_edge_is_told_and_the_first_one_given(tmp_path):
    def waves(loaded, path):
        change = loaded.scenario.shocks[0].change
        return {"bad_debt_usd": float(0.3 < change < 0.6 or change > 0.9)}

    found = asked(tmp_path, MadeUp(waves), study(along={**CHANGE, "points": 9}))
    answer = found.answers[0]
    assert (answer.crossings, answer.is_disordered) == (3, True)
    assert answer.surely_holds <= 0.3 < answer.surely_breaks
    assert "Harm does not grow all the way" in " ".join(reverse_words.answer(found))


def test_whole_numbers_stay_whole(tmp_path):
    spec = study(along={"name": "liquidators", "key": "liquidators.count", "low": 0, "high": 40})
    answer = asked(tmp_path, MadeUp(lambda loaded, _: {"bad_debt_usd": float(loaded.scenario.liquidators.count < 13)}), spec).answers[0]
    assert (answer.breaks, answer.holds) == (12.0, 13.0)


@pytest.mark.parametrize(
    ("require", "unit", "shown"),
    [
        ("p(bad_debt > 0) <= 25%", "fraction", "25%"),
        ("mean(bad_debt) <= 0.1", "USD", "0.25 USD"),
        ("mean(bad_debt_usd / called_usd) <= 1", "fraction", "25%"),
    ],
)
def test_what_is_limited_is_told_in_its_unit(tmp_path, require, unit, shown):
    found = asked(tmp_path, MadeUp(lambda loaded, path: loss(loaded, path) | {"called_usd": 1.0}), study(require=require))
    assert reverse_words.unit(found) == unit
    assert reverse_words.value(found, 0.25) == shown


def test_factors_and_ratios(tmp_path):
    line = {"name": "depth", "key": "tassets.*.pool.liquidity_usd", "scales": True, "low": 0.01, "high": 100, "spacing": "log"}

    def shallow(loaded, path):
        return {"bad_debt_usd": float(loaded.scenario.tassets["tA"].pool.liquidity_usd < 600.0)}

    found = asked(tmp_path, MadeUp(shallow), study(along=line, precision=0.001))
    answer = found.answers[0]
    assert answer.breaks < 0.3 <= answer.holds
    assert answer.holds / answer.breaks < (100 / 0.01) ** 0.0011
    assert "0.3" in reverse_words.level(found, answer.holds)
    assert reverse_words.level(found, answer.holds).endswith(" times")


def test_cases_are_searched_one_by_one(tmp_path):
    cases = [{"name": f"minimum {ratio}", "set": {"tassets.*.min_collateral_ratio": ratio}} for ratio in (1.3, 1.7)]

    def called(loaded, path):
        scenario = loaded.scenario
        return {"bad_debt_usd": max(scenario.shocks[0].change + 1.0 - scenario.tassets["tA"].min_collateral_ratio, 0.0)}

    found = asked(tmp_path, MadeUp(called), study(cases=cases))
    assert [answer.name for answer in found.answers] == ["minimum 1.3", "minimum 1.7"]
    assert [answer.holds <= edge < answer.breaks for answer, edge in zip(found.answers, (0.3, 0.7), strict=True)] == [True, True]


def test_the_same_question_has_the_same_answer_whatever_was_there(tmp_path):
    first = asked(tmp_path, MadeUp(loss), study())
    again = asked(tmp_path, players := MadeUp(loss), study())
    assert not players.jobs
    assert again.about["paths_kept_from_before"] == again.about["paths"] == first.about["paths"]
    assert again.answers == first.answers


def test_every_level_can_be_played_alone(tmp_path):
    level = asked(tmp_path, MadeUp(loss), study()).answers[0].levels[0]
    assert level.command.endswith("--seed 3 --set 'shocks[0].change=0.0' --paths 100")


def test_few_failures_are_told_and_many_are_refused(tmp_path):
    found = asked(tmp_path, MadeUp(loss, fails=lambda path: path == 7), study())
    assert "paths failed and are in no estimate; the bounds allow for either outcome of each." in " ".join(reverse_words.answer(found))
    with pytest.raises(PathsFailed, match=r"shocks\[0\].change at 0: 10 of 100 paths failed; the first: ConservationError: money vanished"):
        asked(tmp_path, MadeUp(loss, fails=lambda path: path % 10 == 0), study(seed=4))


@pytest.mark.parametrize("sign", ["<=", ">="])
def test_failures_are_told_where_there_is_no_edge(tmp_path, sign):
    found = asked(tmp_path, MadeUp(loss, fails=lambda path: path == 7), study(require=f"mean(bad_debt) {sign} 9"))
    assert found.answers[0].outcome is not Outcome.FOUND
    assert "5 of 500 paths failed and are in no figure." in reverse_words.answer(found)


def test_of_cases_without_an_edge_no_interval_is_told(tmp_path):
    said = " ".join(reverse_words.answer(asked(tmp_path, MadeUp(hump), study(cases=TWICE))))
    assert "has no single edge from 0 to 1:" in said
    assert "In parentheses" not in said
    assert "first edge" not in said


def test_a_confidence_is_never_rounded_up_to_certainty(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study(confidence=0.9999, most_paths=800, paths=400, precision=0.25))
    text = " ".join([*reverse_words.answer(found), *notes(found)])
    assert "99.99% each" in text
    assert "one-sided 99.995% bound" in text
    assert "100%" not in text


def test_a_key_keeps_its_large_letters(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study(along={**CHANGE, "name": "change_of_SOL"}, precision=0.25))
    assert levels_table(found, found.answers[0]).headings[0] == "Change of SOL"


def test_amounts_of_millions_are_told_apart_in_tables_and_on_axes(tmp_path):
    def large(loaded, path):
        return {"bad_debt_usd": 12.3e6 + 1e5 * loaded.scenario.shocks[0].change}

    found = asked(tmp_path, MadeUp(large), study(require="mean(bad_debt) <= 12350000", precision=0.25))
    shown = [row[2] for row in levels_table(found, found.answers[0]).rows]
    assert len(set(shown)) == len(shown) > 3
    assert ticks("USD").format_ticks([12.32e6, 12.34e6, 12.36e6]) == ["12.32 million", "12.34 million", "12.36 million"]


def test_a_limit_in_percent_is_of_a_fraction(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study(require="mean(2 * bad_debt) <= 25%", precision=0.25))
    assert reverse_words.unit(found) == "fraction"


def test_a_column_of_nothing_is_read(tmp_path):
    folder = saved(tmp_path)
    rows = pd.read_parquet(folder / "levels.parquet")
    rows.assign(value_on_first_paths=[None] * len(rows)).to_parquet(folder / "levels.parquet", index=False)
    unseal(folder)
    with pytest.raises(NoRunError, match=r"reverse\.json: answers: crossings is '1', column 'value_on_first_paths'"):
        reverse_files.load(folder)


def test_a_sure_edge_on_a_level_that_is_open_is_a_fault(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study())
    assert not list(faults_of_answer(found.spec, found.answers[0]))
    forged = replace(found.answers[0], surely_holds=found.answers[0].holds)
    assert [fault.partition(" is ")[0] for fault in faults_of_answer(found.spec, forged)] == ["answers: surely_holds"]


EMPTY = dict.fromkeys(("holds", "breaks", "surely_holds", "surely_breaks"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": "holds everywhere", **EMPTY}, "answers: outcome is 'holds everywhere', column 'value' .* says 'found'"),
        ({"crossings": 10**11}, "answers: crossings is '100000000000'"),
        ({"is_rising": False}, "answers: is_rising is 'false'"),
        ({"holds": 1.0, "breaks": 0.0}, "are not in the order of column 'level'"),
        ({"holds": 0.75, "breaks": 1.0, "surely_breaks": None}, "answers: holds is 0.75, where column 'value'"),
    ],
)
def test_an_answer_that_its_levels_deny_is_refused(tmp_path, change, said):
    folder = saved(tmp_path)
    unseal(folder)
    told = json.loads((folder / "reverse.json").read_text())
    told["answers"][0] |= change
    (folder / "reverse.json").write_text(json.dumps(told))
    with pytest.raises(NoRunError, match=rf"reverse\.json: .*{said}"):
        reverse_files.load(folder)


def test_a_quantity_without_a_value_is_said(tmp_path):
    with pytest.raises(NoValueError, match="has no value on any path"):
        asked(tmp_path, MadeUp(lambda *_: {"bad_debt_usd": math.nan}), study(require="mean(bad_debt) <= 1"))


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"along": {**CHANGE, "key": "shocks[3].change"}}, ScenarioError, r"shocks\[3\].change: .*nothing like this"),
        ({"along": {**CHANGE, "high": 1000.0}}, ScenarioError, r"shocks\[0\].change: 250 is not in \(-1, 100\]"),
        ({"along": {"name": "x", "key": "liquidators.count", "low": 0.5, "high": 4}}, ScenarioError, "0.5 to 4: the ends must be whole"),
        ({"require": "p(bad_dept > 0) <= 5%"}, ExpressionError, "did you mean bad_debt_usd"),
        ({"settings": {"tassets.tZ.auction_fee": 0.0}}, ScenarioError, "tassets.tZ.auction_fee"),
        ({"scenario": "../../etc/passwd"}, ScenarioError, "neither in the study's folder nor in the one above"),
    ],
)
def test_a_wrong_study_is_refused_in_words(tmp_path, more, error, said):
    (tmp_path / "inner").mkdir()
    with pytest.raises(error, match=said):
        asked(tmp_path / "inner", MadeUp(loss), study(**more))


def test_dependent_paths_are_refused(tmp_path):
    spec = study(settings={"prices.sampling": "antithetic"})
    with pytest.raises(ExpressionError, match="not independent"):
        asked(tmp_path, MadeUp(loss), spec)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"require": "p(bad_debt > 0)"}, "is no limit"),
        ({"along": {"name": "x", "key": "k", "values": [1, 2]}}, "low and high, not values"),
        ({"along": {**CHANGE, "low": 2.0}}, "must be less than high"),
        ({"paths": 500, "most_paths": 100}, "must not be more than most_paths"),
        ({"paths": 10, "most_paths": 100_000}, "is more than 128 times paths"),
    ],
)
def test_the_schema_says_what_would_be_right(more, said):
    with pytest.raises(ValueError, match=said):
        study(**more)


def test_rounded_levels_stay_within_a_tenth_of_the_precision(tmp_path):
    base = base_of(study(), small(tmp_path).file)
    for low, high, spacing in ((0.0, 1.0, "even"), (1e-6, 3e-6, "even"), (1e5, 1e8, "log"), (-0.9, 17.0, "even"), (0.003, 0.3, "log")):
        along = study(along={**CHANGE, "low": low, "high": high, "spacing": spacing}).along
        line = Line.of(along, base, base.file, 0.01)
        for share in np.linspace(0.0, 1.0, 37):
            assert abs(line.place(line.at(float(share))) - share) <= 0.0011
        assert (line.at(0.0), line.at(1.0)) == (low, high)


def options(**typed):
    return ReverseOptions(**typed)


def test_options_ask_the_same_as_a_file(tmp_path):
    file = small(tmp_path).file
    typed = {"breach": "p(bad_debt > 0) <= 25%", "along": "shocks[0].change", "low": 0.0, "high": 1.0, "paths": 50}
    spec = options(**typed, cases=("tassets.*.min_collateral_ratio=1.3,1.5",)).spec(file)
    assert (spec.scenario, spec.along.key, spec.along.name, spec.paths, spec.most_paths) == (
        "small.yaml",
        "shocks[0].change",
        "change",
        50,
        200,
    )
    assert [(case.name, case.set) for case in spec.cases] == [
        ("min collateral ratio 1.3", {"tassets.*.min_collateral_ratio": 1.3}),
        ("min collateral ratio 1.5", {"tassets.*.min_collateral_ratio": 1.5}),
    ]
    written = tmp_path / "study.yaml"
    written.write_text(json.dumps(spec.model_dump(mode="json", exclude_defaults=True)))
    assert options().spec(written) == spec


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"breach": "p(x > 0) <= 1%"}, "--along, --low, --high missing"),
        ({"along": "k"}, "--breach missing"),
        ({"breach": "p(x > 0) <= 1%", "along": "k.a", "low": 0.0, "high": 1.0, "cases": ("a=1,,2",)}, "is not KEY=VALUE"),
        ({"breach": "p(x > 0) <= 1%", "along": "k.a", "low": 0.0, "high": 1.0, "cases": ("a=.nan",)}, "not a finite number"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, typed, said):
    with pytest.raises(OptionError, match=said):
        options(**typed).spec(tmp_path / "x.yaml")


def test_wrong_values_of_options_are_faults(tmp_path):
    with pytest.raises(ScenarioError, match=r"command line: along: .*low \(2\) must be less than high \(1\)"):
        options(breach="p(x > 0) <= 1%", along="k.a", low=2.0, high=1.0).spec(tmp_path / "x.yaml")


def test_files_page_and_terminal_say_the_same(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study(name="<i>Shock</i>"))
    folder, answer = tmp_path / "out", found.answers[0]
    folder.mkdir()
    reverse_files.save(found, folder)
    page = write_reverse(found, folder).read_text()
    console = Console(width=100, file=io.StringIO(), record=True)
    print_reverse(found, console, folder / "report.html")
    said, told = console.export_text(), json.loads((folder / "reverse.json").read_text())["answers"][0]
    assert (told["outcome"], told["holds"], told["surely_breaks"]) == ("found", answer.holds, answer.surely_breaks)
    assert read_manifest(folder)["seed"] == 3
    rows = pd.read_parquet(folder / "levels.parquet")
    assert rows["level"].tolist() == [level.value for level in answer.levels]
    for number in (answer.holds, answer.breaks, answer.surely_holds, answer.surely_breaks):
        assert f"{number:g}" in page
        assert f"{number:g}" in said
    assert "<i>" not in page
    assert len(said.splitlines()) <= 24


def shown(found, folder):
    """The page, each figure, and what the terminal says."""
    console = Console(width=100, file=io.StringIO(), record=True)
    print_reverse(found, console, page := write_reverse(found, folder))
    return page.read_bytes(), [file.read_bytes() for file in sorted((folder / "figures").iterdir())], console.export_text()


def many(rows):
    """A thousand rows more between the first two levels."""
    more = pd.concat([rows.iloc[:1]] * 1_000).assign(level=np.linspace(1e-6, 0.2, 1_000))
    return pd.concat([rows, more]).sort_values("level")


TWICE = [{"name": "ratio", "set": {"tassets.*.min_collateral_ratio": ratio}} for ratio in (1.3, 1.7)]


@pytest.mark.parametrize(
    ("more", "fails", "figures"),
    [
        ({}, (), loss),
        ({"cases": TWICE}, (), loss),
        ({"most_paths": 400}, (7,), loss),
        ({"require": "mean(bad_debt) <= 9"}, (), loss),
        ({"require": "mean(bad_debt) >= 9"}, (), loss),
        ({}, (), hump),
    ],
    ids=["one search", "two of the same name", "a failed path", "holds everywhere", "breaks everywhere", "no order"],
)
def test_the_same_page_is_made_of_the_files(tmp_path, more, fails, figures):
    found, folder = asked(tmp_path, MadeUp(figures, fails=lambda path: path in fails), study(**more)), tmp_path / "out"
    folder.mkdir()
    reverse_files.save(found, folder)
    before = shown(found, folder)
    again = reverse_files.load(folder)
    (folder / "report.html").unlink()
    assert shown(again, folder) == before
    assert (again.spec, again.scenario, again.seed, again.about) == (found.spec, found.scenario, found.seed, found.about)
    assert again.answers == found.answers


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.iloc[:-1], r"levels\.parquet: column 'level' is from 0 to [\d.]+, in reverse.json along is from 0 to 1"),
        (lambda rows: rows.assign(case="x"), r"reverse\.json: cases, answers and the rows of levels\.parquet"),
        (lambda rows: pd.concat([rows, rows]), r"reverse\.json: cases, answers and the rows of levels\.parquet"),
        (lambda rows: rows.assign(verdict="good"), r"levels\.parquet: column 'verdict' has 'good'; known: met, open, broken"),
        (lambda rows: rows.assign(paths=-1), r"levels\.parquet: column 'paths' must have a whole number in each row, 0 or more"),
        (lambda rows: rows.assign(value=7.0), r"levels\.parquet: column 'value' at level 0 has 7, which p\(bad_debt > 0\) cannot be"),
        (lambda rows: rows.assign(upper_bound=math.inf), r"levels\.parquet: column 'upper_bound' at level 0 has inf"),
        (lambda rows: rows.assign(verdict="met"), r"levels\.parquet: column 'verdict' at level .* has 'met', columns .* say 'broken'"),
        (many, r"levels\.parquet: column 'level' has 1,0\d\d rows of a case; .* makes 23 at most"),
        (lambda rows: rows.drop(columns="command"), r"levels\.parquet: has no column 'command'"),
        (lambda rows: rows.iloc[[0, -1]], r"reverse\.json: answers: [\d.]+ is not in column 'level' of levels\.parquet"),
    ],
)
def test_levels_of_another_search_are_refused(tmp_path, change, said):
    folder = saved(tmp_path)
    change(pd.read_parquet(folder / "levels.parquet")).to_parquet(folder / "levels.parquet", index=False)
    unseal(folder)
    with pytest.raises(NoRunError, match=said):
        reverse_files.load(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("manifest.json", {"scenario_name": ...}, r"manifest\.json: is not what this version writes: scenario_name: Field required"),
        ("reverse.json", {"require": "p(bad_debt > 0)"}, r"reverse\.json: is not what this version writes: require: .*is no limit"),
        ("reverse.json", {"answers": []}, r"reverse\.json: is not what this version writes: answers: "),
        ("reverse.json", {"most_paths": 1}, r"reverse\.json: is not what this version writes: most_paths: "),
    ],
)
def test_keys_that_are_missing_or_wrong_are_named(tmp_path, file, change, said):
    folder = saved(tmp_path)
    unseal(folder)
    told = json.loads((folder / file).read_text()) | change
    (folder / file).write_text(json.dumps({key: value for key, value in told.items() if value is not ...}))
    with pytest.raises(NoRunError, match=said):
        reverse_files.load(folder)


def test_a_damaged_file_is_named(tmp_path):
    folder = saved(tmp_path)
    (folder / "levels.parquet").write_bytes((folder / "levels.parquet").read_bytes() + b"x")
    with pytest.raises(NoRunError, match=r"levels\.parquet: is not as the run wrote it"):
        reverse_files.load(folder)


def saved(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    reverse_files.save(asked(tmp_path, MadeUp(loss), study(precision=0.1)), folder)
    return folder


def unseal(folder):
    """Leave a folder as a forger would, without digests."""
    told = json.loads((folder / "manifest.json").read_text())
    del told["sha256"]
    (folder / "manifest.json").write_text(json.dumps(told))


def test_the_study_that_ships_asks_what_its_scenario_has():
    file = SHIPPED / "studies" / "outage.yaml"
    spec = options().spec(file)
    base = base_of(spec, file)
    line = Line.of(spec.along, base, file, spec.precision)
    for level in line.grid():
        base.with_settings(line.text(level, base, file))
