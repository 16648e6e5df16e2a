"""How well effects agree with a careful reader: the labelled changes of the corpus, one figure each bar.

    python -m bench.infra.corpus            the table
    python -m bench.infra.corpus g01 moj    what is said of the changes whose name begins so

TIDEGATE_DATA names the folder that holds `iac/` (default ../shared/data). A change counts as raised where its gravest
effect is medium or more for recall of high and critical (high or more in the stricter line), and as a false alarm
where one labelled none or low is said to be more than its label accepts.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tidegate.change.trees import given
from tidegate.facts import Infra, to_json
from tidegate.infra.collect import facts_of, read_families
from tidegate.infra.judge import judge
from tidegate.infra.plans import read_plan
from tidegate.infra.rules import RULES
from tidegate.infra.severity import ORDER

RANK = {"none": -1, **{name: place for place, name in enumerate(ORDER)}}


@dataclass(frozen=True)
class Case:
    """One labelled change and what Tidegate says of it; `tool` is the one that made the plan."""

    name: str
    kind: str
    tool: str
    label: dict[str, object]
    infra: Infra

    @property
    def text(self) -> str:
        return to_json(self.infra).decode().casefold()

    @property
    def grave(self) -> bool:
        return self.label["severity"] in ("high", "critical")

    @property
    def quiet(self) -> bool:
        return self.label["severity"] in ("none", "low")

    @property
    def raised(self) -> bool:
        """Whether a person is asked: an effect of medium or more, or something that nobody can judge."""
        return RANK[self.infra.severity] >= RANK["medium"] or bool(self.infra.unjudged)

    @property
    def accepted(self) -> bool:
        return self.infra.severity in self.label["accept"] or (
            self.infra.severity == "note" and "none" in self.label["accept"]
        )

    @property
    def missing(self) -> list[str]:
        return [words for words in self.label["must_say"] if words.casefold() not in self.text]

    @property
    def forbidden(self) -> list[str]:
        return [words for words in self.label["must_not_say"] if words.casefold() in self.text]


def folder() -> Path:
    """The folder of the corpus."""
    root = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("TIDEGATE_DATA") or root / "shared" / "data") / "iac"


def cases(chosen: list[str]) -> list[Case]:
    """Every labelled change, judged; of plans that two tools made, one case each."""
    labels = json.loads((folder() / "labels.json").read_text())["items"]
    found = []
    for label in labels:
        if chosen and not label["id"].startswith(tuple(chosen)):
            continue
        source = label["source"]
        if "dir" in source:
            read = read_families(given(_contents(source["dir"], "before"), _contents(source["dir"], "after")))
            found.append(Case(label["id"], label["kind"], "", label, facts_of(judge(read, RULES, "human"), "human")))
            continue
        for tool in ("terraform", "opentofu", "plan"):
            if tool in source:
                path = folder() / source[tool]
                judged = judge([read_plan(path.read_bytes(), path.name)], RULES, "human")
                found.append(Case(label["id"], label["kind"], tool, label, facts_of(judged, "human")))
    return found


def main(chosen: list[str]) -> int:
    judged = cases(chosen)
    if chosen:
        for case in judged:
            show(case)
        return 0
    for case in judged:
        if not case.accepted or case.missing or case.forbidden:
            print(f"  {case.name:32} {case.tool:10} {problems(case)}")
    for kind in ("", *sorted({case.kind for case in judged})):
        mine = [case for case in judged if case.kind == kind or not kind]
        grave, quiet = [c for c in mine if c.grave], [c for c in mine if c.quiet]
        asked = [c for c in mine if c.label["must_say"]]
        print(
            f"{kind or 'all':18} n {len(mine):3}  recall of high and critical {share([c.raised for c in grave])}"
            f"  said high {share([RANK[c.infra.severity] >= RANK['high'] for c in grave])}"
            f"  false alarms {share([c.raised and not c.accepted for c in quiet])}"
            f"  accepted {share([c.accepted for c in mine])}  must say {share([not c.missing for c in asked])}"
            f"  must not say {share([not c.forbidden for c in mine])}"
        )
    return 0


def problems(case: Case) -> str:
    """What is wrong with an answer, in a line."""
    said = []
    if not case.accepted:
        said.append(f"severity {case.infra.severity}, accepted {'/'.join(case.label['accept'])}")
    said += [f"does not say {case.missing}"] if case.missing else []
    said += [f"says {case.forbidden}"] if case.forbidden else []
    return "; ".join(said)


def show(case: Case) -> None:
    """An answer in full, with its label."""
    print(f"== {case.name} {case.tool}: {case.infra.severity} (label {case.label['severity']})  {problems(case)}")
    print(f"   label: {case.label['reason']}")
    for effect in case.infra.effects:
        print(f"   {effect.severity:8} {effect.code:20} {effect.address} [{effect.certainty}, {effect.environment}]")
        print(f"            {effect.reason}")
        for name in ("back", "dependents", "path", "mitigations"):
            if value := getattr(effect, name):
                print(f"            {name}: {value if isinstance(value, str) else ', '.join(value)}")
    for one in case.infra.unjudged:
        print(f"   cannot judge {one.address}: {one.reason}")
    for one in case.infra.drift:
        print(f"   drift {one.kind} {one.address}: {one.reason}")


def share(truths: list[bool]) -> str:
    """`35/36 97 %`."""
    return f"{sum(truths)}/{len(truths)} {100 * sum(truths) / len(truths):.0f} %" if truths else "-"


# Private


def _contents(case: str, side: str) -> dict[str, bytes]:
    root = folder() / case / side
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
