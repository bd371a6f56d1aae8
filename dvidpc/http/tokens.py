"""Lets in who has a token: `[auth] enforce = "token"`, as DVID's, with DVID's secret and texts.

DVID answers 400 and guards `/api/repo` and `/api/node` only. Here everything is guarded but health, and the
answer is 401, by which neuroglancer knows that it has to ask for a token.  (auth.go, 3400c2cb)
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from dvidpc.errors import ConfigError, UnauthorizedError

SECRET_NAME: Final = "DVID_JWT_SECRET_KEY"  # noqa: S105 - a name
_ALGORITHMS: Final = ("HS256",)
_LEAST_SECRET = 32
"""Bytes below which a secret of HMAC-SHA-256 can be guessed. (RFC 7518 section 3.2)"""


def read_secret(environ: Mapping[str, str]) -> str:
    """The secret that tokens are signed with.

    Raises:
        ConfigError: There is none, or it is too short to protect anything.
    """
    secret = environ.get(SECRET_NAME, "")
    if len(secret.encode()) < _LEAST_SECRET:
        state = "is too short" if secret else "is not set"
        raise ConfigError(
            f'[auth] enforce = "token": {SECRET_NAME} {state} in the environment; '
            f"set it to the secret of the tokens, of at least {_LEAST_SECRET} bytes"
        )
    return secret


def require_token(secret: str, open_paths: frozenset[str]) -> Middleware:
    """A middleware that lets pass who gives a token signed with *secret*.

    Args:
        secret: As `read_secret` has it.
        open_paths: Paths that need none. Neither does OPTIONS: browsers send no token with a preflight.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_OPTIONS and request.path.rstrip("/") not in open_paths:
            check_token(request.headers.getall(hdrs.AUTHORIZATION, []), secret)
        return await handler(request)

    return guard


def check_token(values: list[str], secret: str) -> str:
    """The user that the `Authorization` headers *values* name; the comparison takes constant time.

    Raises:
        UnauthorizedError: There is no token, more than one, or it does not hold.
    """
    import jwt  # noqa: PLC0415 - brings cryptography along, 50 ms of a start that few configurations need

    if len(values) != 1:
        raise UnauthorizedError("JWT required via Authorization in request header")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("JWT required via Authorization in request header")
    try:
        claims = jwt.decode(
            token.strip(), secret, algorithms=list(_ALGORITHMS), options={"verify_aud": False}
        )
    except jwt.ExpiredSignatureError:
        raise UnauthorizedError("error parsing JWT: Token is expired") from None
    except (jwt.InvalidTokenError, ValueError):
        raise UnauthorizedError("error parsing JWT: it is not one that this server accepts") from None
    user = claims.get("user")
    if not isinstance(user, str) or not user:
        raise UnauthorizedError("failed authorization")
    return user
