"""What a person decides on the page: the functions that the commands call too."""

from __future__ import annotations

import click
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dataflow_operator.conflicts import effect
from dataflow_operator.errors import OperatorError
from dataflow_operator.failures import dropped, retried
from dataflow_operator.let_through import effect as effect_of_letting_through
from dataflow_operator.page.guard import remember
from dataflow_operator.page.site import Frame, Site, number_of, numbers, one
from dataflow_operator.store import conflicts, waiting
from dataflow_operator.store.let_through import WRITES, let_through


def retry(site: Site, request: Request) -> Response:
    """Let the next run try records."""
    form = request.state.form
    chosen, everything = numbers(form), one(form, "all") == "1"
    if bool(chosen) == everything:
        raise OperatorError("Choose records first.")
    with site.changing() as store:
        told = waiting.retry(store, chosen, flow=one(form, "flow") or None, kind=one(form, "kind") or None)
    return site.done(request, [*retried(told), "Nothing is sent until then."], one(form, "back") or "/failures")


def drop(site: Site, request: Request) -> Response:
    """Forget records that wait; asks first."""
    form = request.state.form
    chosen = numbers(form)
    if not chosen:
        raise OperatorError("Choose records first.")
    if one(form, "sure") != "1":
        with site.reading() as store:
            rows, frame = waiting.named(store, chosen), Frame.of(store)
        return site.show(request, "drop.html", frame, rows=rows)
    with site.changing() as store:
        rows = waiting.named(store, chosen)
        waiting.drop(store, rows)
    return site.done(request, [dropped(row) for row in rows], "/failures")


def take(site: Site, request: Request) -> Response:
    """Let one side's values stand."""
    form, number = request.state.form, number_of(request)
    side = one(form, "side")
    with site.changing() as store:
        told = effect(conflicts.decide(store, number, side), side, store.sync)
    return site.done(request, [told], one(form, "back") or f"/conflicts/{number}")


def allow(site: Site, request: Request) -> Response:
    """Let one run go over the limits of the circuit breaker, or not after all."""
    form = request.state.form
    flow, writes, undo = one(form, "flow"), one(form, "writes"), one(form, "undo") == "1"
    if writes not in WRITES:
        raise OperatorError(f"Only {' and '.join(WRITES)} are held back.")
    told = let_through(*site.place, flow, writes, undo=undo)
    return site.done(request, effect_of_letting_through(told, writes, undo=undo), "/#breaker")


def audit(site: Site, request: Request) -> Response:
    """Begin an audit."""
    begun = site.auditing.start()
    return site.done(request, ["An audit has begun." if begun else "An audit is being made already."], "/audit")


def ask_in(site: Site, request: Request) -> Response:
    """Ask for the token."""
    if site.visits.may_see(request.state.visit):
        return RedirectResponse("/", status_code=303)
    return site.show(request, "enter.html", wrong=False)


def enter(site: Site, request: Request) -> Response:
    """Let a browser in that has the token."""
    visit = site.visits.enter(one(request.state.form, "token"))
    if visit is None:
        came_from = request.client.host if request.client else "somewhere"
        click.echo(f"dataflow: {came_from} gave a wrong token.", err=True)
        return site.show(request, "enter.html", status=403, wrong=True)
    response = RedirectResponse("/", status_code=303)
    remember(response, request, site.cookie, visit)
    return response


def leave(site: Site, request: Request) -> Response:
    """End a visit."""
    site.visits.leave(request.state.visit)
    response = RedirectResponse("/enter", status_code=303)
    response.delete_cookie(site.cookie, path="/", httponly=True, samesite="strict")
    return response
