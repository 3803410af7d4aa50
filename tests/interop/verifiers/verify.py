"""Verdicts of python3-cryptography's ClientVerifier.

Standard input has a case a line, separated by tabs: name, chain (leaf first), key, root, and the CRL of
the leaf's issuer or "-". Standard output has a line for each: name, "accept" or "refuse", and what it
said. The verifier does not look at CRLs, so neither does this.
"""
import sys

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError


def read_chain(path):
    with open(path, "rb") as pem:
        return x509.load_pem_x509_certificates(pem.read())


def judge(chain_path, root_path):
    leaf, *intermediates = read_chain(chain_path)
    verifier = PolicyBuilder().store(Store(read_chain(root_path))).build_client_verifier()
    try:
        verifier.verify(leaf, intermediates)
        return "accept\t"
    except VerificationError as error:
        return "refuse\t" + str(error).splitlines()[0]


for line in sys.stdin:
    name, chain, _key, root, _crl = line.rstrip("\n").split("\t")
    print(f"{name}\t{judge(chain, root)}")
