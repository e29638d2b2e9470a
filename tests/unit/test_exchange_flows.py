"""Recorded flow: open interest from a price file, traded as it was."""

import numpy as np
import pytest
from markets import ROOT

from seawall.models import exchange_audit
from seawall.protocols.errors import ScenarioError
from seawall.scenarios.build import build
from seawall.scenarios.load import load

RECORDED = ROOT.parent / "shared" / "data" / "perp_gmxv2_eth_pool_1m_4days_2025.csv"

SCENARIO = """
name: Recorded
about: Prices and open interest from a file.
seed: 1
prices:
  model: replay
  file: flow.csv
  assets: {ETH: price}
exchange:
  collaterals: {USDC: {}}
  markets: {ETH-PERP: {tracks: ETH}}
  pools: {main: {}}
  lps: {count: 4, value_usd: {median: 1_000_000}}
  flows: [{market: ETH-PERP, long_column: longs, short_column: shorts, scale: 2}]
"""


@pytest.fixture
def scenario(tmp_path):
    times = np.datetime64("2025-01-08T00:00") + np.arange(40)
    longs, shorts = 10.0 + np.arange(40) % 7, 12.0 + np.arange(40) % 5
    rows = [f"{time}:00Z,{2000 + i % 3},{long},{short}" for i, (time, long, short) in enumerate(zip(times, longs, shorts, strict=True))]
    (tmp_path / "flow.csv").write_text("\n".join(["timestamp,price,longs,shorts", *rows]) + "\n")
    file = tmp_path / "recorded.yaml"
    file.write_text(SCENARIO)
    return file


def test_longs_and_shorts_are_held_as_recorded_in_every_round(scenario):
    model = build(load(scenario))
    while model.running:
        model.step()
        x, step = model.exchange, int(model.world.clock[0].step)
        assert x.perps_positions["quantity"][0] == pytest.approx(x.recorded[step], abs=2.0**-20)
        assert x.perps_markets["open_interest"][0, 0] == pytest.approx(np.abs(x.recorded[step]).sum(), abs=2.0**-19)
        exchange_audit.check(x)
    assert (x.recorded[:, 0] > 0).all()
    assert list(x.recorded[0]) == [20.0, -24.0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("market: ETH-PERP, long", "market: BTC-PERP, long", "'BTC-PERP' is no market; known: ETH-PERP"),
        ("model: replay\n  file: flow.csv\n  assets: {ETH: price}", "model: constant\n  days: 1\n  assets: {ETH: {start_usd: 1}}",
         "prices.model must be replay"),
    ],
)  # fmt: skip
def test_flow_that_cannot_be_replayed_is_refused(scenario, old, new, said):
    scenario.write_text(SCENARIO.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        build(load(scenario))
    assert said in str(caught.value)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded pool is not beside this checkout")
def test_a_recorded_day_of_a_large_pool_replays_and_balances(scenario):
    scenario.write_text(
        SCENARIO.replace(
            "file: flow.csv\n  assets: {ETH: price}", "file: flow.csv\n  assets: {ETH: index_price}\n  end: 2025-01-08T06:00:00Z"
        )
        .replace("longs", "open_interest_in_tokens_long")
        .replace("shorts", "open_interest_in_tokens_short")
        .replace("count: 4, value_usd: {median: 1_000_000}", "count: 50, value_usd: {median: 2_500_000}")
    )
    model = build(load(scenario, [f"prices.file={RECORDED}"])).run()
    x, figures = model.exchange, model.summary()
    assert np.abs(x.perps_positions["quantity"][0] - x.recorded[-1]).max() <= 2.0**-20
    assert figures["exchange"]["perps_volume_usd"].value > 1e8
    assert figures["exchange"]["lp_gain_residual_usd"].value == pytest.approx(0.0, abs=1e-3)
    assert figures["exchange_waterfall"]["waterfall_residual_usd"].value == pytest.approx(0.0, abs=1e-3)
