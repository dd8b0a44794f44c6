"""Who may ask what: every route of the gateway in one table, read off the declarations that enforce it."""

from dataclasses import dataclass
from typing import Literal

from one_api.edge import compat
from one_api.edge.api import ENDPOINTS
from one_api.providers import ACTIONS, MESSAGES_COUNT_PATH, MESSAGES_PATH, PATHS
from one_api.relay.heading import ENGINES, PROXY

# A role stands for itself and those above it; a key is what calls of models are made with.
Who = Literal["anyone", "user", "admin", "root", "key"]
_WHO: dict[str, Who] = {"ANYONE": "anyone", "USER": "user", "ADMIN": "admin", "ROOT": "root"}


@dataclass(frozen=True, slots=True)
class Route:
    """A path may hold `{names}` of parts that vary."""

    method: str
    path: str
    who: Who


def table() -> tuple[Route, ...]:
    """All routes but the console's files, which anyone may read. A proxied call has any method; here it has POST."""
    return (
        *(Route(endpoint.method, endpoint.path, _WHO[endpoint.access.name]) for endpoint in ENDPOINTS),
        *(Route(method, row.path, "key") for row in compat.TABLE for method in row.methods),
        *(Route("POST", path, "key") for path in (*PATHS.values(), MESSAGES_PATH, MESSAGES_COUNT_PATH)),
        *(
            Route("POST", f"/{version}/models/{{model}}:{each}", "key")
            for version in ("v1", "v1beta")
            for each in ACTIONS
        ),
        Route("POST", f"{ENGINES}{{model}}/embeddings", "key"),
        Route("POST", f"{PROXY}{{channel}}/{{path}}", "key"),
    )
