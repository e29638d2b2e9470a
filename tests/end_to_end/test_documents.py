"""What the documents show works as it stands there."""

import re

import pytest
from markets import ROOT

DOCUMENTS = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "SECURITY.md"])
BLOCKS = [
    pytest.param(block, id=f"{document.name}-{i}")
    for document in DOCUMENTS
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_example_runs(block, monkeypatch, tmp_path):
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "example", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_test_that_a_document_names_exists(document):
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"^ *def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"`(test_\w+)`", document.read_text())) <= there


def test_the_scenario_of_the_readme_is_one_that_ships():
    block = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    shown = [line for line in block.group(1).splitlines() if line.strip() and not line.strip().startswith("#")]
    text = (ROOT / "scenarios" / "short_squeeze.yaml").read_text()
    assert all(line in text for line in shown)


def test_every_target_of_make_help_exists():
    makefile = (ROOT / "Makefile").read_text()
    for command in re.findall(r"`make ([a-z-]+)`", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
