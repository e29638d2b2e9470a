"""What may go wrong around a run: disks, folders, signals, memory, clocks, a second run. Each fault is survived or named, never hidden."""

import ast
import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from ensembles import ensemble, outcome
from markets import ROOT, SMALL, command_line, storm
from typer.testing import CliRunner

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.load import load
from seawall.studies import ensemble_folder, one_path, players, simulate, store
from seawall.studies.ensemble import run_paths
from seawall.studies.ensemble_files import load_ensemble
from seawall.studies.folder_lock import LOCK, FolderInUse, LinkedFolder, locked
from seawall.studies.players import Threads
from seawall.studies.seal import MANIFEST, NoRunError
from seawall.studies.simulate import run
from seawall.studies.store import WriteError, load_run, save

PATHS = 24
REPLAY = """
name: Five closes
about: A file that is replayed.
seed: 1
prices: {model: replay, file: prices.csv, assets: {A: a}, time_column: time, bar_seconds: 60}
tassets: {tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.1, pool: {liquidity_usd: 1000}}}
minters: {count: 2}
"""
LADDER = ("protocols", "prices", "agents", "models", "scenarios", "studies", "reports")


@pytest.fixture(scope="module")
def result():
    return run(storm())


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL.read_text())
    return load(tmp_path / "small.yaml")


def write_prices(folder, price):
    rows = [f"2024-03-04T10:0{minute}:00Z,{price + minute}" for minute in range(5)]
    (folder / "prices.csv").write_text("\n".join(["time,a", *rows]) + "\n")


@pytest.fixture
def replayed(tmp_path):
    (tmp_path / "replay.yaml").write_text(REPLAY)
    write_prices(tmp_path, 100.0)
    return load(tmp_path / "replay.yaml")


def bytes_in(folder):
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in (MANIFEST, LOCK))
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def seawall(*arguments):
    """The command line, in this process."""
    return CliRunner().invoke(command_line(), [str(argument) for argument in arguments])


def test_a_stopping_rule_of_any_kind_is_kept_and_reported(small, tmp_path, monkeypatch):
    monkeypatch.setattr(players, "play", made_up)
    for rule in ("mean(liquidations) +- 3", "cvar95(bad_debt) +- 1%", "p(bad_debt > 0) +- 0.5"):
        ended = seawall("run", small.file, "--paths", 150, "--until", rule, "--out", tmp_path / rule[:4])
        assert ended.exit_code == 0, ended.output
        assert f"Stopping rule {rule}: " in " ".join(ended.output.split())


def begin(*arguments, **options):
    """The command line in a process of its own, uncompiled: nothing has to be compiled first, and a path takes long enough to be hit."""
    command = [sys.executable, str(ROOT / "run.py"), *map(str, arguments)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)


def made_up(_loaded, seed, path, *, keeps_series, is_stopped):
    return outcome(seed, path)


def ran(folder, **changes):
    return run_paths(storm(), folder=folder, players=Threads(2), **({"paths": PATHS, "chunk_paths": 8, "max_failed_share": 0.1} | changes))


# --- disks and folders ---


class FailingDisk:
    """Lets so many synchronisations to the disk pass, and fails the next."""

    def __init__(self, code, after):
        self.code, self.left, self.calls = code, after, 0

    def __call__(self, _):
        self.calls += 1
        self.left -= 1
        if self.left == -1:
            raise OSError(self.code, os.strerror(self.code))


def syncs_of(action, monkeypatch):
    disk = FailingDisk(0, 10_000)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", disk)
        action()
    return disk.calls


EVERY_THIRD = 3  # of the moments at which a disk may fail: by turns while a file is written, and when it has got its name


def test_a_run_whose_disk_fails_while_it_is_saved_is_named_and_can_be_saved_again(result, tmp_path, monkeypatch):
    every = syncs_of(lambda: save(result, tmp_path / "counted"), monkeypatch)
    assert every == 2 * (len(store.FRAMES) + 3)
    for moment in range(0, every - 1, EVERY_THIRD):  # after the last one the manifest is there
        folder, code = tmp_path / str(moment), (errno.ENOSPC, errno.EROFS)[moment % 2]
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", FailingDisk(code, moment))
            with pytest.raises(WriteError, match=f"cannot be written: {os.strerror(code)}"):
                save(result, folder)
        assert not list(folder.glob(".*.part"))
        with pytest.raises(NoRunError, match="holds no complete run"):
            load_run(folder)
        save(result, folder)
        assert bytes_in(folder) == bytes_in(tmp_path / "counted")


