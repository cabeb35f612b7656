"""What the sync assumes of a Tripletex company, and what each answer means for it (reference: Tripletex API).

A question that the sandbox has a variant of has its name and its values, so that a company's answers are the options of
`sandbox start --variant`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

NOTHING = "nothing"


class Said(msgspec.Struct, frozen=True):
    """An answer: what the company does, what that means for the sync, and whether it goes on working."""

    here: str
    means: str = NOTHING
    is_fine: bool = True


class Question(msgspec.Struct, frozen=True):
    """Something that differs from company to company, or that is not known without asking one."""

    name: str
    assumption: str
    answers: Mapping[str, Said]
    unasked: str = "nothing there to see it by"
    """Why there is no answer, where there is none."""


def _wrong(here: str, means: str) -> Said:
    return Said(here, means, is_fine=False)


READING = (
    Question(
        "session",
        "A session is made by POST",
        {
            "post": Said("by POST, the tokens in the body"),
            "put": Said("by PUT only, the tokens in the address", "it is asked that way; proxies may log addresses"),
            "api-token": Said("by POST, of an API token"),
        },
    ),
    Question(
        "access",
        "The employee may list customers, contacts and countries",
        {
            "all": Said("all are listed"),
            "denied": _wrong("refused", "runs end there: give the token's employee the rights"),
        },
    ),
    Question(
        "fields",
        "Rights and modules hide none of the properties that are synchronised",
        {
            "shown": Said("all are there"),
            "hidden-unused": Said("some are missing, which no table names"),
            "hidden": _wrong("missing", "they are not synchronised: change rights or modules, or take them out"),
            "refused": _wrong("the list is refused for its fields", "nothing can be read: tell the maintainers"),
        },
    ),
    Question(
        "vat",
        "Whether the company is registered for VAT is nothing to the sync",
        {
            "registered": Said("registered"),
            "unregistered": Said("not registered"),
            "other": Said("another status"),
        },
        unasked="no right to see it",
    ),
    Question(
        "totals",
        "A list does not tell its length",
        {"seen": Said("it tells what was seen so far"), "true": Said("it tells its length", "it is not relied on")},
        unasked="fewer than three customers and contacts",
    ),
    Question(
        "list-limit",
        "A list of more than 10,000 may be refused",
        {
            "on": Said("it is refused", "contacts are read by their customers, which takes longer"),
            "off": Said("it is given"),
        },
        unasked="no list is that long yet",
    ),
    Question(
        "customer-list",
        "Customers are listed whole, active and inactive ones apart",
        {
            "given": Said("they are"),
            "refused": _wrong("refused, there are too many", "runs end there: ask Tripletex to lift the limit"),
        },
    ),
    Question(
        "time-offsets",
        "Times of changes are Norwegian, or say their offset",
        {
            "off": Said("without offset", "they are read in the zone that the settings name"),
            "on": Said("with offset"),
            "absent": _wrong("records do not tell of changes", "the newer side cannot be told"),
        },
    ),
    Question(
        "changed-since",
        "changedSince finds what changed at that moment or later",
        {
            "inclusive": Said("it does"),
            "exclusive": Said("only what changed later", "nothing: it is asked from five minutes before"),
            "ignored": Said("it is ignored", "every run reads all customers: right, but slow"),
        },
    ),
    Question(
        "digests",
        "An unchanged page of contacts is answered with 304",
        {
            "kept": Said("it is"),
            "changing": Said("it is given once more", "every run reads all contacts: right, but slow"),
            "none": Said("there is no checksum", "every run reads all contacts: right, but slow"),
        },
        unasked="no contacts",
    ),
    Question(
        "inactive-contacts",
        "Inactive contacts may be left out of the list",
        {"listed": Said("they are listed"), "hidden": Said("they are left out", "they are looked up before deleting")},
        unasked="no inactive contact is listed: --write tells whether they are left out",
    ),
    Question(
        "id-filter",
        "A list by ids may leave out inactive customers",
        {"active": Said("it leaves them out", "they are asked for apart"), "all": Said("it has them")},
        unasked="no inactive customer: told by --write",
    ),
    Question(
        "rate-limit",
        "Answers tell how many requests are left",
        {"told": Said("they do"), "untold": Said("they do not", "it slows down when requests are refused")},
    ),
)

WRITING = (
    Question(
        "customer",
        "A customer can be created as the sync does",
        {
            "taken": Said("it can"),
            "refused": _wrong("refused", "new customers wait: rights, or set new_customer_invoices to MANUAL"),
        },
    ),
    Question(
        "ehf-default",
        "A new customer may be refused unless it is said how it gets its invoices",
        {"off": Said("it is taken"), "on": Said("it is refused", "it is said at creation")},
    ),
    Question(
        "contact",
        "A contact can be created",
        {"taken": Said("it can"), "refused": _wrong("refused", "new contacts wait: give the employee the right")},
    ),
    Question(
        "timezone",
        "Times without offset are in the zone that the settings name",
        {
            "right": Said("they are"),
            "wrong": _wrong("they are off", "the wrong side counts as newer: correct the setting timezone"),
        },
    ),
    Question(
        "unset-text",
        "A text that is not set is answered as an empty one",
        {"empty": Said("as an empty text"), "null": Said("as null"), "absent": Said("it is left out")},
    ),
    Question(
        "norway-default",
        "An address of which nothing is said is in Norway",
        {"on": Said("in Norway", "a country of nothing is not carried over"), "off": Said("in no country")},
    ),
    Question(
        "partial",
        "A write leaves alone what it does not name",
        {"kept": Said("it does"), "lost": _wrong("it empties it", "values are lost: do not run the sync")},
    ),
    Question(
        "version",
        "A change raises the version",
        {
            "raised": Said("it does"),
            "kept": _wrong("it does not", "edits made meanwhile are overwritten: tell the maintainers"),
        },
    ),
    Question(
        "version-unchanged",
        "A write that changes nothing keeps the version",
        {"kept": Said("it does"), "raised": Said("it raises it", "the record is looked at once more")},
    ),
    Question(
        "old-version",
        "A write over an older version is refused",
        {
            "refused": Said("it is"),
            "taken": _wrong("it is taken", "edits made meanwhile are overwritten: tell the maintainers"),
        },
    ),
    Question(
        "null",
        "A text may be refused as null",
        {
            "taken": Said("it is taken", "nothing: an empty text is sent"),
            "refused": Said("it is refused", "nothing: an empty text is sent"),
        },
    ),
    Question(
        "empty",
        "An empty text clears a text",
        {
            "clears": Said("it does"),
            "ignored": _wrong("the text stays", "what is emptied in the CRM stays in Tripletex"),
            "refused": _wrong("refused", "what is emptied in the CRM waits"),
        },
    ),
    Question(
        "lengths",
        "Texts are as long as the sync takes them to be, and longer ones are refused",
        {
            "as-known": Said("they are"),
            "longer": Said("longer ones are taken", "what is too long by the sync waits, or is cut by a table"),
            "shorter": _wrong("shorter ones are refused", "such records wait: tell the maintainers"),
            "cut": _wrong("longer ones are cut", "what was cut differs from the CRM: tell the maintainers"),
        },
    ),
    Question(
        "contact-inactive",
        "A contact can be set inactive",
        {
            "taken": Said("it can"),
            "ignored": _wrong("it stays active", "people deleted in the CRM stay"),
            "refused": _wrong("refused", "people deleted in the CRM stay, and wait"),
        },
    ),
    Question(
        "contact-lookup",
        "An inactive contact is found by its id",
        {"found": Said("it is"), "gone": _wrong("it is not", "who is set inactive counts as deleted")},
    ),
    Question(
        "customer-inactive",
        "A customer can be set inactive",
        {
            "taken": Said("it can"),
            "ignored": _wrong("it stays active", "customers deleted in the CRM stay"),
            "refused": _wrong("refused", "customers deleted in the CRM stay, and wait"),
        },
    ),
    Question(
        "customer-lookup",
        "Inactive customers are listed where they are asked for",
        {"found": Said("they are"), "gone": _wrong("they are not", "who is set inactive counts as deleted")},
    ),
    Question(
        "removal",
        "What was made for the trial can be deleted",
        {
            "deleted": Said("it was"),
            "deactivated": Said("it was only set inactive", "the tables' deletes: delete would wait"),
            "left": _wrong("it is still there", "delete it by hand; its name begins with “Dataflow doctor”"),
        },
    ),
    Question(
        "rate-headers",
        "A refusal for too many requests may not say when the next may come",
        {"told": Said("it says so"), "untold": Said("it does not", "a second and more is waited")},
        unasked="no request was refused",
    ),
)
