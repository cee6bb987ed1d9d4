"""How a text is put before a reader: its words, what stands by them, and how they came about."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from predella.checks import Severity
from predella.formats import diff
from predella.formats.diff import Fate
from predella.models import Decision, FinishReason, Item, Remark, Review, Revision
from predella.services.analyses import AnalysisView
from predella.services.findings import FindingView

_NAME_WIDTH = len("00000000-0000-0000-0000-000000000000@0")
_LOUDNESS = {Severity.HARD: "bold red", Severity.SOFT: "yellow", Severity.INFO: "cyan"}


def name(view: AnalysisView) -> str:
    """Return what names exactly this wording: the analysis's id and the wording's number."""
    return f"{view.id}@{view.revision.number}"


def row(view: AnalysisView) -> dict[str, Any]:
    """Return an analysis as JSON values."""
    review = view.review
    return {
        "id": view.id,
        "state": view.state,
        "objects": [_object(item) for item in view.items],
        "object_count": view.item_count,
        "revision": view.revision.number,
        "text": view.revision.text,
        "notice": view.release.notice,
        "model": view.release.model_name,
        "language": view.analysis.language,
        "finish_reason": view.analysis.finish_reason,
        "mean_logprob": view.analysis.mean_logprob,
        "min_window_logprob": view.analysis.min_window_logprob,
        "generated_at": view.analysis.created_at,
        "review": review and step(review),
        "findings": [finding(one) for one in view.findings],
    }


def finding(view: FindingView) -> dict[str, Any]:
    """Return a finding as JSON values."""
    found, said = view.finding, view.dismissal
    return {
        "id": found.id,
        "check": found.check_name,
        "version": found.version,
        "severity": found.severity,
        "start": found.span_start,
        "end": found.span_end,
        "sentence": found.sentence,
        "evidence": found.evidence,
        "dismissed": view.is_dismissed,
        "reason": said and said.reason,
        "by": said and said.account.display_name,
    }


def step(taken: Revision | Review) -> dict[str, Any]:
    """Return a wording or a decision as JSON values."""
    told = {"at": taken.created_at, "by": taken.account.display_name if taken.account else None}
    if isinstance(taken, Revision):
        return told | {
            "wording": taken.number,
            "text": taken.text,
            "restores": taken.restores_number,
        }
    return told | {"decision": taken.decision, "reason": taken.reason, "note": taken.note}


def table(views: Sequence[AnalysisView]) -> Table:
    """Return many analyses, one a line, the notices of their releases above them."""
    notices = dict.fromkeys(view.release.notice for view in views if view.release.notice)
    made = Table(
        "wording",
        "object",
        "state",
        "text",
        box=None,
        pad_edge=False,
        title=Text("\n".join(notices), style="bold yellow") if notices else None,
        title_justify="left",
        expand=True,
    )
    # However narrow the terminal: what names a text can be read and copied.
    for column, width in zip(made.columns, (_NAME_WIDTH, 8, 12), strict=False):
        column.no_wrap, column.min_width = True, width
    made.columns[-1].no_wrap, made.columns[-1].overflow = True, "ellipsis"
    made.columns[1].max_width = 16
    made.columns[-1].ratio = 1
    for view in views:
        made.add_row(
            Text(name(view)),
            Text(_objects(view)),
            Text(_state(view)),
            Text(" ".join(view.revision.text.split())),
        )
    return made


def page(view: AnalysisView, history: Sequence[Revision | Review]) -> RenderableType:
    """Return one analysis as a curator reads it."""
    return Group(*_parts(view, history))


def _parts(view: AnalysisView, history: Sequence[Revision | Review]) -> Iterator[RenderableType]:
    yield Text(_objects(view), style="bold")
    yield Text(f"{name(view)}  {_state(view)}", style="dim")
    if view.release.notice:
        yield Text(view.release.notice, style="bold yellow")
    if view.analysis.finish_reason is FinishReason.LENGTH:
        yield Text("The text is cut: the model ran into its limit.", style="bold red")
    yield Padding(_marked(view), (1, 0))
    yield from map(_remark, view.findings)
    first = history[0]
    if isinstance(first, Revision) and first.text != view.revision.text:
        yield Text("What was changed in the model's own words:", style="dim")
        yield Padding(changes(first.text, view.revision.text), (1, 0))
    yield Text(_origin(view), style="dim")
    yield from (Text(_told(taken), style="dim") for taken in history[1:])


def _marked(view: AnalysisView) -> Text:
    """Return the wording with what is flagged in it in [[brackets]], as loud as it is."""
    marks = sorted(
        {
            (found.span_start, found.span_end): _LOUDNESS[found.severity]
            for found in (one.finding for one in reversed(view.findings) if not one.is_dismissed)
            if found.span_start is not None and found.span_end is not None
        }.items()
    )
    shown, told = Text(), 0
    for (start, end), style in marks:
        # Of two that overlap the second is told below the text, and not marked again.
        if start >= told:
            shown.append(view.revision.text[told:start])
            shown.append(f"[[{view.revision.text[start:end]}]]", style=style)
            told = end
    return shown.append(view.revision.text[told:])


def _remark(view: FindingView) -> Text:
    found, said = view.finding, view.dismissal
    told = Text(f"{found.severity:<5}{found.check_name:<16}{found.id}  ", style="dim")
    if said is not None and view.is_dismissed:
        why = f"{found.sentence} Dismissed by {said.account.display_name}: {said.reason}"
        return told.append(why, style="strike")
    return told.append(found.sentence, style=_LOUDNESS[found.severity])


def changes(before: str, after: str) -> Text:
    """Return both texts as one, word by word: what went in [-...-], what came in {+...+}."""
    shown = Text()
    for change in diff.words(before, after):
        match change.fate:
            case Fate.KEPT:
                shown.append(change.text)
            case Fate.REMOVED:
                shown.append(f"[-{change.text}-]", style="red strike")
            case Fate.ADDED:
                shown.append(f"{{+{change.text}+}}", style="green")
    return shown


def difference(old: Revision, new: Revision) -> dict[str, Any]:
    """Return what changed between two wordings as JSON values."""
    return {
        "id": new.analysis_id,
        "from": old.number,
        "to": new.number,
        "edit_distance": diff.distance(old.text, new.text),
        "share_kept": diff.share_kept(old.text, new.text),
        "changes": [
            {"fate": change.fate, "text": change.text} for change in diff.words(old.text, new.text)
        ],
    }


def remark(said: Remark) -> dict[str, Any]:
    """Return what somebody said as JSON values."""
    return {"at": said.created_at, "by": said.account.display_name, "text": said.text}


def _object(item: Item) -> dict[str, Any]:
    return {"object_number": item.object_number, "title": item.title, "artist": item.artist}


def _objects(view: AnalysisView) -> str:
    told = [" ".join(filter(None, (item.object_number, item.title))) for item in view.items]
    more = view.item_count - len(told)
    return "; ".join(told) + (f" and {more:,} more" if more else "")


def _state(view: AnalysisView) -> str:
    return view.state.replace("_", " ")


def _origin(view: AnalysisView) -> str:
    analysis, image = view.analysis, view.image
    return (
        f"{view.release.model_name}, {analysis.created_at:%Y-%m-%d %H:%M}, from a picture of "
        f"{image.width} x {image.height} pixels; {analysis.output_tokens} tokens, log-probability"
        f" {analysis.mean_logprob:.2f} on average, {analysis.min_window_logprob:.2f} where the"
        " model was least sure"
    )


def _told(taken: Revision | Review) -> str:
    who = taken.account.display_name if taken.account else "the model"
    when = f"{taken.created_at:%Y-%m-%d %H:%M}"
    if isinstance(taken, Review):
        why = ": ".join(filter(None, (taken.reason, taken.note)))
        did = f"{_did(taken)} wording {taken.revision.number}"
        return f"{when}  {who} {did}" + (f" ({why})" if why else "")
    what = "" if taken.restores_number is None else f", bringing back {taken.restores_number}"
    return f"{when}  {who} wrote wording {taken.number}{what}"


def _did(review: Review) -> str:
    if review.decision is not Decision.NEEDS_SECOND:
        return review.decision.replace("_", " ")
    asked = review.asked.display_name if review.asked else "somebody"
    return f"asked {asked} for a second opinion on"
