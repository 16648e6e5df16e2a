"""What callers and clients lose: each rule on a contract drawn as the files before and after."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.verify.changes import subject_of
from tidegate.facts import Finding
from tidegate.verify.contracts.check import check

LIBRARY = '[project]\nname = "shop"\nversion = "1.4.0"\n[build-system]\nrequires = []\n'


def _python(before: str, after: str, **more: str) -> tuple[Finding, ...]:
    files = {"pyproject.toml": LIBRARY, "shop/__init__.py": "", **more}
    return check(subject_of({**files, "shop/cart.py": before}, {**files, "shop/cart.py": after})).findings


# Python

LOST = {
    "removed": ("def f(): ...", "", "`shop.cart.f` is gone", "high"),
    "deprecated": ("@deprecated('x')\ndef f(): ...", "", "`shop.cart.f` is gone, as was announced", "low"),
    "constant": ("LIMIT = 3", "", "`shop.cart.LIMIT` is gone", "medium"),
    "method": ("class A:\n def f(self): ...", "class A:\n pass", "`shop.cart.A.f` is gone", "high"),
    "parameter": ("def f(a, b=1): ...", "def f(a): ...", "no longer takes the parameter `b`", "medium"),
    "renamed": ("def f(a): ...", "def f(b): ...", "renames its parameter `a` to `b`", "medium"),
    "required": ("def f(a=1): ...", "def f(a): ...", "no longer has a default for `a`", "medium"),
    "new required": ("def f(a): ...", "def f(a, *, b): ...", "now asks for the parameter `b`", "medium"),
    "moved": ("def f(a, b): ...", "def f(b, a): ...", "takes `a` at another place: `b` has its place", "medium"),
    "put between": ("def f(a, c=1): ...", "def f(a, b=1, c=1): ...", "takes `c` at another place", "medium"),
    "by name": ("def f(a, b): ...", "def f(a, *, b): ...", "takes `b` only by its name now", "medium"),
    "by place": ("def f(a): ...", "def f(a, /): ...", "takes `a` only by its place now", "medium"),
    "awaited": ("def f(): ...", "async def f(): ...", "is now a coroutine", "medium"),
    "base": ("class A(dict, Mixin): ...", "class A(dict): ...", "no longer derives from `Mixin`", "medium"),
    "property": ("class A:\n def f(self): ...", "class A:\n @property\n def f(self): ...", "was a method", "high"),
    "field": (
        "@dataclass\nclass A:\n x: int",
        "@dataclass\nclass A:\n x: int\n y: int",
        "`shop.cart.A` now asks for the parameter `y`",
        "medium",
    ),
    "__all__": ("__all__ = ['f']\ndef f(): ...", "__all__ = []\ndef g(): ...", "`shop.cart.f` is gone", "high"),
}


@pytest.mark.parametrize("name", LOST)
def test_python_losses_are_told(name: str) -> None:
    before, after, said, severity = LOST[name]
    found = _python(before, after)
    assert [one.severity for one in found] == [severity], found
    assert said in found[0].message
    assert found[0].place.path == "shop/cart.py"


KEPT = {
    "added": ("def f(): ...", "def f(a=1, *, b=2): ...\ndef g(): ..."),
    "private": ("def _f(): ...\nclass A:\n def _g(self): ...", "class A: ..."),
    "alias": ("def f(a): ...", "def g(a): ...\nf = g"),
    "swallowed": ("def f(*, a=1): ...", "def f(**more): ..."),
    "inherited": (
        "class B:\n def f(self): ...\nclass A(B):\n def f(self): ...",
        "class B:\n def f(self): ...\nclass A(B): ...",
    ),
    "not listed": ("__all__ = ['g']\ndef g(): ...\ndef f(): ...", "__all__ = ['g']\ndef g(): ..."),
    "on demand": ("def f(): ...", "def __getattr__(name):\n if name == 'f': return 1"),
    "unknown base": ("class A(Far):\n def f(self): ...", "class A(Far): ..."),
    "overload": ("@overload\ndef f(a: int): ...\ndef f(a): ...", "def f(a): ..."),
    "default": ("def f(a=1): ...", "def f(a=2): ..."),
    "import": ("import os\nfrom json import loads", "pass"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_still_works_is_silent(name: str) -> None:
    assert _python(*KEPT[name]) == ()


def test_a_private_module_counts_where_its_package_gives_its_names() -> None:
    files = {"pyproject.toml": LIBRARY, "shop/__init__.py": "from ._cart import f\nfrom ._more import *\n"}
    more = {"shop/_more.py": "def g(a): ...\ndef _h(a): ..."}
    before = {**files, **more, "shop/_cart.py": "def f(a, b=1): ...\ndef hidden(a): ..."}
    after = {**files, "shop/_more.py": "def g(): ...", "shop/_cart.py": "def f(a): ..."}
    said = [one.message for one in check(subject_of(before, after)).findings]
    assert [one.split("`")[1] for one in said] == ["shop.f", "shop.g"], said


def test_a_name_that_moves_is_told_once_and_milder_where_the_package_still_gives_it() -> None:
    before = {"pyproject.toml": LIBRARY, "shop/__init__.py": "from .cart import f", "shop/cart.py": "def f(): ..."}
    after = {"pyproject.toml": LIBRARY, "shop/__init__.py": "from .new import f", "shop/new.py": "def f(): ..."}
    found = check(subject_of(before, after)).findings
    assert [(one.severity, one.message.split("`")[1]) for one in found] == [("medium", "shop.cart")]


@pytest.mark.parametrize(("path", "told"), [("shop/test.py", 1), ("shop/test/__init__.py", 0), ("shop/tests.py", 0)])
def test_a_module_for_the_tests_of_others_is_public(path: str, told: int) -> None:
    files = {"pyproject.toml": LIBRARY, "shop/__init__.py": ""}
    found = check(subject_of({**files, path: "def f(): ..."}, {**files, path: ""})).findings
    assert len(found) == told, found


def test_a_major_version_makes_it_a_note() -> None:
    before = {"pyproject.toml": LIBRARY, "shop/__init__.py": "def f(): ..."}
    after = {"pyproject.toml": LIBRARY.replace("1.4.0", "2.0.0"), "shop/__init__.py": ""}
    part = check(subject_of(before, after))
    assert [one.severity for one in part.findings] == ["note"]
    assert "1.4.0 to 2.0.0" in part.findings[0].message
    assert len(part.fields["breaks"]) == 1


@pytest.mark.parametrize("manifest", ['[project]\nname = "app"\n', "[tool.poetry]\npackage-mode = false\n", ""])
def test_an_application_promises_no_names(manifest: str) -> None:
    files = {"pyproject.toml": manifest, "shop/__init__.py": ""}
    part = check(subject_of({**files, "shop/a.py": "def f(): ..."}, {**files, "shop/a.py": ""}))
    assert part.fields == {"breaks": ()}


def test_python_that_cannot_be_parsed_is_unknown() -> None:
    files = {"pyproject.toml": LIBRARY, "shop/__init__.py": ""}
    part = check(subject_of({**files, "shop/a.py": "def f(): ..."}, {**files, "shop/a.py": "def f(:"}))
    assert "breaks" not in part.fields
    assert "shop/a.py" in part.unknowns[0].reason


def test_without_a_contract_nothing_breaks() -> None:
    assert check(subject_of({"a.txt": "x"}, {"a.txt": "y"})).fields == {"breaks": ()}


# OpenAPI


def _api(operation: dict[str, Any], schemas: dict[str, Any] | None = None, **root: Any) -> str:
    whole = {"openapi": "3.0.3", "paths": {"/users/{id}": {"get": operation}}, "components": {"schemas": schemas or {}}}
    return json.dumps({**whole, **root}, indent=1)


def _found(before: str, after: str, path: str = "api/openapi.json") -> list[tuple[str, str]]:
    part = check(subject_of({path: before}, {path: after}))
    assert not part.unknowns, part.unknowns
    return [(one.severity, one.message.partition(", ")[2]) for one in part.findings]


def _answer(schema: dict[str, Any], code: str = "200") -> dict[str, Any]:
    return {"responses": {code: {"content": {"application/json": {"schema": schema}}}}}


def _asks(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}, **more}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


TEXT = {"type": "string"}
QUERY = {"name": "q", "in": "query", "schema": TEXT}
API_LOST = {
    "response code": (_answer(TEXT), _answer(TEXT, "201"), "high", "is gone"),
    "response field": (_answer(_object(a=TEXT)), _answer(_object()), "medium", "`a` in the response 200"),
    "promised field": (_answer(_object(("a",), a=TEXT)), _answer(_object()), "high", "is gone"),
    "optional now": (_answer(_object(("a",), a=TEXT)), _answer(_object(a=TEXT)), "medium", "may be missing now"),
    "nullable": (_answer(TEXT), _answer({**TEXT, "nullable": True}), "medium", "may be null now"),
    "new answer": (_answer({"enum": ["a"]}), _answer({"enum": ["a", "b"]}), "low", "may also be `b` now"),
    "type": (_answer(TEXT), _answer({"type": "integer"}), "high", "was string and is integer now"),
    "sent field": (_asks(_object(a=TEXT)), _asks(_object(("a",), a=TEXT)), "medium", "has to be sent now"),
    "new sent field": (_asks(_object()), _asks(_object(("a",), a=TEXT)), "medium", "is new and has to be sent"),
    "enum": (_asks({"enum": ["a", "b"]}), _asks({"enum": ["a"]}), "medium", "no longer may be `b`"),
    "length": (_asks(TEXT), _asks({**TEXT, "maxLength": 5}), "medium", "had maxLength none and has 5 now"),
    "parameter": ({"parameters": [QUERY]}, {}, "medium", "query parameter `q` of `GET /users/{id}` is gone"),
    "needed": ({"parameters": [QUERY]}, {"parameters": [{**QUERY, "required": True}]}, "medium", "has to be sent"),
    "new needed": ({}, {"parameters": [{**QUERY, "required": True}]}, "medium", "is new and has to be sent"),
    "place": ({"parameters": [QUERY]}, {"parameters": [{**QUERY, "in": "header"}]}, "high", "is a header parameter"),
    "security": ({}, {"security": [{"key": []}]}, "medium", "asks for `key` now"),
    "body": (_asks(TEXT), {"requestBody": {"required": True, "content": {"application/json": {}}}}, "medium", "needs"),
}


@pytest.mark.parametrize("name", API_LOST)
def test_clients_of_an_api_lose(name: str) -> None:
    before, after, severity, said = API_LOST[name]
    found = _found(_api(before), _api(after))
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


API_KEPT = {
    "optional parameter": ({}, {"parameters": [QUERY]}),
    "wider type": (_asks({"type": "integer"}), _asks({"type": "number"})),
    "narrower answer": (_answer({"type": "number"}), _answer({"type": "integer"})),
    "more taken": (_asks({"enum": ["a"]}), _asks({"enum": ["a", "b"]})),
    "more given": (_answer(_object()), _answer(_object(("a",), a=TEXT))),
    "allOf": (_answer(_object(("a",), a=TEXT)), _answer({"allOf": [_object(("a",), a=TEXT), {"description": "x"}]})),
    "default": (_asks(_object()), _asks(_object(("a",), a={**TEXT, "default": "x"}))),
}


@pytest.mark.parametrize("name", API_KEPT)
def test_what_clients_can_still_do_is_silent(name: str) -> None:
    before, after = API_KEPT[name]
    assert _found(_api(before), _api(after)) == []


def test_operations_that_go_are_told_and_a_renamed_place_in_a_path_is_not() -> None:
    whole = {"openapi": "3.1.0", "paths": {"/a/{id}": {"get": {}, "post": {"deprecated": True}}, "/b": {"get": {}}}}
    less = {"openapi": "3.1.0", "paths": {"/a/{key}": {"get": {}}}}
    found = _found(json.dumps(whole), json.dumps(less))
    assert sorted(found) == [
        ("high", "the path `/b` is gone."),
        ("low", "`POST /a/{id}` is gone."),
    ]


def test_a_shared_schema_is_told_once_with_its_line() -> None:
    answer = _answer({"$ref": "#/components/schemas/User"})
    sides = []
    for user in (
        _object(a=TEXT, b={"$ref": "#/components/schemas/User"}),
        _object(b={"$ref": "#/components/schemas/User"}),
    ):
        paths = {path: {"get": answer} for path in ("/a", "/b")}
        sides.append(_api({}, {"User": user}, paths=paths))
    part = check(subject_of({"openapi.json": sides[0]}, {"openapi.json": sides[1]}))
    assert [one.message for one in part.findings] == [
        "In the API of openapi.json, `User.a` in the response 200 of `GET /a` is gone."
    ]
    assert '"User"' in sides[1].splitlines()[part.findings[0].place.line - 1]


def test_swagger_in_yaml_and_parts_in_other_files() -> None:
    answer = '{schema: {$ref: "parts/user.yaml#/User"}}'
    root = f'swagger: "2.0"\npaths:\n  /a:\n    get:\n      responses:\n        200: {answer}\n'
    before = "User:\n  type: object\n  required: [name]\n  properties:\n    name: {type: string}\n"
    after = "User:\n  type: object\n  properties: {}\n"
    part = check(
        subject_of(
            {"api/swagger.yaml": root, "api/parts/user.yaml": before},
            {"api/swagger.yaml": root, "api/parts/user.yaml": after},
        )
    )
    assert [one.severity for one in part.findings] == ["high"]
    assert "`User.name` in the response 200 of `GET /a` is gone" in part.findings[0].message


HOSTILE = (
    "openapi: 3.0.0\npaths: " + "[" * 5000,
    "openapi: 3.0.0\nx: &a [1]\ny: {{}: 1}\n\tz",
    "openapi: 3.0.0\n" + "- " * 4000,
    "not: an api",
)


@pytest.mark.parametrize("after", HOSTILE)
def test_an_api_that_cannot_be_read_is_unknown(after: str) -> None:
    part = check(subject_of({"openapi.yaml": "openapi: 3.0.0\npaths: {}"}, {"openapi.yaml": after}))
    assert "breaks" not in part.fields
    assert part.unknowns


def test_circles_of_references_and_aliases_end() -> None:
    bomb = "a0: &a0 {type: object}\n" + "".join(
        f"a{n}: &a{n} {{properties: {{x: *a{n - 1}, y: *a{n - 1}}}}}\n" for n in range(1, 40)
    )
    text = "openapi: 3.0.0\npaths:\n  /a: {get: {responses: {200: {content: {j: {schema: *a39}}}}}}\n"
    root, circle = bomb + text, {"U": {"$ref": "#/components/schemas/V"}, "V": {"$ref": "#/components/schemas/U"}}
    assert _found(root, root + "# end\n", "openapi.yaml") == []
    answer = _api(_answer({"$ref": "#/components/schemas/U"}), circle)
    assert _found(answer, answer + "\n") == []


# Protobuf


def _proto(body: str) -> str:
    return f'syntax = "proto3"; // first\npackage shop;\n{body}\n'


PROTO_LOST = {
    "field": ("message A { string b = 1; }", "message A { }", "field `A.b` is gone and its number 1 is not reserved"),
    "number": ("message A { string b = 1; }", "message A { string b = 2; }", "had the number 1 and has 2 now"),
    "type": ("message A { string b = 1; }", "message A { int32 b = 1; }", "was string and is int32 now"),
    "label": ("message A { string b = 1; }", "message A { repeated string b = 1; }", "is repeated string now"),
    "map": ("message A { map<string, int32> b = 1; }", "message A { map<string, Any> b = 1; }", "map<string,Any> now"),
    "name": ("message A { string b = 1; }", "message A { string c_d = 1; }", "is `cD` in JSON now"),
    "json": ("message A { string b = 1; }", 'message A { string b = 1 [json_name = "x"]; }', "is `x` in JSON now"),
    "nested": ("message A { message B { } }", "message A { }", "message `A.B` is gone"),
    "value": ("enum E { X = 0; Y = -1; }", "enum E { X = 0; }", "value `E.Y` is gone"),
    "rpc": ("service S { rpc F (A) returns (B); }", "service S { }", "rpc `S.F` is gone"),
    "stream": (
        "service S { rpc F (A) returns (B); }",
        "service S { rpc F (A) returns (stream B) {} }",
        "(stream B) now",
    ),
    "oneof": ("message A { oneof x { string b = 1; } }", "message A { oneof x { bytes c = 2; } }", "`A.b` is gone"),
}


@pytest.mark.parametrize("name", PROTO_LOST)
def test_peers_of_messages_lose(name: str) -> None:
    before, after, said = PROTO_LOST[name]
    found = _found(_proto(before), _proto(after), "shop.proto")
    assert len(found) == 1, found
    assert said in found[0][1]


PROTO_KEPT = {
    "reserved": ("message A { string b = 3; }", "message A { reserved 2 to 4, 9; }"),
    "added": ("message A { }", "message A { string b = 1; message C { } } enum E { X = 0; }"),
    "comment": ("message A { string b = 1; }", "/* { */ message A { // }\n  string b = 1 [deprecated = true]; }"),
    "same wire": ("message A { int32 b = 1; }", "message A { uint32 b = 1; }"),
    "options": ("message A { }", 'option go_package = "x"; message A { option (o) = { a: 1 }; }'),
}


@pytest.mark.parametrize("name", PROTO_KEPT)
def test_what_messages_still_carry_is_silent(name: str) -> None:
    before, after = PROTO_KEPT[name]
    assert _found(_proto(before), _proto(after), "shop.proto") == []


@pytest.mark.parametrize("after", ["message A {", "}", "message A {" * 300])
def test_a_broken_proto_is_unknown(after: str) -> None:
    part = check(subject_of({"a.proto": "message A { }"}, {"a.proto": after}))
    assert "breaks" not in part.fields
    assert "a.proto" in part.unknowns[0].reason
