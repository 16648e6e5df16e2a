"""How images are built: whose base, which user, what is fetched, what is written into them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Certainty, EffectCode, Place, Severity
from tidegate.infra.kubernetes.rules.images import image_of
from tidegate.infra.pipelines.shell import fetched_and_run, site_of
from tidegate.infra.pipelines.supply import images_judged, major_of
from tidegate.infra.pipelines.texts import Text, read_both
from tidegate.infra.values import Draft, Found

ADMIN_PORTS: Mapping[int, str] = {
    22: "SSH", 23: "telnet", 2375: "Docker without TLS", 2376: "Docker", 3389: "RDP", 5005: "the Java debugger",
    5900: "VNC", 9229: "the Node debugger", 10250: "kubelet",
}  # fmt: skip


class Instruction(Struct, frozen=True):
    """One instruction with its arguments on one line."""

    word: str
    rest: str
    line: int


class Stage(Struct, frozen=True):
    """One stage of a build: what it starts from and what it does."""

    name: str
    image: str
    line: int
    instructions: tuple[Instruction, ...]

    def last(self, word: str) -> Instruction | None:
        """The instruction of this kind that counts."""
        return next((one for one in reversed(self.instructions) if one.word == word), None)

    def all(self, word: str) -> Iterator[Instruction]:
        return (one for one in self.instructions if one.word == word)


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed files of image builds come to. A file that goes builds nothing any more, which runs on."""
    drafts: list[Draft] = []
    files: set[str] = set()
    for both in read_both(trees, pairs):
        files |= {text.path for text in (both.before, both.after) if text}
        if both.after is not None:
            drafts += _compared(both.before, both.after)
    return Found(drafts=tuple(drafts), files=tuple(sorted(files)))


