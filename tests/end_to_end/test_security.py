"""Nothing runs from a file, nothing leaves the machine, nothing is written elsewhere."""

import ast
import json
import os
import pickle
import re
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from markets import ROOT, STORM, command_line, storm
from typer.testing import CliRunner

from seawall.prices.fetch import write_csv
from seawall.protocols import compiled
from seawall.protocols.errors import ScenarioError
from seawall.reports.html import write_report
from seawall.scenarios.build import build
from seawall.scenarios.load import load
from seawall.studies.folder_lock import LOCK, LinkedFolder, locked
from seawall.studies.seal import NoRunError
from seawall.studies.simulate import run
from seawall.studies.store import load_run, save, write

FOLDERS = ("protocols", "prices", "agents", "models", "scenarios", "studies", "reports")
SOURCES = [*(file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.py"))), ROOT / "run.py", ROOT / "__init__.py"]


def seawall(*arguments):
    """The command line, in this process."""
    return CliRunner().invoke(command_line(), [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def result():
    return run(storm())


# --- code and network ---

WATCHED = """
import json, os, sys, tempfile
import matplotlib.font_manager
import exchange_calendars
from seawall.protocols.compiled import CACHE
from seawall.scenarios.load import load, shipped
from seawall.scenarios.build import build
from seawall.studies.seal import NoRunError
from seawall.studies.simulate import run
from seawall.studies.store import save
from seawall.reports.html import write_report
from pathlib import Path

out = Path(sys.argv[1])
WRITABLE = (str(out), str(CACHE), matplotlib.get_cachedir(), os.devnull)
PROCESSES = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.", "webbrowser.")
NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "nntplib.", "telnetlib.")
seen = []

def watch(event, arguments):
    if event.startswith(PROCESSES + NETWORK):
        seen.append(f"{event} {arguments!r}")
        raise PermissionError(event)
    if event == "pickle.find_class" and "numba" not in sys._getframe(1).f_code.co_filename:
        seen.append(f"{event} {arguments!r} in {sys._getframe(1).f_code.co_filename}")
    writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.chmod", "os.truncate"):
        path = os.fspath(arguments[0]) if isinstance(arguments[0], str | os.PathLike) else ""
        if path and "__pycache__" not in path and not os.path.realpath(path).startswith(WRITABLE):
            seen.append(f"{event} {path}")

sys.addaudithook(watch)
files = shipped()
for file in files:
    build(load(file)).run()
result = run(load(files[0]))
save(result, out / "run")
write_report(result, out / "run")
print(json.dumps({"files": len(files), "seen": seen}))
"""


def test_every_shipped_scenario_runs_without_network_process_or_pickle_and_writes_to_its_folder_only(tmp_path):
    command, compiled_once = [sys.executable, "-c", WATCHED, str(tmp_path)], os.environ | {"NUMBA_DISABLE_JIT": "0"}
    ended = subprocess.run(command, cwd=ROOT.parent, env=compiled_once, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["files"] >= 14
    assert told["seen"] == []


def names_in(file):
    """What a source imports (`import a.b`, `from a.b`), calls (`f()`), looks up (`a.b`, `.b` of what has no name) and hands over (`k=`)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"from {node.module or ''}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"
        elif isinstance(node, ast.Attribute):
            yield f"{getattr(node.value, 'id', '')}.{node.attr}"
        elif isinstance(node, ast.keyword):
            yield f"{node.arg}="


FORBIDDEN = {
    "pickle": r"(import|from) (cloudpickle|dill|joblib|shelve|marshal)|from pickle|pickle\.(?!dumps$)|.*\.(read|to)_pickle$|allow_pickle=",
    "code": r"(eval|exec|compile|__import__)\(\)|runpy\.|.*\.exec_module$",
    "yaml": r"yaml\.(load|load_all|full_load|unsafe_load|Loader|FullLoader|UnsafeLoader)$",
    "process": r"(import|from) (subprocess|pty|multiprocessing|concurrent\.futures\.process)\b|.*ProcessPoolExecutor\b|shell="
    r"|os\.(system|popen|exec.*|spawn.*|posix_spawn.*)$",
    "template": r".*\.from_string$",
}
STARTED = [("run.py", "os.execv"), ("watch.py", "os.execv")]
STARTED += [("processes.py", f"from {module}") for module in ("concurrent.futures.process", "multiprocessing")]
STARTED += [("processes.py", "import multiprocessing"), ("processes.py", "ProcessPoolExecutor()")]
STARTED += [("fork_server.py", f"from {module}") for module in ("multiprocessing", "multiprocessing.context")]
STARTED += [("fork_server.py", "import multiprocessing")]
"""The command line starts itself again with the Python of `.venv`, the live page with Solara's server; `--processes` its own."""


def found(source, pattern):
    return [(source.name, name) for name in names_in(source) if re.match(pattern, name)]


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_source_reads_pickles_or_runs_text(kind):
    everywhere = [one for source in SOURCES for one in found(source, FORBIDDEN[kind])]
    assert [one for one in everywhere if one not in STARTED] == []


def test_the_search_for_what_is_forbidden_finds_it(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text(
        "import joblib, subprocess\nnp.load(f, allow_pickle=True)\neval('1')\npd.read_pickle(f)\nyaml.load(t)\nE().from_string(t)\n"
    )
    assert {kind: len(found(file, pattern)) for kind, pattern in FORBIDDEN.items()} == {
        "pickle": 3,
        "code": 1,
        "yaml": 1,
        "process": 1,
        "template": 1,
    }


def test_only_fetching_and_the_cluster_know_the_network():
    network = r"(import|from) (socket|ssl|asyncio|requests|distributed|urllib\.request|http\.client)$"
    knowing = {source.name for source in SOURCES if found(source, network)}
    assert {"klines.py"} <= knowing <= {"klines.py", "cluster.py", "cluster_worker.py"}


class Harm:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_a_parquet_file_with_a_pickle_inside_runs_nothing(tmp_path):
    """The hole of Arrow's Python extension types (CVE-2023-47248), which pyarrow has closed since 14.0.1."""
    harm = pickle.dumps(Harm(tmp_path / "harm"))
    metadata = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": harm}
    schema = pa.schema([pa.field("timestamp", pa.string()), pa.field("close", pa.float64(), metadata=metadata)])
    rows = [[f"2024-03-04T00:0{i}:00Z" for i in range(5)], [100.0] * 5]
    pq.write_table(pa.table(rows, schema=schema), tmp_path / "prices.parquet")
    (tmp_path / "s.yaml").write_text(REPLAY.format(file="prices.parquet"))
    build(load(tmp_path / "s.yaml")).run()
    assert not (tmp_path / "harm").exists()


# --- paths ---

REPLAY = """
name: R
about: A.
seed: 1
prices: {{model: replay, file: "{file}", assets: {{A: close}}}}
tassets: {{tA: {{tracks: A, pool: {{liquidity_usd: 1000}}}}}}
minters: {{count: 1}}
"""
SNAPSHOT = """
name: S
about: A.
seed: 1
prices: {{model: simulated, start: 2024-03-04T00:00:00Z, days: 0.01, assets: {{A: {{start_usd: 100, volatility_per_year: 1}}}}}}
tassets: {{tA: {{tracks: A, pool: {{liquidity_usd: 1000}}}}}}
minters: {{snapshot: {{file: "{file}", columns: {{collateral: a, debt: b}}}}}}
"""


@pytest.fixture
def place(tmp_path):
    """A scenario's folder with all that could lead out of it, beside a file that nobody should read."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("timestamp,close,a,b\n2024-03-04T00:00:00Z,secret,secret,secret\n")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    (inside / "folder").symlink_to(tmp_path)
    (inside / "round.csv").symlink_to("round.csv")
    (inside / "device.csv").symlink_to("/dev/zero")
    (inside / "directory.csv").mkdir()
    os.mkfifo(inside / "pipe.csv")
    return inside


@pytest.mark.parametrize("text", [REPLAY, SNAPSHOT])
@pytest.mark.parametrize(
    "file",
    [
        "../secret.csv",
        "folder/secret.csv",
        "directory.csv/../../secret.csv",
        "/etc/passwd",
        "link.csv",
        "round.csv",
        "device.csv",
        "directory.csv",
        "pipe.csv",
        "none.csv",
        "a\\0.csv",
        "a\\e[2J.csv",
        "~/secret.csv",
        "$HOME/secret.csv",
        "http://127.0.0.1/secret.csv",
        "file:///etc/passwd",
        "n" * 300 + ".csv",
        "deep/" * 150 + "x.csv",
        "long" * 300,
    ],
)
def test_no_file_outside_of_the_scenario_s_folder_is_opened(place, text, file):
    (place / "s.yaml").write_text(text.format(file=file))
    for command in (["run"], ["run", "--paths", "2"]):
        ended = seawall(*command, place / "s.yaml", "--out", place / "out")
        assert ended.exit_code == 2, ended.exception
        assert "'secret'" not in ended.stderr  # as a refused cell is shown
        assert "\x1b" not in ended.stderr
        assert "\0" not in ended.stderr
    assert not list((place / "out").rglob("summary.json"))


def test_a_scenario_s_name_does_not_lead_out_of_the_results(tmp_path):
    (tmp_path / "...yaml").write_text(STORM.read_text())
    with pytest.raises(ScenarioError, match=r"its name without the ending is '\.\.': rename it"):
        load(tmp_path / "...yaml")


@pytest.fixture
def trap(tmp_path, result):
    """A folder of results as a stranger may have packed it: under every name that is written to, a link to a file of ours."""
    precious, folder = tmp_path / "precious", tmp_path / "run"
    precious.mkdir()
    (precious / "file").write_text("mine")
    save(result, folder)
    (folder / LOCK).unlink()
    for name in (LOCK, "report.html", f".report.html.{os.getpid()}.part", f".{'manifest.json'}.{os.getpid()}.part"):
        (folder / name).symlink_to(precious / "file")
    (folder / "figures").symlink_to(precious)
    return folder, precious


def test_links_among_results_are_not_written_through(trap, result):
    folder, precious = trap
    with pytest.raises(LinkedFolder, match="figures: is a link, which could lead anywhere; nothing is written through it"):
        write_report(result, folder)
    with pytest.raises(OSError, match="symbolic links"):
        save(result, folder)
    with pytest.raises(OSError, match="symbolic links"), locked(folder):
        pass
    write(folder / "manifest.json", lambda file: file.write_text("{}"))
    assert [(file.name, file.read_text()) for file in precious.iterdir()] == [("file", "mine")]
    assert not (folder / "report.html").is_symlink()


def test_pipes_among_results_are_not_waited_for(tmp_path, result):
    save(result, tmp_path / "named")
    manifest = json.loads((tmp_path / "named" / "manifest.json").read_text())
    os.mkfifo(tmp_path / "named" / "pipe")
    for kept in (manifest["sha256"] | {"pipe": ""}, manifest["sha256"] | {"../named/pipe": ""}):
        (tmp_path / "named" / "manifest.json").write_text(json.dumps(manifest | {"sha256": kept}))
        with pytest.raises(NoRunError, match="pipe: is missing"):
            load_run(tmp_path / "named")
    (tmp_path / "pipes").mkdir()
    for name in ("manifest.json", "ensemble.json"):
        os.mkfifo(tmp_path / "pipes" / name)
    for command in (["report", tmp_path / "pipes"], ["compare", tmp_path / "pipes", tmp_path / "pipes"]):
        ended = seawall(*command)
        assert ended.exit_code == 2
        assert "manifest.json" in ended.stderr


def test_cells_of_the_only_csv_that_is_written_are_times_and_numbers(tmp_path):
    """So that no cell begins with =, +, @, a tab or a carriage return: a spreadsheet would take it for a formula."""
    writers = {source.name for source in SOURCES if found(source, r".*\.(to_csv|writer|DictWriter|savetxt|write_csv)$")}
    assert writers == {"fetch.py"}
    times = pd.DatetimeIndex(pd.to_datetime([0, 60], unit="s", utc=True), name="timestamp")
    write_csv(pd.DataFrame({name: [1.5, 1e-7] for name in ("open", "high", "low", "close", "volume")}, index=times), tmp_path / "p.csv")
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "timestamp,open,high,low,close,volume"
    for line in lines[1:]:
        time, *numbers = line.split(",")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
        assert all(float(number) > 0 for number in numbers)


# --- the cache of machine code ---


def test_a_cache_that_others_could_write_to_is_not_used(tmp_path, monkeypatch):
    own = tmp_path / "own"
    assert compiled._is_own(own)
    assert own.stat().st_mode & 0o777 == 0o700
    for mode in (0o777, 0o770, 0o702):
        own.chmod(mode)
        assert not compiled._is_own(own)
    own.chmod(0o700)
    (tmp_path / "link").symlink_to(own)
    assert compiled._is_own(tmp_path / "link")
    (tmp_path / "file").touch()
    assert not compiled._is_own(tmp_path / "file")
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    assert not compiled._is_own(own)  # somebody else's


def test_a_name_that_is_taken_in_the_shared_folder_is_passed_over(tmp_path, monkeypatch):
    taken = tmp_path / f"seawall-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    (tmp_path / "root").touch()
    monkeypatch.setattr(compiled, "_ROOT", tmp_path / "root")
    monkeypatch.setattr(compiled, "_source_digest", lambda: "digest")
    monkeypatch.setattr("atexit.register", lambda *_, **__: None)
    folder = compiled._cache_folder()
    assert folder.name == "digest"
    assert folder.parent.parent == tmp_path
    assert folder.parent != taken
    assert folder.parent.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777 == 0o700
    assert list(taken.iterdir()) == []
    taken.chmod(0o700)
    assert compiled._cache_folder() == taken / "digest"
