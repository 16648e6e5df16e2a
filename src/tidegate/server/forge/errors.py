"""What can go wrong with a forge."""

from __future__ import annotations

from tidegate.errors import InputError


class ForgeError(InputError):
    """A forge refused or did not answer. `retry_after` are seconds; None: asking again does not help."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", retry_after: float | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.retry_after = retry_after
