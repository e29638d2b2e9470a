"""Study files that are hostile or broken: each is refused with exit code 2 and a word of what is wrong, or right."""

import os
import shutil

import pytest
import yaml
from fuzzing import Kind, as_yaml, ask, damaged, mutated
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from markets import SHIPPED
from tuning import STUDY, study

STUDIES = Kind("fuzz.yaml", ("validate",), tuple(sorted((SHIPPED / "studies").glob("*.yaml"))))
LONG = "SEAWALL_SOAK" in os.environ
FUZZ = settings(
    max_examples=500 if LONG else 40,
    deadline=None,
    database=None,
    derandomize=not LONG,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
RATIO = STUDY["parameters"][0]
HOSTILE = {
    # what it is: what is changed, what the refusal says
    "a grid beyond counting": ({"parameters": [RATIO | {"name": f"p{i}", "points": 200} for i in range(12)]}, "the grid has more than"),
    "a long expression": ({"objectives": [{"name": "a", "minimise": f"mean({'+'.join(['x'] * 400)})"}]}, "at most 500 characters"),
    "a deep expression": ({"objectives": [{"name": "a", "minimise": f"mean({'(' * 240}x{')' * 240})"}]}, "is no expression"),
    "an attribute": ({"objectives": [{"name": "a", "minimise": "mean(().__class__)"}]}, "is not allowed"),
    "a call": ({"objectives": [{"name": "a", "minimise": "mean(open(x))"}]}, "'open(x)' is not allowed"),
    "a power": ({"objectives": [{"name": "a", "minimise": "mean(x ** 9 ** 9 ** 9)"}]}, "is not allowed"),
    "an absolute path": ({"scenarios": [{"file": "/etc/passwd"}]}, "neither in the study's folder nor in the one above"),
    "a number that is none": ({"parameters": [RATIO | {"low": float("nan")}]}, "is not a finite number"),
    "too many paths": ({"search": {"paths": 10**12}}, "is not in [10, 1000000]"),
    "markup in a name": ({"parameters": [RATIO | {"name": "<b>"}]}, "String should match pattern"),
    "an escape sequence": ({"name": "\x1b[31mred"}, "name"),
}


@pytest.fixture
def in_place(tmp_path):
    """A folder like the shipped one, with a study in it to be written."""
    for file in SHIPPED.glob("*.yaml"):
        shutil.copy(file, tmp_path / file.name)
    (tmp_path / "studies").mkdir()
    return tmp_path / "studies" / STUDIES.name


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_study_is_refused(tmp_path, what):
    changes, said = HOSTILE[what]
    study(tmp_path)
    (tmp_path / "fuzz.yaml").write_bytes(as_yaml(STUDY | changes))
    answer = ask(*STUDIES.check, tmp_path / "fuzz.yaml")
    assert answer.code == 2
    assert said.removeprefix("String should ").replace("\n", "") in answer.text.replace("\n", " ")


@FUZZ
@given(st.sampled_from(STUDIES.right), st.data())
def test_a_damaged_study_is_refused_or_right(in_place, right, data):
    in_place.write_bytes(data.draw(damaged(right.read_bytes())))
    answer = ask(*STUDIES.check, in_place)
    assert answer.code in (0, 2)
    event(f"exit code {answer.code}")


@FUZZ
@given(st.sampled_from(STUDIES.right), st.data())
def test_a_changed_study_is_refused_or_right(in_place, right, data):
    in_place.write_bytes(as_yaml(data.draw(mutated(yaml.safe_load(right.read_text())))))
    answer = ask(*STUDIES.check, in_place)
    assert answer.code in (0, 2)
    event(f"exit code {answer.code}")
