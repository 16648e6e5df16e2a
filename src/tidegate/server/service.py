"""What a running service holds: handed to every endpoint, page and piece of background work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tidegate.server.cache import Cache
from tidegate.server.config import Config
from tidegate.server.together import Together

if TYPE_CHECKING:
    from tidegate.ledger.log import Log
    from tidegate.server.forge.values import Forge
    from tidegate.server.production.intake import Message, Taken
    from tidegate.store.engine import Database


class Service(Struct, frozen=True):
    """Opened once by `server/start.py`. `forges` are those that are configured, by their word in the tables.

    `wake` tells the background work that there is something in the inbox; it may be called from any thread, may do
    nothing, and nothing is lost where it fails: the sweeper looks by itself. `failing` says why the background work of
    this process ended for good; "" while it did not. `messages` are what production said and is written together.
    """

    config: Config
    database: Database
    log: Log
    forges: Mapping[str, Forge]
    now: Callable[[], str]
    wake: Callable[[], None]
    failing: Callable[[], str] = lambda: ""
    cache: Cache = field(default_factory=Cache)
    messages: Together[Message, Taken] = field(default_factory=Together)
