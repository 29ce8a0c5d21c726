"""The key pair that signs tokens for local use, which the local cloud trusts beside the issuers' own.

It is made once a service, in `.bareboat/`, and goes nowhere else: what is deployed knows nothing of it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bareboat.errors import LocalError
from bareboat.local.access.jwks import Keys, KeysUnreachableError
from bareboat.local.access.secrets import TOKEN_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from bareboat.local.access.secrets import LocalSecrets

PREFIX = "bareboat-"  # of the kid: no issuer's own key is called so
KEY_BITS = 2048


class LocalIssuer:
    """Signs tokens, and says which ones it has signed."""

    def __init__(self, secrets: LocalSecrets) -> None:
        self._secrets = secrets
        self._keys = Keys()
        self._seen: tuple[int, ...] | None = None

    def owns(self, kid: str) -> bool:
        """Whether a token says that it is one of these."""
        return kid.startswith(PREFIX)

    def keys(self) -> Keys:
        """Return the public key, that of the file as it is now.

        Raises:
            KeysUnreachableError: there is none yet, or it is not for its owner alone.
        """
        seen = self._secrets.token_key_state()
        if seen is None or seen != self._seen:
            try:
                pem = self._secrets.token_key()
            except LocalError as error:
                raise KeysUnreachableError(error.problems[0].found) from error
            if pem is None:
                raise KeysUnreachableError("there is no local key; bareboat token makes one")
            public = _public_entry(_loaded(pem, self._secrets))
            self._keys.take(json.dumps({"keys": [public]}).encode())
            self._seen = seen
        return self._keys

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token; the key is made when there is none.

        Raises:
            LocalError: the key cannot be read or kept.
        """
        import jwt

        pem = self._secrets.token_key() or self._secrets.keep_token_key(_new_key())
        key = _loaded(pem, self._secrets)
        return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": _public_entry(key)["kid"]})


def _new_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _loaded(pem: bytes, secrets: LocalSecrets) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        path = secrets.folder / TOKEN_KEY
        raise LocalError(
            f"{path.name}, the local key of tokens, is damaged", expected="a private RSA key, PEM", fix=f"rm {path}"
        )
    return key


def _public_entry(key: RSAPrivateKey) -> dict[str, str]:
    """Return the public part as a JSON Web Key, named by its thumbprint (RFC 7638)."""
    numbers = key.public_key().public_numbers()
    entry = {"e": _base64url(numbers.e), "kty": "RSA", "n": _base64url(numbers.n)}
    print_of = sha256(json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()).digest()
    return {**entry, "kid": PREFIX + urlsafe_b64encode(print_of[:12]).decode(), "alg": "RS256", "use": "sig"}


def _base64url(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
