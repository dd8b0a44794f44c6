"""The HTML of a mail: a card with a title, the content and a footer.

Text is never HTML by accident: only `Html` is, and what makes one escapes what it is given.
"""

import html
from typing import Final

FOOTER: Final = "此邮件由系统自动发送，请勿直接回复"
# What a line of a mail may hold is 998 bytes; blanks count for nothing in HTML. https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1
LONGEST_LINE: Final = 900


class Html(str):
    """HTML of ours. A plain `str` is text, whoever wrote it."""

    __slots__ = ()


def escaped(text: str) -> Html:
    return text if isinstance(text, Html) else Html(html.escape(text))


def paragraphs(*texts: str) -> Html:
    """One paragraph for each text."""
    return Html("\n".join(f"<p>{escaped(text)}</p>" for text in texts))


def link(address: str, label: str = "") -> Html:
    """A link to an address of ours."""
    return Html(f'<a href="{html.escape(address)}">{html.escape(label or address)}</a>')


def content(text: str) -> Html:
    """What a caller gave: HTML as it is, text as a paragraph for each of its lines."""
    return text if isinstance(text, Html) else paragraphs(*(line for line in text.splitlines() if line.strip()))


def card(*, title: str, body: str, system_name: str) -> str:
    """The whole page, in lines short enough for a mail."""
    page = f"""<!DOCTYPE html>
<html lang="zh">
<head><meta charset="UTF-8"><title>{escaped(title)}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;font-family:-apple-system,'Segoe UI',sans-serif;color:#24292f">
<div style="max-width:600px;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #e1e4e8;border-radius:8px">
<h2 style="margin:0 0 24px;font-size:20px">{escaped(title)}</h2>
<div style="font-size:15px;line-height:1.7">
{content(body)}
</div>
<div style="margin-top:32px;padding-top:16px;border-top:1px solid #e1e4e8;font-size:12px;color:#6a737d">
<p style="margin:0">{FOOTER}</p>
<p style="margin:4px 0 0">{escaped(system_name)}</p>
</div>
</div>
</body>
</html>
"""
    return "\n".join(piece for line in page.splitlines() for piece in _short(line)) + "\n"


def _short(line: str) -> list[str]:
    """The line in pieces of at most 900 bytes, cut at blanks where there are some."""
    pieces = []
    while len(line.encode()) > LONGEST_LINE:
        head = line.encode()[:LONGEST_LINE].decode(errors="ignore")
        at = head.rfind(" ")
        at = at if at > 0 else len(head)
        pieces.append(line[:at])
        line = line[at:].lstrip(" ")
    return [*pieces, line]
