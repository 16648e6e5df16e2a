"""What a script has set so far, and what its words become with it: variables, folders, what commands print."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tidegate.agent.guard.files import read_bounded
from tidegate.agent.guard.shell.expand import UNSEEN, Outcome, fields_of, text_of
from tidegate.agent.guard.shell.values import Command, Run, Word
from tidegate.agent.guard.values import Call, Place

_SETTERS = frozenset(
    {"brew shellenv", "ssh-agent -s", "ssh-agent", "pyenv init", "pyenv virtualenv-init", "rbenv init", "nodenv init"}
    | {"fnm env", "opam env", "direnv hook", "direnv export", "conda shell.bash", "mise activate", "dircolors -b"}
    | {"starship init", "zoxide init", "luarocks path", "micromamba shell", "nvm use", "dircolors", "lesspipe"}
)
"""What these print sets variables and functions of the shell; it is what their manuals have people evaluate."""
_SHELL_OWN = frozenset(("HOME", "PWD", "OLDPWD", "TMPDIR", "USER", "SHELL"))


class Scene:
    """What the script has set so far. A variable that it sets to more than one thing is None."""

    def __init__(self, place: Place, piped: bool = False) -> None:
        self.place = place
        self.piped = piped
        self.reads: str | None = None
        self.variables: dict[str, str | None] = {}
        self.aliases: dict[str, str] = {}
        self.functions: set[str] = set()
        self.runners: set[str] = set()
        self.leaks = False
        self.written: set[str] = set()
        self.depth = 0


def fields_in(word: Word, scene: Scene) -> list[str]:
    """What a word becomes."""
    return fields_of(word, _known(scene), _outcome(scene), scene.place.home)


def text_in(word: Word, scene: Scene) -> str:
    """A word that is not split, as in an assignment."""
    return text_of(word, _known(scene), _outcome(scene), scene.place.home)


def folder_after(scene: Scene, path: str) -> Path | None:
    """Where `cd` leads to; None where that cannot be seen."""
    if UNSEEN in path or path == "-" or scene.place.away:
        return None
    if path.startswith("/"):
        return Path(path)
    if scene.place.folder is None:
        return None
    return Path(os.path.normpath(scene.place.folder / path))


def set_variable(scene: Scene, name: str, value: str) -> None:
    """What a variable holds from here on; None for one that may hold several things."""
    scene.variables[name] = (
        None if (name in scene.variables and scene.variables[name] != value) or UNSEEN in value else value
    )
    if UNSEEN in value and value.strip(UNSEEN):
        scene.variables[name] = None


def read_there(target: str, scene: Scene) -> str | None:
    """The text of a file that is read from; None where it is not known."""
    if UNSEEN in target or scene.place.folder is None or scene.place.away or Path(target).name in scene.written:
        return None
    try:
        return read_bounded(scene.place.folder / target)
    except OSError:
        return None


def printed(call: Call) -> str | None:
    """What a call writes to its output, where that can be said: echo, printf of plain text, cat of what it is given."""
    arguments = list(call.arguments)
    if any(UNSEEN in one for one in arguments):
        return None
    if call.name == "echo":
        while arguments and re.fullmatch(r"-[neE]+", arguments[0]):
            if "e" in arguments[0] and any("\\" in one for one in arguments):
                return None
            arguments.pop(0)
        return " ".join(arguments) + "\n"
    if call.name == "printf" and arguments:
        if arguments[0] in ("%s", "%s\\n", "%b\\n") and not any("\\" in one for one in arguments[1:]):
            return "\n".join(arguments[1:]) + "\n"
        plain = arguments[0].replace("\\n", "\n")
        return plain if "%" not in plain and "\\" not in plain else None
    if call.name in ("cat", "tee") and not arguments:
        return call.given
    if call.name == "cat" and call.place.folder is not None and not call.place.away:
        try:
            return "".join(read_bounded(call.place.folder / one) or "\0" for one in arguments if one[0] != "-")
        except OSError:
            return None
    return None


# Private


def _known(scene: Scene) -> Mapping[str, str | None]:
    own: dict[str, str | None] = {
        name: value for name, value in scene.place.environment.items() if not scene.place.away and name in _SHELL_OWN
    }
    own["HOME"] = scene.place.home
    own["PWD"] = None if scene.place.folder is None else str(scene.place.folder)
    own.update({"0": scene.place.zero or None, "BASH_SOURCE": scene.place.source or None})
    return {**own, **scene.variables}


def _outcome(scene: Scene) -> Outcome:
    def answer(run: Run) -> str | None:
        firsts = [pipeline[0] for pipeline in run.script if len(pipeline) == 1]
        commands = [one for one in firsts if isinstance(one, Command) and one.words]
        if len(commands) != len(run.script):
            return None
        if len(commands) == 2:
            return _there_and_back(commands[0], commands[1], scene)
        if len(commands) != 1 or commands[0].redirects:
            return None
        fields = [one for word in commands[0].words for one in fields_in(word, scene)]
        if fields[:1] == ["mktemp"]:
            return "/tmp/made.by.mktemp"  # noqa: S108 wherever it is, it was made just now
        if fields[:1] == ["pwd"] and scene.place.folder is not None:
            return str(scene.place.folder)
        if " ".join(fields[:2]).rpartition("/")[2] in _SETTERS and not any(UNSEEN in one for one in fields):
            return ":"
        if fields[:1] in (["dirname"], ["basename"], ["realpath"], ["readlink"]):
            return _of_path(fields, scene)
        if fields == ["git", "rev-parse", "--show-toplevel"] and not scene.place.away:
            return str(scene.place.workspace) if scene.place.folder is not None else None
        return printed(Call(fields[0], tuple(fields[1:]), scene.place)) if fields else None

    return answer


def _there_and_back(first: Command, second: Command, scene: Scene) -> str | None:
    """`cd FOLDER && pwd`: how scripts find where they stand."""
    words = [[one for word in command.words for one in fields_in(word, scene)] for command in (first, second)]
    there = [one for one in words[0][1:] if one not in ("--", "-P", "-L")]
    if words[0][:1] != ["cd"] or words[1][:1] != ["pwd"] or len(there) != 1 or second.redirects:
        return None
    folder = folder_after(scene, there[0])
    return None if folder is None else str(folder)


def _of_path(fields: list[str], scene: Scene) -> str | None:
    words = [one for one in fields[1:] if one not in ("--", "-f", "-e", "-m")]
    if len(words) != 1 or UNSEEN in words[0] or scene.place.away:
        return None
    if fields[0] == "dirname":
        return os.path.dirname(words[0].rstrip("/")) or "."  # noqa: PTH120 as the program does, which pathlib does not
    if fields[0] == "basename":
        return os.path.basename(words[0].rstrip("/"))  # noqa: PTH119
    if scene.place.folder is None or fields[:2] == ["readlink", words[0]]:
        return None
    return os.path.realpath(scene.place.folder / words[0])
