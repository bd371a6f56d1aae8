"""Which rights deserve a warning, and what to change then."""

from dvidpc.storage.bucket_rights import BucketRights


def test_line_says_everything_that_is_known() -> None:
    assert BucketRights(None).line() == "read as somebody; may list: not known, may write: not known"
    rights = BucketRights("access key AKID", "eu-west-1", may_list=True, may_write=False)
    assert rights.line() == "read as access key AKID, region eu-west-1; may list: yes, may write: no"


def test_reader_in_the_right_region_needs_no_warning() -> None:
    assert BucketRights("me", "eu-west-1", may_list=True, may_write=False).warnings() == []
    assert BucketRights("me", "eu-west-1", configured_region="eu-west-1").warnings() == []


def test_each_surplus_or_missing_right_is_a_warning_with_its_fix() -> None:
    rights = BucketRights("me", "eu-west-1", may_list=False, may_write=True, configured_region="us-east-1")
    (may_write, fewer), (may_not_list, more), (region, right) = rights.warnings()
    assert may_write.startswith("me may write there; reading is all the server needs")
    assert "s3:GetObject" in fewer
    assert may_not_list.startswith("listing is forbidden")
    assert "missing_status = [403, 404]" in more
    assert region.startswith("the bucket lies in region eu-west-1, not in us-east-1 as configured")
    assert right == 'region = "eu-west-1"'
