"""Programs that run other programs: what is behind them is judged as if it stood there alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.agent.guard.tools.shapes import SHAPES, Shape, shape_of
from tidegate.agent.guard.tools.verbs import is_dangerous
from tidegate.agent.guard.values import Call, Inner, Said, Tool, unseen

_SETTING = r"set -- [^;&|<>()`\n]*|[\w\0]+=(?:\"[^\"`$]*\"|[^\s;&|<>()`\"$]*)"
_ASSIGNS = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

_FETCHERS = frozenset(("npx", "bunx", "pnpx", "uvx", "pipx"))
_TEXT_FLAG: Mapping[str, tuple[str, ...]] = {
    "su": ("-c", "--command"),
    "runuser": ("-c", "--command"),
    "script": ("-c", "--command"),
    "flock": ("-c", "--command"),
    "env": ("-S", "--split-string"),
    "npx": ("-c", "--call"),
    "nix-shell": ("--run", "--command"),
    "nix": ("--run",),
    "vagrant": ("-c", "--command"),
    "hyperfine": ("--prepare", "-p", "--setup", "-s", "--cleanup", "-c"),
}


def judge(call: Call) -> Iterator[Said]:
    """What the wrapper runs."""
    flags = _TEXT_FLAG.get(call.name, ())
    for text in _texts(call.arguments, flags):
        yield Inner(script=text)
    shape = SHAPES.get(call.name)
    if shape is None:
        return
    words, assigned = _behind(call.arguments, shape)
    if not words:
        if call.name in ("sudo", "doas") and call.has("-i", "-s", "-v", "--login", "--shell") and call.piped:
            yield call.concern("unseen-script", "a shell of root reads what nobody sees", "name the command")
        return
    if call.name in _FETCHERS:
        words[0] = without_version(words[0])
    if call.name == "hatch" and words[0].startswith("+"):
        words = words[1:]  # it chooses among environments
    if not words:
        return
    if call.name == "hatch" and ":" in words[0] and "/" not in words[0]:
        yield from _task(call, words[0])
    elif shape.joined:
        yield from _joined(call, words)
    elif call.name == "xargs":
        yield Inner((*words, "\0"), assigned=assigned)
    else:
        yield Inner(tuple(words), piped=call.piped, assigned=assigned)


def without_version(program: str) -> str:
    """`playwright@1.2` and `ruff==0.4` name the program in front, whatever version that is."""
    return re.sub(r"(?<=.)(?:@|==).*", "", program, flags=re.DOTALL)


def judge_command(call: Call) -> Iterator[Said]:
    """`command -v x` only asks."""
    if call.arguments and re.fullmatch(r"-[vVp]*[vV][vVp]*", call.arguments[0]):
        return
    words = list(call.arguments)
    while words and words[0].startswith("-"):
        words.pop(0)
    if words:
        yield Inner(tuple(words), piped=call.piped)


def judge_words(call: Call) -> Iterator[Said]:
    """`eval` joins its words to a script; what is unseen in it could be anything."""
    text = " ".join(one for one in call.arguments if one != "--")
    if unseen(text):
        if not call.place.typed and re.fullmatch(_SETTING, text):
            return  # the wrappers of Gradle and Maven put the arguments of java together so
        yield call.concern("unseen-script", "it runs text that only the run would show", "write the command out")
    else:
        yield Inner(script=text)


def judge_each(call: Call) -> Iterator[Said]:
    """`fd -x program`, `hyperfine 'script'`, `watchexec program`: what they run, once or again and again."""
    words = list(call.arguments)
    if call.name in ("fd", "fdfind"):
        place = next((at for at, one in enumerate(words) if one in ("-x", "-X", "--exec", "--exec-batch")), None)
        if place is not None:
            behind = words[place + 1 :]
            named = any("{" in one for one in behind)
            yield Inner(tuple("\0" if "{" in one else one for one in behind) if named else (*behind, "\0"))
        return
    for one in words:
        if " " in one:
            yield Inner(script=one)
    if call.name != "hyperfine":
        behind, _ = _behind(call.arguments, shape_of("-w -e -d -f -i --watch --exts --filter --ignore --debounce"))
        if behind and " " not in behind[0]:
            yield Inner(tuple(behind))


def judge_trap(call: Call) -> Iterator[Said]:
    """`trap 'script' SIGNAL`."""
    words = [one for one in call.arguments if one not in ("-p", "-l", "--", "-")]
    if len(words) > 1:
        yield Inner(script=words[0])


def judge_terminal(call: Call) -> Iterator[Said]:
    """`tmux new -d 'script'`, `screen -dm program`: anything that looks like more than a name is judged."""
    if call.name == "screen":
        shape = shape_of("-S -c -e -h -p -s -t -T -L")
        words, _ = _behind(call.arguments, shape)
        if words:
            yield Inner(tuple(words))
        return
    verbs: tuple[str, ...] = (
        "new",
        "new-session",
        "neww",
        "new-window",
        "splitw",
        "split-window",
        "send",
        "send-keys",
        "respawn-pane",
    )
    verbs += ("run", "run-shell", "if-shell", "respawn-window", "popup", "display-popup", "pipe-pane", "respawnp")
    words = list(call.arguments)
    place = next((at for at, one in enumerate(words) if one in verbs), None)
    if place is None:
        return
    rest, _ = _behind(tuple(words[place + 1 :]), shape_of("-s -n -t -c -F -x -y -e -l"))
    rest = [one for one in rest if one not in ("Enter", "C-m", "C-c")]
    if rest and words[place].startswith("send"):
        yield Inner(script="\n".join(rest))
    elif rest:
        yield Inner(script=rest[0]) if len(rest) == 1 else Inner(tuple(rest))


def judge_later(call: Call) -> Iterator[Said]:
    """`at now`, `batch`, `crontab -`: the script is what they are given."""
    if call.name == "crontab":
        if call.has("-l"):
            return
        yield call.concern("schedule", "it changes what this machine runs by itself", "edit it with its owner")
        return
    if call.given is not None:
        yield Inner(script=call.given)
    elif not call.has("-l", "-c"):
        yield call.concern("unseen-script", "it runs later what nobody sees now", "run it now, by its name")


# Private


def _task(call: Call, name: str) -> Iterator[Said]:
    if is_dangerous((name,)):
        yield call.concern(
            "unseen-script", "what the task does is not read, and its name says that it is grave", "run what it runs"
        )


def _texts(arguments: tuple[str, ...], flags: tuple[str, ...]) -> Iterator[str]:
    for place, one in enumerate(arguments):
        for flag in flags:
            if one == flag and place + 1 < len(arguments):
                yield arguments[place + 1]
            elif flag.startswith("--") and one.startswith(f"{flag}="):
                yield one.partition("=")[2]
            elif len(flag) == 2 and re.fullmatch(rf"-[a-zA-Z]*{flag[1]}", one) and one != flag:
                yield from arguments[place + 1 : place + 2]
            elif len(flag) == 2 and one.startswith(flag) and one != flag and flag == "-S":
                yield one[2:]


def _behind(arguments: tuple[str, ...], shape: Shape) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    words = list(arguments)
    if shape.after:
        place = next((at for at, one in enumerate(words) if one in shape.after), None)
        if place is None:
            return [], ()
        words = words[place + 1 :]
    assigned: list[tuple[str, str]] = []
    skip = shape.skip
    while words:
        one = words[0]
        if one == "--":
            words.pop(0)
            if not skip:
                break
        elif one.startswith("-") and len(one) > 1:
            words.pop(0)
            if one in shape.valued and words:
                words.pop(0)
        elif skip:
            skip -= 1
            words.pop(0)
        else:
            found = _ASSIGNS.fullmatch(one) if shape.assigns else None
            if found is None:
                break
            assigned.append((found[1], found[2]))
            words.pop(0)
    if words and words[0] == "--":
        words.pop(0)
    return words, tuple(assigned)


def _joined(call: Call, words: list[str]) -> Iterator[Said]:
    if call.name == "parallel":
        marks = (":::", "::::", ":::+", "::::+")
        place = next((at for at, one in enumerate(words) if one in marks), len(words))
        inputs = [one for one in words[place:] if one not in marks]
        words = words[:place]
        if not words:
            for one in inputs:
                yield Inner(script=one)
            return
        yield Inner(script=" ".join([*words, *(inputs or ["'{}'"])]))
        return
    yield Inner(script=" ".join(words))


TOOL = Tool(frozenset(SHAPES) | {"su", "script", "nix-shell", "vagrant"}, judge)
EACH = Tool(frozenset(("fd", "fdfind", "hyperfine", "watchexec", "entr")), judge_each)
COMMAND = Tool(frozenset(("command",)), judge_command)
WORDS = Tool(frozenset(("eval",)), judge_words)
TRAP = Tool(frozenset(("trap",)), judge_trap)
TERMINAL = Tool(frozenset(("tmux", "screen")), judge_terminal)
LATER = Tool(frozenset(("at", "batch", "crontab")), judge_later)
