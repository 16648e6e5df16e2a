"""A provider for OpenTofu and Terraform that plans as hashicorp/aws does and whose cloud is the file FAKE_CLOUD.

A program of its own: it runs on the interpreter that has the package `tf` and imports nothing of Tidegate. As the real
provider it uses the old type system (defaults and empty values that nobody wrote may be planned), blocks nest, and an
attribute of a replaced resource is known only after apply where the cloud makes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf.provider as library  # type: ignore[import-not-found,unused-ignore]
from tf import runner, schema, types  # type: ignore[import-not-found,unused-ignore]
from tf.gen import tfplugin_pb2 as pb  # type: ignore[import-not-found,unused-ignore]
from tf.iface import DataSource, Provider, Resource  # type: ignore[import-not-found,unused-ignore]
from tf.types import Unknown  # type: ignore[import-not-found,unused-ignore]
from tf.utils import (  # type: ignore[import-not-found,unused-ignore]
    _to_attribute_path,
    read_dynamic_value,
    to_dynamic_value,
)

Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One attribute: its kind, its letters and what it is where nobody writes it. See `schemas.txt`."""

    name: str
    kind: str
    flags: str
    default: Any


@dataclass(frozen=True)
class Body:
    """A resource or a block: its attributes, its blocks (`+`, `*`, `%`) and the marks `@id`, `@arn`."""

    fields: tuple[Field, ...]
    blocks: tuple[tuple[str, str, str, Body], ...]
    marks: Mapping[str, str]


# Schemas


def read_schemas(text: str) -> dict[str, Body]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name: _resource(name, _body(inner, 2)) for name, inner in _parts(lines, 0)}


def _resource(name: str, body: Body) -> Body:
    names = {field.name for field in body.fields}
    added = [Field("id", "s", "C", None), Field("arn", "s", "C", None)]
    added += [Field("tags_all", "m", "c", None)] if "tags" in names else []
    return Body((*added, *body.fields), body.blocks, body.marks)


def _parts(lines: list[str], depth: int) -> Iterator[tuple[str, list[str]]]:
    starts = [place for place, line in enumerate(lines) if len(line) - len(line.lstrip()) == depth]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start].strip(), lines[start + 1 : end]


def _body(lines: list[str], depth: int) -> Body:
    fields: list[Field] = []
    blocks: list[tuple[str, str, str, Body]] = []
    marks: dict[str, str] = {}
    for head, inner in _parts(lines, depth):
        if head[0] == "@":
            key, _, value = head[1:].partition(" ")
            marks[key] = value
        elif head[0] in "+*%":
            name, _, flags = head[1:].partition(":")
            blocks.append((head[0], name, flags, _body(inner, depth + 2)))
        else:
            fields += [_field(token) for token in head.split()]
    return Body(tuple(fields), tuple(blocks), marks)


def _field(token: str) -> Field:
    written, equals, default = token.partition("=")
    name, kind, *flags = written.split(":")
    value: Any = default.replace("_by_", " by ") if equals else None
    if equals and kind in "nb":
        value = json.loads(default)
    letters = "".join(flags)
    return Field(name, kind, letters, value)


KINDS = {
    "s": types.String(),
    "n": types.Number(),
    "b": types.Bool(),
    "L": types.List(types.String()),
    "S": types.Set(types.String()),
    "N": types.List(types.Number()),
    "m": types.Map(types.String()),
}
EMPTY = {"s": "", "b": False, "L": [], "S": []}


class Objects(types.Set):  # type: ignore[misc,unused-ignore]
    """A set of objects that may also be written as blocks, as the rules of a security group."""

    def __init__(self, body: Body) -> None:
        self.body = body

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, value: Any) -> Any:
        return value

    def tf_type(self) -> bytes:
        inner = {field.name: json.loads(KINDS[field.kind].tf_type()) for field in self.body.fields}
        return json.dumps(["set", ["object", inner]]).encode()


class Nested(schema.NestedBlock):  # type: ignore[misc,unused-ignore]
    """A nested block as a list or a set; its values go through as they are."""

    def __init__(self, name: str, ordered: bool, body: Body) -> None:
        super().__init__(name, schema.NestMode.Set, block_of(body))
        self._ordered = ordered

    def to_pb(self) -> Any:
        found = super().to_pb()
        modes = pb.Schema.NestedBlock.NestingMode
        found.nesting = modes.LIST if self._ordered else modes.SET
        return found

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, value: Any) -> Any:
        return value


def block_of(body: Body) -> Any:
    return schema.Block(attributes=attributes(body), block_types=nested(body))


def attributes(body: Body) -> list[Any]:
    found = []
    for one in body.fields:
        always, needed = "C" in one.flags, "r" in one.flags
        found.append(
            schema.Attribute(
                one.name,
                KINDS[one.kind],
                required=needed,
                optional=not needed and not always,
                computed=always or "c" in one.flags,
                sensitive="z" in one.flags,
                requires_replace="f" in one.flags,
            )
        )
    objects = [(name, inner) for sort, name, _, inner in body.blocks if sort == "%"]
    return found + [schema.Attribute(name, Objects(inner), optional=True, computed=True) for name, inner in objects]


