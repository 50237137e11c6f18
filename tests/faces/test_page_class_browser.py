"""A class in a real browser: two learners and their owner, a question in a frame of another origin; accessibility of its pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.faces.web import classroom
from grader.runner.local import LocalRunner
from tests.bench.web import hello, in_a_thread
from tests.support.class_walks import ITEM
from tests.support.page import Served, served
from tests.support.patience import COMMAND, milliseconds, seconds

pytestmark = [pytest.mark.slow, pytest.mark.waits]


@pytest.fixture(scope="module")
def room(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], runner: LocalRunner
) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("class")
    with (
        patch.dict(os.environ, {"GRADER_CACHE": environment["GRADER_CACHE"]}),
        patch.object(classroom, "KNOWN_SECONDS", 0.0),
        served(place / "records.sqlite", runner=runner, class_name="spring", frames="*") as found,
    ):
        yield found


def tab_of(chromium: Any, url: str, **options: Any) -> Any:
    tab = chromium.new_context(base_url=url, **options).new_page()
    tab.set_default_timeout(milliseconds())
    return tab


def join(tab: Any, link: str, name: str) -> None:
    tab.goto(link)
    tab.get_by_label("Your name").fill(name)
    tab.get_by_role("button", name="Join").click()
    tab.get_by_role("heading", name="You are in the class spring").wait_for()


def begin(tab: Any, task: str) -> None:
    tab.goto(task)
    tab.get_by_role("button", name="Begin").click()
    tab.wait_for_url("**/s/**")


def test_two_learners_and_an_owner(chromium: Any, room: Served) -> None:
    """A task is given, both do it, each sees their own; what one has of the other's opens nothing; the owner sees both."""
    owner, ada, bob = (tab_of(chromium, room.url) for _ in range(3))
    owner.goto(f"/?token={room.token}")
    owner.goto("/class")
    link = owner.locator("#link").input_value()
    owner.get_by_role("link", name="Give them a task").click()
    owner.get_by_label("Title").fill("First week")
    owner.get_by_label("Questions, by their ids").fill(f"{ITEM} warmup-purpose")
    owner.get_by_label("Due, in UTC").fill("2099-01-31T23:59")
    owner.get_by_role("button", name="Give it to the class").click()
    task = owner.locator("#link").input_value()
    for tab, name in ((ada, "Ada"), (bob, "Bob")):
        join(tab, link, name)
        begin(tab, task)
    ada.locator("label.option").first.click()
    ada.locator('button.first[value="check"]').click()
    ada.locator("#told").wait_for()
    seen = ada.url.partition("#")[0].partition("?")[0]
    bob.goto(seen)
    bob.get_by_text("There is no such question").wait_for()
    bob.goto("/data")
    assert "0 answers" in bob.locator("main").inner_text()
    ada.goto("/data")
    assert "1 answer in 1 sitting" in ada.locator("main").inner_text()
    assert "Bob" not in ada.locator("body").inner_text()
    for tab in (ada, bob):
        for path in ("/", "/me", "/data", "/progress", "/class", task):
            tab.goto(path)
            assert room.token not in tab.content()
    owner.goto("/class")
    for name, answers in (("Ada", "1"), ("Bob", "0")):
        row = owner.locator("tr", has=owner.get_by_role("link", name=name, exact=True))
        assert row.locator("td").first.inner_text() == answers
    phone = tab_of(chromium, room.url)
    ada.goto("/me")
    phone.goto(ada.locator("#link").input_value())
    phone.get_by_role("button", name="Go on as Ada").click()
    phone.goto("/data")
    assert "1 answer in 1 sitting" in phone.locator("main").inner_text()
    for tab in (owner, ada, bob, phone):
        tab.context.close()


def test_a_question_in_a_frame_of_another_origin_without_cookies(chromium: Any, room: Served) -> None:
    """By the module as an element and as anywidget mounts it; as high as what is in it, and judged there."""
    module = f"{room.url}/embed/question.js"
    text = f"""<!doctype html><title>A course</title><link rel="icon" href="data:,"><script type="module" src="{module}"></script>
      <torch-question item="{ITEM}" variant="0"></torch-question><div id="widget"></div><script type="module">
      import widget from "{module}";
      const model = {{item: "warmup-purpose"}};
      widget.render({{model: {{get: (name) => model[name]}}, el: document.querySelector("#widget")}});</script>"""
    with in_a_thread(hello({"/": (text.encode(), "text/html; charset=utf-8")})) as address:
        course = address.replace("127.0.0.1", "localhost")  # another site: its frames have no cookies of ours
        tab = tab_of(chromium, course)
        tab.goto(course)
        frames = [tab.frame_locator("torch-question iframe"), tab.frame_locator("#widget iframe")]
        for frame in frames:
            frame.locator("label.option").first.click()
            frame.locator('button.first[value="check"]').click()
            frame.locator("#told").wait_for()
        assert tab.context.cookies() == []
        for one in tab.locator("iframe").all():
            content = one.element_handle().content_frame()
            inside = "document.body.getBoundingClientRect().height"
            tab.wait_for_function(
                "([height, want]) => Math.abs(height.clientHeight - want) < 3",
                arg=[one.element_handle(), content.evaluate(inside)],
            )
        assert room.site.records
        assert not [one for one in room.site.records.attempts() if len(one.learner) != 32]
        tab.context.close()


