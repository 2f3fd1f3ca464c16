"""Two hundred addresses and more: most lead to the editors' part for some reader, a few are as they should be."""

from tests.system.traversals import TRAVERSALS

# Two dots and the slashes around them, in the spellings that some reader takes for them.
UP = ("..", "%2e%2e", ".%2e", "%252e%252e", "..;", "..%00", "%c0%ae%c0%ae", "\uff0e\uff0e", "...")
SLASH = ("/", "//", "\\", "%2f", "%5c", "%252f", ";/", "%c0%af")
AROUND = [f"/public{slash}{up}{slash}editor/x" for up in UP for slash in SLASH]

SPELLED = [
    *(
        "/Editor/x",
        "/eDiToR/x",
        "/editor",
        "/editor/",
        "/editor.",
        "/editor%20",
        "/editor%00",
        "/editor/x.",
        "/editor..;/x",
    ),
    *("/editor;/x", "/editor;jsessionid=1/x", "/editor%3b/x", "/editor.css", "/editor/x;.css", "/editor/x%3b.css"),
    *(
        "/editor/x%00.css",
        "/editor/x%23.css",
        "/editor/x/..",
        "/editor/%20",
        "/editor%09/x",
        "/editor%0a",
        "/ editor/x",
    ),
    *("/%65%64%69%74%6f%72/x", "/%2565ditor/x", "/ed%69tor%2e", "/\u0435ditor/x", "/edi\u0307tor/x", "/editor\u200b/x"),
    *("/wiki/../editor/x", "/wiki/..;/editor/x", "/feed/../editor/x", "/feed%2f..%2feditor", "/wiki%2f..%2feditor%2fx"),
    *("/public/x/%2e%2e/%2e%2e/editor/x", "/public/./%2e/../editor/x", "/public/a%2f..%2f..%2feditor/x"),
    *("/.ostiary/../editor/x", "/.ostiary/..%2feditor/x", "/.ostiary;/../editor/x", "/.ostiary/%2e%2e/editor/x"),
    *("/.ostiary//../editor/x", "/.ostiary/enter/../../editor/x", "/public/../.ostiary/../editor/x"),
]
ASKED = [
    *(
        "/editor/x?/public/",
        "/editor/x?path=/public",
        "/editor?x=/../public/y",
        "/editor/x%3f/public/",
        "/editor/x%3fa=b",
    ),
    *("/public?x=/../editor", "/public/?next=/editor/x", "/public??/../editor", "/public/x?a=%2e%2e%2feditor"),
    *("/public/x?a#/editor", "/public#/../editor/x", "/public/x;?/editor", "/public?\\..\\editor", "/public?x y"),
    *(
        "/public?url=http://localhost/editor",
        "/editor/x?rewrite=/public",
        "/wiki?../../editor",
        "/?/public/",
        "/?x=/editor",
    ),
]
ABSOLUTE = [
    *(
        "http://{host}/editor/x",
        "HTTP://{host}/editor/x",
        "https://{host}/editor/x",
        "http://{host}/public/../editor/x",
    ),
    *("http://open.example.test/editor/x", "http://localhost/editor/x", "http://LOCALHOST:{port}/editor/x"),
    *(
        "http://localhost.:{port}/editor/x",
        "http://localhost:080/editor/x",
        "http://u@{host}/editor/x",
        "http:///editor/x",
    ),
    *(
        "http://u:p@open.example.test@{host}/editor/x",
        "http:/editor/x",
        "http:editor/x",
        "//{host}/editor/x",
        "ftp://{host}/editor",
    ),
    *(
        "http://{host}/public/x",
        "http://{host}\\@open.example.test/editor/x",
        "http://{host}?/editor/x",
        "http://{host}#/editor",
    ),
    *("https://open.example.test:443/editor/x", "ws://{host}/editor/x", "file:///editor/x", "/http://{host}/editor/x"),
]
CANONICAL = [
    *(
        "/public",
        "/public/",
        "/public/x",
        "/public/%20x",
        "/public/%C3%BC",
        "/public/a+b:@~",
        "/public/a.b/c-d_e",
        "/feed",
    ),
    *(
        "/public/x?a=b&c=%2F",
        "/wiki",
        "/wiki/a%20b?x=1&y=%2F",
        "/wiki/live",
        "/editor/x",
        "/editor/a/b",
        "/audit",
        "/",
        "/nowhere",
    ),
]

PATHS = list(dict.fromkeys([*TRAVERSALS, *AROUND, *SPELLED, *ASKED, *ABSOLUTE, *CANONICAL]))
