"""Which digests of JavaScript and TypeScript move, and which stand still."""

from __future__ import annotations

import pytest

from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.typescript import TYPESCRIPT
from tidegate.reach.symbols import Digests

SOURCE = """
/** Says a. */
export function a(x: number, y = 1): string { return b(x) + "s"; }
export const K = 3, L = "four";
@Injectable({ a: 1 })
export class C extends D implements E {
  @Input() field: Foo = new Foo();
  constructor(private readonly s: Svc) { super(s); }
  get v(): number { return 1 }
  static async m<T>(q: T[], ...r: string[]): Promise<T> { function inner() { return 2; } return q[0]; }
}
export const obj = { run(a) { return a; }, go: (b) => b, n: 1 };
const fn = async (p) => { await p; };
export default { name: "x" };
interface I { p: string; m(a: number): void }
type Al = A | B;
enum En { X = 1, Y }
describe("s", () => { beforeEach(() => { setup(); }); it("t", () => { run(1); }); });
"""
PARTS = ("signature", "defaults", "decorators", "bases", "body", "docs")


def digests(source: str) -> dict[str, Digests]:
    return {one.name: one for one in TYPESCRIPT.read_digests(source.encode(), ".ts")}


def moved(before: str, after: str) -> list[str]:
    """What differs: "name: parts", "-name" and "+name"."""
    old, new = digests(before), digests(after)
    found = [f"-{name}" for name in old if name not in new] + [f"+{name}" for name in new if name not in old]
    for name in old.keys() & new.keys():
        parts = [part for part in PARTS if getattr(old[name], part) != getattr(new[name], part)]
        if parts:
            found.append(f"{name or 'module'}: {' '.join(parts)}")
    return sorted(found)


def test_digests_are_in_the_order_of_the_symbols() -> None:
    symbols = TYPESCRIPT.read_symbols(SOURCE.encode(), ".ts")
    made = TYPESCRIPT.read_digests(SOURCE.encode(), ".ts")
    assert [(one.name, one.kind, one.line, one.end_line) for one in made] == [
        (one.name, one.kind, one.line, one.end_line) for one in symbols.definitions
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ return b(x) + "s"; }', "{\n  // why\n  return b(x) +\n    's'\n}"),
        ('K = 3, L = "four";', "K = 3, /* four */\n  L = 'four'"),
        ("go: (b) => b, n: 1 };", "go: (b) => b,\n  n: 1,\n};"),
        ("static async m<T>(q: T[], ...r: string[])", "static async m<T>(\n    q: T[],\n    ...r: string[],\n  )"),
        ("enum En { X = 1, Y }", "enum En {\n  X = 1,\n  Y,\n}"),
    ],
)
def test_formatting_moves_nothing(before: str, after: str) -> None:
    assert before in SOURCE
    assert moved(SOURCE, SOURCE.replace(before, after)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("b(x) +", "c(x) +", ["a: body"]),
        ("y = 1", "y = 2", ["a: defaults"]),
        ("x: number", "x: string", ["a: signature"]),
        ("): string {", "): number {", ["a: signature"]),
        ("export function a", "function a", ["a: signature"]),
        ("K = 3", "K = 4", ["K: body"]),
        ("a: 1 }", "a: 2 }", ["C: decorators"]),
        ("extends D", "extends DD", ["C: bases"]),
        ("new Foo()", "new Bar()", ["C.field: body"]),
        ("field: Foo", "field: Fo", ["C.field: signature"]),
        ("@Input()", "@Input('x')", ["C.field: decorators"]),
        ("super(s)", "super(s, 1)", ["C.constructor: body"]),
        ("return 2", "return 3", ["C.m.inner: body"]),
        ("return q[0]", "return q[1]", ["C.m: body"]),
        ("return a;", "return a + 1;", ["obj.run: body"]),
        ("=> b,", "=> b + 1,", ["obj.go: body"]),
        ("n: 1", "n: 2", ["obj: body"]),
        ("await p", "await p()", ["fn: body"]),
        ("async (p)", "async (q)", ["fn: signature"]),
        ("async (p)", "(p)", ["fn: signature"]),
        ('name: "x"', 'name: "y"', ["default: body"]),
        ("p: string", "p: number", ["I: body"]),
        ("m(a: number)", "m(a: string)", ["I.m: signature"]),
        ("A | B", "A | C", ["Al: body"]),
        ("X = 1", "X = 2", ["En.X: body"]),
        ("setup()", "set()", ["s > beforeEach: body"]),
        ("run(1)", "run(2)", ["s > t: body"]),
        ("function a(", "function a2(", ["+a2", "-a"]),
        ("Says a", "Says b", ["a: docs", "module: docs"]),
    ],
)
def test_a_change_moves_what_it_changes(before: str, after: str, expected: list[str]) -> None:
    assert before in SOURCE
    assert moved(SOURCE, SOURCE.replace(before, after, 1)) == expected


def test_new_definitions_leave_the_module_as_it_is() -> None:
    assert moved(SOURCE, SOURCE + "export const ZZ = 1;\nexport class ZC { m() {} }\n") == ["+ZC", "+ZC.m", "+ZZ"]


def test_a_statement_of_the_module_is_its_body() -> None:
    assert moved(SOURCE, SOURCE + "sideEffect();\n") == ["module: body"]


def test_a_renamed_definition_keeps_everything_but_its_signature() -> None:
    old, new = digests(SOURCE)["a"], digests(SOURCE.replace("function a(", "function a2("))["a2"]
    assert [part for part in PARTS if getattr(old, part) != getattr(new, part)] == ["signature"]


def test_a_function_that_is_a_class_moves_only_its_constructor() -> None:
    before = b"function Store() { this.a = 1; }\nStore.prototype.b = function () { return 1; };\n"
    old = JAVASCRIPT.read_digests(before, ".js")
    new = JAVASCRIPT.read_digests(before.replace(b"this.a = 1", b"this.a = 2"), ".js")
    assert [one.name for one, other in zip(old, new, strict=True) if one != other] == ["Store.constructor"]
