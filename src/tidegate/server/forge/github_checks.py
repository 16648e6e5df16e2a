"""Check runs: ours kept once for each decision, others of our name found out.

https://docs.github.com/en/rest/checks/runs: 50 annotations a request, further ones are appended; 65,535 characters in
`summary` and in `text`. An App can change only its own runs. What a branch rule should require is our name *from our
App*; where it requires the name from anybody, the newest run counts, so ours is made anew after a foreign one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.http import Answer, Client
from tidegate.server.forge.texts import brief, fit
from tidegate.server.forge.values import NAME, Annotation, Check

ANNOTATIONS_A_REQUEST = 50
LONGEST_OUTPUT = 65_535
LONGEST_TITLE = 255


def put_run(client: Client, slug: str, check: Check, app: int) -> str:
    """Our newest run on this head says this now; its id. A crash between two requests leaves no doubles.

    Only the newest run counts at GitHub: an older one that said the same once is never taken up again.
    """
    known = _newest(client, slug, check.head, app)
    if known is not None and not _can_become(known, check):
        known = None
    parts = _parts(check.annotations[known.output.annotations_count if known is not None else 0 :])
    first = _body(check, parts[0])
    if known is not None:
        identifier = known.id
        client.ask("PATCH", f"/repos/{slug}/check-runs/{identifier}", first)
    else:
        made = client.ask("POST", f"/repos/{slug}/check-runs", {**first, "head_sha": check.head})
        identifier = _got(made).read(_Made).id
    for part in parts[1:]:
        client.ask("PATCH", f"/repos/{slug}/check-runs/{identifier}", _body(check, part))
    return str(identifier)


def forged_runs(client: Client, slug: str, commit: str, app: int) -> tuple[tuple[str, ...], str]:
    """Runs of our name by others, and what ours says ("" where there is none): ours is made the newest again."""
    runs = sorted(_runs(client, slug, commit), key=lambda run: run.id)
    ours = [run for run in runs if _is_ours(run, app)]
    others = [run for run in runs if not _is_ours(run, app)]
    if ours and others and others[-1].id > ours[-1].id:
        client.ask("POST", f"/repos/{slug}/check-runs", _again(ours[-1], commit))
    named = tuple(f"a check run by the app {_name(run)} ({run.conclusion or run.status})" for run in others)
    return named, (ours[-1].conclusion or "") if ours else ""


# Private


class _App(Struct):
    id: int
    slug: str | None = None
    name: str | None = None


class _Output(Struct):
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations_count: int = 0


class _Run(Struct):
    id: int
    head_sha: str
    status: str
    output: _Output
    conclusion: str | None = None
    external_id: str | None = None
    details_url: str | None = None
    app: _App | None = None


class _Runs(Struct):
    check_runs: list[_Run]


class _Made(Struct):
    id: int


def _newest(client: Client, slug: str, head: str, app: int) -> _Run | None:
    ours = (run for run in _runs(client, slug, head, f"&app_id={app}") if _is_ours(run, app))
    return max(ours, key=lambda run: run.id, default=None)


def _runs(client: Client, slug: str, commit: str, query: str = "") -> Iterator[_Run]:
    path = f"/repos/{slug}/commits/{commit}/check-runs?check_name={quote(NAME)}&filter=all&per_page=100{query}"
    for page in client.pages(path, _Runs):
        yield from page.check_runs


def _can_become(run: _Run, check: Check) -> bool:
    """Annotations cannot be taken back, and a run that ended cannot begin again: then another one takes its place."""
    ended = run.status == "completed" and check.conclusion is None
    return not ended and (run.external_id == check.key or not run.output.annotations_count)


def _is_ours(run: _Run, app: int) -> bool:
    return run.app is not None and run.app.id == app


def _parts(annotations: tuple[Annotation, ...]) -> list[tuple[Annotation, ...]]:
    cuts = range(0, max(len(annotations), 1), ANNOTATIONS_A_REQUEST)
    return [annotations[cut : cut + ANNOTATIONS_A_REQUEST] for cut in cuts]


def _body(check: Check, annotations: tuple[Annotation, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": NAME,
        "external_id": check.key,
        "status": "in_progress" if check.conclusion is None else "completed",
        "output": {
            "title": brief(check.title, LONGEST_TITLE),
            "summary": fit(check.summary, LONGEST_OUTPUT),
            "text": fit(check.text, LONGEST_OUTPUT),
            "annotations": [_annotation(one) for one in annotations],
        },
    }
    if check.conclusion is not None:
        body["conclusion"] = check.conclusion
    if check.url.startswith(("https://", "http://")):
        body["details_url"] = check.url
    return body


def _annotation(one: Annotation) -> dict[str, Any]:
    return {
        "path": one.path,
        "start_line": max(one.first, 1),
        "end_line": max(one.last, one.first, 1),
        "annotation_level": one.level,
        "title": brief(one.title, LONGEST_TITLE),
        "message": fit(one.message, LONGEST_OUTPUT) or one.level,
    }


def _again(run: _Run, commit: str) -> dict[str, Any]:
    """What our newest run says, without its annotations, which stay where they are."""
    output = {"title": run.output.title or NAME, "summary": run.output.summary or "", "text": run.output.text or ""}
    said = {"external_id": run.external_id, "conclusion": run.conclusion, "details_url": run.details_url}
    body = {"name": NAME, "head_sha": commit, "status": run.status, "output": output}
    return body | {name: value for name, value in said.items() if value}


def _name(run: _Run) -> str:
    return ((run.app.slug or run.app.name) if run.app else "") or "that is unknown"


def _got(answer: Answer | None) -> Answer:
    if answer is None:
        raise ForgeError("the forge answered nothing")
    return answer
