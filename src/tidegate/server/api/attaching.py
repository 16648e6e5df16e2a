"""What was measured of a change elsewhere, handed in by a pipeline: reports, plans, transcripts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import Digest, Line, found
from tidegate.server.api.problems import Problem
from tidegate.server.attach import attach as attach_file
from tidegate.store import attachments, changes
from tidegate.store.attachments import Attachment, Kind, NewAttachment

MOST_BYTES = 32 << 20
"""Of one file, before base64."""


class Attaching(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of this head, which must be the change's own now. `data` is base64."""

    head: Digest
    kind: Kind
    name: Line
    data: Annotated[bytes, Meta(min_length=1, max_length=MOST_BYTES)]


class Attachments(Struct, frozen=True):
    items: tuple[Attachment, ...]


def attached(ask: Ask[Nothing, Nothing]) -> Attachments:
    """Of the head that the change has now, in the order in which they came."""
    with ask.service.database.read() as connection:
        change = found(changes.get(connection, ask.path["change"]), "change")
        return Attachments(attachments.of_head(connection, change.id, change.head))


def attach(ask: Ask[Nothing, Attaching]) -> Attachment:
    """Whoever attaches vouches for it. An agent may say how it worked, and not what its work is worth."""
    given = ask.body
    if ask.who.role == "agent" and given.kind != "transcript":
        raise Problem(409, "an agent attaches transcripts alone", mend="let the pipeline attach what it measured")
    with ask.service.database.read() as connection:
        change = found(changes.get(connection, ask.path["change"]), "change")
    if change.head != given.head:
        raise Problem(409, "this is not the head of the change any more", detail=change.head)
    new = NewAttachment(change.id, ask.who.person, given.head, given.kind, given.name, given.data)
    return attach_file(ask.service, new).attachment


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/changes/{change:int}/evidence",
        needs="changes:read",
        summary="What was attached to the head",
        handler=attached,
        answer=Attachments,
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/evidence",
        needs="evidence:write",
        summary="Attach a report, a plan or a transcript",
        handler=attach,
        body=Attaching,
        answer=Attachment,
        problems=(409,),
        status=201,
        most_bytes=MOST_BYTES * 4 // 3 + 4096,
    ),
)
