"""Keys of a scenario as studies name them."""

import pytest
from made_up import small

from seawall.scenarios.load import load
from seawall.studies.keys import KeyPatternError, as_text, expand, settings


@pytest.fixture
def scenario(tmp_path):
    return small(tmp_path).scenario


@pytest.fixture
def storm():
    from markets import storm

    return storm().scenario


def test_a_key_stands_for_itself(scenario):
    assert expand("tassets.tA.auction_discount", scenario) == [("tassets.tA.auction_discount", 0.2)]
    assert expand("shocks[0].change", scenario) == [("shocks[0].change", 0.2)]


def test_stars_stand_for_every_name_and_number(storm):
    assert expand("tassets.*.auction_discount", storm) == [("tassets.tA.auction_discount", 0.2), ("tassets.tB.auction_discount", 0.1)]
    assert expand("shocks[*].change", storm) == [("shocks[0].change", 0.6), ("shocks[1].change", -0.4)]


def test_keys_that_a_file_leaves_out_have_their_defaults(scenario):
    assert expand("liquidators.count", scenario) == [("liquidators.count", scenario.liquidators.count)]


def test_settings_are_what_the_command_line_takes(tmp_path, storm):
    from markets import STORM

    texts = settings("tassets.*.pool.liquidity_usd", 0.1, storm, scales=True)
    assert texts == ("tassets.tA.pool.liquidity_usd=10000.0", "tassets.tB.pool.liquidity_usd=6000.0")
    loaded = load(STORM, texts)
    assert [terms.pool.liquidity_usd for terms in loaded.scenario.tassets.values()] == [10_000.0, 6_000.0]


def test_factors_leave_counts_whole_and_numbers_short(storm):
    assert settings("minters.count", 0.333, storm, scales=True) == ("minters.count=20",)
    assert settings("tassets.tA.auction_discount", 1.1, storm, scales=True) == ("tassets.tA.auction_discount=0.22",)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (3, "3"), (0.1, "0.1"), (1e-7, "1e-07"), ("pool", "pool"), (1 / 3, repr(1 / 3))]
)
def test_values_are_read_again_as_they_are(value, text):
    from seawall.scenarios.yaml_lines import scalar

    assert as_text(value) == text
    assert scalar(text) == value


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "is no key"),
        ("tassets..x", "is no key"),
        ("shocks[-1].change", "is no key"),
        ("shocks[x].change", "is no key"),
        ("a b", "is no key"),
        ("tassets.tZ.auction_discount", "there is nothing like this in 'Small'"),
        ("shocks[1].change", "there is nothing like this"),
        ("disturbances[*].share", "there is nothing like this"),
        ("name.x", "there is nothing like this"),
    ],
)
def test_a_key_that_stands_for_nothing_is_refused_in_words(scenario, pattern, said):
    with pytest.raises(KeyPatternError, match=said.replace("[", r"\[")):
        expand(pattern, scenario)


@pytest.mark.parametrize(
    ("pattern", "factor"), [("shocks[0].asset", 2.0), ("tassets.tA", 2.0), ("liquidators.count", "x"), ("minters.count", True)]
)
def test_only_numbers_are_multiplied(scenario, pattern, factor):
    with pytest.raises(KeyPatternError, match="cannot be multiplied"):
        settings(pattern, factor, scenario, scales=True)
