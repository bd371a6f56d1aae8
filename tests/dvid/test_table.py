"""The table of families finds data types and endpoints."""

from dvidpc.dvid.data_types import FAMILIES
from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.labelmap.endpoints import LABELMAP_ENDPOINTS
from dvidpc.dvid.routes import ROUTES
from dvidpc.dvid.table import Api

API = Api(ROUTES, FAMILIES)


def test_the_family_of_a_data_type_is_found_by_name() -> None:
    assert API.family_of("uint8blk") is IMAGEBLK
    assert API.family_of("labelmap") is LABELMAP_ENDPOINTS
    assert API.family_of("roi") is None
    names = [data_type.name for data_type in API.data_types()]
    others = ["labelblk", "labelmap", "keyvalue", "neuronjson", "annotation", "labelsz"]
    assert names == [*(t.name for t in IMAGEBLK.types), *others]


def test_the_endpoints_of_all_families_are_known() -> None:
    assert all(API.is_endpoint(name) for name in ("raw", "specificblocks", "label", "keys", "info"))
    assert not API.is_endpoint("sparsevol-of-nothing")
