"""YAML that people write: what is wrong in it is told with file, line and what to do."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from located_yaml import Fault, Place, parse, read_file, read_struct


class Cat(msgspec.Struct, tag_field="kind", tag="cat"):
    lives: Annotated[int, msgspec.Meta(ge=1, le=9)] = 9


class Dog(msgspec.Struct, tag_field="kind", tag="dog"):
    name: str


class Box(msgspec.Struct):
    size: int
    label: str | None = None
    pets: tuple[Cat | Dog, ...] = ()
    colour: Literal["red", "blue"] = "red"
    notes: dict[str, float | bool] = {}
    free: Any = None
    inner: "Cat | str" = "none"


def read(text):
    return read_struct(parse(text, "box.yml"), Box)


def test_a_struct_is_made_of_what_is_written():
    box = read(
        "size: 3\npets:\n- {kind: cat, lives: 2}\n- {kind: dog, name: Rex}\ncolour: blue\n"
        "notes: {a: 1, b: true}\nfree: [1, {x: null}]\ninner: {kind: cat}\n"
    )
    assert box == Box(
        size=3,
        pets=(Cat(2), Dog("Rex")),
        colour="blue",
        notes={"a": 1.0, "b": True},
        free=[1, {"x": None}],
        inner=Cat(),
    )
    assert type(box.notes["a"]) is float


def test_one_value_may_stand_in_place_of_a_list_of_one():
    assert read("size: 1\npets: {kind: cat}").pets == (Cat(),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour: red\n", "box.yml:1: the key size here is missing. Add `size: …`."),
        ("size: 1\nsiz: 2\n", "box.yml:2: unknown key siz here. Did you mean size?"),
        ("size: one\n", "box.yml:1: size must be a whole number, not 'one'."),
        ("size: true\n", "box.yml:1: size must be a whole number, not true."),
        ("size: 1\ncolour: green\n", "box.yml:2: colour must be one of red, blue, not 'green'."),
        ("size: 1\npets:\n- kind: cow\n", "box.yml:3: kind cannot be 'cow'. Choose one of cat, dog."),
        ("size: 1\npets:\n- {kind: cat}\n- {}\n", "box.yml:4: the key kind of pets[1] is missing. Add `kind: …`."),
        ("size: 1\npets: {kind: dog}\n", "box.yml:2: the key name of pets[0] where kind is dog is missing."),
        ("size: 1\npets:\n- kind: cat\n  lives: 10\n", "box.yml:4: lives must be at most 9, not 10."),
        ("size: 1\npets: 3\n", "box.yml:2: pets must be a list, not 3."),
        ("size: 1\nnotes: {a: text}\n", "box.yml:2: a must be a number or true or false, not 'text'."),
        ("size: 1\nnotes: {1: 2}\n", "box.yml:2: the key 1 is not text. Put it in quotes."),
        ("size: 1\nsize: 2\n", "box.yml:2: size is said twice in one mapping. Remove one of the two."),
        ("size: [1\n", "box.yml:2: not YAML:"),
        ("- 1\n", "box.yml:1: expected `key: value` entries here, found a list."),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(text, told):
    with pytest.raises(Fault) as caught:
        read(text)
    assert str(caught.value).startswith(told)


def test_one_file_over_another_keeps_the_places_of_both():
    base = parse("size: 1\npets:\n- {kind: cat}\nlabel: base\n", "base.yml")
    mine = parse("label: mine\ncolour: pink\n", "mine.yml")
    places: dict[str, Place] = {}
    with pytest.raises(Fault, match=r"mine\.yml:2: colour must be"):
        read_struct(mine.over(base), Box)
    box = read_struct(parse("label: mine\n", "mine.yml").over(base), Box, places)
    assert (box.label, box.size) == ("mine", 1)
    assert str(places["label"]) == "mine.yml:1"
    assert str(places["size"]) == "base.yml:1"


def test_another_kind_takes_the_base_s_place_whole():
    base = parse("size: 1\ninner: {kind: cat, lives: 3}\n", "base.yml")
    same = parse("inner: {kind: cat}\n", "mine.yml").over(base, "kind")
    assert read_struct(same, Box).inner == Cat(3)
    other = parse("inner: {kind: dog, name: Rex}\n", "mine.yml").over(base, "kind")
    assert set(other.mapping(None, (), "")["inner"].value) == {"kind", "name"}


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path):
    with pytest.raises(Fault, match="no such file in .* Look again"):
        read_file(tmp_path / "none.yml", "none.yml", missing="Look again.")
    (tmp_path / "latin.yml").write_bytes("navn: Blåbær".encode("latin-1"))
    with pytest.raises(Fault, match=r"latin\.yml: not UTF-8 text \(byte 8\)"):
        read_file(tmp_path / "latin.yml", "latin.yml", missing="")
