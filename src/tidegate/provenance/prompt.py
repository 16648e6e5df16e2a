"""What is kept of a prompt: a salted digest, and its text only when asked for and with secrets redacted."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.provenance.redact import prompt_digest, redact

PROMPT_LIMIT_BYTES = 1 << 20
SALT_BYTES = 32


def read_prompt(repository: Repository, file: Path | None, *, keep: bool, make_salt: bool) -> tuple[str, str]:
    """The digest of the prompt in `file`, and its redacted text when `keep` says so; both "" without a file.

    The salt is the repository's own secret: without it nobody can test guesses of a prompt against its digest.
    """
    if file is None:
        if keep:
            raise InputError("no prompt was given", where="--keep-prompt", mend="name it with --prompt-file FILE")
        return "", ""
    try:
        with file.open("rb") as opened:
            content = opened.read(PROMPT_LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file), mend="name a file") from error
    if len(content) > PROMPT_LIMIT_BYTES:
        raise InputError("larger than 1 MB", where=str(file), mend="keep to the prompt itself")
    text = content.decode("utf-8", "backslashreplace")
    return prompt_digest(text, _salt(repository, make=make_salt)), redact(text) if keep else ""


# Private


def _salt(repository: Repository, *, make: bool) -> str:
    folder = repository.common_dir / "tidegate"
    file = folder / "salt"
    if folder.is_symlink() or file.is_symlink():
        raise InputError("this is a symbolic link", where=str(file), mend="remove it; a new salt is made")
    if not file.exists():
        fresh = secrets.token_hex(SALT_BYTES)
        if not make:
            return fresh
        folder.mkdir(exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as opened:
            opened.write(fresh)
        return fresh
    salt = file.read_text(encoding="ascii", errors="replace").strip()
    if len(salt) < SALT_BYTES:
        raise InputError("the salt is damaged", where=str(file), mend="remove the file; a new salt is made")
    return salt
