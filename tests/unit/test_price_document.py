"""docs/prices.md: every block of YAML loads and makes prices, every chart is there, every key is told of."""

import importlib.util
import re

import pytest
from markets import ROOT

from seawall.reports.shock_words import _LABELS
from seawall.scenarios import process_schema, shock_schema, simulated_schema
from seawall.scenarios.inputs import drawn_prices
from seawall.scenarios.price_schema import MODELS, BootstrapPrices, ReplayPrices
from seawall.scenarios.process_schema import PROCESSES
from seawall.scenarios.shock_schema import KINDS
from seawall.studies.methods import METHODS
from seawall.studies.methods import PROCESSES as NAMED

_spec = importlib.util.spec_from_file_location("make_figures", ROOT / "docs" / "prices" / "make_figures.py")
assert _spec is not None
assert _spec.loader is not None
figures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(figures)
PARTS = [
    *(getattr(process_schema, name) for name in dir(process_schema) if name.endswith("Process")),
    *(getattr(shock_schema, name) for name in dir(shock_schema) if name.endswith("Shock") and name != "PriceShock"),
    *(process_schema.RegimePart, simulated_schema.SimulatedPrices, simulated_schema.Seasonality, simulated_schema.CommonJumpsPart),
    *(simulated_schema.ImportancePart, ReplayPrices, BootstrapPrices),
]
TEXT = (ROOT / "docs" / "prices.md").read_text()


@pytest.mark.parametrize(("name", "block"), figures.blocks(), ids=[name for name, _ in figures.blocks()])
def test_a_block_makes_prices_and_has_its_chart(name, block, tmp_path):
    loaded = figures.scenario(block, tmp_path)
    assert (drawn_prices(loaded, 1, 0).paths.market_price > 0).all()
    assert (ROOT / "docs" / "prices" / f"{name}.svg").is_file()


def test_every_block_and_every_chart_belong_together():
    assert len(figures.blocks()) == TEXT.count("```yaml") == len(re.findall(r"!\[", TEXT))
    assert {path.stem for path in (ROOT / "docs" / "prices").glob("*.svg")} == {name for name, _ in figures.blocks()}


@pytest.mark.parametrize("word", [*MODELS, *PROCESSES, *KINDS])
def test_every_model_process_and_kind_of_shock_is_told_of(word):
    assert f"`{word}`" in TEXT


def test_every_model_process_and_kind_of_shock_has_its_words():
    assert (set(METHODS), set(NAMED), set(_LABELS)) == (set(MODELS), set(PROCESSES), set(KINDS))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_told_of(part):
    assert [name for name in part.model_fields if not re.search(rf"\b{name}\b", TEXT)] == []
