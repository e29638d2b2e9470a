"""An ensemble killed at any moment and gone on with: the same bytes as one that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from markets import ROOT, SMALL

from seawall.studies.folder_lock import LOCK

PATHS = 50
RUN = f"""
import sys
from pathlib import Path
from seawall.scenarios.load import load
from seawall.studies.ensemble import run_paths
from seawall.studies.players import Threads
loaded = load(Path(sys.argv[1]).parent / "small.yaml")
try:
    run_paths(loaded, paths={PATHS}, folder=Path(sys.argv[1]), players=Threads(2), chunk_paths=2, resume=True)
except KeyboardInterrupt as stopped:
    print(stopped, file=sys.stderr)
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensembles")
    (folder / "small.yaml").write_text(SMALL.read_text())
    return folder


def begin(folder):
    """A run in a process of its own, uncompiled: nothing has to be compiled first, and a path takes long enough to be hit."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder)], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def chunks(folder):
    return list((folder / "chunks").glob("*.parquet"))


def wait_for_more_chunks(process, folder, than):
    end = time.monotonic() + 60.0
    while len(chunks(folder)) <= than and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def bytes_in(folder):
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in ("manifest.json", LOCK))
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def undisturbed(place):
    with begin(place / "undisturbed") as process:
        assert process.wait() == 0, process.stderr.read()
    return bytes_in(place / "undisturbed")


def test_killed_ten_times_and_resumed(place, undisturbed):
    folder, moments, killed = place / "killed", random.Random(7), 0
    for _ in range(10):
        with begin(folder) as process:
            wait_for_more_chunks(process, folder, len(chunks(folder)))
            time.sleep(moments.uniform(0.0, 0.15))
            process.kill()
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 5
    with begin(folder) as last:
        assert last.wait() == 0, last.stderr.read()
    assert bytes_in(folder) == undisturbed


def test_ctrl_c_ends_soon_with_code_130_and_says_how_to_go_on(place):
    with begin(place / "interrupted") as process:
        wait_for_more_chunks(process, place / "interrupted", 0)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert f"of {PATHS} paths are kept. The same command with --resume goes on." in said
    assert time.monotonic() - asked < 5.0
