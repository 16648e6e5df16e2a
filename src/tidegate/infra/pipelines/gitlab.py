"""Pipelines of GitLab: what a change of them lets through, runs for others, and does without a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Certainty, EffectCode, Place, Severity, Unjudged
from tidegate.infra.environment import named
from tidegate.infra.kubernetes.rules.images import judge_image
from tidegate.infra.pipelines import approvals
from tidegate.infra.pipelines.destroying import deeds_of
from tidegate.infra.pipelines.shell import check_of, commands, deploys, fetched_and_run, scanner_of, site_of
from tidegate.infra.pipelines.texts import Both, Text, mapping, read_both, words_of
from tidegate.infra.values import Draft, Found, Value

DEEPEST = 8
_STAGED = re.compile(r"(^|/)([\w.-]*Jenkinsfile[\w.-]*|\.circleci/config\.ya?ml|azure-pipelines[\w.-]*\.ya?ml)$")


class Job(Struct, frozen=True):
    """One job with what it extends. `script` has every command that it runs."""

    name: str
    values: Mapping[str, Value]
    script: str

    @property
    def environment(self) -> str:
        found = self.values.get("environment")
        return str((found.get("name") if isinstance(found, dict) else found) or "")

    @property
    def deploys(self) -> bool:
        words = f"{self.name} {self.values.get('stage', '')}"
        named_so = re.search(r"(?i)(?:^|[\W_])(deploy|release|publish|rollout|apply)", words)
        return bool(self.environment or named_so) or any(deploys(one.text) for one in commands(self.script))

    @property
    def checks(self) -> set[str]:
        found = {
            scanner_of(one.text) if check_of(one.text) == "scan" else check_of(one.text)
            for one in commands(self.script)
            if not one.tolerated
        }
        words = f"{self.name} {self.values.get('stage', '')}"
        if re.search(r"(?i)(?:^|[\W_])(unit|integration|e2e)?[\W_]?tests?(?:$|[\W_])", words) and not self.deploys:
            found.add("tests")
        if re.search(r"(?i)(?:^|[\W_])(sast|dast|secret[-_]detection|(?:dependency|container)[-_]scanning)", words):
            found.add("scan")
        return {str(one) for one in found} - {""}


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed pipelines of GitLab, Jenkins, CircleCI and Azure come to."""
    staged = [pair for pair in pairs if _STAGED.search(pair.path)]
    both = read_both(trees, [pair for pair in pairs if pair not in staged])
    mine = [one for one in both if _is_pipeline(one)]
    drafts: list[Draft] = []
    unjudged: list[Unjudged] = []
    left = {kind for one in mine if one.after for job in jobs_of(one.after.value).values() for kind in job.checks}
    for one in mine:
        if one.after is not None and one.after.problem:
            reason = f"the pipeline cannot be read ({one.after.problem}): nothing in it runs"
            unjudged.append(Unjudged(f"pipeline {one.path}", reason, "mend the file", Place(one.path)))
        elif one.before is not None and one.before.value is not None:
            drafts += _compared(one.before, one.after, left)
    files = {text.path for one in mine for text in (one.before, one.after) if text}
    other = read_both(trees, staged)
    drafts += [draft for one in other for draft in approvals.gone(one)]
    files |= {text.path for one in other for text in (one.before, one.after) if text}
    return Found(drafts=tuple(drafts), unjudged=tuple(unjudged), files=tuple(sorted(files)))


def jobs_of(value: Value) -> Mapping[str, Job]:
    """The jobs of a pipeline with what they extend, hidden ones left out."""
    whole = mapping(value)
    found = {}
    for name, job in whole.items():
        if name in _RESERVED or name.startswith(".") or not isinstance(job, dict):
            continue
        merged = {**_default(whole), **_extended(whole, name, 0)}
        if not merged.keys() & {"script", "trigger", "extends", "run", "before_script"}:
            continue
        script = "\n".join(
            line for key in ("before_script", "script", "after_script") for line in words_of(merged.get(key))
        )
        found[name] = Job(name, merged, script)
    return found


# Private

