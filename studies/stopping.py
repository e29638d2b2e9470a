"""A stopping rule at work: it takes in chunk after chunk and says when there are enough paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seawall.scenarios.schema import Scenario
from seawall.studies.chunks import FIGURE, figure_values
from seawall.studies.until import UntilError, estimate, parse, resolve

GROWTH = 1.05
"""A stopping rule is asked again once there are this many times the paths of the last time: its estimates take longer than a few paths."""

DEPENDENT = ("antithetic", "sobol")
"""Ways to draw normals whose paths are not independent of each other."""


class Watch:
    """A stopping rule and the values that it has seen.

    Attributes:
        found: how it stands: rule, figure, estimate, interval, paths, whether it is met; for the manifest.
    """

    def __init__(self, until: str, scenario: Scenario) -> None:
        """Watch a rule, from no path on.

        Raises:
            UntilError: it cannot be read, or no rule can be kept with paths drawn like this scenario's.
        """
        sampling = getattr(scenario.prices, "sampling", "plain")
        if sampling in DEPENDENT:
            raise UntilError(f"prices.sampling {sampling}: its paths are not independent, so no interval says when there are enough")
        self._rule, self._name = parse(until), ""
        self._values: list[np.ndarray] = []
        self._log_weights: list[np.ndarray] = []
        self._asked_at = 0
        self.found: dict[str, Any] = {"rule": self._rule.text, "is_met": False, "paths": 0}

    def is_over(self, table: pa.Table) -> bool:
        """Take in the next chunk and tell whether the rule is met.

        Raises:
            UntilError: it names a figure that these paths do not have.
        """
        played = table["error_type"].is_null().to_numpy()
        figures = [name.removeprefix(FIGURE) for name in table.column_names if name.startswith(FIGURE)]
        if not self._name and figures:
            self._name = resolve(self._rule.figure, figures)
        values = figure_values(table, self._name)
        self._values.append((np.full(len(table), np.nan) if values is None else values)[played])
        self._log_weights.append(table["log_weight"].to_numpy()[played])
        return self._ask(sum(map(len, self._values)))

    def _ask(self, paths: int) -> bool:
        if paths < max(self._rule.least_paths, GROWTH * self._asked_at):
            return False
        self._asked_at = paths
        got = estimate(self._rule, np.concatenate(self._values), np.concatenate(self._log_weights))
        is_met = self._rule.is_met(got)
        self.found |= {"figure": self._name, "value": got.value, "low": got.low, "high": got.high, "paths": paths, "is_met": is_met}
        return is_met
