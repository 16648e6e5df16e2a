"""What controllers of Rails ask before their actions: before_action with only and except, what parents ask, bodies."""

from __future__ import annotations

import re

from tidegate.change.guards import RUBY_ASKS, RUBY_BEFORE, ruby_covers, ruby_statement
from tidegate.verify.access.values import Guard, Level, Look, Unit, Units, level_of, put, shown


def read(text: str, path: str, look: Look) -> Units:
    """The public methods of a file with what holds for each."""
    lines = text.split("\n")
    units: dict[str, Unit] = {}
    asked = [*_inherited(lines, path, look), *_asked(lines)]
    hidden = False
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*(?:private|protected)\s*(?:#.*)?$", line):
            hidden = True
        elif re.match(r"\s*class\s", line):
            hidden = False
        match = _DEF.match(line)
        if match is None:
            continue
        name = match[2]
        body = _body(lines, number, len(match[1]))
        refuses = (
            sum(1 for one in body if _REFUSES.search(one))
            if RUBY_ASKS.fullmatch(name) or (name.endswith("?") and level_of(name))
            else None
        )
        guards = [] if hidden else [*_held(asked, name), *_inside(body, number)]
        put(units, Unit(f"def {name}", name, number, tuple(guards), "", refuses))
    parent = next((match for line in lines if (match := re.match(r"\s*class\s+([\w:]+)", line))), None)
    if parent is not None and "\n  def " not in text.split("\n  private", 1)[0]:
        # A class that only others inherit from: its guards are those of their actions.
        put(units, Unit(f"class {parent[1]}", parent[1], 1, tuple(_held(asked, "index"))))
    return units


# Private

_Asked = tuple[Guard, str, bool]
_DEF = re.compile(r"(\s*)def\s+(?:self\.)?([\w?!]+)")
_SKIP = re.compile(r"^\s*skip_before_action\s+(.*)")
_INHERITS = re.compile(r"^\s*class\s+[\w:]+\s*<\s*(?:::)?([\w:]+)")
_INSIDE = re.compile(
    r"^\s*(?:authorize!?\b(?!\s*=)[^#]*|"
    r"(?:require|ensure|verify)_\w*(?:login|logged|user|admin|auth|moderator|owner|token)\w*[!?]?(?:\(.*\))?\s*)$|"
    r"^\s*(?:return|raise|head|redirect_to|render)\b.*\b(?:unless\b|if\s+!|if\s+not\b).*"
    r"(?:admin|moderator|owner|can_|current_user|@user|logged|permitted|allowed|authorized).*$"
)
_TURNS = re.compile(r"\s*(?:redirect_to|head|raise|render|return)\b")
_INVERSE = re.compile(r"(?i)(?:require|ensure|must)_(?:be_)?(?:no|not|un|logged_out|guest|anonymous)_?|_or_nothing")
_INCLUDES = re.compile(r"^\s*include\s+([A-Z][\w:, ]*)")
_REFUSES = re.compile(r"redirect_to|head\s|render|raise|false|deny|forbid|unauthor|4\d\d")


def _asks(name: str) -> bool:
    if _INVERSE.search(name):
        return False
    named = re.match(r":(?:authenticate$|require|ensure|check|verify|authori|must|only|admin|restrict)\w*", name)
    return bool(RUBY_ASKS.match(name)) or (named is not None and (level_of(name[1:]) or 0) > 0)


def _asked(lines: list[str]) -> list[_Asked]:
    """The statements that add or take a guard, in order: the guard, the statement, whether it adds."""
    found: list[_Asked] = []
    for number, line in enumerate(lines, 1):
        before, skip = RUBY_BEFORE.match(line), _SKIP.match(line)
        match = before or skip
        if match is None:
            continue
        statement = ruby_statement(lines, number)
        if "**" in statement:  # the body of a helper: where it is called is not told here
            continue
        names = re.findall(
            r":[\w!?]+", re.split(r",\s*(?:only|except|if|unless|raise)\b|,\s*:(?:only|except)\b", statement)[0]
        )
        for name in names:
            if _asks(name):
                level: Level = 2 if level_of(name.lstrip(":")) == 2 else 1
                found.append((Guard(shown(f"before_action {name}"), number, level), statement, before is not None))
    return found


def _held(asked: list[_Asked], action: str) -> list[Guard]:
    held: dict[str, Guard] = {}
    for guard, statement, adds in asked:
        # A condition of its own is believed on both sides alike: what counts is whether it is still there.
        plain = re.sub(r",\s*(?:if|unless):\s*(?:->.*|[^,]*)", "", statement)
        if not ruby_covers(plain, action):
            continue
        if adds:
            held[guard.key] = guard
        else:
            held.pop(guard.key, None)
    return list(held.values())


def _inherited(lines: list[str], path: str, look: Look, depth: int = 4) -> list[_Asked]:
    if depth == 0:
        return []
    found: list[_Asked] = []
    beside = path.rpartition("/")[0]
    named = [match[1] for line in lines if (match := _INHERITS.match(line) or _INCLUDES.match(line))]
    for above in [name for one in named for name in one.replace(" ", "").split(",") if name][:12]:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", above.replace("::", "/")).lower() + ".rb"
        folders = (beside, beside.rpartition("/")[0], "app/controllers", "app/controllers/concerns")
        places = dict.fromkeys(f"{folder}/{name}" for folder in folders)
        place, text = next(((one, text) for one in places if one != path and (text := look(one))), ("", ""))
        if text:
            parent = text.split("\n")
            found += _inherited(parent, place, look, depth - 1)
            found += [(Guard(guard.text, 0, guard.level), words, adds) for guard, words, adds in _asked(parent)]
    return found


def _body(lines: list[str], number: int, indent: int) -> list[str]:
    found = []
    for line in lines[number : number + 60]:
        if re.match(rf"\s{{{indent}}}end\b", line) and len(line) - len(line.lstrip()) == indent:
            break
        found.append(line)
    return found


def _inside(body: list[str], number: int) -> list[Guard]:
    found = []
    for offset, line in enumerate(body[:20], 1):
        if _INSIDE.match(line):
            found.append(Guard(shown(line.strip()), number + offset, 2))
        elif re.match(r"\s*(?:else|unless\b.*)\s*$", line) and any(
            _TURNS.match(one) for one in body[offset : offset + 3]
        ):
            found.append(Guard(shown(line.strip()), number + offset, 2, aside=True))
    return found
