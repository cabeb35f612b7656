"""The people who work for the companies."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.norwegian.companies import ASCII, Company, Sides
from sandbox.norwegian.numbers import land_line, mobile, swedish_mobile
from sandbox.norwegian.words import FIRST_NAMES, LAST_NAMES


@dataclass(frozen=True)
class Person:
    """A person; one known on both sides has the same e-mail address there, and a different one from everybody's."""

    sides: Sides
    company: Company | None
    first_name: str
    last_name: str
    email: str | None
    mobile: str | None
    mobile_country: str
    phone: str | None


def _person(rng: Random, sides: Sides, company: Company | None, name: tuple[str, str], email: str | None) -> Person:
    swedish = company is not None and company.place.country == "SE"
    number = swedish_mobile(rng) if swedish else mobile(rng)
    return Person(
        sides=sides,
        company=company,
        first_name=name[0],
        last_name=name[1],
        email=email,
        mobile=number if rng.random() < 0.8 else None,
        mobile_country="SE" if swedish else "NO",
        phone=land_line(rng) if not swedish and rng.random() < 0.4 else None,
    )


def _own_email(name: tuple[str, str], domain: str, taken: set[str]) -> str:
    local = ".".join(part.lower().translate(ASCII) for part in name)
    email, number = f"{local}@{domain}", 1
    while email in taken:
        number += 1
        email = f"{local}{number}@{domain}"
    taken.add(email)
    return email


def _colleagues(rng: Random) -> Iterator[tuple[str, str]]:
    """Names of one company's people: no two have a first or last name in common."""
    firsts, lasts = rng.sample(FIRST_NAMES, 6), rng.sample(LAST_NAMES, 6)
    yield from zip(firsts, lasts, strict=True)


def _one_side(rng: Random, sides: Sides) -> Sides:
    return rng.choice(("customcrm", "tripletex")) if sides == "both" else sides


def people(rng: Random, known: list[Company]) -> Iterator[Person]:
    """Nobody to three people a company, some of them under the company's own e-mail address, some under none.

    People under a shared address or none are known on one side only: nothing would tell that two records are one.
    """
    taken: set[str] = set()
    for company in known:
        names = _colleagues(rng)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
            name = next(names)
            sides: Sides = company.sides if rng.random() < 0.5 else _one_side(rng, company.sides)
            yield _person(rng, sides, company, name, _own_email(name, f"{company.slug}.example.no", taken))
        if rng.random() < 0.08:
            for _ in range(2):
                yield _person(rng, _one_side(rng, company.sides), company, next(names), company.email)
        if rng.random() < 0.05:
            yield _person(rng, _one_side(rng, company.sides), company, next(names), None)
    for name in zip(rng.sample(FIRST_NAMES, 8), rng.sample(LAST_NAMES, 8), strict=True):
        yield _person(rng, rng.choice(("customcrm", "tripletex")), None, name, _own_email(name, "example.com", taken))
