"""Every page that links lead to: light and dark, wide and on a phone, read by axe, under the strict CSP."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.browser.conftest import Person, Up, at_a_browser, running_up

ADMIN = "keeper@example.test"
PASSWORD = "keeper of the iron gate"
# axe draws on the page by eval, which our CSP forbids; its rules do not need it.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # to write down everything that passes takes longer than to look at it
}
AXE = Axe()
SIGNED_OUT = [
    "/login",
    "/signup",
    "/signup/confirm",
    "/signup/resend",
    "/recover",
    "/recover/reset",
    "/nowhere",
    "/denied/0000-0000",
]
LONGEST_WALK = 80
# Both schemes and both widths, and so every rule of axe on both, without reading each page four times.
LOOKS = [(False, False), (True, True)]


@pytest.fixture(scope="module")
async def demo(data_folder: Path) -> AsyncIterator[Up]:
    """An Ostiary with sample people, and its administrator."""
    async with running_up(data_folder, "--demo") as started:
        yield started


@pytest.fixture(scope="module")
async def pages(demo: Up, chromium: Browser) -> list[str]:
    """A path of every kind of page an administrator's links lead to."""
    async with at_a_browser(chromium) as keeper:
        await keeper.page.goto(demo.claim_link)
        await keeper.page.get_by_label("E-mail address").fill(ADMIN)
        await keeper.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await keeper.page.get_by_role("button", name="Become administrator").click()
        await keeper.page.wait_for_url(f"{demo.url}/admin")
        return await walk(keeper.page, demo.url)


async def walk(page: Page, origin: str) -> list[str]:
    """Follow links, one of each kind, and every status must be a page's own."""
    found: dict[str, str] = {}
    waiting = ["/admin", "/account"]
    while waiting and len(found) < LONGEST_WALK:
        path = waiting.pop(0)
        if kind(path) in found:
            continue
        found[kind(path)] = path
        answer = await page.goto(origin + path)
        assert answer
        assert answer.status == 200, path
        links = await page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        waiting += [
            link.removeprefix(origin) for link in links if link.startswith(origin + "/") and "/assets/" not in link
        ]
    return list(found.values())


def kind(path: str) -> str:
    """What kind of page a path is: ids, codes and roles are alike, and so are all queries with the same names."""
    parts = urlsplit(path)
    names = sorted(set(re.findall(r"(?:^|&)(\w+)=", parts.query)))
    return (
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]{4}-[0-9A-Z]{4}|(?<=/roles/)(?!new)[\w-]+", "*", parts.path)
        + "?"
        + "&".join(names)
    )


async def look(person: Person, address: str, name: str) -> list[str]:
    """What is wrong with a page as this person sees it."""
    await person.page.goto(address)
    folder = os.environ.get("OSTIARY_ALL_PICTURES")
    if folder:
        await person.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    await person.page.evaluate("() => document.querySelectorAll('details').forEach(part => part.open = true)")
    wide = await person.page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
    )
    twice = await person.page.evaluate(
        "() => [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, at, all) => all.indexOf(id) < at)"
    )
    found = await AXE.run(person.page, options=RULES)
    faults = [
        f"{address}: {fault['id']}: {[node['html'][:200] for node in fault['nodes']]}"
        for fault in found.response["violations"]
    ]
    return (
        faults
        + [f"{address}: wider than the window"] * wide
        + [f"{address}: two things are called {name}" for name in twice]
    )


@pytest.mark.parametrize(("dark", "phone"), LOOKS)
async def test_every_page_reads_well(demo: Up, chromium: Browser, pages: list[str], *, dark: bool, phone: bool) -> None:
    assert len(pages) > 15, pages
    faults: list[str] = []
    async with at_a_browser(chromium, dark=dark, phone=phone) as keeper:
        look_is = f"{'dark' if dark else 'light'}-{'phone' if phone else 'wide'}"
        for path in SIGNED_OUT:
            faults += await look(keeper, demo.url + path, f"{look_is}-out{slug(path)}")
        await keeper.page.goto(f"{demo.url}/login")
        await keeper.page.get_by_label("E-mail address").fill(ADMIN)
        await keeper.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await keeper.page.get_by_role("button", name="Sign in").click()
        for path in pages:
            faults += await look(keeper, demo.url + path, f"{look_is}{slug(path)}")
        faults += await look(keeper, demo.mailbox, f"{look_is}-mailbox")
    assert faults == []


def slug(path: str) -> str:
    """A path as part of a file's name."""
    return re.sub(r"\W+", "-", kind(path)).rstrip("-")
