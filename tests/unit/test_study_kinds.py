"""Files of scenarios and studies are told apart, checked, and described for editors."""

import pytest
from markets import SHIPPED, STORM, command_line
from tuning import study
from typer.testing import CliRunner

from seawall.protocols.errors import ScenarioError
from seawall.studies.study_kinds import SCHEMAS, check, kind_of, shipped_studies


@pytest.mark.parametrize(("file", "kind", "about"), shipped_studies(), ids=lambda value: getattr(value, "stem", None))
def test_what_ships_is_right(file, kind, about):
    assert kind in SCHEMAS
    assert kind == kind_of(file) != "run"
    assert about
    assert check(file) == ()


def test_a_scenario_is_one():
    assert kind_of(STORM) == "run"
    assert all(kind_of(file) == "run" for file in SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize("command", ["run", "tune", "reverse", "sensitivity"])
@pytest.mark.parametrize("file", [STORM, *sorted((SHIPPED / "studies").glob("*.yaml"))], ids=lambda file: file.stem)
def test_the_wrong_command_names_the_right_one(command, file):
    right = kind_of(file)
    if command == right:
        return
    done = CliRunner().invoke(command_line(), [command, str(file)])
    assert done.exit_code == 2
    assert f"python run.py {right} " in done.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checks": {"held_back": [{"file": "absent.yaml"}]}}, "cannot be read"),
        ({"checks": {"variations": [{"name": "x", "scale": {"minters.nonsense": 2.0}}]}}, "there is nothing like this in"),
        ({"checks": {"variations": [{"name": "x", "set": {"tassets.tA.auction_discount": 0.1}}]}}, "a parameter sets it again"),
    ],
)
def test_what_a_study_needs_at_its_end_is_looked_at_before_it_begins(tmp_path, changes, said):
    with pytest.raises(ScenarioError) as refused:
        check(study(tmp_path, **changes).file)
    assert said in str(refused.value)


def test_warnings_of_a_studys_scenarios_are_told(tmp_path):
    asked = study(tmp_path, settings={"tassets.tA.auction_discount": 0.4})
    assert any("is more than 1 - 1/min_collateral_ratio" in warning.message for warning in check(asked.file))


def test_every_fault_of_every_file_is_told_at_once(tmp_path):
    asked = study(tmp_path)
    (tmp_path / "wrong.yaml").write_text(asked.text.replace("maximise:", "maximize:"), encoding="utf-8")
    done = CliRunner().invoke(command_line(), ["validate", str(tmp_path / "wrong.yaml"), str(tmp_path / "storm.yaml")])
    assert done.exit_code == 2
    assert "did you mean maximise?" in done.output.replace("\n", " ")
    assert "storm.yaml: fine" in done.output.replace("\n", " ")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_editors_get_a_schema(kind):
    done = CliRunner().invoke(command_line(), ["schema", kind])
    assert done.exit_code == 0
    assert '"additionalProperties": false' in done.output
