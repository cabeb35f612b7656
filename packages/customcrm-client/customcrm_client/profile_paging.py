"""The part of a profile that says how lists go on from page to page."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from customcrm_client.described import Described as _Said
from customcrm_client.described import described as _said


class End(_Said, frozen=True):
    """How the last page is known. An empty page ends numbered ones, a missing cursor or link the others."""

    short_page: Annotated[
        bool, _said("A page with fewer records than were asked for is the last. Only where the CRM never cuts pages")
    ] = False
    empty_page: Annotated[bool, _said("An empty page is the last even where a cursor or link stands in it")] = False
    total: Annotated[str | None, _said("Path to the number of all records")] = None
    pages: Annotated[str | None, _said("Path to the number of pages")] = None
    more: Annotated[str | None, _said("Path to a flag; where it is not true, there are no more")] = None
    statuses: Annotated[
        tuple[int, ...],
        _said(
            "Statuses that mean: past the last page, for example `404`. Of the first page only those below 400 do: "
            "`read.empty` has the others"
        ),
    ] = ()


class _Paged(_Said, frozen=True):
    size_param: Annotated[str | None, _said("The parameter for the page size, for example `pagination[pageSize]`")] = (
        None
    )
    size_at_most: Annotated[
        int | None, Meta(ge=1, description="The largest page the CRM gives, whatever is asked for")
    ] = None
    end: Annotated[End, _said("How the last page is known")] = End()


class NoPaging(_Said, frozen=True, tag_field="kind", tag="none"):
    """The whole list comes in one answer."""


class PagePaging(_Paged, frozen=True, tag_field="kind", tag="page"):
    """Numbered pages."""

    param: Annotated[str, _said("The parameter for the page's number")] = "page"
    first: Annotated[int, _said("The first page's number")] = 1


class OffsetPaging(_Paged, frozen=True, tag_field="kind", tag="offset"):
    """Records from an offset on."""

    param: Annotated[str, _said("The parameter for the offset")] = "offset"
    step: Annotated[
        Literal["records", "size"],
        _said(
            "How far the offset goes on: by the records that came, or by the page size asked for, where one offset "
            "holds for several lists (`records` with several paths)"
        ),
    ] = "records"
    overlap: Annotated[
        bool, _said("Begin each page with the last record of the one before, so that a list that moves is noticed")
    ] = True


class CursorPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="cursor"):
    """A cursor in the body that asks for the next page."""

    param: Annotated[str, _said("The parameter for the cursor")] = "cursor"
    cursor: Annotated[str, _said("Path to the next page's cursor; null, empty or missing after the last one")]


class NextUrlPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="next_url"):
    """The next page's address in the body; it is followed on the same host only."""

    url: Annotated[str, _said("Path to the address; null, empty or missing after the last page")]


class LinkHeaderPaging(_Paged, frozen=True, tag_field="kind", tag="link_header"):
    """`Link: <…>; rel="next"`; it is followed on the same host only."""


class NextHeaderPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="next_header"):
    """The next page's address in a header; it is followed on the same host only."""

    name: Annotated[str, _said("The header, for example `X-Next-Page`")]


Paging: TypeAlias = (
    NoPaging | PagePaging | OffsetPaging | CursorPaging | NextUrlPaging | LinkHeaderPaging | NextHeaderPaging
)