_RESERVED = frozenset(
    "include stages variables default workflow image services before_script after_script cache spec types".split()
)
_BRANCH = re.compile(r"CI_(?:COMMIT_(?:BRANCH|TAG|REF_NAME|REF_PROTECTED|REF_SLUG)|DEFAULT_BRANCH)")
_SCANNING = re.compile(r"(?i)sast|secret|dependency-scanning|container-scanning|dast")
_PRINTED = re.compile(
    r"^(?:echo|printf)\b[^|>]*\$\{?\w*(?:TOKEN|PASSWORD|PASSWD|SECRET|PRIVATE_KEY|API_KEY|ACCESS_KEY)\w*[^|>]*$|^printenv$|^env$"
)


def _is_pipeline(both: Both) -> bool:
    if both.path.endswith((".gitlab-ci.yml", ".gitlab-ci.yaml")):
        return True
    values = [mapping(text.value) for text in (both.before, both.after) if text]
    return any(isinstance(job, dict) and "script" in job for value in values for job in value.values())


def _default(whole: Mapping[str, Value]) -> Mapping[str, Value]:
    top = {key: whole[key] for key in ("image", "before_script", "after_script") if key in whole}
    return {**top, **mapping(whole.get("default"))}


def _extended(whole: Mapping[str, Value], name: str, depth: int) -> dict[str, Value]:
    own = mapping(whole.get(name))
    merged: dict[str, Value] = {}
    for base in words_of(own.get("extends")) if depth < DEEPEST else ():
        merged = {**merged, **_extended(whole, base, depth + 1)}
    return {**merged, **own}


def _compared(before: Text, after: Text | None, left: set[str]) -> Iterator[Draft]:
    old, new = jobs_of(before.value), jobs_of(after.value if after else None)
    yield from _checks_gone(before, after, old, new, left)
    if after is None:
        return
    yield from _includes(before, after)
    known = {" ".join(one.text.split()) for job in old.values() for one in commands(job.script)}
    sites = {site_of(part) for job in old.values() for part in fetched_and_run(job.script)}
    for name, job in new.items():
        was = old.get(name)
        yield from _scripts(after, job, known, sites)
        if was is None:
            continue
        yield from _gates(after, was, job)
        yield from _loosened(after, was, job)
        yield from _surroundings(after, was, job)


def _gates(after: Text, was: Job, job: Job) -> Iterator[Draft]:
    """Approvals, environments and branches of a deploying job."""
    if not (was.deploys and job.deploys):
        return
    live = "production" in (named(was.environment), named(job.name), named(str(job.values.get("stage") or "")))
    grave: Severity = "high" if live or not (named(was.environment) or named(job.name)) else "medium"
    if _manual(was) and not _manual(job) and not _never(job):
        text = (
            f"when: manual is removed from {job.name} in {after.path}: it deploys by itself, nobody is asked any more."
        )
        yield _said("GUARD_REMOVED", grave, after, job, text, "put `when: manual` back")
    if was.environment and not job.environment and not job.values.get("trigger"):
        text = (
            f"environment: {was.environment} is removed from {job.name} in {after.path}: approvals and limits of a"
            " protected environment no longer hold it."
        )
        yield _said("GUARD_REMOVED", grave if live else "medium", after, job, text, "name the environment again")
    if _limited(was) and not _limited(job) and not _manual(job) and not _never(job):
        text = (
            f"{job.name} in {after.path} is no longer limited to a branch or tag (rules, only): it deploys from every"
            " branch that starts the pipeline."
        )
        yield _said("GUARD_REMOVED", grave, after, job, text, "limit it to the branch again")
    if job.values.get("needs") == [] and was.values.get("needs") != []:
        text = f"needs: [] on {job.name} in {after.path}: it deploys at once, and tests that fail no longer hold it."
        yield _said("GUARD_REMOVED", grave, after, job, text, "wait for the tests again")
    if was.values.get("resource_group") and not job.values.get("resource_group"):
        text = f"resource_group is removed from {job.name} in {after.path}: two deployments can run at once."
        yield _said("GUARD_REMOVED", "low", after, job, text, "put it back")
    tags, new = set(words_of(was.values.get("tags"))), set(words_of(job.values.get("tags")))
    if tags and new and not tags & new:
        text = (
            f"tags {', '.join(sorted(tags))} -> {', '.join(sorted(new))} on {job.name} in {after.path}: it deploys from"
            " other runners; see who may use them."
        )
        yield _said("SUPPLY_CHAIN", "low", after, job, text, "see that the runners are protected", "possible")


