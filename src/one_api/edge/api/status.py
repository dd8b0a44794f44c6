"""What anyone may read: how the installation is set up, and its texts."""

from typing import TypedDict

from starlette.responses import Response

from one_api.edge.api.answers import done, number
from one_api.edge.api.endpoint import Access, Call, get


class Status(TypedDict):
    chat_link: str
    display_in_currency: bool
    email_verification: bool
    footer_html: str
    github_client_id: str
    github_oauth: bool
    lark_client_id: str
    logo: str
    oidc: bool
    oidc_authorization_endpoint: str
    oidc_client_id: str
    oidc_token_endpoint: str
    oidc_userinfo_endpoint: str
    oidc_well_known: str
    quota_per_unit: float
    server_address: str
    start_time: int
    system_name: str
    top_up_link: str
    turnstile_check: bool
    turnstile_site_key: str
    version: str
    wechat_login: bool
    wechat_qrcode: str


@get("/api/status", Access.ANYONE, answers=Status)
async def status(call: Call) -> Response:
    options = call.options
    shown: Status = {
        "chat_link": options.chat_link,
        "display_in_currency": options.display_in_currency_enabled,
        "email_verification": options.email_verification_enabled,
        "footer_html": options.footer,
        "github_client_id": options.github_client_id,
        "github_oauth": options.github_oauth_enabled,
        "lark_client_id": options.lark_client_id,
        "logo": options.logo,
        "oidc": options.oidc_enabled,
        "oidc_authorization_endpoint": options.oidc_authorization_endpoint,
        "oidc_client_id": options.oidc_client_id,
        "oidc_token_endpoint": options.oidc_token_endpoint,
        "oidc_userinfo_endpoint": options.oidc_userinfo_endpoint,
        "oidc_well_known": options.oidc_well_known,
        "quota_per_unit": number(options.quota_per_unit),
        "server_address": options.server_address,
        "start_time": call.parts.start_time,
        "system_name": options.system_name,
        "top_up_link": options.top_up_link,
        "turnstile_check": options.turnstile_check_enabled,
        "turnstile_site_key": options.turnstile_site_key,
        "version": call.parts.version,
        "wechat_login": options.wechat_auth_enabled,
        "wechat_qrcode": options.wechat_account_qrcode_image_url,
    }
    return done(shown)


@get("/api/notice", Access.ANYONE, answers=str)
async def notice(call: Call) -> Response:
    return done(call.options.notice)


@get("/api/about", Access.ANYONE, answers=str)
async def about(call: Call) -> Response:
    return done(call.options.about)


@get("/api/home_page_content", Access.ANYONE, answers=str)
async def home_page_content(call: Call) -> Response:
    return done(call.options.home_page_content)
