"""What can be told from the style and the templates alone: contrast, words beside colours, forms, no inline script."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tidegate.server.console.render import HERE

CSS = (HERE / "static" / "tidegate.css").read_text("utf-8")
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((HERE / "templates").glob("*.html"))}
LEAST_TEXT, LEAST_EDGE = 4.5, 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11 at level AA."""
GROUNDS = ("back", "soft", "raised")
ON_GROUND = ("text", "dim", "accent", "pass", "hold", "block")


def _themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{([^}]*)\}", CSS)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks[:2])
    return {"light": light, "dark": {**light, **dark}}


THEMES = _themes()


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_contrast_that_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_can_be_read(theme: str) -> None:
    colours = THEMES[theme]
    pairs = [
        *product(ON_GROUND, GROUNDS),
        *product(("text", "dim"), ("added", "removed", "accent-soft")),
        ("block", "added"),
        ("block", "removed"),
        ("on-accent", "accent"),
    ]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: found for pair, found in weak.items() if found < LEAST_TEXT} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_edges_of_fields_and_the_gutter_can_be_seen(theme: str) -> None:
    colours = THEMES[theme]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in product(("edge", "accent", "hold"), GROUNDS)}
    assert {pair: found for pair, found in weak.items() if found < LEAST_EDGE} == {}


def test_every_state_has_a_mark_and_a_word() -> None:
    used = {name for text in TEMPLATES.values() for name in re.findall(r'class="state ([a-z]+)"', text)}
    assert used == {"pass", "hold", "block", "none"}
    for name in used:
        assert re.search(rf'\.state\.{name}::before \{{ content: "[^"]+"; \}}', CSS), name
    for name, text in TEMPLATES.items():
        assert not re.search(r'class="state [^"]*"></span>', text), f"{name} has a state without a word"


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline(name: str) -> None:
    text = TEMPLATES[name]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b|autoescape", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_address_of_the_api_is_whole(name: str) -> None:
    assert not re.search(r"<code>/v\d", TEMPLATES[name])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_changes_something_is_of_this_session(name: str) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', TEMPLATES[name], re.DOTALL):
        if 'action="/sign-in"' not in form:
            assert "parts.csrf(page)" in form or 'name="csrf"' in form, form[:100]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_field_has_a_label(name: str) -> None:
    labelled = re.sub(r"<label.*?</label>", "", TEMPLATES[name], flags=re.DOTALL)
    loose = re.findall(r"<(?:input|select|textarea)[^>]*>", labelled)
    assert [field for field in loose if 'type="hidden"' not in field] == []