def stages_of(text: str) -> tuple[Stage, ...]:
    """The stages of a build, in order; arguments before the first FROM are put into image names."""
    known: dict[str, str] = {}
    stages: list[Stage] = []
    head: tuple[str, str, int] | None = None
    found: list[Instruction] = []
    for one in instructions(text):
        if one.word == "FROM":
            if head:
                stages.append(Stage(*head, tuple(found)))
            words = [word for word in _put_in(one.rest, known).split() if not word.startswith("--")]
            name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else str(len(stages))
            head, found = (name, words[0] if words else "", one.line), []
        elif head is None:
            if one.word == "ARG":
                key, _, value = one.rest.partition("=")
                known[key.strip()] = value.strip().strip("\"'")
        else:
            found.append(one)
    return (*stages, Stage(*head, tuple(found))) if head else tuple(stages)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a file; continued lines are joined, here-documents belong to their instruction."""
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        start = place
        line = lines[place].strip()
        place += 1
        if not line or line.startswith("#"):
            continue
        parts = []
        while line.endswith("\\") and place < len(lines):
            parts.append(line[:-1])
            line = lines[place].strip()
            place += 1
            while (not line or line.startswith("#")) and place < len(lines):
                line = lines[place].strip()
                place += 1
        parts.append(line)
        whole = " ".join(parts)
        word, _, rest = whole.partition(" ")
        for mark in re.findall(r"<<-?[\"']?(\w+)", rest) if word.upper() in ("RUN", "COPY", "ADD") else ():
            while place < len(lines) and lines[place].strip() != mark:
                rest += "\n" + lines[place]
                place += 1
            place += 1
        yield Instruction(word.upper(), rest.strip(), start + 1)


# Private

_SECRET = re.compile(
    r"(?i)(?:^|_)(password|passwd|secret|secret_key(?:_base)?|token|api_?key|private_?key|access_?key(?:_id)?|credentials?)$"
)
_PLACEHOLDER = re.compile(
    r"(?i)^$|^\$|^(none|null|false|true|test|x+|\d|<.*>)$|dummy|placeholder|change-?_?me|example|build|insecure|fake|your"
)
_ROOT = ("root", "0")


def _compared(before: Text | None, after: Text) -> Iterator[Draft]:
    new = stages_of(after.words)
    if not new:
        return
    old = stages_of(before.words) if before else ()
    fetched = {site_of(part) for stage in old for one in stage.all("RUN") for part in fetched_and_run(one.rest)}
    added = {one.rest for stage in old for one in stage.all("ADD")}
    secrets = {name for stage in old for name, _ in _secrets(stage)}
    for stage in new:
        for one in stage.all("RUN"):
            for part in fetched_and_run(one.rest) if before else ():
                if site_of(part) not in fetched:
                    text = f"RUN `{part[:140]}` runs what it fetches, unseen: pin a version and its hash."
                    yield _said("SUPPLY_CHAIN", "low", after, one.line, text, "pin it")
        for one in stage.all("ADD"):
            if re.search(r"https?://", one.rest) and "--checksum" not in one.rest and one.rest not in added and before:
                text = f"ADD {one.rest[:140]} puts into the image whatever is served there: give it --checksum."
                yield _said("SUPPLY_CHAIN", "low", after, one.line, text, "give it a checksum")
        for name, line in _secrets(stage):
            if name not in secrets:
                text = (
                    f"{name} is written into the image with its value: whoever has the image can read it."
                    " Use a build secret or set it at start."
                )
                yield _said("SECRET_CHANGE", "medium", after, line, text, "take it out and change the secret")
    if old:
        yield from _bases(after, old, new)
        yield from _final(after, old, new)


def _bases(after: Text, old: Sequence[Stage], new: Sequence[Stage]) -> Iterator[Draft]:
    names = {stage.name for stage in (*old, *new)}
    was = {stage.name: stage.image for stage in old}
    if len(old) == len(new):
        was |= {stage.name: one.image for stage, one in zip(new, old, strict=True) if stage.name not in was}
    had = {stage.image for stage in old}
    for place, stage in enumerate(new):
        image = was.get(stage.name)
        if image is None or image == stage.image or stage.image in had or stage.image.lower() in names:
            continue
        if image.lower() in names or "scratch" in (image, stage.image):
            continue
        last = place == len(new) - 1
        for draft in images_judged("FROM", image, stage.image):
            severity: Severity = draft.severity if last else "low"
            yield _said(draft.code, severity, after, stage.line, draft.reason, draft.back)
        one, other = image_of(image), image_of(stage.image)
        if one is None or other is None or one.name != other.name:
            continue
        versions = major_of(one.tag), major_of(other.tag)
        if last and None not in versions and versions[0] != versions[1]:
            text = f"FROM {image} -> {stage.image}: another major version of what everything in the image runs on."
            yield _said("SUPPLY_CHAIN", "low", after, stage.line, text, "take the line back", "possible")


def _final(after: Text, old: Sequence[Stage], new: Sequence[Stage]) -> Iterator[Draft]:
    """What the image that comes out is: the last stage, with what it has from stages that it starts from."""
    was, now = old[-1], new[-1]
    user, next_user = _last(old, was, "USER"), _last(new, now, "USER")
    before, then = _user(user), _user(next_user)
    rooted = then in _ROOT or (not then and (image_of(was.image) == image_of(now.image) or not _rootless(now.image)))
    if before and before not in _ROOT and not before.startswith("$") and rooted:
        line = next_user.line if next_user else now.line
        text = (
            f"USER {before} -> {then or 'nothing'}: the container runs as root"
            f"{'' if then else ' unless its base says otherwise'}; who breaks out of the program has its rights."
        )
        yield _said("PRIV_ESC", "medium", after, line, text, "keep the user", "likely" if then else "possible")
    ports = {port for one in _through(old, was, "EXPOSE") for port in _ports(one)}
    for one in _through(new, now, "EXPOSE"):
        for port in sorted(_ports(one) - ports):
            if port in ADMIN_PORTS:
                text = f"EXPOSE {port} offers {ADMIN_PORTS[port]} of the container to its network."
                yield _said("NET_EXPOSE", "low", after, one.line, text, "take it out", "possible")
    health, next_health = _last(old, was, "HEALTHCHECK"), _last(new, now, "HEALTHCHECK")
    if health and health.rest.upper() != "NONE" and (next_health is None or next_health.rest.upper() == "NONE"):
        text = "HEALTHCHECK is removed: a container that hangs still counts as healthy and is not restarted."
        yield _said("OBSERV_DOWN", "low", after, next_health.line if next_health else now.line, text, "put it back")
    for word in ("ENTRYPOINT", "CMD"):
        had, has = _last(old, was, word), _last(new, now, word)
        if had and has and _program(had.rest) != _program(has.rest):
            text = f"{word} {had.rest[:70]} -> {has.rest[:70]}: another program starts in the container."
            yield _said("RESTART", "low", after, has.line, text, "take the line back", "possible")


def _through(stages: Sequence[Stage], stage: Stage, word: str) -> Iterator[Instruction]:
    """The instructions of one kind that an image has, of its own and of the stages that it starts from."""
    known = {one.name: one for one in stages}
    seen: set[str] = set()
    at: Stage | None = stage
    while at is not None and at.name not in seen:
        seen.add(at.name)
        yield from reversed(list(at.all(word)))
        at = known.get(at.image.lower())


def _last(stages: Sequence[Stage], stage: Stage, word: str) -> Instruction | None:
    return next(_through(stages, stage, word), None)


def _user(one: Instruction | None) -> str:
    return one.rest.partition(":")[0].strip().strip("\"'") if one else ""


def _rootless(image: str) -> bool:
    return bool(re.search(r"(?i)nonroot|rootless|unprivileged|chainguard|distroless.*:nonroot", image))


def _ports(one: Instruction) -> set[int]:
    return {int(word) for word in re.findall(r"\b(\d{2,5})(?:/\w+)?", one.rest)}


def _program(rest: str) -> tuple[str, ...]:
    """What is started, however it is written; the interpreter and its flags are not the program."""
    text = rest.strip()
    if text.startswith("["):
        words = re.findall(r"\"((?:[^\"\\]|\\.)*)\"", text)
    else:
        try:
            words = shlex.split(text)
        except ValueError:
            words = text.split()
    named = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
    return tuple(
        word for word in named if word not in ("sh", "bash", "exec", "tini", "dumb-init", "env", "python3", "python")
    )[:1]


def _secrets(stage: Stage) -> Iterator[tuple[str, int]]:
    for word in ("ENV", "ARG"):
        for one in stage.all(word):
            text = one.rest
            if word == "ENV" and "=" not in text.split(" ", 1)[0]:
                text = text.replace(" ", "=", 1)
            for name, quoted, plain in re.findall(r"(\w+)=(?:[\"']([^\"']*)[\"']|(\S*))", text[:20_000]):
                if _SECRET.search(name) and not _PLACEHOLDER.match(quoted or plain):
                    yield name, one.line


def _put_in(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return known.get(found[1]) or found[2] or found[0]

    return re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", value, text)


def _said(
    code: EffectCode, severity: Severity, text: Text, line: int, reason: str, back: str, certainty: Certainty = "likely"
) -> Draft:
    return Draft(
        code,
        severity,
        f"image {text.path}",
        reason,
        True,
        back,
        certainty=certainty,
        place=Place(text.path, line, line),
    )
