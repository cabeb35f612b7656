"""The imitations by the names of their profiles."""

from tests.backends.vendors.airtable import Airtable
from tests.backends.vendors.dynamics import Dynamics
from tests.backends.vendors.espocrm import EspoCrm
from tests.backends.vendors.freshsales import Freshsales
from tests.backends.vendors.hubspot import HubSpot
from tests.backends.vendors.lime import Lime
from tests.backends.vendors.nocodb import NocoDB
from tests.backends.vendors.odoo import Odoo
from tests.backends.vendors.pipedrive import Pipedrive
from tests.backends.vendors.salesforce import Salesforce
from tests.backends.vendors.suitecrm import SuiteCrm
from tests.backends.vendors.superoffice import SuperOffice
from tests.backends.vendors.twenty import Twenty
from tests.backends.vendors.upsales import Upsales
from tests.backends.vendors.vendor import Vendor
from tests.backends.vendors.zoho import Zoho

VENDORS: dict[str, type[Vendor]] = {
    one.name: one
    for one in (
        Airtable,
        Dynamics,
        EspoCrm,
        Freshsales,
        HubSpot,
        Lime,
        NocoDB,
        Odoo,
        Pipedrive,
        Salesforce,
        SuiteCrm,
        SuperOffice,
        Twenty,
        Upsales,
        Zoho,
    )
}
