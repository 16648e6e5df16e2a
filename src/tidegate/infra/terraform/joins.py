"""Which resource names which by value: an id, an ARN, an endpoint of one in an attribute of another.

This sees what no reference shows: a host in an environment variable, a queue's URL in a JSON document, a resource of
which the configuration is gone. Values that are short, common or shared by unlike resources join nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tidegate.infra.graph import Use
from tidegate.infra.values import Resource, Value

_IDENTITY = frozenset(
    "address arn bucket bucket_domain_name bucket_regional_domain_name cluster_endpoint configuration_endpoint"
    " configuration_endpoint_address connection_name default_hostname dns_name domain domain_name endpoint family fqdn"
    " function_name host hostname id identifier invoke_arn invoke_url key_id name primary_endpoint"
    " primary_blob_endpoint primary_endpoint_address private_dns_name private_fqdn qualified_arn reader_endpoint"
    " reader_endpoint_address replication_group_id repository_url self_link table_name unique_id uri url"
    " website_endpoint cluster_identifier".split()
)
_OWN = _IDENTITY | {"tags", "tags_all", "labels", "description", "comment", "self_link_unique", "timeouts", "owner_id"}
_STRONG = re.compile(r"^arn:|^https?://|^[a-z]+-[0-9a-f]{8,}$|^projects/|^/subscriptions/|^[\w-]+(\.[\w-]+){2,}$")
_RUN = re.compile(r"[\w.:/@%+*~-]+")
_SPLIT = re.compile(r"[:/@]+")
_TAIL = re.compile(r"(?:[:/]\*|/)+$")
_SUFFIX = re.compile(r"_?(names?|ids?|arns?|identifiers?|urls?|endpoints?|hosts?)$")
SHORTEST = 8
LONGEST = 200_000
MOST_NAMESAKES = 60


class Index:
    """The values that name resources, with the resources that they name."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._named: dict[str, list[tuple[str, str]]] = {}
        self._resolved: dict[tuple[str, str], str] = {}
        for one in resources:
            for key, value in one.values.items():
                if key in _IDENTITY and type(value) is str and len(value) > 2 and not value.isdigit():
                    self._named.setdefault(value, []).append((one.address, one.type))

    def values(self) -> frozenset[str]:
        return frozenset(self._named)

    def resolve(self, value: str, attribute: str) -> str:
        """The one resource that a value in this attribute names, "" where it is none or several could be meant."""
        key = (value, attribute.rpartition(".")[2])
        known = self._resolved.get(key)
        if known is None:
            known = self._resolved[key] = self._resolve(value, attribute)
        return known

    # Private

    def _resolve(self, value: str, attribute: str) -> str:
        if len(self._named.get(value, ())) > MOST_NAMESAKES:
            return ""
        candidates = dict(self._named.get(value, ()))
        hinted = {address: type_ for address, type_ in candidates.items() if _hints(attribute, type_)}
        if len(hinted) > 1:
            hinted = _heads(hinted)
        if len(hinted) == 1:
            return next(iter(hinted))
        if not _STRONG.match(value) and (len(value) < SHORTEST or not re.search(r"[-_./]", value)):
            return ""
        heads = _heads(candidates)
        return next(iter(heads)) if len(heads) == 1 else ""


class Mentions:
    """Finds in values the texts that name resources; each text and each mapping is looked at once."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._texts: dict[str, tuple[str, ...]] = {}
        self._seen: dict[int, tuple[Mapping[str, Value], Sequence[tuple[str, str]]]] = {}

    def of(self, values: Mapping[str, Value]) -> Sequence[tuple[str, str]]:
        """What these values name, each with the attribute that does."""
        known = self._seen.get(id(values))
        if known is None:
            found = list(
                dict.fromkeys(
                    one
                    for key, value in values.items()
                    if key not in _OWN and type(value) in (str, list, dict)
                    for one in self._walk(value, key)
                )
            )
            known = self._seen[id(values)] = (values, found)  # keeps the mapping alive, so that its id stays its own
        return known[1]

    # Private

    def _walk(self, value: Value, path: str) -> Iterator[tuple[str, str]]:
        if type(value) is str:
            found = self._texts.get(value)
            if found is None:
                found = self._texts[value] = tuple(self._named(value))
            if found and value[0] in "[{":
                yield from self._document(value, path, found)
            else:
                for name in found:
                    yield path, name
        elif type(value) is dict:
            label = value.get("name", value.get("key"))
            if type(label) is str and "value" in value:
                yield from self._walk(value["value"], f"{path.rpartition('.')[0] or path}.{label}")
                return
            for key, inner in value.items():
                if type(inner) in (str, list, dict):
                    yield from self._walk(inner, f"{path}.{key}")
        elif type(value) is list:
            for place, inner in enumerate(value):
                if type(inner) in (str, list, dict):
                    yield from self._walk(inner, path if type(inner) is str else f"{path}.{place}")

    def _named(self, text: str) -> Iterator[str]:
        if len(text) < 3 or len(text) > LONGEST:
            return
        if text in self._names:
            yield text
            return
        if len(text) <= SHORTEST:
            return
        seen = set()
        for run in _RUN.findall(text):
            whole = _TAIL.sub("", run)
            for piece in (run, whole, *_SPLIT.split(run)):
                if len(piece) >= SHORTEST and piece in self._names and piece not in seen:
                    seen.add(piece)
                    yield piece

    def _document(self, text: str, path: str, found: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, (dict, list)):
            yield from self._walk(document, path)
        else:
            for name in found:
                yield path, name


def joined(resources: Mapping[str, Resource], index: Index, mentions: Mentions) -> Iterator[Use]:
    """The uses that equal values show."""
    for address, resource in resources.items():
        for through, value in mentions.of(resource.values):
            used = index.resolve(value, through)
            if used and used != address:
                yield Use(address, used, through)


# Private


def _hints(attribute: str, type_: str) -> bool:
    """Whether an attribute is named after a type: `db_subnet_group_name` after `aws_db_subnet_group`."""
    stem = _SUFFIX.sub("", attribute.rpartition(".")[2].lower())
    return len(stem) > 2 and (type_.endswith((f"_{stem}", f"_{stem.rstrip('s')}")))


def _heads(candidates: Mapping[str, str]) -> dict[str, str]:
    """Candidates without those that are parts of another: a bucket's versioning carries the bucket's id."""
    if len(candidates) < 2:
        return dict(candidates)
    shortest = min(candidates.values(), key=len)
    if all(type_.startswith(shortest) for type_ in candidates.values()):
        return {address: type_ for address, type_ in candidates.items() if type_ == shortest}
    return dict(candidates)
