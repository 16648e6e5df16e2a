"""The policy as it lies in a folder, for the people who are writing it. A check never reads it: it reads the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.policy.rules import Policy, RuleTable
from tidegate.policy.trial import Trial, parse_trials
from tidegate.settings import CONFIG_NAMES, POLICY_FOLDER, TESTS_FOLDER, Loaded, Source, parse_settings

LARGEST_BYTES = 1 << 20


def read_folder(root: Path, environment: Mapping[str, str]) -> Loaded:
    """Settings and rules of the files below `root`, as they would be read once committed."""
    names = [name for name in CONFIG_NAMES if (root / name).is_file()]
    names += [POLICY_FOLDER + path.name for path in sorted((root / POLICY_FOLDER).glob("*.toml"))]
    return parse_settings([Source(name, name, _read(root / name, name)) for name in names], environment)


def read_files(paths: Sequence[Path], environment: Mapping[str, str]) -> Loaded:
    """Settings and rules of exactly these files."""
    return parse_settings([Source(str(p), p.name, _read(p, str(p))) for p in paths], environment)


def read_trials(root: Path, paths: Sequence[Path], policy: Policy) -> tuple[Trial, ...]:
    """The tests of these files; of all files of the folder for tests where none is named."""
    chosen = paths or sorted((root / TESTS_FOLDER).glob("*.toml"))
    if not chosen:
        raise InputError("there are no tests", where=TESTS_FOLDER, mend="docs/policy.md shows how to write one")
    origins = [(p, str(p.relative_to(root)) if p.is_relative_to(root) else str(p)) for p in chosen]
    return tuple(trial for p, origin in origins for trial in parse_trials(_read(p, origin), origin, policy))


def own_rules(loaded: Loaded) -> tuple[RuleTable, ...]:
    """The rules that the settings hold, each with the text that it comes from."""
    return tuple(RuleTable(t, o) for t, o in zip(loaded.settings.rule, loaded.rule_origins, strict=True))


def with_files(loaded: Loaded, files: Sequence[Path]) -> Loaded:
    """What is settled, with the rules of these files in the place of its own; what else they set counts as well."""
    own = read_files(files, {})
    tables = {path.partition(".")[0] for path in own.origins}
    changed = {name: getattr(own.settings, name) for name in tables}
    return own._replace(settings=replace(loaded.settings, **{**changed, "rule": own.settings.rule}))


# Private


def _read(path: Path, origin: str) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=origin, mend="name a file that is there") from error
    if len(text) > LARGEST_BYTES:
        raise InputError(f"the file is larger than {LARGEST_BYTES} bytes", where=origin, mend="split it")
    return text
