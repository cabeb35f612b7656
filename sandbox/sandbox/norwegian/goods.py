"""The invented products."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.norwegian.words import COLOURS, GOODS


@dataclass(frozen=True)
class Product:
    """A product of Customcrm; `is_contact` where Tripletex has a contact for it already."""

    name: str
    number: str
    price: float
    description: str | None
    is_contact: bool


def products(rng: Random, number: int) -> Iterator[Product]:
    """So many products with different names and numbers."""
    names = [f"{goods} {colour}" for colour in COLOURS for goods in GOODS]
    rng.shuffle(names)
    for index in range(number):
        name = names[index % len(names)]
        yield Product(
            name=name if index < len(names) else f"{name} {index // len(names) + 1}",
            number=f"P-{1001 + index}",
            price=rng.randrange(49, 9_000) + rng.choice((0, 0.5, 0.9)),
            description=f"Leveres i pakker på {rng.randrange(1, 13)}" if rng.random() < 0.4 else None,
            is_contact=rng.random() < 0.3,
        )
