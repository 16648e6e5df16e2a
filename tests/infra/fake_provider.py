"""A provider for OpenTofu whose cloud is a JSON file, named by FAKE_CLOUD. Run by the test from end to end.

It needs the package `tf`, which the test installs; it is a program of its own and imports nothing of Tidegate. Three
types are enough: a database that must be replaced to be encrypted, a service that names its host, a queue.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from tf import runner, schema, types  # type: ignore[import-not-found,unused-ignore]
from tf.iface import Provider, Resource  # type: ignore[import-not-found,unused-ignore]
from tf.types import Unknown  # type: ignore[import-not-found,unused-ignore]

# Of each attribute: its kind, and the letters r(equired), c(omputed), f(orces a replacement), s(ecret).
TYPES: dict[str, dict[str, tuple[str, str]]] = {
    "db_instance": {
        "identifier": ("text", "rf"),
        "storage_encrypted": ("flag", "f"),
        "instance_class": ("text", ""),
        "backup_retention_period": ("number", ""),
        "password": ("text", "s"),
        "address": ("text", "c"),
    },
    "ecs_service": {"name": ("text", "rf"), "desired_count": ("number", ""), "database_host": ("text", "")},
    "sqs_queue": {"name": ("text", "rf"), "message_retention_seconds": ("number", "")},
}
KINDS = {"text": types.String, "number": types.Number, "flag": types.Bool}


LOCK = threading.Lock()


def cloud() -> Path:
    return Path(os.environ["FAKE_CLOUD"])


def read() -> dict[str, Any]:
    return dict(json.loads(cloud().read_text())) if cloud().exists() else {}


def write(key: str, values: dict[str, Any] | None) -> None:
    """OpenTofu asks for several resources at once, so one writes at a time and nobody reads half a file."""
    with LOCK:
        found = read()
        found.pop(key, None)
        if values is not None:
            found[key] = values
        half = cloud().with_suffix(".half")
        half.write_text(json.dumps(found, sort_keys=True))
        half.replace(cloud())


def attributes_of(name: str) -> list[Any]:
    found = [schema.Attribute("id", types.String(), computed=True)]
    for key, (kind, letters) in TYPES[name].items():
        needed, computed = "r" in letters, "c" in letters
        found.append(
            schema.Attribute(
                key,
                KINDS[kind](),
                required=needed,
                optional=not needed and not computed,
                computed=computed,
                sensitive="s" in letters,
                requires_replace="f" in letters,
            )
        )
    return found


def resource(name: str) -> type:
    """The resource of one type: what was planned is what is made, with an id and a host."""
    attributes = attributes_of(name)

    class Made(Resource):  # type: ignore[misc,unused-ignore]
        def __init__(self, provider: object) -> None:
            pass

        @classmethod
        def get_name(cls) -> str:
            return name

        @classmethod
        def get_schema(cls) -> Any:
            return schema.Schema(attributes=attributes, version=1)

        def plan(self, ctx: Any, current: Any, planned: Any) -> Any:
            for one in attributes if planned is not None else ():
                if one.computed:
                    planned[one.name] = current[one.name] if current else Unknown
            return planned

        def create(self, ctx: Any, planned: Any) -> Any:
            known = planned.get("identifier") or planned["name"]
            hosts = {"address": f"{known}.db.fake.example"} if "address" in planned else {}
            return self._kept({**planned, "id": f"{name}-{known}", **hosts})

        def read(self, ctx: Any, current: Any) -> Any:
            return read().get(f"{name}/{current['id']}")

        def update(self, ctx: Any, current: Any, planned: Any) -> Any:
            return self._kept(dict(planned))

        def delete(self, ctx: Any, current: Any) -> None:
            write(f"{name}/{current['id']}", None)

        def _kept(self, values: dict[str, Any]) -> dict[str, Any]:
            write(f"{name}/{values['id']}", values)
            return values

    return Made


class Fake(Provider):  # type: ignore[misc,unused-ignore]
    def get_model_prefix(self) -> str:
        return "aws_"

    def get_provider_schema(self, diagnostics: Any) -> Any:
        return schema.Schema(attributes=[])

    def full_name(self) -> str:
        return "tidegate.test/fake/aws"

    def validate_config(self, diagnostics: Any, config: Any) -> None:
        pass

    def configure_provider(self, diagnostics: Any, config: Any) -> None:
        pass

    def get_data_sources(self) -> list[Any]:
        return []

    def get_resources(self) -> list[type]:
        return [resource(name) for name in TYPES]


if __name__ == "__main__":
    runner.run_provider(Fake(), sys.argv)
