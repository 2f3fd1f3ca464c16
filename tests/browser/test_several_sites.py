"""A site on a host of its own, in a real browser: in, back on the page, a cookie for that host alone, and out again."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import CHROMIUM, QUIET, Person, Up, at_a_browser
from tests.browser.far import NAME, Shop, shop
from tests.browser.test_pages import RULES

ADMIN = "keeper@example.test"
PASSWORD = "keeper of the iron gate"


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One that finds the shop on this machine."""
    rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, rules])
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def guarded(up: Up, chromium: Browser) -> Up:
    """An Ostiary with an administrator, who has listed the shop."""
    async with at_a_browser(chromium) as keeper:
        page = keeper.page
        await page.goto(up.claim_link)
        await page.get_by_label("E-mail address").fill(ADMIN)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Become administrator").click()
        await page.wait_for_url(up.url + "/admin")
        await page.goto(up.url + "/admin/sites/new")
        await page.get_by_label("Name").fill("The Shop")
        await page.get_by_label("Host").fill(NAME)
        await page.get_by_label("Path of rule 1").fill("/")
        await page.get_by_label("Who may enter by rule 1").select_option("signed_in")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="The Shop")).to_be_visible()
    return up


@contextlib.asynccontextmanager
async def over_plain_http(chromium: Browser, *, dark: bool = False, phone: bool = False) -> AsyncIterator[Person]:
    """A browser that complains of nothing but this: over HTTP a header of ours does not count."""
    async with at_a_browser(chromium, dark=dark, phone=phone) as person:
        yield person
        person.complaints[:] = [text for text in person.complaints if "origin was untrustworthy" not in text]


async def sign_in(page: Page) -> None:
    await page.get_by_label("E-mail address").fill(ADMIN)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def sign_out(page: Page, up: Up) -> None:
    await page.goto(up.url + "/account")
    await page.get_by_role("button", name="Account menu").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def picture(page: Page, name: str) -> None:
    folder = os.environ.get("OSTIARY_ALL_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def cookies(page: Page) -> set[tuple[str, str]]:
    """Ours, by host and name."""
    found = await page.context.cookies()
    return {(str(one.get("domain")), str(one.get("name"))) for one in found if "ostiary" in str(one.get("name"))}


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
async def test_in_at_a_site_of_another_host_and_out_with_the_session(kind: str, guarded: Up, chromium: Browser) -> None:
    async with shop(kind, guarded.url) as far, over_plain_http(chromium) as ada:
        page = ada.page
        await page.goto(f"{far.url}/shelf?page=2&sort=new")
        await expect(page.get_by_text(f"Then you go on to {NAME}")).to_be_visible()
        assert page.url.startswith(guarded.url + "/login?next=")
        await picture(page, f"{kind}-sign-in")
        await sign_in(page)
        await page.wait_for_url(f"{far.url}/shelf?page=2&sort=new")
        await expect(page.get_by_text(f"Read as {ADMIN}")).to_be_visible()
        mine = {each for each in await cookies(page) if each[0] == NAME}
        assert mine == {(NAME, "ostiary-site"), (NAME, "ostiary-state")}
        assert ("localhost", "ostiary-site") not in await cookies(page)
        await page.reload()
        assert "basket=3" in far.cookies[-1]
        assert "ostiary" not in " ".join(far.cookies), "the app saw a sign-in"
        elsewhere = await page.context.new_page()
        await sign_out(elsewhere, guarded)
        await page.reload()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.url.startswith(guarded.url + "/login")


@pytest.mark.parametrize(
    ("kind", "asking", "dark", "phone"), [("caddy", "Stock", False, False), ("nginx", "Old", True, True)]
)
async def test_a_page_says_that_the_session_ended_and_keeps_what_was_typed(
    guarded: Up, chromium: Browser, kind: str, asking: str, *, dark: bool, phone: bool
) -> None:
    async with shop(kind, guarded.url) as far, over_plain_http(chromium, dark=dark, phone=phone) as ada:
        page = ada.page
        await page.goto(f"{far.url}/order?id=7")
        await sign_in(page)
        await page.wait_for_url(f"{far.url}/order?id=7")
        await page.get_by_label("Order").fill("three lanterns")
        await page.get_by_role("button", name=asking).click()
        await expect(page.get_by_text("200 12")).to_be_visible()
        notice = page.get_by_role("status").filter(has_text="Your session ended")
        await expect(notice).to_have_count(0)
        await sign_out(await page.context.new_page(), guarded)
        await page.bring_to_front()
        await page.get_by_role("button", name=asking).click()
        await expect(notice).to_contain_text("Sign in (new tab)")
        await expect(page.locator("#said")).to_contain_text("401 ")  # the page still reads the answer itself
        await look_at(page, f"notice-{'dark' if dark else 'light'}-{'phone' if phone else 'wide'}")
        await by_keyboard_to_the_sign_in_and_back(page, far)
        await expect(notice).to_have_count(0)
        assert await page.get_by_label("Order").input_value() == "three lanterns"


async def look_at(page: Page, name: str) -> None:
    """The notice is legible to all, and nothing is wider than the window."""
    await picture(page, name)
    found = await Axe().run(page, options=RULES)
    assert [fault["id"] for fault in found.response["violations"]] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def by_keyboard_to_the_sign_in_and_back(page: Page, far: Shop) -> None:
    await page.get_by_role("button", name="Old").focus()
    await page.keyboard.press("Tab")
    async with page.context.expect_page() as opened:
        await page.keyboard.press("Enter")
    tab = await opened.value
    await sign_in(tab)
    await tab.wait_for_url(f"{far.url}/order?id=7")
    await tab.close()
    # Headless pages are never hidden: say what a browser says when its tab comes to the front.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def test_a_browser_that_keeps_no_state_is_told_and_not_sent_round(guarded: Up, chromium: Browser) -> None:
    for dark, phone in ((False, False), (True, True)):
        async with shop("caddy", guarded.url) as far, over_plain_http(chromium, dark=dark, phone=phone) as eve:
            await eve.page.goto(f"{far.url}/.ostiary/enter?code=ot_made-up")
            await expect(eve.page.get_by_role("heading", name="Not quite there yet")).to_be_visible()
            await look_at(eve.page, f"again-{'dark' if dark else 'light'}-{'phone' if phone else 'wide'}")
            again = eve.page.get_by_role("link", name="Try again")
            assert await again.get_attribute("href") == f"http://{NAME}:{far.port}/.ostiary/sign-in?next=%2F"
