"""The routes of the page, and what stands around each: who asks, the form that was sent, words for what went wrong."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from grader import plugins
from grader.content.lesson_files import MODES
from grader.errors import GraderError
from grader.faces.web import (
    assets,
    author_pages,
    class_pages,
    embed_pages,
    home_pages,
    item_pages,
    joining_pages,
    lesson_pages,
    record_pages,
    safety,
    sitting_pages,
    task_pages,
)
from grader.faces.web.safety import MOST_BYTES, Guard, Keys, Reach, RefusedError, Visitor, new_visitor
from grader.faces.web.site import Site
from grader.faces.web.visit import Known, Look, Page, Visit
from grader.render.markdown import phrase_as_html

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOK = "torch-grader-look"


class For(Enum):
    """Who may come to a page."""

    ANYBODY = "anybody"
    LEARNERS = "learners"
    """The owner is one."""
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Served:
    """A page by its path: what shows it, what takes its form, and who may come."""

    path: str
    name: str
    get: Page | None
    post: Page | None = None
    who: For = For.LEARNERS


for _name, _regex in {
    "name": "[A-Za-z0-9][A-Za-z0-9_.:-]{0,249}",
    "reading": "|".join(MODES),
    "asking": "|".join(home_pages.MODES),
    "whole": "test|place",
    "sitting": "[0-9a-f]{32}",
    "task": "[0-9a-f]{32}",
    "learner": "[0-9a-f]{32}",
    "link": "[0-9a-f]{32}\\.[A-Za-z0-9_-]{20,60}",
}.items():
    register_url_convertor(_name, type(f"_{_name}", (StringConvertor,), {"regex": f"(?:{_regex})"})())

SERVED = (
    Served("/", "home", home_pages.home),
    Served("/t/{topic:name}", "topic", home_pages.topic),
    Served("/t/{topic:name}/{mode:reading}", "lesson", lesson_pages.lesson, lesson_pages.answer),
    Served("/t/{topic:name}/{mode:asking}", "before", sitting_pages.before, sitting_pages.begin),
    Served("/b/{block:name}/{mode:whole}", "block", sitting_pages.before_block, sitting_pages.begin_block),
    Served("/place", "place", sitting_pages.before_placement, sitting_pages.begin_placement),
    Served("/review", "review", sitting_pages.review_all, sitting_pages.begin_review),
    Served("/s/{sitting:sitting}", "summary", sitting_pages.summary),
    Served("/s/{sitting:sitting}/{number:int}", "question", sitting_pages.question, sitting_pages.answer),
    Served("/q/{item:name}", "item", item_pages.item, item_pages.answer, who=For.ANYBODY),
    Served("/q/{item:name}/report", "report", None, item_pages.report),
    Served("/waiting", "waiting", item_pages.waiting, who=For.ANYBODY),
    Served("/progress", "progress", home_pages.progress),
    Served("/data", "data", record_pages.data),
    Served("/data/records.jsonl", "download", record_pages.download),
    Served("/data/reports.json", "reports", record_pages.download_reports),
    Served("/data/class.json", "membership", record_pages.download_membership),
    Served("/data/delete", "delete", None, record_pages.delete),
    Served("/look", "look", None, record_pages.look, who=For.ANYBODY),
    Served("/embed/q/{item:name}", "embed", embed_pages.item, embed_pages.answer, For.ANYBODY),
    Served("/join", "join", joining_pages.join, joining_pages.joined, For.ANYBODY),
    Served("/back/{link:link}", "back", joining_pages.back, joining_pages.came_back, For.ANYBODY),
    Served("/me", "me", joining_pages.me),
    Served("/task/{task:task}", "task", task_pages.task, task_pages.begin),
    Served("/class", "class", class_pages.whole, None, For.OWNER),
    Served("/class/answers.csv", "answers", class_pages.answers_csv, None, For.OWNER),
    Served("/class/questions.csv", "questions", class_pages.questions_csv, None, For.OWNER),
    Served("/class/{item:name}", "class-item", class_pages.item, class_pages.regrade, For.OWNER),
    Served("/learners/{learner:learner}", "learner", class_pages.learner, class_pages.change_learner, For.OWNER),
    Served("/tasks", "tasks", task_pages.new, task_pages.add, For.OWNER),
    Served("/tasks/{given:task}", "class-task", task_pages.of_all, task_pages.change, For.OWNER),
    Served("/author", "author", author_pages.author, None, For.OWNER),
    Served("/author/{item:name}", "author-item", author_pages.item, None, For.OWNER),
)
"""Every page. The tests walk through this table: one that is added here without a walk fails them."""


def app(site: Site, keys: Keys, reach: Reach) -> ASGIApp:
    """The whole page, as ASGI has it."""
    routes = [Route("/static/{name}", _static), Route("/embed/question.js", partial(_module, reach))]
    doors = _Doors(site, keys, reach)
    for one in SERVED:
        methods = [*(["GET"] if one.get else []), *(["POST"] if one.post else [])]
        routes.append(Route(one.path, doors.endpoint(one), methods=methods, name=one.name))
    found = Starlette(routes=routes, exception_handlers={HTTPException: doors.not_there})
    found.router.redirect_slashes = False
    return Guard(found, reach)


def _static(request: Request) -> Response:
    """A file of ours; its address has the digest of what is in it."""
    name = request.path_params["name"]
    try:
        content = assets.content(name)
    except KeyError:
        raise HTTPException(404) from None
    kept = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, kept["content-encoding"] = assets.compressed(name), "gzip"
    return Response(content, media_type=assets.TYPES[name.rpartition(".")[2]], headers=kept)


async def _module(reach: Reach, request: Request) -> Response:
    """The module that puts a question into pages of others, which ask for it from their own origin.

    It says itself where its questions are: mystmd, for one, copies it to the site that it builds.
    """
    kept = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
    here = json.dumps(f"{_base(reach, request)}/embed/question.js").encode()
    content = assets.content("question.js").replace(b"import.meta.url", here)
    return Response(content, media_type=assets.TYPES["js"], headers=kept)


def _base(reach: Reach, request: Request) -> str:
    """The address of the page as a visitor sees it, without a slash at its end."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}{reach.root}"


