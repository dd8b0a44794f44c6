"""The `options` table as one typed, frozen value: one line per option.

A row the table does not hold has its default; one that does not parse keeps the value it had and is reported; one that
nobody knows is left alone, so that another version finds it again. All of it is pure: rows are read and written
elsewhere.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from one_api import option_text
from one_api.option_text import Kind, Value
from one_api.pricing import ratios
from one_api.pricing.ratios import Ratios
from one_api.routing import limits
from one_api.routing.limits import CallLimits

Listed = Literal["always", "saved"]  # in the console's list even when never saved, or only once saved
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    key: str
    listed: Listed
    doc: str
    shown: str | None  # what the list shows instead of the default
    at_least: float


_MARK: Final = "option"
_MAIL_DOMAINS: Final = (
    *("gmail.com", "163.com", "126.com", "qq.com", "outlook.com"),
    *("hotmail.com", "icloud.com", "yahoo.com", "foxmail.com"),
)


def opt(
    key: str,
    default: T,
    doc: str,
    *,
    listed: Listed = "always",
    shown: str | None = None,
    at_least: float = -math.inf,
) -> T:
    """One option: its key in the table, its default, which fixes its type, and what it does."""
    option = _Option(key=key, listed=listed, doc=doc, shown=shown, at_least=at_least)
    made: Any = field(default_factory=lambda: default, metadata={_MARK: option})
    return made  # type: ignore[no-any-return]  # dataclasses' own lie: a field stands where its value will


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    password_login_enabled: bool = opt("PasswordLoginEnabled", True, "Users may sign in by password")
    password_register_enabled: bool = opt("PasswordRegisterEnabled", True, "Users may register with a password")
    email_verification_enabled: bool = opt("EmailVerificationEnabled", False, "Registering takes a code sent by mail")
    github_oauth_enabled: bool = opt("GitHubOAuthEnabled", False, "Users may sign in by GitHub")
    oidc_enabled: bool = opt("OidcEnabled", False, "Users may sign in by OpenID Connect")
    wechat_auth_enabled: bool = opt("WeChatAuthEnabled", False, "Users may sign in by WeChat")
    turnstile_check_enabled: bool = opt("TurnstileCheckEnabled", False, "Cloudflare Turnstile guards forms")
    register_enabled: bool = opt("RegisterEnabled", True, "Anybody may register")
    email_domain_restriction_enabled: bool = opt(
        "EmailDomainRestrictionEnabled", False, "Mail addresses must be of the listed domains"
    )
    email_domain_whitelist: tuple[str, ...] = opt(
        "EmailDomainWhitelist", _MAIL_DOMAINS, "Those domains, separated by commas"
    )
    automatic_disable_channel_enabled: bool = opt(
        "AutomaticDisableChannelEnabled", False, "Channels whose account is finished are disabled"
    )
    automatic_enable_channel_enabled: bool = opt(
        "AutomaticEnableChannelEnabled", False, "Channels disabled by the gateway come back when a test passes"
    )
    approximate_token_enabled: bool = opt(
        "ApproximateTokenEnabled", False, "Tokens are estimated from lengths instead of counted"
    )
    log_consume_enabled: bool = opt("LogConsumeEnabled", True, "Calls are written to the log")
    display_in_currency_enabled: bool = opt("DisplayInCurrencyEnabled", True, "Quota is shown in dollars")
    display_token_stat_enabled: bool = opt(
        "DisplayTokenStatEnabled", True, "Billing answers tell of the token, else of its user"
    )
    channel_disable_threshold: float = opt(
        "ChannelDisableThreshold", 5.0, "Seconds a test may take; 0 is any time"
    )  # seconds
    smtp_server: str = opt("SMTPServer", "", "Mail server")
    smtp_port: int = opt("SMTPPort", 587, "Its port; 465 is TLS from the start")
    smtp_account: str = opt("SMTPAccount", "", "Account at the mail server")
    smtp_from: str = opt("SMTPFrom", "", "Sender of mails; empty is the account")  # empty: smtp_account
    smtp_token: str = opt("SMTPToken", "", "Password of the account")
    smtp_verify_certificate: bool = opt(
        "SMTPVerifyCertificate", True, "The mail server's certificate is verified", listed="saved"
    )  # One API never does
    notice: str = opt("Notice", "", "Notice shown to visitors")
    about: str = opt("About", "", "Text of the page about this site")
    home_page_content: str = opt("HomePageContent", "", "Content of the home page, or its address")
    footer: str = opt("Footer", "", "Footer of the console")
    logo: str = opt("Logo", "", "Address of the logo")
    system_name: str = opt("SystemName", "One API", "Name of the site")
    server_address: str = opt(
        "ServerAddress", "http://localhost:3000", "Address of the site, for links in mails and sign-ins", shown=""
    )
    github_client_id: str = opt("GitHubClientId", "", "OAuth application at GitHub")
    github_client_secret: str = opt("GitHubClientSecret", "", "Its secret")
    lark_client_id: str = opt("LarkClientId", "", "OAuth application at Lark", listed="saved")
    lark_client_secret: str = opt("LarkClientSecret", "", "Its secret")
    oidc_client_id: str = opt("OidcClientId", "", "Client at the OpenID provider", listed="saved")
    oidc_client_secret: str = opt("OidcClientSecret", "", "Its secret")
    oidc_well_known: str = opt("OidcWellKnown", "", "Address of the provider's configuration", listed="saved")
    oidc_authorization_endpoint: str = opt("OidcAuthorizationEndpoint", "", "Where browsers are sent", listed="saved")
    oidc_token_endpoint: str = opt("OidcTokenEndpoint", "", "Where codes are exchanged", listed="saved")
    oidc_userinfo_endpoint: str = opt("OidcUserinfoEndpoint", "", "Where users are looked up", listed="saved")
    wechat_server_address: str = opt("WeChatServerAddress", "", "WeChat server")
    wechat_account_qrcode_image_url: str = opt("WeChatAccountQRCodeImageURL", "", "Picture of the account's code")
    wechat_server_token: str = opt("WeChatServerToken", "", "Token of the WeChat server")
    message_pusher_address: str = opt("MessagePusherAddress", "", "Where messages to root are pushed")
    message_pusher_token: str = opt("MessagePusherToken", "", "Its token")
    turnstile_site_key: str = opt("TurnstileSiteKey", "", "Turnstile's site key")
    turnstile_secret_key: str = opt("TurnstileSecretKey", "", "Turnstile's secret key")
    quota_for_new_user: int = opt("QuotaForNewUser", 0, "Quota given to a new user")
    quota_for_inviter: int = opt("QuotaForInviter", 0, "Quota given to who invited")
    quota_for_invitee: int = opt("QuotaForInvitee", 0, "Quota given to who was invited")
    quota_remind_threshold: int = opt("QuotaRemindThreshold", 1000, "Balance below which a user is reminded")
    pre_consumed_quota: int = opt("PreConsumedQuota", 500, "Least quota a call takes beforehand")
    model_ratio: Ratios = opt("ModelRatio", ratios.MODEL, "Price of a model's input")  # noqa: RUF009  # opt makes it a factory
    completion_ratio: Ratios = opt("CompletionRatio", ratios.COMPLETION, "Price of output, as parts of that of input")  # noqa: RUF009
    group_ratio: Ratios = opt("GroupRatio", ratios.GROUP, "Factor of a group; its keys are the groups there are")  # noqa: RUF009  # its keys are the groups there are
    top_up_link: str = opt("TopUpLink", "", "Where users buy quota")
    chat_link: str = opt("ChatLink", "", "Address of a chat client")
    quota_per_unit: float = opt("QuotaPerUnit", 500000.0, "Quota of a dollar", at_least=math.ulp(0))  # quota per dollar
    retry_times: int = opt("RetryTimes", 0, "Further channels that a failed call is tried on")
    theme: str = opt("Theme", "default", "Theme of the console: default, berry or air")
    # What One API does not have; listed only once saved, so that its list stays as its scripts know it.
    # Output tokens to hold for where the client set no limit, and input tokens by which a claim may exceed the hold.
    hold_output_tokens: int = opt(
        "HoldOutputTokens", 4096, "Output tokens held for who set no limit", listed="saved", at_least=0
    )
    charge_tolerance_tokens: int = opt(
        "ChargeToleranceTokens",
        1_000_000,
        "Input tokens by which a claim may exceed the hold",
        listed="saved",
        at_least=0,
    )
    # Whether an address has an account is told to nobody who asks for a code or link for it.
    uniform_answers_enabled: bool = opt(
        "UniformAnswersEnabled", False, "Nobody is told whether an address has an account", listed="saved"
    )
    # What kinds of tokens cost, named as in One API's forks: kinds of input as parts of a token of input, output that
    # is spoken as parts of a token heard, reasoning as parts of one of output. What is not listed costs what all does.
    cache_ratio: Ratios = opt("CacheRatio", ratios.NONE, "Price of cached input, as parts of input", listed="saved")  # noqa: RUF009
    create_cache_ratio: Ratios = opt(  # noqa: RUF009
        "CreateCacheRatio", ratios.NONE, "Price of input written to a cache, as parts of input", listed="saved"
    )
    create_cache_1h_ratio: Ratios = opt(  # noqa: RUF009
        "CreateCache1hRatio",
        ratios.NONE,
        "Price of input written to a cache for an hour; without one it is that of all cache writes",
        listed="saved",
    )
    # Of tools that a vendor runs, in dollars for a thousand calls, by name or for a type of channel: `web_search(14)`.
    tool_price: Ratios = opt(  # noqa: RUF009
        "ToolPrice",
        ratios.NONE,
        "Dollars for 1,000 calls of what a vendor runs (`web_search`, `file_search`, ...); free if not named",
        listed="saved",
    )
    # Named as in One API's forks; a price for a call takes the place of the model's ratios.
    model_price: Ratios = opt(  # noqa: RUF009
        "ModelPrice",
        ratios.NONE,
        "Dollars for a call of a model, instead of its ratios: an image, a search unit of a ranking, else a whole call",
        listed="saved",
    )
    audio_ratio: Ratios = opt("AudioRatio", ratios.NONE, "Price of audio heard, as parts of input", listed="saved")  # noqa: RUF009
    audio_completion_ratio: Ratios = opt(  # noqa: RUF009
        "AudioCompletionRatio", ratios.NONE, "Price of audio spoken, as parts of audio heard", listed="saved"
    )
    reasoning_ratio: Ratios = opt(  # noqa: RUF009
        "ReasoningRatio", ratios.NONE, "Price of reasoning, as parts of output", listed="saved"
    )
    proxy_relay_enabled: bool = opt(
        "ProxyRelayEnabled", False, "Administrators may use the proxy route", listed="saved"
    )
    proxy_request_quota: int = opt("ProxyRequestQuota", 500, "Price of a proxied request", listed="saved", at_least=0)
    log_retention_days: int = opt(
        "LogRetentionDays", 0, "Days that rows of the log are kept; 0 is for ever", listed="saved", at_least=0
    )
    usage_rollup_enabled: bool = opt(
        "UsageRollupEnabled", False, "Keep sums of each hour for statistics", listed="saved"
    )
    call_limits: CallLimits = opt(  # noqa: RUF009
        "CallLimits",
        limits.NONE,
        "Requests and tokens a minute, calls at a time: limits.md",
        listed="saved",
    )


# Addresses that a secret is sent to, each with its field and the secret's key.
_SENT_TO: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"WeChatServerAddress": ("wechat_server_address", "WeChatServerToken")}
)
THEMES: Final = ("default", "berry", "air")

_TABLE: Final[Mapping[str, tuple[str, _Option]]] = MappingProxyType(
    {option.key: (item.name, option) for item in fields(Options) if (option := item.metadata[_MARK])}
)


KEYS: Final = tuple(_TABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a form needs to know of an option. `default` is text as in the table; `stored`: a row has a value for it.

    least: the smallest number it may be; a `positive` one must be more than 0. doc: what it is for.
    """

    key: str
    doc: str
    kind: Kind
    default: str
    secret: bool
    stored: bool
    least: float | None
    positive: bool
    choices: tuple[str, ...]


