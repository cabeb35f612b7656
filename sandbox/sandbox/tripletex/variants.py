"""What of Tripletex differs from company to company, or is not known without asking a live one.

A variant chooses one value in each dimension; the first value is what is served where nothing is said.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from types import MappingProxyType

DIMENSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Whether GET /contact brings inactive contacts; there is no filter to ask for them.
        "inactive-contacts": ("listed", "hidden"),
        # Whether a list by ids brings inactive customers (and hidden contacts) without being asked for them.
        "id-filter": ("active", "all"),
        # Whether a text may be set to null.
        "null": ("taken", "refused"),
        "changed-since": ("inclusive", "exclusive", "ignored"),
        # Whether a list of more than 10,000 is refused.
        "list-limit": ("off", "on"),
        # Whether the times in `changes` carry their offset from UTC.
        "time-offsets": ("off", "on"),
        # Whether a new company's invoices go by EHF where nothing is said, which it cannot receive.
        "ehf-default": ("off", "on"),
        # Whether what a 429 says of the allowance is in its headers.
        "rate-headers": ("told", "untold"),
        # Whether new addresses and mobile numbers are in Norway where nothing is said.
        "norway-default": ("on", "off"),
    }
)


def known() -> str:
    """All dimensions with their values, the default first."""
    return ", ".join(f"{name}={'|'.join(values)}" for name, values in DIMENSIONS.items())


class Variant(Mapping[str, str]):
    """One value in each dimension, as `Variant("null=refused", "list-limit=on")`.

    Raises ValueError for a dimension or value that there is not.
    """

    def __init__(self, *said: str) -> None:
        self._chosen = {name: values[0] for name, values in DIMENSIONS.items()}
        for text in said:
            name, _, value = text.partition("=")
            if value not in DIMENSIONS.get(name, ()):
                raise ValueError(f"There is no variant {text!r}. There are {known()}.")
            self._chosen[name] = value

    def __getitem__(self, name: str) -> str:
        """The value in a dimension."""
        return self._chosen[name]

    def __iter__(self) -> Iterator[str]:
        """The dimensions."""
        return iter(self._chosen)

    def __len__(self) -> int:
        """How many dimensions there are."""
        return len(self._chosen)

    @property
    def said(self) -> tuple[str, ...]:
        """What is not as it is by default: `Variant(*variant.said)` is the same."""
        return tuple(f"{name}={value}" for name, value in self.items() if value != DIMENSIONS[name][0])


def singly() -> list[Variant]:
    """Each value that is no default, alone."""
    return [Variant(f"{name}={value}") for name, values in DIMENSIONS.items() for value in values[1:]]


def covering() -> list[Variant]:
    """Few variants in which any two values of different dimensions meet at least once."""
    left = {
        frozenset({(one, a), (other, b)})
        for one, other in combinations(DIMENSIONS, 2)
        for a, b in product(DIMENSIONS[one], DIMENSIONS[other])
    }
    found = []
    while left:
        chosen = dict(min(left, key=sorted))
        for name, values in DIMENSIONS.items():
            if name not in chosen:
                chosen[name] = max(
                    values,
                    key=lambda value: sum(frozenset({(name, value), pair}) in left for pair in chosen.items()),
                )
        left -= {frozenset(pair) for pair in combinations(chosen.items(), 2)}
        found.append(Variant(*(f"{name}={value}" for name, value in chosen.items())))
    return found