def nested(body: Body) -> list[Any]:
    return [Nested(name, sort == "+", inner) for sort, name, _, inner in body.blocks if sort != "%"]


# Planning


def planned(body: Body, prior: Values | None, proposed: Values, config: Values) -> Values:
    """What a resource will be: what is written, defaults, what it was, and Unknown for what the cloud will say."""
    found = _filled(body, prior is None, proposed)
    for sort, name, _, inner in body.blocks:
        if sort == "%" and isinstance(found.get(name), list):
            found[name] = [_without_nulls(inner, one) if isinstance(one, dict) else one for one in found[name]]
    if "tags_all" in found:
        found["tags_all"] = (found.get("tags") or {}) if config.get("tags_all") is None else config["tags_all"]
    return found


def _filled(body: Body, new: bool, values: Values) -> Values:
    found = dict(values)
    for field in body.fields:
        if found.get(field.name) is not None:
            continue
        if field.default is not None:
            found[field.name] = field.default
        elif new and ("c" in field.flags or "C" in field.flags):
            found[field.name] = Unknown
    for sort, name, _, inner in body.blocks:
        if sort == "%":
            if new and found.get(name) is None:
                found[name] = Unknown
        elif isinstance(found.get(name), list):
            found[name] = [_filled(inner, new, one) if isinstance(one, dict) else one for one in found[name]]
    return found


def _without_nulls(body: Body, values: Values) -> Values:
    kinds = {field.name: field.kind for field in body.fields}
    return {name: EMPTY.get(kinds[name]) if value is None else value for name, value in values.items()}


def forcing(body: Body, prior: Values, after: Values) -> Iterator[str]:
    """The names of what forces a replacement."""
    flags = [(field.name, field.flags) for field in body.fields] + [(name, f) for _, name, f, _ in body.blocks]
    for name, letters in flags:
        replaces = name.startswith("user_data") and after.get("user_data_replace_on_change") is True
        if ("f" in letters or replaces) and _canonical(prior.get(name)) != _canonical(after.get(name)):
            yield name


