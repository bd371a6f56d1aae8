"""Which rights deserve a warning, and what to change then."""

from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.types import Finding

USUAL = frozenset({404})


def warnings_of(rights: BucketRights) -> list[Finding]:
    return rights.warnings(can_read=True, missing_status=USUAL)


def test_line_says_everything_that_is_known() -> None:
    assert BucketRights(None).line() == "read as somebody; may list: not known, may write: not known"
    rights = BucketRights("access key AKID", "eu-west-1", may_list=True, may_write=False)
    assert rights.line() == "read as access key AKID, region eu-west-1; may list: yes, may write: no"
    rights = BucketRights("access key AKID", no_list="the service answers 403 InvalidAccessKeyId")
    assert "may list: not known (the service answers 403 InvalidAccessKeyId), may write" in rights.line()


def test_reader_in_the_right_region_needs_no_warning() -> None:
    assert warnings_of(BucketRights("me", "eu-west-1", may_list=True, may_write=False)) == []
    assert warnings_of(BucketRights("me", "eu-west-1", configured_region="eu-west-1")) == []


def test_each_surplus_or_missing_right_is_a_warning_with_its_fix() -> None:
    rights = BucketRights(
        "me", "eu-west-1", may_list=False, may_write=True, configured_region="us-east-1", service="S3"
    )
    (may_write, fewer), (may_not_list, more), (region, right) = warnings_of(rights)
    assert may_write.startswith("me may write there; reading is all the server needs")
    assert "s3:GetObject" in fewer
    assert may_not_list.startswith("listing is forbidden, so that S3 answers 403")
    assert "missing_status = [403, 404]" in more
    assert region.startswith("the bucket lies in region eu-west-1, not in us-east-1 as configured")
    assert right == 'region = "eu-west-1"'


def test_missing_status_is_advised_only_where_it_helps() -> None:
    """Where nothing could be read, a 403 is a lack of rights and not an absent chunk."""
    rights = BucketRights("me", may_list=False, service="S3")
    [(_, fix)] = rights.warnings(can_read=False, missing_status=USUAL)
    assert fix == "allow s3:ListBucket"
    assert rights.warnings(can_read=True, missing_status={403, 404}) == []
    [(text, fix)] = warnings_of(BucketRights("me", may_list=False, service="Google"))
    assert "Google answers 403" in text
    assert fix.startswith("allow storage.objects.list, or set missing_status")
    assert warnings_of(BucketRights("user 1000", may_list=False)) == []  # a directory
