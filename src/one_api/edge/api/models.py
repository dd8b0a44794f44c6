"""The models: known to this build, by channel type, and those a user may use."""

from dataclasses import asdict, dataclass
from typing import Any, Final, TypedDict

from starlette.responses import Response

from one_api import providers
from one_api.channels import rules, upkeep
from one_api.channels.rules import Wish
from one_api.edge.api.answers import answer, done
from one_api.edge.api.declared import Bare
from one_api.edge.api.decode import Int
from one_api.edge.api.endpoint import Access, Call, get, post

PROXY: Final = 43  # serves whatever it is sent; One API's list has null for it
CREATED: Final = 1626777600  # One API says this of every model
_PERMISSION: Final = {
    "id": "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
    "object": "model_permission",
    "created": CREATED,
    "allow_create_engine": True,
    "allow_sampling": True,
    "allow_logprobs": True,
    "allow_search_indices": False,
    "allow_view": True,
    "allow_fine_tuning": False,
    "organization": "*",
    "group": None,
    "is_blocking": False,
}


class Model(TypedDict):
    """A model in OpenAI's form."""

    id: str
    object: str
    created: int
    owned_by: str
    permission: list[dict[str, Any]]
    root: str
    parent: str | None


class Models(TypedDict):
    object: str
    data: list[Model]


class ChannelType(TypedDict):
    id: int
    name: str
    base_url: str


@get("/api/models", Access.USER, answers=dict[str, list[str] | None])
async def by_type(_call: Call) -> Response:
    lists = providers.models_by_type()
    return done({str(number): None if number == PROXY else list(names) for number, names in lists.items()})


@get("/api/channel/models", Access.ADMIN, answers=Bare(Models))
async def catalogue(_call: Call) -> Response:
    """Without the envelope, in OpenAI's form; a model of two providers is there twice."""
    return answer({"object": "list", "data": [_model(name, owner) for name, owner in providers.CATALOGUE]})


@get("/api/channel/types", Access.ADMIN, answers=list[ChannelType])
async def channel_types(_call: Call) -> Response:
    """Who can stand behind a channel: what a console offers to choose from."""
    rows = (row for number, row in providers.PROVIDERS.items() if number)
    return done([{"id": row.id, "name": row.name, "base_url": row.base_url} for row in rows])


@get("/api/channel/fetch_models/{id}", Access.ADMIN, changes=True, answers=list[str])
async def fetch_models(call: Call) -> Response:
    """What the channel's provider lists for its key, asked now."""
    channel = await upkeep.find(call.parts.database, call.path_number("id"))
    return done(await call.parts.tests.models(channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A channel as far as its list of models depends on it, before it is saved."""

    type: Int = 0
    base_url: str = ""
    key: str = ""
    other: str = ""
    config: str = ""
    parameters: str = ""

    def __repr__(self) -> str:
        return f"<Listed {self.type}>"


@post("/api/channel/fetch_models", Access.ADMIN, form=Listed, answers=list[str])
async def fetch_models_of_a_form(call: Call) -> Response:
    """The same for a channel that is not saved; of several keys the first is used."""
    wish = call.bind(Listed, "Listed")
    return done(await call.parts.tests.models(rules.unsaved(Wish(**asdict(wish)))))


@get("/api/user/available_models", Access.USER, answers=list[str])
async def available(call: Call) -> Response:
    return done([name for name in call.parts.routes.now.models(call.user.group) if name])


@get("/api/group/", Access.ADMIN, answers=list[str])
async def groups(call: Call) -> Response:
    return done(sorted(call.options.group_ratio))


def _model(name: str, owner: str) -> Model:
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": owner,
        "permission": [_PERMISSION],
        "root": name,
        "parent": None,
    }
