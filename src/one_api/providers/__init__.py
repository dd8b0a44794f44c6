"""The providers behind the channel types: rows, addresses, credentials, model lists. Data and pure rules."""

from one_api.providers.catalog import PROVIDERS, provider
from one_api.providers.endpoint import Account, Endpoint, endpoint, wire
from one_api.providers.faults import Reader
from one_api.providers.models import CATALOGUE, models_by_type, owner, static_models
from one_api.providers.modes import (
    ACTIONS,
    CONVERSATION,
    COUNTS,
    DRAWN,
    EMBEDDED,
    MESSAGES_COUNT_PATH,
    MESSAGES_PATH,
    PATHS,
    REALTIME_PATH,
    SPOKEN,
    Mode,
)
from one_api.providers.paths import Unsupported
from one_api.providers.row import Callers, Provider, Wire

__all__ = [
    "ACTIONS",
    "CATALOGUE",
    "CONVERSATION",
    "COUNTS",
    "DRAWN",
    "EMBEDDED",
    "MESSAGES_COUNT_PATH",
    "MESSAGES_PATH",
    "PATHS",
    "PROVIDERS",
    "REALTIME_PATH",
    "SPOKEN",
    "Account",
    "Callers",
    "Endpoint",
    "Mode",
    "Provider",
    "Reader",
    "Unsupported",
    "Wire",
    "endpoint",
    "models_by_type",
    "owner",
    "provider",
    "static_models",
    "wire",
]
