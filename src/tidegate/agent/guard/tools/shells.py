"""Shells and interpreters: what they run is read, from their arguments, a pipe, or a file of the workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.files import read_script
from tidegate.agent.guard.values import Call, Inner, Said, Tool, unseen

_SHELLS = frozenset(("sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "fish", "rbash"))
_VALUED = frozenset(("-o", "+o", "-O", "+O", "--rcfile", "--init-file"))
_WRITE_OUT = "write the command out, or put it into a file of the workspace"
_CODE_FLAGS = {
    "python": ("-c",),
    "node": ("-e", "--eval", "-p", "--print", "-pe", "-ep"),
    "deno": ("eval",),
    "bun": ("-e", "--eval", "-p", "--print"),
    "perl": ("-e", "-E"),
    "ruby": ("-e",),
    "php": ("-r",),
    "lua": ("-e",),
    "osascript": ("-e",),
    "Rscript": ("-e",),
    "julia": ("-e", "-E"),
    "pwsh": ("-c", "-Command", "-command"),
    "powershell": ("-c", "-Command", "-command"),
    "elixir": ("-e",),
    "groovy": ("-e",),
}
_VALUED_CODE = frozenset(("-W", "-X", "-r", "--require", "-I", "-C", "--import", "-M", "--loader", "-d", "-F", "-x"))


def judge_shell(call: Call) -> Iterator[Said]:
    """`sh -c text`, `bash -lc text`, `bash file`, and a shell that reads what is piped to it."""
    words = list(call.arguments)
    asked = reads = False
    while words and words[0][:1] in "-+" and len(words[0]) > 1:
        one = words.pop(0)
        if one in ("--version", "--help", "-n"):
            return
        if one == "--":
            break
        if one in _VALUED and words:
            words.pop(0)
        elif not one.startswith("--"):
            asked = asked or "c" in one[1:]
            reads = reads or "s" in one[1:]
            if one[-1] in "oO" and len(one) > 2 and words:
                words.pop(0)
    if asked:
        if not words or (unseen(words[0]) and not words[0].replace("\0", "").strip()):
            if words and call.place.away and not call.place.typed:
                return
            yield call.concern("unseen-script", "the script is only known when it runs", _WRITE_OUT)
        else:
            yield Inner(script=words[0])
    elif words and words[0] not in ("-", "/dev/stdin") and not reads:
        yield from read_script(call, words[0], arguments=tuple(words[1:]))
    elif call.given is not None:
        yield Inner(script=call.given)
    else:
        yield call.concern("unseen-script", "a shell would read commands that nobody sees", _WRITE_OUT)


def judge_source(call: Call) -> Iterator[Said]:
    """`. file`."""
    if not call.arguments:
        return
    path = call.arguments[0]
    if path == "/dev/stdin" and call.given is not None:
        yield Inner(script=call.given)
    elif re.search(r"(^|/)(bin/activate|\.venv/.*activate|nvm\.sh|\.bashrc|\.profile|\.cargo/env)$", path):
        return
    else:
        yield from read_script(call, path, sourced=True)


def judge_code(call: Call) -> Iterator[Said]:
    """`python -c code`, `node -e code`, `perl -e code`, and files in these languages."""
    family = re.sub(r"[\d.]+$", "", call.name) or call.name
    family = {"pypy": "python", "py": "python", "nodejs": "node", "luajit": "lua"}.get(family, family)
    flags = _CODE_FLAGS.get(family, ("-e",))
    words = list(call.arguments)
    while words:
        one = words.pop(0)
        letters = re.fullmatch(r"-[a-zA-Z0-9]*([ceErn])", one)
        if one in flags or (letters and f"-{letters[1]}" in flags and letters[1] != "n"):
            if words:
                yield Inner(script=words[0], code=family)
            return
        for flag in flags:
            if one.startswith(f"{flag}=") or (len(flag) == 2 and len(one) > 2 and one.startswith(flag)):
                yield Inner(script=one[len(flag) :].removeprefix("="), code=family)
                return
        if one == "-m" and family == "python":
            yield from _module(words, call)
            return
        if one in _VALUED_CODE:
            words = words[1:]
        elif not one.startswith("-") or one == "-":
            yield from _file(call, one, family)
            return
        elif one in ("--version", "-V", "-v", "--help", "-h", "--check", "--test"):
            return
    if call.given is not None:
        yield Inner(script=call.given, code=family)
    elif call.piped:
        yield call.concern("unseen-script", f"{call.name} would run what nobody sees", _WRITE_OUT)


def judge_awk(call: Call) -> Iterator[Said]:
    """A program of awk that starts others."""
    for one in call.arguments:
        for text in re.findall(r'system\s*\(\s*"((?:[^"\\]|\\.)*)"', one):
            yield Inner(script=text.replace('\\"', '"'))
        if re.search(r'system\s*\(\s*[^"\s]|\|\s*"?(?:ba|z)?sh\b|\|\s*getline', one):
            yield call.concern("unseen-script", "its program starts others", _WRITE_OUT)


def judge_editor(call: Call) -> Iterator[Said]:
    """`vim -c '!command'`."""
    for one in call.arguments:
        bang = re.match(r"\+?:?(?:silent\s+)?(?:%|\.|r\s*)?!(.*)", one)
        if bang:
            yield Inner(script=bang[1])
        elif re.search(r"system\(|shell-command|termopen|call-process", one):
            yield call.concern("unseen-script", "it has the editor start programs", _WRITE_OUT)


def judge_busybox(call: Call) -> Iterator[Said]:
    """`busybox sh -c ...`."""
    if call.arguments and not call.arguments[0].startswith("-"):
        yield Inner(call.arguments, piped=call.piped)


# Private


def _module(words: list[str], call: Call) -> Iterator[Said]:
    if words and words[0] in ("twine", "pip", "build", "poetry", "hatch", "flit", "ansible", "awscli", "uv", "alembic"):
        name = {"awscli": "aws"}.get(words[0], words[0])
        yield Inner((name, *words[1:]), piped=call.piped)


def _file(call: Call, path: str, family: str) -> Iterator[Said]:
    if path in ("-", "/dev/stdin"):
        if call.given is not None:
            yield Inner(script=call.given, code=family)
        else:
            yield call.concern("unseen-script", f"{call.name} would run what nobody sees", _WRITE_OUT)
    elif family == "deno" and path == "run" and any("://" in one for one in call.arguments):
        yield call.concern("unseen-script", "it runs code that it fetches", _WRITE_OUT)
    elif family in ("deno", "bun") and "." not in path:
        return
    elif path.endswith("setup.py") and {"upload", "register"} & set(call.arguments):
        yield call.concern("publish", "it publishes, and what is published cannot be taken back", "build it only")
    else:
        yield from read_script(call, path, family)


SHELL = Tool(_SHELLS, judge_shell)
SOURCE = Tool(frozenset(("source", ".")), judge_source)
CODE = Tool(
    frozenset(
        (
            *("python", "python2", "python3", "pypy", "pypy3", "py", "node", "nodejs", "deno", "bun", "perl", "ruby"),
            *("php", "lua", "luajit", "osascript", "Rscript", "julia", "pwsh", "powershell", "elixir", "groovy"),
            *("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "perl5", "tclsh"),
        )
    ),
    judge_code,
)
AWK = Tool(frozenset(("awk", "gawk", "mawk", "nawk")), judge_awk)
EDITOR = Tool(frozenset(("vim", "vi", "nvim", "ex", "emacs", "view", "vimdiff", "ed")), judge_editor)
BUSYBOX = Tool(frozenset(("busybox", "toybox")), judge_busybox)
