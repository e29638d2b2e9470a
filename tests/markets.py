"""Scenarios for tests, and ways to play them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from typer import Typer

from seawall.models.stress import StressModel
from seawall.models.world import digest
from seawall.protocols.tables import World
from seawall.scenarios.build import build
from seawall.scenarios.load import Loaded, load

ROOT = Path(__file__).resolve().parent.parent
SMALL = Path(__file__).parent / "scenarios" / "small.yaml"  # the least that is a market: some milliseconds in plain Python
STORM = Path(__file__).parent / "scenarios" / "storm.yaml"
FLOOD = Path(__file__).parent / "scenarios" / "flood.yaml"
SURGE = Path(__file__).parent / "scenarios" / "surge.yaml"
GALE = Path(__file__).parent / "scenarios" / "gale.yaml"
SHIPPED = ROOT / "scenarios"


def run_module() -> ModuleType:
    """The module `run.py`, imported apart: `seawall.run` would stand in the place of the function `run` of the package."""
    spec = importlib.util.spec_from_file_location("seawall_command_line", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command_line() -> Typer:
    """The command line."""
    app: Typer = run_module().app
    return app


def storm(*settings: str) -> Loaded:
    """The scenario in which every rule has something to do, with changes."""
    return load(STORM, settings)


def storm_model(*settings: str, seed: int | None = None, path: int = 0, with_audit: bool = False) -> StressModel:
    """Its model, ready to run."""
    return build(storm(*settings), seed=seed, path=path, with_audit=with_audit)


def copy_of(world: World) -> World:
    """A world of its own with the same content."""
    return World(*(table.copy() for table in world))


def same(left: World, right: World) -> bool:
    """Tell whether two worlds agree bit for bit."""
    return digest(left) == digest(right)