def test_an_ensemble_whose_disk_fails_while_it_is_written_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(players, "play", made_up)
    every = syncs_of(lambda: ran(tmp_path / "counted"), monkeypatch)
    for moment in range(0, every, EVERY_THIRD):
        folder = tmp_path / str(moment)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", FailingDisk(errno.ENOSPC, moment))
            with pytest.raises(WriteError, match="cannot be written: No space left on device"):
                ran(folder)
        ran(folder, resume=True)
        assert bytes_in(folder) == bytes_in(tmp_path / "counted")


@pytest.mark.parametrize("paths", [(), ("--paths", "4")])
def test_a_disk_that_is_full_ends_the_command_with_the_file_named(small, tmp_path, paths):
    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))

    with begin("run", small.file, *paths, "--out", tmp_path / "out", preexec_fn=no_room) as process:
        said = process.stderr.read()
    assert process.returncode == 2
    assert "Traceback" not in said
    assert ".parquet: cannot be written: " in said.replace("\n", " ")
    assert not list((tmp_path / "out").rglob(".*.part"))


@pytest.mark.parametrize("out", ["/proc/seawall", "{}/small.yaml/out", "{}/" + "long" * 100])
@pytest.mark.parametrize("paths", [(), ("--paths", "2")])
def test_a_folder_that_cannot_be_made_is_named(small, tmp_path, out, paths):
    place = out.format(tmp_path)
    ended = seawall("run", small.file, *paths, "--out", place)
    assert ended.exit_code == 2
    assert f"{place}" in ended.stderr


def test_a_folder_that_vanishes_while_paths_are_played_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(players, "play", made_up)

    def vanish(done, _):
        if done == 8 and (tmp_path / "out").exists():
            (tmp_path / "out").rename(tmp_path / "gone")

    with pytest.raises(WriteError, match=r"paths-0000000-0000007\.parquet: cannot be written: No such file or directory"):
        ran(tmp_path / "out", progress=vanish)


# --- signals ---

SAVER = """
import json, os, random, signal, sys, time
from pathlib import Path
from seawall.studies.seal import NoRunError
from seawall.studies.store import load_run, save

source, folder = map(Path, sys.argv[1:])
moments, found = random.Random(5), []
for _ in range(12):
    child = os.fork()
    if child == 0:
        result = load_run(source)
        while True:
            began = time.monotonic()
            save(result, folder)
            time.sleep(time.monotonic() - began)  # so that it is killed as often after a save as within one
    time.sleep(moments.uniform(0.1, 0.5))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        found.append(load_run(folder).summary == load_run(source).summary)
    except NoRunError as error:
        found.append(str(error))
save(load_run(source), folder)
print(json.dumps(found))
"""


def test_a_run_killed_while_it_is_saved_is_whole_or_said_not_to_be(result, tmp_path):
    save(result, tmp_path / "whole")
    command = [sys.executable, "-c", SAVER, str(tmp_path / "whole"), str(tmp_path / "killed")]
    ended = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout)
    assert all(one is True or "holds no complete run: manifest.json" in one for one in found)
    assert len({str(one) for one in found}) > 1  # hit at different moments
    save(load_run(tmp_path / "whole"), tmp_path / "undisturbed")
    assert bytes_in(tmp_path / "killed") == bytes_in(tmp_path / "undisturbed")


def test_a_command_killed_or_ended_at_any_moment_goes_on_to_the_same_bytes(small, tmp_path):
    asked = ("run", small.file, "--paths", 80, "--workers", 2, "--out", tmp_path / "out", "--resume")
    moments, ends = random.Random(11), []
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        with begin(*asked) as process:
            wait_for(lambda: list(tmp_path.glob("out/small/*/ensemble.json")), process)
            time.sleep(moments.uniform(0.0, 0.5))
            process.send_signal(number)
        ends.append(process.returncode)
    with begin(*asked) as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert {-signal.SIGKILL, -signal.SIGTERM} <= set(ends)
    run_paths(small, paths=80, folder=tmp_path / "undisturbed")
    ended = bytes_in(next((tmp_path / "out" / "small").iterdir()))
    undisturbed = bytes_in(tmp_path / "undisturbed")
    assert {name: ended[name] for name in undisturbed} == undisturbed


def wait_for(condition, process):
    end = time.monotonic() + 60.0
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


# --- damaged files ---


def damages(content):
    """A file cut off, emptied, replaced, and with one bit flipped."""
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
    return (content[:-2], content[:middle], b"", b"PAR1 or {}", flipped)


def data_files(folder):
    return [file for file in sorted(folder.iterdir()) if file.suffix in (".json", ".parquet") and file.name != ensemble_folder.BOUND]


def test_every_damage_to_a_file_of_a_run_is_found_and_the_file_named(result, tmp_path):
    save(result, tmp_path)
    refused(tmp_path, load_run)


def test_every_damage_to_a_file_of_an_ensemble_is_found_and_the_file_named(tmp_path):
    ensemble(tmp_path, paths=20)
    refused(tmp_path, load_ensemble)


