"""What a scenario may say of one asset of a `simulated` price model: the process that its price follows.

Keys carry their units; log jumps and fractions are not percents, save where a GARCH fit prints percents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from seawall.scenarios.fields import Drift, Name, NotNegative, Positive, Share, Volatility, Within
from seawall.scenarios.parts import Part

if TYPE_CHECKING:
    from seawall.prices.process import Process

LogJump = Annotated[float, Within("[-3, 3]")]
JumpRate = Annotated[float, Within("[0, 100000]")]
_SECONDS_PER_MINUTE = 60.0


class ProcessPart(Part):
    """What every process has: a start. Its other keys have the names of the parameters of its class in `prices/`."""

    start_usd: Positive = Field(description="price at the beginning, USD")

    def parameters(self) -> dict[str, Any]:
        """Arguments of the class in `prices/`."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "process"}

    def build(self, step_seconds: float | None) -> Process:
        """Make the process, for steps of that length where bars need to know it."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        self.build(None)  # refuses what no key can judge alone: a variance that grows without end, a regime that nothing leads to
        return self


class GbmProcess(ProcessPart):
    """Geometric Brownian motion: dS/S = drift dt + volatility dW."""

    process: Literal["gbm"] = "gbm"
    drift_per_year: Drift = Field(default=0.0, description="of the expected price: E[S_T] = S_0 exp(drift T)")
    volatility_per_year: Volatility

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.gbm import Gbm

        return Gbm(**self.parameters())


class JumpPart(ProcessPart):
    """A diffusion with jumps; the drift is that of the expected price, jumps included."""

    drift_per_year: Drift = 0.0
    volatility_per_year: Volatility = Field(description="of the diffusion between jumps")
    jumps_per_year: JumpRate = Field(description="mean number of jumps")


class MertonProcess(JumpPart):
    """Jump diffusion of Merton: log jumps are normal."""

    process: Literal["merton"]
    jump_mean: LogJump = Field(description="mean log jump; -0.1 takes the price to 90.5 %")
    jump_deviation: Annotated[float, Within("[0, 2]")] = Field(description="standard deviation of a log jump")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.jumps import Merton

        return Merton(**self.parameters())


class KouProcess(JumpPart):
    """Jump diffusion of Kou: log jumps are exponential, up and down apart."""

    process: Literal["kou"]
    up_probability: Share = Field(description="share of the jumps that go up")
    mean_up: Annotated[float, Within("(0, 1)")] = Field(description="mean log jump of those that go up")
    mean_down: Annotated[float, Within("(0, 3]")] = Field(description="mean log jump of those that go down, as a positive number")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.jumps import Kou

        return Kou(**self.parameters())


class HestonProcess(ProcessPart):
    """Stochastic volatility of Heston: the variance reverts to a mean."""

    process: Literal["heston"]
    drift_per_year: Drift = 0.0
    start_volatility_per_year: Volatility = Field(description="root of the variance at the beginning")
    mean_volatility_per_year: Volatility = Field(description="root of the variance that it reverts to")
    reversion_per_year: Annotated[float, Within("(0, 100000]")] = Field(
        description="half of a departure is gone after 0.693 / this, in years"
    )
    volatility_of_variance: Annotated[float, Within("[0, 1000]")] = Field(
        description="xi of dv = reversion (mean - v) dt + xi sqrt(v) dW, per year; v stays above 0 if xi^2 <= 2 reversion mean"
    )
    correlation: Annotated[float, Within("[-1, 1]")] = Field(
        default=0.0, description="of price and variance; below 0 falls bring volatility"
    )

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.heston import Heston

        return Heston(**self.parameters())


class RegimePart(Part):
    """One state of the market."""

    drift_per_year: Drift = 0.0
    volatility_per_year: Volatility
    mean_hours: Positive = Field(description="mean duration; it should be several steps")
    then: dict[Name, NotNegative] = Field(min_length=1, description="weight of each regime that may follow; need not add up to 1")


class RegimesProcess(ProcessPart):
    """Regime switching: drift and volatility are those of the regime in force."""

    process: Literal["regimes"]
    regimes: dict[Name, RegimePart] = Field(min_length=2, max_length=16)
    start_regime: Name | None = Field(default=None, description="first regime; drawn from the long-run shares if left out")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.regimes import Regime, RegimeSwitching

        regimes = {name: Regime(**regime.model_dump()) for name, regime in self.regimes.items()}
        return RegimeSwitching(self.start_usd, regimes, self.start_regime)


class BarsPart(ProcessPart):
    """What the GARCH family has in common: parameters as the `arch` package prints them for log returns in percent."""

    mu: Annotated[float, Within("[-100, 100]")] = Field(default=0.0, description="mean log return of a bar, percent")
    alpha: Annotated[float, Within("[-10, 10]")] = Field(description="alpha[1], weight of the last innovation")
    beta: Annotated[float, Within("(-1, 1)")] = Field(description="beta[1], weight of the last variance")
    nu: Annotated[float, Within("(2, 1000]")] | None = Field(
        default=None, description="degrees of freedom of t innovations; normal if left out"
    )
    bar_minutes: Annotated[float, Within("(0, 10080]")] = Field(description="length of the bars that were fitted: a whole number of steps")
    start_volatility_per_year: Annotated[float, Within("(0, 10]")] | None = Field(
        default=None, description="of the first bar; that of the long run if left out"
    )

    def steps_per_bar(self, step_seconds: float | None) -> int | None:
        """Whole number of steps of a bar; None where their length is not known."""
        if step_seconds is None:
            return None
        steps = self.bar_minutes * _SECONDS_PER_MINUTE / step_seconds
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-9 * steps:
            raise ValueError(f"bar_minutes(={self.bar_minutes:g}) must be a whole number of steps of {step_seconds:g} s")
        return round(steps)


class GarchProcess(BarsPart):
    """GARCH(1,1) of Bollerslev."""

    process: Literal["garch"]
    omega: Positive = Field(description="constant of the variance, percent squared")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.garch import Garch

        return Garch(**self.parameters(), steps_per_bar=self.steps_per_bar(step_seconds))


class GjrProcess(BarsPart):
    """GARCH of Glosten, Jagannathan and Runkle: falls weigh alpha + gamma."""

    process: Literal["gjr"]
    omega: Positive = Field(description="constant of the variance, percent squared")
    gamma: Annotated[float, Within("[-10, 10]")] = Field(description="gamma[1], more weight of a fall")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.garch import Gjr

        return Gjr(**self.parameters(), steps_per_bar=self.steps_per_bar(step_seconds))


class EgarchProcess(BarsPart):
    """Exponential GARCH of Nelson: the log of the variance moves with size and sign of the last innovation."""

    process: Literal["egarch"]
    omega: Annotated[float, Within("[-100, 100]")] = Field(description="constant of the log variance, log of percent squared")
    gamma: Annotated[float, Within("[-10, 10]")] = Field(default=0.0, description="gamma[1], weight of the sign; below 0 falls weigh more")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.garch import Egarch

        return Egarch(**self.parameters(), steps_per_bar=self.steps_per_bar(step_seconds))


class OuProcess(ProcessPart):
    """A stablecoin: an Ornstein-Uhlenbeck process around its level, and depegs that fade."""

    process: Literal["ou"]
    level_usd: Positive = Field(default=1.0, description="what the price reverts to, USD")
    reversion_per_hour: Positive = Field(description="half of a departure is gone after 0.693 / this, in hours")
    deviation: Share = Field(description="standard deviation of the log price in the long run, depegs apart; 0.001 is 10 basis points")
    depegs_per_year: JumpRate = Field(default=0.0, description="mean number of depegs")
    depeg_mean: LogJump = Field(default=0.0, description="mean log jump of a depeg; -0.05 takes the price to 95.1 %")
    depeg_deviation: Annotated[float, Within("[0, 2]")] = Field(default=0.0, description="standard deviation of a log jump")
    recovery_hours: Positive = Field(default=24.0, description="time until half of a depeg is recovered")

    def build(self, step_seconds: float | None) -> Process:
        """Make the process."""
        from seawall.prices.stable import OrnsteinUhlenbeck

        return OrnsteinUhlenbeck(**self.parameters())


def _process_of(value: Any) -> str:
    """Name of the process of an asset; geometric Brownian motion where it says none."""
    return str(value.get("process", "gbm") if isinstance(value, dict) else getattr(value, "process", None))


PROCESSES = ("gbm", "merton", "kou", "heston", "regimes", "garch", "gjr", "egarch", "ou")

ProcessSpec = Annotated[
    Annotated[GbmProcess, Tag("gbm")]
    | Annotated[MertonProcess, Tag("merton")]
    | Annotated[KouProcess, Tag("kou")]
    | Annotated[HestonProcess, Tag("heston")]
    | Annotated[RegimesProcess, Tag("regimes")]
    | Annotated[GarchProcess, Tag("garch")]
    | Annotated[GjrProcess, Tag("gjr")]
    | Annotated[EgarchProcess, Tag("egarch")]
    | Annotated[OuProcess, Tag("ou")],
    Discriminator(
        _process_of, custom_error_type="process_unknown", custom_error_message=f"process is unknown; known: {', '.join(PROCESSES)}"
    ),
]


def build_process(spec: ProcessPart, step_seconds: float | None = None) -> Process:
    """Make the process that an asset's part of a scenario describes.

    Args:
        spec: the part, checked.
        step_seconds: seconds per step, so that bars of the GARCH family are so many steps; None to leave that to the steps it is given.

    Raises:
        ValueError: a bar is not a whole number of steps.
    """
    return spec.build(step_seconds)
