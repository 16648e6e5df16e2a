"""What a running service holds: handed to every endpoint, page and piece of background work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.server.config import Config

if TYPE_CHECKING:
    from tidegate.ledger.log import Log
    from tidegate.server.forge.values import Forge
    from tidegate.store.engine import Database


class Service(Struct, frozen=True):
    """Opened once by `server/start.py`. `forges` are those that are configured, by their word in the tables.

    `wake` tells the background work that there is something in the inbox; it may be called from any thread, may do
    nothing, and nothing is lost where it fails: the sweeper looks by itself.
    """

    config: Config
    database: Database
    log: Log
    forges: Mapping[str, Forge]
    now: Callable[[], str]
    wake: Callable[[], None]
