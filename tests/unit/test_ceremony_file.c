#include "expect.h"

#include "ceremony/file.h"

/* A file that is whole, from which each case takes or changes a part. */
#define HEAD                                                                                       \
    "ceremony: Test\nplace: Here\nbegins: 2027-01-11T09:00:00Z\n"                                  \
    "persons:\n"                                                                                   \
    "  - {name: Ada, role: administrator, key: ada.pub}\n"                                         \
    "  - {name: Bob, role: custodian}\n"                                                           \
    "  - {name: Dora, role: witness}\n"
#define TOKENS                                                                                     \
    "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Bob]}\n"
#define KEY "  - make-key: {key: root, token: root, label: root, type: P-384}\n"
#define ROOT                                                                                       \
    "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, output: "         \
    "root.pem}\n"
#define ACTS "acts:\n" KEY ROOT

#define TWO_TOKENS                                                                                 \
    TOKENS "  spare: {profile: softhsm, uri: 'pkcs11:token=s', serial: '2', pin: [Bob]}\n"
#define COPY "  - backup: {key: root, method: wrap, token: spare, copy: copy}\n"

static const struct {
    const char *name, *text;
    const char *complaint; /* NULL: accepted */
} CASES[] = {
    {"whole", HEAD TOKENS ACTS, NULL},
    {"every kind",
     HEAD TOKENS
     "seals: [{item: bag, number: '7'}]\napproval: {signatures: 1}\n" ACTS
     "  - make-key: {key: sub, token: root, label: sub, type: RSA-3072, signature: "
     "rsa-pss-sha256}\n"
     "  - certificate: {name: sub, issuer: root, key: sub, policy: issuing-ca, "
     "subject: CN=Sub, valid_until: 2030-01-01T00:00:00Z, output: sub.pem}\n"
     "  - certificate: {name: out, issuer: root, request: out.csr, policy: issuing-ca, "
     "publish: {crl: 'http://x.example/c'}, output: out.pem}\n"
     "  - crl: {issuer: root, number: 1, lifetime: 30d, series: {count: 3, every: 20d, "
     "step: 5}, revoked: [{certificate: o.pem, date: 2026-01-01T00:00:00Z, reason: "
     "superseded}], output: root.crl}\n"
     "  - certificate: {name: cross, issuer: root, cross: other.pem, policy: issuing-ca, "
     "output: cross.pem}\n"
     "  - request: {key: sub, subject: CN=Sub, output: sub.csr}\n"
     "  - backup: {key: root, method: vendor-clone}\n"
     "  - hand-over: {what: the bag, from: Bob, to: Dora}\n"
     "  - change-pin: {token: root, pin: [Ada, Dora]}\n"
     "  - destroy: {key: sub}\n",
     NULL},
    {"an old key",
     HEAD TOKENS
     "acts:\n  - use-key: {key: root, token: root, label: root, certificate: root.pem}\n"
     "  - crl: {issuer: root, number: 9, lifetime: 30d, output: root.crl}\n",
     NULL},
    {"no acts", HEAD TOKENS "acts: []\n", "c.yaml:10:7: a ceremony without acts"},
    {"an unknown key", HEAD TOKENS ACTS "colour: red\n", "c.yaml:13:1: unknown key 'colour'"},
    {"an unknown act", HEAD TOKENS "acts:\n  - dance: {}\n",
     "there is no act 'dance'; there are: "
     "make-key, use-key"},
    {"an unknown key of an act",
     HEAD TOKENS "acts:\n  - make-key: {key: a, token: root, label: a, "
                 "type: P-256, extractable: true}\n",
     "unknown key 'extractable'"},
    {"two acts in one", HEAD TOKENS "acts:\n  - {backup: {}, crl: {}}\n",
     "an act is one key, its kind"},
    {"no witness",
     "ceremony: T\nplace: H\nbegins: 2027-01-11T09:00:00Z\n"
     "persons: [{name: Ada, role: administrator}]\n" TOKENS ACTS,
     "no witness"},
    {"two administrators",
     "ceremony: T\nplace: H\nbegins: 2027-01-11T09:00:00Z\npersons: [{name: Ada, role: "
     "administrator}, {name: Eve, role: administrator}, {name: Dora, role: witness}]\n" TOKENS ACTS,
     "one administrator"},
    {"two of a name",
     "ceremony: T\nplace: H\nbegins: 2027-01-11T09:00:00Z\npersons: [{name: Ada B, role: "
     "administrator}, {name: ada-b, role: witness}]\n" TOKENS ACTS,
     "files of the same name"},
    {"a name of nothing",
     "ceremony: T\nplace: H\nbegins: 2027-01-11T09:00:00Z\npersons: [{name: '...', role: "
     "administrator}, {name: Dora, role: witness}]\n" TOKENS ACTS,
     "a letter or digit"},
    {"a role of one's own",
     "ceremony: T\nplace: H\nbegins: 2027-01-11T09:00:00Z\n"
     "persons: [{name: Ada, role: queen}]\n" TOKENS ACTS,
     "administrator, custodian"},
    {"more signatures than keys", HEAD TOKENS "approval: {signatures: 2}\n" ACTS,
     "2 signatures are wanted, and 1 persons have a key"},
    {"a beginning that is none", "ceremony: T\nplace: H\nbegins: soon\npersons: []\n" TOKENS ACTS,
     "c.yaml:3:9: "},
    {"a token without a module",
     HEAD "tokens:\n  root: {uri: 'pkcs11:token=r', serial: '1', pin: [Bob]}\n" ACTS,
     "needs either profile"},
    {"a PIN",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r?pin-value=1', serial: "
          "'1', pin: [Bob]}\n" ACTS,
     "a PIN does not belong"},
    {"a stranger's PIN",
     HEAD
     "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Eve]}\n" ACTS,
     "there is no 'Eve' under persons"},
    {"nobody's PIN",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: []}\n" ACTS,
     "pin has to name those who type it"},
    {"a token that is not there",
     HEAD TOKENS "acts:\n  - make-key: {key: a, token: b, label: a, type: P-256}\n",
     "c.yaml:11:31: there is no token 'b'"},
    {"a key made twice", HEAD TOKENS ACTS KEY, "an earlier act has a key 'root' already"},
    {"a label used twice",
     HEAD TOKENS ACTS "  - make-key: {key: b, token: root, label: root, type: P-256}\n",
     "key 'root' has this label on the same token"},
    {"Ed25519", HEAD TOKENS "acts:\n  - make-key: {key: a, token: root, label: a, type: Ed25519}\n",
     "needs `signer: direct` for it"},
    {"Ed25519, directly",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Bob], "
          "signer: direct}\nacts:\n"
          "  - make-key: {key: a, token: root, label: a, type: Ed25519}\n",
     NULL},
    {"the engine, in every build",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Bob], "
          "signer: engine}\nacts:\n"
          "  - make-key: {key: a, token: root, label: a, type: P-256}\n",
     NULL},
    {"a signer that is none",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Bob], "
          "signer: hand}\nacts: []\n",
     "engine"},
    {"a scheme of another family",
     HEAD TOKENS "acts:\n  - make-key: {key: a, token: root, label: a, type: P-256, signature: "
                 "rsa-sha256}\n",
     "does not go with a key of that type"},
    {"a key before it is made", HEAD TOKENS "acts:\n" ROOT KEY,
     "no earlier act makes or uses a key 'root'"},
    {"an issuer before it is made",
     HEAD TOKENS "acts:\n" KEY "  - crl: {issuer: root, number: 1, lifetime: 9d, output: r.crl}\n",
     "no earlier act makes or brings a certificate 'root'"},
    {"an issuer whose key is elsewhere",
     HEAD TOKENS ACTS
     "  - certificate: {name: o, issuer: root, request: o.csr, policy: issuing-ca, "
     "output: o.pem}\n"
     "  - crl: {issuer: o, number: 1, lifetime: 9d, output: o.crl}\n",
     "the key of 'o' is not on a token of this ceremony"},
    {"key and request",
     HEAD TOKENS ACTS "  - certificate: {name: o, issuer: root, request: o.csr, key: root, policy: "
                      "issuing-ca, output: o.pem}\n",
     "one of them"},
    {"key and cross",
     HEAD TOKENS ACTS "  - certificate: {name: o, issuer: root, cross: o.pem, key: root, policy: "
                      "issuing-ca, output: o.pem}\n",
     "one of them"},
    {"a request without a subject", HEAD TOKENS ACTS "  - request: {key: root, output: r.csr}\n",
     "subject"},
    {"a subject for a request",
     HEAD TOKENS ACTS "  - certificate: {name: o, issuer: root, request: o.csr, subject: CN=O, "
                      "policy: issuing-ca, output: o.pem}\n",
     "`subject` goes with `key`"},
    {"a file written twice",
     HEAD TOKENS ACTS "  - crl: {issuer: root, number: 1, lifetime: 9d, output: root.pem}\n",
     "c.yaml:13:58: the act on line 12 writes root.pem already"},
    {"a file elsewhere",
     HEAD TOKENS "acts:\n" KEY "  - self-signed: {name: root, key: root, policy: root-ca, subject: "
                 "CN=Root, output: ../root.pem}\n",
     "'../root.pem' has to be made of letters"},
    {"days without a CRL",
     HEAD TOKENS ACTS "  - crl: {issuer: root, number: 1, lifetime: 9d, series: {count: 2, every: "
                      "10d, step: 1}, output: r.crl}\n",
     "days without a CRL"},
    {"a key after its end",
     HEAD TOKENS ACTS "  - destroy: {key: root}\n  - backup: {key: root, method: none}\n",
     "the act on line 13 destroys the key 'root'"},
    {"an issuer after its end",
     HEAD TOKENS ACTS "  - destroy: {key: root}\n"
                      "  - crl: {issuer: root, number: 1, lifetime: 9d, output: r.crl}\n",
     "the act on line 13 destroys the key 'root'"},
    {"a PIN of a token that is not there",
     HEAD TOKENS ACTS "  - change-pin: {token: none, pin: [Ada]}\n", "there is no token 'none'"},
    {"a PIN for a stranger", HEAD TOKENS ACTS "  - change-pin: {token: root, pin: [Eve]}\n",
     "there is no 'Eve' under persons"},
    {"a PIN for nobody", HEAD TOKENS ACTS "  - change-pin: {token: root, pin: []}\n",
     "pin has to name those who type it"},
    {"a way of backup that is none", HEAD TOKENS ACTS "  - backup: {key: root, method: hope}\n",
     "none, vendor-clone"},
    {"a copy", HEAD TWO_TOKENS ACTS COPY, NULL},
    {"a copy of a copy, which is destroyed",
     HEAD TWO_TOKENS
     "  third: {profile: softhsm, uri: 'pkcs11:token=t', serial: '3', pin: [Bob]}\n" ACTS COPY
     "  - backup: {key: copy, method: wrap, token: third, copy: more}\n  - destroy: {key: more}\n",
     NULL},
    {"a copy without a place", HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: wrap}\n",
     "go with `method: wrap`"},
    {"a copy without a name",
     HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: wrap, token: spare}\n",
     "go with `method: wrap`"},
    {"a place without a copy",
     HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: none, token: spare, copy: copy}\n",
     "go with `method: wrap`"},
    {"a copy on no token",
     HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: wrap, token: spear, copy: copy}\n",
     "there is no token 'spear' under tokens"},
    {"a copy on the same token",
     HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: wrap, token: root, copy: copy}\n",
     "its copy belongs on another one"},
    {"a copy called like its key",
     HEAD TWO_TOKENS ACTS "  - backup: {key: root, method: wrap, token: spare, copy: root}\n",
     "an earlier act has a key 'root' already"},
    {"two copies on one token",
     HEAD TWO_TOKENS ACTS COPY "  - backup: {key: root, method: wrap, token: spare, copy: other}\n",
     "key 'copy' has this label on the same token"},
    {"a copy of a destroyed key", HEAD TWO_TOKENS ACTS "  - destroy: {key: root}\n" COPY,
     "destroys the key 'root'"},
    {"a copy of an Ed25519 key",
     HEAD "tokens:\n  root: {profile: softhsm, uri: 'pkcs11:token=r', serial: '1', pin: [Bob], "
          "signer: direct}\n"
          "  spare: {profile: softhsm, uri: 'pkcs11:token=s', serial: '2', pin: [Bob]}\nacts:\n"
          "  - make-key: {key: root, token: root, label: a, type: Ed25519}\n" COPY,
     "those can't be wrapped"},
};

