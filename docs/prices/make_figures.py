"""Draws the charts of docs/prices.md, each from the block of YAML that stands above it; `make figures` runs it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import yaml

from seawall.reports.fan import fan_chart
from seawall.reports.svg import draw, file_svg
from seawall.scenarios.load import SHIPPED, Loaded, load
from seawall.studies.price_check import check_prices

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.with_suffix(".md")
PATHS = 400
QUIET = """\
prices:
  model: simulated
  days: 30
  assets:
    A: {start_usd: 100, volatility_per_year: 0.4}
    B: {start_usd: 100, volatility_per_year: 0.4}
    C: {start_usd: 1, volatility_per_year: 0.1}
"""
"""Prices under the block of shocks."""


def blocks() -> list[tuple[str, str]]:
    """Name of the chart and block of YAML, of every chart of the document."""
    found = re.findall(r"```yaml\n(.*?)```\s+!\[[^]]*\]\(prices/(\w+)\.svg\)", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return [(name, block) for block, name in found]


def scenario(block: str, folder: Path) -> Loaded:
    """A block as a scenario, with the least around it."""
    text = block if block.startswith("prices:") else QUIET + block
    prices = yaml.safe_load(text)["prices"]
    asset = next(iter(prices["assets"]))
    around = f"name: Example\nabout: Example.\nseed: 7\ntassets: {{t{asset}: {{tracks: {asset}, pool: {{liquidity_usd: 1}}}}}}\n"
    steps = "" if prices["days"] <= 7 else "step_seconds: 300\n"
    file = folder / "example.yaml"
    file.write_text(around + steps + text, encoding="utf-8")
    return load(file, [f"prices.file={SHIPPED / prices['file']}"] if "file" in prices else [])


def main() -> None:
    """Write every chart beside this file."""
    with tempfile.TemporaryDirectory() as name:
        for chart_name, block in blocks():
            chart = fan_chart(check_prices(scenario(block, Path(name)), paths=PATHS), name=chart_name)
            (FOLDER / f"{chart_name}.svg").write_text(file_svg(draw(chart)), encoding="utf-8", newline="\n")
            print(f"{chart_name}: {chart.title}")


if __name__ == "__main__":
    main()