def test_what_mystmd_makes_of_a_page_shows_the_question_and_judges(
    chromium: Any, room: Served, node: str, tmp_path: Path
) -> None:
    """Its own tree of the page names a copy of our module and our model: mounted by just that, on another origin."""
    (tmp_path / "myst.yml").write_text(
        "version: 1\nproject:\n  title: A course\n  toc: [{file: page.md}]\nsite: {template: ./theme}\n"
    )
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme/template.yml").write_text("jtex: v1\ntitle: A theme\nkind: site\n")
    (tmp_path / "page.md").write_text(
        f'# A page\n\n```{{anywidget}} {room.url}/embed/question.js\n{{"item": "{ITEM}"}}\n```\n'
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("myst"), "build", "--site", "--ci"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PATH": node, "HOME": str(tmp_path)}, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip
    (tree,) = (tmp_path / "_build/site/content").glob(
        "*.json"
    )  # written before its theme is built, which takes a network
    found = re.search(r'"type":"anywidget","esm":"/([^"]+)","model":(\{[^}]*\})', tree.read_text())
    assert found, done.stdout + done.stderr
    module = (tmp_path / "_build/site/public" / found[1]).read_bytes()
    text = f"""<!doctype html><title>A course</title><link rel="icon" href="data:,"><div id="widget"></div>
      <script type="module">import widget from "/{found[1]}"; const model = {found[2]};
      widget.render({{model: {{get: (name) => model[name]}}, el: document.querySelector("#widget")}});</script>"""
    files = {"/": (text.encode(), "text/html; charset=utf-8"), f"/{found[1]}": (module, "text/javascript")}
    with in_a_thread(hello(files)) as address:
        course = address.replace("127.0.0.1", "localhost")
        tab = tab_of(chromium, course)
        tab.goto(course)
        frame = tab.frame_locator("#widget iframe")
        frame.locator("label.option").first.click()
        frame.locator('button.first[value="check"]').click()
        frame.locator("#told").wait_for()
        assert tab.context.cookies() == []
        tab.context.close()


def test_a_book_that_sphinx_made_shows_a_question_and_judges(chromium: Any, room: Served, tmp_path: Path) -> None:
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    (source / "conf.py").write_text('project, extensions = "A book", ["myst_parser"]\n')
    frame = f'<iframe src="{room.url}/embed/q/{ITEM}" title="Question" width="100%" height="600"></iframe>'
    (source / "index.md").write_text(f"# A book\n\n```{{raw}} html\n{frame}\n```\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", source, built]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds(COMMAND))
    assert done.returncode == 0, done.stderr
    pages = [path for path in built.rglob("*") if path.is_file()]
    files = {
        f"/{path.relative_to(built)}": (path.read_bytes(), guess_type(path.name)[0] or "text/plain") for path in pages
    }
    with in_a_thread(hello(files)) as address:
        tab = tab_of(chromium, address.replace("127.0.0.1", "localhost"))
        tab.goto("/index.html")
        shown = tab.frame_locator("iframe")
        shown.locator("label.option").first.click()
        shown.locator('button.first[value="check"]').click()
        shown.locator("#told").wait_for()
        tab.context.close()


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 320, "height": 800}}], ids=str)
def test_axe_finds_nothing_on_pages_of_a_class(look: dict[str, Any], chromium: Any, room: Served) -> None:
    owner, learner = tab_of(chromium, room.url, **look), tab_of(chromium, room.url, **look)
    owner.goto(f"/?token={room.token}")
    owner.goto("/class")
    link = owner.locator("#link").input_value()
    learner.goto(link)
    name = f"Ann {'x'.join(map(str, look))}"
    _finds_nothing(learner)
    join(learner, link, name)
    learner.goto("/me")
    back = learner.locator("#link").input_value()
    owner.goto("/tasks")
    owner.get_by_label("Title").fill(name)
    owner.get_by_label("Questions, by their ids").fill(ITEM)
    owner.get_by_role("button", name="Give it to the class").click()
    task = owner.locator("#link").input_value()
    looked_at = [(owner, owner.url), (owner, "/class"), (owner, "/tasks"), (owner, f"/class/{ITEM}"), (learner, "/"),
                 (learner, "/me"), (learner, back), (learner, task), (learner, "/data"), (learner, f"/embed/q/{ITEM}")]  # fmt: skip
    for tab, path in looked_at:
        tab.goto(path)
        _finds_nothing(tab)
    owner.goto("/class")
    owner.get_by_role("link", name=name).first.click()
    owner.get_by_role("heading", name=name).wait_for()
    _finds_nothing(owner)
    for tab in (owner, learner):
        tab.context.close()


def _finds_nothing(tab: Any) -> None:
    found = Axe().run(tab).response
    assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == [], tab.url
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{tab.url} is wider than the screen"
    assert len(tab.locator("h1").all()) == 1, tab.url


def test_the_load_of_a_class_in_short(tmp_path: Path) -> None:
    """Twenty learners and two who send code, for some seconds, at two server processes: nothing is lost, doubled or refused."""
    import json
    import subprocess
    import sys

    from tests.support.common import ROOT

    command = [sys.executable, "-m", "tests.bench.load", "--learners", "20", "--coders", "2", "--seconds", "6", "--every", "2",
               "--processes", "2", "--db", "sqlite"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    (row,) = json.loads(done.stdout)
    assert (row["errors"], row["lost"], row["doubled"]) == (0, 0, 0), row
    assert row["answers"] == 66
