"""One side of a folder as resources: counts and loops unfolded, local modules followed, secrets not yet taken away."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from msgspec import Struct, structs

from tidegate.facts import Place, Unjudged
from tidegate.infra.terraform.bodies import body_of
from tidegate.infra.terraform.folders import Folders
from tidegate.infra.terraform.functions import OTHERS
from tidegate.infra.terraform.modules import bare, inputs_as_attributes, type_of
from tidegate.infra.terraform.resolve import NOTHING, Local, Resolver, called_locally
from tidegate.infra.terraform.syntax import Block, Expression, Literal, Member, Name
from tidegate.infra.terraform.trails import Trails
from tidegate.infra.terraform.words import words_of
from tidegate.infra.values import Later, Value

MOST = 20_000
"""A stack with more resources than this is not unfolded further."""
MOST_OF_ONE = 500
MOST_CALLS = 2_000
MOST_STEPS = 300_000
"""Expressions that are settled for one stack; large real ones need six thousand."""
DEEPEST = 12


class Piece(Struct, frozen=True):
    """One resource as code says it. `base` is its address without its own key; `repeat` how it comes to have one:
    once, by number, by name, or in a way that code does not settle, which `over` has in words. `trail` are the bases
    that it refers to."""

    address: str
    base: str
    repeat: str
    type: str
    values: Mapping[str, Value]
    block: Block
    spelled: Mapping[str, str] = {}
    trail: Mapping[str, tuple[str, ...]] = {}
    over: str = ""

    @property
    def place(self) -> Place:
        return Place(self.block.path, self.block.line)


class Call(Struct, frozen=True):
    """One block that is no resource, where it stands: `address` reads `module.a`, or "" for the stack itself."""

    address: str
    block: Block


class Stack(Struct, frozen=True):
    """A folder as Terraform would unfold it. `whole` are all its blocks, those of local modules too, by address.

    `absent` are calls of modules whose folder is not there: what they make cannot be seen, and does not go away.
    """

    path: str
    pieces: Mapping[str, Piece] = {}
    calls: tuple[Call, ...] = ()
    unread: tuple[Unjudged, ...] = ()
    files: tuple[str, ...] = ()
    environment: str = ""
    sources: Mapping[str, tuple[str, str]] = {}
    secrets: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def read_stack(folders: Folders, path: str, variables: Mapping[str, Expression] | None = None) -> Stack:
    """The resources of a folder with these values given to its variables."""
    return _Unfolding(folders).stack(path, variables or {})


# Private


class _Unfolding:
    """Keeps the resolvers of local modules while one stack is unfolded."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._children: dict[str, Resolver | None] = {}
        self._trails = Trails(self)
        self._pieces: dict[str, Piece] = {}
        self._calls: list[Call] = []
        self._unread: dict[Unjudged, None] = {}
        self._files: dict[str, None] = {}
        self._sources: dict[str, tuple[str, str]] = {}
        self._secrets: list[str] = []
        self._absent: dict[str, None] = {}
        self._left = MOST_STEPS
        self._calls_left = MOST_CALLS

    def stack(self, path: str, variables: Mapping[str, Expression]) -> Stack:
        folder = self._folders.folder(path)
        resolver = Resolver(structs.replace(folder, given={**folder.given, **variables}), {}, self)
        self._unfold(resolver, 0)
        if self._left < 0 or len(self._pieces) >= MOST or self._calls_left < 0:
            self._unread[Unjudged(path or ".", _TOO_LARGE, "judge the plan (--plan)")] = None
        environment = next((found for name in _ENVIRONMENT if isinstance(found := _variable(resolver, name), str)), "")
        return Stack(
            path,
            self._pieces,
            tuple(self._calls),
            tuple(self._unread),
            tuple(self._files),
            environment,
            self._sources,
            tuple(self._secrets),
            tuple(self._absent),
        )

    def text(self, path: str) -> str | None:
        return self._folders.text(path)

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise RecursionError

    def output(self, caller: Resolver, module: str, name: str) -> Value | None:
        child = self.child(caller, module)
        if child is None or name not in child.outputs or "value" not in child.outputs[name].attributes:
            return None
        return child.value(child.outputs[name].attributes["value"])

    def child(self, caller: Resolver, module: str) -> Resolver | None:
        """The names within a local module that is called once; None for one that is elsewhere or called often."""
        address = f"{caller.prefix}module.{module}"
        if address not in self._children:
            self._children[address] = None
            block = caller.modules.get(module)
            if block is not None and not {"count", "for_each"} & set(block.attributes):
                self._children[address] = self._called(caller, block, "", NOTHING)
        return self._children[address]

    # Private

    def _unfold(self, resolver: Resolver, depth: int) -> None:
        folder = resolver.folder
        self._files.update(dict.fromkeys(folder.files))
        self._unread.update(dict.fromkeys(folder.unread))
        self._calls += (Call(resolver.prefix, block) for block in folder.blocks if block.kind not in _OWN)
        self._secrets += _secrets(resolver)
        for name, block in resolver.resources.items():
            self._unfold_resource(resolver, name, block)
        for name, block in resolver.modules.items():
            self._unfold_module(resolver, name, block, depth)
        self._loose_documents(resolver)
        for block in folder.blocks:
            if block.kind == "terragrunt":
                self._unfold_terragrunt(resolver, block)

    def _unfold_resource(self, resolver: Resolver, name: str, block: Block) -> None:
        base, type_ = resolver.prefix + name, block.labels[0]
        trail = self._trails.of_block(resolver, block)
        repeat, instances = _instances(resolver, block)
        over = _over(resolver, block) if repeat == "unsettled" else ""
        for suffix, local in instances:
            values = body_of(block, resolver, local)
            self._add(Piece(base + suffix, base, repeat, type_, values, block, {}, trail, over))

    def _unfold_module(self, resolver: Resolver, name: str, block: Block, depth: int) -> None:
        base = f"{resolver.prefix}module.{name}"
        source = resolver.value(block.attributes["source"]) if "source" in block.attributes else None
        version = resolver.value(block.attributes["version"]) if "version" in block.attributes else ""
        self._sources[base] = (source, str(version)) if isinstance(source, str) else ("", "")
        repeat, instances = _instances(resolver, block)
        for suffix, local in instances:
            child = None
            if called_locally(source) and depth < DEEPEST:
                child = self.child(resolver, name) if repeat == "once" else None
                child = child or self._called(resolver, block, suffix, local)
            if called_locally(source) and depth >= DEEPEST:
                self._unread[Unjudged(base, _TOO_DEEP, "judge the plan (--plan)", Place(block.path, block.line))] = None
            if child is not None:
                self._unfold(child, depth + 1)
            elif not called_locally(source):
                self._call_elsewhere(resolver, block, base, suffix, repeat, local)

    def _call_elsewhere(
        self, resolver: Resolver, block: Block, base: str, suffix: str, repeat: str, local: Local
    ) -> None:
        source = self._sources[base][0]
        inputs = body_of(block, resolver, local)
        for name in ("source", "version"):
            inputs.pop(name, None)
        self._say_call(block, (base, suffix, repeat), source, inputs, self._trails.of_block(resolver, block))

    def _say_call(
        self,
        block: Block,
        named: tuple[str, str, str],
        source: str,
        inputs: dict[str, Value],
        trail: Mapping[str, tuple[str, ...]],
    ) -> None:
        base, suffix, repeat = named
        type_ = type_of(source)
        values, spelled = inputs_as_attributes(type_, inputs)
        self._add(Piece(base + suffix, base, repeat, type_, values, block, spelled, trail))

    def _called(self, caller: Resolver, block: Block, suffix: str, local: Local) -> Resolver | None:
        source = caller.value(block.attributes["source"]) if "source" in block.attributes else None
        if not called_locally(source):
            return None
        self._calls_left -= 1
        if self._calls_left < 0:
            return None
        path = posixpath.normpath(posixpath.join(caller.folder.path, str(source)))
        path = "" if path == "." else path
        if path.startswith("..") or not self._folders.holds_code(path):
            address = f"{caller.prefix}module.{block.labels[0]}"
            self._unread[Unjudged(address, _ABSENT.format(source), place=Place(block.path, block.line))] = None
            self._absent[address] = None
            return None
        inputs = {
            name: caller.value(expression, local)
            for name, expression in block.attributes.items()
            if name not in ("source", "version", "count", "for_each", "providers", "depends_on")
        }
        child = Resolver(self._folders.folder(path), inputs, self, f"{caller.prefix}module.{block.labels[0]}{suffix}.")
        self._trails.called(child, caller, block)
        return child

    def _unfold_terragrunt(self, resolver: Resolver, block: Block) -> None:
        sources = [inner.attributes["source"] for inner in resolver.folder.blocks if "source" in inner.attributes]
        source = resolver.value(sources[0]) if sources else None
        inputs = resolver.value(block.attributes["inputs"]) if "inputs" in block.attributes else {}
        if isinstance(source, str) and isinstance(inputs, dict):
            base = "module.terragrunt"
            self._sources[base] = (source, "")
            self._say_call(block, (base, "", "once"), bare(source.replace("//", "/")), inputs, {})

    def _loose_documents(self, resolver: Resolver) -> None:
        """Policy documents that nothing in the folder refers to are still what somebody is given."""
        used = self._trails.documents
        for name, block in resolver.data.items():
            address = f"{resolver.prefix}data.{name}"
            if block.labels[:1] == ("aws_iam_policy_document",) and address not in used:
                values = {"policy": resolver.document(name)}
                self._add(Piece(address, address, "once", "aws_iam_policy", values, block))

    def _add(self, piece: Piece) -> None:
        if len(self._pieces) < MOST:
            self._pieces[piece.address] = piece


