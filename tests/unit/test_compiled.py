"""The cache of machine code never runs stale."""

import os
import pickle
import shutil
import subprocess
import sys

import pytest
from markets import ROOT
from numba.core import config

from seawall.protocols import amm
from seawall.protocols.compiled import rule

PRINT_CACHE = "from seawall.protocols.compiled import CACHE, is_compiled_before; print(CACHE, is_compiled_before())"


@rule
def double(x: float) -> float:
    return 2.0 * x


@rule
def quadruple(x: float) -> float:
    return double(double(x))


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


@pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
def test_the_code_for_python_is_made_when_python_calls(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))  # from a full cache neither needs to be made
    assert quadruple(3.0) == 12.0
    assert double.for_rules.signatures
    assert not double.for_python.signatures
    assert not quadruple.for_rules.signatures
    assert double(3.0) == 6.0
    assert double.for_python.signatures


def test_a_rule_goes_for_its_function():
    assert amm.quote_swap.__name__ == "quote_swap"
    assert pickle.loads(pickle.dumps(amm.quote_swap)) is amm.quote_swap
    assert amm.quote_swap(commission=0.0, offer=1.0, ask_reserve=100.0, offer_reserve=100.0) == amm.quote_swap(100.0, 100.0, 1.0, 0.0)
