"""Reads the expressions of Terraform's language: operators, references, calls, templates, heredocs."""

from __future__ import annotations

import re

from tidegate.infra.terraform.scanning import Cursor, UnreadableError, end_of_code, end_of_quoted, unescaped
from tidegate.infra.terraform.syntax import (
    Call,
    Choice,
    Expression,
    For,
    ListOf,
    Literal,
    Member,
    Name,
    ObjectOf,
    Opaque,
    Operation,
    Splat,
    Template,
)

DEEPEST = 100


class Reader(Cursor):
    """Reads expressions from the place of the cursor."""

    def expression(self, depth: int = 0, inside: bool = False) -> Expression:
        """`inside` brackets lines mean nothing."""
        if depth > DEEPEST:
            self.fail("it is nested too deeply")
        condition = self._operation(0, depth + 1, inside)
        self._pass(inside)
        if not self.looking_at("?"):
            return condition
        self.place += 1
        self.skip()
        yes = self.expression(depth + 1, inside)
        self.skip()
        self.expect(":")
        self.skip()
        return Choice(condition, yes, self.expression(depth + 1, inside))

    def template(self, text: str, depth: int = 0) -> Expression:
        """A text that may hold interpolations, already without its quotes."""
        return _template(text, depth)

    # Private

    def _pass(self, inside: bool) -> None:
        if inside:
            self.skip()
        else:
            self.skip_spaces()

    def _operation(self, rank: int, depth: int, inside: bool) -> Expression:
        left = self._unary(depth, inside)
        while True:
            kept = self.place
            self._pass(inside)
            operator = self.take(_OPERATOR)
            if not operator or _RANKS[operator] < rank:
                self.place = kept
                return left
            self.skip()
            left = Operation(operator, (left, self._operation(_RANKS[operator] + 1, depth + 1, inside)))

    def _unary(self, depth: int, inside: bool) -> Expression:
        if depth > DEEPEST:
            self.fail("it is nested too deeply")
        self._pass(inside)
        if self.looking_at("!") or self.looking_at("-"):
            operator = self.text[self.place]
            self.place += 1
            inner = self._unary(depth + 1, inside)
            if operator == "-" and isinstance(inner, Literal) and isinstance(inner.value, (int, float)):
                return Literal(-inner.value)
            return Operation(operator, (inner,))
        return self._traversed(self._primary(depth), depth)

    def _primary(self, depth: int) -> Expression:
        if self.looking_at('"'):
            return self._quoted(depth)
        if self.looking_at("<<"):
            return self._heredoc(depth)
        if number := self.take(_NUMBER):
            return Literal(float(number) if set(number) & set(".eE") else int(number[:300]))
        for bracket, read in (("(", self._grouped), ("[", self._list), ("{", self._object)):
            if self.looking_at(bracket):
                self.place += 1
                return read(depth + 1)
        if not (word := self.take(_WORD)):
            self.fail("a value is expected here")
        if word in _CONSTANTS:
            return Literal(_CONSTANTS[word])
        if self.take(_CALLED):
            return self._call(word, depth + 1)
        return Name(word)

    def _grouped(self, depth: int) -> Expression:
        inner = self.expression(depth, inside=True)
        if not self.closed(")"):
            self.fail("')' is expected here")
        return inner

    def _call(self, name: str, depth: int) -> Expression:
        arguments: list[Expression] = []
        spread = False
        while not self.closed(")"):
            arguments.append(self.expression(depth, inside=True))
            self.skip()
            if self.looking_at("..."):
                self.place += 3
                spread = True
                continue
            if not self.looking_at(")"):
                self.expect(",")
        return Call(name, tuple(arguments), spread)

    def _list(self, depth: int) -> Expression:
        if loop := self._for(depth, "]"):
            return loop
        items: list[Expression] = []
        while not self.closed("]"):
            items.append(self.expression(depth, inside=True))
            self.skip()
            if not self.looking_at("]"):
                self.expect(",")
        return ListOf(tuple(items))

    def _object(self, depth: int) -> Expression:
        if loop := self._for(depth, "}"):
            return loop
        pairs: list[tuple[Expression, Expression]] = []
        while not self.closed("}"):
            key = self.expression(depth)
            if isinstance(key, Name):
                key = Literal(key.name)
            self.skip()
            self.expect(":" if self.looking_at(":") else "=")
            self.skip()
            pairs.append((key, self.expression(depth)))
            self.skip()
            if self.looking_at(","):
                self.place += 1
        return ObjectOf(tuple(pairs))

    def _for(self, depth: int, bracket: str) -> Expression | None:
        self.skip()
        if not (head := _FOR.match(self.text, self.place)):
            return None
        self.place = head.end()
        names = tuple(name for name in head.groups() if name)
        over = self.expression(depth, inside=True)
        self.skip()
        self.expect(":")
        self.skip()
        value, key, grouped, condition = self.expression(depth, inside=True), None, False, None
        self.skip()
        if self.looking_at("=>"):
            self.place += 2
            self.skip()
            key, value = value, self.expression(depth, inside=True)
            self.skip()
        if self.looking_at("..."):
            self.place += 3
            grouped = True
            self.skip()
        if self.take(_IF):
            condition = self.expression(depth, inside=True)
        if not self.closed(bracket):
            self.fail(f"{bracket!r} is expected here")
        return For(names, over, key, value, condition, grouped)

    def _traversed(self, found: Expression, depth: int) -> Expression:
        while True:
            if step := _STEP.match(self.text, self.place):
                self.place = step.end()
                if step[1] == "*":
                    return Splat(found, self._traversed(Name("*"), depth))
                found = Member(found, Literal(int(step[1])) if step[1].isdigit() else step[1])
            elif self.take(_FULL_SPLAT):
                return Splat(found, self._traversed(Name("*"), depth))
            elif self.take(_INDEX):
                key = self.expression(depth + 1, inside=True)
                if not self.closed("]"):
                    self.fail("']' is expected here")
                text = key.value if isinstance(key, Literal) and isinstance(key.value, str) else None
                found = Member(found, text if text is not None else key)
            else:
                return found

    def _quoted(self, depth: int) -> Expression:
        start = self.place + 1
        end = end_of_quoted(self.text, start)
        if end < 0:
            self.fail("a text is not closed")
        self.place = end + 1
        return _template(self.text[start:end], depth, escapes=True)

    def _heredoc(self, depth: int) -> Expression:
        head = _HEREDOC.match(self.text, self.place)
        if not head:
            self.fail("'<<' begins nothing here")
        end = re.compile(rf"^[ \t]*{re.escape(head[2])}[ \t]*$", re.MULTILINE).search(self.text, head.end())
        if not end:
            self.fail(f"{head[2]} does not end")
        self.place = end.end()
        body = self.text[head.end() : end.start()]
        if head[1]:
            lines = body.splitlines(keepends=True)
            indent = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
            body = "".join(line[indent:] if line.strip() else line.lstrip(" \t") for line in lines)
        return _template(body, depth)


