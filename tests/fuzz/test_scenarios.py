"""Scenario files that are hostile, broken or absurd: each is refused with exit code 2 and a word of what is wrong, or runs."""

import codecs
import os

import pytest
import yaml
from fuzzing import Kind, as_yaml, ask, damaged, mutated, plain
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from markets import FLOOD, GALE, STORM, SURGE

from seawall.protocols.errors import SeawallError
from seawall.scenarios.build import build
from seawall.scenarios.load import load, shipped

SCENARIO = Kind("fuzz.yaml", ("validate",), (STORM, FLOOD, SURGE, GALE, *shipped()))
LONG = "SEAWALL_SOAK" in os.environ
EXAMPLES = 500 if LONG else 50
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not LONG,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
ROUNDS = 5
MOST_ROWS, MOST_ROUNDS = 2_000, 200_000  # of those that are run here; larger ones are right, and take their time

GOOD = STORM.read_bytes()
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)


def with_line(old: bytes, new: bytes) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


HOSTILE = {
    # what it is: bytes, what the refusal says
    "a bomb of aliases": (BOMB, "anchors and aliases (& and *) are not allowed"),
    "an alias": (with_line(b"name: Storm", b"name: *x"), "anchors and aliases (& and *) are not allowed"),
    "a merge key": (with_line(b"lps: {count: 6,", b"lps: {<<: {count: 7}, count: 6,"), "lps.<<: is not a key here"),
    "a tag that runs code": (with_line(b"name: Storm", b"name: !!python/object/apply:os.system [x]"), "os.system is not allowed"),
    "a tag of YAML itself": (with_line(b"name: Storm", b"name: !!str Storm"), "the tag tag:yaml.org,2002:str is not allowed"),
    "nested lists": (b"x: " + b"[" * 100_000, "nested more than 16 deep"),
    "nested maps": (b"".join(b" " * i + b"a:\n" for i in range(1_000)), "nested more than 16 deep"),
    "nested maps in a flow": (b"{a: " * 50_000, "nested more than 16 deep"),
    "a string of 10 MB": (b"name: " + b"x" * 10_000_000, "larger than 1,048,576 bytes"),
    "a string of 1 MB": (with_line(b"name: Storm", b"name: " + b"x" * 1_000_000), "name: 'xxx"),
    "a key of 100 kB": (GOOD + b"k" * 100_000 + b": 1\n", "not YAML: "),
    "a quoted key of 100 kB": (GOOD + b'? "' + b"k" * 100_000 + b'"\n: 1\n', "is not a key here"),
    "9,000 keys": (GOOD + b"".join(b"k%d: 1\n" % i for i in range(9_000)), "and 8,900 more faults"),
    "80,000 keys": (GOOD + b"".join(b"k%d: 1\n" % i for i in range(80_000)), "more than 20,000 keys and values"),
    "60,000 shocks": (with_line(b"shocks:\n", b"shocks:\n" + b"  - {change: 1}\n" * 60_000), "more than 20,000 keys and values"),
    "duplicate keys": (GOOD + b"seed: 12\n", "seed: stands twice, first on line 3"),
    "duplicate keys within": (with_line(b"lps: {count: 6,", b"lps: {count: 6, count: 7,"), "lps.count: stands twice"),
    "two documents": (GOOD + b"---\nname: Again\n", "not YAML: "),
    "a list": (b"- name: Storm\n", "a list of `key: value` lines belongs here"),
    "a number": (b"7\n", "a list of `key: value` lines belongs here"),
    "nothing": (b"", "is empty"),
    "only a comment": (b"# nothing\n", "is empty"),
    "only a null": (b"~\n", "a list of `key: value` lines belongs here"),
    "keys that are lists": (GOOD + b"? [a, b]\n: 1\n", "a key must be text"),
    "keys that are maps": (GOOD + b"? {a: b}\n: 1\n", "a key must be text"),
    "keys that are numbers": (GOOD + b"7: 1\n", "7: is not a key here"),
    "tabs": (with_line(b"  model: simulated", b"\tmodel: simulated"), "not YAML: found character '\\t' that cannot start any token"),
    "null bytes": (with_line(b"name: Storm", b"name: St\x00orm"), "not YAML: "),
    "control characters": (with_line(b"name: Storm", b"name: \x1b[31mStorm"), "not YAML: "),
    "a control character, escaped": (
        with_line(b"name: Storm", b'name: "\\x1b[31mStorm"'),
        "'\\x1b[31mStorm' holds a character that cannot be printed",
    ),
    "a null byte, escaped": (with_line(b"name: Storm", b'name: "St\\0orm"'), "'St\\x00orm' holds a character that cannot be printed"),
    "Latin-1": (with_line(b"name: Storm", b"name: St\xf6rm"), "is not UTF-8 text"),
    "UTF-16": (codecs.BOM_UTF16_LE + GOOD.decode().encode("utf-16-le"), "is not UTF-8 text"),
    "UTF-32": (codecs.BOM_UTF32_BE + GOOD.decode().encode("utf-32-be"), "is not UTF-8 text"),
    "a surrogate": (with_line(b"name: Storm", b"name: \xed\xa0\x80"), "is not UTF-8 text"),
    "bytes of nobody's": (bytes(range(256)) * 40, "is not UTF-8 text"),
    "not a number": (with_line(b"excess: 0.08", b"excess: .nan"), "minters.excess: .nan is not a finite number"),
    "infinity": (with_line(b"excess: 0.08", b"excess: -.inf"), "minters.excess: -.inf is not a finite number"),
    "infinity, spelt out": (with_line(b"excess: 0.08", b"excess: 1e999"), "minters.excess: "),
    "a number as text": (with_line(b"excess: 0.08", b"excess: '1.0e6'"), "minters.excess: '1.0e6' must be a valid number"),
    "a number with a comma": (with_line(b"excess: 0.08", b"excess: 0,08"), "excess"),
    "a percentage": (with_line(b"excess: 0.08", b"excess: 8%"), "minters.excess: '8%' must be a valid number"),
    "an octal number": (with_line(b"count: 60", b"count: 0o60"), "minters.count: '0o60' must be a valid integer"),
    "a negative count": (with_line(b"count: 60", b"count: -60"), "minters.count: -60 is not in [0, 1000000]"),
    "10^12 agents": (with_line(b"count: 60", b"count: 1_000_000_000_000"), "minters.count: 1000000000000 is not in [0, 1000000]"),
    "10^400 agents": (with_line(b"count: 60", b"count: 1" + b"0" * 400), "minters.count: "),
    "10^10000 agents": (with_line(b"count: 60", b"count: 1" + b"0" * 10_000), "minters.count: "),
    "half an agent": (with_line(b"count: 60", b"count: 60.5"), "minters.count: 60.5 must be a valid integer"),
    "agents as truth": (with_line(b"count: 60", b"count: true"), "minters.count: True must be a valid integer"),
    "agents as a list": (with_line(b"count: 60", b"count: [60]"), "minters.count: [60] must be a valid integer"),
    "many agents of many tokens": (
        with_line(b"count: 60", b"count: 1_000_000").replace(
            b"tassets:\n", b"tassets:\n" + b"".join(b"  t%d: {tracks: A, pool: {liquidity_usd: 1}}\n" % i for i in range(60))
        ),
        "balances",
    ),
    "many orders": (
        with_line(b"traders: {count: 20, orders_per_day: 300", b"traders: {count: 1_000_000, orders_per_day: 1_440"),
        "orders are more than 20,000,000",
    ),
    "many rounds": (
        with_line(b"days: 0.25", b"days: 3_650").replace(b"record_minutes: 10", b"step_seconds: 1"),
        "prices; use longer rounds",
    ),
    "many records": (
        with_line(b"record_minutes: 10", b"record_minutes: 1e-9").replace(b"days: 0.25", b"days: 365"),
        "record_minutes: 1e-09 makes 525,600 records, more than 50,000",
    ),
    "no time at all": (with_line(b"days: 0.25", b"days: 1e-11"), "are not a whole number of rounds"),
    "a price that leaves nothing over": (with_line(b"start_usd: 100,", b"start_usd: 1e-300,"), "start_usd: 1e-300 is not in [1e-12, 1e12]"),
    "a reserve past counting": (with_line(b"reserve: 0.05", b"reserve: 1e300"), "minters.reserve: 1"),
    "a date of no calendar": (with_line(b"2024-03-04T00:00:00Z", b"2024-13-45T99:00:00Z"), "prices.start: "),
    "a date past all calendars": (with_line(b"2024-03-04T00:00:00Z", b"9999-12-31T23:59:59Z"), "prices"),
    "a name of markup": (with_line(b"  tA: {tracks: A", b"  <script>: {tracks: A"), "tassets.<script>: "),
    "a name of 33 letters": (with_line(b"  tA: {tracks: A", b"  " + b"t" * 33 + b": {tracks: A"), "tassets.ttt"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(what, tmp_path):
    text, said = HOSTILE[what]
    file = tmp_path / SCENARIO.name
    file.write_bytes(text)
    answer = ask(*SCENARIO.check, file)
    assert answer.code == 2, answer.text[:500]
    assert f"{file}" in answer.text
    assert said in answer.text, answer.text[:500]
    assert len(answer.text) < 5_000_000


TOO_MUCH = {
    "a reserve at its limit": ("minters.reserve=1e12", "tDOLLAR"),
    "a fortune": ("minters.collateral_usd.median=1e12", "tDOLLAR"),
    "a fortune in a pool": ("tassets.tA.pool.liquidity_usd=1e9", "tA"),
    "a price of nothing": ("prices.assets.A.start_usd=1e-12", "cannot be opened: BAD_AMOUNT"),
    "a price of everything": ("prices.assets.A.start_usd=1e12", "cannot be opened: BAD_AMOUNT"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_cannot_be_counted_exactly_is_refused_before_it_runs(what, tmp_path):
    setting, said = TOO_MUCH[what]
    answer = ask("run", STORM, "--set", setting, "--out", tmp_path)
    assert answer.code == 2, answer.text
    assert said in answer.text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["a folder", "a device", "a loop of links", "no such file", "a name of 300 letters"])
def test_what_is_no_file_is_refused(place, tmp_path):
    paths = {
        "a folder": tmp_path,
        "a device": "/dev/zero",
        "a loop of links": tmp_path / "loop.yaml",
        "no such file": tmp_path / "no.yaml",
        "a name of 300 letters": tmp_path / ("n" * 300),
    }
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    answer = ask(*SCENARIO.check, paths[place])
    assert answer.code == 2
    assert "cannot be read" in answer.text or "larger than" in answer.text or "is not" in answer.text


@pytest.mark.parametrize(
    "setting",
    ["", "=", "x", "=1", "a=", "seed=", "..=1", "[0]=1", "shocks[9]=1", "shocks[-1]=1", "shocks[0]=1", "shocks[99999999999999999999]=1",
     "minters.count=1e400", "minters.count=" + "9" * 5_000, "name=\x1b[31m", "a" * 10_000 + "=1", ".".join("a" * 5_000) + "=1", "prices=7",
     "seed=.nan", "minters={count: 7}", "minters..count=1", "tassets.tA.pool=&a", "prices.assets.A.start_usd=1e-320"],
)  # fmt: skip
def test_an_odd_setting_is_refused(setting):
    answer = ask(*SCENARIO.check, STORM, "--set", setting)
    assert answer.code == 2
    assert "--set" in answer.text


@FUZZ
@given(st.sampled_from(SCENARIO.right), st.data())
def test_a_damaged_file_is_refused_or_right(tmp_path, right, data):
    file = tmp_path / SCENARIO.name
    file.write_bytes(data.draw(damaged(right.read_bytes())))
    answer = ask(*SCENARIO.check, file)
    assert answer.code in (0, 2)
    event(f"exit code {answer.code}")


@FUZZ
@given(st.sampled_from(SCENARIO.right), st.data())
def test_a_changed_scenario_is_refused_or_runs(tmp_path, right, data):
    file = tmp_path / SCENARIO.name
    file.write_bytes(as_yaml(data.draw(mutated(yaml.safe_load(right.read_text())))))
    check_or_run(file)


@FUZZ
@given(st.sampled_from([STORM, FLOOD, SURGE, GALE]), st.data())
def test_a_number_changed_is_refused_or_runs(tmp_path, right, data):
    """One place with another number, so that most are right and are run."""
    file = tmp_path / SCENARIO.name
    scenario = yaml.safe_load(right.read_text())
    file.write_bytes(as_yaml(data.draw(mutated(scenario, most=1))))
    check_or_run(file)


@settings(FUZZ, max_examples=EXAMPLES // 2)
@given(
    st.dictionaries(
        st.sampled_from(["name", "about", "seed", "prices", "tassets", "minters", "avmm", "exchange", "polls", "texo", "x"]), plain
    )
)
def test_a_scenario_out_of_nothing_is_refused(tmp_path, data):
    file = tmp_path / SCENARIO.name
    file.write_bytes(as_yaml(data))
    answer = ask(*SCENARIO.check, file)
    assert answer.code == 2
    assert answer.text.startswith(f"{file}")


def check_or_run(file):
    answer = ask(*SCENARIO.check, file)
    assert answer.code in (0, 2), answer.text
    event(f"exit code {answer.code}")
    if answer.code == 0:
        run_some_rounds(file)


def run_some_rounds(file):
    """Build it and play its first rounds; a refusal while it is built has a text as well."""
    loaded = load(file)
    scenario = loaded.scenario
    agents = scenario.minters.count + scenario.liquidators.count + scenario.traders.count + scenario.arbitrageurs.count + scenario.lps.count
    days = getattr(scenario.prices, "days", 1.0) or 1.0
    if agents > MOST_ROWS or days * 86_400 / scenario.step_seconds > MOST_ROUNDS:
        event("right, and too large to be run here")
        return
    try:
        build(loaded, with_audit=True).run_for(ROUNDS)
    except SeawallError as error:
        assert str(error)
        event("refused while it was built")
    else:
        event("run")
