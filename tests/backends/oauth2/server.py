"""An OAuth2 server (Django OAuth Toolkit) with one protected list behind it. Run with the Python it is installed in.

Refresh tokens are good for one use; one that is used twice withdraws all that came of the same authorisation. POST to
`/authorise/CLIENT` stands for somebody who signs in and consents: it answers with the refresh token. POST to
`/end-access` ends all access tokens.
"""

import os
import secrets
import sys
import uuid
from datetime import timedelta

import django
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(48),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "oauth2.db", "OPTIONS": {"timeout": 30}}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    OAUTH2_PROVIDER={
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "SCOPES": {"crm": "Read people"},
        "PKCE_REQUIRED": False,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402


@csrf_exempt
def authorise(_, client):
    """Let the one user consent to a client."""
    application, user = Application.objects.get(client_id=client), User.objects.get()
    expires = timezone.now() + timedelta(seconds=1)
    access = AccessToken.objects.create(
        user=user, application=application, token=secrets.token_urlsafe(24), expires=expires, scope="crm"
    )
    refresh = RefreshToken.objects.create(
        user=user,
        application=application,
        access_token=access,
        token=secrets.token_urlsafe(24),
        token_family=uuid.uuid4(),
    )
    return JsonResponse({"refresh_token": refresh.token})


@csrf_exempt
def end_access(_):
    """Let all access tokens end before their time."""
    return JsonResponse({"ended": AccessToken.objects.update(expires=timezone.now())})


@protected_resource(scopes=["crm"])
def guarded(_):
    """The list, or 403."""
    return JsonResponse({"data": [{"id": 1, "name": "Kari"}]})


def people(request):
    """The list, or 401: what RFC 6750 wants of a token that is not good, and the decorator answers with 403."""
    answer = guarded(request)
    return answer if answer.status_code == 200 else JsonResponse({"error": "invalid_token"}, status=401)


urlpatterns = [
    path("authorise/<client>", authorise),
    path("end-access", end_access),
    path("people", people),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create_user("kari", password=None)
    for name, kind in (("the-client", "confidential"), ("the-app", "public")):
        Application.objects.create(
            client_id=name,
            client_secret=os.environ["CLIENT_SECRET"] if kind == "confidential" else "",
            client_type=kind,
            authorization_grant_type="authorization-code",
            redirect_uris="http://127.0.0.1/",
        )
    call_command("runserver", f"127.0.0.1:{sys.argv[1]}", use_reloader=False)
