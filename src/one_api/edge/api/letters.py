"""What the mails to users say."""

from one_api.notify import Html, paragraphs
from one_api.notify.card import escaped, link


def code_letter(system_name: str, code: str) -> Html:
    style = "margin:16px 0;font-size:26px;font-weight:bold;letter-spacing:4px;text-align:center"
    shown = f'<p style="{style}">{escaped(code)}</p>'
    return Html(
        "\n".join(
            (
                paragraphs("您好！", f"您正在进行 {system_name} 邮箱验证。", "您的验证码为："),
                shown,
                paragraphs("验证码 10 分钟内有效，如果不是本人操作，请忽略。"),
            )
        )
    )


def reset_letter(system_name: str, address: str) -> Html:
    return Html(
        "\n".join(
            (
                paragraphs("您好！", f"您正在进行 {system_name} 密码重置。", "请点击下面的按钮进行密码重置："),
                f'<p style="text-align:center">{link(address, "重置密码")}</p>',
                paragraphs("如果按钮无法点击，请复制以下链接到浏览器中打开："),
                f'<p style="word-break:break-all">{escaped(address)}</p>',
                paragraphs("重置链接 10 分钟内有效，如果不是本人操作，请忽略。"),
            )
        )
    )
