"""A company in an empty BottleCRM, with an administrator and a token of hers. Run with BottleCRM's own Python.

The argument is the file that the token is written to.
"""

import sys
from pathlib import Path

import django
from django.db import connection, transaction

django.setup()

from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402
from common.rls import get_set_context_sql  # noqa: E402

with transaction.atomic():
    user = User.objects.create_user(email="admin@example.com", password=None)
    company = Org.objects.create(name="Eksempel AS", default_currency="EUR", default_country="NO")
    with connection.cursor() as cursor:
        cursor.execute(get_set_context_sql(), [str(company.id)])
    profile = Profile.objects.create(user=user, org=company, role="ADMIN", is_organization_admin=True)
    token, _ = PersonalAccessToken.generate(profile, "sync")
Path(sys.argv[1]).write_text(token, encoding="utf-8")