def described(rows: Mapping[str, str]) -> list[Described]:
    """Every option there is, in the order of the table."""
    return [_described(key, name, option, rows) for key, (name, option) in _TABLE.items()]


def _described(key: str, name: str, option: _Option, rows: Mapping[str, str]) -> Described:
    positive = 0 < option.at_least < math.inf
    return Described(
        key=key,
        doc=option.doc,
        kind=option_text.kind(_default(name)),
        default=option.shown if option.shown is not None else _write(DEFAULTS, name, option),
        secret=is_secret(key),
        stored=bool(rows.get(key)),
        least=0 if positive else None if math.isinf(option.at_least) else option.at_least,
        positive=positive,
        choices=THEMES if key == "Theme" else (),
    )


def is_secret(key: str) -> bool:
    """Whether the value is written and never shown again, also under a name nobody knows."""
    return key.endswith(("Token", "Secret")) or key == "TurnstileSecretKey"


def parse(
    rows: Mapping[str, str], *, defaults: Options | None = None, previous: Options | None = None
) -> tuple[Options, dict[str, str]]:
    """The options that `rows` make, and for every row that could not be read the reason.

    An absent row has its default. One that cannot be read keeps its value in `previous`, so that a table somebody broke
    by hand does not change a running gateway's prices; at start there is none, and the default stands.
    """
    defaults = defaults or DEFAULTS
    changes: dict[str, Any] = {}
    rejected: dict[str, str] = {}
    for key, (name, option) in _TABLE.items():
        if key not in rows:
            continue
        try:
            changes[name] = _read(option, _default(name), rows[key])
        except ValueError as error:
            rejected[key] = str(error)
            changes[name] = getattr(previous or defaults, name)
    if "model_ratio" in changes:
        changes["model_ratio"] = ratios.with_builtin(changes["model_ratio"])
    return replace(defaults, **changes), rejected


