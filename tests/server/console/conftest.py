"""Debian's Chromium before a service that listens. Where it is missing these tests fail in CI, and rest elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.server.console.house import Furnished, House, Shop, furnish, make_shop, open_house
from tidegate.server.auth.session import COOKIE

CHROMIUM = Path("/usr/bin/chromium")
Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Furnished:
    return furnish(tmp_path_factory.mktemp("furnished"), shop)


@pytest.fixture
def house(tmp_path: Path, furnished: Furnished) -> Iterator[House]:
    with open_house(tmp_path, furnished) as opened:
        yield opened


def is_trouble(said: ConsoleMessage) -> bool:
    """A form that is refused is answered with 422, which the browser tells as if something were missing."""
    return said.type == "error" and "status of 422" not in said.text


@pytest.fixture
def as_person(browser: Browser, house: House) -> Iterator[Opened]:
    """Opens a page as somebody who signed in. At the end no page may have said an error or asked another host."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def opened(name: str = "", **options: object) -> Page:
        context = browser.new_context(base_url=house.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        if name:
            context.add_cookies([{"name": COOKIE, "value": house.sign_in(name), "url": house.url}])
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}") if is_trouble(said) else None)
        page.on(
            "request", lambda asked: None if asked.url.startswith((house.url, "data:")) else trouble.append(asked.url)
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []
