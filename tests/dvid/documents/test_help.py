"""The help pages cover every data type and escape the configuration's texts."""

from dataclasses import replace

import pytest

from dvidpc.data.image import VOXEL_TYPES
from dvidpc.dvid.documents.help import help_page, type_help
from dvidpc.errors import RequestError
from tests.dvid.recorded import API, BODIES, FACTS


def test_every_type_has_help_and_others_get_dvids_error() -> None:
    for name in VOXEL_TYPES:
        assert name in type_help(API, name)
        assert f"href=help/{name}>" in help_page(API, FACTS, "")
    with pytest.raises(RequestError) as caught:
        type_help(API, "nope")
    assert f"{caught.value} (/api/help/nope).\n" == BODIES["/api/help/nope"]


def test_the_help_page_escapes_names() -> None:
    hostile = "<script>alert('&')</script>"
    page = help_page(API, replace(FACTS, host=hostile, version=hostile), "")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
