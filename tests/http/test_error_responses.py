"""Each error has one status, and the response that DVID's clients expect."""

import pytest
from aiohttp.test_utils import make_mocked_request

from dvidpc import errors
from dvidpc.http.error_responses import answer_error, plain_error, status_of

CASES = [
    (errors.RequestError("x"), 400),
    (errors.TooLargeError("x"), 413),
    (errors.UnauthorizedError("x"), 401),
    (errors.FormatError("x"), 502),
    (errors.NoMetadataError("x"), 502),
    (errors.OversizeError("x"), 502),
    (errors.OverloadedError("x", 7), 503),
    (errors.StoreError("x"), 503),
    (errors.CredentialsError("x"), 503),
    (errors.StoreTimeoutError("x"), 504),
    (errors.StoreBusyError("x", 3), 503),
    (errors.StoreRefusedError("x", 403), 503),
    (errors.ObjectChangedError("x"), 503),
    (errors.LabelIndexError("stale"), 503),
    (errors.ConfigError("x"), 500),
]


@pytest.mark.parametrize(("error", "status"), CASES)
def test_every_error_has_the_status_of_its_nearest_listed_class(
    error: errors.DvidpcError, status: int
) -> None:
    assert status_of(error) == status


def test_every_error_of_the_tree_is_in_the_cases() -> None:
    def tree(kind: type[errors.DvidpcError]) -> set[type[errors.DvidpcError]]:
        return {kind}.union(*map(tree, kind.__subclasses__()))

    ours = {kind for kind in tree(errors.DvidpcError) if kind.__module__ == errors.__name__}
    assert ours - {errors.DvidpcError} == {type(error) for error, _ in CASES}


def test_the_body_is_the_message_and_the_path_without_its_query() -> None:
    response = answer_error(make_mocked_request("GET", "/api/x?secret=1"), errors.RequestError("no such x"))
    assert (response.status, response.body) == (400, b"no such x (/api/x).\n")
    assert response.content_type == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (errors.OverloadedError("x", 7), "7"),
        (errors.StoreError("x"), "2"),
        (errors.StoreTimeoutError("x"), None),
    ],
)
def test_a_503_says_when_to_retry(error: errors.DvidpcError, retry_after: str | None) -> None:
    response = answer_error(make_mocked_request("GET", "/"), error)
    assert response.headers.get("Retry-After") == retry_after


def test_a_401_asks_for_a_bearer_token() -> None:
    response = answer_error(make_mocked_request("GET", "/"), errors.UnauthorizedError("x"))
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="dvidpc"'


def test_text_that_is_not_valid_unicode_is_replaced() -> None:
    assert plain_error(404, "a\udcffb").body == b"a?b"
