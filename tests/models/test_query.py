"""Query parameters: a multi-dict that never changes, and its form encoding."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpx._models.query import QueryParams


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        (None, []),
        ("", []),
        (b"", []),
        ({}, []),
        ([], []),
        ((), []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&b=2&a=3", [("a", "1"), ("a", "3"), ("b", "2")]),
        (b"a=%20+%C3%A9", [("a", "  é")]),
        ("a=é", [("a", "é")]),
        ("a", [("a", "")]),
        ("&&a=&&", [("a", "")]),
        ("=b", [("", "b")]),
        ("a==b", [("a", "=b")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("?a=b", [("?a", "b")]),
        ("a=%zz%E9%", [("a", "%zz\ufffd%")]),
        ("a%3Db=%26", [("a=b", "&")]),
        ({"a": "x", "b": 1, "c": 1.5}, [("a", "x"), ("b", "1"), ("c", "1.5")]),
        ({"a": True, "b": False, "c": None}, [("a", "true"), ("b", "false"), ("c", "")]),
        ({"a": [1, None, True]}, [("a", "1"), ("a", ""), ("a", "true")]),
        ({"a": (1, 2)}, [("a", "1"), ("a", "2")]),
        ({"a": []}, []),
        ({1: 2}, [("1", "2")]),
        ([("a", 1), ("b", 2), ("a", 3)], [("a", "1"), ("a", "3"), ("b", "2")]),
        ((("a", 1), ["b", None]), [("a", "1"), ("b", "")]),
        (iter([("a", "b")]), [("a", "b")]),
        (QueryParams("a=1&a=2"), [("a", "1"), ("a", "2")]),
    ],
)
def test_parameters_are_made_from_text_mappings_pairs_and_nothing(source: typing.Any, pairs: list[tuple[str, str]]) -> None:
    assert QueryParams(source).multi_items() == pairs


def test_parameters_are_made_from_keyword_arguments() -> None:
    assert QueryParams(a=1, b=[1, 2]).multi_items() == [("a", "1"), ("b", "1"), ("b", "2")]
    assert QueryParams().multi_items() == []


@pytest.mark.parametrize("source", [1, 0, 1.5, object(), ["ab"], {"a"}, [("a",)], [("a", "b", "c")], bytearray(b"a=b")])
def test_other_sources_are_type_errors(source: typing.Any) -> None:
    with pytest.raises(TypeError):
        QueryParams(source)


def test_positional_and_keyword_arguments_exclude_each_other() -> None:
    with pytest.raises(TypeError):
        QueryParams({"a": 1}, b=2)
    with pytest.raises(TypeError):
        QueryParams("a", "b")


def test_bytes_are_ascii() -> None:
    with pytest.raises(ValueError, match="ascii"):
        QueryParams(b"a=\xff")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a b", "a+b"),
        ("a+b", "a%2Bb"),
        ("%20", "%2520"),
        ("é", "%C3%A9"),
        ("-._~", "-._~"),
        ("!\"#$%&'()*", "%21%22%23%24%25%26%27%28%29%2A"),
        (",/:;<=>?@", "%2C%2F%3A%3B%3C%3D%3E%3F%40"),
        ("[\\]^`{|}\r\n", "%5B%5C%5D%5E%60%7B%7C%7D%0D%0A"),
    ],
)
def test_names_and_values_are_form_encoded(value: str, encoded: str) -> None:
    assert str(QueryParams({value: value})) == f"{encoded}={encoded}"


def test_a_mapping_view_has_each_name_once_with_its_first_value() -> None:
    params = QueryParams("a=1&b=3&a=2")
    assert list(params) == list(params.keys()) == ["a", "b"]
    assert list(params.values()) == ["1", "3"]
    assert list(params.items()) == [("a", "1"), ("b", "3")]
    assert dict(params) == {"a": "1", "b": "3"}
    assert len(params) == 2
    assert params["a"] == "1"
    assert "a" in params
    assert "c" not in params
    with pytest.raises(KeyError):
        params["c"]


def test_get_takes_the_first_value_and_get_list_all_of_them() -> None:
    params = QueryParams("a=1&b=3&a=2")
    assert params.get("a") == "1"
    assert params.get("c") is None
    assert params.get("c", "x") == "x"
    assert params.get_list("a") == ["1", "2"]
    assert params.get_list("c") == []
    params.get_list("a").append("3")
    assert params.get_list("a") == ["1", "2"]


def test_changes_are_made_in_copies() -> None:
    params = QueryParams("a=1&b=3&a=2")
    assert str(params.set("a", 5)) == "a=5&b=3"
    assert str(params.set("c")) == "a=1&a=2&b=3&c="
    assert str(params.add("a", True)) == "a=1&a=2&a=true&b=3"
    assert str(params.add("c", "x")) == "a=1&a=2&b=3&c=x"
    assert str(params.remove("a")) == "b=3"
    assert str(params.remove("c")) == "a=1&a=2&b=3"
    assert str(params.merge({"b": 7, "c": [8, 9]})) == "a=1&a=2&b=7&c=8&c=9"
    assert str(params.merge("a=9")) == "a=9&b=3"
    assert str(params.merge(None)) == str(params.merge()) == "a=1&a=2&b=3"
    assert str(params) == "a=1&a=2&b=3"


def test_changing_in_place_is_refused_with_the_way_out() -> None:
    params = QueryParams("a=1")
    with pytest.raises(RuntimeError, match="merge"):
        params.update({"a": 2})
    with pytest.raises(RuntimeError, match="set"):
        params["a"] = "2"


def test_equality_ignores_the_order_and_hashes_agree_with_it() -> None:
    assert QueryParams("a=1&b=2") == QueryParams("b=2&a=1")
    assert QueryParams("a=1&a=2") == QueryParams("a=2&a=1")
    assert QueryParams("a=1") != QueryParams("a=1&a=1")
    assert QueryParams("a=1") != {"a": "1"}
    assert QueryParams("a=1") != "a=1"
    assert len({QueryParams("a=1&b=2"), QueryParams("b=2&a=1"), QueryParams({"a": 1, "b": "2"})}) == 1


def test_parameters_are_true_when_there_are_any() -> None:
    assert QueryParams("a")
    assert not QueryParams()
    assert not QueryParams({"a": []})


def test_parameters_survive_pickle_and_copy_and_show_themselves() -> None:
    params = QueryParams("a=1&b=x+y&a=2")
    assert repr(params) == "QueryParams('a=1&a=2&b=x+y')"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(params, protocol)).multi_items() == params.multi_items()
    assert copy.copy(params) == copy.deepcopy(params) == params


@settings(max_examples=200)
@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_is_encoded_decodes_to_itself(pairs: list[tuple[str, str]]) -> None:
    params = QueryParams(pairs)
    assert QueryParams(str(params)).multi_items() == params.multi_items()
    assert str(params).isascii()
