"""How the recommended point of a tuning study stood its checks, in words."""

from __future__ import annotations

from seawall.reports.tune_result import Entry, Tuning, called
from seawall.reports.tune_words import listed, unmet
from seawall.reports.words import capital, number


def checks(found: Tuning) -> list[str]:
    """How the recommended point stood a fresh seed, scenarios held back and other worlds: what it stood, then what it did not."""
    if not found.best or not found.answer["checks"]:
        return []
    best = found.best[0]["number"]
    stood = [check for check in found.answer["checks"] if not _fault(found, check, best)]
    fell = [check for check in found.answer["checks"] if check not in stood]
    constraints = "meets all constraints" if found.spec.constraints else "was played without failure"
    said = [f"Looked at again, it {constraints} {listed([named(check) for check in stood])}."] if stood else []
    return said + [f"{capital(named(check))} {_fault(found, check, best)}; {_instead(found, check)}." for check in fell]


def named(check: Entry) -> str:
    """A check as it stands in a sentence."""
    name = check["name"]
    return {"fresh seed": f"on a fresh seed ({name})", "held back": f"in {name}, which was held back"}.get(check["kind"], f"with {name}")


def _fault(found: Tuning, check: Entry, number_of_best: int) -> str:
    """What is wrong with the recommended point in a check; empty where nothing is."""
    entry = next((one for one in check["points"] if one["number"] == number_of_best), None)
    if entry is None:
        return "it cannot work at all and was not simulated"
    if entry["failure"]:
        return f"it fails: {entry['failure']}"
    faults = unmet(found, entry["constraints"])
    is_broken = any(one["verdict"] == "broken" for one in entry["constraints"].values())
    fault = "no longer meets all constraints" if is_broken else "is no longer sure to meet all constraints"
    return f"it {fault}: {faults}" if faults else ""


def _instead(found: Tuning, check: Entry) -> str:
    """Which of the points looked at would be recommended there."""
    best = next((one for one in check["points"] if one["number"] == check["best"]), None)
    if best is None:
        others = sum(one["number"] != found.best[0]["number"] for one in check["points"])
        if not others:
            return "no other point was looked at"
        return f"nor does {'the other one' if others == 1 else f'any of the other {number(others)}'} looked at"
    return f"{called(found, best['values'])} does"
