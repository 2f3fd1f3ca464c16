"""A browser on its way between our own host and those of sites, each behind a proxy, with a jar of cookies for each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from quart import Quart, Response

from tests.auth.gate.conftest import HOST, PROXY


@dataclass
class Visitor:
    """A browser with a jar of cookies for each host, walking through a proxy."""

    app: Quart
    jars: dict[str, dict[str, str]] = field(default_factory=dict)
    peer: str = PROXY

    async def ask(self, url: str, method: str = "GET", headers: dict[str, str] | None = None) -> Response:
        """One request; what it sets is kept for its host."""
        parts = urlsplit(url)
        jar = self.jars.setdefault(parts.netloc, {})
        told = {"X-Forwarded-Proto": parts.scheme, "X-Forwarded-Host": parts.netloc, "Host": parts.netloc}
        if jar:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        client: Any = self.app.test_client(use_cookies=False)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {**told, **(headers or {})}
        answer: Response = await client.open(target, method=method, headers=sent, scope_base={"client": (self.peer, 1)})
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            jar[name] = value
            if not value:
                del jar[name]
        return answer

    async def follow(self, url: str, until: Callable[[str], bool]) -> list[str]:
        """Where redirects lead from here, up to the first address that will do."""
        way = [url]
        while not until(way[-1]) and len(way) < 10:
            answer = await self.ask(way[-1])
            assert answer.status_code in {302, 303}, (way, answer.status_code)
            parts = urlsplit(way[-1])
            place = answer.headers["Location"]
            way.append(place if "://" in place else f"{parts.scheme}://{parts.netloc}{place}")
        return way

    async def gate(self, host: str, path: str = "/wiki", cookies: dict[str, str] | None = None) -> int:
        """What the gate says of a page of a site."""
        jar = self.jars.get(host, {}) if cookies is None else cookies
        headers = {
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": host,
            "X-Forwarded-Uri": path,
            "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()),
        }
        client = self.app.test_client(use_cookies=False)
        answer: Any = await client.get("/gate", headers=headers, scope_base={"client": (self.peer, 1)})
        return int(answer.status_code)


def at(address: str) -> Callable[[str], bool]:
    return lambda url: url.startswith(address)


async def come_in(visitor: Visitor, host: str = HOST, path: str = "/wiki?a=1&b=%26") -> list[str]:
    start = f"http://{host}/.ostiary/sign-in?next={quote(path, safe='')}"
    return await visitor.follow(start, lambda url: url == f"http://{host}{path}")
