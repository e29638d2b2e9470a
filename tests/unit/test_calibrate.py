"""Fits recover the parameters that drew the prices, say what they miss, and refuse what they cannot do."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from seawall.prices.calibrate import MODELS, fit, to_yaml
from seawall.prices.fit import Fit
from seawall.prices.garch import Egarch, Garch, Gjr
from seawall.prices.gbm import Gbm
from seawall.prices.heston import Heston
from seawall.prices.jumps import Kou, Merton
from seawall.prices.process import YEAR_SECONDS, Process
from seawall.prices.regimes import Regime, RegimeSwitching
from seawall.prices.stable import OrnsteinUhlenbeck
from seawall.protocols.errors import PriceFileError
from seawall.reports.fit_figures import fit_chart
from seawall.reports.svg import draw
from seawall.scenarios.process_schema import ProcessSpec, build_process
from seawall.studies.calibration import CalibrationError, calibrate, compare

HOUR_SECONDS = 3_600
GBM = Gbm(100.0, 0.2, 0.8)
MERTON = Merton(100.0, 0.2, 0.8, 300.0, -0.02, 0.03)
REGIMES = RegimeSwitching(100.0, {"calm": Regime(0.0, 0.4, 48, {"wild": 1}), "wild": Regime(0.0, 1.2, 12, {"calm": 1})})
MODEL_CASES: dict[str, tuple[Process, int]] = {
    "gbm": (GBM, 2_000),
    "merton": (MERTON, 4_000),
    "kou": (Kou(100.0, 0.2, 0.8, 300.0, 0.4, 0.02, 0.03), 4_000),
    "heston": (Heston(100.0, 0.0, 0.8, 0.8, 30.0, 5.0, -0.5), 17_520),
    "regimes": (REGIMES, 4_000),
    "garch": (Garch(start_usd=100.0, omega=0.02, alpha=0.05, beta=0.9, nu=6.0, bar_minutes=60.0), 6_000),
    "gjr": (Gjr(start_usd=100.0, omega=0.02, alpha=0.03, gamma=0.05, beta=0.9, nu=6.0, bar_minutes=60.0), 6_000),
    "egarch": (Egarch(start_usd=100.0, omega=-0.05, alpha=0.1, gamma=-0.05, beta=0.95, nu=6.0, bar_minutes=60.0), 6_000),
    "ou": (OrnsteinUhlenbeck(1.0, 1.0, 0.5, 0.001), 2_000),
}
_FITTED: dict[str, Fit] = {}


def prices_of(process: Process, bars: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng, years = np.random.default_rng(seed), np.full(bars, HOUR_SECONDS / YEAR_SECONDS)
    logs = np.concatenate([[0.0], np.cumsum(process.log_returns(years, rng.standard_normal(bars), rng))])
    return process.start_usd * np.exp(logs), np.arange(bars + 1) * float(HOUR_SECONDS)


def fit_of(model: str) -> Fit:
    """Fitted once for all tests."""
    if model not in _FITTED:
        _FITTED[model] = fit(model, *prices_of(*MODEL_CASES[model]))
    return _FITTED[model]


def truth(process: Process, name: str) -> float:
    of, _, key = name.rpartition(".")
    return getattr(process.regimes[of] if isinstance(process, RegimeSwitching) else process, key)


def worst(model: str, factor: float = 1.0) -> float:
    """Largest distance of a parameter from the truth times a factor, in standard errors."""
    judged = {name: one for name, one in fit_of(model).parameters.items() if math.isfinite(one.error)}
    assert len(judged) == fit_of(model).free
    return max(abs(one.value - factor * truth(MODEL_CASES[model][0], name)) / one.error for name, one in judged.items())


@pytest.mark.parametrize("model", MODEL_CASES)
def test_parameters_are_recovered_within_four_errors(model: str):
    assert worst(model) < 4


@pytest.mark.parametrize("model", MODEL_CASES)
def test_parameters_twice_as_large_are_told_apart(model: str):
    assert worst(model, 2.0) > 4


@pytest.mark.parametrize("model", [model for model in MODEL_CASES if model != "heston"])
def test_residuals_of_the_right_model_are_standard_normal(model: str):
    left = fit_of(model).diagnostics
    assert min(left.ks_p, left.square_autocorrelation_p) > 0.005 and left.deviation == pytest.approx(1, abs=0.05)


def test_residuals_of_a_wrong_model_are_not():
    assert fit("gbm", *prices_of(*MODEL_CASES["merton"])).diagnostics.ks_p < 1e-6


def test_residuals_without_the_regimes_keep_their_clusters():
    assert fit("merton", *prices_of(*MODEL_CASES["regimes"])).diagnostics.square_autocorrelation_p < 1e-6


def test_criteria_prefer_the_model_that_drew_the_prices():
    history = prices_of(*MODEL_CASES["merton"])
    assert (fit_of("merton").bic or 0) < (fit("gbm", *history).bic or 0)


def test_criteria_do_not_reward_parameters_without_use():
    assert (fit_of("gbm").bic or 0) < (fit("merton", *prices_of(*MODEL_CASES["gbm"])).bic or 0)


def test_the_likelihood_of_a_brownian_motion_is_that_of_normals():
    from scipy.stats import norm

    prices, times = prices_of(GBM, 500)
    returns = np.diff(np.log(prices))
    assert fit("gbm", prices, times).log_likelihood == pytest.approx(norm.logpdf(returns, returns.mean(), returns.std()).sum())


def test_normal_innovations_have_no_degrees_of_freedom():
    found = fit("garch", *prices_of(replace(MODEL_CASES["garch"][0], nu=None), 3_000), innovations="normal")
    assert "nu" not in found.parameters and found.free == 4


def test_gaps_are_left_out_and_counted():
    prices, times = prices_of(GBM, 500)
    times[250:] += 50_000.0
    found = fit("gbm", prices, times)
    assert (found.left_out, found.bars) == (1, 499)


def test_blocks_of_lasting_volatility_are_long():
    clustered, independent = (fit("bootstrap", *prices_of(*MODEL_CASES[model])) for model in ("regimes", "gbm"))
    assert clustered.parameters["block_bars"].value > 3 * independent.parameters["block_bars"].value


def test_the_same_prices_give_the_same_fit():
    history = prices_of(*MODEL_CASES["kou"])
    assert fit("kou", *history).parameters == fit_of("kou").parameters


@pytest.mark.parametrize("model", MODEL_CASES)
def test_the_block_for_a_scenario_builds_the_fitted_process(model: str):
    found = fit_of(model)
    block = yaml.safe_load("prices:\n  assets:\n" + to_yaml(found, "ETH", 1_234.5))["prices"]["assets"]["ETH"]
    built = build_process(TypeAdapter(ProcessSpec).validate_python(block))
    fitted = replace(found.process, start_usd=1_234.5)
    numbers = [field.name for field in fields(fitted) if isinstance(getattr(fitted, field.name), float)]
    assert type(built) is type(fitted)
    assert [getattr(built, name) for name in numbers] == pytest.approx([getattr(fitted, name) for name in numbers], rel=1e-5)


def test_the_block_tells_the_errors():
    assert to_yaml(fit_of("merton"), "ETH", 100.0).count("# standard error") == 5


def test_the_bootstrap_has_no_block():
    with pytest.raises(ValueError, match="block_bars is"):
        to_yaml(fit("bootstrap", *prices_of(GBM, 500)), "ETH", 100.0)


PRICES, TIMES = prices_of(GBM, 200)
REFUSED = [
    ("arima", PRICES, TIMES, "must be one of gbm, merton"),
    ("gbm", np.where(np.arange(201) == 7, np.nan, PRICES), TIMES, r"prices\[7\]\(=nan\)"),
    ("gbm", np.where(np.arange(201) == 7, 0.0, PRICES), TIMES, r"prices\[7\]\(=0.0\)"),
    ("gbm", PRICES[:50], TIMES[:50], "at least 101"),
    ("gbm", PRICES, TIMES[::-1], "rise"),
    ("gbm", PRICES, TIMES[:-1], "the same"),
    ("gbm", np.ones(201), TIMES, "stand still"),
    ("gbm", PRICES, np.arange(201.0) ** 2, "usual length"),
    ("heston", PRICES, TIMES, "at least 60"),
    ("ou", np.exp(np.linspace(0, 1, 201) ** 2), TIMES, "do not return to a level"),
]


@pytest.mark.parametrize(("model", "prices", "times", "match"), REFUSED)
def test_refusals(model: str, prices: np.ndarray, times: np.ndarray, match: str):
    with pytest.raises(ValueError, match=match):
        fit(model, prices, times)


def written(folder: Path, prices: np.ndarray, skipped: range = range(0)) -> Path:
    """A file of hourly closes, some hours missing."""
    hours = np.datetime64("2024-01-01T00:00") + np.arange(len(prices)).astype("timedelta64[h]")
    rows = [f"{hour}:00Z,{price:.10g}" for i, (hour, price) in enumerate(zip(hours, prices, strict=True)) if i not in skipped]
    file = folder / "closes.csv"
    file.write_text("\n".join(["timestamp,close", *rows]) + "\n")
    return file


def test_a_file_gives_the_same_fit_as_its_prices(tmp_path: Path):
    history = prices_of(*MODEL_CASES["merton"])
    found = calibrate(written(tmp_path, history[0]), "close", "merton", bar_seconds=HOUR_SECONDS)
    assert found.fit.parameters["jump_deviation"].value == pytest.approx(fit_of("merton").parameters["jump_deviation"].value, rel=1e-3)


def test_missing_hours_are_no_returns(tmp_path: Path):
    file = written(tmp_path, prices_of(GBM, 500)[0], range(100, 110))
    assert (found := calibrate(file, "close", "gbm", bar_seconds=HOUR_SECONDS).fit).left_out == 1 and found.bars == 489


def test_the_summary_says_what_the_model_misses(tmp_path: Path):
    file = written(tmp_path, prices_of(*MODEL_CASES["regimes"])[0])
    text = "\n".join(calibrate(file, "close", "gbm", bar_seconds=HOUR_SECONDS).summary_lines())
    assert "volatility clusters in a way the model lacks" in text and "+-" in text


def test_models_are_ranked_by_bic(tmp_path: Path):
    file = written(tmp_path, prices_of(*MODEL_CASES["merton"])[0])
    fits = [calibrate(file, "close", model, bar_seconds=HOUR_SECONDS) for model in ("gbm", "bootstrap", "merton")]
    assert [each.fit.model for each in compare(fits)] == ["merton", "gbm"]


@pytest.mark.parametrize(("column", "model", "error"), [("close", "arima", CalibrationError), ("open", "gbm", PriceFileError)])
def test_a_mistake_of_the_user_is_an_error_of_seawall(tmp_path: Path, column: str, model: str, error: type[Exception]):
    with pytest.raises(error):
        calibrate(written(tmp_path, PRICES), column, model, bar_seconds=HOUR_SECONDS)


def test_a_model_that_does_not_fit_names_the_file(tmp_path: Path):
    with pytest.raises(CalibrationError, match=r"closes\.csv: close: prices: 8 blocks"):
        calibrate(written(tmp_path, PRICES), "close", "heston", bar_seconds=HOUR_SECONDS)


@pytest.mark.parametrize("model", ["garch", "bootstrap"])
def test_the_figure_is_the_same_for_the_same_seed(tmp_path: Path, model: str):
    found = calibrate(
        written(tmp_path, prices_of(GBM, 400)[0] if model == "bootstrap" else prices_of(*MODEL_CASES["garch"])[0][:1500]),
        "close",
        model,
        bar_seconds=HOUR_SECONDS,
    )
    one, other = (draw(fit_chart(found, paths=10)) for _ in range(2))
    assert one == other and "in " + model in one


def test_every_model_has_a_recovery_test():
    assert {*MODEL_CASES, "bootstrap"} == set(MODELS)
