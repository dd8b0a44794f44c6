"""Amazon's Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from one_api.providers.flows import Query

_SIGNED: Final = (b"content-type", b"x-amz-security-token")
"""Of a request's headers; with the host and the date all that a signature needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4:
    """Signs for a service in a region."""

    access: str
    secret: str
    region: str
    service: str

    def __repr__(self) -> str:
        return "<SigV4>"

    def __call__(self, query: Query, now: float) -> Query:
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        headers = {name.decode(): value.decode() for name, value in query.headers if name in _SIGNED}
        headers |= {"host": query.host, "x-amz-date": moment}
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            (
                query.method,
                quote(query.path, safe="/~-._"),  # once more: what is percent-encoded in it is so twice
                "&".join(sorted(query.query.split("&"))),
                *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)),
                "",
                names,
                hashlib.sha256(query.body).hexdigest(),
            )
        )
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = keyed(f"AWS4{self.secret}".encode(), *scope.split("/"), text).hex()
        value = f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={names}, Signature={signature}"
        return query.carrying(
            (b"x-amz-date", moment.encode()), (b"authorization", value.encode()), secrets=(signature,)
        )


def keyed(key: bytes, *texts: str) -> bytes:
    """Each text's digest is the key of the next."""
    for text in texts:
        key = hmac.digest(key, text.encode(), "sha256")
    return key
