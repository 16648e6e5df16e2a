"""Which resource of a plan needs which, before and after: from the state's record and from the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tidegate.infra.graph import Use, Uses, uses_of
from tidegate.infra.terraform.document import StateResource

_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')


def recorded(prior: Iterable[StateResource]) -> Uses:
    """Uses that the state records. They are transitive, and the only ones of what is no longer configured."""
    resources = [one for one in prior if one.mode == "managed"]
    instances: dict[str, list[str]] = {}
    for one in resources:
        instances.setdefault(_KEY.sub("", one.address), []).append(one.address)
    return uses_of(_recorded(resources, instances))


# Private


def _recorded(resources: Iterable[StateResource], instances: Mapping[str, list[str]]) -> Iterator[Use]:
    for one in resources:
        for used in one.depends_on or ():
            for address in instances.get(_KEY.sub("", used), ()):
                yield Use(one.address, address)
