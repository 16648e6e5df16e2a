"""Imports and exports of ES modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.classes import Classes
from tidegate.reach.languages.ecma.state import FUNCTIONS, Scope

if TYPE_CHECKING:
    from tree_sitter import Node


class Modules(Classes):
    """Reads imports and exports."""

    def statement(self, node: Node, scope: Scope) -> None:
        raise NotImplementedError

    def _spec(self, node: Node) -> str:
        return "<" + self.text(node)[1:-1].replace(">", "") + ">"

    def import_statement(self, node: Node, scope: Scope) -> None:
        """`import D, { a as b } from "./x"` binds D to `<./x>.default` and b to `<./x>.a`."""
        self.modern = True
        source = node.child_by_field_name("source")
        line = node.start_point[0] + 1
        clause = next(
            (c for c in node.named_children if self.kinds[c.kind_id] in ("import_clause", "import_require_clause")),
            None,
        )
        if clause is not None and self.kinds[clause.kind_id] == "import_require_clause":
            self._import_require(clause, scope, line)
            return
        if source is None:
            return
        spec = self._spec(source)
        chains: list[str] = []
        for part in self.parts(clause) if clause is not None else ():
            kind = self.kinds[part.kind_id]
            if kind == "identifier":
                self._import(self.name(part), spec + ".default", scope, line, chains)
            elif kind == "namespace_import":
                self._import(self.name(self.parts(part)[0]), spec, scope, line, chains)
            elif kind == "named_imports":
                for one in self.parts(part):
                    name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                    if name is not None:
                        member = self.text(name).strip("\"'")
                        self._import(self.name(alias or name), f"{spec}.{member}", scope, line, chains)
        for chain in chains or [spec]:
            self.refer(scope.index, "import", chain, node)

    def _import(self, name: str, chain: str, scope: Scope, line: int, chains: list[str]) -> None:
        self.locals[scope.index].add(name)
        self.bind(scope.index, name, (chain,), "import", scope.index, line)
        chains.append(chain)

    def _import_require(self, clause: Node, scope: Scope, line: int) -> None:
        source = clause.child_by_field_name("source")
        parts = self.parts(clause)
        if source is not None and parts:
            spec = self._spec(source)
            self.locals[scope.index].add(self.name(parts[0]))
            values = (spec, spec + ".default")
            self.bind(scope.index, self.name(parts[0]), values, "import", scope.index, line)
            self.refer(scope.index, "import", spec, clause)

    def export_statement(self, node: Node, scope: Scope) -> None:
        """What is exported is flagged; what is exported under another name is bound to it."""
        self.modern = True
        source = node.child_by_field_name("source")
        declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        if source is not None:
            self._reexport(node, self._spec(source), scope)
            return
        words = {child.type for child in node.children if not child.is_named}
        decorators = [child for child in node.named_children if self.kinds[child.kind_id] == "decorator"]
        if declaration is not None:
            before = len(self.drafts)
            if decorators and "class" in self.kinds[declaration.kind_id]:
                named = declaration.child_by_field_name("name")
                name = self.name(named) if named is not None else "default"
                self.class_named(declaration, name, scope.index, scope, node, decorators)
            else:
                self.statement(declaration, scope)
            self._flag(before, scope, "default" in words)
        elif value is not None:
            self._default(value, scope, node, decorators)
        elif "=" in words:
            for part in self.parts(node):
                self._default(part, scope, node, [])
        else:
            self._clause(node, scope)

    def _flag(self, before: int, scope: Scope, default: bool) -> None:
        for number in range(before, len(self.drafts)):
            draft = self.drafts[number]
            if draft.parent != scope.index:
                continue
            draft.flags.append("exported")
            if default:
                self.bind(scope.index, "default", (draft.name.rpartition(".")[2],), "assign", scope.index, draft.line)

    def _default(self, value: Node, scope: Scope, whole: Node, decorators: list[Node]) -> None:
        """`export default x`, `export = x` and `module.exports = x` bind or define `default`."""
        kind = self.kinds[value.kind_id]
        named = value.child_by_field_name("name") if kind in FUNCTIONS or kind == "class" else None
        name = self.name(named) if named is not None else "default"
        before = len(self.drafts)
        if kind in FUNCTIONS:
            self.add_function(scope.index, name, value, scope, whole)
        elif kind == "class":
            self.class_named(value, name, scope.index, scope, whole, decorators)
        elif kind == "object":
            self.add_object(scope.index, "default", value, scope, whole)
        else:
            line = whole.start_point[0] + 1
            values = self.values(value, scope)
            self.bind(scope.index, "default", values, "assign", scope.index, line)
            self.exported.update(chain for chain in values)
            return
        self.drafts[before].flags.append("exported")
        if name != "default":
            self.bind(scope.index, "default", (name,), "assign", scope.index, whole.start_point[0] + 1)

    def _clause(self, node: Node, scope: Scope) -> None:
        for clause in node.named_children:
            for one in self.parts(clause) if self.kinds[clause.kind_id] == "export_clause" else ():
                name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                if name is None:
                    continue
                local = self.name(name)
                self.exported.add(local)
                if alias is not None:
                    outer = self.text(alias).strip("\"'")
                    self.bind(scope.index, outer, (local,), "assign", scope.index, one.start_point[0] + 1)

    def _reexport(self, node: Node, spec: str, scope: Scope) -> None:
        line = node.start_point[0] + 1
        named = False
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "namespace_export":
                named = True
                inner = self.parts(part)
                if inner:
                    name = self.text(inner[0]).strip("\"'")
                    self.bind(scope.index, name, (spec,), "import", scope.index, line)
                    self.refer(scope.index, "import", spec, node)
            elif kind == "export_clause":
                named = True
                for one in self.parts(part):
                    name_node, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                    if name_node is not None:
                        member = self.text(name_node).strip("\"'")
                        outer = self.text(alias).strip("\"'") if alias is not None else member
                        self.bind(scope.index, outer, (f"{spec}.{member}",), "import", scope.index, line)
                        self.refer(scope.index, "import", f"{spec}.{member}", node)
        if not named:
            self.bind(scope.index, "*", (spec + ".*",), "import", scope.index, line)
            self.refer(scope.index, "import", spec, node)
