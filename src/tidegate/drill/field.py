"""A scenario beside its repository: the hidden change made again, and every question asked of the real system anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.drill.checks import criteria_of, last_tag, look_back
from tidegate.drill.clone import borrowed, commit_diff
from tidegate.drill.ground import Ground
from tidegate.drill.hidden import LAST_MOMENT, judge, message_of
from tidegate.drill.patterns import PATTERNS
from tidegate.drill.story import gate_options
from tidegate.drill.values import Decision, Scenario
from tidegate.errors import GitError, InputError
from tidegate.policy.rules import Policy, read_policy
from tidegate.report.escape import plain

OWNER_POINTS, BACK_POINTS, LOST_POINTS, FAR_POINTS = 3, 3, 2, 1


class Field:
    """The repository of a scenario while it is played. `scenario` holds what the repository says now."""

    def __init__(self, clone: Repository, scenario: Scenario, environment: Mapping[str, str]) -> None:
        self.clone = clone
        loaded = read_settings(clone, scenario.revision, environment)
        self.policy: Policy = read_policy(clone, scenario.revision, loaded)
        self._ground = Ground(clone, scenario.revision, loaded.settings)
        self.scenario = self._checked(clone, scenario, environment)

    def ask(self, decision: Decision, text: str) -> tuple[int, str] | None:
        """What a named owner or revision is worth."""
        truth = self.scenario.truth
        if decision.asks == "call":
            name = text if text.startswith("@") or "@" in text else f"@{text}"
            place = self._ground.owners.path or "CODEOWNERS"
            if name in self._ground.owners_of(truth.path):
                return OWNER_POINTS, f"{place} at the base names {plain(name, 100)} for {truth.path}"
            known = name in self._ground.all_owners()
            what = "for other files, not for this one" if known else "nowhere"
            return 0, f"{place} at the base names {plain(name, 100)} {what}"
        if decision.asks == "rollback":
            back = look_back(self._ground.clone, self._ground.base, truth.commit, text)
            if not (back.exists and back.lacks and back.before):
                return 0, str(back)
            most = BACK_POINTS if self._back else LOST_POINTS
            return (most if not back.commits else FAR_POINTS), str(back)
        return None

    # Private

    def _checked(self, clone: Repository, scenario: Scenario, environment: Mapping[str, str]) -> Scenario:
        """The scenario with the answers of this repository in the place of those that the file claims."""
        truth = scenario.truth
        at = _seconds(scenario.at)
        message = message_of(truth.subject, truth.session.prompt)
        made = commit_diff(clone, scenario.revision, truth.diff, message, at)
        judged = judge(clone, made, truth.session.id, at, environment)
        self.facts = judged.facts
        truth = replace(truth, commit=made.commit)
        tale = next((one.tale for one in PATTERNS if one.id == scenario.pattern), None)
        tag = last_tag(clone, scenario.revision)
        graph = bool(scenario.services or scenario.entry_points)
        self._back = tale.back if tale is not None else True
        criteria = criteria_of(self._ground, truth, judged.gate, back=self._back, tag=tag, services=graph)
        worth = {text: (points, why) for text, _, points, why in gate_options(judged.gate)}
        decisions = tuple(_worth(one, worth) if one.asks == "gate" else one for one in scenario.decisions)
        return replace(scenario, truth=truth, gate=judged.gate, criteria=criteria, decisions=decisions)


@contextmanager
def open_field(repository: Repository, scenario: Scenario, environment: Mapping[str, str]) -> Iterator[Field]:
    """The repository that the scenario was made for. Raises InputError where it does not hold its base commit."""
    try:
        base = repository.resolve(scenario.revision)
    except GitError as error:
        raise InputError(
            f"this repository does not hold the commit {scenario.revision[:12]} that the scenario was made for",
            where=str(repository.path),
            mend=f"name the repository of {plain(scenario.repository, 80)} with --repo, or run it with --unchecked",
        ) from error
    with borrowed(repository, base) as clone:
        yield Field(clone, scenario, environment)


# Private


def _worth(decision: Decision, worth: Mapping[str, tuple[int, str]]) -> Decision:
    """The question about the gate with what the gate itself says of each answer."""
    options = []
    for option in decision.options:
        points, why = worth.get(option.text, (0, "the gate was asked, and says something else"))
        options.append(replace(option, points=points, why=plain(why, 1_500)))
    return replace(decision, options=tuple(options))


def _seconds(at: str) -> int:
    try:
        moment = datetime.fromisoformat(at)
        seconds = int(moment.timestamp()) if moment.tzinfo is not None else _refuse(at)
        return seconds if 0 <= seconds <= LAST_MOMENT else _refuse(at)
    except (ValueError, OverflowError):
        return _refuse(at)


def _refuse(at: str) -> int:
    raise InputError(f"{at[:40]!r} is no moment", where="the scenario", mend="make it anew with `tidegate drill new`")
