"""Quart behind Ostiary: `ISSUER=https://login.example.org AUDIENCE=wiki.example.org uvicorn quart_app:app`."""

import os

from quart import Quart

from ostiary_client import Trust, current_identity, has_role, protect, signed_in

# AUTH_URL is where the keys are fetched, should this app reach Ostiary by another address than people do.
TRUST = Trust(
    issuer=os.environ["ISSUER"],
    audience=os.environ["AUDIENCE"],
    auth_url=os.environ.get("AUTH_URL", ""),
    public=("/", "/healthz"),
)

app = Quart(__name__)
protect(app, TRUST)


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.get("/")
async def front() -> str:
    who = current_identity()
    return f"Hello {who.name}." if who else "Hello, whoever you are."


@app.get("/me")
async def me() -> dict[str, object]:
    who = signed_in()
    return {"id": who.id, "email": who.email, "roles": who.roles}


@app.get("/editor")
@has_role("editor")
async def editor() -> str:
    return "The red pencil is yours."
