"""Signatures against the vendors' own libraries and published vectors, and the tokens that keys are exchanged for."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from one_api.providers import Unsupported
from one_api.providers.auth import TC3, Baidu, Google, GoogleUser, SigV4, credentials
from one_api.providers.auth.tokens import read_token
from one_api.providers.flows import Exchange, Flow, Query, Refused, Response

VECTORS = json.loads((Path(__file__).parent.parent / "data/vectors/signatures.json").read_text("utf-8"))["cases"]
NOW = 1_700_000_000
JSON = (b"content-type", b"application/json")
RSA: Any = RSAKey.generate_key(2048, auto_kid=False)
SERVICE = {
    "type": "service_account",
    "client_email": "me@project.iam.gserviceaccount.com",
    "private_key_id": "kid-1",
    "private_key": RSA.as_pem(private=True).decode(),
    "token_uri": "https://tokens.example/token",
}
SIGV4 = SigV4(access="AKID", secret="SECRET", region="us-east-1", service="bedrock")


def header(query: Query, name: bytes) -> str:
    (found,) = [value for key, value in query.headers if key == name]
    return found.decode()


def end_of(flow: Flow, found: object) -> Query:
    with pytest.raises(StopIteration) as end:
        flow.send(found)
    query: Query = end.value.value
    return query


# --- Amazon -----------------------------------------------------------------------------------------------------------


def botocores(query: Query) -> str:
    """The signature that Amazon's library makes of the same request."""
    date = header(SIGV4(query, NOW), b"x-amz-date")
    signer = SigV4Auth(Credentials("AKID", "SECRET"), "bedrock", "us-east-1")
    request = AWSRequest(query.method, query.url, {k.decode(): v.decode() for k, v in query.headers}, query.body)
    request.context["timestamp"] = date
    request.headers["X-Amz-Date"] = date
    text = signer.string_to_sign(request, signer.canonical_request(request))
    found: str = signer.signature(text, request)
    return found


@pytest.mark.parametrize(
    "url",
    [
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/meta.llama3-8b-instruct-v1%3A0/converse",
        "https://bedrock-runtime.us-east-1.amazonaws.com:443/model/a/invoke?x=1&b=2",
        "http://127.0.0.1:8080/up/model/arn%3Aaws%3Abedrock%3A%3A1%3Ainference-profile%2Fus.x/invoke",
        "https://host.example",
    ],
)
@pytest.mark.parametrize("body", [b"", '{"a":"你好"}'.encode()], ids=["empty", "body"])
def test_amazons_signature_is_that_of_its_library(url: str, body: bytes) -> None:
    query = Query(url=url, headers=(JSON,), body=body)
    signed = SIGV4(query, NOW)
    authorization = header(signed, b"authorization")
    expected = botocores(query)
    assert authorization == (
        "AWS4-HMAC-SHA256 Credential=AKID/20231114/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={expected}"
    )
    assert (signed.url, signed.body, signed.secrets) == (url, body, (expected,))


@given(st.text(), st.binary(), st.integers(0, 2**32))
def test_whatever_a_model_is_called_its_request_can_be_signed(model: str, body: bytes, now: int) -> None:
    headers, way = credentials("aws", "k", {"ak": "A", "sk": "B", "region": "eu-west-1"})
    assert headers == ()
    assert way is not None
    with pytest.raises(StopIteration) as end:
        next(way(Query(url="https://h.example/x", headers=(JSON,), body=body + model.encode("utf-8", "replace")), now))
    assert header(end.value.value, b"authorization").startswith("AWS4-HMAC-SHA256 Credential=A/")


def test_a_key_of_bedrocks_own_needs_no_signature() -> None:
    assert credentials("aws", "ABSK1", {"region": "us-east-1"}) == (((b"authorization", b"Bearer ABSK1"),), None)


@pytest.mark.parametrize("config", [{"ak": "A"}, {"sk": "B", "region": "r"}, {"ak": "A", "sk": "B"}])
def test_half_an_account_of_amazons_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(Unsupported, match="access key"):
        credentials("aws", "k", config)


