"""Events that may befall a price: changes, gaps at the open, drifts, bursts of volatility, lost pegs.

Each is a change of the log price that depends on the quiet path alone, so that those of several events can be added up. Times are in
seconds since the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seawall.prices.process import check_not_negative, check_positive
from seawall.protocols.tables import Bools, Floats, Ints

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """The path of one asset before any event.

    Attributes:
        at_s: `[steps + 1]` times of the rounds.
        log_price: `[steps + 1]`.
        is_open: `[steps + 1]` whether its market is open.
        last_open: `[steps + 1]` for every round the last one, itself included, with the market open; the first round before any.
        drift_per_step: expected log return of a step.
    """

    at_s: Floats
    log_price: Floats
    is_open: Bools
    last_open: Ints
    drift_per_step: float


@dataclass(frozen=True, slots=True)
class Event:
    """What all events have.

    Attributes:
        asset: whom it hits; None for all.
        at_s: when it begins, seconds since the start, >= 0.
    """

    asset: str | None
    at_s: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        check_not_negative(at_s=self.at_s)

    def log_change(self, quiet: Quiet) -> Floats:
        """Change of the log price, `[steps + 1]`; only open rounds will show it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Change(Event):
    """A drop or a spike that lasts or fades; linear in log price, both ways (assumption).

    Attributes:
        change: size at its peak as a fraction of the price, > -1; 0.35 is +35%.
        ramp_s: from its beginning to its peak, >= 0; 0 is a jump.
        hold_s: at its peak, >= 0.
        recovery_s: from then until nothing is left of it, > 0; None for a lasting one.
    """

    change: float
    ramp_s: float = 0.0
    hold_s: float = 0.0
    recovery_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        Event.__post_init__(self)
        _check_change(change=self.change)
        _check_shape(self.ramp_s, self.hold_s, self.recovery_s)

    def log_change(self, quiet: Quiet) -> Floats:
        """Log of the change times what is felt of it."""
        return math.log1p(self.change) * strength(quiet.at_s, self.at_s, self.ramp_s, self.hold_s, self.recovery_s)


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """A lasting jump at the next open: the first round of a session that begins at `at_s` or later; at once where the market never closes.

    Attributes:
        change: a fraction of the price, > -1.
    """

    change: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        Event.__post_init__(self)
        _check_change(change=self.change)

    def log_change(self, quiet: Quiet) -> Floats:
        """Log of the change from the open on; refuses (ValueError) to wait for an open that does not come."""
        never_closes = quiet.is_open.all()
        begins = np.concatenate([[never_closes], quiet.is_open[1:] & (never_closes | ~quiet.is_open[:-1])])
        opens = np.flatnonzero(begins & (quiet.at_s >= self.at_s))
        if not len(opens):
            raise ValueError(f"a gap at at_s(={self.at_s}) waits for an open, and no session begins after it")
        return np.where(np.arange(len(quiet.at_s)) >= opens[0], math.log1p(self.change), 0.0)


