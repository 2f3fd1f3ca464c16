"""The whole story: claim, sign up, come in through nginx and Caddy, be refused, be let in, be locked out, recover."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Person, Up, at_a_browser
from tests.browser.proxies import Proxies, both

ADMIN = "ada@example.test"
VISITOR = "grace.hopper@example.test"
ADMIN_PASSWORD = "keeper of the iron gate"
VISITOR_PASSWORD = "river lantern otter 42"
NEW_PASSWORD = "copper kettle meadow 77"


@pytest.fixture
async def proxies(up: Up) -> AsyncIterator[Proxies]:
    async with both(up.url) as running:
        yield running


async def test_from_the_claim_link_to_a_recovered_account(up: Up, chromium: Browser, proxies: Proxies) -> None:
    async with at_a_browser(chromium) as ada, at_a_browser(chromium) as grace, at_a_browser(chromium) as elsewhere:
        await claim(up, ada.page)
        await sign_up_and_confirm(up, grace.page)
        await sign_in(grace.page, up.url + "/login", VISITOR_PASSWORD)
        await see_the_account(grace.page)
        await protect_the_site(up, ada.page)
        await sign_out(grace.page, up)
        await come_in_through(grace.page, proxies.nginx)
        code = await be_refused(grace.page, proxies.nginx)
        await be_refused(grace.page, proxies.caddy)
        told = await explain_and_grant(up, ada.page, code)
        for proxy in (proxies.nginx, proxies.caddy):
            await grace.page.goto(f"{proxy}/editor/")
            await expect(grace.page.get_by_text("the editors' desk")).to_be_visible()
        await explained_on_the_command_line(up, proxies.nginx, told)
        await lock_and_unlock(up, ada.page, grace, proxies)
        await sign_in(elsewhere.page, up.url + "/login", VISITOR_PASSWORD)
        await recover(up, grace.page, elsewhere.page)


async def claim(up: Up, page: Page) -> None:
    await page.goto(up.claim_link)
    await page.get_by_label("Name").fill("Ada Lovelace")
    await page.get_by_label("E-mail address").fill(ADMIN)
    await page.get_by_label("Password", exact=True).fill(ADMIN_PASSWORD)
    await page.get_by_role("button", name="Become administrator").click()
    await page.wait_for_url(up.url + "/admin")


async def sign_up_and_confirm(up: Up, page: Page) -> None:
    await page.goto(up.url + "/signup")
    await page.get_by_label("Name").fill("Grace Hopper")
    await page.get_by_label("E-mail address").fill(VISITOR)
    await page.get_by_label("Password", exact=True).fill(VISITOR_PASSWORD)
    await picture(page, "sign-up")
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    await follow_mail(up, page, "/signup/confirm")
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def follow_mail(up: Up, page: Page, path: str) -> None:
    """Open the newest mail in the mailbox page and follow its link to `path`."""
    link = page.locator(f'.mail-text a[href*="{path}"]')
    async with asyncio.timeout(20):
        while True:
            await page.goto(up.mailbox)
            if await page.locator("tbody th a").count():
                await page.locator("tbody th a").first.click()
                if await link.count():
                    break
            await asyncio.sleep(0.2)
    if path == "/signup/confirm":
        await picture(page, "mailbox")
    await page.goto(str(await link.first.get_attribute("href")))


async def sign_in(page: Page, url: str, password: str, email: str = VISITOR) -> None:
    await page.goto(url)
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Sign in")).to_have_count(0)


async def sign_out(page: Page, up: Up) -> None:
    await page.goto(up.url + "/account")
    await page.get_by_role("button", name="Account menu").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def see_the_account(page: Page) -> None:
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith("/account")
    await picture(page, "account")
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.get_by_text("This device")).to_be_visible()
    await expect(page.get_by_text("127.0.0.1").first).to_be_visible()


async def protect_the_site(up: Up, page: Page) -> None:
    await page.goto(up.url + "/admin/roles/new")
    await page.get_by_label("Name").fill("editor")
    await page.get_by_label("Description").fill("Writes the pages of the site.")
    await page.get_by_role("button", name="Make the role").click()
    await page.goto(up.url + "/admin/sites/new")
    await page.get_by_label("Name").fill("The Gazette")
    await page.get_by_label("Host").fill("localhost")
    await rule(page, 1, "/editor/", "role:editor")
    await rule(page, 2, "/", "signed_in")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="The Gazette")).to_be_visible()


async def rule(page: Page, number: int, path: str, who: str) -> None:
    await page.get_by_label(f"Path of rule {number}").fill(path)
    await page.get_by_label(f"Who may enter by rule {number}").select_option(who)


async def come_in_through(page: Page, site: str) -> None:
    """From a page of the site to the sign-in and back to the page that was wanted."""
    await sign_in(page, f"{site}/news?page=2&sort=new", VISITOR_PASSWORD)
    assert page.url == f"{site}/news?page=2&sort=new"
    await expect(page.get_by_text("the front page")).to_be_visible()


async def be_refused(page: Page, site: str) -> str:
    await page.goto(f"{site}/editor/")
    await expect(page.get_by_text("role", exact=False).first).to_be_visible()
    code = await page.get_by_text(re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$")).first.inner_text()
    await picture(page, "denied")
    return code


async def explain_and_grant(up: Up, page: Page, code: str) -> list[str]:
    await page.goto(up.url + "/admin/denials")
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Explain").click()
    steps = page.locator(".steps > li")
    await expect(steps.last).to_be_visible()
    told = [" ".join((await step.inner_text()).split()) for step in await steps.all()]
    await picture(page, "denial-steps")
    await page.get_by_role("button", name=re.compile("Grant editor", re.IGNORECASE)).click()
    await page.goto(up.url + "/admin/users")
    await picture(page, "people")
    await page.get_by_role("link", name="Grace Hopper").click()
    await expect(page.get_by_text("editor").first).to_be_visible()
    await picture(page, "person")
    return told


async def explained_on_the_command_line(up: Up, site: str, told: list[str]) -> None:
    """`explain` prints the steps of the Denials page; the role's step has passed since."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ostiary",
        "explain",
        VISITOR,
        f"{site}/editor/",
        "--data",
        str(up.data),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    printed = " ".join(said.split())
    for title in re.findall(r"(Did the request[^?]*\?|Is the [^?]*\?|Which rule[^?]*\?)", " ".join(told)):
        assert title in printed
    assert "rule 1 of The Gazette (/editor/)" in printed


