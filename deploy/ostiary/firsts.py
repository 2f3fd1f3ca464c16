"""What `up` does before it serves: a claim link while nobody is administrator, and the samples that were asked for."""

import asyncio
from dataclasses import dataclass

from ostiary import acting, database, demo
from ostiary import home as folder
from ostiary.postgres import Cluster
from ostiary_auth import tools as auth_tools
from ostiary_auth.flows import claim
from ostiary_auth.settings import AuthSettings


@dataclass(frozen=True)
class News:
    """What the operator is told beside the addresses; None where there is nothing to tell."""

    claim_link: str | None
    demo_password: str | None


def first_things(cluster: Cluster, settings: AuthSettings, *, samples: bool) -> News:
    """Do them, each in a transaction of its own."""
    url, tools = cluster.url(database.OWNER, database.NAME), auth_tools.make_tools(settings)
    try:
        password = folder.demo_password(cluster.home) if samples else None
        if password:
            asyncio.run(acting.act(url, tools, lambda work: demo.add(work, password)))
        return News(asyncio.run(acting.act(url, tools, claim.make_claim_link)), password)
    finally:
        tools.passwords.close()
