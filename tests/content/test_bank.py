from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.content import bank_files, bank_homes, schema, topic_builder, yaml_source
from grader.content.yaml_source import parse as parse_yaml
from grader.errors import InputError
from grader.judging import mutants
from grader.model import Bank, Finding
from tests.support.common import QUIZZES, ROOT, Case, Command, cases

TEXTS = {path.name: path.read_text() for path in sorted(QUIZZES.glob("*.yaml")) if path.name != bank_files.MISTAKES}


def _lines(findings: tuple[Finding, ...] | list[Finding], path: str) -> list[str]:
    return [f"{finding} | {finding.hint}".replace(f"{path}:", "") for finding in findings]


@pytest.mark.parametrize("case", cases("bank.txt"))
def test_each_problem_is_named_with_its_place_and_a_hint(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_text(case.input)
    assert _lines(bank_files.read([path]).findings, str(path)) == case.expected


def test_the_bank_has_the_questions_it_must_have(bank: Bank) -> None:
    practice = {topic.name: [item.id for item in topic.items if "practice" in item.modes][:5] for topic in bank.topics}
    assert {name: practice[name] for name in ("warmup", "schedulers")} == {
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
    found = bank_files.read([path])
    assert found.findings
    assert not found.topics


ONE = """\
format: 1
topic: t
title: T
mistakes: {m: {says: No.}}
items:
- {id: a, kind: KIND, level: easy, skill: s, stem: STEM, solution: ["{run}"], MORE}
"""
CHOICE = "answer: run, options: [{value: 1, key: true}, {value: 2}]"
CODE = "starter: x, program: '...answer...', reference: '"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace("STEM", "'" + "{" * 3001 + "'").replace("MORE", CHOICE), "this brace opens no Python expression"),
        (ONE.replace("STEM", "'{" + "a}" * 3000 + "'").replace("MORE", CHOICE), "a closing brace without an opening one"),
        (ONE.replace("STEM", "'" + "{a}" * 201 + "'").replace("MORE", CHOICE), "a text has at most 200 expressions"),
        (ONE.replace("STEM", "a" * 20_001).replace("MORE", CHOICE), "`stem` is too long"),
        (ONE.replace("id: a", "id: " + "a" * 101).replace("MORE", CHOICE), "`id` is too long"),
        (ONE.replace("MORE", CHOICE.replace("run", "'" + "-" * 3999 + "1'")), "is not a Python expression"),
        (ONE.replace("MORE", CHOICE.replace("run", "'" + "-" * 9000 + "1'")), "`answer` is too long"),
        (ONE.replace("MORE", CHOICE + ", params: {" + ", ".join(f"a{n}: [1, 2]" for n in range(30)) + "}"), "make 1073741824 variants"),
        (ONE.replace("MORE", CHOICE + ", params: {" + ", ".join(f"a{n}: [1, 2, 3, 4]" for n in range(30)) + "}"), "more than 1,000,000,000,000"),
        (ONE.replace("MORE", CHOICE + ", params: [" + ", ".join(f"{{STEM: {n}}}" for n in range(9000)) + "]"), "make 9000 variants"),
        (ONE.replace("MORE", CHOICE + ", params: {STEM: ['" + "x" * 19_999 + "']}"), "take more than 20,000 characters"),
        (ONE.replace("MORE", CHOICE.replace("value: 2", "value: 2, mistake: m, instead: {a: " + "b" * 6000 + "}") + ", program: " + "a" * 99), "with `instead` the program has over 100,000"),
        (ONE.replace("MORE", "holds: run, options: [{code: " + "c" * 999 + ", key: true}, {code: d}], program: " + "...option... " * 200), "in its 200 places the program has over 100,000"),
        (ONE.replace("KIND", "code").replace("MORE", CODE + "x = " + "-" * 9000 + "1'"), "the reference is not Python: it is nested too deeply"),
        ("[" * 100_000, "nested more than 16 deep"),
        ("- " * 100_000, "nested more than 16 deep"),
        ("[" + "1," * 200_000 + "]", "more than 40,000 values"),
        ("!" * 9000 + " a", "found the tag `"),
        (ONE.replace("MORE", CHOICE + ", " + ", ".join(f"k{n}: 1" for n in range(9000))), "there is no field `k0` here"),
        (ONE.replace("MORE", CHOICE + ", modes: [" + "practice," * 9000 + "]"), "`modes` is too long"),
    ],
    ids=lambda value: value if len(value) < 60 else "",
)  # fmt: skip
def test_what_would_take_for_ever_is_refused(text: str, said: str) -> None:
    text = text.replace("KIND", "choice").replace("STEM", "stem").replace(", MORE", "")
    before = time.process_time()
    _, findings = bank_files.parse(text, "any")
    assert time.process_time() - before < 20
    assert any(said in finding.message for finding in findings), findings[:3]
    assert len(findings) < 200
    assert all(finding.hint and len(str(finding)) < 1200 for finding in findings)


