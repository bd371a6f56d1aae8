"""Require a JSON Web Token: `[auth] enforce = "token"`, with DVID's secret and error texts.

DVID answers 400, and protects only `/api/repo` and `/api/node`. This server protects everything except the
health endpoints, and answers 401, which makes neuroglancer ask for a token.  (auth.go, 3400c2cb)
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from dvidpc.errors import ConfigError, UnauthorizedError

SECRET_NAME: Final = "DVID_JWT_SECRET_KEY"  # noqa: S105 - a variable's name
_ALGORITHMS: Final = ("HS256",)
_LEAST_SECRET = 32
"""The shortest secret allowed for HMAC-SHA-256, in bytes.  (RFC 7518 section 3.2)"""


def read_secret(environ: Mapping[str, str]) -> str:
    """Return the secret that tokens are signed with, from the environment.

    Raises:
        ConfigError: It is not set, or too short to be safe.
    """
    secret = environ.get(SECRET_NAME, "")
    if len(secret.encode()) < _LEAST_SECRET:
        state = "is too short" if secret else "is not set"
        raise ConfigError(
            f'[auth] enforce = "token": {SECRET_NAME} {state} in the environment; '
            f"set it to the secret that signs the tokens, at least {_LEAST_SECRET} bytes long"
        )
    return secret


def require_token(secret: str, open_paths: frozenset[str]) -> Middleware:
    """Return a middleware that refuses requests without a token signed with *secret*.

    Args:
        secret: The result of `read_secret`.
        open_paths: Paths that need no token. OPTIONS needs none either: browsers send none with a preflight.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_OPTIONS and request.path.rstrip("/") not in open_paths:
            check_token(request.headers.getall(hdrs.AUTHORIZATION, []), secret)
        return await handler(request)

    return guard


def check_token(values: list[str], secret: str) -> str:
    """Return the user named by the token in *values*, the `Authorization` headers of a request.

    The signature is compared in constant time.

    Raises:
        UnauthorizedError: There is no token, more than one, or the token is not valid.
    """
    import jwt  # noqa: PLC0415 - imports cryptography: 50 ms at start, and few configurations use tokens

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
        raise UnauthorizedError("error parsing JWT: this server does not accept the token") from None
    user = claims.get("user")
    if not isinstance(user, str) or not user:
        raise UnauthorizedError("failed authorization")
    return user
