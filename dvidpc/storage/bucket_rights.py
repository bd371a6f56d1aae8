"""What the server may do in a bucket, and the warnings that follow from it."""

from dataclasses import dataclass

from dvidpc.types import Finding

_READING_IS_ENOUGH = "reading is all the server needs"


@dataclass(frozen=True, slots=True)
class BucketRights:
    """What an inspection found; None for what cannot be found out."""

    who: str | None
    """The account or key; never a secret."""
    region: str | None = None
    may_list: bool | None = None
    may_write: bool | None = None
    configured_region: str | None = None
    """What the configuration or the environment says; None if neither does."""

    def line(self) -> str:
        """Return everything in one line for a person."""
        words = {True: "yes", False: "no", None: "not known"}
        region = f", region {self.region}" if self.region else ""
        who = self.who or "somebody"
        return f"read as {who}{region}; may list: {words[self.may_list]}, may write: {words[self.may_write]}"

    def warnings(self) -> list[Finding]:
        """Return what should be changed, each with its fix."""
        found = []
        if self.may_write:
            found.append(
                Finding(
                    f"{self.who or 'the server'} may write there; {_READING_IS_ENOUGH}",
                    "grant only s3:GetObject and s3:ListBucket, or roles/storage.objectViewer",
                )
            )
        if self.may_list is False:
            found.append(
                Finding(
                    "listing is forbidden, so that S3 answers 403 where a chunk is missing",
                    "allow s3:ListBucket, or set missing_status = [403, 404] if the credentials read other "
                    "objects",
                )
            )
        if self.region and self.configured_region not in {None, self.region}:
            found.append(
                Finding(
                    f"the bucket lies in region {self.region}, not in {self.configured_region} as "
                    "configured; it is read there all the same, after a request for its region",
                    f'region = "{self.region}"',
                )
            )
        return found
