"""`make demo-incident`: a bad deployment into a small real system, and what Tidegate makes of it, in two minutes."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress

from demo.incident.changes import BAD, GOOD
from demo.incident.play import look
from demo.incident.story import Story
from demo.run import ROOT

FOLDER = ROOT / ".demo" / "incident"
SEED = 3
QUIET_SECONDS = 45.0
LONGEST_SECONDS = 60.0

BEGIN = """Five services, people who use them, Prometheus and Alertmanager, and Tidegate beside them; all on loopback.
For {seconds:.0f} seconds the shop runs, so that there is something to compare with."""
END = """
Sign in at {url} as admin with the password {password}

  {url}/incidents/{incident}   the trace: change, lines, who or what wrote them
  {url}/deployments   what runs, and what was deployed before
  {url}/map?environment=production   who calls whom, who owns it, what nobody watches

The shop goes on, with its bad deployment. Control-C ends it; everything is in {folder}."""


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with Story(FOLDER, SEED) as story:
        _say(BEGIN.format(seconds=QUIET_SECONDS))
        time.sleep(QUIET_SECONDS)
        edit = BAD[SEED]
        edits = [edit, *story.chance.sample(GOOD, 4)]
        story.chance.shuffle(edits)
        for each in edits:
            story.write(each, agent=True if each is edit else None)
        began = story.deploy(edit.service, story.shop.head())
        _say(f"Deployed: {edit.service}, with {len(edits)} commits by people and agents. One of them is bad.")
        incident = _follow(story, began)
        folder = FOLDER.relative_to(ROOT)
        _say(END.format(url=story.url, password=story.password, incident=incident, folder=folder))
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)
    return 0


# Private


def _follow(story: Story, began: float) -> int:
    """Tells what happens as it happens; the number of the incident."""
    told: set[str] = set()
    while time.time() < began + LONGEST_SECONDS:
        seen = look(story)
        for name, says in (
            ("regression", seen.regression),
            ("alert", seen.alert),
            ("incident", seen.incident),
            ("suspect", seen.suspect),
        ):
            if says and name not in told:
                told.add(name)
                _say(f"{time.time() - began:5.1f} s  {says}")
        if "suspect" in told:
            break
        time.sleep(0.25)
    return look(story).number


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