@pytest.mark.parametrize("reference", ["x = " + "1 + " * 900 + "1", "x = 0x" + "f" * 9000, "x = 1 + 2 * 3\n" * 1000])
def test_mutants_of_any_reference_are_made_in_bounded_time(reference: str) -> None:
    before = time.process_time()
    assert len(mutants.mutants(reference)) <= mutants.MOST
    assert time.process_time() - before < 20


def test_odd_files_are_findings_and_none_is_waited_for(tmp_path: Path) -> None:
    """A pipe has no end, a device has no end either, a link leads to itself; the command says so of each."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "nowhere.yaml").symlink_to("missing")
    (tmp_path / "large.yaml").write_bytes(b"a: b\n" * 10_000_000)
    (tmp_path / "wide.yaml").write_bytes("format: 1\n".encode("utf-16"))
    (tmp_path / "raw.yaml").write_bytes(b"title: \x1b[31mred\n")
    (tmp_path / "odd\x1b]0;name\x07.yaml").write_bytes(b"")
    said = {
        Path(finding.at.path).name: finding.message
        for finding in bank_files.read(sorted(tmp_path.glob("*.yaml"))).findings
    }
    assert said == {
        "pipe.yaml": "the file cannot be read: it is not an ordinary file",
        "folder.yaml": "the file cannot be read: Is a directory",
        "device.yaml": "the file cannot be read: it is not an ordinary file",
        "loop.yaml": "the file cannot be read: Too many levels of symbolic links",
        "nowhere.yaml": "the file cannot be read: No such file or directory",
        "large.yaml": "the file has more than 2,097,152 bytes",
        "wide.yaml": "byte 1 is not UTF-8 text",
        "raw.yaml": "the control character U+001B stands in `title: \\x1b[31mred`",
        "odd\x1b]0;name\x07.yaml": "there is nothing in this file",
    }


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfformat: 1\n", b"format: 1\r\n", b"format: 1\r"])
def test_marks_and_ends_of_lines_of_other_systems_are_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_bytes(data)
    assert {finding.message for finding in bank_files.read([path]).findings} == {
        f"the field `{name}` is missing" for name in ("topic", "title", "items")
    }


def test_aliases_that_multiply_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert {finding.code for finding in parse_yaml(bomb, "bomb").findings} == {"unsafe-yaml"}


def test_an_unreadable_path_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        bank_files.files([tmp_path / "missing.yaml"])
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert [finding.code for finding in bank_files.read([folder]).findings] == ["unreadable-file"]


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


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 10**9), st.integers(1, 12))
def test_a_mangled_quiz_is_read_or_explained(name: str, seed: int, edits: int) -> None:
    text = _mangled(TEXTS[name], seed, edits)
    topic, findings = bank_files.parse(text, name)
    assert topic or findings
    for finding in findings:
        assert finding.message
        assert finding.hint
        assert 1 <= finding.at.line <= text.count("\n") + 2
        assert finding.at.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_explained(text: str) -> None:
    topic, findings = bank_files.parse(text, "any")
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
    topic, findings = bank_files.parse(json.dumps(quiz), "any")
    assert topic or findings


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_that_was_checked_is_neither_parsed_nor_checked_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory(dict[str, str]):
        put = dict.__setitem__

    memory, text = Memory(), TEXTS[name]
    first, _ = bank_files.parse(text, name, memory)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "check", lambda read: pytest.fail("checked again"))
        patched.setattr(yaml_source, "parse", lambda text, path: pytest.fail("parsed again"))
        assert bank_files.parse(text, name, memory)[0] == first
        moved, _ = bank_files.parse(text, "elsewhere.yaml", memory)
        assert moved
        assert moved.items[0].at.path == "elsewhere.yaml"
        with pytest.raises(pytest.fail.Exception):
            bank_files.parse(text + "\n", name, memory)
    for spoilt in ("", "[]", "[1, [[1]]]", "{}"):
        memory.update(dict.fromkeys(memory, spoilt))
        assert bank_files.parse(text, name, memory)[0] == first


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
    assert bank_homes.home() == ROOT
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes" / "mine.yaml").write_text("format: 1\n")
    assert bank_homes.home() == Path()
    with pytest.raises(InputError, match="no quiz here"):
        bank_homes.home(tmp_path / "quizzes")


def test_the_loader_reads_what_every_kind_has() -> None:
    """Fields of all kinds are read by the loader itself; a kind answers only for its own."""
    from grader.judging.fields import ItemFields

    assert set(ItemFields.model_fields) | {"kind"} == topic_builder.COMMON
