"""Which names mean one service. Every rule is stated, and one that guesses says so.

1. same: the same text. 2. spelling: the same letters and digits; case and separators aside (cart-service, CartService).
3. host: a name that settings give it in a network, or its DNS name in a cluster (payments.shop.svc.cluster.local:80).
4. namespace: the part behind the last slash (shop/payments).
Guesses, only where exactly one service fits, and never to make one of two that the same source tells apart:
5. ending: without words that many names end in (payments-svc, payments-prod), the hashes of a pod, and words that begin
every name of its source. 6. system: the database system that a caller names (postgresql/orders).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.operate.environment.values import Name, SourceKind

Rule: TypeAlias = Literal["same", "spelling", "host", "namespace", "ending", "system"]
ORDER: tuple[SourceKind, ...] = ("code", "state", "plan", "deployments", "spans", "targets", "rules", "alerts")
"""The first source that knows a service names it."""
LEAST_COMMON = 3
"""Names of a source that must begin alike before what they begin with says nothing."""


class Use(Struct, frozen=True, kw_only=True, order=True):
    """A name as a source uses it. `weak`: it makes no service by itself (a peer, a package, a word of a rule)."""

    name: str
    source: SourceKind
    hosts: tuple[str, ...] = ()
    weak: bool = False


class Joined(Struct, frozen=True):
    """`names` are those of each service by its name; `of` is the service of each (source, name); `unclear` says which
    names fit several, in words."""

    names: Mapping[str, tuple[Name, ...]]
    of: Mapping[tuple[SourceKind, str], str]
    guesses: Mapping[tuple[SourceKind, str], str]
    unclear: tuple[str, ...]


def join_names(uses: Iterable[Use]) -> Joined:
    """The services that these names mean."""
    ordered = sorted(set(uses), key=lambda use: (ORDER.index(use.source), use.weak, use.name, use.hosts))
    book = _Book()
    common = _common(ordered)
    for use in ordered:
        book.add_surely(use)
    book.guess_all(common)
    return book.answer()


def plain(name: str) -> str:
    """Its letters and digits, in small."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


# Private

_CLUSTER = re.compile(r"^([a-z0-9-]+)\.[a-z0-9-]+(?:\.svc(?:\.[a-z0-9.-]+)?|\.pod\.[a-z0-9.-]+)$", re.IGNORECASE)
_NEAR = re.compile(r"^([a-z0-9-]+)\.(?:local|internal|default|service\.consul|flycast)$", re.IGNORECASE)
_PORT = re.compile(r":\d{1,5}$")
_POD = re.compile(r"-[0-9a-f]{8,10}-[a-z0-9]{5}$|-[0-9]{1,3}$")
_ENDINGS = frozenset(
    "svc service srv server app api deployment deploy prod production prd staging stage stg dev development test canary"
    " primary stable blue green latest metrics monitor lambda function fn task container pod".split()
)
_GLUED = ("microservice", "service", "svc")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_Key: TypeAlias = tuple[SourceKind, str]
_Part: TypeAlias = tuple[SourceKind, bool]


class _Group:
    def __init__(self, use: Use) -> None:
        self.uses = [use]
        self.rules: list[tuple[Use, Rule]] = [(use, "same")]
        self.into: int | None = None
        self.guess: Rule | None = None
        self.taken: frozenset[SourceKind] = frozenset()

    @property
    def sources(self) -> frozenset[SourceKind]:
        """Those that tell it from others."""
        return self.taken | {use.source for use in self.uses if not use.weak}


