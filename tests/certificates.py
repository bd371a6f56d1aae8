"""Certificates for servers of tests, by an authority that only its own bundle makes trusted."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates."""

    directory: Path
    """Where files are written."""
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def bundle(self) -> Path:
        """A file with the authority's certificate."""
        return self.directory / "ca.pem"

    def intermediate(self) -> "Authority":
        """Return an authority whose certificate this one issues; its bundle holds only that certificate."""
        directory = self.directory / "intermediate"
        directory.mkdir()
        return make_authority(directory, issuer=self)

    def server_context(
        self, *names: str, begins: dt.timedelta = -DAY, ends: dt.timedelta = DAY, is_strict: bool = True
    ) -> ssl.SSLContext:
        """Return the context of a server with a new certificate; arguments as for `issue`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.issue(*names, begins=begins, ends=ends, is_strict=is_strict))
        return context

    def issue(
        self,
        *names: str,
        begins: dt.timedelta = -DAY,
        ends: dt.timedelta = DAY,
        file: str = "server.pem",
        is_rsa: bool = False,
        is_strict: bool = True,
    ) -> Path:
        """Write a new certificate and its key into one file; return the file.

        Args:
            names: Host names and addresses of the server.
            begins: From when on it is valid, from now.
            ends: Until when it is valid, from now.
            file: The name of the file.
            is_rsa: Whether the key is an RSA key, not one of an elliptic curve.
            is_strict: Whether it has all that RFC 5280 asks for; else it does not name its issuer's key.
        """
        key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = _builder(names[0], self.certificate.subject, key, begins, ends)
        builder = builder.add_extension(alternatives, critical=False)
        if is_strict:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        path = self.directory / file
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path


def make_authority(directory: Path, issuer: Authority | None = None) -> Authority:
    """Make an authority, whose certificate is its own or from *issuer*; write its bundle into *directory*."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = "an authority of the tests" if issuer is None else "an intermediate authority of the tests"
    name = _name(called) if issuer is None else issuer.certificate.subject
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(called, name, key, -2 * DAY, 2 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key if issuer is None else issuer.key, hashes.SHA256())
    )
    authority = Authority(directory, key, certificate)
    authority.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return authority


def _builder(
    subject: str, issuer: x509.Name, key: Key, begins: dt.timedelta, ends: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
