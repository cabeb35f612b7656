"""The endpoints around sessions: making and ending tokens, who am I, which companies."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.tripletex.answers import answering, list_answer, only, single
from sandbox.tripletex.fields import selection
from sandbox.tripletex.fixtures import API_EMPLOYEE
from sandbox.tripletex.refusal import TripletexRefusal, invalid
from sandbox.tripletex.rows import Row, url_of
from sandbox.tripletex.sessions import same_secret
from sandbox.tripletex.types import object_type

if TYPE_CHECKING:
    from sandbox.tripletex.system import Tripletex


def session_routes(system: "Tripletex") -> list[Route]:
    """The routes of /token/session and /company."""

    async def create(request: Request) -> Response:
        params = only(request, "consumerToken", "employeeToken", "expirationDate")
        for name in ("consumerToken", "employeeToken", "expirationDate"):
            if not params.get(name):
                raise invalid(name, "Feltet må fylles ut.")
        consumer = same_secret(params["consumerToken"], system.consumer_token)
        if not same_secret(params["employeeToken"], system.employee_token) or not consumer:
            raise TripletexRefusal(3000, "Invalid tokens")
        session = system.sessions.create(params["expirationDate"])
        value = {
            "id": 1,
            "version": 0,
            "url": None,
            "consumerToken": None,
            "employeeToken": None,
            "expirationDate": session.expiration_date.isoformat(),
            "token": session.token,
            "encryptionKey": None,
        }
        return single(value)

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
        Route("/v2/token/session/:create", answering(system, create, guarded=False), methods=["PUT"]),
        Route("/v2/token/session/>whoAmI", answering(system, who_am_i), methods=["GET"]),
        Route("/v2/token/session/{token}", answering(system, delete), methods=["DELETE"]),
        Route("/v2/company/>withLoginAccess", answering(system, with_login_access), methods=["GET"]),
    ]
