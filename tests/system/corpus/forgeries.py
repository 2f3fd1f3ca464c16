"""What clients write beside the address to be taken for others: headers, hosts, credentials, two requests in one.

Whatever a forgery claims says `forged`, so that any of it is known again wherever it turns up.
"""

from dataclasses import dataclass

IDENTITY = ("Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Ostiary-Assertion")


@dataclass(frozen=True)
class Forgery:
    """One way of lying. Where `credentials` is None they are those of whoever asks; others open nothing."""

    name: str
    headers: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ("{host}",)
    credentials: tuple[str, ...] | None = None
    method: str = "GET"
    # What follows the head. Such a request closes its connection: what is left over must not become another one.
    tail: str = ""


def spelled(name: str) -> list[str]:
    """A header's name with every joint that CGI, WSGI and PHP take for a hyphen."""
    forms = [""]
    for part in name.split("-"):
        forms = [form + joint + part for form in forms for joint in ("-_." if form else [""])]
    return forms


def said(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}: forged" for name in names)


EVERY = tuple(form for name in IDENTITY for form in spelled(name))
BEHIND = "GET /editor/smuggled HTTP/1.1\r\nHost: {host}\r\nX-Corpus: behind\r\nRemote-User: forged\r\n\r\n"
SMUGGLED = f"0\r\n\r\n{BEHIND}"

WHO = [
    Forgery("nothing"),
    Forgery("identity in capitals", said(*(name.upper() for name in IDENTITY))),
    Forgery("identity several times", (*said("remote-user", "remote-user"), "Remote-Groups: forged,admin, forged")),
    Forgery("identity in every spelling", said(*EVERY)),
    Forgery("identity, empty and then not", ("Remote-User:", *said("Remote-User"), "X-Ostiary-Assertion:")),
    Forgery("identity over several lines", ("X-Any: 1", " Remote-User: forged", "\tRemote-Groups: forged")),
    Forgery("a space before the colon", ("Remote-User : forged", "X-Ostiary-Assertion\t: forged")),
    Forgery("a bare carriage return", ("X-Any: 1\rRemote-User: forged",)),
    Forgery("a bare line feed", ("X-Any: 1\nRemote-User: forged",)),
    Forgery("a zero byte in a name", ("Remote-User\x00: forged", "Remote\x00-User: forged")),
    Forgery(
        "letters that look alike", ("R\u0435mote-User: forged", "Remote\u2010User: forged", "Remote\u00adUser: forged")
    ),
]
WHERE = [
    Forgery("forwarded address", ("X-Forwarded-Uri: /public/forged",)),
    Forgery("forwarded address twice", ("X-Forwarded-Uri: /public/forged", "X-Forwarded-Uri: /public, /forged")),
    Forgery("forwarded address, cased", ("x-forwarded-URI: /public/forged", "X-FORWARDED-URI: /public/forged")),
    Forgery(
        "forwarded address, joined otherwise", ("X_Forwarded_Uri: /public/forged", "X.Forwarded.Uri: /public/forged")
    ),
    Forgery("forwarded method", ("X-Forwarded-Method: FORGED, OPTIONS", "X-Forwarded-Method: forged")),
    Forgery("forwarded host", ("X-Forwarded-Host: forged.example.test", "X-Forwarded-Host: open.example.test")),
    Forgery("forwarded scheme", ("X-Forwarded-Proto: forged", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: forged")),
    Forgery("forwarded for", ("X-Forwarded-For: 203.0.113.9 forged", "X-Real-Ip: forged", "True-Client-Ip: forged")),
    Forgery(
        "forwarded, all of it",
        said(*(f"X-Forwarded-{what}" for what in ("Uri", "Method", "Host", "Proto", "Port", "For"))),
    ),
    Forgery("forwarded, the standard's", ("Forwarded: for=forged;host=forged;proto=https",)),
    Forgery("original address", ("X-Original-Uri: /public/forged", "X-Original-Url: /editor/forged")),
    Forgery("rewritten address", ("X-Rewrite-Url: /editor/forged", "X-Rewrite-Uri: /editor/forged")),
    Forgery("another method", ("X-Http-Method-Override: forged", "X-Http-Method: forged", "X-Method-Override: forged")),
    Forgery("a host in capitals, a prefix", ("X-Forwarded-Prefix: /forged",), hosts=("LocalHost:{port}",)),
    Forgery("a host with a dot at the end and no port", hosts=("localhost.",)),
    Forgery("another host", hosts=("open.example.test",)),
    Forgery("two hosts", hosts=("{host}", "open.example.test")),
    Forgery("two hosts in one", hosts=("{host}, open.example.test",)),
    Forgery("no host", hosts=()),
]
HOW = [
    Forgery(
        "hop by hop: identity", ("Connection: keep-alive, Remote-User, X-Ostiary-Assertion", "Remote-User: forged")
    ),
    Forgery(
        "hop by hop: address", ("Connection: X-Forwarded-Uri, X-Forwarded-Host", "X-Forwarded-Uri: /public/forged")
    ),
    Forgery("hop by hop: cookie", ("Connection: Cookie, Authorization",)),
    Forgery(
        "an upgrade",
        (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ),
    ),
    Forgery(
        "an upgrade to HTTP/2",
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    ),
    Forgery("another method by itself", method="POST", headers=("Content-Length: 0",)),
    Forgery("a method in small letters", method="forged"),
    Forgery("only the head", method="HEAD"),
    Forgery("a preflight", ("Origin: http://forged.test", "Access-Control-Request-Method: GET"), method="OPTIONS"),
    Forgery("length and chunks", ("Content-Length: 4", "Transfer-Encoding: chunked"), method="POST", tail=SMUGGLED),
    Forgery(
        "chunks, spelled oddly", ("Content-Length: 5", "Transfer-Encoding: xchunked"), method="POST", tail=SMUGGLED
    ),
    Forgery(
        "chunks, twice", ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), method="POST", tail=SMUGGLED
    ),
    Forgery("two lengths", ("Content-Length: 0", "Content-Length: 5"), method="POST", tail=SMUGGLED),
    Forgery("a request behind", ("Content-Length: 0",), tail=BEHIND),
]
# Whose credentials these are: nobody's. `{token}` is a living session's, never given whole.
WHOSE = [
    Forgery("a cut cookie", credentials=("Cookie: ostiary={cut}",)),
    Forgery("a cookie with more behind", credentials=("Cookie: ostiary={token}forged",)),
    Forgery("a cookie in capitals", credentials=("Cookie: ostiary={upper}", "Cookie: OSTIARY={upper}")),
    Forgery(
        "a cookie of signs", credentials=('Cookie: ostiary=%00; ostiary=\u00fc; =ostiary; ;;; ostiary="', "Cookie: {{")
    ),
    Forgery("a long cookie", credentials=("Cookie: ostiary=os_" + "A" * 3000,)),
    Forgery("a cookie of another kind", credentials=("Cookie: ostiary-site={token}; __Host-ostiary-site=oh_{cut}",)),
    Forgery("a bearer that is cut", credentials=("Authorization: Bearer {cut}",)),
    Forgery("basic credentials", credentials=("Authorization: Basic b3N0aWFyeTpvc19mb3JnZWQ=",)),
    Forgery("a bearer in a list", credentials=("Authorization: Bearer os_forged, Bearer {cut}",)),
]

FORGERIES = [*WHO, *WHERE, *HOW, *WHOSE]