_OWN = ("variable", "locals", "output", "terragrunt")
_ENVIRONMENT = ("environment", "environment_name", "env", "stage", "environment-name", "govuk_environment")
_TOO_LARGE = "the code unfolds to more than any that people write, so it is not judged wholly"
_TOO_DEEP = "modules are nested deeper than any that people write, so what this one makes is not judged"
_ABSENT = "the module's folder {} is not there, so what it makes is not judged"


def _instances(resolver: Resolver, block: Block) -> tuple[str, list[tuple[str, Local]]]:
    """How often a block stands: its keys with what is bound in each."""
    if "count" in block.attributes:
        number = resolver.value(block.attributes["count"])
        if isinstance(number, str) and number.isdigit():
            number = int(number)
        if isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number <= MOST_OF_ONE:
            return "number", [(f"[{place}]", {"count": {"index": place}}) for place in range(int(number))]
        return "unsettled", [("", {"count": {"index": Later("count.index")}})]
    if "for_each" not in block.attributes:
        return "once", [("", NOTHING)]
    over = resolver.value(block.attributes["for_each"])
    if isinstance(over, (dict, list)) and len(over) <= MOST_OF_ONE and not _unsettled_keys(over):
        return "name", list(_named(over))
    each = {"key": Later("each.key"), "value": Later("each.value")}
    return "unsettled", [("", {"each": each})]


def _over(resolver: Resolver, block: Block) -> str:
    """What decides how often a block stands, in words."""
    return words_of(resolver.value(block.attributes["count" if "count" in block.attributes else "for_each"]))


def _unsettled_keys(over: dict[str, Value] | list[Value]) -> bool:
    if isinstance(over, dict):
        return OTHERS in over or any("${" in key for key in over)
    return any(not isinstance(one, (str, int)) for one in over)


def _named(over: dict[str, Value] | list[Value]) -> Iterator[tuple[str, Local]]:
    for key, value in over.items() if isinstance(over, dict) else ((str(one), one) for one in over):
        yield f'["{key}"]', {"each": {"key": key, "value": value}}


def _variable(resolver: Resolver, name: str) -> Value:
    return resolver.value(Member(Name("var"), name))


def _secrets(resolver: Resolver) -> Iterator[str]:
    for name, block in resolver.variables.items():
        if block.attributes.get("sensitive") == Literal(True):
            found = _variable(resolver, name)
            if isinstance(found, str):
                yield found
