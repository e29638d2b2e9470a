"""A stopping rule at work: it takes in chunk after chunk and says when there are enough paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seawall.scenarios.schema import Scenario
from seawall.studies.chunks import measure_values
from seawall.studies.expressions import ExpressionError
from seawall.studies.until import parse

GROWTH = 1.05
"""A stopping rule is asked again once there are this many times the paths of the last time: its estimates take longer than a few paths."""

DEPENDENT = ("antithetic", "sobol")
"""Ways to draw normals whose paths are not independent of each other."""


class Watch:
    """A stopping rule and the values that it has seen.

    Attributes:
        found: how it stands: rule, estimate, interval, paths, whether it is met; for the manifest.
    """

    def __init__(self, until: str, scenario: Scenario) -> None:
        """Watch a rule, from no path on.

        Raises:
            ExpressionError: it cannot be read, or no rule can be kept with paths drawn like this scenario's.
        """
        sampling = getattr(scenario.prices, "sampling", "plain")
        if sampling in DEPENDENT:
            raise ExpressionError(f"prices.sampling {sampling}: its paths are not independent, so no interval says when there are enough")
        self._rule = parse(until)
        self._values: list[np.ndarray] = []
        self._log_weights: list[np.ndarray] = []
        self._asked_at = 0
        self.found: dict[str, Any] = {"rule": self._rule.text, "is_met": False, "paths": 0}

    def is_over(self, table: pa.Table) -> bool:
        """Take in the next chunk and tell whether the rule is met.

        Raises:
            ExpressionError: it names a measure that these paths do not have.
        """
        played, log_weights = table["error_type"].is_null().to_numpy(), table["log_weight"].to_numpy()
        if played.any():
            self._values.append(self._rule.quantity.values(measure_values(table))[played])
            self._log_weights.append(log_weights[played])
        return self._ask(sum(map(len, self._values)))

    def _ask(self, paths: int) -> bool:
        if paths < max(self._rule.least_paths, GROWTH * self._asked_at):
            return False
        self._asked_at = paths
        got = self._rule.quantity.estimate(np.concatenate(self._values), np.concatenate(self._log_weights))
        is_met = self._rule.is_met(got)
        self.found |= {"value": got.value, "low": got.low, "high": got.high, "paths": paths, "is_met": is_met}
        return is_met