def _loosened(after: Text, was: Job, job: Job) -> Iterator[Draft]:
    kinds = was.checks & job.checks
    means = "tests no longer stop a merge" if "tests" in kinds else "findings of the scan no longer stop a merge"
    if kinds and job.values.get("allow_failure") is True and was.values.get("allow_failure") is not True:
        text = f"allow_failure: true is added to {job.name} in {after.path}: {means}."
        yield _said("GUARD_REMOVED", "medium", after, job, text, "let it fail again", key="allow_failure")
    if kinds and _manual(job) and not _manual(was) and job.values.get("allow_failure") is not False:
        text = f"when: manual is added to {job.name} in {after.path}: it no longer runs by itself, so {means}."
        yield _said("GUARD_REMOVED", "medium", after, job, text, "let it run by itself again")
    firm = {one.text for one in commands(was.script) if not one.tolerated and check_of(one.text)}
    for one in commands(job.script):
        if one.tolerated and one.text in firm:
            text = (
                f"|| true is added behind `{one.text[:80]}` in {job.name} of {after.path}: tests no"
                " longer stop a merge."
            )
            yield _said("GUARD_REMOVED", "medium", after, job, text, "let it fail again")


def _surroundings(after: Text, was: Job, job: Job) -> Iterator[Draft]:
    old, new = _image(was.values.get("image")), _image(job.values.get("image"))
    address = f"pipeline {after.path} job {job.name}"
    for draft in judge_image(address, f"image of {job.name}", old, new):
        yield _said(draft.code, "low", after, job, draft.reason, draft.back, "likely", "image")
    mine, theirs = mapping(was.values.get("id_tokens")), mapping(job.values.get("id_tokens"))
    for name in sorted(theirs):
        audience = words_of(mapping(theirs[name]).get("aud"))
        if name not in mine or words_of(mapping(mine[name]).get("aud")) != audience:
            text = (
                f"id_tokens.{name} for {', '.join(audience) or 'nobody'} is new on {job.name} in"
                f" {after.path}: the job can"
                " log in wherever that audience is trusted."
            )
            yield _said("IAM_WIDEN", "medium", after, job, text, "take it away", "possible", "id_tokens")


def _scripts(after: Text, job: Job, known: set[str], sites: set[str]) -> Iterator[Draft]:
    for part in fetched_and_run(job.script):
        if site_of(part) not in sites:
            text = f"{job.name} in {after.path} runs what it fetches: `{part[:140]}`. Pin a version and its hash."
            yield _said("SUPPLY_CHAIN", "medium" if job.deploys else "low", after, job, text, "pin it")
    for one in commands(job.script):
        plain = " ".join(one.text.split())
        if plain in known:
            continue
        if _PRINTED.match(plain):
            text = f"{job.name} in {after.path} prints variables that read as secrets to its log, which many can read."
            yield _said("GUARD_REMOVED", "medium", after, job, text, "do not print them")
        for code, severity, means in deeds_of(plain, known):
            held = _manual(job) and severity == "high"
            text = f"`{plain[:140]}` is added to {job.name} in {after.path}: {means}"
            yield _said(code, "medium" if held else severity, after, job, text, "take it out")


def _checks_gone(
    before: Text, after: Text | None, old: Mapping[str, Job], new: Mapping[str, Job], left: set[str]
) -> Iterator[Draft]:
    had = {kind: job for job in old.values() for kind in job.checks}
    lost = sorted(set(had) - left - {kind for job in new.values() for kind in job.checks})
    if lost and not ({*left} - {"tests"} - set(had)):
        what = ", ".join(lost)
        text = (
            f"{what} ran in {had[lost[0]].name} of {before.path} and no job runs it any more: it no"
            " longer stops a merge."
        )
        yield _said("GUARD_REMOVED", "medium", after or before, had[lost[0]], text, "put the job back", "likely")


