"""A guard, what it guards, and how much it asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.guards import ASKS, NO_QUESTION

Level: TypeAlias = Literal[0, 1, 2]
"""0 asks nobody, 1 asks who is there, 2 asks whether they may."""

MOST_UNITS = 4_000
LONGEST_SHOWN = 80


class Guard(Struct, frozen=True):
    """Something that asks, as it is written in its line. `aside`: its loss is said of what it stands on."""

    text: str
    line: int
    level: Level
    aside: bool = False

    @property
    def key(self) -> str:
        return re.sub(r"[\s\"']", "", self.text)


class Unit(Struct, frozen=True):
    """A function, route or rule with the guards that hold for it, its own and those of what it stands in.

    `key` is the same on both sides. `opened` is a word that says that nobody is asked, "" where none does. `name` is
    how people call it. `refuses` counts what turns people away in the body of a function that is a guard itself, None
    for what is none. `calls` are the names that a function calls.
    """

    key: str
    name: str
    line: int
    guards: tuple[Guard, ...] = ()
    opened: str = ""
    refuses: int | None = None
    calls: frozenset[str] = frozenset()


Units: TypeAlias = Mapping[str, Unit]
Look: TypeAlias = Callable[[str], str]
"""The text of another file of the same side; "" where there is none."""


def level_of(text: str) -> Level | None:
    """How much a word asks in a place that holds nothing but guards and helpers; None for what is no guard."""
    if _OPEN.search(text):
        return 0
    if _ASIDE.search(text):
        return None
    if _STRONG.search(text):
        return 2
    return 1 if _WORDS.search(text) or (ASKS.search(text) and not NO_QUESTION.search(text)) else None


def guard_of(text: str, line: int) -> Guard | None:
    """The guard that a text is; None where it is none or lets everybody pass."""
    level = level_of(text)
    return Guard(shown(text), line, level) if level else None


def opens(text: str) -> bool:
    """Whether a text says that nobody is asked."""
    return _OPEN.search(text) is not None


def shown(text: str) -> str:
    """A text in one line, short enough for a message."""
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_SHOWN else plain[: LONGEST_SHOWN - 3] + "..."


def put(units: dict[str, Unit], unit: Unit) -> None:
    """Keeps a unit; of several with one key each has a number."""
    if len(units) >= MOST_UNITS:
        return
    key, number = unit.key, 1
    while key in units:
        number += 1
        key = f"{unit.key} ({number})"
    units[key] = unit


# Private

_OPEN = re.compile(
    r"(?i)\b(?:\w+\.)?(?:AllowAny\w*|permit_?All|Allow_?Anonymous|IsPublic|public_?procedure|login_not_required|login_exempt|"
    r"skip_?auth\w*|no_?auth(?:entication)?(?:_required)?|auth\.optional|optional_?auth\w*|Anonymous)\b|^@?Public(?:\(\s*\))?$|"
    r"^@?PermitAll\b|^@?Anonymous\w*Access"
)
_ASIDE = re.compile(
    r"(?i)limit|throttl|csrf|xsrf|logger|access_?log|schema|parse|cache|metric|optional|author(?!i)|user_loader|"
    r"request_loader|unauthorized_handler|errorhandler|fixture|\bmock|\bpatch\(|override_settings|\breceiver\b|"
    r"valid(?:at|ation)(?!e_?(?:token|jwt|session|auth|user|access|permission))|^admin\.|"
    r"redirect_?(?:if_?)?(?:auth|logged)|guest|anonymous|un_?auth\w*_only|not_?(?:logged|authenticated)|sensitive_\w+|"
    r"authlib|OAuth2PasswordRequestForm|oauth_?callback|allowlist"
)
_STRONG = re.compile(
    r"(?i)admin|permission|superuser|staff|moderator|\brole|roles?_|has_?(?:any_?)?(?:role|authority|perm|access|scope)|"
    r"(?:req(?:uire)?|check|has|ensure|can)_?\w*(?:perm|access|owner|role|scope|write|read)|owner|rbac|\bacl\b|Secured|deny_?all|"
    r"PreAuthorize|authori[sz]e|user_passes_test|Roles|Polic(?:y|ies)"
)
_WORDS = re.compile(
    r"(?i)(?:^|[^a-z]|(?<=[a-z])(?=A))auth(?!or(?!i))|auth(?:enticat|ori[sz]|_|[A-Z]|\b)|log(?:ged)?_?in|sign(?:ed)?_?in|protect|"
    r"guard|\bjwt|api_?key|(?:require|ensure|check|verify|need|must)_?(?:\w*_)?(?:user|session|token|identity|member|account)|"
    r"is_?user\b|current_?(?:active_?)?(?:super_?)?user|\btoken_?required|(?:User|Admin|Auth|Token)Dep\b|requires?_?\w*scope"
)
