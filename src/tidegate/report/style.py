"""How wide, how colourful and in which characters a terminal is written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

NARROWEST = 60
WIDEST = 100

Colour = Literal["auto", "always", "never"]


class Style(Struct, frozen=True):
    """What the terminal can show. `width` is in columns; without `unicode` everything written is ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True


PLAIN = Style()


def choose_style(environ: Mapping[str, str], isatty: bool, width: int = 80, colour: str = "auto") -> Style:
    """The style that the surroundings ask for.

    Colour, the first that speaks: the option, NO_COLOR (https://no-color.org), FORCE_COLOR and CLICOLOR_FORCE, then
    whether it is a terminal that can (TERM is not `dumb`, CLICOLOR is not 0). A variable that is set but empty does
    not speak. Unicode is off where the locale says a character set other than UTF-8; a locale that is not set, or `C`,
    says nothing on a pipe and ASCII on a terminal.
    """
    return Style(
        width=max(NARROWEST, min(width, WIDEST)),
        colour=_wants_colour(environ, isatty, colour),
        unicode=_has_unicode(environ, isatty),
    )


# Private


def _wants_colour(environ: Mapping[str, str], isatty: bool, colour: str) -> bool:
    if colour in ("always", "never"):
        return colour == "always"
    if environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name):
            return environ[name] not in ("0", "false")
    return isatty and environ.get("TERM", "") != "dumb" and environ.get("CLICOLOR", "") != "0"


def _has_unicode(environ: Mapping[str, str], isatty: bool) -> bool:
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    charset = locale.partition(".")[2].partition("@")[0].lower().replace("-", "")
    if charset:
        return charset == "utf8"
    return not (isatty and locale in ("C", "POSIX"))
