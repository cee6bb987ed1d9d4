"""One loaded model, and as many releases as it is asked prompts."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from predella.provenance import ReleaseSpec
from worker.engine.prompts import Prompt
from worker.engine.protocol import Engine, EngineFailure, Generation, Request

Answer = Generation | EngineFailure


def release_for(engine: Engine, prompt: Prompt) -> ReleaseSpec:
    """Return what the model is when it is asked this.

    Raises:
        PromptError: it cannot be.
    """
    rendered = [engine.render(question) for question in prompt.questions]
    return replace(
        engine.release,
        prompt_id=prompt.id,
        prompt_text=prompt.text,
        prompt_rendered="\n\n".join(rendered),
    )


def write(engine: Engine, batch: Sequence[Request]) -> list[Answer]:
    """Return one answer for each picture; what was asked in sections is joined again.

    What is raised concerns the whole batch: the engine, not a picture, is at fault.
    """
    asked = [Request(one.picture, question) for one in batch for question in one.prompt.questions]
    answers = iter(engine.write(asked))
    return [_joined(one.prompt, list(islice(answers, len(one.prompt.questions)))) for one in batch]


def _joined(prompt: Prompt, answers: Sequence[Answer]) -> Answer:
    """Return the answers under their headings; one that is missing leaves the whole unwritten."""
    if not prompt.sections:
        return answers[0]
    written: list[Generation] = []
    for answer in answers:
        if isinstance(answer, EngineFailure):
            return answer
        written.append(answer)
    tokens = sum(one.output_tokens for one in written)
    return Generation(
        text=_text(prompt, written),
        token_ids=tuple(token for one in written for token in one.token_ids),
        finish_reason="length" if any(one.finish_reason == "length" for one in written) else "stop",
        prompt_tokens=sum(one.prompt_tokens for one in written),
        output_tokens=tokens,
        mean_logprob=sum(one.mean_logprob * one.output_tokens for one in written) / tokens,
        min_window_logprob=min(one.min_window_logprob for one in written),
        rendered_prompt="\n\n".join(one.rendered_prompt for one in written),
        seed=written[0].seed,
        batch_size=max(one.batch_size for one in written),
    )


def _text(prompt: Prompt, written: Sequence[Generation]) -> str:
    """Return plain text: heading, empty line, paragraph; no heading where nothing was written."""
    parts = zip(prompt.sections, written, strict=True)
    return "\n\n".join(f"{part.heading}\n\n{one.text}" for part, one in parts if one.text.strip())
