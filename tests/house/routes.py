"""Every route of an app as a request that could be sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from quart import Quart
from werkzeug.routing import Rule

from ostiary_shared.web import csrf, door

PLACEHOLDERS = {"UUIDConverter": UUID(int=7), "IntegerConverter": 7}


@dataclass(frozen=True)
class Door:
    """One method at one address, and what its route declares."""

    method: str
    path: str
    endpoint: str
    stance: door.Stance

    @property
    def changes(self) -> bool:
        """Whether the method may change something."""
        return self.method not in csrf.SAFE_METHODS

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors(app: Quart) -> Iterator[Door]:
    """All of them, in a stable order."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        stance = door.stance_of(app, rule.endpoint)
        assert stance is not None, rule.endpoint
        for method in sorted(rule.methods or ()):
            yield Door(method, path(app, rule), rule.endpoint, stance)


def path(app: Quart, rule: Rule) -> str:
    """The rule's address with something in place of each variable."""
    values = {name: PLACEHOLDERS.get(type(converter).__name__, "7-x") for name, converter in rule._converters.items()}
    return app.url_map.bind("localhost").build(rule.endpoint, values, force_external=False)
