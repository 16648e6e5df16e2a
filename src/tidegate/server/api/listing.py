"""Every endpoint of the API. What is not in this list does not exist."""

from __future__ import annotations

from tidegate.server.api import mine
from tidegate.server.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (*mine.ENDPOINTS,)
