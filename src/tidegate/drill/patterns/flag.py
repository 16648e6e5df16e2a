"""A default is turned round, for everybody who never chose."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import YAML, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

ARGUMENT = 15
"""So much worse fits the default of an argument, which callers see, than that of a setting, which nobody does."""
_OTHER = {"true": "false", "false": "true", "True": "False", "False": "True", "off": "on", "on": "off"}
_FLAGS = (
    ((".json",), re.compile(r'("defaultVariant")(:\s*")(off|on)"')),
    (
        (".py",),
        re.compile(
            r"^([A-Z][A-Z0-9_]*(?:ENABLED?|DISABLED?|OPEN|ALLOW\w*|USE|FEATURE|FLAG|ACTIVE|ONLY|REQUIRED?|VERIFY)[A-Z0-9_]*)"
            r"(\s*(?::\s*bool\s*)?=\s*(?:\w+\(\"\w+\", \")?)(True|False)\b"
        ),
    ),
    (
        YAML,
        re.compile(
            r"^\s*(\w*(?:enabled?|disabled?|allow\w*|feature\w*|readOnly\w*|secure\w*|persist\w*))(:\s*)(true|false)\s*$",
            re.IGNORECASE,
        ),
    ),
    ((".ts", ".js"), re.compile(r"^\s*(\w*(?:enable|disable|allow|feature|use)[A-Z]\w*)(:\s*)(true|false),$")),
    (
        (".py",),
        re.compile(
            r"^\s+(\w*(?:strict|verify|escape|secure|allow|safe|check|validate|follow|cache|autoescape)\w*)"
            r"(: bool = )(True|False),"
        ),
    ),
    ((".py",), re.compile(r"^\s+(\w{4,40})(: bool = )(True|False),")),
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A switch with a default, the most telling kind of them first."""
    chosen, less = None, 0
    for suffixes, pattern in _FLAGS:
        paths = [
            path
            for path in ground.paths(*suffixes)
            if not path.startswith((".github/", ".gitlab")) and "migrations/" not in path
        ]
        if suffixes == YAML:
            paths = [path for path in paths if _SWITCHES.search(path)]
        chosen = ground.choose(list(ground.lines(paths, pattern)), lambda one: one[0], seed)
        if chosen is not None:
            less = ARGUMENT if ": bool" in chosen[2][2] else 0
            break
    if chosen is None:
        return None
    path, number, match = chosen
    text = ground.text(path) or ""
    line = line_of(text, number)
    new = _OTHER[match[3]]
    name = _name(text, number) if match[1] == '"defaultVariant"' else match[1]
    shown = f"{_parent(text, number)}{name}" if path.endswith(YAML) else name
    changed = replaced(text, number, line[: match.start(3)] + new + line[match.end(3) :])
    readers = (".py", ".js", ".ts", ".go", ".java", ".rb", ".cs", ".rs", ".php", *YAML)
    users = [one for one in ground.count(name, ground.paths(*readers)) if one != path and len(name) > _GENERIC]
    used = f"; {len(users)} other {'file reads' if len(users) == 1 else 'files read'} it" if users else ""
    return Chance(
        path=path,
        line=number,
        edits={path: changed},
        what=f"turns the default of {shown} in {path} from {match[3]} to {new}, for everybody who never chose{used}",
        why=f"{shown} has a default in {path}{used}",
        subject=f"Tidy up the defaults in {path.rpartition('/')[2]}",
        prompt=f"Clean up {path.rpartition('/')[2]}, the defaults are confusing.",
        words={"thing": shown, "was": match[3], "now": new},
        less=less,
    )


PATTERN = Pattern(
    id="flag-default-flipped",
    title="The default that nobody had chosen",
    needs="a switch with a default (a feature flag, a setting, an argument)",
    fits=55,
    sources=(
        Source(
            url="https://www.outagereports.net/in-the-matter-of-knight-capital-americas-llc-respondentpost-mortem/",
            date="2012-08-01",
            fact="New code of Knight Capital used a flag that formerly had activated old code, which was still"
            " there; the router"
            " sent millions of orders in 45 minutes, and the loss was about 440 million dollars.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: behaviour of {thing} has changed for everybody who never set it. No error anywhere.",
        graph="How often {thing} applies: from 3 % to 97 % with the last release. Errors as always.",
        claim="I tidied up the defaults. Nothing else changed, and the tests set their own values.",
        noise="A colleague: “Perhaps they changed something themselves? Or it is {decoy}, which touched {decoy_file}.”",
        customer="{users}: “We upgraded and did not change a thing, and now it does something else.”",
        twist="Half of the {users} have begun to rely on the new behaviour, or have set the value by hand to repair"
        " theirs.",
        moves=(
            Move(
                "Turn the default back, tell {users} plainly for how long it was the other way, then look who"
                " depends on it",
                "Most of them are well again with the next release; the rest is found by a search for the setting.",
                "best",
                "it restores what people agreed to, and finds those whom the restoring hurts",
            ),
            Move(
                "Leave it, the new default is better anyway",
                "It may be. Nobody was asked, and the next upgrade will be read with fear.",
                "poor",
                "a good decision that nobody made",
            ),
            Move(
                "Ask everybody to set the value themselves",
                "One in ten reads it.",
                "part",
                "it helps those who read, and leaves the rest as they are",
            ),
        ),
        back=True,
        lesson="A default is a decision for all who never decided. Tests that set every value cannot see it.",
    ),
    rules=(
        Rule(
            id="drill-defaults-path",
            title="Its owner approves {path}, where defaults are decided",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 1, from = "owners", not = ["author", "prompter", "committer"] }]',
            reason="A default was turned round in passing.",
        ),
    ),
)


# Private


_GENERIC = 8
_SWITCHES = re.compile(
    r"(?:^|/)(?:values[\w.-]*|[\w.-]*(?:flags?|features?|settings|toggles)[\w.-]*|application[\w.-]*)\.ya?ml$"
)


def _parent(text: str, number: int) -> str:
    """The key of YAML that this line stands below, with a dot."""
    lines = text.split("\n")
    depth = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for line in reversed(lines[: number - 1]):
        found = re.match(r"^(\s*)([\w.-]+):\s*$", line)
        if found and len(found[1]) < depth:
            return f"{found[2]}."
    return ""


def _name(text: str, number: int) -> str:
    """The flag that a default of flagd belongs to: the key that is open on this line."""
    depth = 0
    for line in reversed(text.split("\n")[: number - 1]):
        depth += line.count("}") - line.count("{")
        if depth < 0 and (match := re.match(r'\s*"([\w.-]{2,80})":\s*\{', line)):
            return match[1]
    return "a flag"
