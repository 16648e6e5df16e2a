"""When there is colour, and when there is only ASCII."""

from __future__ import annotations

import pytest

from tidegate.report.style import choose_style


@pytest.mark.parametrize(
    ("environ", "isatty", "option", "colour"),
    [
        ({}, True, "auto", True),
        ({}, False, "auto", False),
        ({"TERM": "dumb"}, True, "auto", False),
        ({"CLICOLOR": "0"}, True, "auto", False),
        ({"NO_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": ""}, True, "auto", True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": "1"}, False, "always", True),
        ({"FORCE_COLOR": "1"}, False, "auto", True),
        ({"FORCE_COLOR": "0"}, True, "auto", False),
        ({"CLICOLOR_FORCE": "1"}, False, "auto", True),
        ({"CLICOLOR_FORCE": "1"}, False, "never", False),
    ],
)
def test_colour(environ: dict[str, str], isatty: bool, option: str, colour: bool) -> None:
    assert choose_style(environ, isatty, 80, option).colour is colour


@pytest.mark.parametrize(
    ("environ", "isatty", "unicode"),
    [
        ({}, True, True),
        ({"LANG": "en_GB.UTF-8"}, True, True),
        ({"LANG": "C.utf8"}, True, True),
        ({"LANG": "de_DE.ISO-8859-1@euro"}, True, False),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, True, False),
        ({"LC_ALL": "C"}, False, True),
    ],
)
def test_unicode(environ: dict[str, str], isatty: bool, unicode: bool) -> None:
    assert choose_style(environ, isatty).unicode is unicode


def test_width_is_kept_readable() -> None:
    assert [choose_style({}, True, width).width for width in (10, 72, 300)] == [60, 72, 100]
