"""Numbers are parsed as Go's `strconv` parses them, with its error texts."""

from collections.abc import Callable

import pytest

from dvidpc.dvid.url.numbers import parse_float, parse_int32, parse_uint8
from dvidpc.errors import RequestError


def parse_atoi(text: str) -> int:
    return parse_int32(text, "Atoi")


@pytest.mark.parametrize(
    ("parse", "text", "number"),
    [
        (parse_atoi, "-2147483648", -(2**31)),
        (parse_atoi, "+7", 7),
        (parse_uint8, "255", 255),
        (parse_uint8, "007", 7),
        (parse_float, ".5", 0.5),
        (parse_float, "-1.e3", -1000),
    ],
)
def test_numbers_are_parsed(parse: Callable[[str], float], text: str, number: float) -> None:
    assert parse(text) == number


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_atoi, "1.0", 'strconv.Atoi: parsing "1.0": invalid syntax'),
        (parse_atoi, "2147483648", 'strconv.Atoi: parsing "2147483648": value out of range'),
        (parse_uint8, "-1", 'strconv.ParseUint: parsing "-1": invalid syntax'),
        (parse_uint8, "256", 'strconv.ParseUint: parsing "256": value out of range'),
        (parse_uint8, "0" * 41, f'strconv.ParseUint: parsing "{"0" * 40}": value out of range'),
        (parse_float, "nan", 'strconv.ParseFloat: parsing "nan": invalid syntax'),
        (parse_float, ".", 'strconv.ParseFloat: parsing ".": invalid syntax'),
        (parse_float, "1e999", 'strconv.ParseFloat: parsing "1e999": value out of range'),
        (parse_float, "1" * 401, f'strconv.ParseFloat: parsing "{"1" * 40}": invalid syntax'),
    ],
)
def test_other_texts_are_refused_in_gos_words(parse: Callable[[str], float], text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(text)
    assert str(caught.value) == message
