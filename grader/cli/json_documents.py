"""The JSON documents that the command prints. Their shape is part of the product: `format` counts its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from grader.learning.item_statistics import ItemStats
from grader.learning.verdict import ENOUGH, Verdict, mean
from grader.model import (
    Bank,
    Finding,
    Item,
    Lesson,
    Observation,
    Progress,
    Proof,
    QuestionReport,
    Result,
    Score,
    Variant,
)
from grader.render.charts import spec

if TYPE_CHECKING:
    from grader.content.claim_records import ClaimRecord
    from grader.content.verify import Report
    from grader.learning.placement import Placement

FORMAT = 1


def run_document(run: Observation) -> dict[str, Any]:
    """What `grader run --json` prints of one program: an observation."""
    return {"format": FORMAT, **_observation(run)}


def runs_document(runs: Mapping[str, Observation]) -> dict[str, Any]:
    """What `grader run --json` prints of several programs."""
    return {"format": FORMAT, "files": [{"path": path, **_observation(run)} for path, run in runs.items()]}


def _observation(run: Observation) -> dict[str, Any]:
    error = run.error
    return {
        "status": run.status.value,
        "lr_at_start": run.lr_at_start,
        "lr_used": run.lr_used,
        "lr_after_step": run.lr_after_step,
        "lr_used_by_group": run.lr_used_by_group,
        "lr_after_step_by_group": run.lr_after_step_by_group,
        "losses": run.losses,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "warnings": [{"category": w.category, "message": w.message, "line": w.line} for w in run.warnings],
        "error": error and {"type": error.type, "message": error.message, "line": error.line, "code": error.code},
        "seconds": round(run.seconds, 6),
        "peak_bytes": run.peak_bytes,
        "note": run.note,
    }


def grade_document(result: Result) -> dict[str, Any]:
    """What `grader grade --json` prints: one graded answer."""
    return {"format": FORMAT, **_graded(result)}


def quiz_document(topic: str, questions: int, results: Sequence[Result], ended: str) -> dict[str, Any]:
    """What `grader quiz --json` prints. `score` is the mean over the answers that could be judged."""
    return {
        "format": FORMAT,
        "topic": topic,
        "questions": questions,
        "results": [{**_graded(result), "response": result.response} for result in results],
        "score": mean(results),
        "ended": ended,
    }


def test_document(
    topic: str, questions: int, results: Sequence[Result], ended: str, said: Verdict | None
) -> dict[str, Any]:
    """What `grader test --json` prints: a quiz, and the verdict where the test came to its end."""
    document = quiz_document(topic, questions, results, ended)
    if said is None:
        return document | {"verdict": None, "uncertainty": None, "weakest_skill": None, "skills": [], "mistakes": []}
    return document | {
        "verdict": said.word,
        "uncertainty": {
            "chance": said.chance,
            "low": said.low,
            "high": said.high,
            "above": ENOUGH,
            "certainty": said.certainty,
        },
        "weakest_skill": said.weakest,
        "skills": [
            {"skill": skill.name, "score": skill.points, "asked": skill.asked, "chance": skill.chance}
            for skill in said.skills
        ],
        **(
            {
                "topics": [
                    {"topic": one.name, "score": one.points, "asked": one.asked, "chance": one.chance}
                    for one in said.topics
                ]
            }
            if said.topics
            else {}
        ),
        "mistakes": [{"mistake": name, "times": times} for name, times in said.mistakes],
        "read": list(said.read),
    }


def placement_document(
    block: str, questions: int, results: Sequence[Result], ended: str, found: Placement | None
) -> dict[str, Any]:
    """What `grader place --json` prints: a quiz, and where to begin once that is settled (None: behind all of it)."""
    topics = [asdict(one) for one in found.topics] if found else []
    settled = {"placed": found is not None, "begin": found.begin if found else None, "topics": topics}
    return quiz_document(block, questions, results, ended) | settled


def _graded(result: Result) -> dict[str, Any]:
    return {
        "item": result.item.id,
        "variant": dict(result.variant.values),
        "variant_index": result.variant.index,
        "outcome": result.score.outcome.value,
        "score": result.score.points,
        "mistake": result.score.mistake,
        "feedback": " ".join(filter(None, [result.score.feedback, *result.score.details])),
        "hints_used": result.hints_used,
        "options": result.options,
        "choice": result.choice,
        "observed": _marked(result.score)
        if result.score.run
        else _observed(result.proof if result.score.points is not None else None),
        "chart": spec(result.score.chart) if result.score.chart else None,
        **({"checks": [asdict(one) for one in result.score.table]} if result.score.table else {}),
        "follow_up": {**_graded(result.follow_up), "response": result.follow_up.response} if result.follow_up else None,
    }


def _marked(score: Score) -> dict[str, Any]:
    """What was observed of an answer that was run, case by case."""
    assert score.run is not None
    return {
        "status": score.run.status.value,
        "seconds": round(score.run.seconds, 6),
        "cases": [
            {
                "inputs": dict(entry.inputs),
                "hidden": entry.hidden,
                "passed": entry.passed,
                "yours": entry.yours,
                "right": entry.right,
            }
            for entry in score.checked
        ],
    }


def _observed(proof: Proof | None) -> dict[str, Any] | None:
    """What PyTorch said; only where an answer was judged."""
    if proof is None:
        return None
    run = proof.observation
    return {
        "answer": proof.answer,
        "lr_at_start": run.lr_at_start,
        "lr_used": run.lr_used,
        "lr_after_step": run.lr_after_step,
        "stdout": run.stdout,
        "warnings": [warning.message for warning in run.warnings],
    }


def verify_document(
    report: Report, torch: str, seconds: float, *, claims: bool = False,
    since: tuple[str, Sequence[tuple[ClaimRecord | None, ClaimRecord | None]]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What `grader verify --json` prints; with `claims` each of them, with `since` what changed since another torch."""
    changed = [
        {"before": before and asdict(before), "now": now and asdict(now)} for before, now in (since[1] if since else ())
    ]
    return {
        "format": FORMAT,
        "torch": torch,
        "items": report.items,
        "variants": report.variants,
        "lessons": report.lessons,
        **({"experiments": report.experiments} if report.experiments else {}),
        "claims": report.claims,
        "proven": report.proven,
        "options": asdict(report.options),
        "seconds": round(seconds, 3),
        "findings": [finding_document(finding) for finding in report.findings],
        **({"elsewhere": report.elsewhere} if report.elsewhere else {}),
        **({"listed": [asdict(record) for record in report.listed]} if claims else {}),
        **({"since": since[0], "changed": changed} if since else {}),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "item": finding.item,
        "variant": dict(finding.variant),
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "message": finding.message,
        "hint": finding.hint,
    }


