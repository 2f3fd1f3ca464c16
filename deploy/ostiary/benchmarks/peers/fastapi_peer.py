"""FastAPI-Users: tokens as rows in the database, or as signed JWTs (which load the person but cannot be revoked)."""

import asyncio
import json
import os
import secrets
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from sqlalchemy import ForeignKey, insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SECRET = os.environ["PEER_SECRET"]
SECONDS = 20 * 3600
COOKIE = "fastapiusersauth"


class Base(DeclarativeBase):
    """All tables."""


class Role(Base):
    """A role."""

    __tablename__ = "role"
    name: Mapped[str] = mapped_column(primary_key=True)


class Held(Base):
    """Who holds which role."""

    __tablename__ = "held"
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role: Mapped[str] = mapped_column(ForeignKey("role.name"), primary_key=True)


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A person with their roles."""

    roles: Mapped[list[Role]] = relationship(secondary="held", lazy="selectin")


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """A session."""


url = os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:")
engine = create_async_engine(url, pool_size=8, max_overflow=0)
opened = async_sessionmaker(engine, expire_on_commit=False)


async def session() -> AsyncIterator[AsyncSession]:
    async with opened() as one:
        yield one


async def people(one: Annotated[AsyncSession, Depends(session)]) -> SQLAlchemyUserDatabase:
    return SQLAlchemyUserDatabase(one, User)


async def access_tokens(one: Annotated[AsyncSession, Depends(session)]) -> SQLAlchemyAccessTokenDatabase:
    return SQLAlchemyAccessTokenDatabase(one, AccessToken)


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """What the library asks about people."""


async def manager(found: Annotated[SQLAlchemyUserDatabase, Depends(people)]) -> Manager:
    return Manager(found)


def in_database(rows: Annotated[SQLAlchemyAccessTokenDatabase, Depends(access_tokens)]) -> DatabaseStrategy:
    return DatabaseStrategy(rows, lifetime_seconds=SECONDS)


def signed() -> JWTStrategy:
    return JWTStrategy(SECRET, lifetime_seconds=SECONDS)


JWT = os.environ.get("PEER_SESSIONS") == "jwt"
backend = AuthenticationBackend("peer", CookieTransport(COOKIE), get_strategy=signed if JWT else in_database)
current = FastAPIUsers[User, uuid.UUID](manager, [backend]).current_user(active=True)
app = FastAPI()


@app.get("/gate")
async def gate(user: Annotated[User, Depends(current)]) -> Response:
    """Say who this is."""
    groups = ",".join(role.name for role in user.roles)
    return Response(
        status_code=204, headers={"Remote-User": str(user.id), "Remote-Email": user.email, "Remote-Groups": groups}
    )


async def seed(count: int) -> dict[str, list[str]]:
    """People with a role and a token; their cookies, by the kind of session."""
    ids = [uuid.uuid4() for _ in range(count)]
    tokens = {id_: secrets.token_urlsafe() for id_ in ids}
    facts = {"hashed_password": "none", "is_active": True, "is_superuser": False, "is_verified": True}
    people = [{"id": id_, "email": f"person{number}@example.test", **facts} for number, id_ in enumerate(ids)]
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Role), [{"name": "end-user"}])
        await connection.execute(insert(User), people)
        await connection.execute(insert(Held), [{"user_id": id_, "role": "end-user"} for id_ in ids])
        await connection.execute(insert(AccessToken), [{"user_id": id_, "token": tokens[id_]} for id_ in ids])
    await engine.dispose()
    jwts = [await signed().write_token(User(id=id_)) for id_ in ids]
    return {"db": [f"{COOKIE}={token}" for token in tokens.values()], "jwt": [f"{COOKIE}={jwt}" for jwt in jwts]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(seed(int(sys.argv[1])))))
