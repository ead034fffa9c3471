"""Status codes by name."""

from __future__ import annotations

import http

import pytest

import httpx


def test_codes_have_names_in_either_case():
    assert httpx.codes.NOT_FOUND == httpx.codes.not_found == 404
    assert str(httpx.codes.NOT_FOUND) == "404"
    assert httpx.codes(404).phrase == httpx.codes.get_reason_phrase(404) == "Not Found"
    assert httpx.codes.get_reason_phrase(499) == ""
    with pytest.raises(ValueError, match="499"):
        httpx.codes(499)


def test_every_code_that_the_standard_library_knows_is_there():
    assert {int(code) for code in http.HTTPStatus} - {int(code) for code in httpx.codes} == set()


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        (413, "REQUEST_ENTITY_TOO_LARGE", "CONTENT_TOO_LARGE"),
        (414, "REQUEST_URI_TOO_LONG", "URI_TOO_LONG"),
        (416, "REQUESTED_RANGE_NOT_SATISFIABLE", "RANGE_NOT_SATISFIABLE"),
        (422, "UNPROCESSABLE_ENTITY", "UNPROCESSABLE_CONTENT"),
    ],
)
def test_names_of_rfc_9110_stand_beside_the_older_ones(code, old, new):
    for name in (old, new, new.lower()):
        assert getattr(httpx.codes, name) == code
    assert httpx.codes(code).name == old


@pytest.mark.parametrize("code", range(0, 700, 50))
def test_kinds_are_told_by_the_first_digit(code):
    kinds = ["is_informational", "is_success", "is_redirect", "is_client_error", "is_server_error"]
    told = [getattr(httpx.codes, kind)(code) for kind in kinds]
    response = httpx.Response(code)
    assert told == [code // 100 == digit for digit in range(1, 6)] == [getattr(response, kind) for kind in kinds]
    assert httpx.codes.is_error(code) == response.is_error == (code // 100 in (4, 5))
