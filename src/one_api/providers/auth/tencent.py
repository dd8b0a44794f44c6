"""Tencent Cloud's signature TC3: https://cloud.tencent.com/document/api/1729/101843."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from one_api.providers.auth.aws import keyed
from one_api.providers.flows import Query

HOST: Final = "hunyuan.tencentcloudapi.com"


@dataclass(frozen=True, slots=True)
class TC3:
    """Signs for the host that answers in the end: that of the address if it is Tencent's, else the usual one.

    The service is the first part of its name.
    """

    secret_id: str
    secret_key: str

    def __repr__(self) -> str:
        return "<TC3>"

    def __call__(self, query: Query, now: float) -> Query:
        given = dict(query.headers)
        host = query.host if query.host.endswith(".tencentcloudapi.com") else HOST
        signed = {
            "content-type": given[b"content-type"].decode(),
            "host": host,
            "x-tc-action": given[b"x-tc-action"].decode().lower(),
        }
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"{query.method}\n/\n\n{lines}\n{names}\n{hashlib.sha256(query.body).hexdigest()}"
        timestamp = str(int(now))
        scope = f"{datetime.fromtimestamp(int(now), UTC):%Y-%m-%d}/{host.partition('.')[0]}/tc3_request"
        text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = keyed(f"TC3{self.secret_key}".encode(), *scope.split("/"), text).hex()
        value = f"TC3-HMAC-SHA256 Credential={self.secret_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return query.carrying(
            (b"authorization", value.encode()), (b"x-tc-timestamp", timestamp.encode()), secrets=(signature,)
        )
