"""The salted digest that is kept of a prompt: the one that `tidegate annotate --prompt-file` makes here."""

from __future__ import annotations

import os
import site

from tidegate.agent.hooks.place import read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.agent.hooks.place import Place

PROMPT_LIMIT_CHARS = 1 << 20
SALT_BYTES = 32


def digest_of(place: Place, prompt: str) -> str:
    """The digest of a prompt whose secrets were taken out; "" where the repository's salt cannot be kept."""
    site.main()  # the hook starts without other people's packages; this one question needs RE2
    from tidegate.provenance.redact import prompt_digest

    salt = _salt(f"{place.common}/tidegate")
    return prompt_digest(prompt[:PROMPT_LIMIT_CHARS], salt) if salt else ""


# Private


def _salt(folder: str) -> str:
    file = f"{folder}/salt"
    if os.path.islink(folder) or os.path.islink(file):
        return ""
    if not os.path.exists(file):
        os.makedirs(folder, exist_ok=True)
        fresh = f"{file}.{os.getpid()}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            opened.write(os.urandom(SALT_BYTES).hex())
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            os.unlink(fresh)
    salt = read_small(file).decode("ascii", "replace").strip()
    return salt if len(salt) >= SALT_BYTES else ""