def refused(folder, read):
    files = data_files(folder)
    assert {file.name for file in files} == set(json.loads((folder / MANIFEST).read_text())["sha256"])
    for file in files:
        content = file.read_bytes()
        for damage in damages(content):
            file.write_bytes(damage)
            with pytest.raises(NoRunError, match=file.name):
                read(folder)
        file.unlink()
        with pytest.raises(NoRunError, match=file.name):
            read(folder)
        file.write_bytes(content)
    read(folder)


@pytest.mark.parametrize("name", ["summary.json", "measures.parquet", "manifest.json"])
def test_report_and_compare_name_a_damaged_file(result, tmp_path, name):
    for folder in ("a", "b"):
        save(result, tmp_path / folder)
    damaged = tmp_path / "b" / name
    damaged.write_bytes(damages(damaged.read_bytes())[-1])
    for asked in (["report", tmp_path / "b"], ["compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path]):
        ended = seawall(*asked)
        assert ended.exit_code == 2
        assert name in ended.stderr


def test_damaged_paths_are_named_and_played_again_on_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(players, "play", made_up)
    ran(tmp_path)
    whole = bytes_in(tmp_path)
    chunk = tmp_path / "chunks" / "paths-0000008-0000015.parquet"
    for damage in damages(chunk.read_bytes()):
        chunk.write_bytes(damage)
        again = ran(tmp_path, resume=True).manifest
        assert [said.split()[0] for said in again["chunks_computed_again"]] == [chunk.name]
        assert again["paths_kept_from_before"] == PATHS - 8
        assert bytes_in(tmp_path) == whole


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff"])
def test_an_ensemble_that_no_longer_says_what_it_is_is_not_gone_on_with(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(players, "play", made_up)
    ran(tmp_path)
    (tmp_path / ensemble_folder.BOUND).write_bytes(damage)
    with pytest.raises(ensemble_folder.OtherEnsemble, match="belongs to another ensemble and cannot be resumed"):
        ran(tmp_path, resume=True)


def test_paths_of_another_scenario_are_not_gone_on_with(small, tmp_path):
    asked = ("run", small.file, "--paths", 2, "--out", tmp_path / "out")
    assert seawall(*asked).exit_code == 0
    first = next((tmp_path / "out" / "small").iterdir())
    whole = bytes_in(first / "chunks")
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.read_text().replace("count: 4", "count: 5"))
    place = tmp_path / "out" / "other" / f"{load(other).digest}-3-paths"
    shutil.copytree(first, place)
    ended = seawall("run", other, *asked[2:], "--resume")
    assert ended.exit_code == 2
    assert "belongs to another ensemble and cannot be resumed: digest" in ended.stderr
    assert bytes_in(place / "chunks") == whole


def test_a_folder_of_results_that_is_a_link_is_not_written_through(small, result, tmp_path):
    asked = ("run", small.file, "--paths", 2, "--out", tmp_path / "out")
    assert seawall(*asked).exit_code == 0
    folder = next((tmp_path / "out" / "small").iterdir())
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    whole = bytes_in(tmp_path / "elsewhere")
    for command in (asked, (*asked, "--resume"), ("report", folder)):
        ended = seawall(*command)
        assert ended.exit_code == 2
        assert "is a link, which could lead anywhere" in ended.stderr
    with pytest.raises(LinkedFolder, match="is a link"):
        save(result, folder)
    assert bytes_in(tmp_path / "elsewhere") == whole


# --- files that change ---


@pytest.mark.parametrize(("call", "kept"), [(1, 0), (2, 1), (8, 4)])  # a path is played, a chunk is written; the last chunk is written
def test_a_price_file_that_changes_while_paths_are_played_is_not_mixed_in(replayed, tmp_path, call, kept):
    calls = []

    def change(done, _):
        calls.append(done)
        if len(calls) == call:
            write_prices(tmp_path, 900.0)

    asked = {"paths": 4, "chunk_paths": 1, "players": Threads(1)}
    undisturbed = run_paths(replayed, folder=tmp_path / "undisturbed", **asked)
    with pytest.raises(ensemble_folder.OtherEnsemble, match=r"prices\.csv: has changed since this ensemble began"):
        run_paths(replayed, folder=tmp_path / "out", progress=change, **asked)
    assert len(list((tmp_path / "out" / "chunks").glob("*.parquet"))) == kept
    assert not (tmp_path / "out" / MANIFEST).exists()
    with pytest.raises(ensemble_folder.OtherEnsemble, match=f"digest {undisturbed.manifest['digest']} there, "):
        run_paths(replayed, folder=tmp_path / "out", resume=True, **asked)
    write_prices(tmp_path, 100.0)
    assert run_paths(replayed, folder=tmp_path / "out", resume=True, **asked).manifest["paths_kept_from_before"] == kept
    assert bytes_in(tmp_path / "out") == bytes_in(tmp_path / "undisturbed")


def test_a_price_file_that_changes_while_a_run_reads_it_is_named(replayed, tmp_path, monkeypatch):
    read = simulate.drawn_prices

    def changed(*asked):
        drawn = read(*asked)
        write_prices(tmp_path, 900.0)
        return drawn

    monkeypatch.setattr(simulate, "drawn_prices", changed)
    with pytest.raises(PriceFileError, match=r"prices\.csv: has changed while it was read"):
        run(replayed)


# --- two runs at once ---


def test_a_second_command_in_the_same_folder_is_refused_and_does_no_harm(small, tmp_path):
    asked = ("run", small.file, "--paths", 80, "--out", tmp_path / "out")
    with begin(*asked) as first:
        wait_for(lambda: list((tmp_path / "out").rglob("paths-*.parquet")), first)
        second = seawall(*asked, "--resume")
        said = first.stderr.read()
    assert (first.returncode, second.exit_code) == (0, 2), said
    assert f"process {first.pid} is writing there; wait for it, or give another --out" in second.stderr


def test_runs_saved_to_one_folder_at_once_wait_for_each_other(result, tmp_path):
    save(result, tmp_path / "alone")
    savers = [threading.Thread(target=save, args=(result, tmp_path / "shared")) for _ in range(4)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert bytes_in(tmp_path / "shared") == bytes_in(tmp_path / "alone")
    assert load_run(tmp_path / "shared").summary == result.summary


def test_a_run_does_not_wait_for_ever(result, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_PATIENCE_S", 0.2)
    with locked(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()} is writing there"):
        save(result, tmp_path)


# --- threads, memory, clocks ---


def test_a_worker_that_raises_ends_the_run_and_keeps_what_is_whole(tmp_path, monkeypatch):
    def play(loaded, seed, path, **terms):
        if path == 20:
            raise RuntimeError("a defect of Seawall")
        return made_up(loaded, seed, path, **terms)

    monkeypatch.setattr(players, "play", made_up)
    ran(tmp_path / "undisturbed")
    monkeypatch.setattr(players, "play", play)
    threads = threading.active_count()
    with pytest.raises(RuntimeError, match="a defect of Seawall"):
        ran(tmp_path / "raised")
    assert threading.active_count() == threads
    assert len(list((tmp_path / "raised" / "chunks").iterdir())) == 2
    monkeypatch.setattr(players, "play", made_up)
    assert ran(tmp_path / "raised", resume=True).manifest["paths_kept_from_before"] == 16
    assert bytes_in(tmp_path / "raised") == bytes_in(tmp_path / "undisturbed")


def test_a_path_without_memory_is_a_failed_path(small, tmp_path, monkeypatch):
    built = one_path.build_model

    def build_model(loaded, paths, seed, path):
        if path == 2:
            raise MemoryError("Unable to allocate 80.0 GiB")
        return built(loaded, paths, seed, path)

    whole = run_paths(small, paths=4, folder=tmp_path / "whole").measures()
    monkeypatch.setattr(one_path, "build_model", build_model)
    found = run_paths(small, paths=4, folder=tmp_path / "out", max_failed_share=0.25)
    assert [(one["path"], one["type"], one["error"]) for one in found.failed] == [(2, "MemoryError", "Unable to allocate 80.0 GiB")]
    assert found.failed[0]["command"].endswith("--path 2")
    others = [0, 1, 3]
    assert found.measures().loc[others].equals(whole.loc[others])


def test_a_clock_that_jumps_changes_no_byte(tmp_path, small, monkeypatch):
    run_paths(small, paths=4, chunk_paths=2, folder=tmp_path / "steady")
    jumps, real = random.Random(2), time.time
    monkeypatch.setattr(time, "time", lambda: real() + jumps.uniform(-1e7, 1e7))
    found = run_paths(small, paths=4, chunk_paths=2, folder=tmp_path / "jumping")
    assert bytes_in(tmp_path / "jumping") == bytes_in(tmp_path / "steady")
    assert 0.0 <= found.manifest["seconds"] < 60.0


CLOCKS = ("time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today")


def test_no_market_asks_for_the_time_of_day():
    """Manifests do, for when a run was started, and fetching, for which bars are over."""
    asking = {
        f"{file.parent.name}/{file.name}: {clock}"
        for folder in LADDER
        for file in (ROOT / folder).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and (clock := f"{getattr(node.value, 'id', '')}.{node.attr}") in CLOCKS
    }
    assert {one for one in asking if not one.startswith("studies/")} == {"prices/fetch.py: time.time"}
    assert {one.split(": ")[1] for one in asking if one.startswith("studies/")} == {"datetime.now"}
