"""What concerns the guard about a command: every call that it makes, in turn and inside one another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tidegate.agent.guard import programs, secrets
from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.scene import Scene
from tidegate.agent.guard.shell.parser import parse
from tidegate.agent.guard.shell.values import ShellError
from tidegate.agent.guard.tools.harm import harm
from tidegate.agent.guard.tools.machine import concerns_of_variable
from tidegate.agent.guard.tools.registry import by_name
from tidegate.agent.guard.tools.verbs import is_dangerous, judge_any
from tidegate.agent.guard.values import DEEPEST, MOST_CALLS, Call, Concern, Inner, Place, Verdict, shown, unseen
from tidegate.agent.guard.walk import walk

_COMMANDS = re.compile(
    r"PROMPT_COMMAND|GIT_(?:SSH_COMMAND|EDITOR|SEQUENCE_EDITOR|PAGER|EXTERNAL_DIFF|ASKPASS|PROXY_COMMAND|SSH)|EDITOR|VISUAL|"
    r"PAGER|MANPAGER|BROWSER|SSH_ASKPASS|LESSOPEN|LESSCLOSE|KUBE_EDITOR|FCEDIT"
)
_ENGLISH = frozenset("at rename batch cap init service op fly salt time watch command script source find test".split())
"""Programs whose names begin many a sentence in the texts of code."""
_WRITE_OUT = "write the command out"


def judge_text(text: str, place: Place) -> Verdict:
    """What the guard says of a line for a shell."""
    judging = _Judging()
    concerns = tuple(dict.fromkeys(judging.text(text, place, "")))
    return Verdict(concerns, judging.calls)


def judge_words(words: Sequence[str], place: Place) -> Verdict:
    """The same of a program with its arguments, which no shell has yet to read."""
    judging = _Judging()
    call = Call(words[0], tuple(words[1:]), place)
    concerns = tuple(dict.fromkeys(judging.call(call)))
    return Verdict(concerns, judging.calls)


# Private


class _Judging:
    """One question: it counts what it has looked at, so that no script makes it look for ever."""

    def __init__(self) -> None:
        self.calls = 0
        self._tools = by_name()
        self._read: set[tuple[str, str, bool]] = set()

    def text(
        self, text: str, place: Place, code: str, piped: bool = False, around: Call | None = None
    ) -> Iterator[Concern]:
        """The concerns of a script."""
        if place.depth > DEEPEST or self.calls > MOST_CALLS:
            yield Concern("unseen-script", "it is nested too deep, or too long, to be read", _WRITE_OUT, shown((text,)))
            return
        key = (text, str(place.folder), place.away)
        if key in self._read and around is None:
            return
        self._read.add(key)
        if "\0" in text:
            text = re.sub("\0+", "$TIDEGATE_UNSEEN", text)
        try:
            script = parse(text)
        except ShellError as error:
            if code != "text":
                yield Concern("unreadable", f"no shell reads it to its end: {error.what}", _WRITE_OUT, shown((text,)))
            return
        for call, files in walk(script, _scene(place, piped, around)):
            for path in files:
                if re.match(r"/dev/(?:tcp|udp)/(?:localhost|127\.0\.0\.1|::1)/", path):
                    continue
                if why := harm(call, path):
                    yield call.concern(
                        "files", f"it writes over {shown((path,))}: {why}", "write into the workspace", shown((path,))
                    )
            if call.name != ":" or call.assigned:
                yield from self.call(call)
            if self.calls > MOST_CALLS:
                yield call.concern("unseen-script", "it makes too many calls to be read", _WRITE_OUT)
                return

    def call(self, call: Call) -> Iterator[Concern]:
        """The concerns of one call and of everything that it runs."""
        self.calls += 1
        yield from secrets.in_call(call)
        for name, value in call.assigned:
            yield from concerns_of_variable(call, name, value)
            if _COMMANDS.fullmatch(name) and not unseen(value):
                yield from self.text(value, self._deeper(call.place), "text")
        if call.name == ":":
            return
        if unseen(call.name) or re.search(r"[*?\[]", call.name[: -1 if call.name in ("[", "[[") else None]):
            if call.place.typed or is_dangerous(call.arguments):
                yield call.concern("unseen-command", "which program it is, is only known when it runs", _WRITE_OUT)
            return
        name = call.name.rsplit("/", 1)[-1]
        if call.name in call.functions:
            for at in range(len(call.arguments) if call.name in call.runners else 0):
                yield from self._inner(call, Inner(call.arguments[at:], code="list"))
            return
        yield from self._judged(call, name)

    def _judged(self, call: Call, name: str) -> Iterator[Concern]:
        named = replace(call, name=name)
        said = list(judge_any(named))
        tools = self._tools.get(name, ())
        for tool in tools:
            said += tool.judge(named)
        if not tools or ("/" in call.name and not call.name.startswith("/")):
            said += _unknown(call, name)
        for one in said:
            if isinstance(one, Concern):
                yield one
            else:
                yield from self._inner(named, one)

    def _inner(self, call: Call, inner: Inner) -> Iterator[Concern]:
        place = self._deeper(inner.place or call.place)
        if inner.script is None:
            if inner.arguments and place.depth <= DEEPEST:
                quiet = inner.code == "list" and inner.arguments[0] not in self._tools
                if not quiet:
                    made = Call(inner.arguments[0], inner.arguments[1:], place, call.given, inner.piped or call.piped)
                    made = replace(made, assigned=inner.assigned, written=call.written, functions=call.functions)
                    made = replace(made, runners=call.runners, leaks=call.leaks)
                    yield from self.call(made)
        elif inner.code in ("", "text"):
            if inner.code == "text" and not self._starts_known(inner.script):
                return
            around = call if call.name in ("trap", "eval") and inner.code == "" else None
            yield from self.text(inner.script, place, inner.code, inner.piped, around)
        else:
            from tidegate.agent.guard.code import judge_code  # its patterns cost more than most commands

            for one in judge_code(call, inner.script, place.typed):
                if isinstance(one, Concern):
                    yield one
                else:
                    yield from self._inner(call, replace(one, place=place))

    def _starts_known(self, text: str) -> bool:
        """Whether a text in code begins like a command of a tool that is judged."""
        words = text.replace(";", " ; ").split()
        return any(word.rsplit("/", 1)[-1] in self._tools and word not in _ENGLISH for word in words[:6])

    def _deeper(self, place: Place) -> Place:
        return replace(place, depth=place.depth + 1)


def _scene(place: Place, piped: bool, around: Call | None) -> Scene:
    scene = Scene(place, piped=piped)
    if around is not None:
        scene.variables.update(around.variables)
        scene.functions.update(around.functions)
        scene.runners.update(around.runners)
    return scene


def _unknown(call: Call, name: str) -> Iterator[Concern | Inner]:
    """A program that is not judged: passes where it is one, and is held where it can only be an alias or a function."""
    from tidegate.agent.guard.files import read_script

    if "/" in call.name:
        if not call.name.startswith(("/bin/", "/usr/", "/sbin/", "/opt/")):
            yield from read_script(call, call.name, arguments=call.arguments)
        if is_dangerous((name,)) and call.place.typed and not _there(call):
            yield call.concern(
                "unseen-script", "it is not there to be read, and its name says what it does", _WRITE_OUT
            )
        return
    if name in programs.KNOWN or call.place.away:
        return
    folders = call.place.environment.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(os.pathsep)
    if any(os.access(os.path.join(folder, name), os.X_OK) for folder in folders if folder):  # noqa: PTH118 the hook's time
        return
    if is_dangerous((name, *call.arguments)) or call.place.typed:
        what = f"{name[:40]} is no program here: an alias or a function that nobody sees"
        yield call.concern("unseen-command", what, "write out what it stands for")


def _there(call: Call) -> bool:
    folder = call.place.folder
    return folder is not None and (folder / Path(call.name)).is_file()
