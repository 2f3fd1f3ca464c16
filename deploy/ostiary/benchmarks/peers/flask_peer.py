"""Flask-Security-Too: the session cookie is signed and names the person, whom each request loads with their roles."""

import json
import os
import sys
from datetime import UTC, datetime

from flask import Flask, Response
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user, hash_password
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["PEER_SECRET"],
    SECURITY_PASSWORD_SALT=os.environ["PEER_SECRET"],
    SQLALCHEMY_DATABASE_URI=os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"),
    SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 8, "max_overflow": 0},
)
database = SQLAlchemy(app)
fsqla_v3.FsModels.set_db_info(database)


class Role(database.Model, fsqla_v3.FsRoleMixin):
    """A role."""


class User(database.Model, fsqla_v3.FsUserMixin):
    """A person."""


store = SQLAlchemyUserDatastore(database, User, Role)
security = Security(app, store)


@app.get("/gate")
@auth_required("session")
def gate() -> Response:
    """Say who this is."""
    groups = ",".join(role.name for role in current_user.roles)
    return Response(
        status=204,
        headers={"Remote-User": str(current_user.id), "Remote-Email": current_user.email, "Remote-Groups": groups},
    )


def seed(count: int) -> dict[str, list[str]]:
    """People with a role, and the cookie of each."""
    database.create_all()
    role = store.create_role(name="end-user")
    hashed = hash_password("seven lanterns over a quiet harbour")
    for number in range(count):
        store.create_user(email=f"person{number}@example.test", password=hashed, roles=[role], active=True)
    database.session.commit()
    signer = app.session_interface.get_signing_serializer(app)
    now = datetime.now(UTC).timestamp()
    people = database.session.query(User.fs_uniquifier).order_by(User.id)
    facts = {"_fresh": True, "fs_cc": "set", "fs_paa": now}
    return {"db": ["session=" + signer.dumps({**facts, "_user_id": person.fs_uniquifier}) for person in people]}


if __name__ == "__main__":
    with app.app_context():
        sys.stdout.write(json.dumps(seed(int(sys.argv[1]))))
