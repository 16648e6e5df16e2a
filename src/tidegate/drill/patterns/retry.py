"""Retries that were meant to help multiply the load on what is down."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import CODE, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_TIMES = re.compile(
    r"\b((?:max_?|num_?|n_?|total_?)?(?:retries|retry_?count|retry_?limit|retry_?attempts|attempts)|max_?retry|maxAttempts|RETRIES|MAX_RETRIES|MAX_ATTEMPTS)(\"?\s*(?::\s*int\s*)?[:=]\s*)(\d{1,2})(?![\w.])"
)
_WAIT = re.compile(
    r"\b((?:retry_?|RETRY_?)(?:delay|wait|interval|backoff|DELAY|WAIT|INTERVAL)\w*|backoff_?(?:factor|base|seconds|ms)?|BACKOFF\w*)(\"?\s*(?::\s*\w+\s*)?[:=]\s*)([1-9]\d{0,5}(?:\.\d+)?)(?![\w.])"
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A number of attempts, or a pause between them."""
    paths = [path for path in ground.paths(*CODE, ".toml", ".properties") if not _BUILD.search(path)]
    found = [(*one, "50") for one in ground.lines(paths, _TIMES) if _real(one[2].string) and 0 < int(one[2][3]) < 20]
    found += [(*one, "0") for one in ground.lines(paths, _WAIT) if _real(one[2].string)]
    chosen = ground.choose(found, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, match, new = chosen
    text = ground.text(path) or ""
    line = line_of(text, number)
    changed = replaced(text, number, line[: match.start(3)] + new + line[match.end(3) :])
    worse = f"from {match[3]} to {new} attempts" if new == "50" else f"the pause from {match[3]} to none"
    return Chance(
        path=path,
        line=number,
        edits={path: changed},
        what=f"sets {match[1]} in {path} {worse}, so that whatever is slow gets more requests and not fewer",
        why=f"{path} retries ({match[1]} is {match[3]}); such places here: {len(found)}",
        subject=f"Make the calls of {path.rpartition('/')[2]} more robust",
        prompt="A call failed once in the night. Make it more robust.",
        words={"thing": match[1], "was": match[3], "now": new},
    )


PATTERN = Pattern(
    id="retry-storm",
    title="More robust, said the commit",
    needs="code with a number of retries or a pause between them",
    fits=57,
    sources=(
        Source(
            url="https://aws.amazon.com/message/12721",
            date="2021-12-07",
            fact="A surge of connections from clients inside AWS's internal network overwhelmed the devices between"
            " its networks; delays"
            " brought more connection attempts and retries, and a latent fault kept clients from backing off.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service}: what it calls answers 503. Requests that leave here: 40 times the usual, and rising.",
        graph="Requests that come in are as always. Requests that go out form a wall, in even waves.",
        claim="The calls are more robust now: they no longer give up after {was}.",
        noise="A colleague: “Is that an attack? Or {decoy}? It touched {decoy_file}.”",
        customer="{users}: “It hangs for minutes, and then everything is done three times.”",
        twist="What is called has recovered twice, and fallen over again within seconds both times.",
        moves=(
            Move(
                "Cut the outgoing requests first (fewer workers, a limit at the proxy), let the other side recover,"
                " then mend",
                "It recovers in four minutes. Requests are let in again in steps.",
                "best",
                "nothing that is overloaded recovers while the load stays",
            ),
            Move(
                "Give what is called more instances",
                "They start, are flooded at once, and fail their health checks.",
                "poor",
                "retries fill whatever is added",
            ),
            Move(
                "Take the commit back and deploy",
                "It is the right change. It takes 20 minutes, in which every new instance retries as well.",
                "part",
                "right, and too slow to be the first move",
            ),
        ),
        back=True,
        lesson="A retry is load on something that is down. It needs a limit, a pause that grows, and chance in the"
        " pause.",
    ),
    rules=(
        Rule(
            id="drill-retries-path",
            title="Its owner approves {path}, which decides how often a failed call is repeated",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 1, from = "owners", not = ["author", "prompter", "committer"] }]',
            reason="A number of attempts turned a short failure into a long one.",
        ),
    ),
)


# Private

_BUILD = re.compile(r"^\.|(?:^|/)(?:ci|\.github|migrations|proto|genproto|generated)/")


def _real(line: str) -> bool:
    """Whether the line says it, rather than speaks of it."""
    return not line.lstrip().startswith(("#", "//", "*", '"""', "--"))
