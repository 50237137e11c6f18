"""What a face may ask of experiments, and the curve of a task's reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import kinds
from grader.errors import InputError
from grader.faces.service import experiment_documents
from grader.faces.service.actions import action
from grader.faces.service.documents import Document
from grader.judging.diagnosis import curve as is_curve

if TYPE_CHECKING:
    from grader.faces.service.service import Service


@action
def curve(service: Service, name: str, seed: int | None = None) -> Document:
    """What the reference of a task gives for the inputs that are shown, where that is no answer by itself."""
    item = service.backing.item(name)
    if kinds.of(item).TRAITS.cell != "code":
        raise InputError(f"the curve of `{name}` would be its answer", "it can be had for tasks in code")
    proof = service.backing.sittings.proof(item, item.variant(seed))
    if not is_curve(proof.answer):
        raise InputError(f"`{name}` has no curve", "compare with the scheduler that you have in mind")
    assert isinstance(proof.answer, list)
    shows, counts = item.body.words
    return {"values": proof.answer, "shows": shows, "counts": counts}


@action
def experiment(service: Service, topic: str) -> Document:
    """The knobs of a topic's experiment, and where they start."""
    return experiment_documents.offer(service.backing.experiment(topic))


@action
def turn_knobs(
    service: Service, topic: str, settings: Document, kept: list[Document] | None = None, width: int = 420
) -> Document:
    """What a run shows with these values of the knobs, beside those that are kept; a run is remembered."""
    found = service.backing.experiment(topic)
    return experiment_documents.turned(found, service.backing.runner, [settings, *(kept or [])], width)


@action
def solve(service: Service, topic: str) -> Document:
    """The solution of an experiment's task, from runs of its steps."""
    return experiment_documents.solution(service.backing.experiment(topic), service.backing.runner)
