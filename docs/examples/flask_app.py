"""Flask behind Ostiary: `ISSUER=https://login.example.org AUDIENCE=wiki.example.org flask --app flask_app run`."""

import os

from flask import Flask

from ostiary_client import Trust, current_identity, has_role, protect, signed_in

TRUST = Trust(issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"], public=("/", "/healthz"))

app = Flask(__name__)
protect(app, TRUST)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.get("/")
def front() -> str:
    who = current_identity()
    return f"Hello {who.name}." if who else "Hello, whoever you are."


@app.get("/me")
def me() -> dict[str, object]:
    who = signed_in()
    return {"id": who.id, "email": who.email, "roles": who.roles}


@app.get("/editor")
@has_role("editor")
def editor() -> str:
    return "The red pencil is yours."
