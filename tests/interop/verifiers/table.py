#!/usr/bin/env python3
"""table.py VERDICTS-FOLDER: what the verifiers said, as the Markdown tables of docs/interop.md.

The folder holds a file VERIFIER.verdicts for each verifier, as verifiers.bats leaves them.
"""
import pathlib
import platform
import re
import sys

VERIFIERS = {
    "openssl": "OpenSSL verify",
    "certtool": "GnuTLS certtool",
    "nss": "NSS certutil",
    "java": "Java PKIX",
    "go": "Go crypto/x509",
    "node": "node tls",
    "python3-cryptography": "python3-cryptography",
    "rustls": "rustls",
}
REFUSALS = {
    "server-only": "extended key usage serverAuth only",
    "no-intermediate": "the issuing CA's certificate missing",
    "expired": "expired",
    "revoked": "revoked, with the CRL at hand",
}
HERE = pathlib.Path(__file__).parent


def lines_of(path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def read_verdicts(folder):
    """{verifier: {case: verdict}}"""
    return {
        verifier: dict(line.split("\t")[:2] for line in lines_of(folder / f"{verifier}.verdicts"))
        for verifier in VERIFIERS
        if (folder / f"{verifier}.verdicts").exists()
    }


def read_exceptions():
    """{(policy, kind, verifier): why}, of this Debian"""
    debian = platform.freedesktop_os_release().get("VERSION_ID")
    exceptions = {}
    for policy, kind, verifier, why in (line.split(None, 3) for line in lines_of(HERE / "exceptions")):
        name, _, release = verifier.partition("@")
        if release in ("", debian):
            exceptions[policy, kind, name] = why
    return exceptions


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def print_accepted(verdicts, exceptions):
    notes = []

    def cell(policy, kind, verifier):
        verdict = verdicts[verifier].get(f"{policy}.{kind}.good")
        if verdict == "refuse":
            why = exceptions.get((policy, kind, verifier), "unexpected")
            if why not in notes:
                notes.append(why)
            return f"no ({notes.index(why) + 1})"
        return "yes" if verdict == "accept" else "not made here"

    rows = [
        [policy, kind] + [cell(policy, kind, verifier) for verifier in verdicts]
        for policy, kind in (re.split(r"\s+\+?", line)[:2] for line in lines_of(HERE / "rows"))
    ]
    print_table(["policy", "key"] + [VERIFIERS[verifier] for verifier in verdicts], rows)
    for number, why in enumerate(notes, 1):
        print(f"\n({number}) {why}")


def print_refused(verdicts):
    def cell(case, verifier):
        found = {verdict for name, verdict in verdicts[verifier].items() if name.endswith("." + case)}
        return {frozenset({"refuse"}): "refused", frozenset({"accept"}): "does not look"}.get(frozenset(found), "mixed")

    print_table(
        ["TLS client that is wrong"] + [VERIFIERS[verifier] for verifier in verdicts],
        [[words] + [cell(case, verifier) for verifier in verdicts] for case, words in REFUSALS.items()],
    )


def main():
    verdicts = read_verdicts(pathlib.Path(sys.argv[1]))
    print_accepted(verdicts, read_exceptions())
    print()
    print_refused(verdicts)


main()
