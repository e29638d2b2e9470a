"""What a disturbance must say of the rest of its scenario, and how much it may bring."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios.disturbance_schema import Disturbance, LiquidityDrain, OracleLag, OracleStuck, OracleWrong, Stampede
from seawall.scenarios.exchange_layout import own_assets
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import Document

MAX_ROWS = 20_000_000  # extra orders, and departures of LPs, that one disturbance may bring on average
HOURS_PER_YEAR = 8_760.0


def disturbance_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Faults of disturbances that need another key to see."""
    faults = []
    days = getattr(scenario.prices, "days", None)
    for i, spec in enumerate(scenario.disturbances):
        found = [*_name_faults(scenario, spec), *_venue_faults(scenario, spec)]
        if days is not None and not found:
            found += _size_faults(scenario, spec, days * 24.0)
        faults += [document.fault(("disturbances", i, key), message) for key, message in found]
    return faults


def check_sizes(scenario: Scenario, file: str, steps: int) -> None:
    """Refuse disturbances that bring too much on prices of so many rounds; `file` is where the scenario stands.

    Raises:
        ScenarioError: with all of them.
    """
    hours = steps * scenario.step_seconds / 3_600.0
    faults = [
        Fault(file, None, f"disturbances[{i}].{key}", message)
        for i, spec in enumerate(scenario.disturbances)
        for key, message in _size_faults(scenario, spec, hours)
    ]
    if faults:
        raise ScenarioError(faults)


def _name_faults(scenario: Scenario, spec: Disturbance) -> Iterator[tuple[str, str]]:
    """Names that nothing has; key and message."""
    if isinstance(spec, OracleLag | OracleWrong | OracleStuck):
        followed = {*(terms.tracks for terms in scenario.tassets.values()), *own_assets(scenario)}
        yield from _unknown("asset", spec.asset, followed, "asset that a feed follows")
        yield from _unknown("tasset", spec.tasset, set(scenario.tassets), "tASSET")
    elif isinstance(spec, LiquidityDrain | Stampede):
        if spec.venue == "pools":
            yield from _unknown("tasset", spec.tasset, set(scenario.tassets), "tASSET")
        if spec.venue == "rfq" and scenario.avmm is not None:
            names = scenario.avmm.names[1:] if isinstance(spec, Stampede) else scenario.avmm.names
            yield from _unknown("asset", spec.asset, set(names), "asset of avmm.assets that orders are for")


def _unknown(key: str, name: str | None, known: set[str], what: str) -> Iterator[tuple[str, str]]:
    if name is not None and name not in known:
        yield key, f"{name!r} is no {what}; known: {', '.join(sorted(known))}"


def _venue_faults(scenario: Scenario, spec: Disturbance) -> Iterator[tuple[str, str]]:
    """A venue that the scenario has not, nobody there whom it could strike, and a key that means nothing there."""
    if not isinstance(spec, LiquidityDrain | Stampede):
        return
    there = {"pools": bool(scenario.tassets), "rfq": scenario.avmm is not None, "exchange": scenario.exchange is not None}
    if not there[spec.venue]:
        yield "venue", f"{spec.venue}: the scenario has none"
        return
    if isinstance(spec, Stampede) and _orders_per_day(scenario, spec) == 0.0:
        yield "venue", f"{spec.venue}: no trader's orders arrive there by themselves, so there is nothing to multiply"
    if spec.tasset is not None and spec.venue != "pools":
        yield "tasset", f"means nothing where venue is {spec.venue}; leave it out"
    if spec.asset is not None and spec.venue != "rfq":
        yield "asset", f"means nothing where venue is {spec.venue}; leave it out"


def _orders_per_day(scenario: Scenario, spec: Stampede) -> float:
    """Orders that arrive usually where a stampede strikes, all assets together."""
    if spec.venue == "pools":
        return scenario.traders.count * scenario.traders.orders_per_day
    if spec.venue == "rfq":
        return scenario.avmm.orders_per_day if scenario.avmm is not None else 0.0
    traders = scenario.exchange.traders if scenario.exchange is not None else None
    return 0.0 if traders is None else sum(kind.count * kind.orders_per_day for kind in (traders.noise, traders.whale))


def _lps(scenario: Scenario, venue: str) -> int:
    if venue == "pools":
        return scenario.lps.count * len(scenario.tassets)
    if venue == "rfq":
        return scenario.avmm.lp_count if scenario.avmm is not None else 0
    return scenario.exchange.lps.count if scenario.exchange is not None else 0


def _size_faults(scenario: Scenario, spec: Disturbance, run_hours: float) -> list[tuple[str, str]]:
    """Too many extra orders, or departures, on average."""
    times = 1.0 if spec.per_year is None else spec.per_year * run_hours / HOURS_PER_YEAR
    if isinstance(spec, Stampede):
        orders = times * (spec.factor - 1.0) * _orders_per_day(scenario, spec) * min(spec.hours, run_hours) / 24.0
        if orders > MAX_ROWS:
            return [("factor", f"{orders:,.0f} extra orders are more than {MAX_ROWS:,}")]
    elif isinstance(spec, LiquidityDrain) and times * spec.share * _lps(scenario, spec.venue) > MAX_ROWS:
        return [("per_year", f"{times * spec.share * _lps(scenario, spec.venue):,.0f} departures of LPs are more than {MAX_ROWS:,}")]
    return []
