"""Seawall stress-tests DeFi markets with agents: who becomes insolvent, what LPs earn, how liquidations go.

`run("scenarios/short_squeeze.yaml")` runs a scenario; `tune("scenarios/studies/quick.yaml")` answers a study; `StressModel` is the
Mesa model underneath. Names are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.models.stress import StressModel
    from seawall.scenarios.load import load
    from seawall.scenarios.schema import Scenario
    from seawall.studies.simulate import run
    from seawall.studies.store import RunResult
    from seawall.studies.tune import tune

_PLACES = {
    "RunResult": "seawall.studies.store",
    "Scenario": "seawall.scenarios.schema",
    "StressModel": "seawall.models.stress",
    "load": "seawall.scenarios.load",
    "run": "seawall.studies.simulate",
    "tune": "seawall.studies.tune",
}

__all__ = ["RunResult", "Scenario", "StressModel", "load", "run", "tune"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'seawall' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