# --- Tencent ----------------------------------------------------------------------------------------------------------


def tencents(host: str = "hunyuan.tencentcloudapi.com") -> tuple[dict[str, Any], Query]:
    (case,) = [each for each in VECTORS if each["provider"] == "tencent"]
    headers = (JSON, (b"x-tc-action", case["action"].encode()))
    return case, Query(url=f"https://{host}/", headers=headers, body=case["body"].encode())


def test_tencents_signature_is_that_of_the_vector() -> None:
    case, query = tencents()
    signed = TC3("SID", case["secret_key"])(query, case["timestamp"])
    assert header(signed, b"authorization") == (
        "TC3-HMAC-SHA256 Credential=SID/2023-11-14/hunyuan/tc3_request, "
        f"SignedHeaders=content-type;host;x-tc-action, Signature={case['signature']}"
    )
    assert header(signed, b"x-tc-timestamp") == str(case["timestamp"])
    assert signed.secrets == (case["signature"],)


def test_tencents_signature_is_that_of_its_pages_example() -> None:
    """https://cloud.tencent.com/document/api/213/30654: id and key are asterisks, the service is another."""
    body = r'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = ((b"content-type", b"application/json; charset=utf-8"), (b"x-tc-action", b"DescribeInstances"))
    query = Query(url="https://cvm.tencentcloudapi.com/", headers=headers, body=body.encode())
    assert header(TC3(f"AKID{'*' * 32}", "*" * 32)(query, 1551113065), b"authorization") == (
        f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


def test_behind_a_proxy_tencents_signature_is_for_the_host_behind_it() -> None:
    case, query = tencents("proxy.example")
    assert case["signature"] in header(TC3("SID", case["secret_key"])(query, NOW), b"authorization")
    _, other = tencents("hunyuan.ap-guangzhou.tencentcloudapi.com")
    assert case["signature"] not in header(TC3("SID", case["secret_key"])(other, NOW), b"authorization")


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_baidus_token_comes_from_where_calls_go_and_is_part_of_the_address() -> None:
    query = Query(url="https://proxy.example/x/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions")
    flow = Baidu("id", "se&cret")(query, NOW)
    wanted = next(flow)
    assert isinstance(wanted, Exchange)
    asked = urlsplit(wanted.ask().url)
    assert (asked.netloc, asked.path) == ("proxy.example", "/x/oauth/2.0/token")
    expected = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "se&cret"}
    assert dict(parse_qsl(asked.query)) == expected
    done = end_of(flow, "24.a/b")
    assert done.url == f"{query.url}?access_token=24.a%2Fb"
    assert done.secrets == ("24.a/b", "24.a%2Fb")


def test_google_is_shown_a_signed_assertion_and_gives_a_token() -> None:
    flow = Google.parse(json.dumps(SERVICE))(Query(url="https://vertex.example/v1/x"), NOW)
    wanted = next(flow)
    assert isinstance(wanted, Exchange)
    asked = wanted.ask()
    assert asked.url == "https://tokens.example/token"
    form = dict(parse_qsl(asked.body.decode()))
    assert form.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    read = jwt.decode(form.pop("assertion"), RSA, algorithms=["RS256"])
    assert form == {}
    assert read.header == {"typ": "JWT", "alg": "RS256", "kid": "kid-1"}
    assert read.claims == {
        "iss": SERVICE["client_email"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://tokens.example/token",
        "iat": NOW,
        "exp": NOW + 3600,
    }
    done = end_of(flow, "ya29")
    assert header(done, b"authorization") == "Bearer ya29"
    assert done.secrets == ("ya29",)


USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "1//SECRET"}


