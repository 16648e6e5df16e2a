"""The protected branch of a repository as it is now: what rules, documents and identities are read from."""

from __future__ import annotations

import re

from tidegate.errors import TidegateError
from tidegate.server.api.problems import Problem
from tidegate.server.mirrors import Brought, Mirrors, Wanted, open_mirrors
from tidegate.server.service import Service
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.store.repositories import Repository

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def bring_protected(service: Service, repository: Repository, mirrors: Mirrors | None = None) -> Brought:
    """The mirror with the branch's tip. Problem 409 where the forge or the mirror does not give it now."""
    try:
        way = Way(service, mirrors or open_mirrors(service.config))
        forge = forge_of(service, repository)
        tip = forge.branch(repository.slug, repository.main)
        if not _OID.fullmatch(tip):
            raise Problem(409, "the protected branch is not there", detail=repository.main)
        wanted = Wanted(repository.forge, repository.slug, repository.main, 0, tip)
        return fetch(way, wanted, forge.clone(repository.slug))
    except (TidegateError, OSError) as error:
        raise Problem(409, "the protected branch cannot be read now", mend="ask again") from error
