"""What the sync assumes of a Tripletex company, and what each answer means for it (reference: Tripletex API).

A question that the sandbox has a variant of has its name and its values, so that a company's answers are the options of
`sandbox start --variant`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

NO_EFFECT = "no effect"


class Said(msgspec.Struct, frozen=True):
    """An answer: what the company does, what that means for the sync, and whether it goes on working."""

    here: str
    means: str = NO_EFFECT
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
            "put": Said("by PUT only, the tokens in the address", "the sync does so too; proxies may log addresses"),
            "api-token": Said("by POST, of an API token"),
        },
    ),
    Question(
        "access",
        "The employee may list customers, contacts and countries",
        {
            "all": Said("all are listed"),
            "denied": _wrong("refused", "runs stop: give the token's employee the rights"),
        },
    ),
    Question(
        "suppliers",
        "The employee may list suppliers",
        {
            "listed": Said("they are listed", "a firm that is only a supplier becomes a customer too"),
            "denied": Said("refused", "a firm that is only a supplier gets a second record as a customer"),
        },
    ),
    Question(
        "fields",
        "Rights and modules hide none of the properties that are synchronised",
        {
            "shown": Said("all are there"),
            "hidden-unused": Said("some are missing, but no table maps them"),
            "hidden": _wrong(
                "missing", "they are not synchronised: change rights or modules, or remove them from the tables"
            ),
            "refused": _wrong("the list is refused for its fields", "nothing can be read: tell the maintainers"),
        },
    ),
    Question(
        "vat",
        "The sync works with and without VAT registration",
        {
            "registered": Said("registered"),
            "unregistered": Said("not registered"),
            "other": Said("another status"),
        },
        unasked="the employee may not see it",
    ),
    Question(
        "totals",
        "A list does not tell its length",
        {
            "seen": Said("it tells how far it was read"),
            "true": Said("it tells its length", "none: the sync does not rely on it"),
        },
        unasked="fewer than three customers and contacts",
    ),
    Question(
        "list-limit",
        "A list of more than 10,000 may be refused",
        {
            "on": Said(
                "it is refused", "runs stop at more contacts than that, unless only_contacts_of_customers is set"
            ),
            "off": Said("it is returned"),
        },
        unasked="no list is that long yet",
    ),
    Question(
        "customer-list",
        "All active customers can be listed, and all inactive ones",
        {
            "given": Said("they are"),
            "refused": _wrong("refused, there are too many", "runs stop: ask Tripletex to lift the limit"),
        },
    ),
    Question(
        "time-offsets",
        "Times of changes are in the company's time zone, or carry an offset",
        {
            "off": Said("without offset", "they are read in the time zone of the settings"),
            "on": Said("with offset"),
            "absent": _wrong("records carry no times", "the sync cannot tell which side is newer"),
        },
    ),
    Question(
        "changed-since",
        "changedSince finds what changed at that time or later",
        {
            "inclusive": Said("it does"),
            "exclusive": Said("only what changed later", "none: the sync asks from five minutes earlier"),
            "ignored": Said("it is ignored", "every run reads all customers: correct, but slow"),
        },
    ),
    Question(
        "digests",
        "An unchanged page of contacts is answered with 304",
        {
            "kept": Said("it is"),
            "changing": Said("it is sent in full again", "every run reads all contacts: correct, but slow"),
            "none": Said("there is no checksum", "every run reads all contacts: correct, but slow"),
        },
        unasked="no contacts",
    ),
    Question(
        "inactive-contacts",
        "Inactive contacts may be left out of the list",
        {
            "listed": Said("they are listed"),
            "hidden": Said("they are left out", "the sync looks them up before it deletes anything"),
        },
        unasked="there may be none, or they are left out: --write tells",
    ),
    Question(
        "id-filter",
        "A list by ids may leave out inactive customers",
        {"active": Said("it leaves them out", "the sync asks for them separately"), "all": Said("it has them")},
        unasked="no inactive customer there: --write tells",
    ),
    Question(
        "rate-limit",
        "Answers tell how many requests are left",
        {"told": Said("they do"), "untold": Said("they do not", "the sync slows down when requests are refused")},
    ),
)

WRITING = (
    Question(
        "customer",
        "A customer can be created as the sync does",
        {
            "taken": Said("it can"),
            "refused": _wrong(
                "refused", "new customers wait: give the employee the right, or set new_customer_invoices to MANUAL"
            ),
        },
    ),
    Question(
        "ehf-default",
        "A new customer may be refused where invoiceSendMethod is not sent",
        {"off": Said("it is accepted"), "on": Said("it is refused", "none: the sync sends it")},
    ),
    Question(
        "contact",
        "A contact can be created",
        {"taken": Said("it can"), "refused": _wrong("refused", "new contacts wait: give the employee the right")},
    ),
    Question(
        "timezone",
        "Times without offset are in the time zone of the settings",
        {
            "right": Said("they are"),
            "wrong": _wrong("they are in another", "the wrong side counts as newer: correct the setting timezone"),
        },
    ),
    Question(
        "unset-text",
        "A text that is not set comes back as an empty text",
        {"empty": Said("as an empty text"), "null": Said("as null"), "absent": Said("it is left out")},
    ),
    Question(
        "norway-default",
        "An address whose country was not sent is in Norway",
        {
            "on": Said("in Norway", "none: the sync does not copy a country that nobody entered"),
            "off": Said("in no country"),
        },
    ),
    Question(
        "partial",
        "A write leaves properties that are not sent as they are",
        {"kept": Said("it does"), "lost": _wrong("it clears them", "values are lost: do not run the sync")},
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
        {"kept": Said("it does"), "raised": Said("it raises it", "the sync reads the record once more")},
    ),
    Question(
        "old-version",
        "A write over an older version is refused",
        {
            "refused": Said("it is"),
            "taken": _wrong("it is accepted", "edits made meanwhile are overwritten: tell the maintainers"),
        },
    ),
    Question(
        "null",
        "null may be refused for a text",
        {
            "taken": Said("it is accepted", "none: the sync sends an empty text"),
            "refused": Said("it is refused", "none: the sync sends an empty text"),
        },
    ),
    Question(
        "empty",
        "An empty text clears a text",
        {
            "clears": Said("it does"),
            "ignored": _wrong("the text stays", "what is cleared in the CRM stays in Tripletex"),
            "refused": _wrong("refused", "records in which something is cleared wait"),
        },
    ),
    Question(
        "lengths",
        "The maximum lengths of texts are the known ones, and longer texts are refused",
        {
            "as-known": Said("they are"),
            "longer": Said(
                "longer ones are accepted", "records with a text over the known length wait, or a table cuts it"
            ),
            "shorter": _wrong("shorter ones are refused", "records with such texts wait: tell the maintainers"),
            "cut": _wrong("longer ones are cut", "cut texts differ from the CRM: tell the maintainers"),
        },
    ),
    Question(
        "contact-inactive",
        "A contact can be set inactive",
        {
            "taken": Said("it can"),
            "ignored": _wrong("it stays active", "people deleted in the CRM stay active"),
            "refused": _wrong("refused", "people deleted in the CRM stay active, and the deletion waits"),
        },
    ),
    Question(
        "contact-lookup",
        "An inactive contact is found by its id",
        {"found": Said("it is"), "gone": _wrong("it is not", "a contact that is set inactive counts as deleted")},
    ),
    Question(
        "customer-inactive",
        "A customer can be set inactive",
        {
            "taken": Said("it can"),
            "ignored": _wrong("it stays active", "customers deleted in the CRM stay active"),
            "refused": _wrong("refused", "customers deleted in the CRM stay active, and the deletion waits"),
        },
    ),
    Question(
        "customer-lookup",
        "Inactive customers are listed where they are asked for",
        {
            "found": Said("they are"),
            "gone": _wrong("they are not", "a customer that is set inactive counts as deleted"),
        },
    ),
    Question(
        "removal",
        "What was created for the trial can be deleted",
        {
            "deleted": Said("it was"),
            "deactivated": Said("it was only set inactive", "where a table says deletes: delete, deletions wait"),
            "left": _wrong("it is still there", "delete it by hand; its name begins with “Dataflow doctor”"),
        },
    ),
    Question(
        "rate-headers",
        "A refusal for too many requests (429) may not say how long to wait",
        {"told": Said("it says so"), "untold": Said("it does not", "the sync waits a second or more")},
        unasked="no request was refused",
    ),
)
