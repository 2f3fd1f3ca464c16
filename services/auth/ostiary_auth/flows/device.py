"""A device's name as its owner knows it, from what its browser says: `Firefox on Linux`. A guess, and only for show."""

# In this order: Edge and Opera say "Chrome", too, and Chrome says "Safari".
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
# Android says "Linux", too, and an iPhone "like Mac OS X".
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
)
PROGRAMS = ("curl", "Wget", "python-requests", "aiohttp", "httpx", "Go-http-client", "okhttp", "PostmanRuntime")


def name_of(user_agent: str) -> str:
    """The device in words people use."""
    browser = _first(BROWSERS, user_agent) if user_agent.startswith("Mozilla/") else None
    system = _first(SYSTEMS, user_agent)
    if browser:
        return f"{browser} on {system}" if system else browser
    program = next((name for name in PROGRAMS if name.casefold() in user_agent.casefold()), None)
    if program:
        return f"{program} (a program)"
    return f"A device with {system}" if system else "An unknown device"


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for sign, name in table if sign in user_agent), None)
