"""What a run says of itself."""

from markets import FLOOD, SURGE

from seawall.scenarios.load import load
from seawall.studies.simulate import tracked


def test_shocks_concern_tassets_and_markets_of_the_exchange_by_what_they_track():
    assert tracked(load(SURGE).scenario) == [("ETH-PERP", "ETH"), ("BTC-PERP", "BTC")]
    assert tracked(load(FLOOD).scenario) == [("tA", "A"), ("tB", "B"), ("tC", "C")]