def stats_document(stats: Sequence[ItemStats], reports: Sequence[QuestionReport] = ()) -> dict[str, Any]:
    """What `grader stats --json` prints; `reports` are there where somebody said that a question is wrong."""
    said = [asdict(report) | {"at": report.at.isoformat()} for report in reports]
    return {"format": FORMAT, "items": [asdict(entry) for entry in stats], **({"reports": said} if said else {})}


def course_stats_document(stats: Sequence[ItemStats], says: Mapping[str, str]) -> dict[str, Any]:
    """What `grader stats --course --json` prints: the same, and each mistake in a sentence."""
    return {**stats_document(stats), "mistakes": dict(sorted(says.items()))}


def topics_document(bank: Bank, progress: Mapping[str, Progress]) -> dict[str, Any]:
    """What `grader topics --json` prints."""
    blocks = bank.about.blocks
    return {
        "format": FORMAT,
        "topics": [
            {
                "topic": topic.name,
                "title": topic.title,
                "items": len(topic.asked),
                "variants": sum(len(item.variants) for item in topic.asked),
                "levels": count_by(topic.asked, lambda item: (item.level,)),
                "modes": count_by(topic.asked, lambda item: item.modes),
                "progress": asdict(progress[topic.name]) if topic.name in progress else None,
                "block": next((block.name for block in blocks if topic.name in block.topics), None),
                "needs": topic.needs,
                "objectives": topic.objectives,
                "minutes": topic.minutes,
                "skills": [
                    {"skill": name, "words": topic.skill(name), "items": count}
                    for name, count in count_by(topic.asked, lambda item: (item.skill,)).items()
                ],
            }
            for topic in bank.topics
        ],
        "blocks": [{"block": block.name, "title": block.title, "topics": block.topics} for block in blocks],
        "bank": {name: value for name, value in asdict(bank.about).items() if name != "blocks"},
    }


def notebooks_document(topic: str, lessons: Mapping[str, Lesson], written: AbstractSet[str]) -> dict[str, Any]:
    """What `grader notebook --json` prints: the notebooks by their paths, and which of them were written now."""
    return {
        "format": FORMAT,
        "topic": topic,
        "notebooks": [
            {
                "path": path,
                "mode": lesson.mode,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "state": "written" if path in written else "unchanged",
            }
            for path, lesson in lessons.items()
        ],
    }


def count_by(items: Sequence[Item], of: Any) -> dict[str, int]:
    """How many items have each of the names that `of` gives for an item."""
    counts: dict[str, int] = {}
    for item in items:
        for name in of(item):
            counts[name] = counts.get(name, 0) + 1
    return counts


def show_variant(variant: Variant) -> str:
    """A variant in words: `base_lr = 0.1, k = 3`."""
    return ", ".join(f"{name} = {value!r}" for name, value in variant.values)
