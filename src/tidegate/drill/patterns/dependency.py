"""A package whose name a model made up, and which somebody has registered since."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import inserted, line_of
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_TAILS = ("retry-helpers", "typed-utils", "async-compat", "schema-tools", "secure-config")
_LINES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("package.json", re.compile(r'^(\s+)"((?:@[\w.-]+/)?[a-z][\w.-]+)":\s*"[\^~]?\d[\w.-]*",$'), '{0}"{1}": "^1.4.2",'),
    ("requirements.txt", re.compile(r"^()([A-Za-z][\w.-]+)(?:\[[\w,-]+\])?\s*(?:[=~<>]=?|$)"), "{1}==1.4.2"),
    (
        "pyproject.toml",
        re.compile(r"""^(\s+)"([A-Za-z][\w.-]+)(?:\[[\w,-]+\])?\s*(?:[=~<>!][^"]*)?",$"""),
        '{0}"{1}>=1.4",',
    ),
    ("Gemfile", re.compile(r"""^(\s*)gem ["']([\w-]+)["']"""), '{0}gem "{1}"'),
    ("go.mod", re.compile(r"^(\t)([a-z][\w.-]+\.[a-z]+/[\w./-]+) v\d"), "{0}{1} v1.4.2"),
    ("Cargo.toml", re.compile(r'^()([a-z][\w-]+) = (?:"\d|\{ version)'), '{1} = "1.4"'),
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A manifest with a dependency, to which one with a likely name is added."""
    found = []
    for name, pattern, form in _LINES:
        paths = [p for p in ground.paths(name) if p.rpartition("/")[2] == name]
        found += [
            (path, number, match, form, name)
            for path, number, match in ground.lines(paths[:20], pattern)
            if name != "pyproject.toml" or _in_dependencies(ground.text(path) or "", number)
        ]
    top = [one for one in found if one[0].count("/") == min(other[0].count("/") for other in found)]
    chosen = ground.choose(top, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, match, form, name = chosen
    known = match[2].rpartition("/")[2].lower()
    lead = match[2].rpartition("/")[0] if name == "go.mod" else ""
    new = f"{lead}/{known}-{seed.choice(_TAILS)}" if lead else f"{known}-{seed.choice(_TAILS)}"
    text = ground.text(path) or ""
    added = form.format(match[1], new)
    if line_of(text, number).endswith(",") is False and added.endswith(","):
        added = added[:-1]
    return Chance(
        path=path,
        line=number + 1,
        edits={path: inserted(text, number, [added])},
        what=f"adds the dependency {new}, a name that was made up from {match[2]}, to {path}",
        why=f"{path} names {match[2]}, and names that models invent are often made from two real ones",
        subject=f"Use {new} instead of our own helpers",
        prompt=f"The code around {known} fails now and then. Use a small library for that instead of writing it by"
        f" hand.",
        words={"thing": new, "known": match[2]},
    )


PATTERN = Pattern(
    id="hallucinated-dependency",
    title="The package that nobody had heard of",
    needs="a dependency manifest (package.json, requirements.txt, pyproject.toml, Gemfile, go.mod or Cargo.toml)",
    fits=46,
    sources=(
        Source(
            url="https://cybertechbiz.com/wp/ai-hallucinations-lead-to-a-new-cyber-threat-slopsquatting",
            date="2025-04",
            fact="Of the packages that 16 models recommended in a study of 576,000 pieces of code, 19.7 % did not"
            " exist: 205,000 names"
            " that anybody may register. Seth Larson called it slopsquatting.",
        ),
        Source(
            url="https://skylos.dev/blog/slopsquatting-python-hallucinated-imports",
            date="2024-03-28",
            fact="An empty package that was registered under a name which models kept inventing, huggingface-cli,"
            " was downloaded more"
            " than 30,000 times in three months.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="Outgoing connections from a build of {repository} to an address that nobody knows, 40 seconds after"
        " its install step.",
        graph="The build of {repository} is green. Its install step took 9 seconds longer than yesterday, and has"
        " one more package.",
        claim="I used {thing}, the usual library for this. The build is green.",
        noise="A colleague: “{decoy} changed {decoy_file} yesterday. Perhaps its build opens connections?”",
        customer="A security researcher: “Are you aware that {thing} was registered three days ago, by an account"
        " without a history?”",
        twist="The build has credentials to publish. Somebody asks whether the last release was built before or after.",
        moves=(
            Move(
                "Take {thing} out, revoke every credential that a build with it could read, then look what was built"
                " with it",
                "Two tokens are replaced. One of them had been tried from outside an hour ago.",
                "best",
                "what an install step could read is known to somebody else, whether it was used or not",
            ),
            Move(
                "Take {thing} out and build again",
                "The build is clean. The tokens that the first one leaked still work.",
                "part",
                "the door is closed and the keys are outside",
            ),
            Move(
                "Pin {thing} to the version that was installed, so that it cannot change any more",
                "The version that was installed is the malicious one.",
                "poor",
                "a pin keeps what there is",
            ),
        ),
        back=True,
        lesson="A name that looks right is no evidence that somebody answers for it. A lock file with a hash, or a"
        " list of known names, is.",
    ),
    rules=(
        Rule(
            id="drill-dependency-manifests",
            title="Security approves a new name in a dependency manifest",
            when=('change.files.exists(f, f.path == "{path_cel}" && f.added > 0)',),
            require='[{ approvals = 1, from = "security" }]',
            reason="A name that a model made up was installed in a build with credentials.",
        ),
    ),
)


# Private


def _in_dependencies(text: str, number: int) -> bool:
    """Whether the line stands in a list of dependencies, and in no other list of texts."""
    for line in reversed(text.split("\n")[: number - 1]):
        if re.match(r"^\S.*=\s*\[\s*$", line):
            return (
                bool(re.match(r"^(?:dependencies|[\w-]+)\s*=", line))
                and "classifiers" not in line
                and "keywords" not in line
                and (
                    line.startswith("dependencies")
                    or _table_of(text, number) in ("[dependency-groups]", "[project.optional-dependencies]")
                )
            )
        if line.startswith("["):
            return False
    return False


def _table_of(text: str, number: int) -> str:
    return next((line.strip() for line in reversed(text.split("\n")[: number - 1]) if line.startswith("[")), "")
