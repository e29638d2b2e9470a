"""The files of a whole ensemble: its manifest, written last, and reading it all again."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from seawall.protocols.errors import SeawallError
from seawall.scenarios.inputs import drawn_prices
from seawall.scenarios.load import Loaded
from seawall.scenarios.schema import Scenario
from seawall.scenarios.shock_schema import SECONDS_PER_HOUR, PriceShock
from seawall.studies import file_columns
from seawall.studies.assemble import BANDS, MOMENTS, RATIOS, REFUSALS, SUMS
from seawall.studies.ensemble_folder import BOUND, refuse_changed
from seawall.studies.methods import described, methods
from seawall.studies.notebook import summary_table
from seawall.studies.price_check import as_entry, check_rows
from seawall.studies.seal import MANIFEST, NoRunError, read_json, read_manifest, sealed
from seawall.studies.simulate import PACKAGES, assumptions, replay_command, struck, tracked
from seawall.studies.store import MEASURES, SUMMARY, read_frame, write_json
from seawall.studies.survey import Survey
from seawall.studies.units import unit_of, with_units

_FILES = (SUMMARY, MEASURES, SUMS, MOMENTS, BANDS, RATIOS, REFUSALS)
CHECKED_STEPS = 300_000
"""Of how many paths prices are checked: as many as have so many steps together, a second's work."""


