"""Who is meant where the facts of a repository's change name a person: asked once for each change."""

from __future__ import annotations

from sqlalchemy import Connection

from tidegate.change.approvals import repository_uri
from tidegate.change.configuration import read_settings
from tidegate.errors import InputError
from tidegate.server.mirrors import open_mirrors
from tidegate.server.pseudonyms import marks_of, pseudonym_of_marks
from tidegate.server.service import Service
from tidegate.settings import Settings
from tidegate.store.repositories import Repository


class Naming:
    """The people of one repository as its settings at `base` know them.

    Where those cannot be read, a key of `[people]` is a name of this repository and of nothing else: what is said of it
    is found again by that name.
    """

    def __init__(self, service: Service, repository: Repository, base: str) -> None:
        self.uri = repository_uri(repository.slug)
        self._service = service
        self._repository = repository
        self._base = base
        self._read = False
        self._settings: Settings | None = None

    def pseudonym(self, connection: Connection, text: str, at: str) -> str:
        """How statements call whoever the facts write so."""
        marks = marks_of(text, self._repository, self._known())
        return pseudonym_of_marks(connection, marks, text, at)

    # Private

    def _known(self) -> Settings | None:
        if not self._read:
            self._read = True
            repository = self._repository
            try:
                with open_mirrors(self._service.config).open(repository.forge, repository.slug) as mirror:
                    self._settings = read_settings(mirror, self._base, {}).settings
            except InputError:
                self._settings = None
        return self._settings