def test_the_credentials_of_a_user_of_googles_are_refreshed() -> None:
    headers, way = credentials("google", "", {"vertex_ai_adc": json.dumps(USER)})
    assert (headers, isinstance(way, GoogleUser), "SECRET" in repr(way)) == ((), True, False)
    assert way is not None
    flow = way(Query(url="https://vertex.example/v1/x"), NOW)
    wanted = next(flow)
    assert isinstance(wanted, Exchange)
    asked = wanted.ask()
    assert asked.url == "https://oauth2.googleapis.com/token"
    assert dict(parse_qsl(asked.body.decode())) == {
        "grant_type": "refresh_token",
        "client_id": "c",
        "client_secret": "s",
        "refresh_token": "1//SECRET",
    }
    assert header(end_of(flow, "ya29"), b"authorization") == "Bearer ya29"


def test_an_account_without_a_usable_key_is_refused_as_one_whose_key_is_wrong() -> None:
    flow = Google("me", "kid", "no key")(Query(url="https://vertex.example/v1/x"), NOW)
    wanted = next(flow)
    assert isinstance(wanted, Exchange)
    with pytest.raises(Refused) as refused:
        wanted.ask()
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", '{"type":"authorized_user"}', '{"client_email":"x"}'),
        '{"client_email":1,"private_key":"x"}',
    ],
)
def test_credentials_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Unsupported, match="credentials"):
        credentials("google", "k", {"vertex_ai_adc": text})


def test_names_of_tokens_differ_by_account_and_show_nothing_of_it() -> None:
    query = Query(url="https://b.example/rpc/2.0/x")
    names = []
    for client, secret in (("id", "one"), ("id", "two"), ("other", "one")):
        wanted = next(Baidu(client, secret)(query, NOW))
        assert isinstance(wanted, Exchange)
        assert secret not in wanted.name
        names.append(wanted.name)
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    "status, body, told, message",
    [
        (401, {"error": "invalid_client", "error_description": "unknown client id"}, 401, "invalid_client: unknown"),
        (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 401, "invalid_grant: Inv"),
        (429, {"error": "slow_down"}, 429, "slow_down"),
        (503, {"error": "unavailable"}, 503, "unavailable"),
        (500, {}, 500, "status code 500"),
        (200, {}, 502, "status code 200"),
        (200, {"access_token": ""}, 502, "status code 200"),
        (302, {}, 502, "status code 302"),
    ],
)
def test_a_key_that_gets_no_token_is_the_channels_fault(
    status: int, body: dict[str, str], told: int, message: str
) -> None:
    with pytest.raises(Refused, match=message) as refused:
        read_token(Response(status, json.dumps(body).encode()))
    error = json.loads(refused.value.body)["error"]
    assert (refused.value.status, error["type"] == "authentication_error") == (told, told == 401)
    assert message in error["message"]


# --- keys -------------------------------------------------------------------------------------------------------------


def test_xunfeis_http_api_takes_the_key_and_secret_of_its_older_one() -> None:
    assert credentials("xunfei", "app|secret|key", {}) == (((b"authorization", b"Bearer key:secret"),), None)
    assert credentials("xunfei", "key:secret", {}) == (((b"authorization", b"Bearer key:secret"),), None)


@pytest.mark.parametrize("auth, key", [("tencent", "a|b"), ("baidu", "a"), ("baidu", "a|"), ("xunfei", "a|b")])
def test_a_key_of_another_form_is_refused_without_showing_it(auth: Any, key: str) -> None:
    with pytest.raises(Unsupported, match="has to have the form") as refused:
        credentials(auth, key, {})
    assert f" {key}" not in refused.value.message


def test_nothing_that_holds_a_secret_shows_it_when_printed() -> None:
    query = Query(url="https://h.example/?access_token=SECRET", headers=((b"a", b"SECRET"),), secrets=("SECRET",))
    found = read_token(Response(200, b'{"access_token":"SECRET","expires_in":60}'))
    wanted = Exchange("n", lambda: query, read_token)
    things = (query, found, wanted, SIGV4, TC3("i", "SECRET"), Baidu("i", "SECRET"), Google("m", "k", "SECRET"))
    assert not [each for each in things if "SECRET" in repr(each)]
