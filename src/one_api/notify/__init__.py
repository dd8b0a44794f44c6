"""Notices to root and to users: as mail, or through a message pusher for root.

`Notices` chooses the way; `mail` and `pusher` are the ways; `card` makes the HTML that all mails share.
Who does not want to wait for any of it puts it into the `Outbox`.
"""

from one_api.notify.card import Html, paragraphs
from one_api.notify.errors import NotSent
from one_api.notify.mail import Mailer, tls_context
from one_api.notify.notices import Notices
from one_api.notify.outbox import Outbox
from one_api.notify.pusher import Pusher

__all__ = ["Html", "Mailer", "NotSent", "Notices", "Outbox", "Pusher", "paragraphs", "tls_context"]