async def lock_and_unlock(up: Up, page: Page, grace: Person, proxies: Proxies) -> None:
    await page.get_by_text("Lock the account", exact=True).click()
    await page.locator("details[open]").get_by_label("Reason").fill("Left her desk unattended")
    await page.get_by_role("button", name="Lock", exact=True).click()
    await expect(page.get_by_text("Left her desk unattended").first).to_be_visible()
    for address in (f"{proxies.nginx}/news", f"{proxies.caddy}/news", up.url + "/account"):
        await grace.page.goto(address)
        await expect(grace.page.get_by_role("button", name="Sign in")).to_be_visible()
    await page.get_by_role("button", name="Unlock").click()
    await sign_in(grace.page, f"{proxies.caddy}/editor/", VISITOR_PASSWORD)
    await expect(grace.page.get_by_text("the editors' desk")).to_be_visible()


async def recover(up: Up, page: Page, elsewhere: Page) -> None:
    await sign_out(page, up)
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_label("E-mail address").fill(VISITOR)
    await page.get_by_role("button", name="Send the link").click()
    await follow_mail(up, page, "/recover/reset")
    await page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await elsewhere.goto(up.url + "/account")
    await expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    await sign_in(page, up.url + "/login", NEW_PASSWORD)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def picture(page: Page, name: str) -> None:
    """A picture for the tour, when asked for: OSTIARY_PICTURES=docs/images."""
    folder = os.environ.get("OSTIARY_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=name == "denial-steps")
