"""Who plays the ground job, and how it is timed: Seawall and the bare loop in this process, each peer in an environment of its own."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inputs import job_of
from peers import bare_loop
from peers import job as jobs
from peers.outcome import Outcome

from seawall.models.stress import StressModel
from seawall.scenarios.build import build
from seawall.scenarios.load import Loaded, load

HERE = Path(__file__).resolve().parent
JOB = HERE / "ground.yaml"
ALL_ROUNDS = 10_080
CALM_ROUNDS = 2_016  # the first fifth, for peers that keep copies of everything: 7 GB of them in a whole run
REPETITIONS = 5  # of what takes milliseconds, before and after each peer
SEAWALL, BARE = "Seawall", "bare compiled loop"


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that plays in a process of its own.

    Attributes:
        environment: folder of `.cache/bench-*` and of `requirements-*.lock`.
        module: of `peers`.
        variant: passed on to it.
        rounds: that it plays.
        goal: the least ratio of its CPU time to Seawall's; None for none.
    """

    environment: str
    module: str
    variant: str = ""
    rounds: int = ALL_ROUNDS
    goal: float | None = None


PEERS = {
    "Mesa, shuffle_do": Peer("mesa", "mesa_idiomatic", "shuffle_do", goal=1000.0),
    "Mesa, do": Peer("mesa", "mesa_idiomatic", "do", goal=300.0),
    "radCAD": Peer("radcad", "radcad_model", "fast", goal=200.0),
    "cadCAD": Peer("cadcad", "cadcad_model", "fast", goal=200.0),
    "NumPy by hand": Peer("numpy", "numpy_vectorised", goal=50.0),
}
COPYING = {
    "radCAD, default options": Peer("radcad", "radcad_model", "default", CALM_ROUNDS),
    "cadCAD, default options": Peer("cadcad", "cadcad_model", "default", CALM_ROUNDS),
}


@dataclass(slots=True)
class Lap:
    """One contestant's runs in one lap.

    Attributes:
        seconds: CPU seconds of each run.
        beside: CPU seconds of the runs of Seawall just before and after, as many rounds each.
        outcome: what the last run came to.
        versions: of Python and what the peer needs.
    """

    seconds: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    outcome: Outcome | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Its CPU time over Seawall's, of medians."""
        return statistics.median(self.seconds) / statistics.median(self.beside)


Laps = dict[str, list[Lap]]


def measure(laps: int, *, with_copying: bool) -> Laps:
    """Let all play in turn, `laps` times; the peers that copy everything only once."""
    loaded = load(JOB)
    found: Laps = {}
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
        file = Path(name) / "job.npz"
        jobs.save(job_of(build(loaded).world), file)
        warm_up(loaded)
        for number in range(laps):
            for each, lap in one_lap(loaded, file, PEERS | (COPYING if with_copying and number == 0 else {})).items():
                found.setdefault(each, []).append(lap)
    return found


def warm_up(loaded: Loaded) -> None:
    """Compile, or read the machine code."""
    play_seawall(loaded, 10)
    play_bare(loaded, 10)


def one_lap(loaded: Loaded, file: Path, peers: Mapping[str, Peer]) -> Laps:
    """The compiled ones in turn, then each peer between runs of Seawall."""
    laps: dict[str, Lap] = {SEAWALL: Lap(), BARE: Lap()}
    for _ in range(2 * REPETITIONS):
        note(laps[SEAWALL], play_seawall(loaded, ALL_ROUNDS))
        note(laps[BARE], play_bare(loaded, ALL_ROUNDS))
    laps[BARE].beside = laps[SEAWALL].beside = laps[SEAWALL].seconds
    for name, peer in peers.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        laps[name] = Lap(beside=[play_seawall(loaded, peer.rounds)[0] for _ in range(REPETITIONS)])
        play_peer(laps[name], peer, file)
        laps[name].beside += [play_seawall(loaded, peer.rounds)[0] for _ in range(REPETITIONS)]
    return laps


def note(lap: Lap, run: tuple[float, Outcome]) -> None:
    """Keep the time and outcome of a run."""
    lap.seconds.append(run[0])
    lap.outcome = run[1]


def play_seawall(loaded: Loaded, rounds: int) -> tuple[float, Outcome]:
    """CPU seconds and outcome of a new market's first rounds, with records and the check of the books."""
    gc.collect()  # the last market lies in a circle of references; beside it this one would be built in memory that nobody has touched yet
    model = build(loaded)
    return timed(lambda: model.run_for(rounds)), outcome_of(model)


def play_bare(loaded: Loaded, rounds: int) -> tuple[float, Outcome]:
    """CPU seconds and outcome of the same rounds by the bare loop."""
    job, outcomes = job_of(build(loaded).world), []
    return timed(lambda: outcomes.append(bare_loop.run(job, rounds))), outcomes[0]


def timed(run: Callable[[], object]) -> float:
    """CPU seconds of this process, in which only one thread works."""
    start = time.process_time()
    run()
    return time.process_time() - start


def outcome_of(model: StressModel) -> Outcome:
    """Seawall's figures under the names that all share."""
    figures = {name: figure.value for group in model.summary().values() for name, figure in group.items()}
    return Outcome(**{name: figures[name] for name in Outcome.__dataclass_fields__})


def play_peer(lap: Lap, peer: Peer, file: Path) -> None:
    """Let a peer play in its environment.

    Raises:
        SystemExit: the environment is not there, or the peer failed.
    """
    python = HERE.parent / ".cache" / f"bench-{peer.environment}" / "bin" / "python"
    if not python.exists():
        sys.exit(f"{python.parent.parent} is not set up: `make bench` does that.")
    command = [str(python), "-m", f"peers.{peer.module}", str(file), "--rounds", str(peer.rounds), "--variant", peer.variant]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    note(lap, (found["seconds"], Outcome(**found["outcome"])))
    lap.versions = found["versions"]
