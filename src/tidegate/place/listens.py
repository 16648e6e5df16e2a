"""Where it waits for calls: a program that listens and has no route that was found has ways in that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tidegate.place.code import Code
from tidegate.place.values import Seen
from tidegate.reach.answer import EntryPoint


def read_unknown_ways(codes: Mapping[str, Code], points: Sequence[EntryPoint]) -> Seen | None:
    """The first place that listens for what no entry point answers; None where every listener has some."""
    kinds = {point.kind for point in points}
    for path, code in sorted(codes.items()):
        for number, line in code.spoken if code.kind == "source" else ():
            if "rpc" not in kinds and _RPC.search(line) and not _DEFINES.match(line):
                return Seen(path, number, "serves remote procedures, and none of them was found")
            if not kinds & {"http", "rpc"} and _LISTENS.search(line):
                return Seen(path, number, "listens, and no route of it was found")
    return None


# Private

_RPC = re.compile(
    r"\bgrpc\.NewServer\(|\bgrpc\.(?:aio\.)?server\(|\bRegister(?!Health)\w+Server\(|\badd_(?!Health)\w+Servicer_to_server\(|"
    r"\bnew grpc\.Server\(|\bServer::builder\(\)|\bServerBuilder\b"
)
_DEFINES = re.compile(r"\s*(?:func|def|fn|function|public|static)\b")
"""Generated stubs define the function that a server calls."""

_LISTENS = re.compile(
    r"\bListenAndServe\w*\(|\bnet\.Listen\w*\(|\.listen\(\s*(?:process\b|\w*port\b|\d{2,5}\b|\{)|\bcreateServer\(|"
    r"\buvicorn\.run\(|\bapp\.run\(|\bHTTPServer\(|\bSpringApplication\.run|\brunApplication<|\bHttpServer::new|\baxum::serve|"
    r"\bserve_forever\(|\bstart_server\(|\bWebApplication\.CreateBuilder|\b(?:Bun|Deno)\.serve\(|\bWEBrick\b|\bRackup?\b::|"
    r"\bwebsockets\.serve\(|\bnew WebSocketServer\(|\bTcpListener\b|\bsocket\.bind\(",
    re.IGNORECASE,
)
