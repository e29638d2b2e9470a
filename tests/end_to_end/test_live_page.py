"""The live page: its model without a browser, and the page as a reader meets it in headless Chromium without a network."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from devtools import CHROMIUM, opened
from markets import ROOT, STORM

from seawall.reports.live_model import WatchedModel, knobs, missing_knobs
from seawall.scenarios.build import build
from seawall.scenarios.load import load

HAS_PAGE = importlib.util.find_spec("solara") is not None
in_a_browser = pytest.mark.skipif(
    not HAS_PAGE or CHROMIUM is None, reason="needs the extra viz (`make test-live` has it)" if not HAS_PAGE else "needs Chromium"
)
NO_NETWORK = """
import os, socket
connect = socket.socket.connect
def connect_here(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        with open(os.environ["SEAWALL_CALLS"], "a") as calls:
            print(address, file=calls)
        raise OSError("no network")
    return connect(self, address)
socket.socket.connect = connect_here
"""
VOLATILITY = 4  # sliders from the top: play and render interval, minimum ratio, discount, volatility
DISCOUNT = 3
DRAWN = "document.querySelectorAll('figure svg').length === 4"
PLAYED = "/Step: [1-9]/.test(document.body.innerText)"


@pytest.fixture(scope="module")
def storm():
    return load(STORM)


def test_a_slider_that_nobody_moved_changes_nothing(storm):
    assert [knob.settings(knob.own + 0.4 * knob.step) for knob in knobs(storm.scenario).values()] == [[]] * len(knobs(storm.scenario))


def test_a_slider_sets_every_tasset(storm):
    settings = knobs(storm.scenario)["minimum_ratio"].settings(1.75)
    changed = load(STORM, settings).scenario
    assert {terms.min_collateral_ratio for terms in changed.tassets.values()} == {1.75}


def test_volatility_is_a_factor_on_each_asset(storm):
    settings = knobs(storm.scenario)["volatility"].settings(0.5)
    before, after = storm.scenario.prices.assets, load(STORM, settings).scenario.prices.assets
    halves = {name: asset.volatility_per_year / 2 for name, asset in before.items()}
    assert {name: asset.volatility_per_year for name, asset in after.items()} == pytest.approx(halves)


def test_volatility_is_a_factor_on_each_regime(tmp_path):
    text = """\
name: T
about: T.
seed: 3
prices:
  model: simulated
  days: 1
  assets:
    A:
      process: regimes
      start_usd: 100
      regimes:
        calm: {volatility_per_year: 0.2, mean_hours: 10, then: {wild: 1}}
        wild: {volatility_per_year: 0.8, mean_hours: 5, then: {calm: 1}}
tassets: {tA: {tracks: A, pool: {liquidity_usd: 1e4}}}
minters: {count: 1}
"""
    (tmp_path / "t.yaml").write_text(text)
    settings = knobs(load(tmp_path / "t.yaml").scenario)["volatility"].settings(0.5)
    regimes = load(tmp_path / "t.yaml", settings).scenario.prices.assets["A"].regimes
    assert {name: regime.volatility_per_year for name, regime in regimes.items()} == pytest.approx({"calm": 0.1, "wild": 0.4})


def test_a_scenario_says_which_sliders_it_has_nothing_for(storm):
    calm = storm.scenario.model_copy(update={"outages": ()})
    assert [sentence for sentence in missing_knobs(calm) if "outage" in sentence] == [
        "No slider for outage hours: the scenario has no oracle outage to lengthen."
    ]


def test_the_watched_market_is_that_of_a_run(storm):
    assert WatchedModel(storm, discount=0.1).digest() == build(load(STORM, knobs(storm.scenario)["discount"].settings(0.1))).digest()


def test_settings_that_cannot_be_run_are_told_and_not_played(storm):
    model = WatchedModel(storm, volatility=1_000.0)
    model.step()
    assert "volatility_per_year" in model.problem
    assert model.world.clock[0].step == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a page on the storm, and the file that lists what its server asked of other machines."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "sitecustomize.py").write_text(NO_NETWORK)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log, calls = folder / "log", folder / "calls"
    environment = {**os.environ, "PYTHONPATH": str(folder), "SEAWALL_CALLS": str(calls), "NUMBA_DISABLE_JIT": "1"}
    with log.open("w") as output:
        command = [sys.executable, "-m", "seawall.reports.watch", str(STORM), "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}/", calls
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address, process, log):
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise TimeoutError(log.read_text())


@pytest.fixture
def tab(server, tmp_path):
    with opened(server[0], tmp_path) as tab:
        tab.wait(DRAWN)
        yield tab


def rounds(tab):
    return int(re.search(r"Step: (\d+)", tab.text)[1])


@in_a_browser
def test_the_page_opens_without_a_network(tab, server):
    outside = [address for address in tab.requested if not address.startswith((server[0], "ws://127.0.0.1", "data:", "about:", "blob:"))]
    assert not outside
    assert not server[1].exists(), server[1].read_text()
    assert f"python run.py run {STORM}" in tab.text


@in_a_browser
def test_a_step_moves_the_market_and_the_charts(tab):
    before = tab.js("document.querySelector('figure svg').outerHTML")
    tab.click("Step")
    tab.wait(PLAYED)
    tab.wait("/[1-9]\\d* (min|h|d).* of .* played/.test(document.body.innerText)")
    assert tab.js("document.querySelector('figure svg').outerHTML") != before


@in_a_browser
def test_play_goes_on_until_pause(tab):
    tab.click("▶")
    tab.wait(PLAYED)
    tab.click("❚❚")
    tab.wait("[...document.querySelectorAll('button')].some(b => b.innerText === '▶')")
    time.sleep(3)  # the picture under way when the button was pressed
    paused = rounds(tab)
    time.sleep(3)
    assert rounds(tab) == paused


@in_a_browser
def test_a_slider_takes_effect_with_reset(tab):
    tab.press("Home", slider=DISCOUNT)
    time.sleep(1)
    tab.click("Reset")
    tab.wait("document.querySelector('code').innerText.includes('auction_discount=0 ')")


@in_a_browser
def test_sliders_that_make_no_scenario_are_told_in_words(tab):
    tab.press("End", slider=VOLATILITY)
    time.sleep(1)
    tab.click("Reset")
    tab.wait("/volatility_per_year: [\\d.]+ is not in/.test(document.body.innerText)")
    assert "Traceback" not in tab.text


@in_a_browser
def test_a_phone_scrolls_down_only(server, tmp_path):
    with opened(server[0], tmp_path, width=390) as tab:
        tab.wait(DRAWN)
        assert tab.js("Math.max(...[...document.querySelectorAll('figure')].map(f => f.getBoundingClientRect().right))") <= 390