def _not_the_owner() -> RefusedError:
    said = "Only the owner can open this page."
    return RefusedError(403, said, "Open the address that `grader serve` printed.")


class _Doors:
    """What stands before each page: who asks, the form that was sent, and words for what went wrong."""

    def __init__(self, site: Site, keys: Keys, reach: Reach) -> None:
        self._site, self._keys, self._reach = site, keys, reach

    def endpoint(self, served: Served) -> Callable[[Request], Awaitable[Response]]:
        """What answers requests for a page: with the page, or with one that says why not."""

        async def endpoint(request: Request) -> Response:
            visitor, known = self._visitor(request)
            try:
                if (token := request.query_params.get("token")) is not None:
                    return self._opened(request, token)
                visitor = await self._member(visitor)
                answer = await self._answer(request, served, visitor)
            except RefusedError as error:
                answer = self._refusal(request, visitor, error)
            except GraderError as error:
                said = f"{error.message[:1].upper()}{error.message[1:]}."
                answer = self._refusal(request, visitor, RefusedError(503, said, error.hint))
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:  # noqa: BLE001  (whatever fails, a visitor gets a page, and the server goes on)
                traceback.print_exc(file=sys.stderr)
                said = f"A{plugins.blame(error)[1:]}: {type(error).__name__}."
                told = RefusedError(500, said, "What you answered before is kept.")
                answer = self._refusal(request, visitor, told)
            if isinstance(answer, Known):
                self._remember(request, answer, new_visitor(owner=False, learner=answer.learner))
            elif not known and not request.url.path.startswith(safety.EMBEDDED):
                self._remember(request, answer, visitor)
            return answer

        return endpoint

    async def _answer(self, request: Request, served: Served, visitor: Visitor) -> Response:
        """The page, made in a thread. Raises RefusedError."""
        if served.who is For.LEARNERS and not visitor.known:
            if self._site.class_name:
                said = "This page is for learners of the class."
                raise RefusedError(403, said, "Open the link to join, or the link of yours to come back.")
            raise _not_the_owner()
        if served.who is For.OWNER and not visitor.owner:
            raise _not_the_owner()
        visit = await self._visit(request, visitor)
        shown = served.post if request.method == "POST" else served.get
        if shown is None:
            raise RefusedError(405, "That address does not take such a request.")
        return await run_in_threadpool(shown, visit, **request.path_params)

    def _visitor(self, request: Request) -> tuple[Visitor, bool]:
        """Who a cookie says that asks, and whether there was one; else somebody new, who is a guest."""
        known = self._keys.visitor(request.cookies.get(self._keys.cookie))
        return known or new_visitor(owner=False), known is not None

    async def _member(self, visitor: Visitor) -> Visitor:
        """The same visitor; a guest where they are not a learner of the class any more."""
        if not visitor.learner:
            return visitor
        room = self._site.classroom if self._site.class_name else None
        if room and (room.known_member(visitor.learner) or await run_in_threadpool(room.member, visitor.learner)):
            return visitor
        return replace(visitor, learner="")

    def _opened(self, request: Request, token: str) -> Response:
        """Whoever has the token is the owner from now on; the address that is gone on to does not hold it."""
        if request.method not in safety.SAFE or not self._keys.is_token(token):
            said = "That is not the token of this page."
            raise RefusedError(403, said, "`grader serve` prints it, for a page without a class a new one each time.")
        url = request.url.remove_query_params("token").replace(scheme="", netloc="")
        answer = Response(status_code=303, headers={"location": f"{self._reach.root}{url}"})
        self._remember(request, answer, new_visitor(owner=True))
        return answer

    def _remember(self, request: Request, answer: Response, visitor: Visitor) -> None:
        answer.set_cookie(
            self._keys.cookie, self._keys.signed(visitor), max_age=safety.COOKIE_DAYS * 86_400, httponly=True,
            samesite="lax", path=self._reach.root or "/", secure=request.url.scheme == "https",
        )  # fmt: skip

    async def _visit(self, request: Request, visitor: Visitor) -> Visit:
        """Read the request. Raises RefusedError for a form that is not this visitor's."""
        form: dict[str, list[str]] = {}
        if request.method == "POST":
            form = safety.fields(await _body(request), request.headers.get("content-type", ""))
            if not visitor.known and request.url.path.startswith(safety.EMBEDDED):
                visitor = self._keys.visitor((form.get("who") or [""])[0]) or visitor  # frames may have no cookies
            if not self._keys.is_form_key(visitor, (form.get("key") or [""])[0]):
                message = "That form is too old, or it was not made for you."
                raise RefusedError(403, message, "Reload the page with the form, and send it again.")
        return self._as_seen(request, visitor, form)

    def _as_seen(self, request: Request, visitor: Visitor, form: dict[str, list[str]]) -> Visit:
        site = self._site.of(visitor.learner) if visitor.learner else self._site
        look = Look.read(request.cookies.get(LOOK, ""))
        host = request.client.host if request.client else ""
        base = _base(self._reach, request)
        return Visit(
            site, visitor, request.url.path, request.query_params, form, self._keys, look, self._reach, base, host
        )

    def _refusal(self, request: Request, visitor: Visitor, error: RefusedError) -> Response:
        """A page that says why something was not done, and where to go on."""
        visit = self._as_seen(request, visitor, {})
        back = request.headers.get("referer", "")
        here = back[len(visit.base) :] if back.startswith(f"{visit.base}/") else ""
        status = error.status
        return visit.page(
            "refused.html", "Not done", status=status, code=status, message=phrase_as_html(error.message),
            hint=phrase_as_html(error.hint), back=here,
        )  # fmt: skip

    def not_there(self, request: Request, error: Exception) -> Response:
        """What no route of ours answers: a path that is not there, or not so."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        words = {404: "There is no such page.", 405: "That address does not take such a request."}
        visitor, _ = self._visitor(request)
        visitor = visitor if visitor.owner else replace(visitor, learner="")
        said = words.get(status, "That is not possible.")
        return self._refusal(request, visitor, RefusedError(status, said, "The first page leads to all that there is."))


async def _body(request: Request) -> bytes:
    """The body of a request, of bounded size whatever its header says. Raises RefusedError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RefusedError(413, f"That is too much. A form may have {MOST_BYTES:,} bytes.")
    return bytes(body)
