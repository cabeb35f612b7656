"""The endpoints around sessions: making and ending tokens, who am I, which companies."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.tripletex.answers import answering, body_of, list_answer, only, single
from sandbox.tripletex.fields import selection
from sandbox.tripletex.fixtures import API_EMPLOYEE
from sandbox.tripletex.mapping import UNKNOWN
from sandbox.tripletex.refusal import Message, TripletexRefusal, invalid
from sandbox.tripletex.rows import Row, url_of
from sandbox.tripletex.sessions import Session, same_secret
from sandbox.tripletex.types import object_type

if TYPE_CHECKING:
    from sandbox.tripletex.system import Tripletex


TOKENS = ("consumerToken", "employeeToken", "expirationDate")


async def _said(request: Request, allowed: tuple[str, ...]) -> dict[str, Any]:
    """A body of a few plain values. Raises TripletexRefusal 422."""
    only(request)
    body = await body_of(request)
    unknown = [name for name in body if name not in allowed] if isinstance(body, dict) else [""]
    if unknown:
        raise TripletexRefusal(16000, "See validationMessages", tuple(Message(each, UNKNOWN, each) for each in unknown))
    said: dict[str, Any] = body
    return said


def _session(session: Session, status: int) -> Response:
    value = {
        "id": 1,
        "version": 0,
        "url": None,
        "consumerToken": None,
        "employeeToken": None,
        "expirationDate": f"{session.ends:%Y-%m-%d}",
        "token": session.token,
        "encryptionKey": None,
    }
    return single(value, status)


def session_routes(system: "Tripletex") -> list[Route]:
    """The routes of /token/session and /company."""

    async def create(request: Request) -> Response:
        """The secrets in the body, or in the query as it was done before."""
        by_post = request.method == "POST"
        said = await _said(request, TOKENS) if by_post else only(request, *TOKENS)
        for name in TOKENS:
            if not said.get(name):
                raise invalid(name, "Feltet må fylles ut.")
        consumer = same_secret(said["consumerToken"], system.consumer_token)
        if not same_secret(said["employeeToken"], system.employee_token) or not consumer:
            raise TripletexRefusal(3000, "Invalid tokens")
        return _session(system.sessions.create(said["expirationDate"], said["employeeToken"]), 201 if by_post else 200)

    async def create_from_refresh_token(request: Request) -> Response:
        """Not in the description: as the vendor's site tells it."""
        said = await _said(request, ("refreshToken", "ttlSeconds"))
        if not same_secret(str(said.get("refreshToken")), system.refresh_token):
            raise TripletexRefusal(3000, "Invalid token")
        return _session(system.sessions.create_for(said.get("ttlSeconds"), said["refreshToken"]), 201)

    async def delete(request: Request) -> Response:
        only(request)
        system.sessions.delete(request.path_params["token"])
        return Response(status_code=204)

    async def who_am_i(request: Request) -> Response:
        chosen = selection(object_type("LoggedInUserInfo"), only(request, "fields").get("fields", ""))
        host = system.host
        value = {
            "employeeId": API_EMPLOYEE,
            "actualEmployeeId": API_EMPLOYEE,
            "employee": {"id": API_EMPLOYEE, "url": url_of(host, "Employee", API_EMPLOYEE)},
            "companyId": system.company_id,
            "company": {"id": system.company_id, "url": url_of(host, "Company", system.company_id)},
            "language": "no",
            "loggedInWithConnect": False,
            "employeeIsProxy": False,
        }
        refs: dict[str, int | None] = {"employee": API_EMPLOYEE, "company": system.company_id}
        row = Row(0, "LoggedInUserInfo", 0, value, refs)
        shown = system.renderer().show(row, chosen)
        return single({name: shown[name] for name in shown if name in value})

    async def with_login_access(request: Request) -> Response:
        chosen = selection(object_type("Client"), only(request, "fields", "from", "count", "sorting").get("fields", ""))
        company = system.register.tables["company"].rows[system.company_id]
        return list_answer([system.renderer().show(company, chosen)])

    return [
        Route("/v2/token/session/:create", answering(system, create, guarded=False), methods=["PUT", "POST"]),
        Route(
            "/v2/token/session/:createFromRefreshToken",
            answering(system, create_from_refresh_token, guarded=False),
            methods=["POST"],
        ),
        Route("/v2/token/session/>whoAmI", answering(system, who_am_i), methods=["GET"]),
        Route("/v2/token/session/{token}", answering(system, delete), methods=["DELETE"]),
        Route("/v2/company/>withLoginAccess", answering(system, with_login_access), methods=["GET"]),
    ]
