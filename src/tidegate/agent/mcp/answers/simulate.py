"""simulate_policy: what a policy would have done to the newest changes that landed here, beside the policy of today."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from tidegate.agent.mcp.answers.evidence import file_inside
from tidegate.agent.mcp.arguments import SimulateArguments
from tidegate.agent.mcp.ask import Scene
from tidegate.agent.mcp.values import Figure, Named, Rate, RuleTried, SimulateAnswer
from tidegate.change.configuration import read_settings
from tidegate.change.past import read_landings
from tidegate.errors import InputError
from tidegate.policy.backtest import values as tried
from tidegate.policy.backtest.run import compare
from tidegate.policy.folder import with_files
from tidegate.policy.rules import Policy, read_policy
from tidegate.replay import moment_before, moment_of, read_hindsight, read_past
from tidegate.report.backtest_words import comparison_words, headline, not_known
from tidegate.settings import Loaded

FIRST_AND_SECOND = "The first policy is that of HEAD, the second is the one you gave."


def simulate_policy(scene: Scene, asked: SimulateArguments) -> SimulateAnswer:
    """Raises InputError for rules that are not right, and for both or neither of text and path."""
    repository = scene.repository
    until = repository.resolve("HEAD")
    loaded = read_settings(repository, until, scene.environment)
    today = read_policy(repository, until, loaded)
    proposed = _proposed(scene, asked, until, loaded)
    hindsight = read_hindsight(repository, until, loaded.settings, int(datetime.fromisoformat(scene.now).timestamp()))
    since = moment_before(asked.since, hindsight.now)
    landed = [one.landed_at for one in read_landings(repository, until) if one.landed_at >= since]
    newest = sorted(landed)[-asked.most :]
    past = read_past(repository, until, newest[0] if newest else since, loaded.settings, hindsight)
    found = compare(today, proposed, past)
    left = len(landed) - len(newest)
    notes = [f"{left:,} older changes since then were not tried: ask with a larger `most`"] if left else []
    return _shown(found, notes)


# Private


def _proposed(scene: Scene, asked: SimulateArguments, until: str, loaded: Loaded) -> Policy:
    if bool(asked.policy) == bool(asked.path):
        raise InputError("which policy?", mend="give TOML text as `policy` or a file as `path`, one of the two")
    if asked.path:
        return read_policy(scene.repository, until, with_files(loaded, [file_inside(scene, asked.path)]))
    with tempfile.TemporaryDirectory(prefix="tidegate-policy-") as folder:
        file = Path(folder) / "policy.toml"
        file.write_text(asked.policy, encoding="utf-8")
        try:
            return read_policy(scene.repository, until, with_files(loaded, [file]))
        except InputError as error:
            raise InputError(error.what, where=error.where.replace(str(file), "policy"), mend=error.mend) from error


def _shown(found: tried.Comparison, notes: list[str]) -> SimulateAnswer:
    first, second = found.first, found.second
    return SimulateAnswer(
        says=(headline(second), FIRST_AND_SECOND, *comparison_words(found), *notes, *not_known(second)),
        tried=second.period.changes,
        young=second.period.young,
        repaired=_rate(second.period.repaired),
        now=_figure(first.whole),
        proposed=_figure(second.whole),
        rules=tuple(map(_rule, second.rules)),
        newly_held=found.more.held.count,
        no_longer_held=found.fewer.held.count,
        newly_caught=tuple(map(_named, found.only_second)),
        no_longer_caught=tuple(map(_named, found.only_first)),
    )


def _rate(share: tried.Share) -> Rate:
    return Rate(share.count, share.total, round(share.low, 3), round(share.high, 3))


def _figure(figures: tried.Figures) -> Figure:
    return Figure(_rate(figures.held), _rate(figures.caught), _rate(figures.delayed), round(figures.hours, 1))


def _rule(rule: tried.RuleFigures) -> RuleTried:
    figures = rule.figures
    return RuleTried(
        id=rule.id,
        effect=rule.effect,
        mode=rule.mode,
        held=_rate(figures.held),
        caught=_rate(figures.caught),
        delayed=_rate(figures.delayed),
        unjudged=rule.unjudged,
        always=rule.always,
    )


def _named(one: tried.Named) -> Named:
    return Named(one.oid, moment_of(one.landed_at), one.subject)
