"""Something that ran once a day runs all the time."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import TERRAFORM, YAML, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

HIGH = 50
_CRON = re.compile(r"""^(\s*(?:-\s+)?(?:cron|schedule):\s*["'])((?:[\d*/,-]+ ){4}[\w*/,-]+)(["'])""")
_MOST = re.compile(
    r"^(\s*)(maxReplicas|max_size|max_capacity|max_count|max_instance_count|maxScale|max_instances)(\s*[:=]\s*)(\d{1,3})\s*$"
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A ceiling of instances, else a schedule."""
    places = ground.lines(ground.paths(*YAML, *TERRAFORM, ".tfvars"), _MOST)
    ceilings = [one for one in places if 0 < int(one[2][4]) <= HIGH]
    crons = list(ground.lines(ground.paths(*YAML, aside=True), _CRON))
    chosen = ground.choose(ceilings, lambda one: one[0], seed)
    if chosen is not None:
        path, number, match = chosen
        new, was, name = str(int(match[4]) * 100), match[4], match[2]
        span, what = match.span(4), f"raises {match[2]} in {path} from {match[4]} to {int(match[4]) * 100}"
    else:
        chosen = ground.choose([one for one in crons if not one[2][2].startswith("* ")], lambda one: one[0], seed)
        if chosen is None:
            return None
        path, number, match = chosen
        new, was, name = "* * * * *", match[2], path.rpartition("/")[2]
        span, what = match.span(2), f"lets {path} run every minute instead of at “{match[2]}”"
    text = ground.text(path) or ""
    line = line_of(text, number)
    return Chance(
        path=path,
        line=number,
        edits={path: replaced(text, number, line[: span[0]] + new + line[span[1] :])},
        what=f"{what}; nothing says when to stop",
        why=f"{path} decides how often or how many times something runs (now {was})",
        subject=f"Let {name} keep up with demand",
        prompt="It does not keep up at noon. Make it keep up.",
        words={"thing": name, "was": was, "now": new},
    )


PATTERN = Pattern(
    id="cost-explosion",
    title="A bill of a year in a night",
    needs="a schedule or a ceiling of instances (cron of a workflow, autoscaling)",
    fits=40,
    sources=(
        Source(
            url="https://blog.tomilkieway.com/72k-2/",
            date="2020-12-08",
            fact="A test of a start-up on Cloud Run read its Firestore database 116 billion times in less than an"
            " hour; the bill was"
            " 72,000 dollars, against a budget of seven.",
        ),
        Source(
            url="https://www.infoq.com/news/2022/08/recursive-serverless-functions/",
            date="2022-08",
            fact="Budget alerts tell of such costs after they are made, and none of the large clouds stopped them by"
            " itself.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="Billing of {repository}: 80 % of the month's budget is used. It is the third of the month.",
        graph="Errors none, latency excellent. Runs of {thing}: a flat line that became a wall at 02:10.",
        claim="It keeps up with whatever comes now.",
        noise="A colleague: “Billing is always a day late. This is probably {decoy} from yesterday.”",
        customer="The provider: “Your account has reached a limit. New instances will be refused from 06:00.”",
        twist="The budget alert was set up right. It sent an e-mail, at 02:40, to somebody who left in spring.",
        moves=(
            Move(
                "Set the ceiling or switch the schedule off by hand now, then take the commit back, then ask for the"
                " bill",
                "The wall ends after two minutes. What is on the bill until then is a third of a month.",
                "best",
                "every minute costs, and the hand is faster than the pipeline",
            ),
            Move(
                "Wait for the billing page to be sure",
                "It is a day late. The certainty costs 31,000.",
                "poor",
                "the counter of runs shows it now",
            ),
            Move(
                "Take the commit back and let the pipeline deploy it",
                "The pipeline waits behind 1,900 runs of {thing}.",
                "part",
                "right, and it stands in the queue that it made",
            ),
        ),
        back=True,
        lesson="What can run without an end needs a ceiling that stops it, not an e-mail that tells of it.",
    ),
    rules=(
        Rule(
            id="drill-ceilings-path",
            title="Somebody else approves {path}, which decides how often or how many run",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 1, not = ["author", "prompter", "committer"] }]',
            reason="A schedule or a ceiling was changed and nothing said when to stop.",
        ),
    ),
)
