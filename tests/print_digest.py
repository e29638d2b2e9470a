"""Prints the fingerprint of scenarios after a run: `python print_digest.py SCENARIO...`; compared between modes, Pythons and Mesas."""

from __future__ import annotations

import sys

from seawall.scenarios.build import build
from seawall.scenarios.load import load

for file in sys.argv[1:]:
    print(build(load(file)).run().digest())
