"""The cache of machine code never runs stale."""

import os
import shutil
import subprocess
import sys

from markets import ROOT

PRINT_CACHE = "from seawall.protocols.compiled import CACHE, is_compiled_before; print(CACHE, is_compiled_before())"


def cache_of(checkout):
    environment = os.environ | {"PYTHONPATH": str(checkout.parent)}
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_CACHE], env=environment, cwd=checkout.parent, capture_output=True, text=True, check=True
    )
    return printed.stdout.split()


def test_a_changed_source_gets_a_cache_of_its_own(tmp_path):
    checkout = tmp_path / "seawall"
    for folder in ("protocols", "agents", "models"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "__init__.py").touch()
    first = cache_of(checkout)
    assert first[0].startswith(str(checkout))
    assert first == cache_of(checkout)
    amm = checkout / "protocols" / "amm.py"
    amm.write_text(amm.read_text() + "\n# changed\n")
    assert cache_of(checkout)[0] != first[0]


def test_old_caches_are_dropped(tmp_path):
    checkout = tmp_path / "seawall"
    (checkout / "protocols").mkdir(parents=True)
    for name in ("__init__.py", "compiled.py"):
        shutil.copy(ROOT / "protocols" / name, checkout / "protocols")
    (checkout / "__init__.py").touch()
    for i in range(5):
        (checkout / "protocols" / "extra.py").write_text(f"# {i}\n")
        current = cache_of(checkout)[0]
    assert len(list((checkout / ".cache" / "numba").iterdir())) == 3
    assert os.path.isdir(current)
