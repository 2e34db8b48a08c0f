"""A real Chromium, where the machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
"""Milliseconds that a page may take on a slow machine."""

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: nothing was SEEN in a browser (apt-get install chromium)"
)


@contextmanager
def open_page(
    width: int, height: int, *, offline: bool = False, is_dark: bool = False
) -> Iterator[Page]:
    """An empty page.

    Args:
        width: Of the window, in pixels.
        height: Of the window, in pixels.
        offline: Without network.
        is_dark: The reader asks for dark pages.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                offline=offline,
                color_scheme="dark" if is_dark else "light",
                device_scale_factor=1,
            )
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            browser.close()


def console_errors(page: Page) -> list[str]:
    """A list that fills with what goes wrong in the page from now on."""
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
