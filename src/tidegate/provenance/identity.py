"""Who is sitting here: the name and e-mail that git would put on a commit, read as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tidegate.change.git import Repository
from tidegate.change.values import Person
from tidegate.errors import InputError

_PERSON = re.compile(r"\s*([^<>\x00-\x1f\x7f]{0,200}?)\s*<([^<>]*)>\s*")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\[\]-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")


def parse_person(text: str, where: str) -> Person:
    """`Name <email>`. Raises InputError for anything else."""
    match = _PERSON.fullmatch(text)
    if match is None or not match[1]:
        raise InputError(
            f"{text!r} is not a person", where=where, mend='write it like "Alice Smith <alice@example.com>"'
        )
    return _checked(Person(match[1], match[2].strip()), where)


def read_identity(repository: Repository, environment: Mapping[str, str]) -> Person:
    """The person whom git would name as author: the environment, the repository's configuration, the user's.

    The configuration is data here: includes are not followed and nothing in it acts. Raises InputError when no name or
    no e-mail is set.
    """
    config = _read_config(repository, environment)
    name = _first(environment, "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME") or config.get("user.name", "")
    email = _first(environment, "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL") or config.get("user.email", "")
    if not name or not email:
        raise InputError(
            "git does not know who you are, and somebody has to answer for these lines",
            where="user.name and user.email",
            mend='set them (git config user.name "..."), or name the person with --by "Name <email>"',
        )
    return _checked(Person(name, email), "user.name and user.email")


# Private


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((environment[name].strip() for name in names if environment.get(name, "").strip()), "")


def _read_config(repository: Repository, environment: Mapping[str, str]) -> dict[str, str]:
    """Last value of every key, the repository's over the user's."""
    values: dict[str, str] = {}
    for file in _user_files(environment):
        listed = repository.run("config", "--file", str(file), "--no-includes", "--null", "--list", ok=(0, 1, 128))
        for entry in listed.decode("utf-8", "backslashreplace").split("\0"):
            key, _, value = entry.partition("\n")
            values[key] = value.strip()
    return values | {key: found[-1].strip() for key, found in repository.read_config().items() if found}


def _user_files(environment: Mapping[str, str]) -> list[Path]:
    if "GIT_CONFIG_GLOBAL" in environment:
        named = environment["GIT_CONFIG_GLOBAL"]
        return [Path(named)] if named and Path(named).is_file() else []
    home = environment.get("HOME", "")
    base = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    candidates = [f"{base}/git/config" if base else "", f"{home}/.gitconfig" if home else ""]
    return [Path(file) for file in candidates if file and Path(file).is_file()]


def _checked(person: Person, where: str) -> Person:
    if not _EMAIL.fullmatch(person.email) or ".." in person.email:
        raise InputError(
            f"{person.email!r} is not an e-mail address", where=where, mend="write it like alice@example.com"
        )
    if not person.name.isprintable() or any(c in person.name for c in "<>"):
        raise InputError(f"{person.name!r} cannot be a name", where=where, mend="leave out < > and control characters")
    return person
