"""The tables."""

from predella.models.account import Account, Role
from predella.models.analysis import Analysis, FinishReason
from predella.models.attempt import Attempt, Outcome
from predella.models.audit_entry import AuditEntry
from predella.models.base import Base
from predella.models.checkup import Checkup
from predella.models.collection import Collection
from predella.models.dismissal import Dismissal
from predella.models.export import Export, ExportFormat, ExportState
from predella.models.export_line import ExportLine
from predella.models.finding import Finding
from predella.models.glossary import Glossary
from predella.models.image import Image
from predella.models.imprint import Imprint
from predella.models.item import Item, ItemState, Sensitivity, Stage
from predella.models.open_finding import OpenFinding
from predella.models.prompt import DEFAULT_PROMPT, Prompt, PromptKind
from predella.models.refusal import Refusal
from predella.models.release import Release
from predella.models.review import Client, Decision, RejectionReason, Review
from predella.models.revision import Revision
from predella.models.run import Run
from predella.models.standing import ReviewState, Standing
from predella.models.submission import Submission, SubmissionState
from predella.models.term import Term
from predella.models.token import Token

__all__ = [
    "DEFAULT_PROMPT",
    "Account",
    "Analysis",
    "Attempt",
    "AuditEntry",
    "Base",
    "Checkup",
    "Client",
    "Collection",
    "Decision",
    "Dismissal",
    "Export",
    "ExportFormat",
    "ExportLine",
    "ExportState",
    "Finding",
    "FinishReason",
    "Glossary",
    "Image",
    "Imprint",
    "Item",
    "ItemState",
    "OpenFinding",
    "Outcome",
    "Prompt",
    "PromptKind",
    "Refusal",
    "RejectionReason",
    "Release",
    "Review",
    "ReviewState",
    "Revision",
    "Role",
    "Run",
    "Sensitivity",
    "Stage",
    "Standing",
    "Submission",
    "SubmissionState",
    "Term",
    "Token",
]
