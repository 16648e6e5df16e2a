"""Programs that are judged by their verbs alone: those that write are held, those that read pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tidegate.agent.guard.tools.verb import PUBLISHES, Verbs
from tidegate.agent.guard.tools.verbs_deploy import DEPLOYS_OF
from tidegate.agent.guard.tools.verbs_machine import MACHINE_OF
from tidegate.agent.guard.tools.verbs_publish import PUBLISHES_OF
from tidegate.agent.guard.values import Call, Said, Tool, plain, unseen

VERBS: Mapping[str, Verbs] = {**DEPLOYS_OF, **PUBLISHES_OF, **MACHINE_OF}
ANYWHERE = frozenset(
    (
        *("db:drop", "db:reset", "db:wipe", "db:purge", "db:truncate", "migrate:fresh", "migrate:reset", "db:drop:all"),
        *("migrate:refresh", "db:migrate:undo", "db:migrate:undo:all", "db:rollback", "schema:drop", "db:schema:load"),
        *("doctrine:database:drop", "doctrine:schema:drop", "ecto.drop", "ecto.reset", "database:drop"),
    )
)
_OFF = re.compile(r"=(?:false|0|no|none|off)$", re.IGNORECASE)
_MIGRATES = re.compile(
    r"migrat|goose|dbmate|knex|sequelize|(?:^|/)manage\.py$|(?:^|/)(?:flask|sql-migrate|atlas|tern)$|^db$"
)
_BACK = frozenset(("down", "zero", "reset", "drop", "downgrade", "undo", "fresh", "redo", "down-to", "rollback"))
DANGER = frozenset(
    (
        *(
            "apply",
            "destroy",
            "delete",
            "drop",
            "terminate",
            "purge",
            "uninstall",
            "wipe",
            "nuke",
            "undeploy",
            "deploy",
        ),
        *(
            "publish",
            "unpublish",
            "teardown",
            "decommission",
            "drain",
            "truncate",
            "rollback",
            "destroy-all",
            "redeploy",
        ),
    )
)
"""Words that mean the same with every tool, for one that nobody here knows."""


def judge(call: Call) -> Iterator[Said]:
    """Held where a verb writes, or where the verb is not seen."""
    verbs = VERBS[call.name]
    words = [one.lower() if call.name == "redis-cli" else one for one in plain(call.arguments, verbs.valued)]
    if any(
        one in verbs.dry or one.partition("=")[0] in verbs.dry[:3] for one in call.arguments if not _OFF.search(one)
    ):
        return
    everything = [*words, *(one for one in call.arguments if one.startswith("-"))]
    if "*" in verbs.writes:
        if call.arguments or call.name not in ("ansible", "ansible-playbook", "systemctl", "ufw", "pg_restore"):
            yield _held(call, verbs, words)
        return
    pairs = {f"{one} {two}" for one, two in pairwise(words)}
    if verbs.writes & ({*everything} | pairs):
        yield _held(call, verbs, words)
    elif words and unseen(words[0]):
        yield call.concern(
            "unseen-command", f"what {call.name} would do is only known when it runs", "write the verb out"
        )


def judge_any(call: Call) -> Iterator[Said]:
    """Tasks that empty databases, whatever runs them."""
    found = next((one for one in call.arguments if one in ANYWHERE), "")
    if found:
        yield call.concern(
            "data", f"{found} empties or drops a database wherever its address points to", "ask a person"
        )
    elif (back := _BACK.intersection(call.arguments)) and any(map(_MIGRATES.search, (call.name, *call.arguments))):
        yield call.concern(
            "data", f"`{min(back)}` takes the schema back, with what is in it", "ask a person, or write a migration"
        )
    elif "flush" in call.arguments and any(
        one.endswith(("manage.py", "django-admin")) for one in (call.name, *call.arguments)
    ):
        yield call.concern("data", "flush empties the database wherever its address points to", "ask a person")


def is_dangerous(words: tuple[str, ...]) -> bool:
    """Whether a word, or a part of one, means destroying or deploying with any tool."""
    parts = {part for one in words for part in re.split(r"[^a-z]+", one.lower())}
    return bool(parts & DANGER)


# Private


def _held(call: Call, verbs: Verbs, words: list[str]) -> Said:
    target = words[-1] if words else call.name
    rule = "publish" if verbs.means == PUBLISHES else "writes"
    return call.concern(rule, verbs.means, verbs.safe, target)


TOOL = Tool(frozenset(VERBS), judge)
