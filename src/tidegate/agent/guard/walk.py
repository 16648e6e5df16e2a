"""A script as the calls that it makes, in order: variables, folders, aliases and functions followed as far as seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.scene import Scene, fields_in, folder_after, printed, read_there, set_variable, text_in
from tidegate.agent.guard.shell.expand import UNSEEN
from tidegate.agent.guard.shell.parser import parse
from tidegate.agent.guard.shell.values import (
    Command,
    Group,
    Pipeline,
    Redirect,
    Run,
    Script,
    ShellError,
    Text,
    Variable,
    Word,
)
from tidegate.agent.guard.values import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

_STARTERS = frozenset("exec eval time timeout sudo env nohup command nice xargs".split())
_CREDENTIALS = re.compile(
    r"(?:^|/)\.env(?:\.|$)|/?\.(?:aws|ssh|kube|gnupg|netrc|npmrc|pypirc|docker/config)\b|id_(?:rsa|ed25519)|\.pem$|tfstate"
)
_RUNS_OTHERS = frozenset(
    "sudo env time timeout nohup uv poetry pdm hatch pipenv npx bundle conda rye nice xvfb-run".split()
)
_UNPACKS = frozenset(("tar", "unzip", "patch", "rsync", "gunzip", "cpio", "7z"))
_FETCHES = frozenset(("curl", "wget", "scp", "base64", "openssl", "xxd", "gpg"))
_LOOKS = frozenset(
    "rm rmdir rimraf unlink cat ls chmod test [ stat file head tail less wc shellcheck cd echo bash sh . source git "
    "php node python python3 ruby perl".split()
)

Step: TypeAlias = "Call | Redirect"


def walk(script: Script, scene: Scene) -> Iterator[tuple[Call, tuple[str, ...]]]:
    """Every call of the script with the files that it is sent to write."""
    _count_settings(script, scene)
    yield from _script(script, scene)


# Private

_Made: TypeAlias = Iterator[tuple[Call, tuple[str, ...]]]


def _script(script: Script, scene: Scene) -> _Made:
    for pipeline in script:
        yield from _pipeline(pipeline, scene)
        scene.leaks = False


def _pipeline(pipeline: Pipeline, scene: Scene) -> _Made:
    given: str | None = scene.reads
    piped = scene.piped
    for number, one in enumerate(pipeline):
        last = number == len(pipeline) - 1
        if isinstance(one, Group):
            yield from _group(one, scene, given, piped)
            given = None
        else:
            call, files, inside = _command(one, scene, given, piped)
            for script in inside:
                yield from _script(script, scene)
            if call is not None:
                yield call, files
            elif files:
                yield Call(":", (), scene.place, written=frozenset(scene.written)), files
            given = None if call is None or last else printed(call)
            scene.leaks = not last and (scene.leaks or (call is not None and _shows_credentials(call)))
        piped = True


def _group(group: Group, scene: Scene, given: str | None, piped: bool) -> _Made:
    for word in group.words:
        for run in _runs(word):
            yield from _script(run.script, scene)
    files, text, reads, inside = _redirected(group.redirects, scene)
    for script in inside:
        yield from _script(script, scene)
    if files:
        yield Call(":", (), scene.place, written=frozenset(scene.written)), files
    if group.kind == "function":
        scene.functions.add(group.name)
        if any(_runs_its_arguments(one) for pipeline in _all(group.script) for one in pipeline):
            scene.runners.add(group.name)
    if group.variable:
        scene.variables[group.variable] = None
    before = (scene.place, dict(scene.variables), scene.reads, scene.piped)
    scene.reads, scene.piped = (text if reads else given), piped or reads
    yield from _script(group.script, scene)
    if group.kind == "subshell":
        scene.place, scene.variables = before[0], before[1]
    scene.reads, scene.piped = before[2], before[3]


def _command(
    command: Command, scene: Scene, given: str | None, piped: bool
) -> tuple[Call | None, tuple[str, ...], list[Script]]:
    inside = [run.script for _, word in command.assigned for run in _runs(word)]
    inside += [run.script for word in command.words for run in _runs(word)]
    fields = [one for word in command.words for one in fields_in(word, scene)]
    assigned = [(name, text_in(word, scene)) for name, word in command.assigned]
    files, text, reads, more = _redirected(command.redirects, scene)
    inside += more
    if reads:
        given, piped = text, True
    if not fields:
        if command.words:
            assigned = []
            fields = [UNSEEN]
        else:
            for name, value in assigned:
                set_variable(scene, name, value)
            scene.written.update(Path(one).name for one in files)
            called = Call(":", (), scene.place, assigned=tuple(assigned)) if assigned or files else None
            return called, files, inside
    name = fields[0]
    if name in scene.aliases and scene.depth < 8:
        inside.append(_aliased(scene, scene.aliases[name], fields[1:]))
        return None, files, inside
    call = Call(
        name,
        tuple(fields[1:]),
        scene.place,
        given,
        piped,
        tuple(assigned),
        frozenset(scene.written),
        frozenset(scene.functions),
        frozenset(scene.runners),
        scene.leaks,
        dict(scene.variables) if name in ("trap", "eval") else {},
    )
    _after(call, scene)
    scene.written.update(Path(one).name for one in files)
    return call, files, inside


def _aliased(scene: Scene, text: str, rest: list[str]) -> Script:
    quoted = " ".join("'" + one.replace("'", "'\\''") + "'" for one in rest)
    scene.depth += 1
    try:
        return parse(f"{text} {quoted}") if UNSEEN not in text else parse(f'"$TIDEGATE_UNSEEN" {quoted}')
    except ShellError:
        return parse('"$TIDEGATE_UNSEEN"')


def _after(call: Call, scene: Scene) -> None:
    """What a builtin changes for what comes after it, and which files a call may have made."""
    name = call.name.rsplit("/", 1)[-1]
    words = [one for one in call.arguments if not one.startswith("-")]
    if name in ("cd", "pushd"):
        scene.place = replace(scene.place, folder=folder_after(scene, words[0] if words else scene.place.home))
    elif name == "popd":
        scene.place = replace(scene.place, folder=None)
    elif name == "alias":
        for one in call.arguments:
            key, equals, value = one.partition("=")
            if equals:
                scene.aliases[key] = value
    elif name in ("read", "mapfile", "readarray", "getopts", "unset") or (name == "printf" and "-v" in call.arguments):
        scene.variables.update(dict.fromkeys(call.arguments))
    elif name in ("export", "declare", "local", "typeset", "readonly"):
        for one in call.arguments:
            key, equals, value = one.partition("=")
            if equals:
                set_variable(scene, key, value)
    _note(name, words, scene)


def _note(name: str, words: list[str], scene: Scene) -> None:
    """Which files a call may have made; some make any."""
    if name in _RUNS_OTHERS:
        name = next((one for one in words if one in _LOOKS), name)
        words = words[2:] if words[:1] in (["exec"], ["run"]) else words[1:]
    if name in _UNPACKS:
        scene.written.add("*")
    elif name in _FETCHES:
        scene.written.add("?")
    if name not in _LOOKS:
        scene.written.update(Path(one).name for one in words if one and UNSEEN not in one)


def _all(script: Script) -> Iterator[Pipeline]:
    """Every pipeline of a script, also within its groups."""
    waiting = list(script)
    while waiting:
        pipeline = waiting.pop()
        yield pipeline
        for one in pipeline:
            if isinstance(one, Group):
                waiting += one.script


def _runs_its_arguments(command: Command | Group) -> bool:
    if isinstance(command, Group) or not command.words:
        return False
    first = command.words[0]
    rest = command.words[1:] if first and isinstance(first[0], Text) and first[0].text in _STARTERS else ()
    return any(isinstance(part, Variable) and part.name in ("@", "*", "1") for word in (first, *rest) for part in word)


def _shows_credentials(call: Call) -> bool:
    if call.name in ("env", "printenv", "set", "export") and not call.arguments:
        return True
    return call.name not in ("echo", "printf", "ls") and any(map(_CREDENTIALS.search, call.arguments))


def _count_settings(script: Script, scene: Scene) -> None:
    """A variable that is set to several things is any of them, whichever branch is taken."""
    found: dict[str, set[Word]] = {}
    waiting = list(script)
    while waiting:
        for one in waiting.pop():
            if isinstance(one, Group):
                waiting += one.script
                if one.variable:
                    scene.variables[one.variable] = None
            elif not one.words:
                for name, word in one.assigned:
                    found.setdefault(name, set()).add(word)
    scene.variables.update({name: None for name, words in found.items() if len(words) > 1})


def _redirected(
    redirects: tuple[Redirect, ...], scene: Scene
) -> tuple[tuple[str, ...], str | None, bool, list[Script]]:
    """The files that are written, what is read where that is known, whether something is, and scripts inside."""
    files: list[str] = []
    text: str | None = None
    reads = False
    inside: list[Script] = []
    for one in redirects:
        inside += [run.script for run in _runs(one.word)]
        target = text_in(one.word, scene)
        if one.sign in ("<<<", "<<", "<<-"):
            text, reads = (None if UNSEEN in target else target), True
        elif one.sign in ("<", "<>"):
            text, reads = read_there(target, scene), True
            files += [target] if one.sign == "<>" else []
        elif one.sign != "<&" and not re.fullmatch(r"[\d-]+|/dev/(?:null|stdout|stderr|tty|fd/\d+)", target):
            files.append(target)
    return tuple(files), text, reads, inside


def _runs(word: Word) -> Iterator[Run]:
    for part in word:
        if isinstance(part, Run):
            yield part
        elif isinstance(part, Variable) and part.default is not None:
            yield from _runs(part.default)