static void files_are_accepted_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ceremony_file) struct sg_ceremony_file file = {0};
        struct sg_error error = {0};
        bool verdict =
            sg_ceremony_file_parse("c.yaml", sg_slice_text(CASES[i].text), &file, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].name, verdict, &error);
            continue;
        }
        expect_failure(CASES[i].name, verdict, &error, SG_INVALID, CASES[i].complaint);
        assert_memory_equal(error.text, "c.yaml:", 7);
        assert_null(file.document);
    }
}

static void acts_know_what_they_refer_to(void **state)
{
    sg_auto(sg_ceremony_file) struct sg_ceremony_file file = {0};
    struct sg_error error = {0};
    char name[SG_CEREMONY_NAME_SIZE];
    const struct sg_ceremony_act *crl;
    const size_t *holders;

    (void)state;
    expect_success("every kind",
                   sg_ceremony_file_parse("c", sg_slice_text(CASES[1].text), &file, &error),
                   &error);
    assert_int_equal(file.num_acts, 12);
    assert_int_equal(file.num_keys, 2);
    assert_int_equal(file.num_certificates, 4);
    assert_int_equal(file.certificates[0].key, 0);
    assert_int_equal(file.certificates[1].key, 1);
    assert_true(file.certificates[2].key == SG_CEREMONY_NONE);
    assert_int_equal(file.acts[3].issuer, 0);
    assert_int_equal(file.acts[3].key, 1);
    crl = &file.acts[5];
    assert_int_equal(sg_ceremony_num_outputs(crl), 3);
    assert_string_equal(sg_ceremony_output_name(crl, 0, name), "root-1.crl");
    assert_string_equal(sg_ceremony_output_name(crl, 2, name), "root-11.crl");
    assert_int_equal(sg_ceremony_num_outputs(&file.acts[8]), 0);
    assert_int_equal(file.acts[9].giver, 1);
    assert_int_equal(file.acts[9].taker, 2);
    assert_int_equal(file.signatures, 1);
    assert_int_equal(file.keys[1].end, 11);
    assert_true(file.keys[0].end == SG_CEREMONY_NONE);
    assert_int_equal(sg_ceremony_holders(&file, 0, 10, &holders), 1);
    assert_int_equal(holders[0], 1);
    assert_int_equal(sg_ceremony_holders(&file, 0, 11, &holders), 2);
    assert_int_equal(holders[1], 2);
}

static void names_become_parts_of_file_names(void **state)
{
    static const struct {
        const char *name, *slug;
    } NAMES[] = {{"Ada Example", "ada-example"},
                 {"  J. R.  O'Hara ", "j-r-o-hara"},
                 {"\xc3\x84sop", "sop"},
                 {"../x", "x"}};
    char slug[SG_CEREMONY_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i < NUM(NAMES); i++)
        assert_string_equal(sg_ceremony_slug(NAMES[i].name, slug), NAMES[i].slug);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_accepted_or_refused),
        cmocka_unit_test(acts_know_what_they_refer_to),
        cmocka_unit_test(names_become_parts_of_file_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
