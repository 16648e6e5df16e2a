"""What a Prometheus reads of the service: its own registry, so that nothing else of the process is shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate import __version__
from tidegate.errors import TidegateError
from tidegate.server.service import Service
from tidegate.store import inbox

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """Counts requests as they end; reads the rest from the database when it is asked."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Kept(service))
        labels = ("method", "route", "status")
        self._requests = Counter("tidegate_requests", "Requests by route and status.", labels, registry=self._registry)
        self._seconds = Histogram(
            "tidegate_request_seconds", "How long requests took.", ("route",), registry=self._registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. `route` is the pattern, never the path: paths would be without number."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route or "none", str(status)).inc()
        self._seconds.labels(route or "none").observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)


# Private


class _Kept(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> list[Metric]:
        version = GaugeMetricFamily("tidegate_build", "Always 1.", labels=["version"])
        version.add_metric([__version__], 1)
        try:
            kept = self._read()
        except (DBAPIError, PoolTimeoutError, TidegateError):
            return [version, GaugeMetricFamily("tidegate_database_up", "Whether the database answers.", 0)]
        return [version, GaugeMetricFamily("tidegate_database_up", "Whether the database answers.", 1), *kept]

    def _read(self) -> list[Metric]:
        service = self._service
        with service.database.read() as connection:
            states = inbox.counts(connection)
        exposure = service.log.exposure()
        deliveries = GaugeMetricFamily("tidegate_deliveries", "Deliveries of forges by state.", labels=["state"])
        for state in ("new", "taken", "done", "ignored", "failed"):
            deliveries.add_metric([state], states.get(state, 0))
        return [
            deliveries,
            GaugeMetricFamily("tidegate_ledger_entries", "Entries of the ledger.", service.log.size()),
            GaugeMetricFamily("tidegate_ledger_witnessed", "Entries a quorum saw.", service.log.witnessed_size()),
            GaugeMetricFamily("tidegate_ledger_exposed_seconds", "Age of the oldest unseen entry.", exposure.oldest),
        ]