def check(key: str, value: str, current: Options) -> str | None:
    """Why `value` must not be saved under `key`, or None. The sentence is for the administrator."""
    if key == "":
        return "无效的参数"
    rule = _RULES.get(key)
    if rule is not None and (refusal := rule(value, current)) is not None:
        return refusal
    if key in _TABLE:
        name, option = _TABLE[key]
        try:
            _read(option, _default(name), value)
        except ValueError as error:
            return str(error)
    return None


def orphan(key: str, value: str, current: Options) -> str | None:
    """The secret that must be given again when `value` is saved: it was meant for another host."""
    pair = _SENT_TO.get(key)
    if pair is None:
        return None
    address, secret = pair
    before = getattr(current, address)
    return secret if before and _origin(before) != _origin(value) else None


def _origin(address: str) -> tuple[str, str]:
    try:
        split = urlsplit(address)
    except ValueError:
        return "", address
    return split.scheme.lower(), split.netloc.lower()


def listing(
    options: Options, rows: Mapping[str, str], at_start: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """What an administrator sees: every known option and every unknown row, as text, without the secrets.

    `at_start` are the rows this process found when it started. A model table that came from there is shown with the
    built-in models it lacks; one saved since is shown as it was saved.
    """
    shown = {key: _write(options, name, option) for key, (name, option) in _TABLE.items() if option.listed == "always"}
    shown.update(rows)
    saved = rows.get("ModelRatio")
    if saved is not None and at_start is not None and at_start.get("ModelRatio") == saved:
        shown["ModelRatio"] = ratios.encode(options.model_ratio)
    return [{"key": key, "value": value} for key, value in shown.items() if not is_secret(key)]


def _default(name: str) -> Value:
    value: Value = getattr(DEFAULTS, name)
    return value


def _read(option: _Option, default: Value, text: str) -> Value:
    return option_text.read(text, default, key=option.key, at_least=option.at_least)


def _write(options: Options, name: str, option: _Option) -> str:
    value: Value = getattr(options, name)
    if option.shown is not None and value == _default(name):
        return option.shown
    return option_text.write(value)


def _theme(value: str, _: Options) -> str | None:
    return None if value in THEMES else "无效的主题"


def _needs(message: str, ready: Callable[[Options], bool]) -> Callable[[str, Options], str | None]:
    """Refuse to switch something on before what it needs is filled in."""
    return lambda value, current: message if value == "true" and not ready(current) else None


_RULES: Final[Mapping[str, Callable[[str, Options], str | None]]] = MappingProxyType(
    {
        "Theme": _theme,
        "GitHubOAuthEnabled": _needs(
            "无法启用 GitHub OAuth，请先填入 GitHub Client Id 以及 GitHub Client Secret！",
            lambda current: current.github_client_id != "",
        ),
        "EmailDomainRestrictionEnabled": _needs(
            "无法启用邮箱域名限制，请先填入限制的邮箱域名！",
            lambda current: current.email_domain_whitelist != (),
        ),
        "WeChatAuthEnabled": _needs(
            "无法启用微信登录，请先填入微信登录相关配置信息！",
            lambda current: current.wechat_server_address != "",
        ),
        "TurnstileCheckEnabled": _needs(
            "无法启用 Turnstile 校验，请先填入 Turnstile 校验相关配置信息！",
            lambda current: current.turnstile_site_key != "",
        ),
    }
)
DEFAULTS: Final = Options()
