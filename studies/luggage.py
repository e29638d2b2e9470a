"""What a scenario needs besides its text: the price file it replays and the positions it starts with. Megabytes, so they travel once.

Another machine need not have the price file: its bytes are sent, and a copy of the scenario names the file that they are kept in there.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from seawall.scenarios.load import Loaded
from seawall.scenarios.snapshot import Positions
from seawall.studies.store import write

_WRITING = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Luggage:
    """What is sent apart from the scenario.

    Attributes:
        positions: starting positions, if it has any.
        prices: the price file, byte by byte, if it replays one.
        suffix: how the name of that file ends, which tells its format.
        digest: sixteen hex digits that stand for all of it.
    """

    positions: Positions | None
    prices: bytes | None
    suffix: str
    digest: str


def pack(loaded: Loaded) -> tuple[Loaded, Luggage | None]:
    """A scenario without what is heavy, and that; None where nothing is.

    Raises:
        OSError: the price file cannot be read.
    """
    file = loaded.prices_file
    if file is None and loaded.positions is None:
        return loaded, None
    prices, suffix = (None, "") if file is None else (file.read_bytes(), file.suffix)
    sha = hashlib.sha256(pickle.dumps((loaded.positions, suffix)))
    sha.update(prices or b"")
    return replace(loaded, positions=None), Luggage(loaded.positions, prices, suffix, sha.hexdigest()[:16])


def unpack(loaded: Loaded, luggage: Luggage, folder: Path) -> Loaded:
    """The scenario as it was before it was packed, but for the place of its price file, which is written to a folder unless it is there.

    Raises:
        WriteError: it cannot be written.
    """
    whole = replace(loaded, positions=luggage.positions)
    if luggage.prices is None:
        return whole
    file, content = folder.absolute() / f"prices-{luggage.digest}{luggage.suffix}", luggage.prices
    with _WRITING:  # threads of a worker share its folder
        if not file.exists():
            write(file, lambda part: part.write_bytes(content))
    prices = whole.scenario.prices.model_copy(update={"file": str(file)})
    return replace(whole, scenario=whole.scenario.model_copy(update={"prices": prices}))
