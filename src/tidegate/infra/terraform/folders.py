"""The code of one folder on one side of a change: what Terraform reads together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.facts import Place, Unjudged
from tidegate.infra.terraform.family import TERRAGRUNT, is_code, is_given
from tidegate.infra.terraform.hcl import read_hcl
from tidegate.infra.terraform.overrides import is_override, with_overrides
from tidegate.infra.terraform.syntax import Block, Expression, Fault, Literal, Source

LARGEST_BYTES = 2 * 1024 * 1024
"""No one writes a larger file of code."""

MOST_SEARCHED = 200
"""So many folders are searched for calls of a module that changed."""


class Folder(Struct, frozen=True):
    """The blocks of every file, the variables that files set without being asked for, and what was unreadable."""

    path: str
    blocks: tuple[Block, ...] = ()
    given: Mapping[str, Expression] = {}
    unread: tuple[Unjudged, ...] = ()
    files: tuple[str, ...] = ()


class Folders:
    """The folders of one tree. Files are parsed once; `shared` parses are kept across both trees by content."""

    def __init__(self, tree: Tree, shared: dict[tuple[str, bytes], Source]) -> None:
        self.tree = tree
        self._shared = shared
        self._listed: dict[str, list[str]] | None = None
        self._folders: dict[str, Folder] = {}

    def holds_code(self, path: str) -> bool:
        return any(is_code(name) for name in self._names(path))

    def below(self, path: str) -> tuple[str, ...]:
        """The folders with code anywhere below this one."""
        self._names(path)
        head = f"{path}/" if path else ""
        listed = self._listed or {}
        return tuple(folder for folder, names in listed.items() if folder.startswith(head) and any(map(is_code, names)))

    def callers(self, path: str) -> tuple[str, ...]:
        """The folders that call this one as a module, as far around it as can be searched."""
        around: tuple[str, ...] = ()
        above = path
        while above:
            above = posixpath.dirname(above)
            wider = self.below(above)
            if len(wider) > MOST_SEARCHED:
                break
            around = wider
        word = posixpath.basename(path).encode("utf-8", "surrogateescape")
        return tuple(one for one in around if one != path and self._mentions(one, word) and path in self._called(one))

    def folder(self, path: str) -> Folder:
        """The code of a folder; an empty one where there is none."""
        found = self._folders.get(path)
        if found is None:
            found = self._folders[path] = self._read(path)
        return found

    def variables(self, path: str) -> Mapping[str, Expression]:
        """The values that one file of variables sets."""
        found = self._sources([path])
        return found[0][1].attributes if found else {}

    def readers(self, path: str) -> tuple[str, ...]:
        """The folders whose code reads this file, which is none of code: as far around it as can be searched."""
        word = posixpath.basename(path).encode("utf-8", "surrogateescape")
        around: tuple[str, ...] = ()
        above = posixpath.dirname(path)
        while True:
            wider = self.below(above)
            if len(wider) > MOST_SEARCHED:
                break
            around = wider
            if not above:
                break
            above = posixpath.dirname(above)
        return tuple(one for one in around if self._mentions(one, word))

    def text(self, path: str) -> str | None:
        """The text of any file of the tree."""
        data = self.tree.read([path]).get(path)
        return data.decode("utf-8", "replace") if data is not None and len(data) <= LARGEST_BYTES else None

    # Private

    def _mentions(self, path: str, word: bytes) -> bool:
        return any(word in data for data in self.tree.read(filter(is_code, self._names(path))).values())

    def _called(self, path: str) -> set[str]:
        sources = (block.attributes.get("source") for block in self.folder(path).blocks if block.kind == "module")
        texts = (one.value for one in sources if isinstance(one, Literal) and isinstance(one.value, str))
        return {posixpath.normpath(posixpath.join(path, text)) for text in texts if text.startswith(("./", "../"))}

    def _names(self, path: str) -> list[str]:
        if self._listed is None:
            self._listed = {}
            for name in self.tree.paths():
                if is_code(name) or is_given(name):
                    self._listed.setdefault(posixpath.dirname(name), []).append(name)
        return self._listed.get(path, [])

    def _read(self, path: str) -> Folder:
        names = self._names(path)
        blocks: list[Block] = []
        over: list[Block] = []
        given: dict[str, Expression] = {}
        unread: list[Unjudged] = []
        sources = self._sources(names)
        for name, source in sources:
            if is_code(name):
                (over if is_override(name) else blocks).extend(source.blocks)
                if posixpath.basename(name) == TERRAGRUNT:
                    blocks.append(Block("terragrunt", (), source.attributes, (), 1, name))
            else:
                given.update(source.attributes)
            unread += (_unjudged(name, fault) for fault in source.faults)
        read = {name for name, _ in sources}
        unread += (
            Unjudged(name, "the file is too large to be read as code", place=Place(name))
            for name in names
            if name not in read
        )
        return Folder(path, tuple(with_overrides(blocks, over)), given, tuple(unread), tuple(names))

    def _sources(self, names: Iterable[str]) -> list[tuple[str, Source]]:
        contents = self.tree.read(names)
        return [(name, self._source(name, data)) for name, data in contents.items() if len(data) <= LARGEST_BYTES]

    def _source(self, name: str, data: bytes) -> Source:
        found = self._shared.get((name, data))
        if found is None:
            found = self._shared[(name, data)] = _parsed(name, data)
        return found


# Private


def _parsed(name: str, data: bytes) -> Source:
    text = data.decode("utf-8", "replace")
    if name.endswith(".json"):
        from tidegate.infra.terraform.written_json import read_json

        return read_json(text, name)
    return read_hcl(text, name)


def _unjudged(name: str, fault: Fault) -> Unjudged:
    return Unjudged(
        name,
        f"line {fault.line} could not be read as Terraform: {fault.reason}; what stands in this block is not judged",
        mend="mend the syntax, or judge the plan (--plan)",
        place=Place(name, fault.line),
    )
