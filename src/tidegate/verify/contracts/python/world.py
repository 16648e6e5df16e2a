"""The Python packages of one tree: where a dotted name is, what it means, whether callers may rely on it."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from enum import Enum

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.verify.contracts.python.model import Alias, Class, Function, Member, Module, Value, read_module

DEEPEST = 12
MOST_MODULES = 400


class Unsure(Enum):
    """The answer where a name may be there and reading alone cannot tell."""

    UNSURE = "unsure"


UNSURE = Unsure.UNSURE


class Meaning(Struct, frozen=True):
    """What a name means in the end, and the module that defines it."""

    member: Member
    module: str


class World:
    """One side of a change. Modules are read when they are asked for, each once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._paths = frozenset(tree.paths())
        self._modules: dict[str, Module | None] = {}

    @property
    def paths(self) -> frozenset[str]:
        return self._paths

    def text(self, path: str) -> str:
        """A file as text; "" where it is not there."""
        return self._tree.read([path]).get(path, b"").decode("utf-8", "replace") if path in self._paths else ""

    def dotted(self, path: str) -> tuple[str, str]:
        """The import root of a Python file, and its dotted name; "" for the name of a file outside any package."""
        folder, _, last = path.rpartition("/")
        parts = [] if last == "__init__.py" else [last.removesuffix(".py")]
        while folder and f"{folder}/__init__.py" in self._paths:
            folder, _, name = folder.rpartition("/")
            parts.insert(0, name)
        inside = len(parts) > 1 or last == "__init__.py"
        return folder, ".".join(parts) if parts and (inside or _alone(folder)) else ""

    def path_of(self, root: str, name: str) -> str:
        """The file of a module, at this import root or where packages usually are; "" where there is none."""
        inner = name.replace(".", "/")
        for place in dict.fromkeys((root, "src", "lib", "")):
            begin = f"{place}/{inner}" if place else inner
            for path in (f"{begin}/__init__.py", f"{begin}.py"):
                if path in self._paths:
                    return path
        return ""

    def module(self, root: str, name: str) -> Module | None:
        """The module; None where it is not there or cannot be read."""
        path = self.path_of(root, name)
        if not path:
            return None
        if path not in self._modules:
            content = self._tree.read([path]).get(path)
            self._modules[path] = read_module(name, path, content) if content is not None else None
        return self._modules[path]

    def look_up(self, root: str, module: str, name: str, depth: int = 0) -> Meaning | Unsure | None:
        """What a name of a module means; None if it is certain that there is none."""
        found = self.module(root, module)
        if found is None or depth > DEEPEST:
            return UNSURE
        member = found.members.get(name)
        if isinstance(member, Alias):
            return self._follow(root, module, member, depth)
        if member is not None:
            return Meaning(member, module)
        for star in found.stars:
            if not self._inside(root, star, module):
                return UNSURE
            answer = self.look_up(root, star, name, depth + 1)
            if answer is not None:
                return answer
        if found.is_package and self.path_of(root, f"{module}.{name}"):
            return Meaning(Value(name, 0), f"{module}.{name}")
        if found.open and (not found.spelled or name in found.spelled):
            return UNSURE
        return None

    def member(self, root: str, module: str, of: Class, name: str, depth: int = 0) -> Member | Unsure | None:
        """A member of a class, its own or inherited; None if it is certain that there is none."""
        if name in of.members:
            return of.members[name]
        unsure = of.open or depth > DEEPEST
        for base in of.bases if depth <= DEEPEST else ():
            answer = self._of_base(root, module, base.partition("[")[0], name, depth)
            if answer is UNSURE:
                unsure = True
            elif answer is not None:
                return answer
        return UNSURE if unsure else None

    def listed(self, root: str, module: Module) -> Iterator[str]:
        """The names of a module that callers may rely on."""
        if module.exported is not None:
            yield from module.exported
            return
        package = module.name.partition(".")[0]
        for name, member in module.members.items():
            if name.startswith("_"):
                continue
            if isinstance(member, Alias):
                own = f"{member.module}.".startswith(f"{module.name if module.is_package else package}.")
                if not (own and member.target and (module.is_package or (member.renamed and member.target == name))):
                    continue
            yield name
        if module.is_package:
            for star in module.stars:
                target = self.module(root, star) if self._inside(root, star, module.name) else None
                if target is not None and target.name != module.name:
                    yield from self.listed(root, target)

    def uses(self, root: str, module: str, name: str) -> list[str]:
        """The public names by which callers reach something that a private module defines, the shortest first."""
        found = []
        for other in self._importers(root, module):
            if is_public(other.name):
                for public in self.listed(root, other):
                    meaning = self.look_up(root, other.name, public)
                    if isinstance(meaning, Meaning) and (meaning.module, meaning.member.name) == (module, name):
                        found.append(f"{other.name}.{public}")
        return sorted(found, key=lambda one: (one.count("."), one))

    # Private

    def _follow(self, root: str, module: str, alias: Alias, depth: int) -> Meaning | Unsure | None:
        if not self._inside(root, alias.module, module):
            return Meaning(alias, alias.module)
        if not alias.target:
            return Meaning(Value(alias.name, alias.line), alias.module)
        if self.path_of(root, alias.module):
            if (alias.module, alias.target) != (module, alias.name):
                answer = self.look_up(root, alias.module, alias.target, depth + 1)
                if answer is not None:
                    return answer
            if self.path_of(root, f"{alias.module}.{alias.target}"):
                return Meaning(Value(alias.name, alias.line), f"{alias.module}.{alias.target}")
        return UNSURE

    def _inside(self, root: str, name: str, module: str) -> bool:
        return name.partition(".")[0] == module.partition(".")[0] and bool(self.path_of(root, name))

    def _of_base(self, root: str, module: str, base: str, name: str, depth: int) -> Member | Unsure | None:
        if base in ("object", "Generic", "Protocol", "typing.Generic", "typing.Protocol", "t.Generic", "t.Protocol"):
            return None
        head, _, rest = base.partition(".")
        meaning = self.look_up(root, module, head)
        if rest and isinstance(meaning, Meaning) and isinstance(meaning.member, Value):
            meaning = self.look_up(root, meaning.module, rest)
        if isinstance(meaning, Meaning) and isinstance(meaning.member, Class):
            return self.member(root, meaning.module, meaning.member, name, depth + 1)
        built_in = getattr(builtins, base, None)
        if meaning is None and isinstance(built_in, type):
            return Function(name, 0, (), known=False) if name in dir(built_in) else None
        return UNSURE

    def _importers(self, root: str, module: str) -> Iterator[Module]:
        """The modules of the package that may give what this one defines: its packages, and those that name it."""
        package = module.partition(".")[0]
        begin = f"{root}/{package}/" if root else f"{package}/"
        paths = sorted(
            (path for path in self._paths if path.startswith(begin) and path.endswith(".py")),
            key=lambda path: (not path.endswith("__init__.py"), path.count("/"), path),
        )[:MOST_MODULES]
        word = module.rpartition(".")[2].encode()
        for path, content in self._tree.read(paths).items():
            if word in content or path.endswith("__init__.py"):
                name = self.dotted(path)[1]
                found = self.module(root, name) if name else None
                if found is not None:
                    yield found


def is_public(dotted: str) -> bool:
    """Whether a module's name is for others."""
    parts = dotted.split(".")
    hidden = any(part.startswith("_") for part in parts)
    inside = _INTERNAL.intersection(parts[1:-1]) or (len(parts) > 1 and parts[-1] in _INTERNAL - _HELPS)
    return not hidden and not inside


# Private

_HELPS = frozenset({"test"})
"""A module of this name is for the tests of others; a folder of it holds a library's own."""
_INTERNAL = frozenset({"tests", "test", "conftest", "vendor", "vendored", "internal", "migrations"})


def _alone(folder: str) -> bool:
    """Whether a single file in this folder can be a module of its own: only at the root, or below `src`."""
    return folder in ("", "src", "lib")
