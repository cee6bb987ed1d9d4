"""Signatures of webhooks' messages, as Standard Webhooks says, and the secrets behind them.

A secret is not stored: it is derived from the key of this house and from the id of its
generation (HMAC-SHA256 as a key derivation function, NIST SP 800-108). Who reads the database
learns no secret; who changes the key changes all of them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook as Signer

from predella.errors import ConflictError
from predella.settings import get_settings

_PURPOSE = b"predella webhook secret "


class NoWebhookKeyError(ConflictError):
    """This house has no key for webhooks yet."""

    def __init__(self) -> None:
        super().__init__(
            "there are no webhooks here yet: the operator has to set PREDELLA_WEBHOOK_KEY"
            " (openssl rand -hex 32), for the API and for the workers"
        )


def secret(secret_id: UUID) -> str:
    """Return the secret of this generation, as receivers want it: ``whsec_`` and base64.

    Raises:
        NoWebhookKeyError: this house has no key.
    """
    key = get_settings().webhook_key
    if key is None:
        raise NoWebhookKeyError
    derived = hmac.digest(key.get_secret_value().encode(), _PURPOSE + secret_id.bytes, "sha256")
    return f"whsec_{b64encode(derived).decode()}"


def headers(
    message_id: UUID, body: str, *, secret_ids: Sequence[UUID], at: datetime
) -> dict[str, str]:
    """Return the headers that prove a message: one signature for each secret that holds.

    Raises:
        NoWebhookKeyError: this house has no key.
    """
    signers = [Signer(secret(secret_id)) for secret_id in secret_ids]
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signer.sign(str(message_id), at, body) for signer in signers),
    }
