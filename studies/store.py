"""The folder of a run: `summary.json`, `measures.parquet`, the time series, and the manifest that says how to get the same again.

Each file is written beside its place and moved there when it is whole, the manifest last: a folder with a manifest is complete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow.lib import ArrowException

from seawall.protocols.errors import SeawallError
from seawall.studies.notebook import summary_table
from seawall.studies.units import with_units

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
FRAMES = {
    "series": "series.parquet",
    "ratios": "ratios.parquet",
    "refusals": "refusals.parquet",
    "liquidations": "events.parquet",
    "rewards": "rewards.parquet",
    "polls": "polls.parquet",
    "owners": "owners.parquet",
    "markets": "markets.parquet",
    "pools": "pools.parquet",
    "exchange_traders": "exchange_traders.parquet",
    "exchange_lps": "exchange_lps.parquet",
    "book": "book.parquet",
    "rfq_lps": "rfq_lps.parquet",
    "rfq_flows": "rfq_flows.parquet",
}
MEASURES = "measures.parquet"


class NoRunError(SeawallError, FileNotFoundError):
    """A folder that holds no complete run; the text names it and what is missing."""


@dataclass(frozen=True)
class RunResult:
    """What came out of a run.

    Attributes:
        summary: headline figures by group and name: value (None with `why` if there is none), unit, number of paths.
        series: one row per record and tASSET.
        ratios: CDPs per bin of collateral ratio, record and tASSET.
        refusals: refused actions between two records, by action and reason.
        liquidations: one row per purchase of a margin-called CDP's collateral.
        rewards: one row per record: price of tEXO, fees and inflation paid; empty without tEXO.
        polls: one row per proposal.
        owners: one row per behaviour of CDP owners.
        markets: one row per record and perps market; empty without an exchange, as are the next three.
        pools: one row per record and liquidity pool.
        exchange_traders: one row per kind of perps trader.
        exchange_lps: one row per liquidity pool.
        book: one row per record and asset of the RFQ market; empty without one, as are the next two.
        rfq_lps: one row per kind of RFQ LP.
        rfq_flows: one row per kind of RFQ trader.
        manifest: scenario, seed, versions, machine, timings, moments of the paths.
    """

    summary: dict[str, dict[str, dict[str, Any]]]
    series: pd.DataFrame = field(repr=False)
    ratios: pd.DataFrame = field(repr=False)
    refusals: pd.DataFrame = field(repr=False)
    liquidations: pd.DataFrame = field(repr=False)
    rewards: pd.DataFrame = field(repr=False)
    polls: pd.DataFrame = field(repr=False)
    owners: pd.DataFrame = field(repr=False)
    markets: pd.DataFrame = field(repr=False)
    pools: pd.DataFrame = field(repr=False)
    exchange_traders: pd.DataFrame = field(repr=False)
    exchange_lps: pd.DataFrame = field(repr=False)
    book: pd.DataFrame = field(repr=False)
    rfq_lps: pd.DataFrame = field(repr=False)
    rfq_flows: pd.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        """Value of a headline figure by name, whatever its group. Raises KeyError for an unknown one."""
        for group in self.summary.values():
            if name in group:
                return group[name]["value"]
        raise KeyError(name)

    def _repr_html_(self) -> str:
        """The summary as a table, for notebooks."""
        title = f"{self.manifest['name']}: path {self.manifest['path']} of seed {self.manifest['seed']}"
        return summary_table(title, self.summary)

    @property
    def folder_name(self) -> str:
        """Scenario, digest, seed and path: where the run belongs under an output folder."""
        manifest = self.manifest
        path = f"-path{manifest['path']}" if manifest["path"] else ""
        return f"{Path(manifest['scenario_file']).stem}/{manifest['digest']}-{manifest['seed']}{path}"


def save(result: RunResult, folder: Path) -> None:
    """Write a run's files. Raises OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name, file in FRAMES.items():
        frame: pd.DataFrame = getattr(result, name)
        write(folder / file, partial(frame.to_parquet, index=False))
    measures = {name: entry["value"] for group in result.summary.values() for name, entry in group.items()}
    row = pd.DataFrame([{"path": result.manifest["path"], "log_weight": result.manifest["log_weight"], **measures}])
    write(folder / MEASURES, partial(row.to_parquet, index=False))
    write(folder / SUMMARY, lambda path: path.write_text(_json(result.summary), encoding="utf-8"))
    write(folder / MANIFEST, lambda path: path.write_text(_json(result.manifest), encoding="utf-8"))


def load_run(folder: Path) -> RunResult:
    """Read a run's files again; `attrs["units"]` of each frame says the units of its columns.

    Raises:
        NoRunError: if the folder holds no complete run, or a file of it is damaged.
    """
    missing = [file for file in (MANIFEST, SUMMARY, *FRAMES.values()) if not (folder / file).is_file()]
    if missing:
        raise NoRunError(f"{folder}: holds no complete run: {', '.join(missing)} missing")
    frames = {name: with_units(read_frame(folder / file)) for name, file in FRAMES.items()}
    return RunResult(summary=_read_json(folder / SUMMARY), manifest=_read_json(folder / MANIFEST), **frames)


def read_frame(file: Path) -> pd.DataFrame:
    """Read one Parquet file of a run or an ensemble.

    Raises:
        NoRunError: it is missing or damaged.
    """
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError, ArrowException) as error:
        raise NoRunError(f"{file}: cannot be read: {error}") from None


def write(path: Path, writer: Callable[[Path], Any]) -> None:
    """Let `writer` fill a file that appears at `path` only once it is whole."""
    with _beside(path) as part:
        writer(part)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoRunError(f"{path}: is not the JSON that a run writes ({error})") from None