class _Book:
    """The services so far, found by every name that they are known by."""

    def __init__(self) -> None:
        self.groups: dict[int, _Group] = {}
        self._by: dict[tuple[str, str], dict[int, None]] = {}
        self._unclear: dict[str, None] = {}

    def add_surely(self, use: Use) -> None:
        """To the one service that a rule which does not guess finds, else to a new one."""
        for rule, keys in _sure_keys(use):
            found = dict.fromkeys(number for key in keys for number in self._by.get(key, ()))
            found = self._narrowed(found, use)
            if len(found) == 1:
                number = next(iter(found))
                self.groups[number].uses.append(use)
                self.groups[number].rules.append((use, rule))
                self._note(number, use)
                return
            if len(found) > 1:
                self._unclear[self._several(use, found)] = None
                break
        number = len(self.groups)
        self.groups[number] = _Group(use)
        self._note(number, use)

    def guess_all(self, common: Mapping[_Part, str]) -> None:
        """Joins each service to the one earlier that its name may mean, where no source tells the two apart."""
        by_core: dict[str, dict[int, None]] = {}
        for number, group in self.groups.items():
            if group.uses[0].source != "code" or group.uses[0].weak:  # what code names, others are compared with
                self._guess(number, by_core, common)
            if group.into is None:
                for use in group.uses:
                    by_core.setdefault(_core(use.name, common.get((use.source, use.weak), "")), {})[number] = None
        self._forget_doubled()

    def _forget_doubled(self) -> None:
        """Two packages that would be one service are none of them."""
        taken: dict[int, list[_Group]] = {}
        for group in self.groups.values():
            if group.into is not None and group.guess == "ending" and group.uses[0].source == "code":
                taken.setdefault(group.into, []).append(group)
        for groups in taken.values():
            if len(groups) > 1:
                for group in groups:
                    group.into = group.guess = None

    def _guess(self, number: int, by_core: Mapping[str, Mapping[int, None]], common: Mapping[_Part, str]) -> None:
        group = self.groups[number]
        use = group.uses[0]
        wanted, rule = _guessed(use, common.get((use.source, use.weak), ""))
        mine = group.sources
        found = [other for other in by_core.get(wanted, ()) if wanted and not mine & self.groups[other].sources]
        exact = [other for other in found if any(plain(each.name) == wanted for each in self.groups[other].uses)]
        found = exact if len(exact) == 1 else found
        if len(found) == 1:
            group.into, group.guess = found[0], rule
            self.groups[found[0]].taken |= mine
        elif found:
            self._unclear[self._several(use, found)] = None

    def answer(self) -> Joined:
        names: dict[str, list[Name]] = {}
        of: dict[_Key, str] = {}
        guesses: dict[_Key, str] = {}
        for group in self.groups.values():
            root = self.groups[group.into] if group.into is not None else group
            service = root.uses[0].name
            for use, rule in group.rules:
                is_guess = group.guess is not None
                how = group.guess or rule
                of[use.source, use.name] = service
                if is_guess:
                    guesses[use.source, use.name] = f"{use.name} is taken for {service} ({how})"
                names.setdefault(service, []).append(Name(name=use.name, source=use.source, rule=how, guess=is_guess))
        unique = {service: tuple(dict.fromkeys(found)) for service, found in names.items()}
        return Joined(unique, of, guesses, tuple(self._unclear))

    # Private

    def _note(self, number: int, use: Use) -> None:
        for _, keys in _own_keys(use):
            for key in keys:
                self._by.setdefault(key, {})[number] = None

    def _narrowed(self, found: dict[int, None], use: Use) -> dict[int, None]:
        """Of several that fit, the one of the very same text; and what one source tells apart stays apart."""
        same = {n: None for n in found if any(each.name == use.name for each in self.groups[n].uses)}
        if len(same) == 1:
            return same
        strong = {n: None for n in found if any(not each.weak for each in self.groups[n].uses)}
        return strong or found

    def _several(self, use: Use, found: Iterable[int]) -> str:
        names = ", ".join(self.groups[n].uses[0].name for n in found)
        return f"{use.name} ({use.source}) may be any of {names}: it is kept apart"


def _sure_keys(use: Use) -> list[tuple[Rule, tuple[tuple[str, str], ...]]]:
    """What is looked for, rule by rule."""
    bare = _PORT.sub("", use.name.strip())
    hosted = _CLUSTER.match(bare) or _NEAR.match(bare)
    keys: list[tuple[Rule, tuple[tuple[str, str], ...]]] = [
        ("same", (("text", use.name),)),
        ("spelling", (("plain", plain(use.name)),) if plain(use.name) else ()),
        ("host", tuple(("host", host) for host in (bare.lower(), hosted[1].lower() if hosted else "") if host)),
        ("host", (("plain", plain(hosted[1] if hosted else bare)),) if hosted or bare != use.name else ()),
    ]
    if "/" in bare and not use.weak:
        keys.append(("namespace", (("plain", plain(bare.rpartition("/")[2])),)))
    return keys


def _own_keys(use: Use) -> list[tuple[Rule, tuple[tuple[str, str], ...]]]:
    """What it is found by."""
    base = use.name.partition(" (")[0]
    keys: list[tuple[Rule, tuple[tuple[str, str], ...]]] = [
        ("same", (("text", use.name), ("text", base))),
        ("spelling", (("plain", plain(base)),) if plain(base) else ()),
        ("host", tuple(("host", host.lower()) for host in use.hosts)),
    ]
    if "/" in base and not use.weak:
        keys.append(("namespace", (("plain", plain(base.rpartition("/")[2])),)))
    return keys


def _guessed(use: Use, common: str) -> tuple[str, Rule]:
    if use.weak and "/" in use.name:
        return plain(use.name.partition("/")[0]), "system"
    return _core(use.name, common), "ending"


def _core(name: str, common: str) -> str:
    """The name without what says nothing of which service it is."""
    text = _PORT.sub("", name.partition(" (")[0].strip()).rpartition("/")[2]
    text = text.removeprefix(common) if len(text) > len(common) else text
    text = _POD.sub("", text)
    words = [word.lower() for word in _WORD.findall(text)]
    while len(words) > 1 and words[-1] in _ENDINGS:
        words.pop()
    whole = "".join(words)
    glued = next((end for end in _GLUED if whole.endswith(end) and len(whole) - len(end) >= 3), "")
    return whole.removesuffix(glued)


def _common(uses: Sequence[Use]) -> dict[_Part, str]:
    """What every name of a source begins with, up to a separator; names that make no service for themselves."""
    found: dict[_Part, str] = {}
    strong = {(use.source, use.name) for use in uses if not use.weak}
    for part in {(use.source, use.weak) for use in uses}:
        names = {use.name for use in uses if (use.source, use.weak) == part}
        ordered = sorted(name for name in names if not (part[1] and (part[0], name) in strong))
        if len(ordered) < LEAST_COMMON:
            continue
        first, last = ordered[0], ordered[-1]
        size = next(
            (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
        )
        cut = max(first[:size].rfind(mark) for mark in "-_/.") + 1
        if cut and all(len(name) > cut for name in ordered):
            found[part] = first[:cut]
    return found
