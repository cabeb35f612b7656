"""The invented companies: what is true of them, and which of the two systems knows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from sandbox.norwegian.numbers import land_line, organization_numbers, swedish_line
from sandbox.norwegian.words import COMPANY_WORDS, FORMS, NORWAY, STREETS, STREETS_SWEDEN, SWEDEN, TRADES, Place

Sides = Literal["both", "customcrm", "tripletex"]
ASCII = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ö": "o", "ä": "a", "é": "e", " ": "", "-": ""})


@dataclass(frozen=True)
class Company:
    """A company; `match` says by which key its two records, if there are two, can be told to be one."""

    key: int
    sides: Sides
    match: Literal["organization number", "email"]
    name: str
    slug: str
    organization_number: str
    phone: str
    street: str
    second_line: str | None
    place: Place
    description: str | None
    has_website: bool
    inactive: bool

    @property
    def email(self) -> str:
        """The company's address-book e-mail."""
        return f"post@{self.slug}.example.no"

    @property
    def website(self) -> str | None:
        """Its web site."""
        return f"https://www.{self.slug}.example.no" if self.has_website else None


def _names(rng: Random) -> Iterator[tuple[str, str]]:
    """Company names with a form, and what their domain is called; all different."""
    seen: set[str] = set()
    while True:
        words = [rng.choice(COMPANY_WORDS), rng.choice(TRADES)]
        slug = "".join(words).lower().translate(ASCII)
        if slug in seen:
            words.append(rng.choice(NORWAY).town.title())
            slug = "".join(words).lower().translate(ASCII)
        if slug in seen:
            words.append(str(len(seen)))
            slug = "".join(words).lower().translate(ASCII)
        seen.add(slug)
        yield f"{' '.join(words)} {rng.choice(FORMS)}", slug


def _sides(rng: Random) -> tuple[Sides, Literal["organization number", "email"]]:
    draw = rng.random()
    if draw < 0.30:
        return "both", "organization number"
    if draw < 0.40:
        return "both", "email"
    return ("customcrm" if draw < 0.72 else "tripletex"), "organization number"


def companies(rng: Random, number: int) -> Iterator[Company]:
    """So many companies."""
    names, numbers = _names(rng), organization_numbers(rng)
    for key in range(number):
        name, slug = next(names)
        sides, match = _sides(rng)
        swedish = match == "email" and rng.random() < 0.3
        place = rng.choice(SWEDEN if swedish else NORWAY)
        street = rng.choice(STREETS_SWEDEN if swedish else STREETS)
        yield Company(
            key=key,
            sides=sides,
            match=match,
            name=name.rpartition(" ")[0] + " AB" if swedish else name,
            slug=slug,
            organization_number=next(numbers),
            phone=swedish_line(rng) if swedish else land_line(rng),
            street=f"{street} {rng.randrange(1, 120)}{rng.choice(('', '', '', 'A', 'B'))}",
            second_line=f"Postboks {rng.randrange(1, 900)}" if rng.random() < 0.15 else None,
            place=place,
            description=f"Kunde siden {rng.randrange(1998, 2024)}" if rng.random() < 0.3 else None,
            has_website=rng.random() < 0.6,
            inactive=sides != "customcrm" and rng.random() < 0.08,
        )
