"""The descriptions of HTTP APIs that a change touches, operation by operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tidegate.facts import Place, Severity
from tidegate.verify.contracts.documents import line_of
from tidegate.verify.contracts.openapi.model import Operation, Reader
from tidegate.verify.contracts.openapi.schema import At, Loss, Schemas, Way
from tidegate.verify.contracts.values import (
    BROKEN,
    NARROWED,
    Break,
    Compared,
    Unreadable,
    both_sides,
    for_others,
    quoted,
    shown,
)
from tidegate.verify.values import Subject

_FILES = re.compile(r"\.(ya?ml|json)$")
_ROOT = re.compile(rb"""(?:^|[{,]\s*)["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.""", re.MULTILINE)
_LIKELY = re.compile(r"(^|/)[\w.-]*(openapi|swagger|api)[\w.-]*\.(ya?ml|json)$", re.IGNORECASE)
MOST_ROOTS = 20

Contents: TypeAlias = Mapping[str, dict[str, Any]]
Site: TypeAlias = tuple[str, tuple[str, ...]]
"""How a place is called, and the keys that lead to it."""


def compare_openapi(subject: Subject) -> Compared:
    """What clients of the repository's HTTP APIs lose. Files that a description refers to belong to it."""
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for old, new in _roots(subject):
        try:
            breaks += _compared(subject, old, new)
        except (Unreadable, RecursionError) as error:
            unread[shown(new or old)] = str(error) or "it is nested too deeply"
    return Compared(tuple(breaks), unread)


# Private


def _roots(subject: Subject) -> Iterator[tuple[str, str]]:
    """The descriptions that changed, by their paths on both sides, with those whose parts changed."""
    changed = both_sides(subject, lambda path: bool(_FILES.search(path)) and for_others(path))
    own = set()
    for both in changed:
        if both.before is not None and _ROOT.search(both.before):
            own.add(both.pair.before)
            yield both.pair.before, both.pair.after
    parts = [both.pair.before.rpartition("/")[2].encode() for both in changed if both.pair.before not in own]
    if not parts:
        return
    after = frozenset(subject.trees.after.paths())
    likely = [
        path
        for path in subject.trees.before.paths()
        if _LIKELY.search(path) and path in after - own and for_others(path)
    ]
    for path, content in subject.trees.before.read(likely[:MOST_ROOTS]).items():
        if _ROOT.search(content) and any(part in content for part in parts):
            yield path, path


def _compared(subject: Subject, old: str, new: str) -> Iterator[Break]:
    contract = f"the API of {shown(new or old)}"
    if not new:
        yield Break(contract, "the whole description is gone", Place(shown(old)), BROKEN, "medium", _KEEP)
        return
    before, after = Reader(subject.trees.before, old), Reader(subject.trees.after, new)
    if not {"openapi", "swagger"} & after.root().keys():
        raise Unreadable("its head is no description of an API")
    text = subject.trees.after.read([new]).get(new, b"").decode("utf-8", "replace")
    for loss in _losses(before, after):
        mend = _KEEP if loss.rule == BROKEN else _ALLOW
        place = Place(shown(new), line_of(text, loss.keys))
        yield Break(contract, f"{loss.where} {loss.what}", place, loss.rule, loss.severity, mend)


_KEEP = "Keep the old beside the new and mark it deprecated, or serve the change under a new version of the API."
_ALLOW = "Accept and give what was promised before, or serve the change under a new version of the API."


def _losses(before: Reader, after: Reader) -> Iterator[Loss]:
    olds = list(before.operations())
    news = {(_shape(one.path), one.method): one for one in after.operations()}
    paths = {path for path, _ in news}
    told = set()
    schemas = Schemas(before, after)
    for old in olds:
        new = news.get((_shape(old.path), old.method))
        if new is not None:
            yield from _operation(schemas, old, new)
            continue
        severity: Severity = "low" if old.deprecated else "high"
        if _shape(old.path) not in paths:
            if old.path not in told:
                yield Loss(f"the path `{old.path}`", "is gone", BROKEN, severity, ("paths",))
            told.add(old.path)
        else:
            yield Loss(f"`{old}`", "is gone", BROKEN, severity, ("paths", old.path))


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _operation(schemas: Schemas, old: Operation, new: Operation) -> Iterator[Loss]:
    keys = ("paths", new.path, new.method)
    yield from _parameters(schemas, old, new, keys)
    yield from _bodies(schemas, old, new, keys)
    yield from _responses(schemas, old, new, keys)
    yield from _security(old, new, keys)


def _parameters(schemas: Schemas, old: Operation, new: Operation, keys: tuple[str, ...]) -> Iterator[Loss]:
    for key, parameter in old.parameters.items():
        here = f"the {parameter.place} parameter `{parameter.name}` of `{new}`"
        after = new.parameters.get(key)
        if after is None:
            moved = next((one for one in new.parameters.values() if one.name == parameter.name), None)
            if moved is not None:
                yield Loss(here, f"is a {moved.place} parameter now", BROKEN, "high", (*keys, parameter.name))
            elif parameter.place != "path":
                severity: Severity = "low" if parameter.deprecated or old.deprecated else "medium"
                yield Loss(here, "is gone", BROKEN, severity, keys)
            continue
        if after.required and not parameter.required:
            yield Loss(here, "has to be sent now", NARROWED, "medium", (*keys, "parameters"))
        at = At(keys=(*keys, "parameters"))
        for loss in schemas.compare(parameter.schema, after.schema, "sent", at):
            yield _within(loss, here)
    names = {one.name for one in old.parameters.values()}
    for key, parameter in new.parameters.items():
        if key not in old.parameters and parameter.required and parameter.name not in names and key[0] != "path":
            here = f"the {parameter.place} parameter `{parameter.name}` of `{new}`"
            yield Loss(here, "is new and has to be sent", NARROWED, "medium", (*keys, "parameters"))


def _bodies(schemas: Schemas, old: Operation, new: Operation, keys: tuple[str, ...]) -> Iterator[Loss]:
    here = f"the request of `{new}`"
    if new.body_required and not old.body_required:
        yield Loss(here, "needs a body now", NARROWED, "medium", (*keys, "requestBody"))
    yield from _media(schemas, (old.bodies, new.bodies), "sent", (here, (*keys, "requestBody")))


def _media(schemas: Schemas, sides: tuple[Contents, Contents], way: Way, at: Site) -> Iterator[Loss]:
    old, new = sides
    here, keys = at
    for media, schema in old.items():
        after = new.get(media, new.get("*/*"))
        if after is None:
            verb = "is no longer taken" if way == "sent" else "is no longer given"
            yield Loss(here, f"as `{media}` {verb}", BROKEN, "high", keys)
            continue
        for loss in schemas.compare(schema, after, way, At(keys=keys)):
            yield _within(loss, here)


def _responses(schemas: Schemas, old: Operation, new: Operation, keys: tuple[str, ...]) -> Iterator[Loss]:
    for code, contents in old.responses.items():
        here = f"the response {code} of `{new}`"
        wide = f"{code[:1]}XX"
        after = new.responses.get(code, new.responses.get(wide, new.responses.get("DEFAULT")))
        if after is None:
            severity: Severity = "high" if code.startswith("2") and not old.deprecated else "low"
            yield Loss(here, "is gone", BROKEN, severity, (*keys, "responses"))
        else:
            yield from _media(schemas, (contents, after), "got", (here, (*keys, "responses", code)))


def _security(old: Operation, new: Operation, keys: tuple[str, ...]) -> Iterator[Loss]:
    """A way in that no longer is enough. Where the base let everybody in, every need is new."""
    if not new.security or any(not way for way in new.security):
        return
    for way in old.security or (frozenset[str](),):
        if not any(need <= way for need in new.security):
            least = min(new.security, key=lambda need: len(need - way))
            asks = quoted(sorted(least - way))
            yield Loss(f"`{new}`", f"asks for {asks} now", NARROWED, "medium", (*keys, "security"))
            return


def _within(loss: Loss, here: str) -> Loss:
    where = f"`{loss.where}` in {here}" if loss.where else here
    return Loss(where, loss.what, loss.rule, loss.severity, loss.keys)
