"""What readers of data lose: Avro schemas and the tables of databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.verify.contracts.avro import losses, read_avro
from tidegate.verify.contracts.check import check


def _found(path: str, before: str, after: str) -> list[tuple[str, str]]:
    part = check(subject_of({path: before}, {path: after}))
    assert not part.unknowns, part.unknowns
    return [(one.severity, one.message.partition(", ")[2].removesuffix(".")) for one in part.findings]


# Avro


def _record(*fields: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "record", "name": "User", "namespace": "a.b", "fields": fields, **more}, indent=1)


def _field(name: str, kind: Any = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


E = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
AVRO_LOST = {
    "new": (_record(), _record(_field("a")), "high", "`User.a` is asked for and has no default"),
    "gone": (_record(_field("a")), _record(), "medium", "readers of the old schema cannot read new data: `User.a`"),
    "type": (_record(_field("a")), _record(_field("a", "int")), "high", "`User.a` is string on the one side and int"),
    "wider": (_record(_field("a", "int")), _record(_field("a", "long")), "medium", "`User.a` is long"),
    "may be null": (
        _record(_field("a")),
        _record(_field("a", ["null", "string"])),
        "medium",
        "`User.a` is null on the one side and string",
    ),
    "never null": (_record(_field("a", ["null", "int"])), _record(_field("a", "int")), "high", "is null on the one"),
    "symbol": (_record(_field("a", E)), _record(_field("a", {**E, "symbols": ["A"]})), "high", "`E` lacks `B`"),
    "new symbol": (_record(_field("a", {**E, "symbols": ["A"]})), _record(_field("a", E)), "medium", "lacks `B`"),
    "name": (_record(), _record(name="Person"), "high", "the record `User` on the one side and `Person`"),
    "fixed": (
        _record(_field("a", {"type": "fixed", "name": "F", "size": 2})),
        _record(_field("a", {"type": "fixed", "name": "F", "size": 4})),
        "high",
        "has 2 bytes on the one side, 4",
    ),
    "inside": (
        _record(_field("a", {"type": "array", "items": "int"})),
        _record(_field("a", {"type": "array", "items": "string"})),
        "high",
        "`User.a[]` is int",
    ),
}


@pytest.mark.parametrize("name", AVRO_LOST)
def test_readers_of_avro_lose(name: str) -> None:
    before, after, severity, said = AVRO_LOST[name]
    found = _found("a/user.avsc", before, after)
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


AVRO_KEPT = {
    "default": (_record(), _record(_field("a", default="x"))),
    "gone with default": (_record(_field("a", default="x")), _record()),
    "order and words": (_record(_field("a"), _field("b")), _record(_field("b", doc="x"), _field("a"))),
    "long form": (_record(_field("a")), _record(_field("a", {"type": "string", "logicalType": "uuid"}))),
    "named twice": (_record(_field("a", E), _field("b", "E")), _record(_field("b", E), _field("a", "a.b.E"))),
}


@pytest.mark.parametrize("name", AVRO_KEPT)
def test_what_avro_readers_can_still_read_is_silent(name: str) -> None:
    assert _found("user.avsc", *AVRO_KEPT[name]) == []


@pytest.mark.parametrize("after", ["{", "[" * 5000 + "]" * 5000, '{"type": ' * 200 + "1" + "}" * 200])
def test_what_is_no_avro_is_unknown(after: str) -> None:
    part = check(subject_of({"user.avsc": _record()}, {"user.avsc": after}))
    assert "breaks" not in part.fields
    assert "user.avsc" in part.unknowns[0].reason


def test_a_type_that_holds_itself_ends() -> None:
    tree = _record(_field("left", ["null", "User"]), _field("right", {"type": "map", "values": "a.b.User"}))
    assert _found("t.avsc", tree, tree + "\n") == []


_TYPES = st.recursive(
    st.sampled_from(["null", "int", "long", "string", "bytes", "double"]),
    lambda inner: st.one_of(
        inner.map(lambda one: {"type": "array", "items": one}),
        inner.map(lambda one: {"type": "map", "values": one}),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda ones: {"type": "record", "name": "R", "fields": [_field(*one) for one in ones.items()]}
        ),
    ),
    max_leaves=6,
)


@given(_TYPES)
@settings(max_examples=60, deadline=None)
def test_what_was_written_with_a_schema_can_be_read_with_it(kind: Any) -> None:
    schema = read_avro(json.dumps(kind).encode())
    assert list(losses(schema, schema)) == []


# Tables


def _prisma(body: str) -> str:
    return f'datasource db {{\n  provider = "postgresql"\n}}\n{body}\n'


def _rails(body: str) -> str:
    head = "ActiveRecord::Schema[7.1].define(version: 1) do\n"
    return f'{head}  create_table "users", force: :cascade do |t|\n{body}  end\nend\n'


def _dump(body: str) -> str:
    return (
        f"-- PostgreSQL; a dump\nCREATE TABLE public.users (\n  {body}\n);\n"
        "CREATE FUNCTION f() RETURNS int AS $$ select 1; $$ LANGUAGE sql;\n"
    )


TABLES_LOST = {
    "prisma model": (
        "p.prisma",
        _prisma("model User {\n id Int\n}"),
        _prisma(""),
        "medium",
        "the table `User` is gone",
    ),
    "prisma field": (
        "p.prisma",
        _prisma('model User {\n id Int\n n String @map("nick")\n @@map("users")\n}'),
        _prisma('model User {\n id Int\n @@map("users")\n}'),
        "medium",
        "the column `users.nick` is gone",
    ),
    "prisma type": (
        "p.prisma",
        _prisma("model U {\n id Int\n}"),
        _prisma("model U {\n id String\n}"),
        "medium",
        "was int and is string now",
    ),
    "prisma null": (
        "p.prisma",
        _prisma("model U {\n id Int\n}"),
        _prisma("model U {\n id Int? // x\n}"),
        "low",
        "`U.id` may be null now",
    ),
    "prisma value": (
        "p.prisma",
        _prisma("enum E {\n A\n B\n}"),
        _prisma("enum E {\n A\n}"),
        "medium",
        "`E` no longer has `B`",
    ),
    "rails column": ("db/schema.rb", _rails('    t.string "a"\n'), _rails(""), "medium", "column `users.a` is gone"),
    "rails type": (
        "db/schema.rb",
        _rails('    t.string "a", limit: 20\n'),
        _rails('    t.string "a", limit: 10\n'),
        "medium",
        "was string limit: 20 and is string limit: 10 now",
    ),
    "rails table": ("db/schema.rb", _rails(""), _rails("").replace("users", "people"), "medium", "`users` is gone"),
    "sql column": ("db/structure.sql", _dump("id int,\n a text"), _dump("id int"), "medium", "`users.a` is gone"),
    "sql type": (
        "db/structure.sql",
        _dump("a numeric(10, 2) DEFAULT 0 NOT NULL"),
        _dump("a numeric(8,2) NOT NULL"),
        "medium",
        "was numeric(10,2) and is numeric(8,2) now",
    ),
    "sql null": ("db/structure.sql", _dump("a int NOT NULL"), _dump("a int"), "low", "`users.a` may be null now"),
    "sql enum": (
        "structure.sql",
        "CREATE TYPE public.e AS ENUM ('a', 'b');",
        "CREATE TYPE public.e AS ENUM ('b');",
        "medium",
        "the enum `e` no longer has `a`",
    ),
    "sql view": ("schema.sql", "CREATE VIEW v AS SELECT 1;", "", "medium", "`v` is gone"),
    "mysql": (
        "db/structure.sql",
        "CREATE TABLE `a` (\n `id` int(11) NOT NULL COMMENT 'x, y',\n KEY `k` (`id`), `b` enum('x','y')\n) ENGINE=A;",
        "CREATE TABLE `a` (`id` int(11) NOT NULL);",
        "medium",
        "the column `a.b` is gone",
    ),
}


@pytest.mark.parametrize("name", TABLES_LOST)
def test_readers_of_tables_lose(name: str) -> None:
    path, before, after, severity, said = TABLES_LOST[name]
    found = _found(path, before, after)
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


TABLES_KEPT = {
    "prisma relation": (
        "p.prisma",
        _prisma("model A {\n id Int\n b B[]\n}\nmodel B {\n id Int\n}"),
        _prisma("model A {\n id Int\n @@index([id])\n}\nmodel B {\n id Int\n}"),
    ),
    "rails index": ("db/schema.rb", _rails('    t.index ["a"], name: "i"\n'), _rails('    t.text "b", null: false\n')),
    "rails wider": ("db/schema.rb", _rails('    t.string "a", limit: 5\n'), _rails('    t.string "a", limit: 9\n')),
    "sql wider": ("structure.sql", _dump("a integer"), _dump("a bigint, b text NOT NULL, CONSTRAINT c CHECK (a > 0)")),
    "sql words": ("structure.sql", _dump("a character varying(9)"), _dump("a character  varying( 9 ) /* x */")),
}


@pytest.mark.parametrize("name", TABLES_KEPT)
def test_what_readers_of_tables_still_have_is_silent(name: str) -> None:
    assert _found(*TABLES_KEPT[name]) == []


def test_a_model_may_move_to_another_file_of_its_folder() -> None:
    one, two = "model A {\n id Int\n}\n", "model B {\n id Int\n}\n"
    assert check(subject_of({"db/a.prisma": one + two}, {"db/a.prisma": one, "db/b.prisma": two})).fields == {
        "breaks": ()
    }


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("p.prisma", "model A {\n" * 50_000),
        ("db/schema.rb", 'create_table "a" do |t|\n'),
        ("db/structure.sql", "CREATE TABLE a (" * 10),
        ("db/structure.sql", "/* " * 200_000),
        ("db/structure.sql", "'' '" * 100_000 + "'"),
        ("db/structure.sql", "".join(f"$a{n}$ " for n in range(50_000))),
    ],
)
def test_a_schema_of_tables_that_cannot_be_read_is_unknown(path: str, after: str) -> None:
    part = check(subject_of({path: "\n"}, {path: after}))
    assert "breaks" not in part.fields
    assert path in part.unknowns[0].reason


# AsyncAPI


def _messages(payload: str, channel: str = "user/signedup", way: str = "subscribe") -> str:
    return (
        f"asyncapi: 2.6.0\nchannels:\n  {channel}:\n    {way}:\n"
        "      message:\n        $ref: '#/components/messages/M'\n"
        f"components:\n  messages:\n    M:\n      payload:\n        type: object\n{payload}"
    )


def _channels(messages: str, action: str = "send") -> str:
    return (
        "asyncapi: 3.0.0\nchannels:\n  users:\n    address: user/new\n    messages:\n"
        + messages
        + f"operations:\n  go:\n    action: {action}\n    channel:\n      $ref: '#/channels/users'\n"
    )


A = "        properties:\n          a: {type: string}\n"
NEEDED = "        required: [a]\n" + A
ASYNC_LOST = {
    "channel": (_messages(A), _messages(A, "user/new"), "high", "the channel `user/signedup` is gone"),
    "way": (
        _messages(A),
        _messages(A, way="publish"),
        "high",
        "`user/signedup` no longer gives messages",
    ),
    "field got": (_messages(NEEDED), _messages(""), "high", "`a` in `M` of `user/signedup` is gone"),
    "field sent": (_messages(A, way="publish"), _messages(NEEDED, way="publish"), "medium", "has to be sent now"),
    "message": (
        _channels("      One: {payload: {}}\n      Two: {payload: {}}\n"),
        _channels("      One: {payload: {}}\n"),
        "high",
        "`user/new` no longer gives the message `Two`",
    ),
    "payload": (
        _channels("      One: {payload: {type: string}}\n", "receive"),
        _channels("      One: {payload: {type: integer}}\n", "receive"),
        "high",
        "`One` of `user/new` was string and is integer now",
    ),
}


@pytest.mark.parametrize("name", ASYNC_LOST)
def test_those_who_send_and_get_messages_lose(name: str) -> None:
    before, after, severity, said = ASYNC_LOST[name]
    found = _found("api/events.yaml", before, after)
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


@pytest.mark.parametrize(
    ("before", "after"),
    [(_messages(A), _messages(NEEDED)), (_messages(NEEDED, way="publish"), _messages(A, way="publish"))],
)
def test_messages_that_promise_more_or_ask_for_less_are_silent(before: str, after: str) -> None:
    assert _found("events.yml", before, after) == []
