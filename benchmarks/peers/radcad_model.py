"""The ground job as a radCAD model with vectorised state updates; variants: "fast" as its documentation advises, "default"."""

from __future__ import annotations

from collections.abc import Callable

from peers import play
from peers.cad import blocks
from peers.job import Job
from peers.outcome import Outcome
from peers.tables import Market, outcome_of, tables_of, terms_of
from radcad import Engine, Model, Simulation
from radcad.engine import Backend

OPTIONS = {"fast": {"deepcopy": False, "drop_substeps": True}, "default": {}}


def prepare(job: Job, rounds: int, variant: str) -> Callable[[], Outcome]:
    """Build the model; what is returned plays the rounds in this process."""
    terms = terms_of(job)
    model = Model(initial_state=tables_of(job), state_update_blocks=blocks(terms), params={})
    simulation = Simulation(model=model, timesteps=rounds, runs=1)
    simulation.engine = Engine(backend=Backend.SINGLE_PROCESS, **OPTIONS[variant])

    def run() -> Outcome:
        last = simulation.run()[-1]
        return outcome_of(Market(**terms, **last))

    return run


if __name__ == "__main__":
    play.main(prepare, packages=["radcad", "numpy"], variants=list(OPTIONS))
