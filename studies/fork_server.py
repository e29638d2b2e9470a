"""The process that all processes of players are forked from. It imports what they need once, and begins before anything else is imported.

It is no place for anything slow: the command line comes here first.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext

PRELOADED = "seawall.studies.processes"


def begin(*besides: str) -> BaseContext:
    """Begin it, unless it runs; it ends with this process.

    Args:
        besides: more modules that it imports: those that the main script names, which every process runs again.

    Returns:
        What starts processes from it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED, *besides])
    resource_tracker.ensure_running()  # first: to start it would let Ctrl-C through again
    # Ctrl-C reaches every process of a terminal; the first one decides what it means.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context
