"""Folders of results that somebody has changed: keys and columns are missing or of another type, and commands name them or do without."""

import copy
import json
import os
import random
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ensembles import ensemble
from made_up import MadeUp as Outcomes
from made_up import small
from markets import FLOOD, GALE, STORM, SURGE, command_line
from tuning import MadeUp, answer, study
from typer.testing import CliRunner

from seawall.protocols.errors import SeawallError
from seawall.reports import tune_result
from seawall.scenarios.load import load
from seawall.studies import file_columns, reverse_files, sensitivity_files, store
from seawall.studies.ensemble_files import load_ensemble
from seawall.studies.ensemble_folder import BOUND
from seawall.studies.reverse import reverse
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.seal import MANIFEST, NoRunError, understood
from seawall.studies.sensitivity import sensitivity
from seawall.studies.sensitivity_schema import SensitivitySpec
from seawall.studies.simulate import run
from seawall.studies.store import FRAMES, load_run, save
from seawall.studies.study_file import base_of
from seawall.studies.tune_files import save_tuning

OTHERS = (None, "x", -1, 1e300, 10**400, True, [], {}, [None], {"x": {}})
SHORT = {"parameters": [{"name": "ratio", "key": "tassets.*.min_collateral_ratio", "low": 1.2, "high": 2.0, "points": 3}]}
KINDS = ("run", "ensemble", "study", "reverse", "sensitivity")
COMPARED = ("run", "ensemble")
TEXTS = {"study": ("tuning.json", "about"), "reverse": (MANIFEST, "scenario_file"), "sensitivity": (MANIFEST, "scenario_file")}
SHARE = 0.3 if "SEAWALL_SOAK" in os.environ else 0.03  # of all damages; what is missing is tried always but for single figures
MOST_SHOWN = 100 if "SEAWALL_SOAK" in os.environ else 4  # folders that can be read all the same, and are then drawn: a second each


def read_ensemble(folder):
    found = load_ensemble(folder)
    return [frame() for frame in (found.measures, found.moments, found.sums, found.bands, found.ratios, found.refusals)]


READ = {
    "run": load_run,
    "ensemble": read_ensemble,
    "study": tune_result.load,
    "reverse": reverse_files.load,
    "sensitivity": sensitivity_files.load,
}


def reverse_stress(folder):
    """Of a shock whose loss is known, at two minimum ratios."""
    along = {"name": "change", "key": "shocks[0].change", "low": 0.0, "high": 1.0}
    cases = [{"name": f"minimum {ratio}", "set": {"tassets.*.min_collateral_ratio": ratio}} for ratio in (1.3, 1.7)]
    words = {"name": "Shock", "about": "Of a shock.", "scenario": "small.yaml", "require": "p(bad_debt > 0) <= 25%", "cases": cases}
    spec = ReverseSpec.model_validate({**words, "along": along, "precision": 0.1, "paths": 20, "most_paths": 40})
    reverse_files.save(
        reverse(spec, base_of(spec, folder / "small.yaml"), folder / "small.yaml", folder / "trials", of_shock(), seed=3), folder
    )


def drivers(folder):
    """Of a shock, which drives a loss, and an outage, which does not."""
    parameters = [
        {"name": "shock", "key": "shocks[0].change", "low": 0.0, "high": 1.0},
        {"name": "outage", "key": "outages[0].hours", "low": 0.01, "high": 0.1},
    ]
    outcomes = [{"name": "bad_debt", "of": "mean(bad_debt)"}, {"name": "steady", "of": "mean(steady)"}]
    words = {"name": "Drivers", "about": "Of losses.", "scenario": "small.yaml", "parameters": parameters, "outcomes": outcomes}
    spec = SensitivitySpec.model_validate({**words, "method": "morris", "points": 4, "paths": 2, "resamples": 100})
    found = sensitivity(spec, base_of(spec, folder / "small.yaml"), folder / "small.yaml", folder / "trials", of_shock(), seed=3)
    sensitivity_files.save(found, folder)


