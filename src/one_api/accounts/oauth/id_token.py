"""An ID token, checked as OpenID Connect Core 3.1.3.7 demands. Pure.

Only signatures by a private key count: one made with the client's secret proves no more than the connection did.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from joserfc import jwk, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from one_api.accounts.oauth.identity import UnknownKey, Untrusted
from one_api.accounts.rules import same

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
LEEWAY_S: Final = 60
_MOST_KEYS: Final = 100
_RSA_MODULUS: Final = range(342, 2732)  # base64 characters: 2048 to 16384 bits


def key_set(value: Any) -> KeySet:
    """The keys that may sign; those that cannot be read are left out. Raises Untrusted if there are none."""
    rows = value.get("keys") if isinstance(value, dict) else None
    keys = [key for row in (rows if isinstance(rows, list) else [])[:_MOST_KEYS] if (key := _key(row)) is not None]
    if not keys:
        raise Untrusted("no keys")
    return KeySet(keys)


def _key(row: Any) -> jwk.Key | None:
    if not isinstance(row, dict) or row.get("use", "sig") != "sig" or row.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    if row["kty"] == "RSA" and len(str(row.get("n", ""))) not in _RSA_MODULUS:
        return None
    try:
        return jwk.import_key({name: row[name] for name in row.keys() - {"d", "p", "q", "dp", "dq", "qi", "oth"}})
    except (JoseError, ValueError, TypeError):
        return None


def check(
    token: Any, keys: KeySet, *, issuer: str, client_id: str, nonce: str, algorithms: Collection[str], now: int
) -> Mapping[str, Any]:
    """The claims of a good token. An empty `nonce` is one that was never sent. Raises Untrusted."""
    if not isinstance(token, str) or not token.isascii():
        raise Untrusted("no token")
    try:
        read = jwt.decode(token, keys, algorithms=_both(algorithms))
        _registry(issuer, client_id, now).validate(read.claims)
    except InvalidKeyIdError:
        raise UnknownKey("an unknown key") from None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise Untrusted(type(error).__name__) from None
    claims = read.claims
    if str(read.header.get("typ", "")).lower().endswith("+jwt"):
        raise Untrusted("a token of another kind")
    audience = claims["aud"]
    if (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims) or not _ours(claims, client_id):
        raise Untrusted("another party's token")
    if nonce and not (isinstance(claims.get("nonce"), str) and same(claims["nonce"], nonce)):
        raise Untrusted("another nonce")
    return claims


def _both(offered: Collection[str]) -> Sequence[str]:
    """The algorithms that both sides know; who offers none has the default, RS256."""
    return [name for name in ALGORITHMS if name in (offered or ("RS256",))]


def _ours(claims: Mapping[str, Any], client_id: str) -> bool:
    return bool(claims.get("azp", client_id) == client_id)


def _registry(issuer: str, client_id: str, now: int) -> jwt.JWTClaimsRegistry:
    needed: jwt.ClaimsOption = {"essential": True}
    return jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        sub=needed,
        exp=needed,
        iat=needed,
    )
