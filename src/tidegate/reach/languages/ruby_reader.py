"""Ruby's definitions and calls, with the calls that define: attributes, associations, examples, classes of Struct."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidegate.reach.languages import ruby_words as words
from tidegate.reach.languages.ruby_expressions import RubyExpressions
from tidegate.reach.languages.ruby_scope import Draft, Scope
from tidegate.reach.languages.tree import STEP_LOOK_ALIKES
from tidegate.reach.symbols import FileSymbols, Gap, Parameter

if TYPE_CHECKING:
    from tree_sitter import Node

_LITERALS = frozenset(["string", "simple_symbol", "delimited_symbol"])
_CONSTANTS = frozenset(["constant", "scope_resolution"])
_BLOCKS = frozenset(["block", "do_block"])
_PARAMETER_KINDS = {"splat_parameter": "*", "hash_splat_parameter": "**"}


class RubyReader(RubyExpressions):
    """Reads one file."""

    @classmethod
    def more_readers(cls) -> dict[str, str]:
        return {
            "class": "_class",
            "module": "_class",
            "singleton_class": "_singleton_class",
            "method": "_method",
            "singleton_method": "_method",
            "call": "_call",
            "block_argument": "_block_argument",
        }

    def read_file(self, root: Node) -> FileSymbols:
        self.drafts.append(Draft("", "module", root, -1))
        for part in root.named_children:
            scope = self.scope
            try:
                self.read(part)
            except RecursionError:
                self.scope = scope
                self.gaps.append(Gap(0, "syntax", part.start_point[0] + 1))
        if root.has_error and not self.gaps:
            self.gaps.append(Gap(0, "syntax", 1))
        return FileSymbols(
            definitions=tuple(draft.definition() for draft in self.drafts),
            bindings=tuple(self.bindings),
            references=tuple(self.references),
            texts=tuple(self.texts),
            gaps=tuple(self.gaps),
        )

    # classes

    def _class(self, node: Node) -> str:
        name = node.child_by_field_name("name")
        if name is None:
            return self.parts(node)
        above = node.child_by_field_name("superclass")
        bases: list[str] = []
        if above is not None:
            for part in above.named_children:
                base = self.receiver(part)
                bases.append(base)
                if base != "?":
                    self.refer("inherit", base, part.start_point[0] + 1)
        path = self.cut(name).removeprefix("::").split("::")
        self.inside_class(node, path, bases, node.child_by_field_name("body"))
        return "?"

    def inside_class(self, node: Node, path: Sequence[str], bases: Sequence[str], body: Node | None) -> int:
        """Defines a class, and the ones that its name only mentions (`class A::B` opens A too), and reads its body."""
        outer = self.scope
        for place, part in enumerate(path):
            last = place == len(path) - 1
            index = self.define(part, "class", node)
            self.drafts[index].bases += bases if last else []
            scope = Scope(index, index, self.drafts[index].name, "cls")
            scope.group = outer.group and last
            scope.set_ups = list(outer.set_ups)
            self.scope = scope
        index = self.scope.index
        if body is not None:
            self.block(body) if body.type in _BLOCKS else self.parts(body)
        self.scope = outer
        return index

    def define(self, name: str, kind: str, node: Node) -> int:
        """A definition in the class or file around."""
        owner = self.scope.owner if self.scope.method else self.scope.index
        prefix = self.drafts[owner].name
        full = f"{prefix}.{name}" if prefix else name
        self.drafts.append(Draft(full, kind, node, owner))  # type: ignore[arg-type]
        return len(self.drafts) - 1

    def _singleton_class(self, node: Node) -> str:
        body = node.child_by_field_name("body")
        before = self.scope.static, self.scope.visibility
        self.scope.static, self.scope.visibility = True, "public"
        if body is not None:
            self.parts(body)
        self.scope.static, self.scope.visibility = before
        return "?"

    def constant(self, node: Node, left: Node, right: Node) -> str:
        if self.scope.method:
            return ""
        name = self.cut(left)
        made = self._made_class(right)
        if made is not None:
            receiver, arguments, body = made
            bases = [self.handed(part) for part in arguments if part.type in _CONSTANTS]
            fields = [part for part in arguments if part.type in _LITERALS]
            outer = self.scope
            index = self.inside_class(node, [name], [base for base in bases if base != "?"], body)
            self.scope = Scope(index, index, self.drafts[index].name, "cls")
            for field in fields if receiver in ("Struct", "Data") else ():
                self._attribute(self.text_of(field), field, reader=True, writer=receiver == "Struct")
            self.scope = outer
            return name
        self.define(name, "constant", node)
        outer = self.scope
        values = self.values(right)
        self.scope = outer
        for value in values:
            if value != "?" and not value.startswith("%"):
                self.bind(outer.index, name, value, "assign", left.start_point[0] + 1)
        return values[0] if values[0] != "?" else "%any"

    def _made_class(self, node: Node) -> tuple[str, list[Node], Node | None] | None:
        """`Struct.new(:a) do ... end`, `Class.new(Base)`, `Data.define(:a)`: who makes it, of what, with which body."""
        if node.type != "call":
            return None
        receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        if receiver is None or method is None or self.cut(method) not in ("new", "define"):
            return None
        maker = self.cut(receiver).removeprefix("::")
        if maker not in words.CLASS_MAKERS:
            return None
        given = node.child_by_field_name("arguments")
        return maker, given.named_children if given is not None else [], node.child_by_field_name("block")

    # methods

    def _method(self, node: Node) -> str:
        name_node = node.child_by_field_name("name")
        if name_node is None:
            return self.parts(node)
        target = node.child_by_field_name("object")
        name = self.cut(name_node).translate(STEP_LOOK_ALIKES)
        outer = self.scope
        static = outer.static or target is not None
        if target is not None and target.type == "constant" and outer.is_body:
            self._foreign_singleton(node, self.cut(target), name)
            return "%str"
        self.method_definition(node, name, static, node.child_by_field_name("body"))
        return "%str"

    def _foreign_singleton(self, node: Node, owner: str, name: str) -> None:
        """`def Foo.bar` belongs to Foo, which this file may have opened."""
        outer = self.scope
        prefix = self.drafts[outer.index].name
        full = f"{prefix}.{owner}" if prefix and prefix.rpartition(".")[2] != owner else prefix or owner
        for index, draft in enumerate(self.drafts):
            if draft.kind == "class" and draft.name == full:
                self.scope = Scope(index, index, full, "cls")
                break
        self.method_definition(node, name, static=True, body=node.child_by_field_name("body"))
        self.scope = outer

    def method_definition(self, node: Node, name: str, static: bool, body: Node | None) -> int:
        """Defines a method and reads what it does."""
        outer = self.scope
        index = self.define(name, "method" if outer.owner else "function", node)
        draft = self.drafts[index]
        draft.flags += ["static"] if static else []
        draft.visibility = outer.visibility if not static and outer.is_body else "public"
        if name == "method_missing":
            self.gaps.append(Gap(outer.owner, "reflection", node.start_point[0] + 1))
        self._mark(draft, name, outer)
        scope = Scope(index, outer.owner, draft.name, "cls" if static else "self" if outer.owner else "?")
        scope.method = name
        self.scope = scope
        draft.parameters = self._parameters(node)
        if body is not None:
            self.returned(self._given_by(body))
        self.scope = outer
        return index

    def _mark(self, draft: Draft, name: str, outer: Scope) -> None:
        """Tests, and what the language itself calls."""
        bases = self.drafts[outer.owner].bases if outer.owner else []
        line = draft.node.start_point[0] + 1
        if name.startswith("test_") and any("Test" in base for base in bases):
            self.example(len(self.drafts) - 1, line)
        elif outer.owner and name == "initialize":
            self.refer("call", "self.initialize", line)
        elif outer.owner and (name in words.SPECIAL or not (name[0].isalpha() or name[0] == "_")):
            self.refer("pass", f"{'cls' if 'static' in draft.flags else 'self'}.{name}", line)

    def example(self, index: int, line: int) -> None:
        """A test calls all that is set up for it."""
        self.drafts[index].flags.append("test")
        outer = self.scope
        scope = Scope(index, outer.owner, "", "self")
        self.scope = scope
        for name in dict.fromkeys((*outer.set_ups, *(words.SET_UP_METHODS[:2] if not outer.group else ()))):
            self.refer("call", f"self.{name}", line)
        self.scope = outer

    def _given_by(self, body: Node) -> list[str]:
        """What a body gives, which may be a block: that of `define_method`, `let`, `it` or a lambda."""
        if body.type == "lambda":
            body = next((part for part in body.named_children if part.type in _BLOCKS), body)
        if body.type not in _BLOCKS:
            return self._body(body) if body.type == "body_statement" else self.values(body)
        values = ["?"]
        for part in body.named_children:
            if part.type in ("block_body", "body_statement"):
                values = self._body(part)
            elif part.type == "block_parameters":
                self.block_parameters(part)
        return values

    def _body(self, body: Node) -> list[str]:
        self.alternatives = []
        chain = self.last(body)
        found = [chain, *self.alternatives]
        self.alternatives = []
        return found

    def _parameters(self, node: Node) -> tuple[Parameter, ...]:
        listed = node.child_by_field_name("parameters")
        if listed is None:
            return ()
        made = []
        for part in listed.named_children:
            kind = part.type
            name = part if kind == "identifier" else part.child_by_field_name("name")
            value = part.child_by_field_name("value")
            default = self.read(value) if value is not None else ""
            if name is not None:
                text = self.cut(name)
                self.scope.locals.add(text)
                made.append(Parameter(text, "", "" if default == "?" else default, _PARAMETER_KINDS.get(kind, "")))
            elif kind == "destructured_parameter":
                self.scope.locals.update(self.cut(inner) for inner in part.named_children)
        return tuple(made)

    # calls

    def _call(self, node: Node) -> str:
        parts = node.children
        receiver: Node | None = None
        method: Node | None = parts[0]
        if len(parts) > 1 and parts[1].type in (".", "&.", "::"):
            receiver = parts[0]
            method = parts[2] if len(parts) > 2 and parts[2].type != "argument_list" else None
        arguments = block = None
        for part in parts[1:]:
            kind = part.type
            if kind == "argument_list":
                arguments = part
            elif kind in _BLOCKS:
                block = part
        given = [part for part in arguments.named_children if part.type != "comment"] if arguments is not None else []
        name = self.cut(method) if method is not None else "call"
        if receiver is None:
            if method is not None and method.type == "super":
                return self._super_call(node, given, block)
            return self._plain_call(node, name, given, block)
        return self._member_call(node, receiver, name, given, block)

    def _super_call(self, node: Node, given: list[Node], block: Node | None) -> str:
        arguments = tuple([self.argument(part) for part in given])
        if block is not None:
            self.block(block)
        chain = f"super.{self.scope.method or 'initialize'}"
        self.refer("call", chain, node.start_point[0] + 1, arguments)
        return chain + "()"

    def _member_call(self, node: Node, receiver: Node, name: str, given: list[Node], block: Node | None) -> str:
        chain = self.receiver(receiver)
        line = node.start_point[0] + 1
        if receiver.type in _CONSTANTS and chain == "RSpec" and name in words.GROUPS and block is not None:
            return self._group(node, given, block)
        if name in words.SENDS and given:
            return self._sent(node, chain, given, block)
        arguments = tuple([self.argument(part) for part in given])
        self._reflect(name, given, block, line)
        if name in words.TRANSPARENT or (name == "class" and chain == "self"):
            if block is not None:
                self.block(block, chain)
            return "cls" if name == "class" else chain
        self._with_block(name, chain, given, block, line)
        if name == "new":
            if chain != "?":
                self.refer("call", chain, line, arguments)
            return chain + "()" if chain != "?" else "?"
        spelled = name.translate(STEP_LOOK_ALIKES)
        callee = spelled if chain == "?" and receiver.type == "self" else f"{chain}.{spelled}"
        if not chain.startswith("%") or chain == "%func":
            self.refer("call", callee, line, arguments)
        return _result(receiver, chain, name, callee)

    def _with_block(self, name: str, chain: str, given: list[Node], block: Node | None, line: int) -> None:
        element = chain + "[]" if name in words.ITERATORS and not chain.startswith(("%", "?")) else "?"
        if block is not None:
            self.block(block, element)
        elif given and given[-1].type == "block_argument" and element != "?":
            inner = given[-1].named_children
            if inner and inner[0].type == "simple_symbol":
                self.refer("call", f"{element}.{self.text_of(inner[0]).translate(STEP_LOOK_ALIKES)}", line)

    def _sent(self, node: Node, chain: str, given: list[Node], block: Node | None) -> str:
        line = node.start_point[0] + 1
        arguments = tuple([self.argument(part) for part in given])
        if block is not None:
            self.block(block)
        if given[0].type not in _LITERALS or "{}" in arguments[0]:
            self.gap("reflection", line)
            return "?"
        name = arguments[0][1:-1].translate(STEP_LOOK_ALIKES)
        callee = f"{chain}.{name}" if chain else name
        method = self.cut(node.child_by_field_name("method") or node)
        handed = method in ("method", "public_method", "instance_method")
        self.refer("pass" if handed else "call", callee, line, () if handed else arguments[1:])
        return callee if handed else callee + "()"

    def _reflect(self, name: str, given: list[Node], block: Node | None, line: int) -> None:
        """Places where reading stops."""
        literal = bool(given) and given[0].type in _LITERALS and not _has_holes(given[0])
        if name in words.EVALS and block is None and given:
            self.gap("eval", line)
        elif (name in words.CONSTANT_READS and not literal) or (name == "define_method" and not literal and given):
            self.gap("reflection", line)
        elif name == "const_get" and literal:
            self.refer("read", self.text_of(given[0]).removeprefix("::").replace("::", "."), line)

    def _block_argument(self, node: Node) -> str:
        for part in node.named_children:
            if part.type != "simple_symbol":
                self.handed(part)
        return "%func"

    def _plain_call(self, node: Node, name: str, given: list[Node], block: Node | None) -> str:
        line = node.start_point[0] + 1
        if name in words.IMPORTS and given:
            return self._import(name, given, line)
        if name in words.SENDS and given:
            return self._sent(node, "", given, block)
        if self.scope.is_body and self._definer(node, name, given, block):
            return "?"
        if name in words.GROUPS and block is not None and given:
            return self._group(node, given, block)
        arguments = tuple([self.argument(part) for part in given])
        self._reflect(name, given, block, line)
        if block is not None:
            self.block(block)
        if name in ("lambda", "proc"):
            return "%func"
        if name in ("raise", "fail", "puts", "p", "print", "loop", "require", "block_given?", "attr"):
            return "?"
        if self.scope.is_body:
            self._hook(name, given, line)
        callee = "cls" if name == "new" and self.scope.me == "cls" else name.translate(STEP_LOOK_ALIKES)
        self.refer("call", callee, line, arguments)
        return callee + "()"

    def _import(self, name: str, given: list[Node], line: int) -> str:
        if given[0].type != "string" or any(part.type == "interpolation" for part in given[0].named_children):
            self.parts(given[0])
            self.gap("dynamic-import", line)
            return "?"
        spec = self.literal(given[0])
        if name == "require_relative" and not spec.startswith("."):
            spec = "./" + spec
        self.refer("import", f"<{spec}>", line)
        self.bind(0, "*", f"<{spec}>.*", "import", line)
        return "?"

    # calls in the body of a class that define something

    def _definer(self, node: Node, name: str, given: list[Node], block: Node | None) -> bool:
        """Whether the call defines something or says how; it has then been read."""
        if name in words.VISIBILITIES:
            self.visibility(name, given)
        elif name in words.MIXINS and self.scope.owner:
            self._mixin(name, given)
        elif name in words.ATTRIBUTES:
            self._attributes(name, given)
        elif name == "alias_method" and len(given) == 2 and all(part.type in _LITERALS for part in given):
            self.alias(self.text_of(given[0]), self.text_of(given[1]), node.start_point[0] + 1)
        elif name in ("define_method", "define_singleton_method") and given and given[0].type in _LITERALS:
            return self._defined_method(node, name, given, block)
        elif name == "delegate" and self.scope.owner:
            self._delegate(node, given)
        elif name in words.ASSOCIATIONS and self.scope.owner and given and given[0].type in _LITERALS:
            self._association(node, name, given, block)
        elif name == "scope" and len(given) == 2 and self.scope.owner and given[0].type in _LITERALS:
            index = self.method_definition(node, self.text_of(given[0]), static=True, body=given[1])
            self.drafts[index].returns[:] = ["cls()*"]
        elif self.scope.group or self.scope.owner:
            return self._test_call(node, name, given, block)
        else:
            return False
        return True

    def visibility(self, name: str, given: list[Node]) -> None:
        if not given:
            self.scope.visibility = "public" if name in ("public", "module_function") else "private"
            self.scope.static = name == "module_function" or self.scope.static
            return
        before = self.scope.visibility
        wanted = "public" if name in ("public", "module_function") else "private"
        self.scope.visibility = wanted  # type: ignore[assignment]
        names = set()
        for part in given:
            if part.type in _LITERALS:
                names.add(self.text_of(part).translate(STEP_LOOK_ALIKES))
            else:
                self.read(part)
        self.scope.visibility = before
        for draft in self.drafts:
            if draft.parent == self.scope.index and draft.name.rpartition(".")[2] in names:
                draft.visibility = wanted  # type: ignore[assignment]

    def _mixin(self, name: str, given: list[Node]) -> None:
        bases = self.drafts[self.scope.owner].bases
        for part in given:
            chain = self.receiver(part)
            if part.type not in _CONSTANTS or chain == "?":
                continue
            bases.insert(0, chain) if name == "prepend" else bases.append(chain)
            self.refer("inherit", chain, part.start_point[0] + 1)

    def _attributes(self, name: str, given: list[Node]) -> None:
        for part in given:
            if part.type in _LITERALS:
                writer = not name.endswith("reader") and name != "attr"
                self._attribute(self.text_of(part), part, reader=not name.endswith("writer"), writer=writer)
            else:
                self.argument(part)

    def _attribute(self, name: str, node: Node, *, reader: bool, writer: bool) -> None:
        for wanted, spelled in ((reader, name), (writer, f"{name}=")):
            if wanted:
                draft = self.drafts[self.define(spelled, "method", node)]
                draft.returns.append(f"self.@{name}")
                draft.visibility = self.scope.visibility
                draft.flags += ["static"] if self.scope.static else []

    def _defined_method(self, node: Node, name: str, given: list[Node], block: Node | None) -> bool:
        spelled = self.literal(given[0]).translate(STEP_LOOK_ALIKES)
        if "{}" in spelled:
            self.gap("reflection", node.start_point[0] + 1)
            if block is not None:
                self.block(block)
            return True
        static = name == "define_singleton_method" or self.scope.static
        self.method_definition(node, spelled, static, block or (given[1] if len(given) > 1 else None))
        return True

    def _delegate(self, node: Node, given: list[Node]) -> None:
        options = dict(option for part in given if part.type == "pair" and (option := self._option(part)))
        target = options.get("to", "")
        for part in given:
            if part.type not in _LITERALS or not target:
                continue
            name = self.text_of(part).translate(STEP_LOOK_ALIKES)
            index = self.define(name, "method", node)
            outer, self.scope = self.scope, Scope(index, self.scope.owner, "", "self")
            chain = "cls" if target == "class" else f"self.{target}" if target.startswith("@") else f"self.{target}()"
            self.refer("call", f"{chain}.{name}", node.start_point[0] + 1)
            self.drafts[index].returns.append(f"{chain}.{name}()")
            self.scope = outer

    def _option(self, pair: Node) -> tuple[str, str] | None:
        parts = pair.named_children
        if len(parts) != 2 or parts[1].type not in _LITERALS:
            for part in parts[1:]:
                self.handed(part)
            return None
        return self.literal(parts[0]), self.text_of(parts[1])

    def _association(self, node: Node, name: str, given: list[Node], block: Node | None) -> None:
        line = node.start_point[0] + 1
        arguments = tuple([self.argument(part) for part in given])
        self.refer("call", name, line, arguments)
        word = arguments[0][1:-1]
        many = name in ("has_many", "has_and_belongs_to_many")
        options = dict(argument.split("=", 1) for argument in arguments if "=" in argument and argument[0] != '"')
        target = options.get("class_name", "").strip('"').removeprefix("::").replace("::", ".")
        target = target or words.camelized(words.singular(word) if many else word)
        for spelled in (word, f"{word}="):
            draft = self.drafts[self.define(spelled, "method", node)]
            draft.returns.append(f"{target}!*" if many else f"{target}!")
        self.refer("type", target, line)
        self._hook(name, given, line)
        if block is not None:
            self.block(block)

    def _hook(self, name: str, given: list[Node], line: int) -> None:
        """Methods that a call in the body of a class names by symbols will be called."""
        me = "self" if self.scope.owner else ""
        hooked = words.HOOKED(name) is not None
        for part in given:
            found: list[Node] = []
            if part.type == "simple_symbol" and hooked:
                found = [part]
            elif part.type == "pair" and len(part.named_children) == 2:
                key, value = part.named_children
                if self.cut(key).lstrip(":") in words.HOOK_OPTIONS:
                    found = value.named_children if value.type == "array" else [value]
            for symbol in found:
                if symbol.type == "simple_symbol":
                    member = self.cut(symbol)[1:].translate(STEP_LOOK_ALIKES)
                    self.refer("pass", f"{me}.{member}" if me else member, line)

    # tests

    def _group(self, node: Node, given: list[Node], block: Node) -> str:
        """`describe Foo do`: a class, whose bases are the group around it."""
        title = "group"
        for part in given[:1]:
            if part.type in _LITERALS:
                title = self.literal(part)
            else:
                title = self.constant_path(part) if part.type in _CONSTANTS else title
                self.handed(part)
        for part in given[1:]:
            self.argument(part)
        outer = self.scope
        bases = [outer.prefix.rpartition(".")[2]] if outer.group else []
        before = outer.group, self.described
        outer.group = True
        if given[0].type in _CONSTANTS:
            self.described = title
        self.inside_class(node, [_spelled(title)], bases, block)
        outer.group, self.described = before
        return "?"

    def _test_call(self, node: Node, name: str, given: list[Node], block: Node | None) -> bool:
        """Examples, what is set up for them, and what they share."""
        if block is None:
            return False
        line = node.start_point[0] + 1
        tested = self.scope.group or any("Test" in base for base in self.drafts[self.scope.owner].bases)
        if not tested:
            return False
        if name in words.EXAMPLES:
            title = self.literal(given[0]) if given and given[0].type in _LITERALS else f"{name} {line}"
            self.example(self.method_definition(node, _spelled(title), static=False, body=block), line)
        elif name in words.SET_UPS and all(part.type in _LITERALS for part in given):
            spelled = f"{name} {line}"
            self.method_definition(node, spelled, static=False, body=block)
            self.scope.set_ups.append(spelled)
        elif name in words.LETS:
            spelled = self.text_of(given[0]) if given and given[0].type in _LITERALS else "subject"
            self.method_definition(node, spelled, static=False, body=block)
            if name.endswith("!"):
                self.scope.set_ups.append(spelled)
        elif name in words.GROUPS and given:
            self._group(node, given, block)
        else:
            return False
        return True


def _result(receiver: Node, chain: str, name: str, callee: str) -> str:
    """What a call gives, where the language or Rails fixes it."""
    if name in words.PLAIN_RESULTS:
        return words.PLAIN_RESULTS[name]
    if receiver.type in _CONSTANTS:
        if name in words.FINDERS:
            return chain + "()"
        if name in words.RELATIONS:
            return chain + "()*"
    if name in words.SAME_CONTAINER and chain.endswith("*"):
        return chain
    if name in words.ELEMENT and chain.endswith("*"):
        return chain + "[]"
    if chain in ("?", "") or chain.startswith("%") or name.endswith("?"):
        return "?"
    return callee + "()"


def _has_holes(node: Node) -> bool:
    return any(part.type == "interpolation" for part in node.named_children)


def _spelled(title: str) -> str:
    """A title as a name: a point would part it, and # and : mean something in the graph."""
    return " ".join(title.translate(STEP_LOOK_ALIKES).replace("#", "＃").replace(":", "：").split()) or "group"
