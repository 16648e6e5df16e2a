"""What one source file says by itself: definitions, bindings, references. Nothing here depends on any other file.

Chains. An expression is written as a chain, a text that every language shares:

    chain := root step*
    root  := NAME           looked up in the scopes of the definition, from the inside out
           | self           the instance whose method this is (`this`, the Go receiver, ...)
           | cls            the class whose method this is
           | super          the instance, its method looked up after the own class
           | <SPEC>         a module, package or file as the import writes it: <.app>, <os.path>, <./util>, <net/http>
           | %NAME          an instance of a type of the language itself: %str, %list, %dict, %int, %func
           | ?              an expression that says nothing
    step  := .NAME          member
           | ()             the result of a call; an instance where a class is called (`new`)
           | []             an element of it: subscript, iteration
           | !              an instance of the class that the chain names (from a type annotation)
           | *              a container (list, dict, channel, iterator, promise of) of what the chain means

`x: list[Foo]` binds x to "Foo!*"; `for y in x` binds y to "x[]", which is then a Foo. `await` is transparent: an
async function answers with what it returns. A conditional or a union is several bindings of the same name.
`from .app import Flask as F` binds F to "<.app>.Flask"; `import os.path` binds os to "<os>" and `import os.path as p`
binds p to "<os.path>"; `from x import *` binds "*" to "<x>.*"; Go's `import f "fmt"` binds f to "<fmt>"; Java's
`import com.a.B` binds B to "<com.a>.B"; TypeScript's `import D from "./d"` binds D to "<./d>.default" and
`export { a as b } from "./c"` binds b to "<./c>.a" in the module.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

DefinitionKind: TypeAlias = Literal[
    "module", "class", "interface", "function", "method", "property", "constant", "variable", "type"
]
Visibility: TypeAlias = Literal["public", "private"]
BindingKind: TypeAlias = Literal["import", "assign", "annotation", "narrow", "default"]
ReferenceKind: TypeAlias = Literal["call", "read", "write", "pass", "inherit", "decorate", "type", "override", "import"]


class Parameter(Struct, frozen=True, array_like=True, gc=False):
    """One parameter. `type` (alternatives joined by "|") and `default` are chains or ""; `kind` is "*", "**" or ""."""

    name: str
    type: str = ""
    default: str = ""
    kind: str = ""


class Definition(Struct, frozen=True, array_like=True, gc=False):
    """One named definition. Lines count from 1 and include decorators.

    `name` is qualified inside its file: "Flask.wsgi_app", "outer.inner"; "" for the module, which is definition 0.
    `parent` is the index of the enclosing definition, -1 for the module. Two definitions of one name (overloads,
    branches) are two entries. `bases` are what it inherits, mixes in or implements; `returns` are chains of what a
    call of it gives (annotation and return expressions, read inside it); `decorators` are chains, with the arguments of
    the call written as a Reference of kind "decorate". `flags`: async, static, class, property, abstract, generator,
    overload, exported, anonymous, test.
    Constants are module- or class-level names with an upper-case or `const` definition; other module- and class-level
    names are variables. Local variables are no definitions. An anonymous function is not a definition: what it does
    belongs to the definition around it.
    """

    name: str
    kind: DefinitionKind
    line: int
    end_line: int
    parent: int
    visibility: Visibility = "public"
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    returns: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


class Binding(Struct, frozen=True, array_like=True, gc=False):
    """`name` means `value` (a chain) in the definition `scope`; the chain is read inside the definition `within`.

    `self.x = Foo(y)` in a method binds x in the class, within the method. A parameter is no binding, unless its value
    is known (`narrow`: isinstance).
    """

    scope: int
    name: str
    value: str
    kind: BindingKind
    within: int
    line: int = 0


class Reference(Struct, frozen=True, array_like=True, gc=False):
    """The definition `within` uses `chain` at `line`.

    For a call the chain is the callee, without the final "()". `arguments` are the call's: a chain, or a text literal
    as it stands between double quotes (at most 200 characters, escapes resolved, f-strings and templates with {} for
    their holes), or "name=" before either; "" for what is neither. References inside arguments are listed too; a
    function or class that is handed over is a reference of kind "pass".
    `branch` says under which condition the line runs when `within` does: 0 always, 1 in a loop, 2 after a possible
    early exit, 3 in one branch, 4 in a branch of a branch, 5 in an exception handler.
    A read is listed when the chain has a root other than a local variable of plain value (extractors may leave out
    reads of parameters and locals that have no member step).
    """

    within: int
    kind: ReferenceKind
    chain: str
    line: int
    arguments: tuple[str, ...] = ()
    branch: int = 0


class Text(Struct, frozen=True, array_like=True, gc=False):
    """A text literal that may name something outside the code: a path, a dotted name, a URL, SQL, an event name.

    Only literals of 3 to 200 characters that hold a "/", "." or "_" between word characters, a "://", or that begin
    with an SQL verb are listed.
    """

    within: int
    value: str
    line: int


class Gap(Struct, frozen=True, array_like=True, gc=False):
    """A place where reading stops: `reason` is "reflection", "eval", "dynamic-import", "syntax" or "macro"."""

    within: int
    reason: str
    line: int


class FileSymbols(Struct, frozen=True, array_like=True):
    """What one file says. `package` is the package or namespace that it declares; `error` says why it was not read."""

    definitions: tuple[Definition, ...] = ()
    bindings: tuple[Binding, ...] = ()
    references: tuple[Reference, ...] = ()
    texts: tuple[Text, ...] = ()
    gaps: tuple[Gap, ...] = ()
    package: str = ""
    error: str = ""


class Digests(Struct, frozen=True, array_like=True, gc=False):
    """What one definition is made of, as short digests that white space, comments and formatting do not change.

    `signature` covers the name, parameters, types and returns; `defaults` the default values; `decorators` the
    decorators and annotations; `bases` the bases; `body` the rest without documentation and without the definitions
    inside it; `docs` the documentation.
    """

    name: str
    kind: DefinitionKind
    line: int
    end_line: int
    signature: str
    defaults: str
    decorators: str
    bases: str
    body: str
    docs: str


def unread(reason: str) -> FileSymbols:
    """A file that could not be read: it has no symbols, and says so."""
    return FileSymbols(error=reason)
