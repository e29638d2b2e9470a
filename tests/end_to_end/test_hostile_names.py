"""Hostile names: text in every page, nothing that steers a terminal."""

import ast
import dataclasses
import html
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml
from ensembles import ensemble
from markets import ROOT, STORM, command_line, storm
from typer.testing import CliRunner

from seawall.reports.compare import write_comparison
from seawall.reports.console import SafeConsole
from seawall.reports.ensemble import write_ensemble_report
from seawall.reports.html import draw_all, render
from seawall.studies.compare import compare
from seawall.studies.simulate import run
from seawall.studies.store import save

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAYLOAD = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "</title></svg></text>{{ 7 * 7 }}{% raw %}\"'><svg onload=document.title='owned'> xmlns=\" id=\"<!--&lt;b&gt;"
)


def seawall(*arguments):
    """The command line, in this process."""
    return CliRunner().invoke(command_line(), [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def result():
    return run(storm())


class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes, and whether any of them could run something."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.suspect = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        for name, value in attributes:
            outward = name in ("href", "src", "xlink:href") and not (value or "").startswith(("#", "data:image/png"))
            if name.startswith("on") or outward or name in ("srcdoc", "formaction", "action"):
                self.suspect.append((tag, name, value))


def hostile(result):
    """The same run under names that are markup, code of templates and events, wherever text can stand."""
    manifest = json.loads(json.dumps(result.manifest))
    manifest = {key: PAYLOAD if isinstance(value, str) and key != "started" else value for key, value in manifest.items()}
    manifest["notes"] = [PAYLOAD]
    manifest["outages"] = [{"tasset": PAYLOAD, "from_s": 0.0, "to_s": 60.0}]
    renamed = {}
    for field in dataclasses.fields(result):
        frame = getattr(result, field.name)
        if isinstance(frame, pd.DataFrame) and "tasset" in frame:
            renamed[field.name] = frame.assign(tasset=frame["tasset"].astype(str) + PAYLOAD)
    return dataclasses.replace(result, manifest=manifest, **renamed)


@pytest.fixture(scope="module")
def pages(result, tmp_path_factory):
    """Every kind of page, made of hostile names."""
    folder = tmp_path_factory.mktemp("pages")
    attacked = hostile(result)
    (folder / "run.html").write_text(render(attacked, draw_all(attacked)))
    loaded = storm(f"name={PAYLOAD}", f"about={PAYLOAD}")
    found = [ensemble(folder / name, paths=30, seed=seed, loaded=loaded) for name, seed in (("a", 1), ("b", 2))]
    (folder / "ensemble.html").write_text(write_ensemble_report(found[0]).read_text())
    (folder / "compare.html").write_text(write_comparison(compare([folder / "a", folder / "b"]), folder).read_text())
    return [folder / name for name in ("run.html", "ensemble.html", "compare.html")]


HARMLESS = """
html head meta title style body header main nav section div h1 h2 h3 p a b strong small span code pre ul li dl dt dd
table thead tbody tr th td figure figcaption svg defs clippath pattern g path rect use text image
"""


def test_names_are_text_in_every_page(pages):
    for file in pages:
        text = file.read_text()
        page = Page(text)
        assert page.elements <= set(HARMLESS.split()), file.name
        assert page.suspect == []
        assert "<!--&lt;b" not in text
        assert html.escape("{{ 7 * 7 }}{% raw %}") in text, file.name
        assert "default-src 'none'" in text


def test_the_look_at_a_page_finds_what_is_wrong_with_it():
    page = Page("<p onclick=x><a href='https://x'>y</a><script>z</script>")
    assert not page.elements <= set(HARMLESS.split())
    assert page.suspect == [("p", "onclick", "x"), ("a", "href", "https://x")]


def test_templates_escape_all_but_our_own_figures():
    sources = [ast.parse(file.read_text()) for file in (ROOT / "reports").glob("*.py")]
    calls = [node for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Call)]
    environments = [call for call in calls if ast.unparse(call.func) == "Environment"]
    assert len(environments) >= 2
    assert all("autoescape=True" in ast.unparse(call) for call in environments)
    trusted = {ast.unparse(call.args[0].func) for call in calls if ast.unparse(call.func) == "Markup"}
    assert trusted == {"inline_svg"}
    for template in (ROOT / "reports" / "templates").iterdir():
        assert re.findall(r"\|\s*safe|autoescape|<script|\bon[a-z]+=", template.read_text()) == [], template.name


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the pages in")
def test_no_payload_runs_in_a_browser(pages, tmp_path):
    for file in pages:
        bare = tmp_path / file.name  # without its own policy, which alone would stop most of it
        bare.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", file.read_text()))
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/profile",
            "--dump-dom",
            bare.as_uri(),
        ]
        seen = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        title = re.search(r"<title>(.*?)</title>", seen, flags=re.DOTALL)[1]
        assert title != "owned"
        assert "Seawall" in title
        assert "<script" not in seen


# --- terminal and tables ---

ESCAPES = "\\e[2J\\e]0;owned\\a\\x9b31m\\b\\r\\u202e"


def test_no_escape_sequence_of_a_scenario_reaches_the_terminal(tmp_path):
    text = STORM.read_text()
    texts = [text.replace("name: Storm", f'name: "Storm {ESCAPES}"'), text + f'"key{ESCAPES}": 1\n', f'"{ESCAPES}']
    for i, hostile_text in enumerate(texts):
        assert "owned" in hostile_text
        (tmp_path / f"{i}.yaml").write_text(hostile_text)
        for command in ("validate", "run", "prices"):
            steered(seawall(command, tmp_path / f"{i}.yaml"), 2)


def test_no_escape_sequence_of_results_reaches_the_terminal(result, tmp_path):
    raw = yaml.safe_load(f'"{ESCAPES}"')
    assert "\x1b[2J" in raw
    for folder in ("a", "b"):
        told = {key: result.manifest[key] + raw for key in ("name", "about", "command")} | {"notes": [raw]}
        save(dataclasses.replace(result, manifest=result.manifest | told), tmp_path / folder)
    steered(seawall("report", tmp_path / "a"), 0)
    steered(seawall("compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path), 0)


def test_colours_of_our_own_still_reach_it():
    written = io.StringIO()
    SafeConsole(file=written, force_terminal=True, color_system="standard").print("a\x1b[31mb", style="red", highlight=False)
    assert written.getvalue() == "\x1b[31ma [31mb\x1b[0m\n"


def steered(ended, code):
    assert ended.exit_code == code, ended.stderr
    told = ended.stdout + ended.stderr
    assert "\n" in told
    assert not [letter for letter in told if not letter.isprintable() and letter != "\n"]