@dataclass(frozen=True)
class EnsembleFiles:
    """A whole ensemble in its folder; frames are read when asked for.

    Attributes:
        folder: where it is.
        summary: each figure over all paths, by group and name; see `assemble.summarise`.
        manifest: scenario, seed, versions, paths asked, run and failed, stopping rule, timings.
    """

    folder: Path
    summary: dict[str, dict[str, dict[str, Any]]] = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    @property
    def paths(self) -> int:
        """Paths that were run, failed ones included."""
        return int(self.manifest["paths"])

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Failed paths: `path`, `type`, `error`, and the `command` that plays it again."""
        return list(self.manifest["failed"])

    def measures(self) -> pd.DataFrame:
        """One row per path: `path`, `log_weight`, `failed`, and a column per figure, NaN where there is none."""
        units = {name: str(entry["unit"]) for group in self.summary.values() for name, entry in group.items()}
        return with_units(self._frame(MEASURES, dict.fromkeys(units, "figure")), units)

    def moments(self) -> pd.DataFrame:
        """One row per path: `path`, `log_weight`, `failed`, and "asset.moment" columns of what its prices turned out to be."""
        return self._frame(MOMENTS)

    def sums(self) -> pd.DataFrame:
        """One row per path: `path`, `log_weight`, `failed`, and USD of `one_path.sums_of`."""
        return with_units(self._frame(SUMS))

    def bands(self) -> pd.DataFrame:
        """Quantiles over paths: `table`, `name`, `column`, `time_s`, `paths`, `mean`, `q05` to `q95`; units also by value of `column`."""
        return _with_units_of_rows(self._frame(BANDS))

    def ratios(self) -> pd.DataFrame:
        """Share of the open CDPs of all paths by collateral ratio: `time_s`, `tasset`, bin from `low` to `high`, `share`, `paths`."""
        return with_units(self._frame(RATIOS))

    def refusals(self) -> pd.DataFrame:
        """What was refused: `action`, `status`, `count` over all paths, `paths` that had it."""
        return with_units(self._frame(REFUSALS))

    def replay(self, path: int) -> str:
        """The command that plays one path again."""
        return f"{self.manifest['replay']} --path {path}"

    def _frame(self, file: str, more: dict[str, file_columns.Kind] | None = None) -> pd.DataFrame:
        return read_frame(self.folder / file, file_columns.of_ensemble(Path(file).stem) | (more or {}))

    def _repr_html_(self) -> str:
        """The summary as a table, for notebooks."""
        title = f"{self.manifest['name']}: mean over {self.paths:,} paths, {len(self.failed):,} failed, seed {self.manifest['seed']}"
        return summary_table(title, self.summary)


def _with_units_of_rows(bands: pd.DataFrame) -> pd.DataFrame:
    with_units(bands)
    bands.attrs["units"] |= {name: unit for name in bands["column"].unique() if (unit := unit_of(str(name)))}
    return bands


def is_ensemble(folder: Path) -> bool:
    """Tell whether a folder is an ensemble's, whole or not, and no single run's."""
    return (folder / BOUND).is_file()


def load_ensemble(folder: Path) -> EnsembleFiles:
    """Read a whole ensemble.

    Raises:
        NoRunError: the folder holds none, or a file of it is damaged or lacks a key.
    """
    from seawall.studies import file_keys

    missing = [file for file in (MANIFEST, *_FILES) if not (folder / file).is_file()]
    if missing:
        raise NoRunError(f"{folder}: holds no whole ensemble: {', '.join(missing)} missing")
    manifest = file_keys.checked(folder / MANIFEST, read_manifest(folder), file_keys.EnsembleManifest)
    return EnsembleFiles(folder, file_keys.checked(folder / SUMMARY, read_json(folder / SUMMARY), file_keys.Summary), manifest)


def write_manifest(
    folder: Path,
    loaded: Loaded,
    bound: dict[str, Any],
    *,
    asked: int,
    stopping: dict[str, Any] | None,
    found: Survey,
    prices: dict[str, Any],
    timing: dict[str, Any],
) -> None:
    """Say what this ensemble is and how to get it again; the only file with times and machines in it.

    Args:
        folder: where it is.
        loaded: its scenario.
        bound: what its bytes depend on.
        asked: paths asked for.
        stopping: how the stopping rule stands, if there is one.
        found: what stands in its chunks.
        prices: of `checked_prices`.
        timing: when, where and how long it was played.

    Raises:
        OtherEnsemble: a file that the scenario names has changed meanwhile.
    """
    replay = replay_command(loaded, bound["seed"])
    manifest = {
        "name": loaded.scenario.name,
        "about": loaded.scenario.about,
        "scenario_file": str(loaded.file),
        "scenario_text": loaded.text,
        **bound,
        "paths_asked": asked,
        "paths": len(found.failed),
        "sampling": getattr(loaded.scenario.prices, "sampling", "plain"),
        "stopping": stopping,
        "failed": [
            {"path": path, "type": kind, "error": error, "command": f"{replay} --path {path}"} for path, kind, error in found.errors
        ],
        "replay": replay,
        "versions": {"python": platform.python_version(), **bound["versions"], **{name: version(name) for name in PACKAGES}},
        "machine": f"{platform.system()} {platform.machine()}, {sys.byteorder}-endian",
        **timing,
        "notes": [*(str(warning) for warning in loaded.warnings), *methods(loaded.scenario.prices), *assumptions(loaded.scenario)],
        **prices,
        **_events(loaded.scenario),
    }
    refuse_changed(loaded, bound)
    write_json(folder / MANIFEST, sealed(manifest, folder, _FILES))


def _events(scenario: Scenario) -> dict[str, Any]:
    """Outages, shocks, disturbances and delistings that a scenario plans, seconds since the start, as in the manifest of a single run.

    What happens at random times has `per_year`, how often, instead of `at_s`.
    """
    return {
        "outages": [
            {"tasset": name, "from_s": outage.at_hours * SECONDS_PER_HOUR, "to_s": (outage.at_hours + outage.hours) * SECONDS_PER_HOUR}
            for outage in scenario.outages
            for name in struck(scenario, outage)
        ],
        "shocks": [_shock(shock, name) for shock in scenario.shocks for name, tracks in tracked(scenario) if shock.asset in (None, tracks)],
        "disturbances": [
            {"kind": event.kind, "what": event.what(), **_when(event.at_hours, event.per_year)} for event in scenario.disturbances
        ],
        "delistings": [
            {"tasset": event.tasset, "at_s": event.at_hours * SECONDS_PER_HOUR, "replacement": event.replacement, "split": event.split}
            for event in scenario.delistings
        ],
    }


def _shock(shock: PriceShock, name: str) -> dict[str, Any]:
    when = _when(shock.at_hours, shock.per_year)
    return {"asset": name, **when, **described(shock.event(when.get("at_s") or 0.0))}


def _when(at_hours: float | None, per_year: float | None) -> dict[str, Any]:
    return {"per_year": per_year} if at_hours is None else {"at_s": at_hours * SECONDS_PER_HOUR}


def checked_prices(loaded: Loaded, seed: int, numbers: range) -> dict[str, Any]:
    """Start and steps of all paths, and the check on the first of them: configured beside realised moments, judged together.

    Nothing where their prices cannot be made.
    """
    try:
        first = drawn_prices(loaded, seed, numbers[0])
        most = max(CHECKED_STEPS // max(first.paths.steps, 1), 1)
        drawn = [first, *(drawn_prices(loaded, seed, path) for path in numbers[1:most])]
    except SeawallError:
        return {}
    paths, check = first.paths, as_entry(*check_rows(loaded, drawn))
    grid = {"start": paths.start.isoformat(), "steps": paths.steps, "step_seconds": paths.step_seconds}
    return {**grid, "path_check": check, "paths_checked": len(drawn)}
