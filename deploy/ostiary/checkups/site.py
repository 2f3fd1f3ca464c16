"""A protected site behind the proxy: whether it asks the gate and heeds the answer, and people find the way back."""

from urllib.parse import parse_qs, urlsplit

from ostiary.checkups import Found, fault, fine, warning
from ostiary.checkups.probing import FORGED, Answer, NoAnswerError, Prober
from ostiary.checkups.through import SHIPPED, arrived
from ostiary_auth.settings import AuthSettings
from ostiary_shared.site_address import OURS

NAVIGATION = {
    "Accept": "text/html",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
}
FETCH = {
    "Accept": "application/json",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Site": "same-origin",
}
MOST_STEPS = 5


async def look(prober: Prober, url: str, settings: AuthSettings) -> list[Found]:
    """All of it, for one address of a site, asked by a stranger."""
    found = await arrived(prober, f"{OURS}probe", settings)
    path = url.removeprefix(prober.origin) or "/"
    try:
        page = await prober.get(path, {**FORGED, **NAVIGATION})
        call = await prober.get(path, {**FORGED, **FETCH})
    except NoAnswerError as trouble:
        return [*found, fault("site", f"{url} does not answer: {trouble}", SHIPPED)]
    if page.status == 200:
        remedy = f"Fine if a rule opens it to anyone (./ostiary explain --who {url}); otherwise the proxy does not ask."
        return [*found, warning("site", f"{url} opens to a stranger", remedy)]
    return [*found, _sent_to_sign_in(page, url, settings), await _leads_on(prober, page, settings), _told(call)]


def _sent_to_sign_in(page: Answer, url: str, settings: AuthSettings) -> Found:
    ours = (
        settings.public_url + "/login",
        urlsplit(url)._replace(path=f"{OURS}sign-in", query="", fragment="").geturl(),
    )
    if page.status == 403:
        return warning("site", f"{url} is refused to a stranger", "A rule refuses everybody, or no site has this host.")
    if page.status not in {302, 303, 307} or not page.location.startswith(ours):
        saw = f"{url} answers {page.status}{f' to {page.location}' if page.location else ''}"
        return fault("site", saw, f"A stranger should be sent to sign in. Does the proxy ask the gate? {SHIPPED}")
    wanted = (parse_qs(urlsplit(page.location).query).get("next") or [""])[0]
    if not wanted or not (wanted == url or url.endswith(wanted)):
        saw = f"after signing in people land at {wanted or 'the front page'}, not at {url}"
        return fault("way back", saw, f"Let the proxy pass the address on as it came. {SHIPPED}")
    return fine("site", "a stranger is sent to sign in, and will come back")


async def _leads_on(prober: Prober, page: Answer, settings: AuthSettings) -> Found:
    """Whether the way to the sign-in page ends there, rather than going in a circle."""
    asking, seen = page, set[str]()
    for _ in range(MOST_STEPS):
        if not asking.location or asking.location in seen:
            break
        seen.add(asking.location)
        target = urlsplit(asking.location)
        host = f"{target.scheme}://{target.netloc}" if target.netloc else prober.origin
        rest = asking.location.removeprefix(host)
        try:
            asking = await Prober(prober.http, host, prober.key).get(rest, NAVIGATION)
        except NoAnswerError as trouble:
            return fault("sign-in page", f"{host} does not answer: {trouble}", "Does OSTIARY_PUBLIC_URL lead to auth?")
    if asking.status == 200:
        return fine("sign-in page", "it opens")
    saw = f"the way there ends at {asking.location or asking.status}"
    return fault("sign-in page", saw, f"Is {settings.public_url} itself behind the gate? It must not be.")


def _told(call: Answer) -> Found:
    if call.status == 401 and isinstance(call.json, dict) and call.json.get("code"):
        return fine("programs", "a script on a page is told 401 in JSON")
    if call.status in {302, 303, 307}:
        remedy = f"Redirect navigations only, and hand 401 on to scripts. {SHIPPED}"
        return warning("programs", "a script on a page is redirected and will read a sign-in page as its data", remedy)
    return fine("programs", f"a script on a page is told {call.status}")
