"""FastAPI behind Ostiary: `ISSUER=https://login.example.org AUDIENCE=wiki.example.org uvicorn fastapi_app:app`."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse

from ostiary_client import Identity, Trust, current_identity, has_role, protect, signed_in

TRUST = Trust(issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"], public=("/", "/healthz"))

app = FastAPI()
protect(app, TRUST)


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.get("/", response_class=PlainTextResponse)
async def front() -> str:
    who = current_identity()
    return f"Hello {who.name}." if who else "Hello, whoever you are."


@app.get("/me")
async def me(who: Annotated[Identity, Depends(signed_in)]) -> dict[str, object]:
    return {"id": who.id, "email": who.email, "roles": who.roles}


@app.get("/editor", response_class=PlainTextResponse, dependencies=[Depends(has_role("editor"))])
def editor() -> str:
    return "The red pencil is yours."
