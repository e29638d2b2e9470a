"""Whether a YAML file is a scenario or a study, and of which kind, by the keys that only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seawall.protocols.errors import Fault, OptionError
from seawall.scenarios.kinds import command_for
from seawall.scenarios.load import SHIPPED, load
from seawall.scenarios.parts import Part
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import read, text_of
from seawall.studies.levels import Line
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.sensitivity_schema import SensitivitySpec
from seawall.studies.study_file import base_of, read_study
from seawall.studies.tune import load_study, rehearse
from seawall.studies.tune_schema import TuneSpec

SCHEMAS: dict[str, type[Part]] = {"scenario": Scenario, "tune": TuneSpec, "reverse": ReverseSpec, "sensitivity": SensitivitySpec}
"""What a file of each kind may say."""
STUDIES = SHIPPED / "studies"
PRECISION = 1e-6  # levels of a key are tried at its ends only


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
    if kind == "run":
        return load(file, settings, allow_outside=allow_outside).warnings
    if kind == "tune":
        if settings:
            raise OptionError(f"{file}: a tuning study has its settings in its file: leave --set out")
        found = rehearse(load_study(file, allow_outside=allow_outside))
    else:
        spec = read_study(file, ReverseSpec)[0] if kind == "reverse" else read_study(file, SensitivitySpec)[0]
        found = [base_of(spec, file, settings, allow_outside=allow_outside)]
        for one in (spec.along,) if isinstance(spec, ReverseSpec) else spec.parameters:
            line = Line.of(one, found[0], file, PRECISION)
            for level in (line.at(0.0), line.at(1.0)):
                found[0].with_settings(line.text(level, found[0], file))
    return tuple(warning for base in found for warning in base.loaded.warnings)


def kind_of(file: Path) -> str:
    """The command that plays a file: `run`, `tune`, `reverse` or `sensitivity`. Raises ScenarioError for what cannot be read."""
    return command_for(read(text_of(file), str(file)).data) or "run"


def shipped_studies() -> list[tuple[Path, str, str]]:
    """File, kind and one line about each study that comes with Seawall."""
    return [(file, kind_of(file), read(text_of(file), str(file)).data["about"]) for file in sorted(STUDIES.glob("*.yaml"))]
