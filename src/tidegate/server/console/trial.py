"""Rules that somebody writes, tried against the last changes of a repository: what they would have let pass or held."""

from __future__ import annotations

from collections import Counter

from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import InputError
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.console.visit import Visit, get, post
from tidegate.server.drill.acts import rule_of
from tidegate.server.past import MOST, OwnRules, Trial, own_rules, try_rules
from tidegate.server.service import Service
from tidegate.store import repositories
from tidegate.store.repositories import Repository

LONGEST = 200_000
"""Characters of rules: as the API takes."""
LARGEST_FORM = 3 * LONGEST + 4096
"""Bytes of the form: what is no letter of ASCII's is sent as three bytes and more."""
EXAMPLE = """[[rule]]
id = "payments-plan"
title = "A change of payments by an agent has a ticket"
when.all = ['"payments" in change.domains', 'provenance.lines.ai > 0']
effect = "hold"
require = [{ ticket = true }]
owner = "@acme/payments"
reason = "The ledger cannot be repaired by git revert."
"""
PATH = "/settings/policies/{repository}/trial"


def routes(service: Service) -> list[Route]:
    return [
        get(PATH, service, "settings:read", _shown),
        post(PATH, service, "changes:assess", _tried, LARGEST_FORM),
    ]


# Private


def _shown(visit: Visit) -> Response:
    repository = _repository(visit)
    rules = own_rules(visit.service, repository)
    added = _of_drill(visit, repository)
    return _page(visit, repository, OwnRules(f"{rules.text}\n{added}".lstrip(), rules.problem) if added else rules)


def _of_drill(visit: Visit, repository: Repository) -> str:
    """The rule of an exercise that is over, where the address names one; "" else."""
    drill = visit.query.get("drill", "")
    if not drill.isascii() or not drill.isdigit() or len(drill) > 18:
        return ""
    return rule_of(visit.service, int(drill), repository.id, visit.query.get("action", ""))


def _tried(visit: Visit) -> Response:
    """Whatever goes wrong, what was written stands in the answer."""
    repository = _repository(visit)
    written = OwnRules(visit.form.get("rules", "").replace("\r\n", "\n"))
    try:
        if len(written.text) > LONGEST:
            raise Problem(422, f"rules have {LONGEST:,} characters at most")
        trial = try_rules(visit.service, repository, written.text)
    except Problem as problem:
        return _page(visit, repository, written, problem=problem)
    except InputError as error:
        return _page(visit, repository, written, problem=Problem(422, error.what, detail=error.where, mend=error.mend))
    return _page(visit, repository, written, trial=trial)


def _page(
    visit: Visit,
    repository: Repository,
    rules: OwnRules,
    *,
    trial: Trial | None = None,
    problem: Problem | None = None,
) -> Response:
    return visit.page(
        "trial.html",
        f"Other rules · {repository.slug}",
        problem.status if problem else 200,
        repository=repository,
        rules=rules,
        trial=trial,
        problem=problem,
        outcomes=Counter(each.tried.tried for each in trial.compared) if trial else Counter(),
        longest=LONGEST,
        example=EXAMPLE,
        most=MOST,
        fresh=trial is None and problem is None,
    )


def _repository(visit: Visit) -> Repository:
    with visit.service.database.read() as connection:
        return found(repositories.get(connection, visit.number("repository")), "repository")
