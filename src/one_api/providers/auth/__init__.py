"""How a request says whose it is: by a header, a signature, or a token that the key is exchanged for. Pure.

https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html has keys of Amazon's that need no signature.
"""

from collections.abc import Mapping
from typing import Literal

from one_api.providers.auth.aws import SigV4
from one_api.providers.auth.tencent import TC3
from one_api.providers.auth.tokens import Baidu, Google, GoogleUser, google
from one_api.providers.flows import Headers, Way, signed
from one_api.providers.paths import Unsupported

Auth = Literal[
    "bearer",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "verbatim",
    "deepl-auth-key",
    "aws",
    "baidu",
    "google",
    "tencent",
    "xunfei",
]
"""`Authorization` with `Bearer`, nothing or DeepL's word before the key, a header of this name, or the vendor's way."""

__all__ = ["TC3", "Auth", "Baidu", "Google", "GoogleUser", "SigV4", "credentials", "printable", "settings"]


def credentials(auth: Auth, key: str, config: Mapping[str, str]) -> tuple[Headers, Way | None]:
    """What every request carries, and the way it goes if that is not all. Raises Unsupported.

    config: the channel's settings, as `settings` gives them.
    """
    if auth == "google":
        try:
            return (), google(config.get("vertex_ai_adc", ""))
        except ValueError as error:
            raise Unsupported(str(error)) from None
    printable(key)
    match auth:
        case "aws":
            return _aws(key, config)
        case "tencent":
            _, secret_id, secret_key = _parts(key, "AppId|SecretId|SecretKey")
            return (), signed(TC3(secret_id, secret_key))
        case "baidu":
            client, secret = _parts(key, "APIKey|SecretKey")
            return (), Baidu(client, secret)
        case _:
            return (_header(auth, key),), None


def printable(text: str) -> bytes:
    """A part of a header: a line break would begin one of its own. Raises Unsupported."""
    if not text.isprintable():
        raise Unsupported("the channel's key holds a character that no header can carry")
    return text.encode()


def _header(auth: str, key: str) -> tuple[bytes, bytes]:
    match auth:
        case "verbatim":
            return b"authorization", key.encode()
        case "bearer":
            return b"authorization", b"Bearer " + key.encode()
        case "deepl-auth-key":
            return b"authorization", b"DeepL-Auth-Key " + key.encode()
        case "xunfei":
            return b"authorization", b"Bearer " + _xunfei(key).encode()
        case name:
            return name.encode(), key.encode()


def settings(key: str, config: Mapping[str, str], names: tuple[str, ...]) -> Mapping[str, str]:
    """A channel's settings. One API's console keeps some of them in the key too, joined by bars."""
    parts = key.split("|", len(names) - 1)
    if not names or len(parts) != len(names):
        return config
    return {**dict(zip(names, parts, strict=True)), **{name: value for name, value in config.items() if value}}


def _aws(key: str, config: Mapping[str, str]) -> tuple[Headers, Way | None]:
    access, secret, region = (config.get(name, "") for name in ("ak", "sk", "region"))
    if access and secret and region:
        return (), signed(SigV4(access=access, secret=secret, region=region, service="bedrock"))
    if access or secret or not key:
        raise Unsupported("the channel needs a region and an access key with its secret, or an API key")
    return (_header("bearer", key),), None


def _xunfei(key: str) -> str:
    """The HTTP API's password is key and secret of the WebSocket's: https://www.xfyun.cn/doc/spark/HTTP调用文档.html."""
    if "|" not in key:
        return key
    _, secret, name = _parts(key, "APPID|APISecret|APIKey")
    return f"{name}:{secret}"


def _parts(key: str, form: str) -> list[str]:
    parts = key.split("|")
    if len(parts) != form.count("|") + 1 or not all(parts):
        raise Unsupported(f"the channel's key has to have the form {form}")
    return parts