_WORD = re.compile(r"[^\W\d][\w-]*(?:::[^\W\d][\w-]*)*")
_CALLED = re.compile(r"[ \t]*\(")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_OPERATOR = re.compile(r"&&|\|\||==|!=|<=|>=|<(?!<)|>|[-+*/%]")
_RANKS = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_STEP = re.compile(r"[ \t]*\.[ \t]*(\*|\d+|[^\W\d][\w-]*)")
_INDEX = re.compile(r"[ \t]*\[")
_FULL_SPLAT = re.compile(r"[ \t]*\[\s*\*\s*\]")
_FOR = re.compile(r"for\s+([^\W\d][\w-]*)\s*(?:,\s*([^\W\d][\w-]*)\s*)?\s+in\s+")
_IF = re.compile(r"if\b")
_HEREDOC = re.compile(r"<<(-?)\s*([^\W\d][\w-]*)[ \t]*\n")
_MARK = re.compile(r"\$\$\{|%%\{|\$\{|%\{")


def _template(text: str, depth: int, escapes: bool = False) -> Expression:
    if "${" not in text and "%{" not in text:
        return Literal(unescaped(text) if escapes else text)
    parts: list[str | Expression] = []
    place = 0
    while found := _MARK.search(text, place):
        parts.append(unescaped(text[place : found.start()]) if escapes else text[place : found.start()])
        if len(found[0]) == 3:
            parts.append(found[0][1:])
            place = found.end()
            continue
        end = end_of_code(text, found.end())
        if end < 0:
            raise UnreadableError("an interpolation is not closed")
        parts.append(_interpolated(text[found.end() : end], found[0], depth))
        place = end + 1
    parts.append(unescaped(text[place:]) if escapes else text[place:])
    kept = tuple(part for part in parts if part != "")
    if all(isinstance(part, str) for part in kept):
        return Literal("".join(part for part in kept if isinstance(part, str)))
    if len(kept) == 1 and not isinstance(kept[0], (str, Opaque)):
        return kept[0]
    return Template(kept)


def _interpolated(code: str, mark: str, depth: int) -> Expression:
    if mark == "%{":
        return Opaque("%{" + code + "}")
    inner = Reader(code.removeprefix("~").removesuffix("~"))
    inner.skip()
    found = inner.expression(depth + 1, inside=True)
    if not inner.ended():
        raise UnreadableError("an interpolation goes on where it should end")
    return found
