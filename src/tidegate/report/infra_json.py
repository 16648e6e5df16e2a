"""What a change does to infrastructure, for machines: one document, and the shape that conftest users know."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tidegate.facts import Actor, DriftFact, Effect, Infra, PlanFact, Unjudged, Unknown, to_json
from tidegate.report.infra_words import GRAVE, asked, headline, people_of, word_of


class InfraDocument(Struct, frozen=True, kw_only=True):
    """`severity` of the whole, the `verdict` with how many `people` should look, `effects`, what is `unjudged`."""

    schema: Literal["tidegate.infra/1"] = "tidegate.infra/1"
    verdict: str
    people: int
    because: str
    status: str
    unknowns: tuple[Unknown, ...]
    severity: str
    effects: tuple[Effect, ...]
    unjudged: tuple[Unjudged, ...]
    drift: tuple[DriftFact, ...]
    removals: int
    environments: tuple[str, ...]
    actor: Actor
    plans: tuple[PlanFact, ...]
    files: tuple[str, ...]


def render_infra_json(infra: Infra) -> str:
    """The document of what a change does to infrastructure."""
    said: dict[str, Any] = {
        name: getattr(infra, name) for name in InfraDocument.__struct_fields__ if hasattr(infra, name)
    }
    document = InfraDocument(verdict=word_of(infra), people=people_of(infra), because=headline(infra), **said)
    return to_json(document).decode() + "\n"


def render_conftest(infra: Infra, name: str) -> str:
    """As `conftest test --output json` writes it, for Atlantis and what else reads that.

    https://www.conftest.dev/options/#json ; grave effects and what cannot be judged are failures, the rest warnings.
    """
    failures = [_conftest(effect) for effect in infra.effects if effect.severity in GRAVE]
    warnings = [_conftest(effect) for effect in infra.effects if effect.severity not in GRAVE]
    failures += [
        {"msg": f"cannot judge {one.address}: {one.reason}", "metadata": {"code": "CANNOT_JUDGE"}}
        for one in infra.unjudged
    ]
    if word_of(infra) == "hold" and not failures:
        failures.append({"msg": asked(infra), "metadata": {"code": "AGENT"}})
    if infra.status != "complete":
        failures.append({"msg": f"cannot judge: {headline(infra)}", "metadata": {"code": "CANNOT_JUDGE"}})
    result = {"filename": name, "namespace": "tidegate", "successes": 0 if failures else 1}
    return to_json([{**result, "warnings": warnings, "failures": failures}]).decode() + "\n"


# Private


def _conftest(effect: Effect) -> dict[str, Any]:
    metadata = {name: getattr(effect, name) for name in ("code", "severity", "address", "reversible", "dependents")}
    return {"msg": f"{effect.address}: {effect.reason}", "metadata": metadata}
