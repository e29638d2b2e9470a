"""The ground job as a cadCAD model with vectorised state updates; variants: "fast" without copies of the whole state, "default"."""

from __future__ import annotations

from collections.abc import Callable

from cadCAD.configuration import Experiment
from cadCAD.configuration.utils import config_sim
from cadCAD.engine import ExecutionContext, ExecutionMode, Executor
from peers import play
from peers.cad import blocks
from peers.job import Job
from peers.outcome import Outcome
from peers.tables import Market, outcome_of, tables_of, terms_of

OPTIONS = {"fast": {"deepcopy_off": True}, "default": None}


def prepare(job: Job, rounds: int, variant: str) -> Callable[[], Outcome]:
    """Build the experiment; what is returned plays the rounds in this process."""
    terms = terms_of(job)
    experiment = Experiment()
    experiment.append_model(
        initial_state=tables_of(job),
        partial_state_update_blocks=blocks(terms),
        sim_configs=config_sim({"N": 1, "T": range(rounds)}),
    )
    context = ExecutionContext(ExecutionMode.single_mode, additional_objs=OPTIONS[variant])
    executor = Executor(context, experiment.configs, supress_print=True)

    def run() -> Outcome:
        states, _, _ = executor.execute()
        return outcome_of(Market(**terms, **states[-1]))

    return run


if __name__ == "__main__":
    play.main(prepare, packages=["cadcad", "numpy"], variants=list(OPTIONS))
