"""Organisation numbers and telephone numbers: well formed, and nobody's."""

from collections.abc import Iterator
from random import Random

WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
LAND_LINES = (
    "22",
    "23",
    "32",
    "33",
    "35",
    "37",
    "38",
    "51",
    "52",
    "55",
    "56",
    "57",
    "61",
    "62",
    "63",
    "64",
    "66",
    "67",
    "69",
    "70",
    "71",
    "72",
    "73",
    "74",
    "75",
    "76",
    "77",
    "78",
)
MOBILES = ("40", "41", "45", "46", "47", "48", "90", "91", "92", "93", "95", "97", "98", "99")


def check_digit(eight_digits: str) -> int:
    """The control digit of a Norwegian organisation number (modulus 11); 10 means that there is no such number."""
    total = sum(int(digit) * weight for digit, weight in zip(eight_digits, WEIGHTS, strict=True))
    return (11 - total % 11) % 11


def organization_numbers(rng: Random) -> Iterator[str]:
    """Valid organisation numbers, all different, in the series of Norway's synthetic test registers (31…)."""
    number = 31_000_000 + rng.randrange(1_000)
    while True:
        number += rng.randrange(1, 9)
        digit = check_digit(str(number))
        if digit < 10:
            yield f"{number}{digit}"


def spaced(organization_number: str) -> str:
    """As people write it: in threes."""
    return " ".join((organization_number[:3], organization_number[3:6], organization_number[6:]))


def land_line(rng: Random) -> str:
    """A Norwegian telephone number, eight digits."""
    return rng.choice(LAND_LINES) + "".join(str(rng.randrange(10)) for _ in range(6))


def mobile(rng: Random) -> str:
    """A Norwegian mobile number, eight digits."""
    return rng.choice(MOBILES) + "".join(str(rng.randrange(10)) for _ in range(6))


def swedish_line(rng: Random) -> str:
    """A Swedish number out of the range kept for fiction, national form without the zero."""
    return f"84650 04{rng.randrange(100):02d}".replace(" ", "")


def swedish_mobile(rng: Random) -> str:
    """A Swedish mobile number out of the range kept for fiction, national form without the zero."""
    return f"7017406{rng.randrange(5, 100):02d}"


def spelled(rng: Random, number: str, country: str) -> str:
    """A number as somebody typed it into a CRM."""
    if country == "SE":
        return f"+46 {number[:2]} {number[2:5]} {number[5:7]} {number[7:]}".rstrip()
    pairs = f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:]}"
    threes = f"{number[:3]} {number[3:5]} {number[5:]}"
    return rng.choice((number, pairs, threes, f"+47 {pairs}", f"+47{number}", f"0047 {pairs}", f"(+47) {threes}"))
