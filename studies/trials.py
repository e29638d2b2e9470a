"""Trials of a study: the same scenarios again and again, each time with other settings, on the same paths.

Path k of a seed has the same prices, orders and population whatever the settings (common random numbers), so trials differ by their
settings alone. What was played stands in files, a chunk of paths each, bound to everything that it depends on: a study that was interrupted
goes on where it was, and every trial can be played alone with `run.py run --paths`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seawall.protocols.tables import Floats
from seawall.scenarios.load import Loaded
from seawall.scenarios.named_files import contents
from seawall.studies.chunks import Chunk, SpoiltChunkError, divide, measure_values, read_chunk, write_chunk
from seawall.studies.ensemble_folder import OtherEnsemble, bind, fingerprint, refuse_changed
from seawall.studies.players import Job, Players
from seawall.studies.simulate import replay_command


@dataclass(frozen=True, eq=False)
class Trial:
    """Scenarios that are played with one choice of settings. Two with the same key share their paths.

    Attributes:
        members: checked scenarios, settings made.
        weights: of each among them, > 0.
    """

    members: tuple[Loaded, ...]
    weights: tuple[float, ...]

    @cached_property
    def key(self) -> str:
        """Twelve hex digits that stand for its scenarios' texts and settings."""
        digests = [*(member.digest for member in self.members), *map(repr, self.weights)]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Sample:
    """What came out of a trial's paths, those that failed left out.

    Attributes:
        measures: `[paths]` of each figure and sum that all scenarios have, by name; NaN where a path has none.
        log_weights: `[paths]`; all 0 where every path counts the same.
        failures: what went wrong on each failed path, with the command that plays it again.
    """

    measures: Mapping[str, Floats]
    log_weights: Floats
    failures: tuple[str, ...] = ()

    @property
    def paths(self) -> int:
        """How many there are."""
        return len(self.log_weights)


@dataclass
class Trials:
    """Trials on the paths of one seed.

    Attributes:
        folder: of their files.
        seed: of all paths.
        players: who plays them.
        chunk_paths: paths per file, >= 1.
        progress: called with paths played and paths wanted so far, and once more for each chunk.
        played: paths in all trials, those found in files included.
        found: those of them that were found.
        files: digests of the files that trials were made of, by file; every trial must be made of the same.
    """

    folder: Path
    seed: int
    players: Players
    chunk_paths: int
    progress: Callable[[int, int], None] = lambda _done, _of: None
    played: int = 0
    found: int = 0
    files: dict[Path, str] = field(default_factory=dict)
    _wanted: int = 0
    _bounds: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    _chunks: dict[tuple[str, int], list[pa.Table]] = field(default_factory=dict)

    def bring(self, wanted: Mapping[Trial, int]) -> None:
        """Play trials until each has so many paths of each of its scenarios, rounded up to whole chunks; what is there stays."""
        most: dict[str, tuple[Trial, int]] = {}
        for trial, paths in wanted.items():
            most[trial.key] = max(most.get(trial.key, (trial, 0)), (trial, paths), key=lambda one: one[1])
        missing = [one for trial, paths in most.values() for one in self._missing(trial, paths)]
        self._wanted += sum(len(chunk.numbers) for *_, chunk in missing)
        self.progress(self.played, self._wanted)
        absent = [one for one in missing if not self._take_file(*one)]
        jobs = (Job(trial.members[member], self.seed, tuple(chunk.numbers)) for trial, member, chunk in absent)
        with closing(self.players.play(jobs)) as outcomes:
            for (trial, member, chunk), found in zip(absent, outcomes, strict=True):
                refuse_changed(trial.members[member], self._bound_of(trial, member))
                chunk.folder.mkdir(parents=True, exist_ok=True)
                write_chunk(chunk, found)
                self._take(trial, member, chunk)

    def paths(self, trial: Trial) -> int:
        """How many paths of each of its scenarios a trial has."""
        return min((sum(map(len, self._chunks.get((trial.key, member), ()))) for member in range(len(trial.members))), default=0)

    def sample(self, trial: Trial) -> Sample:
        """What came out of a trial so far: the paths of all its scenarios, weighted."""
        parts = [self._part(trial, member) for member in range(len(trial.members))]
        names = [name for name in parts[0].measures if all(name in part.measures for part in parts)]
        measures = {name: np.concatenate([part.measures[name] for part in parts]) for name in names}
        shares = [_shares(part.log_weights) + math.log(weight) for part, weight in zip(parts, trial.weights, strict=True)]
        logs = np.concatenate(shares)
        logs = logs - logs.max() if len(logs) else logs
        return Sample(measures, np.where(np.abs(logs) < 1e-12, 0.0, logs), tuple(text for part in parts for text in part.failures))

    def _missing(self, trial: Trial, paths: int) -> Iterator[tuple[Trial, int, Chunk]]:
        whole = -(-paths // self.chunk_paths) * self.chunk_paths
        for member in range(len(trial.members)):
            have = sum(map(len, self._chunks.get((trial.key, member), ())))
            bound = self._bound_of(trial, member)
            folder = self.folder / f"{trial.key}-{self.seed}" / str(member)
            for chunk in divide(folder, range(whole), self.chunk_paths, fingerprint(bound))[have // self.chunk_paths :]:
                yield trial, member, chunk

    def _bound_of(self, trial: Trial, member: int) -> dict[str, Any]:
        """What the paths of a scenario depend on, as it was when they were first asked for."""
        key = (trial.key, member)
        if key not in self._bounds:
            self._refuse_other_files(trial.members[member])
            self._bounds[key] = bind(trial.members[member], seed=self.seed, first_path=0, chunk_paths=self.chunk_paths, kept_series=0)
        return self._bounds[key]

    def _refuse_other_files(self, loaded: Loaded) -> None:
        for file, digest in contents(loaded).items():
            if self.files.setdefault(file, digest) != digest:
                said = f"{file}: has changed since this study began; with the old file back, the same command with --resume goes on"
                raise OtherEnsemble(said)

    def _take_file(self, trial: Trial, member: int, chunk: Chunk) -> bool:
        """Take a chunk that an earlier run has written; False where there is none, or one that is spoilt."""
        try:
            self._take(trial, member, chunk)
        except (FileNotFoundError, SpoiltChunkError):
            return False
        self.found += len(chunk.numbers)
        return True

    def _take(self, trial: Trial, member: int, chunk: Chunk) -> None:
        table = read_chunk(chunk)
        self._chunks.setdefault((trial.key, member), []).append(table)
        self.played += len(table)
        self.progress(self.played, self._wanted)

    def _part(self, trial: Trial, member: int) -> Sample:
        tables = sorted(self._chunks.get((trial.key, member), ()), key=lambda table: table["path"][0].as_py())
        if not tables:
            return Sample({}, np.empty(0))
        table = pa.concat_tables(tables, promote_options="default")
        played = table["error_type"].is_null().to_numpy()
        measures = {name: values[played] for name, values in measure_values(table).items()}
        command = replay_command(trial.members[member], self.seed)
        rows = zip(*(table[name].to_pylist() for name in ("path", "error_type", "error")), strict=True)
        failures = tuple(f"{kind}: {text} ({command} --path {path})" for path, kind, text in rows if kind is not None)
        return Sample(measures, table["log_weight"].to_numpy()[played], failures)


def _shares(log_weights: Floats) -> Floats:
    """Logarithms of weights that add up to 1."""
    if not len(log_weights):
        return log_weights
    most = log_weights.max()
    return log_weights - (most + math.log(float(np.exp(log_weights - most).sum())))
