"""Which service calls which: by hosts that manifests and code name, by clients, by the catalogue, and as measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tidegate.reach.answer import Service, ServiceCall
from tidegate.reach.services.interface import Mention
from tidegate.reach.services.mentions import hosts_in
from tidegate.reach.services.paths import services_of

IN_CODE = 0.8
BY_CLIENT = 0.6


def calls_between(
    mentions: Mapping[str, Sequence[Mention]], services: Sequence[Service], apis: Mapping[str, str]
) -> dict[str, tuple[ServiceCall, ...]]:
    """For each service by name whom it calls, of what was said of hosts and names. `apis` are API to provider."""
    book = _Book(services)
    found: dict[str, tuple[ServiceCall, ...]] = {}
    for name, said in mentions.items():
        calls: dict[str, ServiceCall] = {}
        for mention in said:
            if mention.name.startswith("api:"):
                target = apis.get(mention.name[4:], "")
            else:
                target = book.named(mention.name) if mention.by_name else book.host(mention.name)
            _keep(calls, name, ServiceCall(target, mention.reason, mention.probability))
        found[name] = tuple(calls[target] for target in sorted(calls))
    return found


def add_calls_from_code(
    services: Sequence[Service], texts: Mapping[str, Iterable[str]], names: Mapping[str, Iterable[str]] | None = None
) -> tuple[Service, ...]:
    """The services with the calls that their code shows.

    `texts` are for each file its text literals (`symbols.Text`), of which the hosts count; `names` what it refers to
    (the chains of its references), of which generated clients count: OrdersStub, NewOrdersServiceClient.
    """
    book = _Book(services)
    found: dict[str, list[ServiceCall]] = {}
    names = names or {}
    for path in sorted(texts.keys() | names.keys()):
        said = [
            (book.host(host), f"{host} in {path}", IN_CODE) for text in texts.get(path, ()) for host in hosts_in(text)
        ]
        for chain in names.get(path, ()):
            client = _CLIENT.search(chain)
            if client:
                said.append((book.client(client[1]), f"{client[0].strip('.')} in {path}", BY_CLIENT))
        calls = [(target, reason, chance) for target, reason, chance in said if target]
        for hit in services_of([path], services) if calls else ():
            own = found.setdefault(hit.service.name, [])
            own += [ServiceCall(target, reason, round(chance * hit.probability, 3)) for target, reason, chance in calls]
    return tuple(_with_calls(service, found.get(service.name, ())) for service in services)


def add_measured_calls(
    services: Sequence[Service], edges: Iterable[tuple[str, str]], source: str
) -> tuple[Service, ...]:
    """The services with the calls that were seen, as client and server; names that are no service here are left out."""
    book = _Book(services)
    found: dict[str, list[ServiceCall]] = {}
    for client, server in sorted(set(edges)):
        caller, target = (book.named(name) or book.host(name) for name in (client, server))
        if caller and target:
            found.setdefault(caller, []).append(ServiceCall(target, f"seen in {source}", 1.0))
    return tuple(_with_calls(service, found.get(service.name, ())) for service in services)


# Private

_CLIENT = re.compile(
    r"(?:^|[.\W])(?:[Nn]ew)?([A-Z][A-Za-z0-9]{2,60}?)(?:(?:Service)?(?:Blocking|Async|Future)?(?:Stub|Client))$"
)


class _Book:
    """Finds services by what others call them. A name that means two of them means none."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._names: dict[str, str | None] = {}
        self._hosts: dict[str, str | None] = {}
        for service in services:
            if service.kind != "package":
                _note(self._names, _plain(service.name), service.name)
            for host in service.hosts:
                _note(self._hosts, host, service.name)

    def named(self, name: str) -> str:
        return self._names.get(_plain(name)) or self.host(name)

    def host(self, host: str) -> str:
        """A host as it stands, or the name in `name.namespace.svc.cluster.local` and its like."""
        found = self._hosts.get(host) or self._names.get(_plain(host)) if "." not in host else self._hosts.get(host)
        first, _, rest = host.partition(".")
        if not found and rest and (rest == "default" or _INSIDE.search(f".{rest}.")):
            found = self._hosts.get(first) or self._names.get(_plain(first))
        return found or ""

    def client(self, stem: str) -> str:
        """The service whose generated client has this stem: Orders, OrdersService."""
        plain = _plain(stem).removesuffix("service")
        return self._names.get(plain) or self._names.get(f"{plain}service") or ""


_INSIDE = re.compile(r"\.(?:svc|local|internal|flycast|consul)\.")


def _note(book: dict[str, str | None], key: str, name: str) -> None:
    book[key] = name if book.get(key, name) == name else None


def _keep(calls: dict[str, ServiceCall], caller: str, call: ServiceCall) -> None:
    known = calls.get(call.target)
    if call.target and call.target != caller and (known is None or call.probability > known.probability):
        calls[call.target] = call


def _with_calls(service: Service, more: Sequence[ServiceCall]) -> Service:
    calls = {call.target: call for call in service.calls}
    for call in more:
        _keep(calls, service.name, call)
    return replace(service, calls=tuple(calls[target] for target in sorted(calls)))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
