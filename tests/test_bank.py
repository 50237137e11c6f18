from __future__ import annotations

import json
import random
from pathlib import Path

import jsonschema
import pytest
from conftest import QUIZZES, ROOT, Case, Command, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import bank, shape, source
from grader.errors import InputError
from grader.model import Bank, Finding
from grader.source import parse as parse_yaml

TEXTS = {path.name: path.read_text() for path in sorted(QUIZZES.glob("*.yaml"))}


def _lines(findings: tuple[Finding, ...] | list[Finding], path: str) -> list[str]:
    return [f"{finding} | {finding.hint}".replace(f"{path}:", "") for finding in findings]


@pytest.mark.parametrize("case", cases("bank.txt"))
def test_each_problem_is_named_with_its_place_and_a_hint(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_text(case.input)
    assert _lines(bank.read([path]).findings, str(path)) == case.expected


def test_the_bank_has_the_questions_it_must_have(bank: Bank) -> None:
    practice = {topic.name: [item.id for item in topic.items if "practice" in item.modes][:5] for topic in bank.topics}
    assert practice == {
        "warmup": ["warmup-purpose", "warmup-class", "third-epoch-rate", "zero-factor", "pick-the-factor"],
        "schedulers": ["scheduler-purpose", "build-steplr", "steplr-third-step", "step-order", "two-phase-decay"],
    }
    others = {"printed-third-line", "uncapped-factor", "sequential-jump", "cosine-after-tmax"}
    assert others | {"first-rate-at-construction"} <= {item.id for item in bank.items}


def test_yaml_1_2_reads_rates_as_numbers_and_words_as_words() -> None:
    assert parse_yaml("[1e-3, no, off, 0.1, 010, 0x10, ~]", "x").data == [0.001, "no", "off", 0.1, 10, 16, None]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"\x00\x01\x02",
        b"a: b\n" * 1_000_000,
        b"[" * 5000,
        b"a: [" * 3000,
        b"%YAML 1.1\n---\n",
        b"a: &x 1\nb: &x 2",
    ],
)
def test_files_that_are_no_quiz_are_findings(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_bytes(data)
    found = bank.read([path])
    assert found.findings
    assert not found.topics


def test_aliases_that_multiply_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert {finding.code for finding in parse_yaml(bomb, "bomb").findings} == {"unsafe-yaml"}


def test_an_unreadable_path_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        bank.files([tmp_path / "missing.yaml"])
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert [finding.code for finding in bank.read([folder]).findings] == ["unreadable-file"]


def _mangled(text: str, seed: int, edits: int) -> str:
    """The text with some of its lines dropped, doubled, moved, cut or changed."""
    chance = random.Random(seed)
    lines = text.splitlines()
    for _ in range(edits):
        place = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[chance.randrange(len(lines))])
            case 2:
                lines[place] = " " * chance.randrange(8) + lines[place].strip()
            case 3:
                lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
            case 4:
                lines[place] = lines[place].replace(":", chance.choice([": [", ": &x", " :", ": !!int", ": {", ": |"]))
            case 5:
                lines[place] = chance.choice(
                    ["  params: 3", "  kind: number", "- id: 7", "  modes: {}", "  answer: '('"]
                )
            case _:
                lines[place] += chance.choice(["{", "}", "'", '"', "\t", "\u2028", "\x07", "#", "{0}", ": 1", "💥"])
        if not lines:
            lines = [""]
    return "\n".join(lines)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 10**9), st.integers(1, 12))
def test_a_mangled_quiz_is_read_or_explained(name: str, seed: int, edits: int) -> None:
    text = _mangled(TEXTS[name], seed, edits)
    topic, findings = bank.parse(text, name)
    assert topic or findings
    for finding in findings:
        assert finding.message
        assert finding.hint
        assert 1 <= finding.at.line <= text.count("\n") + 2
        assert finding.at.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_explained(text: str) -> None:
    topic, findings = bank.parse(text, "any")
    assert topic or findings


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_in_any_field_is_read_or_explained(data: st.DataObject) -> None:
    item = {
        "id": "a", "kind": "choice", "level": "easy", "skill": "s", "stem": "Which?", "program": "x = 1",
        "answer": "x", "options": [{"value": 1, "key": True}, {"value": 2}], "solution": ["{x}"], "params": {"k": [1]},
    }  # fmt: skip
    field = data.draw(st.sampled_from([*item, "hints", "modes", "raises", "warns", "holds", "tolerance", "mistakes"]))
    item[field] = data.draw(_json)
    quiz = {"format": 1, "topic": "t", "title": "T", "items": [item]}
    topic, findings = bank.parse(json.dumps(quiz), "any")
    assert topic or findings


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_that_was_checked_is_neither_parsed_nor_checked_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory(dict[str, str]):
        put = dict.__setitem__

    memory, text = Memory(), TEXTS[name]
    first, _ = bank.parse(text, name, memory)
    with monkeypatch.context() as patched:
        patched.setattr(shape, "check", lambda read: pytest.fail("checked again"))
        patched.setattr(source, "parse", lambda text, path: pytest.fail("parsed again"))
        assert bank.parse(text, name, memory)[0] == first
        moved, _ = bank.parse(text, "elsewhere.yaml", memory)
        assert moved
        assert moved.items[0].at.path == "elsewhere.yaml"
        with pytest.raises(pytest.fail.Exception):
            bank.parse(text + "\n", name, memory)
    for spoilt in ("", "[]", "[1, [[1]]]", "{}"):
        memory.update(dict.fromkeys(memory, spoilt))
        assert bank.parse(text, name, memory)[0] == first


def test_the_schema_accepts_our_quizzes_and_refuses_a_misspelt_one(grader: Command) -> None:
    schema = json.loads(grader("schema").stdout)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for name, text in TEXTS.items():
        data = parse_yaml(text, name).data
        assert not list(validator.iter_errors(data))
        data["items"][0]["optoins"] = data["items"][0].pop("options")
        assert list(validator.iter_errors(data))


def test_the_bank_in_the_current_directory_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert bank.home() == ROOT
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes" / "mine.yaml").write_text("format: 1\n")
    assert bank.home() == Path()
    with pytest.raises(InputError, match="no quiz here"):
        bank.home(tmp_path / "quizzes")
