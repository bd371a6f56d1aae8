"""What the stores of a server share because it is slow to make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dvidpc.storage.credentials import LookUp
from dvidpc.storage.http.tls import TlsContexts

if TYPE_CHECKING:
    from dvidpc.storage.s3.aws_profiles import AwsProfiles

MakeLookUp: TypeAlias = Callable[[str, str | None, Path | None, Mapping[str, str]], LookUp]
"""Takes the store's URL, the profile, the bundle of certificates and the environment."""


class Aws(NamedTuple):
    """How AWS profiles and credentials are found."""

    profiles: "AwsProfiles"
    look_up: MakeLookUp


@dataclass(slots=True)
class Shared:
    """Belongs to one event loop. It holds no connection, so nothing needs to be closed."""

    tls: TlsContexts = field(default_factory=TlsContexts)
    aws: Aws | None = None
    """Set by `vendors.load_aws` when the first store needs it."""
