"""Whether a YAML file is a scenario or a study, and of which kind, by the keys that only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seawall.protocols.errors import Fault, OptionError
from seawall.scenarios.load import SHIPPED, load
from seawall.scenarios.parts import Part
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import read, text_of
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.sensitivity_schema import SensitivitySpec
from seawall.studies.study_file import base_of, read_study
from seawall.studies.tune import load_study, scenarios_of
from seawall.studies.tune_schema import TuneSpec

_KINDS = {"objectives": "tune", "require": "reverse", "outcomes": "sensitivity"}
SCHEMAS: dict[str, type[Part]] = {"scenario": Scenario, "tune": TuneSpec, "reverse": ReverseSpec, "sensitivity": SensitivitySpec}
"""What a file of each kind may say."""
STUDIES = SHIPPED / "studies"


def check(file: Path, settings: Sequence[str] = (), *, allow_outside: bool = False) -> tuple[Fault, ...]:
    """Check a scenario, or a study with all its scenarios; returns what is allowed but unwise.

    Args:
        file: YAML.
        settings: "KEY=VALUE" each; of a scenario only, or of a study of one scenario.
        allow_outside: whether files that it names may lie outside of its folder.

    Raises:
        SeawallError: with all faults found.
    """
    kind = kind_of(file)
    if kind == "scenario":
        return load(file, settings, allow_outside=allow_outside).warnings
    if kind == "tune":
        if settings:
            raise OptionError(f"{file}: a tuning study has its settings in its file: leave --set out")
        found = scenarios_of(load_study(file, allow_outside=allow_outside))
    else:
        spec = read_study(file, ReverseSpec)[0] if kind == "reverse" else read_study(file, SensitivitySpec)[0]
        found = [base_of(spec, file, settings, allow_outside=allow_outside)]
    return tuple(warning for base in found for warning in base.loaded.warnings)


def kind_of(file: Path) -> str:
    """`scenario`, `tune`, `reverse` or `sensitivity`. Raises ScenarioError for what cannot be read."""
    data = read(text_of(file), str(file)).data
    return next((kind for key, kind in _KINDS.items() if key in data), "scenario") if isinstance(data, dict) else "scenario"


def shipped_studies() -> list[tuple[Path, str, str]]:
    """File, kind and one line about each study that comes with Seawall."""
    return [(file, kind_of(file), read(text_of(file), str(file)).data["about"]) for file in sorted(STUDIES.glob("*.yaml"))]
