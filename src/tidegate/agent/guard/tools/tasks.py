"""make, npm run and other runners: the task is read from the workspace's own file where it is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from tidegate.agent.guard.files import read_bounded, resolve
from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.tools.verbs import VERBS, is_dangerous
from tidegate.agent.guard.tools.verbs import judge as judge_verbs
from tidegate.agent.guard.tools.wrappers import without_version
from tidegate.agent.guard.values import Call, Inner, Said, Tool, plain, unseen

MOST_TARGETS, MOST_INCLUDED = 60, 20
_VALUED = frozenset(("-C", "--directory", "-f", "--file", "--makefile", "-j", "-I", "-o", "-W", "-l"))
_RULE = re.compile(r"^([^\s#:=][^:=#]*?)\s*::?(?!=)\s*([^#;=]*)(?:;(.*))?$")
_SET = re.compile(r"^(?:export\s+|override\s+)*([\w.-]+)\s*(?::{0,3}|\?|\+|!)=\s*(.*)$")
_USED = re.compile(r"\$[({]([\w.-]+)[)}]")
_ANY_USE = re.compile(r"\$[({][^(){}]*[)}]|\$[@<^?*+%|]")
_INCLUDED = re.compile(r"^-?s?include[ \t]+([^\n$#]+)$", re.MULTILINE)
_SHELLED = re.compile(r"\$\(shell\s+((?:[^()]|\([^()]*\))*)\)")
_MAKE_OWN = {
    "MAKE": "make",
    "CC": "cc",
    "CXX": "c++",
    "AR": "ar",
    "RM": "rm -f",
    "CURDIR": ".",
    "SHELL": "sh",
    "LD": "ld",
    "INSTALL": "install",
}
_BETWEEN = ("#", "ifeq", "ifneq", "ifdef", "ifndef", "else", "endif")
_RUNNER_VALUED = frozenset("-f -d -C --justfile --taskfile -e --project-dir --result-json -s --session".split())
_SEE = "say which command it runs, and run that"


def judge_make(call: Call) -> Iterator[Said]:
    """The recipes of the targets that are asked for, and of what they need."""
    if call.has("-n", "--dry-run", "--just-print", "-q", "--question", "--version", "--help", "-v", "-p"):
        return
    folder, name = ".", ""
    for one, after in pairwise(call.arguments):
        folder = after if one in ("-C", "--directory") else folder
        name = after if one in ("-f", "--file", "--makefile") else name
    folder = next((one[2:] for one in call.arguments if one.startswith("-C") and len(one) > 2), folder)
    asked = [one for one in plain(call.arguments, _VALUED) if "=" not in one]
    given = dict(one.split("=", 1) for one in plain(call.arguments, _VALUED) if "=" in one and one[0] != "-")
    if call.has("--eval", "-E") or not re.fullmatch(r"(?:/usr)?(?:/bin/)?(?:ba|da|z)?sh", given.get("SHELL", "sh")):
        yield call.concern("unseen-script", "its arguments have make run something else", _SEE)
    where = resolve(call, folder)
    if where is None or any(map(unseen, asked)):
        if call.place.typed or is_dangerous(tuple(asked)):
            yield call.concern("unseen-script", "which target of which file it makes is not seen", _SEE)
        return
    text = None
    for one in (name,) if name else ("GNUmakefile", "makefile", "Makefile"):
        try:
            text = read_bounded(where / one)
            break
        except OSError:
            continue
    if text is None:
        if is_dangerous(tuple(asked)):
            yield call.concern(
                "unseen-script", "its file is not there to be read, and its name says what it does", _SEE, asked[-1]
            )
        return
    place = replace(call.place, folder=where, typed=False, depth=call.place.depth + 1)
    text = _with_included(text, where)
    found = _recipes(text, asked, given)
    if found is None:
        yield call.concern(
            "unseen-script", "what it makes is not there to be read, and its name says what it does", _SEE, asked[-1]
        )
        return
    for line in (*_SHELLED.findall(text), *found):
        yield Inner(script=line, place=place)


def judge_package(call: Call) -> Iterator[Said]:
    """npm, yarn, pnpm, bun: what they publish, what they run behind `exec`, and the script of that name."""
    if call.name in VERBS:
        yield from judge_verbs(call)
    if any("script-shell" in one for one in call.arguments):
        yield call.concern("unseen-script", "it has every script run in something else", "leave it out")
    words = plain(
        call.arguments,
        frozenset(("--prefix", "-w", "--workspace", "-C", "--dir", "--cwd", "--filter", "-F", "--registry")),
    )
    if not words:
        return
    verb = words[0]
    if verb in ("exec", "dlx", "x"):
        behind = list(call.arguments[call.arguments.index(verb) + 1 :])
        while behind and behind[0].startswith("-"):
            flag = behind.pop(0)
            if flag in ("-c", "--call") and behind:
                yield Inner(script=behind[0])
                return
            if flag in ("-p", "--package") and behind:
                behind.pop(0)
        if behind:
            yield Inner((without_version(behind[0]), *behind[1:]))
        return
    task = words[1] if verb in ("run", "run-script", "rum", "urn") and len(words) > 1 else verb
    task = {"t": "test", "tst": "test", "i": "install", "ci": "install", "add": "install"}.get(task, task)
    yield from _scripts(call, task, words)


def judge_runner(call: Call) -> Iterator[Said]:
    """just, task, rake, gulp, tox and their kind: their files are programs, so only names are judged."""
    words = plain(
        call.arguments,
        frozenset(
            ("-f", "-d", "-C", "--justfile", "--taskfile", "-e", "--project-dir", "--result-json", "-s", "--session")
        ),
    )
    if call.name in VERBS:
        yield from judge_verbs(call)
    elif is_dangerous(tuple(one for one in words if "/" not in one)) and not call.has(
        "--dry-run", "--list", "-n", "--summary"
    ):
        yield call.concern(
            "unseen-script", "what the task does is not read, and its name says that it is grave", _SEE, words[-1]
        )
    elif words and all(one.startswith("\0") for one in words) and call.place.typed:
        yield call.concern("unseen-command", "which task it runs is only known when it runs", _SEE)


# Private


def _scripts(call: Call, task: str, words: list[str]) -> Iterator[Said]:
    prefix = next(
        (
            call.arguments[at + 1]
            for at, one in enumerate(call.arguments[:-1])
            if one in ("--prefix", "--cwd", "-C", "--dir")
        ),
        ".",
    )
    where = resolve(call, prefix)
    if where is None or unseen(task):
        if unseen(task) and call.place.typed:
            yield call.concern("unseen-command", "which script it runs is only known when it runs", _SEE)
        return
    try:
        document = json.loads(read_bounded(where / "package.json") or "{}")
    except (OSError, ValueError, RecursionError):
        document = {}
    scripts = document.get("scripts") if isinstance(document, dict) else None
    known: Mapping[str, object] = scripts if isinstance(scripts, dict) else {}
    names = [f"pre{task}", task, f"post{task}", *(("prepare",) if task == "install" else ())]
    found = [text for one in names if isinstance(text := known.get(one), str)]
    place = replace(call.place, folder=where, typed=False, depth=call.place.depth + 1)
    for text in found:
        if call.place.depth < 6:
            yield Inner(script=text, place=place)
    runs = words[0] in ("run", "run-script") or call.name in ("yarn", "pnpm", "bun")
    if not found and runs and is_dangerous((task,)):
        yield call.concern(
            "unseen-script", "the script is not there to be read, and its name says what it does", _SEE, task
        )


def _with_included(text: str, where: Path) -> str:
    """A Makefile with the files that it includes by their names, where they are there."""
    for found in list(_INCLUDED.finditer(text))[:MOST_INCLUDED]:
        for name in found[1].split()[:MOST_INCLUDED]:
            try:
                text += "\n" + (read_bounded(where / name) or "")
            except OSError:
                continue
    return text


def _recipes(text: str, asked: list[str], given: Mapping[str, str]) -> list[str] | None:
    """The commands of these targets; None where one is not there and its name says that it is grave."""
    rules: dict[str, tuple[list[str], list[str]]] = {}
    known = dict(_MAKE_OWN)
    current: list[str] = []
    first = ""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            for one in current:
                rules[one][1].append(line.strip().lstrip("@-+ "))
            continue
        if (setting := _SET.match(line)) is not None:
            known[setting[1]] = setting[2].split(" #")[0].strip()
            continue
        head = _RULE.match(line)
        if head is None:
            current = (
                current
                if not line.strip() or line.startswith(("#", "ifeq", "ifneq", "ifdef", "ifndef", "else", "endif"))
                else []
            )
            continue
        current = head[1].split()
        for one in current:
            needs, recipe = rules.setdefault(one, ([], []))
            needs += [need for need in head[2].split() if need != "|"]
            if head[3]:
                recipe.append(head[3].strip())
            if not first and not one.startswith("."):
                first = one
    known.update(given)
    made: list[str] = []
    waiting = list(asked) or [first]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_TARGETS:
        target = waiting.pop(0)
        if target in seen:
            continue
        seen.add(target)
        fitting = (found for name, found in rules.items() if "%" in name and _fits(name, target))
        rule = rules.get(target) or next(fitting, None)
        if rule is None and target in asked and is_dangerous((target,)):
            return None
        needs, recipe = rule or ([], [])
        waiting += needs
        made += [_put_in(line, known) for line in recipe]
    return made


def _without_loops(line: str) -> str:
    """`$(foreach name,list,body)` as one turn of its body, whose variable nobody sees."""
    while (start := line.find("$(foreach ")) >= 0:
        depth, end = 0, len(line)
        for at in range(start, len(line)):
            depth += (line[at] == "(") - (line[at] == ")")
            if line[at] == ")" and not depth:
                end = at
                break
        name, _, rest = line[start + 10 : end].partition(",")
        body = (
            rest[rest.index(")") :].partition(",")[2]
            if rest.startswith("$(") and ")" in rest
            else rest.partition(",")[2]
        )
        for use in (f"$({name.strip()})", f"${{{name.strip()}}}"):
            body = body.replace(use, "\1TIDEGATE_UNSEEN")
        line = line[:start] + body + line[end + 1 :]
    return line


def _fits(pattern: str, target: str) -> bool:
    front, _, back = pattern.partition("%")
    return target.startswith(front) and target.endswith(back)


def _put_in(line: str, known: Mapping[str, str]) -> str:
    line = _without_loops(line.replace("$$", "\1"))
    for _ in range(5):
        put = _USED.sub(lambda found: known.get(found[1], "\1TIDEGATE_UNSEEN").replace("$$", "\1"), line)
        put = _ANY_USE.sub("\1TIDEGATE_UNSEEN", put) if put == line else put
        if put == line:
            break
        line = put
    return line.replace("\1", "$")


MAKE = Tool(frozenset(("make", "gmake", "mingw32-make")), judge_make)
PACKAGE = Tool(frozenset(("npm", "pnpm", "yarn", "bun", "npm-run-all", "run-s", "run-p")), judge_package)
_RUNNERS = "just task rake invoke inv fab nox tox mage gulp grunt ant sbt mill bazel nx turbo rails artisan composer"
RUNNER = Tool(
    frozenset((*_RUNNERS.split(), "gradlew", "mvnw", "mvn", "gradle", "mix", "dotnet", "cargo", "gem")), judge_runner
)
