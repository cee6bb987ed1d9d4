"""Identifiers: one distinct type for each kind of row, and one way to make them."""

from collections.abc import Set as AbstractSet
from typing import NewType
from uuid import UUID

from uuid_utils.compat import uuid7

AccountId = NewType("AccountId", UUID)
AnalysisId = NewType("AnalysisId", UUID)
CollectionId = NewType("CollectionId", UUID)
ControlId = NewType("ControlId", UUID)
ExportId = NewType("ExportId", UUID)
FindingId = NewType("FindingId", UUID)
GlossaryId = NewType("GlossaryId", UUID)
ImageId = NewType("ImageId", UUID)
ItemId = NewType("ItemId", UUID)
LeaseToken = NewType("LeaseToken", UUID)
LotId = NewType("LotId", UUID)
ReleaseId = NewType("ReleaseId", UUID)
ReviewId = NewType("ReviewId", UUID)
RevisionId = NewType("RevisionId", UUID)
RunId = NewType("RunId", UUID)
SelectionId = NewType("SelectionId", UUID)
SubmissionId = NewType("SubmissionId", UUID)
TokenId = NewType("TokenId", UUID)
WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)
WebhookId = NewType("WebhookId", UUID)

Reach = AbstractSet[CollectionId] | None
"""The collections that somebody may see, or asks about; None for every one, now and later."""


def new() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562): unique everywhere, ordered by time of making."""
    return uuid7()
