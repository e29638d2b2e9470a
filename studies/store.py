"""The folder of a run: `summary.json`, `measures.parquet`, the time series, and the manifest that says how to get the same again.

Each file is written beside its place and moved there when it is whole and on the disk, the manifest last: a folder with a manifest is
complete. The manifest has a digest of each file (`seal.py`), so that damage does not pass for a result.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow.lib import ArrowException

from seawall.protocols.errors import SeawallError
from seawall.studies import file_columns
from seawall.studies.folder_lock import locked, refuse_link
from seawall.studies.notebook import summary_table
from seawall.studies.seal import MANIFEST, NoRunError, read_json, read_manifest, sealed
from seawall.studies.units import with_units

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
MAX_CELLS = 500_000_000  # 4 GB: more than `MOST_PATHS` have, and than any run records; Parquet can hide many in few bytes
_PATIENCE_S = 30.0  # a run is saved in far less


class WriteError(SeawallError, OSError):
    """A file of results that cannot be written: a full disk, a read-only folder; the text names it."""


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
    """Write a run's files.

    Raises:
        WriteError, OSError: the folder cannot be written to.
        FolderInUse: another run has been writing there for half a minute.
    """
    with locked(folder, patience_s=_PATIENCE_S):
        (folder / MANIFEST).unlink(missing_ok=True)
        for part in folder.glob(".*.part"):  # left by a run that was killed while writing
            part.unlink(missing_ok=True)
        for name, file in FRAMES.items():
            frame: pd.DataFrame = getattr(result, name)
            write(folder / file, partial(frame.to_parquet, index=False))
        measures = {name: entry["value"] for group in result.summary.values() for name, entry in group.items()}
        row = pd.DataFrame([{"path": result.manifest["path"], "log_weight": result.manifest["log_weight"], **measures}])
        write(folder / MEASURES, partial(row.to_parquet, index=False))
        write_json(folder / SUMMARY, result.summary)
        write_json(folder / MANIFEST, sealed(result.manifest, folder, [*FRAMES.values(), MEASURES, SUMMARY]))


def load_run(folder: Path) -> RunResult:
    """Read a run's files again; `attrs["units"]` of each frame says the units of its columns.

    Raises:
        NoRunError: if the folder holds no complete run, a file of it is damaged or lacks a column or key, or another run was saved
            there meanwhile.
    """
    from seawall.studies import file_keys

    missing = [file for file in (MANIFEST, SUMMARY, *FRAMES.values()) if not (folder / file).is_file()]
    if missing:
        raise NoRunError(f"{folder}: holds no complete run: {', '.join(missing)} missing")
    first = _manifest_bytes(folder)
    manifest = file_keys.checked(folder / MANIFEST, read_manifest(folder), file_keys.RunManifest)
    frames = {name: with_units(read_frame(folder / file, file_columns.of_run(name))) for name, file in FRAMES.items()}
    summary = file_keys.checked(folder / SUMMARY, read_json(folder / SUMMARY), file_keys.Summary)
    found = RunResult(summary=summary, manifest=manifest, **frames)
    if first is None or _manifest_bytes(folder) != first:  # which has the digests of all that was just read
        raise NoRunError(f"{folder}: was written anew while it was read; read it again")
    return found


def _manifest_bytes(folder: Path) -> bytes | None:
    """As it stands there now; None while a run is being saved."""
    try:
        return (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None


def read_frame(file: Path, columns: Mapping[str, file_columns.Kind]) -> pd.DataFrame:
    """Read one Parquet file of a run, an ensemble or a study, which must have these columns.

    Raises:
        NoRunError: it is missing or damaged, or has not; the text names file and column.
    """
    import pyarrow.parquet as pq

    if not file.is_file():
        raise NoRunError(f"{file}: is missing")
    try:
        cells = _cells(pq.read_metadata(file))
        if cells > MAX_CELLS:  # before they are unpacked
            raise NoRunError(f"{file}: has {cells:,} cells; at most {MAX_CELLS:,} are read")
        frame = pq.read_table(file).to_pandas(ignore_metadata=True)
    except NoRunError:
        raise
    except (OSError, ValueError, ArrowException) as error:
        raise NoRunError(f"{file}: cannot be read: {error}") from None
    return file_columns.checked(file, frame, columns)


def _cells(said: Any) -> int:
    """Values of a Parquet file by its metadata, those in lists counted one by one."""
    groups = [said.row_group(at) for at in range(said.num_row_groups)]
    in_columns = sum(group.column(at).num_values for group in groups for at in range(group.num_columns))
    return int(max(in_columns, said.num_rows * max(said.num_columns, 1)))


def own_folder(folder: Path) -> Path:
    """Make a folder inside of one of results. Raises LinkedFolder for a link in its place."""
    folder.mkdir(exist_ok=True)
    refuse_link(folder)
    return folder


def write_json(path: Path, data: Any) -> None:
    """Write JSON as `write` does."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write(path, lambda file: file.write_text(text, encoding="utf-8"))


def write(path: Path, writer: Callable[[Path], Any]) -> None:
    """Let `writer` fill a file that appears at `path` only once it is whole and on the disk.

    Raises:
        WriteError: it cannot be written; what was there before stays.
    """
    write_together([path], lambda parts: writer(parts[0]))


def write_together(paths: Sequence[Path], writer: Callable[[list[Path]], Any]) -> None:
    """The same for several files of one folder, which are filled at the same time."""
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    try:
        for part in parts:
            part.unlink(missing_ok=True)
            part.touch(exist_ok=False)  # a file of our own: a link that somebody left under this name could lead anywhere
        writer(parts)
        for part, path in zip(parts, paths, strict=True):
            _sync(part)
            part.replace(path)
        _sync(paths[0].parent)
    except OSError as error:
        raise WriteError(f"{', '.join(map(str, paths))}: cannot be written: {error.strerror or error}") from error
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot do it for folders
            raise
    finally:
        os.close(opened)
