"""cryptography_request.py KIND CN: a certificate request by pyca/cryptography, on standard output."""
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID

KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "exponent-3": lambda: rsa.generate_private_key(3, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
}

kind, name = sys.argv[1:]
key = KEYS.get(kind, KEYS["p256"])()
builder = x509.CertificateSigningRequestBuilder().subject_name(
    x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
)
if kind == "ext":
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    builder = builder.add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
if kind == "server":
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
if kind == "challenge":
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"a challenge")
digest = None if kind.startswith("ed") else hashes.SHA256()
options = {}
if kind == "pss":
    key = KEYS["rsa"]()
    options["rsa_padding"] = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
print(builder.sign(key, digest, **options).public_bytes(serialization.Encoding.PEM).decode(), end="")
