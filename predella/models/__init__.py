"""The tables."""

from predella.models.account import Account, Role
from predella.models.analysis import Analysis, FinishReason
from predella.models.answer import Answer
from predella.models.attempt import Attempt, Outcome
from predella.models.audit_entry import AuditEntry
from predella.models.base import Base
from predella.models.catalog_record import CatalogRecord
from predella.models.checkup import Checkup
from predella.models.claim import Claim
from predella.models.collection import Collection
from predella.models.control import Control
from predella.models.dismissal import Dismissal
from predella.models.export import Export, ExportFormat, ExportState
from predella.models.export_line import ExportLine
from predella.models.export_tombstone import ExportTombstone
from predella.models.external_identity import ExternalIdentity
from predella.models.finding import Finding
from predella.models.glossary import Glossary
from predella.models.harvest import Harvest
from predella.models.image import Image
from predella.models.imprint import Imprint
from predella.models.item import Item, ItemState, Sensitivity, Stage
from predella.models.lot import Lot, LotState
from predella.models.lot_member import LotMember
from predella.models.membership import Membership
from predella.models.object_gate import ObjectGate
from predella.models.open_finding import OpenFinding
from predella.models.opening import Opening
from predella.models.prompt import DEFAULT_PROMPT, Prompt, PromptKind
from predella.models.refusal import Refusal
from predella.models.regeneration import Regeneration, RegenerationState
from predella.models.release import Release
from predella.models.remark import Remark
from predella.models.review import Client, Decision, RejectionReason, Review
from predella.models.revision import Revision
from predella.models.run import Run
from predella.models.selection import Selection
from predella.models.selection_member import SelectionMember
from predella.models.sign_in_failure import SignInFailure
from predella.models.sign_in_flow import SignInFlow
from predella.models.sign_in_link import SignInLink
from predella.models.skip import Skip
from predella.models.standing import ReviewState, Standing
from predella.models.submission import Submission, SubmissionState
from predella.models.term import Term
from predella.models.token import Token
from predella.models.web_session import Way, WebSession
from predella.models.webhook import EventType, Webhook
from predella.models.webhook_attempt import WebhookAttempt
from predella.models.webhook_delivery import DeliveryState, WebhookDelivery
from predella.models.webhook_event import WebhookEvent
from predella.models.webhook_secret import WebhookSecret
from predella.models.zoom import Zoom

__all__ = [
    "DEFAULT_PROMPT",
    "Account",
    "Analysis",
    "Answer",
    "Attempt",
    "AuditEntry",
    "Base",
    "CatalogRecord",
    "Checkup",
    "Claim",
    "Client",
    "Collection",
    "Control",
    "Decision",
    "DeliveryState",
    "Dismissal",
    "EventType",
    "Export",
    "ExportFormat",
    "ExportLine",
    "ExportState",
    "ExportTombstone",
    "ExternalIdentity",
    "Finding",
    "FinishReason",
    "Glossary",
    "Harvest",
    "Image",
    "Imprint",
    "Item",
    "ItemState",
    "Lot",
    "LotMember",
    "LotState",
    "Membership",
    "ObjectGate",
    "OpenFinding",
    "Opening",
    "Outcome",
    "Prompt",
    "PromptKind",
    "Refusal",
    "Regeneration",
    "RegenerationState",
    "RejectionReason",
    "Release",
    "Remark",
    "Review",
    "ReviewState",
    "Revision",
    "Role",
    "Run",
    "Selection",
    "SelectionMember",
    "Sensitivity",
    "SignInFailure",
    "SignInFlow",
    "SignInLink",
    "Skip",
    "Stage",
    "Standing",
    "Submission",
    "SubmissionState",
    "Term",
    "Token",
    "Way",
    "WebSession",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookSecret",
    "Zoom",
]
