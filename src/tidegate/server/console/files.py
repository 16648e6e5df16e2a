"""Style and scripts. Their address changes with their content, so that a browser may keep them for ever."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tidegate.server.console.render import static_digest, static_files

FOR_EVER = "public, max-age=31536000, immutable"


def routes() -> list[Route]:
    """The one address under which all of them are."""

    async def serve(request: Request) -> Response:
        file = static_files().get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("there is no such file", 404)
        # A page of a version before asks for what it knew: it gets what there is, and keeps it for no time.
        kept = FOR_EVER if request.path_params["digest"] == static_digest() else "no-store"
        return Response(file.content, headers={"cache-control": kept}, media_type=file.media_type)

    return [Route("/static/{digest}/{name}", serve)]
