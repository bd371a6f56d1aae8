"""Refuse requests for more blocks or bytes than the configuration allows."""

from dvidpc.errors import TooLargeError


def check_block_count(count: int, max_blocks: int) -> None:
    """Refuse a request for too many blocks.

    Raises:
        TooLargeError: *count* is more than *max_blocks*.
    """
    if count > max_blocks:
        raise TooLargeError(
            f"{count} blocks asked for; this server answers at most {max_blocks} (max_blocks)"
        )


def check_size(size: int, max_response: int) -> None:
    """Refuse a request whose answer would be too large.

    Raises:
        TooLargeError: *size* bytes are more than *max_response*.
    """
    if size > max_response:
        raise TooLargeError(
            f"{size} bytes asked for; this server answers at most {max_response} (max_response)"
        )
