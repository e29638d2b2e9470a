"""The live page: Mesa's SolaraViz on a scenario, with sliders and charts that follow the run. Served by `watch`.

Solara and the browser's files come with the optional extra `viz`; nothing else in Seawall imports this module.
"""

from __future__ import annotations

import html
import os
import threading
from typing import Any

import solara
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

from seawall.protocols.compiled import is_compiled_before
from seawall.protocols.errors import SeawallError
from seawall.reports.live_charts import live_charts, progress
from seawall.reports.live_model import WatchedModel, knobs, missing_knobs
from seawall.reports.style import Chart
from seawall.reports.svg import draw, inline_svg
from seawall.reports.watch import SCENARIO_VARIABLE
from seawall.scenarios.build import DEFAULT_SCENARIO
from seawall.scenarios.load import Loaded, load

RECORDS_PER_PICTURE = 9  # a picture takes about as long to draw as ten times as many records to play
PLAY_INTERVAL_MS = 1
_ONE_AT_A_TIME = threading.Lock()  # the house style is a global setting of matplotlib, and each browser tab has a thread
_CSS = """
.seawall { --paper: #fefefe; --ink: #24292f; --muted: #57606b; --grid: #d8dee5; --closed: #eaeef3; --blue: #0072b2; color: var(--ink); }
.theme--dark .seawall { --paper: #14181d; --ink: #e3e8ee; --muted: #a3adb8; --grid: #323a44; --closed: #232a33; --blue: #3d9be0; }
.seawall p { margin: 0 0 .5rem; max-width: 58rem; }
.seawall code { overflow-wrap: anywhere; white-space: pre-wrap; }
.seawall .charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.seawall figure { margin: 0; max-width: 44rem; padding: .75rem; background: var(--paper); }
.seawall figcaption { font-weight: 600; margin-bottom: .5rem; }
.seawall figcaption + svg { width: 100%; height: auto; }
.seawall .note { color: var(--muted); font-size: .85rem; }
.v-slider__thumb-label-container { display: block !important; }
.v-slider__thumb-label-container .v-slider__thumb-label.primary { display: flex !important; background: none !important;
  color: inherit !important; transform: translate(-50%, 28px) !important; }
.v-slider__thumb-label-container .v-slider__thumb-label.primary > * { transform: none !important; }
.v-input__slider { margin-bottom: 10px; }
.v-alert__content { white-space: pre-line; }
.v-navigation-drawer .v-sheet { min-width: 0 !important; }
"""


@solara.component  # type: ignore[untyped-decorator]  # Solara is not installed where types are checked
def Page() -> None:  # noqa: N802  # Solara looks for this name
    """The whole page: a scenario that can be played, or why it cannot."""
    solara.Style(_CSS)
    first, problem = solara.use_memo(_first_model, [])
    if first is None:
        solara.Title("Seawall")
        _paragraphs([("This scenario cannot be watched.", "")])
        solara.Error(problem)
        return
    watched(first)


def _first_model() -> tuple[WatchedModel | None, str]:
    """The model of the scenario that the server was started on, or None and the reason."""
    try:
        loaded = load(os.environ.get(SCENARIO_VARIABLE) or DEFAULT_SCENARIO)
        if not loaded.scenario.tassets:
            return None, f"The live page follows the tASSET market, and {loaded.file} has none; its report shows what it has."
        return WatchedModel(loaded), ""
    except (SeawallError, OSError) as error:
        return None, str(error)


def watched(first: WatchedModel) -> None:
    """Mesa's controls, the scenario in words and the charts of the model that is on show."""
    model = solara.use_reactive(first)
    scenario = first.base.scenario
    solara.Title(f"{scenario.name} - Seawall")
    SolaraViz(
        model,
        components=[],  # Mesa's own grid of charts is two columns wide on a phone, too
        model_params=parameters(first.base),
        play_interval=PLAY_INTERVAL_MS,
        render_interval=RECORDS_PER_PICTURE,
        name=f"Seawall: {scenario.name}",
    )
    update_counter.get()
    told(model.value)
    with _ONE_AT_A_TIME:
        pictures = "".join(map(_figure, live_charts(model.value)))
    solara.HTML(tag="div", unsafe_innerHTML=f'<div class="charts">{pictures}</div>', classes=["seawall"])


def parameters(base: Loaded) -> dict[str, Any]:
    """What Mesa's page makes models of: the scenario, and a slider for each knob that it has."""
    sliders = {
        name: Slider(knob.label, value=knob.own, min=knob.low, max=knob.high, step=knob.step, dtype=float)
        for name, knob in knobs(base.scenario).items()
    }
    return {"scenario": base, **sliders}


def told(model: WatchedModel) -> None:
    """Scenario, how far the run is, what stands in its way, and where the full report comes from."""
    scenario = model.base.scenario
    ready = is_compiled_before(has_exchange=model.exchange is not None, has_avmm=model.avmm is not None)
    _paragraphs(
        [
            (scenario.about, ""),
            (f"{progress(model)} Path 0 of seed {scenario.seed}; each step goes to the next record.", ""),
            ("" if ready else "The first step compiles the market's rules, which takes a minute or so once.", ""),
            (" ".join(["A slider sets all tASSETs, assets or outages alike and takes effect with Reset.", *missing_knobs(scenario)]), ""),
            ("The full report of this market, with every figure and its definition, comes from", model.command),
        ]
    )
    if model.problem:
        solara.Error(f"These sliders make no scenario that can be run; move them and press Reset.\n{model.problem}")
    if model.loaded.warnings:
        solara.Warning("\n".join(map(str, model.loaded.warnings)))


def _paragraphs(texts: list[tuple[str, str]]) -> None:
    """Plain text, each with a command after it where there is one."""
    shown = [html.escape(words) + (f" <code>{html.escape(code)}</code>" if code else "") for words, code in texts if words]
    solara.HTML(tag="div", unsafe_innerHTML="".join(f"<p>{text}</p>" for text in shown), classes=["seawall"])


def _figure(chart: Chart) -> str:
    """A chart as HTML: its finding, the picture, how to read it."""
    picture = inline_svg(chart, draw(chart))
    caption, note = html.escape(chart.title), html.escape(chart.note)
    return f'<figure id="{chart.name}"><figcaption>{caption}</figcaption>{picture}<p class="note">{note}</p></figure>'
