"""What infrastructure hits, carried on into the repository: the services that run there and the lines that read it.

A database reaches code through an environment variable: the task definition sets DB_HOST from the endpoint, and some
line reads DB_HOST. Services are matched by the name of what runs them or of its image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.facts import Effect
from tidegate.infra.judge import Judgement
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Later, Resource, Value, World

RUNS_CODE = frozenset(
    """aws_ecs_service aws_ecs_task_definition aws_lambda_function aws_batch_job_definition aws_apprunner_service
    google_cloud_run_service google_cloud_run_v2_service google_cloud_run_v2_job google_cloudfunctions_function
    google_cloudfunctions2_function azurerm_container_app azurerm_linux_web_app azurerm_linux_function_app
    kubernetes_deployment kubernetes_deployment_v1 kubernetes_stateful_set kubernetes_cron_job_v1
    apps/Deployment apps/StatefulSet apps/DaemonSet batch/CronJob batch/Job""".split()
)
MOST_VARIABLES = 20
MOST_PLACES = 3

_SETS = (".tf", ".tfvars", ".hcl", ".yaml", ".yml", ".json", ".md", ".lock", ".toml", ".env")
"""Files that set variables or speak of them, and read none."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PARTS = re.compile(r"[^a-z0-9]+")


class Running(Protocol):
    """A service of the repository."""

    @property
    def name(self) -> str: ...
    @property
    def owner(self) -> str: ...


Reads = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]
"""Where each of these variables is read, as `path:line`."""


def join(judged: Judgement, services: Callable[[], Iterable[Running]], reads: Reads) -> Judgement:
    """The same judgement, the dependents of grave effects followed by services with their owners and by lines of code.

    Neither is asked for where no effect is medium or more.
    """
    grave = [one for one in judged.effects if ORDER.index(one.severity) >= ORDER.index("medium") and one.source]
    variables = {effect.address: _variables(effect, judged.worlds) for effect in grave}
    hosts = {effect.address: _names(effect, judged.worlds) for effect in grave}
    wanted = sorted({name for names in variables.values() for name in names})[:MOST_VARIABLES]
    places = reads(wanted) if wanted else {}
    known = sorted(services(), key=lambda one: one.name) if any(hosts.values()) else []
    more: dict[str, tuple[str, ...]] = {}
    for address, names in variables.items():
        said = [_service(one) for one in known if _runs(one, hosts[address])]
        said += [f"{place} (reads {name})" for name in names for place in places.get(name, ())[:MOST_PLACES]]
        more[address] = tuple(dict.fromkeys(said))
    effects = tuple(
        replace(one, dependents=(*one.dependents, *more[one.address])) if more.get(one.address) else one
        for one in judged.effects
    )
    return replace(judged, effects=effects)


def reads_in(repository: Repository, tree: str) -> Reads:
    """Where a tree reads variables, by one process: in programs, not in the infrastructure that sets them."""

    def ask(names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        patterns = [part for name in names for part in ("-e", name)]
        raw = repository.run("grep", "-n", "-w", "-I", "-F", "-z", *patterns, tree, ok=(0, 1))
        found: dict[str, list[str]] = {}
        for line in raw.decode("utf-8", "replace").split("\n"):
            path, _, rest = line.partition("\0")
            if path.endswith(_SETS):
                continue
            number, _, text = rest.partition("\0")
            place = f"{path.removeprefix(f'{tree}:')}:{number}"
            for name in names:
                if name in text:
                    found.setdefault(name, []).append(place)
        return found

    return ask


# Private


def _variables(effect: Effect, worlds: Iterable[World]) -> tuple[str, ...]:
    """The environment variables through which something is told of the resource of an effect."""
    found = []
    for world in worlds:
        for use in world.uses_before.users(effect.address):
            found += _VARIABLE.findall(use.through)
            user = world.before.get(use.user)
            if user is not None and user.type in RUNS_CODE:
                found += [
                    key
                    for key, value in _leaves(user.values)
                    if isinstance(value, Later) and _VARIABLE.fullmatch(key) and _names_it(value, effect.address)
                ]
    return tuple(dict.fromkeys(found))


def _names_it(value: Later, address: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(address)}(?![\w-])", value.words) is not None


def _leaves(value: Value, key: str = "") -> Iterator[tuple[str, Value]]:
    """Every plain value with its name, the list `{name = "DB_HOST", value = ...}` of containers read as one."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with suppress(ValueError, RecursionError):
            yield from _leaves(json.loads(value), key)
            return
    if isinstance(value, Mapping):
        name = value.get("name")
        for inner_key, inner in value.items():
            yield from _leaves(inner, name if inner_key == "value" and isinstance(name, str) else inner_key)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner, key)
    else:
        yield key, value


def _names(effect: Effect, worlds: Sequence[World]) -> tuple[frozenset[str], ...]:
    """The names, in words, of what runs code and needs the resource, or is it."""
    found: list[frozenset[str]] = []
    for address in (effect.address, *effect.dependents, *effect.path):
        for world in worlds:
            resource = world.before.get(address) or world.after.get(address)
            if resource is not None and resource.type in RUNS_CODE:
                found += [_words(name) for name in _called(resource)]
    return tuple(dict.fromkeys(found))


def _called(resource: Resource) -> Iterator[str]:
    for key in ("name", "function_name", "family"):
        if isinstance(value := resource.values.get(key), str):
            yield value
    metadata = resource.values.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str):
        yield metadata["name"]
    for key, value in _leaves(resource.values):
        if key in ("image", "image_uri") and isinstance(value, str):
            yield value.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _runs(service: Running, names: Iterable[frozenset[str]]) -> bool:
    """Whether one of the names holds all words of the service: `shop-api-prod` runs `api` and `shop-api`."""
    words = _words(service.name)
    return bool(words) and any(words <= name for name in names)


def _words(name: str) -> frozenset[str]:
    return frozenset(part for part in _PARTS.split(name.lower()) if part)


def _service(one: Running) -> str:
    return f"service {one.name} ({one.owner})" if one.owner else f"service {one.name}"
