"""Scenario files: what is right is read, what is wrong is refused with file, line and key, everything at once."""

import contextlib
import json
import math
import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markets import SHIPPED, STORM

from seawall.protocols.errors import ScenarioError, SeawallError
from seawall.scenarios.build import build
from seawall.scenarios.load import load, shipped
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import MAX_DEPTH, read, scalar

GOOD = """\
name: Test
about: One line.
seed: 1
prices:
  model: simulated
  days: 1
  assets:
    AAPL: {start_usd: 100, volatility_per_year: 0.3}
tassets:
  tAAPL:
    tracks: AAPL
    auction_discount: 0.2
    pool: {liquidity_usd: 1e4}
minters: {count: 10}
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="test.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return to_file


def faults_of(path, *settings):
    with pytest.raises(ScenarioError) as caught:
        load(path, settings)
    return [str(fault).removeprefix(str(path.parent) + "/") for fault in caught.value.faults]


def test_a_good_file_is_read_with_its_defaults(write):
    scenario = load(write(GOOD)).scenario
    assert scenario.tassets["tAAPL"].min_collateral_ratio == 1.5
    assert scenario.tassets["tAAPL"].price_valid_seconds == 60.0
    assert scenario.tassets["tAAPL"].pool.liquidity_usd == 10_000.0
    assert scenario.tassets["tAAPL"].pool.commission == 0.003


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("auction_discount: 0.2", "auction_discount: 1.2", "test.yaml:12: tassets.tAAPL.auction_discount: 1.2 is not in [0, 1)"),
        ("auction_discount: 0.2", "auction_discount: 20%", "test.yaml:12: tassets.tAAPL.auction_discount: '20%' must be a valid number"),
        ("auction_discount: 0.2", "auction_discount: .nan", "test.yaml:12: tassets.tAAPL.auction_discount: .nan is not a finite number"),
        ("auction_discount: 0.2", "auction_discuont: 0.2", "test.yaml:12: tassets.tAAPL.auction_discuont: is not a key here; did you mean"),
        ("seed: 1", "seed: -1", "test.yaml:3: seed: -1 is not in [0, 9007199254740991]"),
        ("seed: 1", "seed: 1.5", "test.yaml:3: seed: 1.5 must be a valid integer"),
        ("seed: 1", "seed: true", "test.yaml:3: seed: True must be a valid integer"),
        ("seed: 1\n", "", "test.yaml:1: seed: is missing"),
        ("days: 1", "days: 1e9", "test.yaml:6: prices.days: 1000000000 is not in (0, 3660]"),
        ("days: 1", "days: 0.00001", "test.yaml:6: prices.days: 1e-05 days are not a whole number of rounds of 60 s"),
        ("days: 1", "days: 365.5\n  start: 2024-01-01T00:00:00", "test.yaml:7: prices.start: 2024-01-01T00:00:00 has no time zone"),
        (
            "count: 10}",
            "count: 1000000}\ntraders: {count: 1000000, orders_per_day: 1440}",
            "test.yaml:15: traders.orders_per_day: 1,440,000,000",
        ),
        ("count: 10}", "count: 1000000}\nlps: {count: 100000}\nstep_seconds: 7", "test.yaml:6: prices.days: 1 days are not a whole number"),
        (
            "model: simulated",
            "model: simulatd",
            "test.yaml:4: prices: model is missing or unknown; known: constant, simulated, replay, bootstrap, daily_bars",
        ),
        ("start_usd: 100", "start_usd: 0", "test.yaml:8: prices.assets.AAPL.start_usd: 0 is not in [1e-12, 1e12]"),
        ("tracks: AAPL", "tracks: APPL", "test.yaml:11: tassets.tAAPL.tracks: 'APPL' is no asset of prices.assets; known: AAPL"),
        ("count: 10", "count: 1000000000000", "test.yaml:14: minters.count: 1000000000000 is not in [0, 1000000]"),
        ("count: 10", "count: 10, reserve: -0.1", "test.yaml:14: minters.reserve: -0.1 is not in [0, 1e12]"),
        ("name: Test", "name: Test\nname: Again", "test.yaml:2: name: stands twice, first on line 1"),
        ("name: Test", "name: &x Test", "test.yaml:1: anchors and aliases (& and *) are not allowed"),
        ("name: Test", "name: !!python/name:os.system", "test.yaml:1: the tag tag:yaml.org,2002:python/name:os.system is not allowed"),
        ("name: Test", "name: [", "test.yaml:3: not YAML: "),
        ("count: 10", "count: 10, responses: {deposit: 0}", "test.yaml:14: minters.responses: deposit, burn and close are all 0"),
        ("tAAPL:", "t<b>:", "test.yaml:10: tassets.t<b>: "),
    ],
)
def test_a_fault_is_named_with_line_key_and_value(write, old, new, fault):
    assert GOOD.count(old) == 1
    assert any(found.startswith(fault) for found in faults_of(write(GOOD.replace(old, new))))


def test_rounds_are_counted_to_the_nearest(write):
    assert load(write(GOOD), ["prices.days=0.7"]).scenario.prices.days == 0.7  # 60479.999... seconds
    assert faults_of(write(GOOD), "prices.days=3650", "step_seconds=1") == [
        "--set: prices.days: 315,360,000 rounds of 1 assets are more than 20,000,000 prices; use longer rounds"
    ]


def test_all_faults_are_reported_at_once(write):
    text = GOOD.replace("seed: 1", "seed: x").replace("0.2", "7").replace("count: 10", "cuont: 10")
    assert [fault.split(": ")[0] for fault in faults_of(write(text))] == ["test.yaml:3", "test.yaml:12", "test.yaml:14", "test.yaml:14"]


def test_settings_replace_values_and_are_checked_like_the_file(write):
    path = write(GOOD)
    assert load(path, ["minters.count=7"]).scenario.minters.count == 7
    assert load(path, ["tassets.tAAPL.pool.liquidity_usd=2e4"]).scenario.tassets["tAAPL"].pool.liquidity_usd == 20_000
    assert load(path, ["liquidators.count=2"]).scenario.liquidators.count == 2
    assert faults_of(path, "minters.count=-7") == ["--set: minters.count: -7 is not in [0, 1000000]"]
    assert faults_of(path, "minters.count") == ["--set: minters.count: is not KEY=VALUE"]
    assert faults_of(path, "name.first=7") == ["--set: name.first: there is no 'first' to set"]
    assert load(STORM, ["shocks[0].change=0.1"]).scenario.shocks[0].change == 0.1
    assert faults_of(path, "shocks[0].change=0.1")[0].startswith("--set: shocks[0].change: there is no")


def test_the_digest_follows_text_and_settings(write):
    path = write(GOOD)
    digests = {load(path).digest, load(path, ["minters.count=7"]).digest, load(write(GOOD + "\n", "b.yaml")).digest}
    assert len(digests) == 3
    assert load(path).digest == load(path).digest


def test_shocks_and_outages_after_the_end_are_refused(write):
    late = GOOD + "shocks: [{at_hours: 25, change: 0.1}]\noutages: [{tasset: tX, at_hours: 1, hours: 1}]\n"
    assert faults_of(write(late)) == [
        "test.yaml:16: outages[0].tasset: 'tX' is no tASSET; known: tAAPL",
        "test.yaml:15: shocks[0].at_hours: 25 is after the end of the run (24 hours)",
    ]


REPLAY = """\
name: R
about: A.
seed: 1
prices: {model: replay, file: FILE, assets: {A: A}}
tassets: {tA: {tracks: A, pool: {liquidity_usd: 1}}}
minters: {count: 1}
"""


@pytest.mark.parametrize("file", ["../secret.csv", "/etc/passwd", "a/../../secret.csv"])
def test_a_price_file_outside_the_folder_is_refused(write, file):
    assert (
        "is outside the scenario's folder; give it on the command line: --set prices.file=PATH"
        in faults_of(write(REPLAY.replace("FILE", file)))[0]
    )


def test_a_link_out_of_the_folder_is_refused(write, tmp_path):
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    assert "outside" in faults_of(write(REPLAY.replace("FILE", "link.csv")))[0]


def test_a_price_file_typed_on_the_command_line_may_lie_anywhere(write, tmp_path):
    loaded = load(write(REPLAY.replace("FILE", "x.csv")), [f"prices.file={tmp_path.parent}/other.csv"])
    assert loaded.prices_file == tmp_path.parent / "other.csv"


def test_terms_under_which_auctions_cannot_work_are_warned_of(write):
    warnings = load(write(GOOD.replace("0.2", "0.35"))).warnings
    assert len(warnings) == 1
    assert (warnings[0].line, warnings[0].key) == (12, "tassets.tAAPL.auction_discount")
    assert warnings[0].message.startswith("0.35 is more than 1 - 1/min_collateral_ratio = 0.3333: ")
    assert load(write(GOOD)).warnings == ()


def test_a_discount_that_pays_nobody_is_warned_of(write):
    """0.3 % commission and 1 % least profit: 1 - 0.997 / 1.01 = 0.01287."""
    thin = GOOD.replace("0.2", "0.0128") + "liquidators: {count: 1}\n"
    (warning,) = load(write(thin)).warnings
    assert warning.message.startswith("0.0128 is less than 0.01287, which the pool's commission")
    assert load(write(thin.replace("0.0128", "0.0129"))).warnings == ()
    assert load(write(thin.replace("{count: 1}", "{count: 1, tokens_usd: 5}"))).warnings == ()


def test_a_missing_file_names_the_ones_that_ship(tmp_path):
    assert "shipped scenarios: " + ", ".join(file.name for file in shipped()) in faults_of(tmp_path / "no.yaml")[0]


def test_large_deep_and_empty_files_are_refused(write):
    assert faults_of(write("x: " + "y" * 2_000_000)) == ["test.yaml: larger than 1,048,576 bytes"]
    assert faults_of(write("a: " + "[" * 100)) == [f"test.yaml:1: nested more than {MAX_DEPTH} deep"]
    assert faults_of(write("# nothing\n")) == ["test.yaml:1: is empty; see the scenarios that ship for what belongs here"]
    assert faults_of(write("- a\n- b\n")) == ["test.yaml:1: a list of `key: value` lines belongs here"]


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.name)
def test_shipped_scenarios_are_right_and_say_what_they_are(path):
    loaded = load(path)
    assert loaded.warnings == ()
    assert loaded.scenario.about.endswith(".")


def test_the_default_scenario_ships():
    assert (SHIPPED / "short_squeeze.yaml") in shipped()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e6", 1e6), ("1.0e6", 1e6), ("4_000", 4000), ("0x10", "0x10"), ("010", 10), ("1:30", "1:30"), ("yes", "yes"), ("true", True),
     ("~", None), ("", None), ("2024-03-04", "2024-03-04"), (".5", 0.5), ("-3", -3), ("1e", "1e"), ("_1", "_1")],
)  # fmt: skip
def test_plain_scalars_are_read_as_yaml_1_2_does(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_fault(text):
    try:
        read(text, "f.yaml")
    except ScenarioError as error:
        assert all(re.match(r"f\.yaml(:\d+)?: ", str(fault)) for fault in error.faults)


def test_the_json_schema_shows_intervals():
    schema = json.dumps(Scenario.model_json_schema())
    assert '"exclusiveMaximum": 1.0' in schema
    discount = Scenario.model_json_schema()["$defs"]["Tasset"]["properties"]["auction_discount"]
    assert (discount["minimum"], discount["exclusiveMaximum"], discount["default"]) == (0.0, 1.0, 0.2)


ODD = [0, -1, 1e9, 1e-9, 1e300, 0.5, True, None, "x", "", [], {}, [1], 10**12, "2024-01-01", "<b>", math.inf, math.nan, 1, 0.999999, 100]


def places(data, key=()):
    """Every place in plain data."""
    for name, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*key, name)
        if isinstance(value, dict | list):
            yield from places(value, (*key, name))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_anywhere_runs_or_is_refused(tmp_path, data):
    scenario = yaml.safe_load(STORM.read_text())
    scenario["prices"]["days"], scenario["shocks"], scenario["outages"] = 0.0125, [], []
    *key, last = data.draw(st.sampled_from(list(places(scenario))))
    holder = scenario
    for part in key:
        holder = holder[part]
    holder[last] = data.draw(st.sampled_from(ODD))
    file = tmp_path / "odd.yaml"
    file.write_text(yaml.safe_dump(scenario))
    with contextlib.suppress(SeawallError):
        build(load(file)).run()
