"""Signing in at GitHub, Lark, WeChat or a provider of OpenID Connect.

`states` is what browsers began, `providers` finds out who came back, `bindings` who that is here. Each provider is a
module; they know nothing of accounts.
"""

from one_api.accounts.oauth.identity import KINDS, Callback, Distrusted, Identity, Kind, denied, plausible_code
from one_api.accounts.oauth.providers import Places, Providers, check_enabled
from one_api.web import Web

__all__ = [
    "KINDS",
    "Callback",
    "Distrusted",
    "Identity",
    "Kind",
    "Places",
    "Providers",
    "Web",
    "check_enabled",
    "denied",
    "plausible_code",
]
