"""Every file of real data beside this checkout loads by a stated mapping, or is refused for the reason that it has."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seawall.protocols.errors import PriceFileError, ScenarioError
from seawall.scenarios.history import examine, read_replay
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_file import Ohlc, ReplaySource
from seawall.scenarios.snapshot import PositionColumns, Positions, PositionsFile, read_positions

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the real data are not part of the project")

BARS = {"ohlc": Ohlc("open", "high", "low", "close"), "session_column": "session", "sessions": ("regular",)}
HOURS = {"price_column": "{}_close", "ohlc": Ohlc("{}_open", "{}_high", "{}_low"), "bar_seconds": 3_600, "max_gap_seconds": 3_600}
BOOK = {"price": "mid", "bid_column": "bid_price", "ask_column": "ask_price", "bar_stamp": "end"}
DAYS = {"bar_stamp": "end", "bar_seconds": 86_400, "max_gap_seconds": 5 * 86_400}
SYMBOLS = {"layout": "long", "asset_column": "symbol", "price_column": "adj_close"}
UPDATES = {"layout": "long", "asset_column": "asset", "price_column": "price", "bar_stamp": "end"}
QUOTES = {"layout": "long", "asset_column": "token_in", "price_column": "rate"}

HOURLY, HOURLY_LATER = "crypto_eth_btc_spot_1h_2022-06_2023-01.csv", "crypto_eth_btc_spot_1h_2024-01_2025-12.csv"
PERP, POOL = "crypto_ethusdt_perp_bbo_liquidations_1m_2021-01.csv", "perp_gmxv2_eth_pool_1m_4days_2025.csv"
DAILY, DAILY_LONG = "eq_daily_adjclose_20us_sp500_2007_2016.csv", "eq_daily_ohlcv_5us_2007_2009.csv"
GME, SPX = "eq_intraday_1m_GME_2022-03-14_04-18.csv", "eq_intraday_1m_SPX_2022-03-14_04-18.csv"
SPY, TSLA = "eq_intraday_1m_SPY_2019-12-13_2020-01-16.csv", "eq_intraday_1m_TSLA_2022-03-14_04-18.csv"
FOUR, ORACLE = "eq_intraday_1m_close_4us_2022-03-14_04-18.csv", "oracle_dia_hydration_rounds_2024-11_2025-05.csv"
POSITIONS, MARKETS = "positions_crvusd_5markets_2024-01-30.csv", "positions_crvusd_market_params_2024-01-30.csv"
INCH = "slippage_1inch_quotes_2023-11-20.csv"


def a_source(name: str, columns: dict[str, str], **changes: Any) -> ReplaySource:
    given: dict[str, Any] = {"bar_seconds": 60, "bar_stamp": "start", "max_gap_seconds": 300}
    return ReplaySource(DATA / name, columns, **(given | changes))


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def replay(source: ReplaySource) -> Paths:
    return read_replay(source, step_seconds=source.bar_seconds)


LOADS = [
    # file, columns, mapping, prices of the first asset, missing bars of it, its last price
    (HOURLY, {"ETH": "eth", "BTC": "btc"}, HOURS | {"longer_gaps": "refuse"}, 5_880, 0, 1585.33),
    (HOURLY_LATER, {"ETH": "eth", "BTC": "btc"}, HOURS | {"longer_gaps": "refuse"}, 16_829, 0, 2805.0),
    (PERP, {"ETH": "ETH"}, BOOK | {"max_gap_seconds": 180}, 43_173, 6, 1378.364),
    (DAILY, same("AAPL", "SP500"), DAYS, 2_518, 1_132, 27.019),
    (DAILY_LONG, same("SPY", "AAPL", "GOOG", "MSFT", "IBM"), DAYS | SYMBOLS, 756, 338, None),
    (DAILY_LONG, same("SPY"), DAYS | SYMBOLS | {"price_column": "close", "ohlc": Ohlc("open", "high", "low")}, 756, 338, 111.44),
    (GME, {"GME": "close"}, BARS, 8_536, 44, 141.4),
    (SPX, {"SPX": "close"}, BARS, 8_569, 11, 4392.04),
    (SPY, {"SPY": "close"}, BARS, 8_360, 41, 330.9),
    (TSLA, {"TSLA": "close"}, BARS, 8_569, 11, 1004.7),
    (FOUR, same("AAPL", "GOOG", "TSLA", "GME"), {"session_column": "session", "sessions": ("regular",)}, 8_568, 12, 165.11),
    (ORACLE, same("DOT", "AAVE", "tBTC"), UPDATES | {"max_gap_seconds": 3_600}, 10_000, None, 4.22634844),
    (POOL, {"ETH": "index_price"}, {}, 5_760, 486_720, 2964.542527),
]


@pytest.mark.parametrize(("name", "columns", "mapping", "rows", "missing", "last"), LOADS)
def test_a_real_file_loads(
    name: str, columns: dict[str, str], mapping: dict[str, Any], rows: int, missing: int | None, last: float | None
) -> None:
    source = a_source(name, columns, **mapping)
    paths, (found, dropped) = replay(source), examine(source)
    assert paths.assets == tuple(columns)
    assert (found[0].prices, dropped) == (rows, 0)
    assert missing is None or found[0].missing_bars == missing
    assert last is None or paths.market_price[-1, 0] == pytest.approx(last, rel=1e-12)


REFUSED = [
    # file, columns, mapping, what is said
    (POSITIONS, {"ETH": "collateral_price_usd"}, {}, "timestamp: 772 rows repeat the time before"),
    (MARKETS, {"ETH": "oracle_price"}, {}, ":3: timestamp: '2024-01-30T23:24:59Z' repeats '2024-01-30T23:24:59Z' of line 2"),
    (INCH, same("WETH"), QUOTES, "timestamp: 63 rows repeat the time before"),
    (INCH, same("WETH"), QUOTES | {"duplicates": "first"}, "more than a factor of 10; adjust for the split"),
    (DAILY_LONG, {"SPY": "close"}, DAYS, "is earlier than"),  # a long file, read as a wide one
    (DAILY, same("TSLA"), DAYS, "column 'TSLA' is missing; present are 'timestamp', 'AAPL'"),
    (
        FOUR,
        same("GOOG"),
        {"session_column": "session", "sessions": ("regular",), "longer_gaps": "refuse"},
        ":14916: GOOG: no price for 360 s",
    ),
    (FOUR, same("AAPL"), {"session_column": "session", "sessions": ("lunch",)}, "session: no row of 'lunch'; present are"),
    (PERP, {"ETH": "ETH"}, BOOK | {"max_gap_seconds": 180, "longer_gaps": "refuse"}, "no price for 202 s, since line 4923"),
    (
        PERP,
        {"ETH": "ETH"},
        BOOK | {"bid_column": "ask_price", "ask_column": "bid_price"},
        "bid_price: '730.785' is below ask_price '730.86'",
    ),
    (POOL, {"ETH": "index_price"}, {"longer_gaps": "refuse"}, ":1442: index_price: no price for 2.64385e+07 s, since line 1441"),
    (ORACLE, same("tBTC"), UPDATES | {"max_gap_seconds": 43_200, "longer_gaps": "refuse"}, ":15241: price of tBTC: no price for 55672 s"),
    (ORACLE, same("ETH"), UPDATES, "asset: no row of 'ETH'; present are 'AAVE', 'DOT', 'tBTC'"),
    (HOURLY, {"ETH": "eth"}, HOURS | {"time_unit": "seconds"}, "is not a number of seconds since 1970"),
]


@pytest.mark.parametrize(("name", "columns", "mapping", "said"), REFUSED)
def test_a_real_file_is_refused_for_what_it_is(name: str, columns: dict[str, str], mapping: dict[str, Any], said: str) -> None:
    with pytest.raises(PriceFileError) as refused:
        replay(a_source(name, columns, **mapping))
    assert said in str(refused.value)


def test_the_halts_of_the_perpetual_market_may_be_held_or_filled() -> None:
    closed, held, filled = (replay(a_source(PERP, {"ETH": "ETH"}, **BOOK, **rule)) for rule in RULES)
    assert (closed.market_price == held.market_price).all()
    assert closed.market_open.sum() < held.market_open.sum() == filled.market_open.size
    changed = filled.market_price / held.market_price - 1
    assert 6 <= (changed != 0).sum() <= 8  # two halts of 202 and 196 s
    assert np.abs(changed).max() < 0.05


RULES: list[dict[str, Any]] = [{"longer_gaps": rule, "max_gap_seconds": 180} for rule in ("closed", "hold", "interpolate")]


CRVUSD = PositionColumns(
    collateral="collateral", collateral_price_usd="collateral_price_usd", cash_usd="soft_liquidated_crvusd", debt="debt_crvusd"
)


def positions(**changes: Any) -> Positions:
    return read_positions(PositionsFile(file=POSITIONS, columns=CRVUSD, **changes), DATA / POSITIONS)


@pytest.mark.parametrize(
    ("market", "count", "dust"),
    [("WETH", 247, 8), ("wstETH", None, None), ("WBTC", None, None), ("sfrxETH", None, None), ("tBTC", None, None)],
)
def test_real_positions_load_by_market(market: str, count: int | None, dust: int | None) -> None:
    found = positions(where={"market": f"crvUSD/{market}"})
    assert count is None or (len(found.debt_usd), found.dust) == (count, dust)
    assert len(found.debt_usd) + found.dust + found.others == 773


def test_real_positions_have_the_debt_and_the_ratios_that_the_snapshot_states() -> None:
    found = positions(where={"market": "crvUSD/WETH"})
    on_chain = 19_690_737.08  # total_debt of the market's parameters, three hours later
    assert found.debt_usd.sum() == pytest.approx(on_chain, rel=0.007)
    assert found.ratio.min() == pytest.approx(0.919566, rel=1e-6)  # line 68, in soft liquidation


def test_real_positions_without_their_cash_have_one_with_no_collateral() -> None:
    bare = CRVUSD.model_copy(update={"cash_usd": None})
    with pytest.raises(ScenarioError, match="USD has no collateral"):
        read_positions(PositionsFile(file=POSITIONS, columns=bare), DATA / POSITIONS)


def test_every_file_of_data_has_its_case() -> None:
    told = {name for name, *_ in [*LOADS, *REFUSED]} | {POSITIONS, "MANIFEST.md"}
    assert {file.name for file in DATA.iterdir()} == told
