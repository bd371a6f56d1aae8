"""Error codes of storage services, by what fixes them."""

from typing import Final

ABOUT_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidSecurity",
        "InvalidToken",
        "InvalidTokenId",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
"""Error codes that other credentials fix."""
ABOUT_ENCRYPTION: Final = frozenset(
    {
        "InvalidRequest",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
        "ResourceIsEncryptedWithCustomerEncryptionKey",
    }
)
"""Error codes of objects whose key we do not have."""
