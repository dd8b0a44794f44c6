"""The envelope of every answer to a console, and the four texts that exist in two languages."""

from typing import Any, Final, Literal

from starlette.responses import Response

from one_api.lib import json

Language = Literal["en", "zh-CN"]
Text = Literal["invalid_parameter", "invalid_input", "send_email_failed", "oidc_unusable"]

JSON: Final = "application/json; charset=utf-8"
_NOTHING: Final = object()
_TEXTS: Final[dict[Text, dict[Language, str]]] = {
    "invalid_parameter": {"en": "invalid parameter", "zh-CN": "无效的参数"},
    "invalid_input": {"en": "Invalid input, please check your input", "zh-CN": "无效的输入，请检查您的输入"},
    "send_email_failed": {"en": "failed to send email: ", "zh-CN": "发送邮件失败："},
    "oidc_unusable": {"en": "The provider's configuration cannot be used: ", "zh-CN": "无法使用该 OIDC 配置："},
}


def language_of(accepted: str) -> Language:
    """From the header Accept-Language, by its first two letters."""
    return "zh-CN" if accepted[:2].lower() == "zh" else "en"


def text(name: Text, language: Language) -> str:
    return _TEXTS[name][language]


def done(data: Any = _NOTHING, *, message: str = "") -> Response:
    """Success; without an argument the answer has no `data`."""
    envelope = {} if data is _NOTHING else {"data": data}
    return answer({**envelope, "message": message, "success": True})


def refused(message: str, status: int = 200) -> Response:
    return answer({"message": message, "success": False}, status)


def answer(value: Any, status: int = 200) -> Response:
    return Response(json.encode(value), status, media_type=JSON)


def number(value: float) -> float:
    """As Go prints it: a whole number has no decimal point."""
    return int(value) if float(value).is_integer() else value
