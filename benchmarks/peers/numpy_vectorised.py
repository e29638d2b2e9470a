"""The ground job with NumPy by hand: the phases of `rules`, one after another, on tables that are changed in place."""

from __future__ import annotations

from collections.abc import Callable

from peers import play
from peers.job import Job
from peers.outcome import Outcome
from peers.rules import PHASES
from peers.tables import Market, outcome_of, tables_of, terms_of


def prepare(job: Job, rounds: int, _: str) -> Callable[[], Outcome]:
    """Build the market; what is returned plays the rounds."""
    market = Market(**terms_of(job), **tables_of(job))
    phases = [phase for phase, _ in PHASES]

    def run() -> Outcome:
        for _ in range(rounds):
            for phase in phases:
                phase(market)
        return outcome_of(market)

    return run


if __name__ == "__main__":
    play.main(prepare, packages=["numpy"])
