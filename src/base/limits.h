/* limits: the largest of every outside input, with its unit and its reason. */
#ifndef SG_BASE_LIMITS_H
#define SG_BASE_LIMITS_H

enum {
    /* bytes of one certificate request, PEM or DER; an RSA-4096 request with every extension is 4
       KiB */
    SG_LIMIT_REQUEST = 64 * 1024,
    /* bytes of one certificate that is read from a file or a token */
    SG_LIMIT_CERTIFICATE = 64 * 1024,
    /* bytes of a file with several certificates; the ones that systems trust are 220 KB as Debian
     * has them, and all intermediates of the public CAs are a few megabytes */
    SG_LIMIT_BUNDLE = 8 * 1024 * 1024,
    /* certificates from an issuer's issuer up to its root; three are many */
    SG_LIMIT_CHAIN = 10,
    /* bytes of a CRL that is read by `signet show` or built: a million entries are 40 MB */
    SG_LIMIT_CRL = 256 * 1024 * 1024,
    /* bytes of one YAML file (policy, signet.yaml, token profile) */
    SG_LIMIT_YAML = 1024 * 1024,
    /* mappings and sequences inside each other; policies need six */
    SG_LIMIT_YAML_DEPTH = 16,
    /* nodes of one YAML file; keeps a megabyte of "- " from becoming 100 MB of tree */
    SG_LIMIT_YAML_NODES = 50000,
    /* bytes of one registry import: a million devices are about 100 MB */
    SG_LIMIT_IMPORT = 256 * 1024 * 1024,
    /* bytes of one line of a registry import (CSV or JSON) */
    SG_LIMIT_IMPORT_LINE = 64 * 1024,
    /* bytes of one record of a manifest as it stands in its file, quotes and escapes included */
    SG_LIMIT_FEED = 256 * 1024,
    /* bytes of what a tar says of one file besides its header: a long name, times, attributes */
    SG_LIMIT_TAR_EXTENSION = 64 * 1024,
    /* bytes of the names in one folder of requests; two million of them, sorted in memory */
    SG_LIMIT_FOLDER = 48 * 1024 * 1024,
    /* bytes of one registry value, and of one value in a name; RFC 5280 ub-* are at most 32768,
     * people's names and device IDs are far below this */
    SG_LIMIT_VALUE = 1024,
    /* attributes of one registry record */
    SG_LIMIT_ATTRIBUTES = 64,
    /* attributes of one certificate request; Windows writes five */
    SG_LIMIT_REQUEST_ATTRIBUTES = 32,
    /* bytes of a request's challenge, RFC 2985 5.4.1 (pkcs-9-ub-challengePassword) */
    SG_LIMIT_CHALLENGE = 255,
    /* relative distinguished names in a subject */
    SG_LIMIT_RDNS = 32,
    /* names in a subjectAltName */
    SG_LIMIT_SANS = 100,
    /* extensions in a request or a certificate */
    SG_LIMIT_EXTENSIONS = 64,
    /* SEQUENCEs and SETs inside each other that are shown in words; extensions need three */
    SG_LIMIT_SHOWN_DEPTH = 8,
    /* elements inside each other that are looked through for DER; a name in a certificate has nine
     */
    SG_LIMIT_DER_DEPTH = 24,
    /* key purposes in an extendedKeyUsage */
    SG_LIMIT_EKUS = 32,
    /* text of one OID, in dotted decimals */
    SG_LIMIT_OID = 128,
    /* bytes of an encoded public key (RSA-16384 is 2 KiB) */
    SG_LIMIT_SPKI = 8 * 1024,
    /* bits of an RSA modulus: verifying a larger one is a way to keep us busy */
    SG_LIMIT_RSA_BITS = 8192,
    /* bits of an RSA public exponent, for the same reason */
    SG_LIMIT_RSA_EXPONENT_BITS = 64,
    /* bytes of a signature */
    SG_LIMIT_SIGNATURE = 8 * 1024,
    /* bytes of a PIN or passphrase; PKCS#11 tokens stop at 255 */
    SG_LIMIT_PIN = 255,
    /* bytes of a private key file, PEM; RSA-8192 with a chain beside it is 20 KiB */
    SG_LIMIT_KEY_FILE = 64 * 1024,
    /* bytes of the record of refused PINs; one is about a hundred */
    SG_LIMIT_REFUSALS = 1024 * 1024,
    /* bytes of a card's id, as its maker gave it, and of the name of who asks or decides */
    SG_LIMIT_CARD = 128,
    SG_LIMIT_PERSON = 128,
    /* requests of one device or user that wait for an approval under one policy at once: they are
     * people's work, and fill the store */
    SG_LIMIT_WAITING = 8,
    /* octets of a certificate serial number, RFC 5280 4.1.2.2 */
    SG_LIMIT_SERIAL = 20,
    /* octets of a CRL number, RFC 5280 5.2.3 */
    SG_LIMIT_CRL_NUMBER = 20,
    /* bytes of one file in a backup: a row holds a CRL of the size above in base64 */
    SG_LIMIT_BACKUP_ENTRY = 512 * 1024 * 1024,
    /* requests that share one durable write */
    SG_LIMIT_GROUP = 256,
    /* bytes of a file's or folder's name that Signet builds */
    SG_LIMIT_PATH = 4096,
    /* steps that a pattern may take in PCRE2 before it counts as no match */
    SG_LIMIT_PATTERN_STEPS = 100000,
    /* objects of one kind that are listed from a token */
    SG_LIMIT_OBJECTS = 100000,
    /* sessions of one token that sign at once; a network HSM gives a few hundred */
    SG_LIMIT_SESSIONS = 256,
    /* slots that are looked at on one module */
    SG_LIMIT_SLOTS = 1024,
    /* bytes of one OCSP request: a certificate takes a hundred, a signature with a chain 10 KiB */
    SG_LIMIT_OCSP_REQUEST = 32 * 1024,
    /* certificates in one OCSP request: each costs a look into the store */
    SG_LIMIT_OCSP_CERTIFICATES = 64,
    /* octets of an OCSP nonce, RFC 9654 2.1 */
    SG_LIMIT_OCSP_NONCE = 128,
    /* signed OCSP answers that are kept; one takes a kilobyte, by an RSA key two */
    SG_LIMIT_OCSP_CACHE = 16384,
    /* of those, what the front keeps as well */
    SG_LIMIT_OCSP_KEPT = 8192,
    /* acts of one ceremony; people hold out for a few dozen */
    SG_LIMIT_CEREMONY_ACTS = 100,
    /* CRLs that one act makes in advance: ten years of weeks */
    SG_LIMIT_CEREMONY_CRLS = 520,
    /* bytes of a plan, or of one file that it holds; a series of CRLs is the largest part */
    SG_LIMIT_CEREMONY_PLAN = 16 * 1024 * 1024,
    /* bytes of a ceremony's record, and of one line of it */
    SG_LIMIT_CEREMONY_TRANSCRIPT = 64 * 1024 * 1024,
    SG_LIMIT_CEREMONY_LINE = 1024 * 1024,
    /* files of a ceremony's bundle, and bytes of all of them */
    SG_LIMIT_CEREMONY_FILES = 2000,
    SG_LIMIT_CEREMONY_BUNDLE = 128 * 1024 * 1024,
    /* bytes of one HTTP request's body, and of one answer's: the base64 of SG_LIMIT_REQUEST with
     * line ends is 90 KiB; parts of a document are as long */
    SG_LIMIT_BODY = 256 * 1024,
    /* bytes of one HTTP request's line and headers; browsers stay below 8 KiB */
    SG_LIMIT_HEADERS = 16 * 1024,
    /* bytes of an Authorization header */
    SG_LIMIT_AUTHORIZATION = 2048,
    /* labels of EST, and addresses that a service listens on */
    SG_LIMIT_LABELS = 256,
    SG_LIMIT_ADDRESSES = 16,
    /* operators of a service: people and systems who know each other */
    SG_LIMIT_OPERATORS = 1000,
    /* bytes of a request's JSON to the API: a record with every attribute at its longest is 70 KiB;
     * and of an answer's list, before it says where it goes on */
    SG_LIMIT_JSON = 128 * 1024,
    /* items of a list in one answer of the API */
    SG_LIMIT_LISTED = 500,
    /* things that a command takes of a service's list, in all its pages */
    SG_LIMIT_FETCHED = 100 * 1000,
    /* bytes of the path and query of the API's URLs: escaped names of two registries' records */
    SG_LIMIT_TARGET = 2048,
    /* connections from clients that are open at once, and requests that wait for the issuer */
    SG_LIMIT_CONNECTIONS = 100000,
    SG_LIMIT_QUEUE = 100000,
};

#endif