@dataclass(frozen=True, slots=True)
class Drift(Event):
    """A steady drift for a while; what it has moved stays.

    Attributes:
        per_day: change of the price in a day as a fraction, > -1, compounded; -0.1 is a fall by 10% a day.
        duration_s: > 0.
    """

    per_day: float
    duration_s: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        Event.__post_init__(self)
        _check_change(per_day=self.per_day)
        check_positive(duration_s=self.duration_s)

    def log_change(self, quiet: Quiet) -> Floats:
        """Log of the drift per day times the days under it."""
        return math.log1p(self.per_day) * (np.clip(quiet.at_s - self.at_s, 0, self.duration_s) / DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class VolatilityBurst(Event):
    """Log returns move further from their mean for a while; what they have moved stays, so no jump ends it.

    The mean of the price, unlike that of its log, rises or falls with its variance.

    Attributes:
        factor: what deviations from the mean are multiplied by, >= 0; 3 triples the volatility.
        duration_s: at full strength, > 0.
        ramp_down_s: from then until the factor is 1 again, linearly, >= 0.
    """

    factor: float
    duration_s: float
    ramp_down_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        Event.__post_init__(self)
        check_not_negative(factor=self.factor, ramp_down_s=self.ramp_down_s)
        check_positive(duration_s=self.duration_s)

    def log_change(self, quiet: Quiet) -> Floats:
        """Sum of the deviations so far, times what the factor adds; a return into an open round bears all since the last one."""
        recovery_s = self.ramp_down_s if self.ramp_down_s > 0 else None
        fade = strength(quiet.at_s, self.at_s, 0.0, self.duration_s, recovery_s)
        if recovery_s is None:
            fade *= quiet.at_s < self.at_s + self.duration_s
        factors = 1 + (self.factor - 1) * fade[:-1]
        before = quiet.last_open[:-1]
        rounds = np.arange(1, len(quiet.at_s)) - before
        squares = np.concatenate([[0.0], np.cumsum(factors**2)])
        mean_square = (squares[1:] - squares[before]) / rounds  # variances add up, deviations do not
        felt = np.where(rounds == 1, factors, np.sqrt(mean_square))
        deviations = np.diff(quiet.log_price) - quiet.drift_per_step * rounds
        return np.concatenate([[0.0], np.cumsum(np.where(quiet.is_open[1:], (felt - 1) * deviations, 0.0))])


@dataclass(frozen=True, slots=True)
class Depeg(Event):
    """A price goes to a level, stays and recovers, whatever it was at the beginning; linear in log price (assumption).

    Attributes:
        level_usd: > 0.
        ramp_s: until it is there, >= 0; 0 is a jump.
        hold_s: there, >= 0.
        recovery_s: from then until nothing is left of it, > 0; None for a lasting one.
        own_moves: share in [0, 1] of the quiet path's moves since the beginning that are kept while at the level; 0 pins the price to it.
    """

    level_usd: float
    ramp_s: float = 0.0
    hold_s: float = 0.0
    recovery_s: float | None = None
    own_moves: float = 1.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        Event.__post_init__(self)
        check_positive(level_usd=self.level_usd)
        _check_shape(self.ramp_s, self.hold_s, self.recovery_s)
        if not 0 <= self.own_moves <= 1:
            raise ValueError(f"own_moves(={self.own_moves}) must be in [0, 1]")

    def log_change(self, quiet: Quiet) -> Floats:
        """Log of the level over the price at the beginning, and the moves that are lost, times what is felt of it."""
        begin = int(np.searchsorted(quiet.at_s, self.at_s, side="right")) - 1
        moves = quiet.log_price - quiet.log_price[begin]
        to_level = math.log(self.level_usd) - quiet.log_price[begin]
        return (to_level - (1 - self.own_moves) * moves) * strength(quiet.at_s, self.at_s, self.ramp_s, self.hold_s, self.recovery_s)


PriceEvent = Change | Gap | Drift | VolatilityBurst | Depeg


def strength(at_s: Floats, begin_s: float, ramp_s: float, hold_s: float, recovery_s: float | None) -> Floats:
    """Share in [0, 1] of an event that is felt at each time: up over the ramp, held, down over the recovery, if any."""
    since = at_s - begin_s
    rise = np.clip(since, 0, ramp_s) / ramp_s if ramp_s > 0 else np.where(since >= 0, 1.0, 0.0)
    return rise if recovery_s is None else rise - np.clip(since - (ramp_s + hold_s), 0, recovery_s) / recovery_s


def _check_change(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > -1):
            raise ValueError(f"{name}(={value}) must be finite and > -1")


def _check_shape(ramp_s: float, hold_s: float, recovery_s: float | None) -> None:
    check_not_negative(ramp_s=ramp_s, hold_s=hold_s)
    if recovery_s is not None:
        check_positive(recovery_s=recovery_s)
