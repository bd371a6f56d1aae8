"""What the server may do in a bucket, and the warnings that follow from it."""

from collections.abc import Collection
from dataclasses import dataclass

from dvidpc.types import Finding

_READING_IS_ENOUGH = "reading is all the server needs"
_WORDS = {True: "yes", False: "no", None: "not known"}


@dataclass(frozen=True, slots=True)
class BucketRights:
    """What an inspection found; None for what cannot be found out."""

    who: str | None
    """The account or key; never a secret."""
    region: str | None = None
    may_list: bool | None = None
    """False only if the service says that the right is missing, not for a wrong secret or clock."""
    may_write: bool | None = None
    """False only if the service says that the right is missing."""
    configured_region: str | None = None
    """What the configuration or the environment says; None if neither does."""
    service: str = ""
    """The service, such as `S3`, that answers 403 for an absent object to those who may not list; empty: this
    kind of store does not."""
    no_list: str = ""
    """Why `may_list` is not known, such as `403 InvalidAccessKeyId`; empty if there is nothing to say."""
    no_write: str = ""
    """Why `may_write` is not known; empty if there is nothing to say."""

    def line(self, *, can_read: bool = True) -> str:
        """Return everything in one line for a person.

        Args:
            can_read: Whether an object of the volume was read with these credentials. If not, they may be the
                reason of a refusal: Ceph answers alike to a wrong secret, an unknown key, a missing right.
        """
        region = f", region {self.region}" if self.region else ""
        no_list = self.no_list
        if self.may_list is False and self.service == "S3" and not can_read:
            no_list = "or the credentials are wrong: nothing can be read, and the service does not tell"
        may_list = f"may list: {_WORDS[self.may_list]}{_because(no_list)}"
        may_write = f"may write: {_WORDS[self.may_write]}{_because(self.no_write)}"
        return f"read as {self.who or 'somebody'}{region}; {may_list}, {may_write}"

    def warnings(self, *, can_read: bool, missing_status: Collection[int]) -> list[Finding]:
        """Return what should be changed, each with its fix.

        Args:
            can_read: Whether an object of the volume was read with these credentials.
            missing_status: HTTP statuses that the configuration takes for absence.
        """
        found = []
        if self.may_write:
            found.append(
                Finding(
                    f"{self.who or 'the server'} may write there; {_READING_IS_ENOUGH}",
                    "grant only s3:GetObject and s3:ListBucket, or roles/storage.objectViewer",
                )
            )
        if self.may_list is False and self.service and 403 not in missing_status:
            # Where nothing could be read, a 403 is a lack of rights, and must not be taken for absence.
            otherwise = ", or set missing_status = [403, 404]" if can_read else ""
            right = "s3:ListBucket" if self.service == "S3" else "storage.objects.list"
            found.append(
                Finding(
                    f"listing is forbidden, so that {self.service} answers 403 where a chunk is missing",
                    f"allow {right}{otherwise}",
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


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
