#!/usr/bin/env python3
"""ocsp.py ISSUER CERTIFICATE DIGEST RESPONSE REQUEST: writes a request of pyca/cryptography's; with a
RESPONSE that is there, tells what it says, its signature checked."""
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(issuer_path, certificate_path, digest, response_path, request_path):
    issuer = x509.load_pem_x509_certificate(read(issuer_path))
    certificate = x509.load_pem_x509_certificate(read(certificate_path))
    algorithm = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}[digest]()
    if not os.path.exists(response_path):
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm)
        with open(request_path, "wb") as file:
            file.write(builder.build().public_bytes(Encoding.DER))
        return
    response = ocsp.load_der_ocsp_response(read(response_path))
    responder = response.certificates[0]
    issuer.public_key().verify(
        responder.signature, responder.tbs_certificate_bytes, ec.ECDSA(responder.signature_hash_algorithm)
    )
    responder.public_key().verify(
        response.signature, response.tbs_response_bytes, ec.ECDSA(response.signature_hash_algorithm)
    )
    assert response.serial_number == certificate.serial_number
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING]
    print(response.certificate_status.name.lower(), response.hash_algorithm.name, response.revocation_reason)


main(*sys.argv[1:])
