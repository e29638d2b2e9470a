"""What is installed is what was locked, and what is declared is what is used."""

import ast
import re
import sys
import tomllib

import pytest
from markets import ROOT

FOLDERS = ("protocols", "prices", "agents", "models", "scenarios", "studies", "reports")
SOURCES = [*(file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.py"))), ROOT / "run.py", ROOT / "__init__.py"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
MODULES = {"exchange-calendars": "exchange_calendars", "salib": "SALib", "pyyaml": "yaml"}
"""Modules whose names are not those of their packages."""
CAME_ALONG = {"markupsafe": "jinja2", "pydantic_core": "pydantic", "dask": "distributed"}
"""Modules that belong to a package that is declared, and are documented as its own."""


def package(requirement):
    return re.match(r"[A-Za-z0-9-]+", requirement)[0].lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock):
    requirements = re.split(r"(?<!\\)\n", lock.read_text().strip())
    assert len(requirements) > 40
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^ ]+ ", requirement), requirement.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement.splitlines()[0]
        assert not re.search(r"--hash=(?!sha256:)|@ |://", requirement)


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    declared = {MODULES.get(name, name) for name in map(package, PROJECT["dependencies"])}
    optional = {MODULES.get(name, name) for extra in ("fetch", "viz") for name in map(package, PROJECT["optional-dependencies"][extra])}
    imported = {name.split(".")[0] for file in SOURCES for name in modules_of(file)} - set(sys.stdlib_module_names) - {"seawall"}
    assert imported - set(CAME_ALONG) <= declared | optional
    assert declared <= imported


def modules_of(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_every_dependency_has_its_reason():
    text = (ROOT / "docs" / "dependencies.md").read_text()
    explained = set(re.findall(r"^\| `([a-z0-9-]+)`", text, flags=re.MULTILINE))
    extras = {package(one) for group in PROJECT["optional-dependencies"].values() for one in group}
    assert explained == {package(one) for one in PROJECT["dependencies"]} | extras
    for lock in LOCKS:
        count = len(re.findall(r"^[a-z0-9]", lock.read_text(), flags=re.MULTILINE))
        assert f"| `{lock.name}` | {count} |" in text