def _includes(before: Text, after: Text) -> Iterator[Draft]:
    old, new = _included(before.value), _included(after.value)
    sources = {name.partition(" ")[2].split("/")[0] for name in old}
    for name, ref in new.items():
        kind, _, what = name.partition(" ")
        job = Job("include", {}, "")
        if name in old:
            if _fixed(old[name]) and not _fixed(ref):
                text = (
                    f"include {what}: ref {old[name]} -> {ref or 'nothing'} in {after.path}: it is no"
                    " longer pinned, so others change what runs here."
                )
                yield _said("SUPPLY_CHAIN", "medium", after, job, text, "pin it again")
        elif kind == "remote":
            text = f"include of {what} is new in {after.path}: whoever serves that file says what this pipeline runs."
            yield _said("SUPPLY_CHAIN", "medium", after, job, text, "keep a copy, or pin its hash")
        elif kind in ("project", "component") and what.split("/")[0] not in sources and not _fixed(ref):
            text = f"include of {what} is new in {after.path} and not pinned: its owners say what this pipeline runs."
            yield _said("SUPPLY_CHAIN", "low", after, job, text, "pin it to a commit")
    kept = {name.rpartition("/")[2] for name in new}
    for name in old:
        if name.rpartition("/")[2] not in kept and _SCANNING.search(name):
            text = f"include of {name.partition(' ')[2]} is removed from {after.path}: that scan no longer runs."
            yield _said("GUARD_REMOVED", "medium", after, Job("include", {}, ""), text, "include it again", "likely")


def _included(value: Value) -> Mapping[str, str]:
    found = {}
    listed = mapping(value).get("include")
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, str) and one.startswith("http"):
            found[f"remote {one}"] = ""
        entry = mapping(one)
        for kind in ("remote", "project", "template", "component"):
            if isinstance(entry.get(kind), str):
                what, _, version = entry[kind].partition("@") if kind == "component" else (entry[kind], "", "")
                ref = version or str(entry.get("ref") or entry.get("integrity") or "")
                found[f"{kind} {what}"] = ref
    return found


def _fixed(ref: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{7,64}|v?\d+(\.\d+)*[\w.-]*|sha256-\S+", ref))


def _rules(job: Job) -> list[Mapping[str, Value]]:
    found = job.values.get("rules")
    return [mapping(rule) for rule in found] if isinstance(found, list) else []


def _manual(job: Job) -> bool:
    running = [
        str(rule.get("when") or job.values.get("when") or "") for rule in _rules(job) if rule.get("when") != "never"
    ]
    if running:
        return all(when == "manual" for when in running)
    return job.values.get("when") == "manual"


def _never(job: Job) -> bool:
    running = [rule.get("when") for rule in _rules(job)]
    return bool(running) and all(when == "never" for when in running)


def _limited(job: Job) -> bool:
    running = [rule for rule in _rules(job) if rule.get("when") != "never"]
    if running:
        return all(_BRANCH.search(str(rule.get("if") or "")) for rule in running)
    only = job.values.get("only")
    refs = words_of(only.get("refs")) if isinstance(only, dict) else words_of(only)
    return bool(refs) and "branches" not in refs


def _image(value: Value) -> Value:
    return value.get("name") if isinstance(value, dict) else value


def _said(
    code: EffectCode,
    severity: Severity,
    text: Text,
    job: Job,
    reason: str,
    back: str,
    certainty: Certainty = "likely",
    key: str = "",
) -> Draft:
    return Draft(
        code,
        severity,
        f"pipeline {text.path} job {job.name}",
        reason,
        reversible=code != "DATA_DESTROY",
        back=back,
        certainty=certainty,
        place=text.place(job.name, key) if key else text.place(job.name),
        environment=job.environment if named(job.environment) else "production",
    )