def _canonical(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(sorted(_canonical(one) for one in value))
    return "unknown" if value is Unknown else json.dumps(value, sort_keys=True, default=str)


class Servicer(library.ProviderServicer):  # type: ignore[misc,unused-ignore]
    """The library's server, with the planning of the old type system, whole blocks and forced replacements in them."""

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        body = self.app.bodies[request.type_name]
        prior, proposed, config = (
            read_dynamic_value(one) for one in (request.prior_state, request.proposed_new_state, request.config)
        )
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        after = planned(body, prior, proposed, config or {})
        forced = list(forcing(body, prior, after)) if prior is not None else []
        return pb.PlanResourceChange.Response(
            planned_state=to_dynamic_value(after),
            requires_replace=[_to_attribute_path([name]) for name in forced],
            legacy_type_system=True,
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = super().ApplyResourceChange(request, context)
        found.legacy_type_system = True
        return found


# The cloud


LOCK = threading.Lock()


def cloud() -> dict[str, Values]:
    path = Path(os.environ["FAKE_CLOUD"])
    return dict(json.loads(path.read_text())) if path.exists() else {}


def keep(key: str, values: Values | None) -> None:
    with LOCK:
        found = cloud()
        found.pop(key, None)
        if values is not None:
            found[key] = values
        path = Path(os.environ["FAKE_CLOUD"])
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(found, indent=1, sort_keys=True))
        beside.replace(path)


def made(type_: str, body: Body, values: Values) -> Values:
    """A resource as the cloud answers: everything that was unknown has a value, the same for the same resource."""
    known = {key: value for key, value in values.items() if value is not None and value is not Unknown}
    digest = hashlib.sha256(f"{type_} {json.dumps(known, sort_keys=True, default=str)}".encode()).hexdigest()
    found = dict(values)
    short = type_.removeprefix("aws_")
    initials = "".join(part[0] for part in short.split("_")) if "_" in short else short[:4]
    mark = body.marks.get("id", "")
    if found.get("id") in (None, Unknown):
        found["id"] = found[mark] if isinstance(found.get(mark), str) else f"{initials}-0{digest[:16]}"
    if found.get("arn") in (None, Unknown):
        pattern = body.marks.get("arn", f"{short.split('_')[0]}:eu-west-2:123456789012:{short}/{{id}}")
        filled = {key: value for key, value in found.items() if isinstance(value, str)}
        found["arn"] = "arn:aws:" + re.sub(r"\{(\w+)\}", lambda one: filled.get(one[1], filled["id"]), pattern)
    return _answered(body, found, found["id"], digest)


def _answered(body: Body, values: Values, id_: str, digest: str) -> Values:
    found = dict(values)
    number = int(digest[:6], 16)
    for field in body.fields:
        if found.get(field.name) is Unknown:
            text = f"{id_}.{field.name.replace('_', '-')}.fake.example"
            text = "eu-west-2" if field.name == "region" else text
            text = f"10.0.{number % 250}.{number // 250 % 250}" if field.name.endswith("_ip") else text
            found[field.name] = {"s": text, "n": 1, "b": False, "m": {}}.get(field.kind, [])
    for sort, name, _, inner in body.blocks:
        if found.get(name) is Unknown:
            found[name] = []
        elif sort != "%" and isinstance(found.get(name), list):
            found[name] = [_answered(inner, one, id_, digest) for one in found[name]]
    return found


def resource(type_: str, body: Body) -> type:
    class Kept(Resource):  # type: ignore[misc,unused-ignore]
        def __init__(self, provider: object) -> None:
            pass

        @classmethod
        def get_name(cls) -> str:
            return type_.removeprefix("aws_")

        @classmethod
        def get_schema(cls) -> Any:
            return schema.Schema(attributes=attributes(body), block_types=nested(body), version=1)

        def validate(self, diags: Any, type_name: str, config: Any) -> None:
            pass

        def create(self, ctx: Any, planned: Values) -> Values:
            return self._kept(planned)

        def read(self, ctx: Any, current: Values) -> Values | None:
            return cloud().get(f"{type_}/{current['id']}")

        def update(self, ctx: Any, current: Values, planned: Values) -> Values:
            return self._kept(planned)

        def delete(self, ctx: Any, current: Values) -> None:
            keep(f"{type_}/{current['id']}", None)

        def import_(self, ctx: Any, id: str) -> Values | None:
            return cloud().get(f"{type_}/{id}")

        def _kept(self, values: Values) -> Values:
            found = made(type_, body, values)
            keep(f"{type_}/{found['id']}", found)
            return found

    return Kept


POLICY = """
policy_id:s version:s json:s:C
+statement
  sid:s effect:s actions:S not_actions:S resources:S not_resources:S
  *principals
    type:s:r identifiers:S:r
  *condition
    test:s:r variable:s:r values:L:r
"""


class PolicyDocument(DataSource):  # type: ignore[misc,unused-ignore]
    """A policy written as blocks. While anything in it is unknown, the tool reads it only when it applies."""

    BODY = _body(POLICY.strip().splitlines(), 0)

    def __init__(self, provider: object) -> None:
        pass

    @classmethod
    def get_name(cls) -> str:
        return "iam_policy_document"

    @classmethod
    def get_schema(cls) -> Any:
        added = [schema.Attribute("id", types.String(), computed=True)]
        return schema.Schema(attributes=added + attributes(cls.BODY), block_types=nested(cls.BODY), version=1)

    def validate(self, diags: Any, type_name: str, config: Any) -> None:
        pass

    def read(self, ctx: Any, config: Values) -> Values:
        statements = [_statement(one) for one in config["statement"] or ()]
        text = json.dumps({"Version": config["version"] or "2012-10-17", "Statement": statements}, indent=2)
        return {**config, "id": hashlib.sha256(text.encode()).hexdigest()[:10], "json": text}


def _statement(one: Values) -> Values:
    found: Values = {"Sid": one["sid"]} if one["sid"] else {}
    found["Effect"] = one["effect"] or "Allow"
    names = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}
    for key, name in names.items():
        if one[key]:
            found[name] = one[key] if len(one[key]) > 1 else one[key][0]
    for principal in one["principals"] or ():
        listed = principal["identifiers"]
        found.setdefault("Principal", {})[principal["type"]] = listed if len(listed) > 1 else listed[0]
    for condition in one["condition"] or ():
        found.setdefault("Condition", {}).setdefault(condition["test"], {})[condition["variable"]] = condition["values"]
    return found


class Fake(Provider):  # type: ignore[misc,unused-ignore]
    """The provider; `region` alone is configured."""

    def __init__(self, bodies: dict[str, Body]) -> None:
        self.bodies = bodies

    def get_model_prefix(self) -> str:
        return "aws_"

    def get_provider_schema(self, diags: Any) -> Any:
        return schema.Schema(attributes=[schema.Attribute("region", types.String(), optional=True)])

    def full_name(self) -> str:
        return os.environ.get("FAKE_NAME", "registry.opentofu.org/hashicorp/aws")

    def validate_config(self, diags: Any, config: Any) -> None:
        pass

    def configure_provider(self, diags: Any, config: Any) -> None:
        pass

    def get_data_sources(self) -> list[Any]:
        return [PolicyDocument]

    def get_resources(self) -> list[Any]:
        return [resource(type_, body) for type_, body in self.bodies.items()]


if __name__ == "__main__":
    library.ProviderServicer = Servicer
    runner.run_provider(Fake(read_schemas(Path(__file__).with_name("schemas.txt").read_text())), sys.argv)
