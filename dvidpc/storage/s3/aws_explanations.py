"""Says in one line why botocore finds no credentials, without a word that a helper or a service wrote."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

_ADVICE: Final[Mapping[str, str]] = {
    "custom-process": (
        "run it by hand: it must exit with 0 and print one JSON object, nothing before or after it, with "
        "Version 1, AccessKeyId, SecretAccessKey and, if it has one, an Expiration in ISO 8601"
    ),
    "container-role": (
        "look at AWS_CONTAINER_CREDENTIALS_FULL_URI: http is allowed only to this machine and to "
        "169.254.170.2, 169.254.170.23 and fd00:ec2::23, all else takes https"
    ),
    "iam-role": "look at the instance's metadata service and its role",
    "assume-role": "look at role_arn, source_profile and credential_source of the profile",
    "assume-role-with-web-identity": "look at AWS_ROLE_ARN and the file AWS_WEB_IDENTITY_TOKEN_FILE",
    "sso": "run: aws sso login",
    "login": "run: aws login",
    "env": "look at the AWS_* variables of the environment",
}
_NAMES: Final[Mapping[str, str]] = {
    "custom-process": "credential_process",
    "container-role": "the container's credentials",
    "iam-role": "the instance's role",
}


_HOPS: Final = (
    "in a container, allow one more hop: aws ec2 modify-instance-metadata-options --instance-id ID "
    "--http-put-response-hop-limit 2"
)


class MetadataTokenError(Exception):
    """The instance's metadata service wants a token (IMDSv2), and its answer with one does not arrive."""


class Explanation(NamedTuple):
    """Why there are no credentials, and what to do."""

    reason: str
    advice: str


def explain_failure(method: str, error: Exception, profile: str | None) -> Explanation:
    """Return why a provider of credentials failed, and what to do.

    Args:
        method: botocore's name for the provider.
        error: What it raised; only its kind is repeated, since it may quote a secret.
        profile: The profile; None for the default one.
    """
    name = _NAMES.get(method, method)
    of_profile = f" of profile {profile!r}" if profile else ""
    advice = _ADVICE.get(method, "look at ~/.aws/credentials and ~/.aws/config")
    if isinstance(error, MetadataTokenError):
        advice = _HOPS
    return Explanation(f"{name}{of_profile} {_explain(error)}", advice)


def explain_mfa(profile: str | None) -> Explanation:
    """Return why a role that asks for a code cannot be assumed."""
    of_profile = f" of profile {profile!r}" if profile else ""
    return Explanation(
        f"assume-role{of_profile} asks for an MFA code, which nobody can enter here",
        "use a role without mfa_serial, or a credential_process that holds a session",
    )


def explain_settings(error: BotoCoreError) -> str:
    """Return why a dotfile cannot be used."""
    return " ".join(str(error).split())[:200]


def _explain(error: Exception) -> str:
    match error:
        case ClientError():
            code = error.response.get("Error", {}).get("Code", "an error")
            why = f"is refused: {error.operation_name} answers {code}"
        case CredentialRetrievalError():
            why = "fails"
        case MetadataTokenError():
            why = "cannot be had: the metadata service wants a token (IMDSv2), and its answer does not arrive"
        case BotoCoreError():
            why = f"fails ({type(error).__name__})"
        case OSError():
            why = f"cannot be run or read: {error.strerror or type(error).__name__}"
        case RuntimeError():
            why = "gives credentials that have expired"
        case ValueError() if type(error).__module__.startswith("dateutil"):
            why = "gives an Expiration that is not a time"
        case ValueError() | TypeError() | LookupError() | AttributeError():
            why = f"gives what is not a set of credentials ({type(error).__name__})"
        case _:
            why = f"fails ({type(error).__name__})"
    return why