def of_shock():
    """Players whose losses grow with the shock."""
    return Outcomes(
        lambda loaded, path: {
            "bad_debt_usd": max(loaded.scenario.shocks[0].change + 0.01 * path - 0.6, 0.0),
            "steady_usd": 0.1 * path + 0.1,
        }
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of each kind, its manifest without digests, as a forger would leave it."""
    folders = {kind: tmp_path_factory.mktemp("whole") / kind for kind in KINDS}
    save(run(load(STORM)), folders["run"])
    ensemble(folders["ensemble"], paths=20)
    (folders["ensemble"] / BOUND).write_text("{}")
    folders["study"].mkdir()
    asked = study(folders["study"], search={"first_paths": 20, "paths": 40}, checks={"paths": 20}, **SHORT)
    save_tuning(answer(asked, folders["study"], MadeUp()), folders["study"], workers="1 of made up")
    for kind, played in (("reverse", reverse_stress), ("sensitivity", drivers)):
        folders[kind].mkdir()
        small(folders[kind])
        played(folders[kind])
    for folder in folders.values():
        shutil.rmtree(folder / "chunks", ignore_errors=True)
        shutil.rmtree(folder / "trials", ignore_errors=True)
        manifest = json.loads((folder / MANIFEST).read_text())
        del manifest["sha256"]
        (folder / MANIFEST).write_text(json.dumps(manifest))
    return folders


@pytest.fixture(params=KINDS)
def forged(request, whole, tmp_path):
    shutil.copytree(whole[request.param], tmp_path / request.param)
    return request.param, tmp_path / request.param


def keys_in(node, before=()):
    """All places in JSON, of lists the first."""
    inner = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*before, key)
        yield from keys_in(value, (*before, key))


def changed(data, place, value):
    """JSON with another value at a place; `...` for none."""
    data = copy.deepcopy(data)
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return data


def of_json(file):
    """Each damage to a file: what it is, and how it is done."""
    text = file.read_text()
    data = json.loads(text)
    for place in keys_in(data):
        for value in (..., *OTHERS):
            yield (file.name, place, "missing" if value is ... else str(value)[:9]), json.dumps(changed(data, place, value)).encode()


def of_frame(file):
    table = pq.read_table(file)
    rows = len(table)
    texts, nothing = pa.array(["x"] * rows), pa.nulls(rows)
    others = {"text": texts, "flags": pa.array([True] * rows), "lists": pa.array([[1.0]] * rows), "nothing": nothing}
    others |= {"bytes": pa.array([b"\xff"] * rows), "times": pa.array([0] * rows, pa.timestamp("ns")), "words": texts.dictionary_encode()}
    others |= {"infinity": pa.array(np.full(rows, np.inf)), "huge": pa.array(np.full(rows, 1e308)), "below": pa.array(np.full(rows, -1.0))}
    yield (file.name, "no rows"), as_bytes(table.slice(0, 0))
    yield (file.name, "twice the rows"), as_bytes(pa.concat_tables([table, table]))
    for place, name in enumerate(table.column_names):
        yield (file.name, name, "missing"), as_bytes(table.drop_columns([name]))
        yield (file.name, name, "twice"), as_bytes(table.append_column(name, table.column(place)))
        for what, column in others.items():
            yield (file.name, name, what), as_bytes(table.set_column(place, name, column))


def as_bytes(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def damages_of(folder):
    for file in sorted(folder.iterdir()):
        if file.suffix in (".json", ".parquet") and file.name != BOUND:
            yield from ((file, *one) for one in (of_json if file.suffix == ".json" else of_frame)(file))


def is_read(kind, folder, file, what):
    """Whether a folder can be read all the same; where it cannot, the file and the key or column must be named."""
    try:
        READ[kind](folder)
    except NoRunError as error:
        place = what[1][0] if isinstance(what[1], tuple) else what[1]
        assert file.name in str(error), (what, str(error))
        assert str(place) in str(error) or "point " in str(error) or "rows" in place, (what, str(error))
        return False
    return True


def test_whatever_is_changed_is_named_or_can_be_shown(forged):
    kind, folder = forged
    survived, refused, draws = [], 0, random.Random(3)
    for file, what, content in damages_of(folder):
        if draws.random() > SHARE and not is_always_tried(*what):
            continue
        before = file.read_bytes()
        file.write_bytes(content)
        if is_read(kind, folder, file, what):
            survived.append((file, what, content))
        else:
            refused += 1
        file.write_bytes(before)
    assert refused > 20
    for file, what, content in draws.sample(survived, min(MOST_SHOWN, len(survived))):
        before = file.read_bytes()
        file.write_bytes(content)
        shown_or_refused(kind, folder, what)
        file.write_bytes(before)


def is_always_tried(_file, place, what=""):
    """What is missing from a table, or from the top of a JSON file."""
    return what == "missing" and (isinstance(place, str) or len(place) == 1)


def shown_or_refused(kind, folder, what):
    asked = [["report", folder]] + ([["compare", folder, folder, "--out", folder / "compared"]] if kind in COMPARED else [])
    for one in asked:
        ended = CliRunner().invoke(command_line(), [str(part) for part in one])
        assert ended.exit_code in (0, 2), (what, ended.exception)
        assert isinstance(ended.exception, SystemExit | None), (what, ended.exception)
        assert kind not in ("reverse", "sensitivity") or "do not fit together" not in ended.output, (what, ended.output)


@pytest.mark.parametrize("scenario", [FLOOD, SURGE, GALE], ids=lambda file: file.stem)
def test_columns_are_those_that_a_run_writes(scenario, tmp_path):
    save(run(load(scenario)), tmp_path)
    found = load_run(tmp_path)
    for name in FRAMES:
        assert list(file_columns.of_run(name)) == getattr(found, name).columns.tolist()


def test_columns_are_those_that_an_ensemble_writes(whole):
    for name in ("bands", "ratios", "refusals"):
        assert list(file_columns.of_ensemble(name)) == pq.read_schema(whole["ensemble"] / f"{name}.parquet").names


def test_files_that_do_not_fit_together_are_named_with_the_place(tmp_path):
    with (
        pytest.raises(NoRunError, match=rf"{tmp_path}: the files do not fit together; KeyError: 'x' \(test_forged_folders\.py:\d+\)"),
        understood(tmp_path),
    ):
        {}["x"]
    with pytest.raises(NoRunError, match=r"KeyError: 'y' \(file_columns\.py:\d+\)\. If nobody"), understood(tmp_path):
        file_columns.of_ensemble("y")
    with pytest.raises(SeawallError, match=r"^told$"), understood(tmp_path):
        raise SeawallError("told")
    with pytest.raises(OSError, match="disk"), understood(tmp_path):
        raise OSError("disk")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_named(whole, tmp_path, number):
    shutil.copytree(whole["run"], tmp_path / "run")
    file = tmp_path / "run" / "summary.json"
    file.write_text(file.read_text().replace('"value": ', f'"value": {number}, "was": ', 1))
    with pytest.raises(NoRunError, match=r"summary\.json: is not "):
        load_run(tmp_path / "run")


def test_a_table_of_results_of_too_many_cells_is_refused_before_it_is_unpacked(whole, tmp_path, monkeypatch):
    shutil.copytree(whole["run"], tmp_path / "run")
    monkeypatch.setattr(store, "MAX_CELLS", 1_000)
    with pytest.raises(NoRunError, match=r"series\.parquet: has [\d,]+ cells; at most 1,000 are read"):
        load_run(tmp_path / "run")
    many = pa.table({"time_s": [0.0], "hidden": [list(range(2_000))]})
    pq.write_table(many, tmp_path / "run" / "ratios.parquet")
    with pytest.raises(NoRunError, match=r"ratios\.parquet: has 2,001 cells; at most 1,000 are read"):
        store.read_frame(tmp_path / "run" / "ratios.parquet", {})


@pytest.mark.parametrize("kind", KINDS)
def test_no_character_of_a_forged_manifest_turns_a_page_around(whole, tmp_path, kind):
    shutil.copytree(whole[kind], tmp_path / kind)
    name, key = TEXTS.get(kind, (MANIFEST, "about"))
    file = tmp_path / kind / name
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {key: "one\u202etwo\u2066three\x1b[31m\x07four\u200bfive"}))
    ended = CliRunner().invoke(command_line(), ["report", str(tmp_path / kind)])
    assert ended.exit_code == 0, ended.output
    page = (tmp_path / kind / "report.html").read_text(encoding="utf-8")
    assert "one two three [31m four five" in page
    assert not set(page + ended.output) & set("\u202e\u2066\x1b\x07\u200b")


def test_no_character_of_a_forged_table_turns_a_figure_around(whole, tmp_path):
    shutil.copytree(whole["run"], tmp_path / "run")
    for file in ("series", "ratios", "events"):
        path = tmp_path / "run" / f"{file}.parquet"
        frame = pd.read_parquet(path)
        frame["tasset"] = "t\u202eA\u200b\x07"
        frame.to_parquet(path, index=False)
    ended = CliRunner().invoke(command_line(), ["report", str(tmp_path / "run")])
    assert ended.exit_code == 0, ended.output
    pages = [tmp_path / "run" / "report.html", *(tmp_path / "run" / "figures").glob("*.svg")]
    assert len(pages) > 3
    for page in pages:
        assert not set(page.read_text(encoding="utf-8")) & set("\u202e\u200b\x07"), page.name
