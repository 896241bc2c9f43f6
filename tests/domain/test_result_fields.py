"""The fields of results that were stored."""

from __future__ import annotations

import pytest

from desktop_app.domain.fields import read_result


def test_stored_result_is_read() -> None:
    assert read_result('{"a":1,"b":0.5,"c":true,"d":"x"}') == {"a": 1, "b": 0.5, "c": True, "d": "x"}
    assert read_result(None) == {}


@pytest.mark.parametrize("value", ["1e400", "NaN", str(2**63), "[1]", "null"])
def test_value_that_cannot_be_shown_is_left_out(value: str) -> None:
    """Another program may have written it."""
    assert read_result(f'{{"a":{value},"good":1}}') == {"good": 1}


@pytest.mark.parametrize("text", ["[1]", "{", "1", '{"A b":1}'])
def test_what_is_not_a_result_is_left_out(text: str) -> None:
    assert read_result(text) == {}
