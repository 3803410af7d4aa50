#include "ml_dsa.h"
#include "policy_fixture.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"

#define CA_KEYS "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]"
/* One more line in a policy for CAs; it is line 8. */
#define CONSTRAINED(line, complaint)                                                               \
    {                                                                                              \
        {{"keys", CA_KEYS}, {"ca", "ca: {path_length: 0}"}, {"more", line}}, complaint             \
    }
#define NOTICE_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOTICE_201 NOTICE_50 NOTICE_50 NOTICE_50 NOTICE_50 "a"

/* Each is the small policy with one or two keys changed. */
static const struct {
    struct change changes[MOST_CHANGES];
    const char *complaint; /* NULL: accepted. Else its line and column, and what it says */
} CASES[] = {
    {{{NULL, NULL}}, NULL},

    /* the file as a whole */
    {{{"policy", ""}}, "1:1: key 'policy' is missing"},
    {{{"description", ""}}, "1:1: key 'description' is missing"},
    {{{"who", ""}}, "1:1: key 'who' is missing"},
    {{{"keys", ""}}, "1:1: key 'keys' is missing"},
    {{{"subject",
       "subject: [{CN: {value: a, issuer: equal}}, {O: {value: b, issuer: equal-or-absent}}]"}},
     NULL},
    {{{"subject", "subject: [{CN: {value: a, issuer: same}}]"}},
     "5:35: issuer has to be one of: equal, equal-or-absent"},
    {{{"san", "san: [{dirname: [{CN: {value: a, issuer: equal}}]}]"}},
     "7:34: unknown key 'issuer'"},
    {{{"san", "san: [{dns: {value: a.example, issuer: equal}}]"}}, "7:32: unknown key 'issuer'"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]"},
      {"ca", "ca: {path_length: none, self_signed: true}"},
      {"subject", "subject: [{CN: {value: a, issuer: equal}}]"}},
     "5:24: 'issuer' compares with the issuer's subject"},
    {{{"examples", "examples: [{csr: x, issuer: {CN: a, VID: FFF1}, expect: accept}]"}}, NULL},
    {{{"examples", "examples: [{csr: x, issuer: a, expect: accept}]"}},
     "7:29: issuer is a mapping"},
    {{{"examples", "examples: [{csr: x, issuer: {}, expect: accept}]"}},
     "7:29: issuer is a mapping"},
    {{{"examples", "examples: [{csr: x, issuer: {cn: a}, expect: accept}]"}},
     "7:30: \"cn\" is no name attribute"},
    {{{"examples", "examples: [{csr: x, issuer: {CN: ''}, expect: accept}]"}}, "7:34: "},
    {{{"subject", ""}}, "1:1: key 'subject' is missing"},
    {{{"validity", ""}}, "1:1: key 'validity' is missing"},
    {{{"colour", "colour: red"}},
     "7:1: unknown key 'colour'; known here: policy, description, who, keys, subject, san, "
     "extended_key_usage, extensions, certificate_policies, ca, name_constraints, "
     "policy_constraints, inhibit_any_policy, publish, validity, renewal, unique, quota, "
     "server_keys, request, examples"},
    {{{"policy", "policy: small\npolicy: small"}}, "2:1: key 'policy' is here twice"},

    /* policy, description */
    {{{"policy", "policy: 0-a-9"}}, NULL},
    {{{"policy", "policy: Small"}}, "1:9: 'Small' is no name of a policy"},
    {{{"policy", "policy: ''"}}, "1:9: '' is no name of a policy"},
    {{{"policy", "policy: a_b"}}, "1:9: 'a_b' is no name of a policy"},
    {{{"policy", "policy: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
     "1:9: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is no name"},
    {{{"policy", "policy: [a]"}}, "1:9: policy has to be a single value"},
    {{{"description", "description: ''"}}, "2:14: say in a line"},
    {{{"description", "description:"}}, "2:13: description is empty"},

    /* who */
    {{{"who", "who: {all: [operator, {approval: officer}]}"}}, NULL},
    {{{"who", "who: {any: [lease, ticket, operator], unknown_device: register}"}}, NULL},
    {{{"who", "who: {any: [ticket], unknown_device: refuse}"}}, NULL},
    {{{"who", "who: [operator]"}}, "3:6: who has to be a mapping"},
    {{{"who", "who: {}"}}, "3:6: who wants {any: […]} or {all: […]}"},
    {{{"who", "who: {unknown_device: register}"}}, "3:6: who wants {any: […]} or {all: […]}"},
    {{{"who", "who: {any: [operator], all: [ticket]}"}}, "3:29: who takes either any or all"},
    {{{"who", "who: {any: []}"}}, "3:12: nobody could ask"},
    {{{"who", "who: {any: operator}"}}, "3:12: any has to be a sequence"},
    {{{"who", "who: {some: [operator]}"}}, "3:7: unknown key 'some'; known here: any, all"},
    {{{"who", "who: {any: [root]}"}},
     "3:13: this value has to be one of: operator, ticket, renewal, lease, officer; not 'root'"},
    {{{"who", "who: {any: [operator, operator]}"}}, "3:23: this is in the list twice"},
    {{{"who", "who: {all: [{approval: a}, {approval: b}]}"}}, "3:28: this is in the list twice"},
    {{{"who", "who: {any: [{approval: Officer}]}"}}, "3:24: 'Officer' is no role"},
    {{{"who", "who: {any: [{approved: me}]}"}}, "3:14: unknown key 'approved'"},
    {{{"who", "who: {any: [operator], unknown_device: keep}"}},
     "3:40: unknown_device has to be one of: refuse, register"},
    {{{"who", "who: {any: [ticket], unknown_device: register}"}},
     "3:6: unknown_device: register needs an operator"},
    {{{"who", "who: {any: [renewal]}"}}, "3:6: who has renewal, but this policy renews nothing"},
    {{{"who", "who: {any: [renewal]}"}, {"renewal", "renewal: {window: 60d}"}}, NULL},
    {{{"who", "who: {any: [operator, ticket]}"}, {"keys", CA_KEYS}, {"ca", "ca: {path_length: 0}"}},
     "3:6: CA certificates are given by people at the CA alone"},
    {{{"who", "who: {any: [operator, officer]}"},
      {"keys", CA_KEYS},
      {"ca", "ca: {path_length: 0}"}},
     "3:6: CA certificates are given by people at the CA alone: operator and {approval: ROLE}, "
     "not ticket, renewal, lease or officer"},

    /* keys */
    {{{"keys", "keys: [{rsa: 3072, key_usage: [digitalSignature, keyEncipherment]}]"}}, NULL},
    {{{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"}}, NULL},
    {{{"keys", "keys: [{rsa: 2048..3071, key_usage: [digitalSignature]}, "
               "{rsa: 3072..8192, key_usage: [nonRepudiation]}]"}},
     NULL},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [keyAgreement, encipherOnly]}]"}}, NULL},
    {{{"keys", "keys: []"}}, "4:7: the list of keys is empty"},
    {{{"keys", "keys: P-256"}}, "4:7: keys has to be a list"},
    {{{"keys", "keys: [P-256]"}}, "4:8: this value has to be a mapping"},
    {{{"keys", "keys: [{key_usage: [digitalSignature]}]"}}, "4:8: which keys?"},
    {{{"keys", "keys: [{ec: [P-256]}]"}}, "4:8: key 'key_usage' is missing"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: []}]"}}, "4:33: key_usage is empty"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [signing]}]"}}, "4:34: \"signing\" is no"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [keyAgreement, keyAgreement]}]"}},
     "4:48: keyAgreement is in the list twice"},
    {{{"keys", "keys: [{ec: [], key_usage: [digitalSignature]}]"}}, "4:13: the list of curves"},
    {{{"keys", "keys: [{ec: [P-192], key_usage: [digitalSignature]}]"}},
     "4:14: 'P-192' is no curve"},
    {{{"keys", "keys: [{ec: [P-256, P-256], key_usage: [digitalSignature]}]"}},
     "4:21: P-256 is in the list twice"},
    {{{"keys", "keys: [{ec: P-256, key_usage: [digitalSignature]}]"}},
     "4:13: ec has to be a sequence"},
    {{{"keys", "keys: [{dsa: 2048, key_usage: [digitalSignature]}]"}},
     "4:9: unknown key 'dsa'; known here: rsa, ec, ed25519, ml-dsa, key_usage"},
    {{{"keys", "keys: [{rsa: 2048, ec: [P-256], key_usage: [digitalSignature]}]"}},
     "4:24: one kind of key for each entry; give ec an entry of its own"},
    {{{"keys", "keys: [{ed25519: false, key_usage: [digitalSignature]}]"}},
     "4:18: what a policy does not name is refused"},
    {{{"keys", "keys: [{ed25519: 'true', key_usage: [digitalSignature]}]"}},
     "4:18: ed25519 has to be true or false"},
    {{{"keys", "keys: [{rsa: 1024, key_usage: [digitalSignature]}]"}},
     "4:14: '1024' is no size of RSA keys"},
    {{{"keys", "keys: [{rsa: 4096..2048, key_usage: [digitalSignature]}]"}}, "4:14: '4096..2048'"},
    {{{"keys", "keys: [{rsa: 2048..16384, key_usage: [digitalSignature]}]"}},
     "4:14: '2048..16384'"},
    {{{"keys", "keys: [{rsa: 2048..., key_usage: [digitalSignature]}]"}}, "4:14: '2048...'"},
    {{{"keys", "keys: [{rsa: 02048, key_usage: [digitalSignature]}]"}}, "4:14: '02048'"},
    {{{"keys", "keys: [{rsa: 2048 bit, key_usage: [digitalSignature]}]"}}, "4:14: '2048 bit'"},
    {{{"keys", "keys: [{rsa: any, key_usage: [digitalSignature]}]"}}, "4:14: 'any'"},
    {{{"keys", "keys: [{rsa: 2048..3072, key_usage: [digitalSignature]}, "
               "{rsa: 3072, key_usage: [digitalSignature]}]"}},
     "4:58: this entry and the one on line 4 take the same keys"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}, "
               "{ec: [P-384, P-256], key_usage: [digitalSignature]}]"}},
     "4:54: this entry and the one on line 4 take the same keys"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}, "
               "{ed25519: true, key_usage: [digitalSignature]}]"}},
     "4:56: this entry and the one on line 4 take the same keys"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature, keyEncipherment]}]"}},
     "4:33: remove keyEncipherment: an EC key never enciphers (RFC 8813 3)"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [dataEncipherment]}]"}},
     "4:33: remove dataEncipherment: an EC key never enciphers (RFC 8813 3)"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [keyAgreement]}]"}},
     "4:35: remove keyAgreement: an Ed25519 key only signs"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [keyEncipherment]}]"}},
     "4:35: remove keyEncipherment: an Ed25519 key only signs"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [dataEncipherment]}]"}},
     "4:35: remove dataEncipherment: an Ed25519 key only signs"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}, "
               "{ml-dsa: [ML-DSA-44, ML-DSA-65, ML-DSA-87], key_usage: [digitalSignature]}]"}},
     NULL},
    {{{"keys", "keys: [{ml-dsa: [], key_usage: [digitalSignature]}]"}},
     "4:17: the list of parameter sets is empty; use ML-DSA-44"},
    {{{"keys", "keys: [{ml-dsa: [P-256], key_usage: [digitalSignature]}]"}},
     "4:18: 'P-256' is no parameter set of ML-DSA"},
    {{{"keys", "keys: [{ec: [ML-DSA-65], key_usage: [digitalSignature]}]"}},
     "4:14: 'ML-DSA-65' is no curve"},
    {{{"keys", "keys: [{ml-dsa: [ML-DSA-65, ML-DSA-65], key_usage: [digitalSignature]}]"}},
     "4:29: ML-DSA-65 is in the list twice"},
    {{{"keys", "keys: [{ml-dsa: [ML-DSA-65], key_usage: [digitalSignature]}, "
               "{ml-dsa: [ML-DSA-87, ML-DSA-65], key_usage: [digitalSignature]}]"}},
     "4:62: this entry and the one on line 4 take the same keys"},
    {{{"keys", "keys: [{ml-dsa: [ML-DSA-65], key_usage: [digitalSignature, keyEncipherment]}]"}},
     "4:41: remove keyEncipherment: an ML-DSA key only signs (RFC 9881 5)"},
    {{{"keys", "keys: [{ml-dsa: [ML-DSA-65], key_usage: [keyAgreement]}]"}},
     "4:41: remove keyAgreement: an ML-DSA key only signs (RFC 9881 5)"},
    {{{"keys", "keys: [{rsa: 2048, key_usage: [keyAgreement]}]"}},
     "4:31: remove keyAgreement: an RSA key agrees on no keys"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature, decipherOnly]}]"}},
     "4:33: decipherOnly means nothing without keyAgreement"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature, encipherOnly]}]"}},
     "4:33: encipherOnly means nothing without keyAgreement"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [keyCertSign]}]"}},
     "4:33: keyCertSign and cRLSign are for CAs alone"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature, cRLSign]}]"}},
     "4:33: keyCertSign and cRLSign are for CAs alone"},
    {{{"ca", "ca: {path_length: 0}"}}, "4:33: a CA's keys need keyCertSign and cRLSign"},
    {{{"keys", "keys: [{ec: [P-256], key_usage: [keyCertSign]}]"}, {"ca", "ca: {path_length: 0}"}},
     "4:33: a CA's keys need keyCertSign and cRLSign"},

    /* subject */
    {{{"subject", "subject: [{CN: x}, {OU: a}, {OU: b}, {2.5.4.65: nick}, {C: DE}]"}}, NULL},
    {{{"subject", "subject: [{CN: {value: '${user.name}', match: '[a-z ]+', optional: true}}]"}},
     NULL},
    {{{"subject", "subject: []"}, {"san", "san: [{dns: a.example}]"}}, NULL},
    {{{"subject", "subject: []"}}, "5:10: subject is empty; without san too"},
    {{{"subject", "subject: []"},
      {"san", "san: [{dns: a.example}]"},
      {"keys", CA_KEYS},
      {"ca", "ca: {path_length: 0}"}},
     "5:10: a CA needs a subject"},
    {{{"subject", "subject: [{CN: x}, {emailAddress: a@b}]"}, {"san", "san: [{email: a@b}]"}},
     NULL},
    {{{"subject", "subject: [{CN: x}, {emailAddress: a@b}]"}, {"san", "san: [{dns: b}]"}},
     "5:35: emailAddress needs the same address as an email in san"},
    {{{"subject", "subject: {CN: x}"}}, "5:10: subject has to be a list"},
    {{{"subject", "subject: [CN]"}}, "5:11: each entry is a mapping of one key"},
    {{{"subject", "subject: [{CN: x, O: y}]"}}, "5:11: each entry is a mapping of one key"},
    {{{"subject", "subject: [{}]"}}, "5:11: each entry is a mapping of one key"},
    {{{"subject", "subject: [{cn: x}]"}}, "5:12: \"cn\" is no name attribute"},
    {{{"subject", "subject: [{9.9: x}]"}}, "5:12: \"9.9\" is no name attribute"},
    {{{"subject", "subject: [{CN: ''}]"}}, "5:16: the text is empty"},
    {{{"subject", "subject: [{CN: }]"}}, "5:16: CN is empty"},
    {{{"subject", "subject: [{CN: [x]}]"}}, "5:16: CN has to be a single value"},
    {{{"subject", "subject: [{C: Germany}]"}}, "5:15: C \"Germany\" must have 2 characters"},
    {{{"subject", "subject: [{CN: x}, {C: DE}, {serialNumber: '#1'}]"}},
     "5:44: serialNumber \"#1\" holds characters"},
    {{{"subject", "subject: [{CN: '${device.id'}]"}}, "5:16: '${device.id' opens ${"},
    {{{"subject", "subject: [{CN: '${id}'}]"}}, "5:16: ${id} is no reference: use ${device.NAME}"},
    {{{"subject", "subject: [{CN: '${}'}]"}}, "5:16: ${} is no reference"},
    {{{"subject", "subject: [{CN: '${device.}'}]"}}, "5:16: ${device.} is no reference"},
    {{{"subject", "subject: [{CN: '${device.a b}'}]"}}, "5:16: ${device.a b} is no reference"},
    {{{"subject", "subject: [{CN: '${device.${user.name}}'}]"}},
     "5:16: ${device.${user.name} is no reference"},
    {{{"subject", "subject: [{CN: '${request.cn}'}]"}}, "5:16: \"cn\" is no name attribute"},
    {{{"subject", "subject: [{CN: '${issuer.key}'}]"}}, "5:16: ${issuer.key} is no reference"},
    {{{"subject", "subject: [{CN: '$${issuer.key}'}]"}}, NULL},
    {{{"subject", "subject: [{CN: {match: x}}]"}}, "5:12: key 'value' is missing in CN"},
    {{{"subject", "subject: [{CN: {value: x, pattern: x}}]"}},
     "5:27: unknown key 'pattern'; known here: value, match, optional"},
    {{{"subject", "subject: [{CN: {value: '${device.id}', match: '['}}]"}},
     "5:47: pattern '[' is wrong at byte"},
    {{{"subject", "subject: [{CN: {value: '${device.id}', optional: maybe}}]"}},
     "5:50: optional has to be true or false"},
    {{{"subject", "subject: [{CN: {value: x, optional: true}}]"}},
     "5:24: a text without a reference is never absent"},
    {{{"subject", "subject: [{CN: {value: x, match: y}}]"}}, "5:24: \"x\" does not match y"},

    /* san */
    {{{"san", "san: [{uri: 'urn:x:${device.id}'}, {dns: a.example}, {email: a@b.example}, "
              "{ip: 192.0.2.1}, {upn: '${user.upn}'}]"}},
     NULL},
    {{{"san", "san: []"}}, "7:6: the list of san is empty"},
    {{{"san", "san: [{url: x}]"}}, "7:8: \"url\" is no kind of alternative name"},
    {{{"san", "san: [{other: x}]"}}, "7:15: other has to be a mapping"},
    {{{"san", "san: [{registered_id: 1.2.3}, {dirname: [{CN: '${device.id}'}, {O: x}]}, "
              "{hardware-module: {type: 1.2.3, serial: '${device.sn}'}}, "
              "{permanent-identifier: {value: '${device.sn}', assigner: 1.2.3}}, "
              "{permanent-identifier: {value: {value: '${device.sn}', optional: true}}}, "
              "{other: {oid: 1.2.3, octets: '00ff'}}, {other: {oid: 1.2.3, utf8: '${device.x}'}}, "
              "{dns: {value: '${device.names}', each: ',', match: '.*', optional: true}}]"}},
     NULL},
    {{{"san", "san: [{registered_id: x}]"}}, "7:23: registered_id: \"x\" must be an OID"},
    {{{"san", "san: [{dirname: CN=x}]"}}, "7:17: dirname has to be a list"},
    {{{"san", "san: [{dirname: []}]"}}, "7:17: the list of dirname is empty"},
    {{{"san", "san: [{dirname: [{C: Germany}]}]"}}, "7:22: C"},
    {{{"san", "san: [{dirname: [{XY: x}]}]"}}, "7:19: \"XY\" is no name attribute"},
    {{{"san", "san: [{hardware-module: {serial: x}}]"}}, "7:8: key 'type' is missing"},
    {{{"san", "san: [{hardware-module: {type: 1.2.3}}]"}}, "7:8: key 'serial' is missing"},
    {{{"san", "san: [{hardware-module: {type: abc, serial: x}}]"}}, "7:32: \"abc\" is no OID"},
    {{{"san", "san: [{permanent-identifier: {assigner: 1.2.3}}]"}}, "7:8: key 'value' is missing"},
    {{{"san", "san: [{permanent-identifier: {value: x, assigner: y}}]"}}, "7:51: \"y\" is no OID"},
    {{{"san", "san: [{other: {utf8: x}}]"}}, "7:8: key 'oid' is missing"},
    {{{"san", "san: [{other: {oid: 1.2.3}}]"}}, "7:15: the otherName has no value"},
    {{{"san", "san: [{other: {oid: 1.2.3, utf8: x, ia5: y}}]"}}, "7:42: one value for each"},
    {{{"san", "san: [{other: {oid: 1.3.6.1.4.1.311.20.2.3, utf8: a@b}}]"}},
     "7:21: other: \"1.3.6.1.4.1.311.20.2.3;utf8:x\" has a kind of its own: use upn"},
    {{{"san", "san: [{other: {oid: 1.3.6.1.5.5.7.8.4, utf8: a}}]"}}, "7:21: other:"},
    {{{"san", "san: [{dns: {value: a.example, each: ','}}]"}},
     "7:21: a text with 'each' has exactly one reference"},
    {{{"san", "san: [{dns: {value: '${device.a}.${device.b}', each: ','}}]"}},
     "7:21: a text with 'each' has exactly one reference"},
    {{{"san", "san: [{dns: {value: '${device.a}', each: ''}}]"}},
     "7:42: each is what stands between"},
    {{{"san", "san: [{dns: {value: '${device.a}', each: '123456789'}}]"}}, "7:42: each is what"},
    {{{"san", "san: [{dirname: [{CN: {value: '${device.a}', each: ','}}]}]"}},
     "7:46: unknown key 'each'"},
    {{{"san",
       "san: [{hardware-module: {type: 1.2.3, serial: {value: '${device.a}', each: ','}}}]"}},
     "7:70: unknown key 'each'"},
    {{{"san", "san: [{dns: a_b}]"}}, "7:13: dns: \"a_b\""},
    {{{"san", "san: [dns]"}}, "7:7: each entry is a mapping of one key"},
    {{{"san", "san: [{dns: '${host}'}]"}}, "7:13: ${host} is no reference"},

    /* extended_key_usage */
    {{{"eku", "extended_key_usage: [clientAuth, 1.3.6.1.5.5.7.3.17]"}}, NULL},
    {{{"eku", "extended_key_usage: none"}}, NULL},
    {{{"eku", "extended_key_usage: []"}}, "7:21: extended_key_usage is a list of purposes"},
    {{{"eku", "extended_key_usage: clientAuth"}}, "7:21: extended_key_usage is a list"},
    {{{"eku", "extended_key_usage: [clientauth]"}}, "7:22: \"clientauth\" is no key purpose"},
    {{{"eku", "extended_key_usage: [1.3.x]"}}, "7:22: \"1.3.x\" is no key purpose"},
    {{{"eku", "extended_key_usage: [clientAuth, 1.3.6.1.5.5.7.3.2]"}},
     "7:34: clientAuth is there twice"},
    {{{"eku", "extended_key_usage: {critical: [pivCardAuth]}"}}, NULL},
    {{{"eku", "extended_key_usage: {critical: []}"}},
     "7:32: extended_key_usage is a list of purposes"},
    {{{"eku", "extended_key_usage: {critical: none}"}}, "7:32: extended_key_usage is a list"},
    {{{"eku", "extended_key_usage: {purposes: [clientAuth]}"}}, "7:22: unknown key 'purposes'"},
    {{{"eku", "extended_key_usage: {critical: [anyExtendedKeyUsage]}"}},
     "7:32: anyExtendedKeyUsage limits nothing and can't be critical"},

    /* extensions */
    {{{"ext", "extensions: [{oid: 1.3.6.1.4.1.32473.1, critical: false, utf8: 'x:${device.type}'}, "
              "{oid: 1.3.6.1.5.5.7.1.7, critical: true, der: '3000'}, "
              "{oid: ocspNoCheck, null: true}, {oid: 1.3.6.1.4.1.32473.2, integer: -7}, "
              "{oid: 1.3.6.1.4.1.32473.3, boolean: false}, {oid: 1.3.6.1.4.1.32473.4, ia5: x}, "
              "{oid: 1.3.6.1.4.1.32473.5, printable: 'x'}]"}},
     NULL},
    {{{"ext", "extensions: []"}}, "7:13: the list of extensions is empty"},
    {{{"ext", "extensions: [{oid: 1.3.6.1.4.1.32473.1, critical: true, utf8: x}]"}},
     "7:51: 1.3.6.1.4.1.32473.1 can't be critical: verifiers such as OpenSSL don't know it"},
    {{{"ext", "extensions: [{oid: ocspNoCheck, null: true, critical: true}]"}},
     "7:55: ocspNoCheck must not be critical (RFC 6960 4.2.2.2.1)"},
    {{{"ext", "extensions: [{utf8: x}]"}}, "7:14: key 'oid' is missing"},
    {{{"ext", "extensions: [{oid: 1.2.3}]"}}, "7:14: the extension has no value"},
    {{{"ext", "extensions: [{oid: 3.2.1, utf8: x}]"}}, "7:20: \"3.2.1\" is no extension"},
    {{{"ext", "extensions: [{oid: nocheck, utf8: x}]"}}, "7:20: \"nocheck\" is no extension"},
    {{{"ext", "extensions: [{oid: 1.2.3, utf8: x, ia5: y}]"}},
     "7:41: one value for each extension"},
    {{{"ext", "extensions: [{oid: 1.2.3, integer: 1, null: true}]"}},
     "7:45: one value for each extension"},
    {{{"ext", "extensions: [{oid: 1.2.3, integer: 1.5}]"}},
     "7:36: integer has to be a whole number"},
    {{{"ext", "extensions: [{oid: 1.2.3, boolean: 1}]"}}, "7:36: boolean has to be true or false"},
    {{{"ext", "extensions: [{oid: 1.2.3, null: false}]"}}, "7:33: write null: true"},
    {{{"ext", "extensions: [{oid: 1.2.3, null: true, critical: yes}]"}},
     "7:49: critical has to be true or false"},
    {{{"ext", "extensions: [{oid: 1.2.3, ia5: Köln}]"}}, "7:32: \"Köln\" is not ASCII"},
    {{{"ext", "extensions: [{oid: 1.2.3, printable: a_b}]"}}, "7:38: \"a_b\" is more than letters"},
    {{{"ext", "extensions: [{oid: 1.2.3, hex: '00'}]"}}, "7:27: unknown key 'hex'"},
    {{{"ext", "extensions: [{oid: 1.2.3, octets: '0'}]"}}, "7:35: \"0\" is no hex"},
    {{{"ext", "extensions: [{oid: 1.2.3, base64: 'AA'}]"}}, "7:35: \"AA\" is no base64"},
    {{{"ext", "extensions: [{oid: 1.2.3, der: '0201'}]"}}, "7:32: \"0201\" is not exactly one"},
    {{{"ext", "extensions: [{oid: 1.2.3, integer: '1'}]"}},
     "7:36: integer has to be a whole number"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: []}]"}}, "7:37: the list of sequence is empty"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: x}]"}}, "7:37: sequence has to be a list"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: [{}]}]"}}, "7:38: the item has no value"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: [{utf8: x, integer: 1}]}]"}},
     "7:57: one value for each"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: [{oid: 1.2.3}]}]"}}, "7:39: unknown key 'oid'"},
    {{{"ext", "extensions: [{oid: 1.2.3, sequence: [{sequence: [{ia5: ü}]}]}]"}},
     "7:56: \"ü\" is not ASCII"},
    {{{"ext", "extensions: [{ms-sid: '${user.sid}'}, {oid: 1.2.3, sequence: [{octets: 'ff'}, "
              "{sequence: [{utf8: '${device.x}'}, {null: true}]}]}]"}},
     NULL},
    {{{"ext", "extensions: [{ms-sid: S-1-5-21}]"}}, NULL},
    {{{"ext", "extensions: [{ms-sid: S-1-5}]"}}, "7:23: \"S-1-5\" is no SID"},
    {{{"ext", "extensions: [{ms-sid: '${user.sid}', oid: 1.2.3}]"}},
     "7:23: ms-sid has an OID of its own"},
    {{{"ext", "extensions: [{ms-sid: '${user.sid}', critical: true}]"}},
     "7:23: ms-sid has an OID of its own"},
    {{{"ext", "extensions: [{ms-sid: '${user.sid}', utf8: x}]"}}, "7:44: one value for each"},
    {{{"ext", "extensions: [{ms-sid: '${user.sid}'}, {ms-sid: '${user.sid}'}]"}},
     "7:39: msSid is here twice"},
    {{{"ext", "extensions: [{oid: msSid, utf8: x}]"}},
     "7:20: msSid is not written here: use ms-sid"},
    {{{"ext", "extensions: [{oid: 1.2.3, utf8: x}, {oid: 1.2.3, utf8: y}]"}},
     "7:37: 1.2.3 is here twice; the first is on line 7"},
    {{{"ext", "extensions: [{oid: keyUsage, utf8: x}]"}},
     "7:20: keyUsage is not written here: use key_usage in keys"},
    {{{"ext", "extensions: [{oid: 2.5.29.14, utf8: x}]"}},
     "7:20: subjectKeyIdentifier is not written here: Signet writes it itself"},
    {{{"ext", "extensions: [{oid: 2.5.29.17, utf8: x}]"}},
     "7:20: subjectAltName is not written here: use san"},
    {{{"ext", "extensions: [{oid: 2.5.29.19, utf8: x}]"}}, "7:20: basicConstraints is not written"},
    {{{"ext", "extensions: [{oid: 2.5.29.31, utf8: x}]"}}, "7:20: cRLDistributionPoints is not"},
    {{{"ext", "extensions: [{oid: 2.5.29.35, utf8: x}]"}}, "7:20: authorityKeyIdentifier is not"},
    {{{"ext", "extensions: [{oid: 2.5.29.37, utf8: x}]"}}, "7:20: extendedKeyUsage is not written"},
    {{{"ext", "extensions: [{oid: authorityInfoAccess, utf8: x}]"}},
     "7:20: authorityInfoAccess is not written here: use publish"},
    {{{"ext", "extensions: [{oid: 2.5.29.32, utf8: x}]"}},
     "7:20: certificatePolicies is not written here: use certificate_policies"},
    {{{"ext", "extensions: [{oid: 2.5.29.30, utf8: x}]"}}, "7:20: nameConstraints is not written"},
    {{{"ext", "extensions: [{oid: 2.5.29.36, utf8: x}]"}},
     "7:20: policyConstraints is not written"},
    {{{"ext", "extensions: [{oid: 2.5.29.54, utf8: x}]"}}, "7:20: inhibitAnyPolicy is not written"},
    {{{"ext", "extensions: [{oid: 2.5.29.33, utf8: x}]"}},
     "7:20: policyMappings has a form of its own"},

    /* certificate_policies */
    {{{"cp",
       "certificate_policies: [{oid: 1.2.3, cps: 'https://a.example/cps', notice: Für Tests}, "
       "{oid: anyPolicy}]"}},
     NULL},
    {{{"cp", "certificate_policies: []"}}, "7:23: the list of certificate_policies is empty"},
    {{{"cp", "certificate_policies: 1.2.3"}}, "7:23: certificate_policies has to be a list"},
    {{{"cp", "certificate_policies: [{cps: 'https://a.example'}]"}}, "7:24: key 'oid' is missing"},
    {{{"cp", "certificate_policies: [{oid: any}]"}}, "7:30: \"any\" is no OID of a policy"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3}, {oid: 1.2.3}]"}},
     "7:38: policy 1.2.3 is here twice"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3, cps: 'ldap://a.example/x'}]"}},
     "7:42: cps is an http or https URL"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3, cps: 'http://a b'}]"}}, "7:42: cps is an http"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3, cps: 'http://${device.x}'}]"}},
     "7:42: no references here"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3, notice: ''}]"}}, "7:45: notice has 0 characters"},
    {{{"cp", "certificate_policies: [{oid: 1.2.3, notice: " NOTICE_201 "}]"}},
     "7:45: notice has 201 characters; from 1 to 200"},

    /* name_constraints, policy_constraints, inhibit_any_policy */
    CONSTRAINED("name_constraints: {permitted: {dns: [example.com]}}", NULL),
    CONSTRAINED("name_constraints: {permitted: {uri: [a.example, .b.example]}}", NULL),
    CONSTRAINED("name_constraints: {excluded: {ip: [192.0.2.0/24, '2001:db8::/32', 0.0.0.0/0, "
                "192.0.2.1/32, 10.128.0.0/9]}}",
                NULL),
    CONSTRAINED("name_constraints: {excluded: {email: [a@b.example, b.example, .b.example]}}",
                NULL),
    CONSTRAINED("name_constraints: {permitted: {dirname: [[{C: DE}, {O: x}]]}}", NULL),
    CONSTRAINED("name_constraints: {}", "8:19: name_constraints needs permitted, excluded or both"),
    CONSTRAINED("name_constraints: {permitted: {}}", "8:31: permitted names nothing"),
    CONSTRAINED("name_constraints: {excluded: {upn: [a]}}", "8:31: unknown key 'upn'"),
    CONSTRAINED("name_constraints: {permitted: {dns: []}}", "8:37: the list of dns is empty"),
    CONSTRAINED("name_constraints: {permitted: {dns: a.example}}", "8:37: dns has to be a list"),
    CONSTRAINED("name_constraints: {permitted: {dns: [.example.com]}}",
                "8:38: \".example.com\": dns is a domain such as example.com"),
    CONSTRAINED("name_constraints: {permitted: {dns: ['*.example.com']}}",
                "8:38: \"*.example.com\": dns is a domain"),
    CONSTRAINED("name_constraints: {permitted: {dns: ['${device.x}']}}",
                "8:38: no references here"),
    CONSTRAINED("name_constraints: {permitted: {email: ['@b.example']}}",
                "8:40: \"@b.example\": email is an address"),
    CONSTRAINED("name_constraints: {permitted: {uri: ['https://a.example']}}",
                "8:38: \"https://a.example\": uri is a host"),
    CONSTRAINED("name_constraints: {permitted: {uri: [example]}}", "8:38: \"example\": uri is"),
    CONSTRAINED("name_constraints: {permitted: {uri: [192.0.2.1]}}", "8:38: \"192.0.2.1\": uri is"),
    CONSTRAINED("name_constraints: {permitted: {ip: [192.0.2.1]}}",
                "8:37: \"192.0.2.1\": ip is a network"),
    CONSTRAINED("name_constraints: {permitted: {ip: [192.0.2.1/24]}}",
                "8:37: \"192.0.2.1/24\": ip"),
    CONSTRAINED("name_constraints: {permitted: {ip: [192.0.2.0/33]}}",
                "8:37: \"192.0.2.0/33\": ip"),
    CONSTRAINED("name_constraints: {permitted: {ip: [192.0.2.0/024]}}", "8:37: \"192.0.2.0/024\""),
    CONSTRAINED("name_constraints: {permitted: {ip: [192.0.2/24]}}", "8:37: \"192.0.2/24\": ip"),
    CONSTRAINED("name_constraints: {permitted: {dirname: [{C: DE}]}}",
                "8:42: dirname has to be a list"),
    CONSTRAINED("name_constraints: {permitted: {dirname: [[{C: Germany}]]}}", "8:47: C"),
    CONSTRAINED("name_constraints: {permitted: {dirname: [[{CN: '${device.id}'}]]}}",
                "8:48: no references here"),
    CONSTRAINED("policy_constraints: {require_explicit: 0, inhibit_mapping: 16}", NULL),
    CONSTRAINED("policy_constraints: {}", "8:21: policy_constraints needs require_explicit"),
    CONSTRAINED("policy_constraints: {require_explicit: 17}",
                "8:40: require_explicit has to be from"),
    CONSTRAINED("policy_constraints: {inhibit_mapping: -1}",
                "8:39: inhibit_mapping has to be from"),
    CONSTRAINED("inhibit_any_policy: 0", NULL),
    CONSTRAINED("inhibit_any_policy: true", "8:21: inhibit_any_policy has to be a whole number"),
    {{{"nc", "name_constraints: {permitted: {dns: [example.com]}}"}},
     "7:19: name_constraints is for the certificates of CAs"},
    {{{"pc", "policy_constraints: {require_explicit: 0}"}}, "7:21: policy_constraints is for the"},
    {{{"ia", "inhibit_any_policy: 0"}}, "7:21: inhibit_any_policy is for the certificates of CAs"},

    /* ca, publish */
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: none, self_signed: true}"}}, NULL},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: 16}"}}, NULL},
    {{{"keys", CA_KEYS}, {"ca", "ca: {}"}}, "7:1: key 'path_length' is missing in ca"},
    {{{"keys", CA_KEYS}, {"ca", "ca: true"}}, "7:5: ca has to be a mapping"},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: -1}"}}, "7:19: path_length has to be from 0"},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: 17}"}}, "7:19: path_length has to be from 0"},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: any}"}}, "7:19: path_length has to be a whole"},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: 0, self_signed: no}"}},
     "7:35: self_signed has to be true or false"},
    {{{"keys", CA_KEYS}, {"ca", "ca: {path_length: 0, depth: 1}"}}, "7:22: unknown key 'depth'"},
    {{{"publish", "publish: {crl: required, ocsp: offered, ca_issuers: offered}"}}, NULL},
    {{{"publish", "publish: {crl: always}"}}, "7:16: crl has to be one of: required, offered"},
    {{{"publish", "publish: {ocsp: true}"}}, "7:17: ocsp has to be one of: required, offered"},
    {{{"publish", "publish: {ca_issuers: no}"}}, "7:23: ca_issuers has to be one of"},
    {{{"publish", "publish: {delta: offered}"}}, "7:11: unknown key 'delta'"},
    {{{"publish", "publish: offered"}}, "7:10: publish has to be a mapping"},

    /* validity */
    {{{"validity", "validity: {for: 2d, align: day}"}}, NULL},
    {{{"validity", "validity: {for: 2h, align: hour}"}}, NULL},
    {{{"validity", "validity: {for: 47h, align: day}"}},
     "6:11: align needs a validity of two days at least"},
    {{{"validity", "validity: {for: 119m, align: hour}"}},
     "6:11: align needs a validity of two hours at least"},
    {{{"validity", "validity: {for: 2d, align: week}"}}, "6:28: align has to be one of: day, hour"},
    {{{"validity", "validity: {until: '${device.retires}'}"}}, NULL},
    {{{"validity", "validity: {until: {value: '${device.retires}', match: '2.*'}}"}}, NULL},
    {{{"validity", "validity: {until: '${device.retires}', for: 1d}"}},
     "6:11: validity wants either"},
    {{{"validity", "validity: {until: {value: '${device.retires}', optional: true}}"}},
     "6:11: until can't be optional"},
    {{{"validity", "validity: {until: '${now}'}"}}, "6:19: ${now} is no reference"},
    {{{"validity", "validity: {until: never, past_issuer: allow}"}}, NULL},
    {{{"validity", "validity: {until: 2030-01-01T00:00:00Z, backdate: 5m, past_issuer: cut}"}},
     NULL},
    {{{"validity", "validity: {}"}}, "6:11: validity wants either for: 365d or until: never"},
    {{{"validity", "validity: {for: 1d, until: never}"}}, "6:11: validity wants either for: 365d"},
    {{{"validity", "validity: {for: 365}"}}, "6:17: for: '365' is a duration without a unit"},
    {{{"validity", "validity: {for: 0d}"}}, "6:17: for has to be longer than 0"},
    {{{"validity", "validity: {until: later}"}}, "6:19: until is never or a moment: "},
    {{{"validity", "validity: {until: 2030-02-30T00:00:00Z}"}},
     "6:19: until is never or a moment: "},
    {{{"validity", "validity: {for: 1d, backdate: 5}"}},
     "6:31: backdate: '5' is a duration without"},
    {{{"validity", "validity: {for: 1d, past_issuer: ignore}"}},
     "6:34: past_issuer has to be one of: refuse, cut, allow"},
    {{{"validity", "validity: {for: 1d, from: now}"}}, "6:21: unknown key 'from'"},
    {{{"validity", "validity: 365d"}}, "6:11: validity has to be a mapping"},

    /* renewal, unique */
    {{{"server_keys", "server_keys: cms"}}, NULL},
    {{{"server_keys", "server_keys: plain"}}, NULL},
    {{{"server_keys", "server_keys: never"}}, NULL},
    {{{"server_keys", "server_keys: pkcs12"}}, "7:14: server_keys has to be one of"},
    {{{"keys", CA_KEYS}, {"server_keys", "server_keys: cms"}, {"ca", "ca: {path_length: 0}"}},
     "7:14: the key of a CA is made by the CA"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"},
      {"server_keys", "server_keys: cms"}},
     "7:14: the service makes keys on P-256, P-384 and P-521, and of RSA"},
    {{{"keys", "keys: [{rsa: 8192, key_usage: [digitalSignature]}]"},
      {"server_keys", "server_keys: plain"}},
     "7:14: the service makes keys on P-256, P-384 and P-521, and of RSA"},
    {{{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"},
      {"server_keys", "server_keys: never"}},
     NULL},
    {{{"keys",
       "keys: [{ed25519: true, key_usage: [digitalSignature]}, {rsa: 4096..8192, key_usage: "
       "[digitalSignature]}]"},
      {"server_keys", "server_keys: cms"}},
     NULL},
    {{{"server_keys", "server_keys: cms"}, {"who", "who: {all: [ticket, {approval: officer}]}"}},
     "7:14: who asks for an approval, which is of one key"},
    {{{"server_keys", "server_keys: cms"}, {"who", "who: {any: [ticket]}"}}, NULL},
    {{{"renewal", "renewal: never"}}, NULL},
    {{{"renewal", "renewal: {window: 60d, same_key: allow, previous: revoke}"}}, NULL},
    {{{"renewal", "renewal: always"}}, "7:10: renewal is never, or {window: 60d, …}"},
    {{{"renewal", "renewal: {same_key: allow}"}}, "7:1: key 'window' is missing in renewal"},
    {{{"renewal", "renewal: {window: 0d}"}}, "7:19: window has to be longer than 0"},
    {{{"renewal", "renewal: {window: 60}"}}, "7:19: window: '60' is a duration without a unit"},
    {{{"renewal", "renewal: {window: 365d}"}}, "7:19: the window is no shorter than"},
    {{{"renewal", "renewal: {window: 60d}"}, {"validity", "validity: {until: never}"}},
     "7:19: a certificate that never expires"},
    {{{"renewal", "renewal: {window: 60d, same_key: yes}"}}, "7:34: same_key has to be one of"},
    {{{"renewal", "renewal: {window: 60d, recheck: [user.enabled, user.sid, device.type]}"}}, NULL},
    {{{"renewal", "renewal: {window: 60d, of: [idevid, vpn]}"}}, NULL},
    {{{"renewal", "renewal: {window: 60d, of: []}"}}, "7:28: the list of of is empty"},
    {{{"renewal", "renewal: {window: 60d, of: idevid}"}}, "7:28: of has to be a list"},
    {{{"renewal", "renewal: {window: 60d, of: [Idevid]}"}}, "7:29: 'Idevid' is no policy's name"},
    {{{"renewal", "renewal: {window: 60d, of: [vpn, vpn]}"}}, "7:34: vpn is here twice"},
    {{{"renewal", "renewal: {window: 60d, recheck: []}"}}, "7:33: the list of recheck is empty"},
    {{{"renewal", "renewal: {window: 60d, recheck: user.sid}"}}, "7:33: recheck has to be a list"},
    {{{"renewal", "renewal: {window: 60d, recheck: [sid]}"}}, "7:34: 'sid' is nothing to recheck"},
    {{{"renewal", "renewal: {window: 60d, recheck: [user.]}"}}, "7:34: 'user.' is nothing to"},
    {{{"renewal", "renewal: {window: 60d, recheck: ['${user.sid}']}"}}, "7:34: '${user.sid}' is"},
    {{{"renewal", "renewal: {window: 60d, recheck: [user.sid, user.sid]}"}},
     "7:44: user.sid is here twice"},
    {{{"renewal", "renewal: {window: 60d, previous: drop}"}}, "7:34: previous has to be one of"},
    {{{"renewal", "renewal: {window: 60d, after: 1d}"}}, "7:24: unknown key 'after'"},
    {{{"unique", "unique: user"}}, NULL},
    {{{"unique", "unique: none"}}, NULL},
    {{{"unique", "unique: key"}}, "7:9: unique has to be one of: device, user, none; not 'key'"},

    /* quota */
    {{{"quota", "quota: {certificates: 1, per: hour}"}}, NULL},
    {{{"quota", "quota: {certificates: 1000000000, per: day}"}}, NULL},
    {{{"quota", "quota: {certificates: 20000, per: policy}"}}, NULL},
    {{{"quota", "quota: 20000"}}, "7:8: quota is {certificates: 20000, per: day}"},
    {{{"quota", "quota: {certificates: 0, per: day}"}}, "7:23: "},
    {{{"quota", "quota: {certificates: 1000000001, per: day}"}}, "7:23: "},
    {{{"quota", "quota: {certificates: 5, per: week}"}},
     "7:31: per has to be one of: hour, day, policy"},
    {{{"quota", "quota: {certificates: 5}"}}, "7:1: key 'per' is missing in quota"},
    {{{"quota", "quota: {per: day}"}}, "7:1: key 'certificates' is missing in quota"},

    /* request */
    {{{"request", "request: {subject: ignore, san: equal, extensions: ignore}"}}, NULL},
    {{{"request", "request: {subject: same}"}},
     "7:20: subject has to be one of: equal, equal-or-absent, ignore"},
    {{{"request", "request: {san: match}"}}, "7:16: san has to be one of: equal"},
    {{{"request", "request: {extensions: equal}"}},
     "7:23: extensions has to be one of: match, ignore"},
    {{{"request", "request: {version: any}"}}, NULL},
    {{{"request", "request: {version: v3}"}}, "7:20: version has to be one of: v1, any"},
    {{{"request", "request: {key: equal}"}}, "7:11: unknown key 'key'"},
    {{{"request", "request: equal"}}, "7:10: request has to be a mapping"},

    /* examples */
    {{{"examples", "examples: [{csr: a.csr, device: {id: a, type: b}, user: {name: c}, "
                   "expect: accept}, {csr: b.csr, expect: {refuse: keys}}]"}},
     NULL},
    {{{"examples", "examples: []"}}, "7:11: the list of examples is empty"},
    {{{"examples", "examples: [{expect: accept}]"}}, "7:12: key 'csr' is missing"},
    {{{"examples", "examples: [{csr: a.csr}]"}}, "7:12: key 'expect' is missing"},
    {{{"examples", "examples: [{csr: '', expect: accept}]"}}, "7:18: csr names a file"},
    {{{"examples", "examples: [{csr: a, expect: refuse}]"}}, "7:29: expect is accept, or {refuse:"},
    {{{"examples", "examples: [{csr: a, expect: [accept]}]"}},
     "7:29: expect is accept, or {refuse:"},
    {{{"examples", "examples: [{csr: a, expect: {reject: keys}}]"}}, "7:30: unknown key 'reject'"},
    {{{"examples", "examples: [{csr: a, expect: {refuse: ''}}]"}}, "7:38: refuse names the rule"},
    {{{"examples", "examples: [{csr: a, device: {type: b}, expect: accept}]"}},
     "7:29: device is a mapping of its id and attributes"},
    {{{"examples", "examples: [{csr: a, device: b, expect: accept}]"}},
     "7:29: device is a mapping of its id and attributes"},
    {{{"examples", "examples: [{csr: a, user: {id: b}, expect: accept}]"}},
     "7:27: user is a mapping of its name and attributes"},
    {{{"examples", "examples: [{csr: a, device: {id: [b]}, expect: accept}]"}},
     "7:34: id has to be a single value"},
};

static void every_key_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_buf) struct sg_buf text = {0}, complaint = {0};
        struct sg_error error = {0}, unused = {0};
        bool parsed;

        write_policy(CASES[i].changes, &text);
        parsed = sg_policy_parse("p.yaml", sg_buf_slice(&text), &policy, &error);
        if (CASES[i].complaint == NULL) {
            expect_success((char *)text.data, parsed, &error);
            continue;
        }
        must(
            sg_buf_printf(&complaint, SG_ERROR_TEXT_SIZE, &unused, "p.yaml:%s", CASES[i].complaint),
            &unused);
        expect_failure((char *)text.data, parsed, &error, SG_INVALID, (char *)complaint.data);
        assert_null(policy);
        assert_int_equal(strncmp(error.text, (char *)complaint.data, complaint.len), 0);
    }
}

static void lists_have_limits(void **state)
{
    static const struct {
        const char *begin, *item;
        size_t most;
        const char *complaint;
    } LISTS[] = {
        {"subject: [", "{OU: x}, ", SG_LIMIT_RDNS, "5:10: 33 subject; 32 at most"},
        {"san: [", "{dns: a.example}, ", SG_LIMIT_SANS, "7:6: 101 san; 100 at most"},
        {"keys: [", "{ec: [P-256], key_usage: [digitalSignature]}, ", 1, "take the same keys"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(LISTS); i++) {
        for (size_t more = 0; more <= 1; more++) {
            sg_auto(sg_policy) struct sg_policy *policy = NULL;
            sg_auto(sg_buf) struct sg_buf line = {0};
            struct sg_error error = {0};
            struct change changes[MOST_CHANGES] = {{0}};
            char key[16] = "";
            bool parsed;

            sscanf(LISTS[i].begin, "%15[a-z]", key);
            must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "%s", LISTS[i].begin), &error);
            for (size_t num = 0; num < LISTS[i].most + more; num++)
                must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "%s", LISTS[i].item), &error);
            must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "]"), &error);
            changes[0] = (struct change){key, (char *)line.data};
            parsed = parse_changed(changes, &policy, &error);
            if (more == 0)
                expect_success(key, parsed, &error);
            else
                expect_failure(key, parsed, &error, SG_INVALID, LISTS[i].complaint);
        }
    }
}

/* Lists whose items must differ: "#" stands for the item's number. */
static void lists_of_different_items_have_limits(void **state)
{
    static const struct {
        const char *begin, *item, *end;
        int most;
        const char *complaint;
    } LISTS[] = {
        {"extensions: [", "{oid: 1.2.#, utf8: x}, ", "]", 64, "7:13: 65 extensions; 64 at most"},
        {"certificate_policies: [", "{oid: 1.2.#}, ", "]", 16,
         "7:23: 17 certificate_policies; 16 at most"},
        {"name_constraints: {permitted: {dns: [", "a#.example, ", "]}}", 100,
         "7:37: 101 dns; 100 at most"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * NUM(LISTS); i++) {
        const int more = i % 2, list = (int)(i / 2);
        const char *mark = strchr(LISTS[list].item, '#');
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_buf) struct sg_buf line = {0};
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{0}};
        bool parsed;

        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "%s", LISTS[list].begin), &error);
        for (int num = 0; num < LISTS[list].most + more; num++)
            must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "%.*s%d%s",
                               (int)(mark - LISTS[list].item), LISTS[list].item, num, mark + 1),
                 &error);
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "%s", LISTS[list].end), &error);
        changes[0] = (struct change){"more", (char *)line.data};
        if (strncmp(LISTS[list].begin, "name", 4) == 0) {
            changes[1] = (struct change){"keys", CA_KEYS};
            changes[2] = (struct change){"ca", "ca: {path_length: 0}"};
        }
        parsed = parse_changed(changes, &policy, &error);
        if (more == 0)
            expect_success(LISTS[list].begin, parsed, &error);
        else
            expect_failure(LISTS[list].begin, parsed, &error, SG_INVALID, LISTS[list].complaint);
    }
}

static void a_policy_knows_itself(void **state)
{
    static const struct change CHANGES[MOST_CHANGES] = {
        {"who", "who: {any: [operator], unknown_device: register}"},
        {"examples",
         "examples:\n"
         "  - {csr: a.csr, device: {id: device-1, type: leo}, expect: accept}\n"
         "  - {csr: b.csr, device: {id: b}, user: {name: Ada}, expect: {refuse: subject.CN}}"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    const struct sg_policy_example *first = NULL, *second = NULL;
    uint8_t sha256[SG_SHA256_LEN];
    struct sg_error error = {0};

    (void)state;
    write_policy(CHANGES, &text);
    expect_success("parse", sg_policy_parse("p.yaml", sg_buf_slice(&text), &policy, &error),
                   &error);
    assert_string_equal(sg_policy_name(policy), "small");
    assert_string_equal(sg_policy_description(policy), "For tests");
    sg_sha256(sg_buf_slice(&text), sha256);
    assert_memory_equal(sg_policy_sha256(policy), sha256, sizeof sha256);
    assert_true(sg_slice_equal(sg_policy_source(policy), sg_buf_slice(&text)));
    assert_true(sg_policy_registers(policy));

    assert_int_equal(sg_policy_num_examples(policy), 2);
    first = sg_policy_example(policy, 0);
    second = sg_policy_example(policy, 1);
    assert_string_equal(first->csr, "a.csr");
    assert_string_equal(first->device->id, "device-1");
    assert_string_equal(sg_record_value(first->device, "type"), "leo");
    assert_null(first->user);
    assert_true(first->accept);
    assert_null(first->refuse);
    assert_int_equal(first->line, 8);
    assert_string_equal(second->device->id, "b");
    assert_string_equal(second->user->id, "Ada");
    assert_false(second->accept);
    assert_string_equal(second->refuse, "subject.CN");
    assert_int_equal(second->line, 9);
}

/* Which keys OpenSSL knows differs by the one that runs: a policy that can still take some loads.
 */
static void ml_dsa_is_noted_or_taken(void **state)
{
    static const struct change MIXED[MOST_CHANGES] = {
        {"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}, "
                 "{ml-dsa: [ML-DSA-65], key_usage: [digitalSignature]}]"}};
    static const struct change ALONE[MOST_CHANGES] = {
        {"keys", "keys: [{ml-dsa: [ML-DSA-87], key_usage: [digitalSignature]}]"}};
    static const struct change WITHOUT[MOST_CHANGES] = {
        {"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}]"}};
    sg_auto(sg_policy) struct sg_policy *mixed = NULL, *alone = NULL, *without = NULL;
    struct sg_error error = {0}, note = {0};

    (void)state;
    expect_success("mixed", parse_changed(MIXED, &mixed, &error), &error);
    expect_success("without", parse_changed(WITHOUT, &without, &error), &error);
    assert_false(sg_policy_has_note(without, &note));
    assert_int_equal(sg_policy_has_note(mixed, &note), !has_ml_dsa());
    if (has_ml_dsa()) {
        expect_success("alone", parse_changed(ALONE, &alone, &error), &error);
        return;
    }
    assert_non_null(strstr(note.text,
                           "4:54: requests with these keys can't be read here: ML-DSA-65 "
                           "needs OpenSSL 3.5 or newer"));
    expect_failure("alone", parse_changed(ALONE, &alone, &error), &error, SG_INVALID,
                   "4:8: this policy takes no key that can be read here: ML-DSA-87 needs OpenSSL");
}

static void fields_that_a_registry_lacks_are_noted(void **state)
{
    struct sg_schema_field of_device[] = {{.name = "id"}, {.name = "type"}};
    const struct sg_schema device = {of_device, NUM(of_device)}, user = {0};
    static const struct {
        struct change changes[MOST_CHANGES];
        const char *notes;
    } NOTED[] = {
        {{{NULL, NULL}}, ""},
        {{{"subject", "subject: [{CN: '${device.typo}'}]"}},
         "5:16: the registry has no field device.typo (a device has id, type)\n"},
        {{{"subject", "subject: [{CN: 'x${device.id}${device.typo}'}, {O: '${device.typo}'}]"}},
         "5:16: the registry has no field device.typo (a device has id, type)\n"},
        {{{"subject", "subject: [{CN: '${user.name}'}]"}},
         "5:16: the registry has no field user.name (a user has none)\n"},
        {{{"san", "san: [{dns: {value: '${device.host}', optional: true}}]"}},
         "no field device.host (a device has id, type)"},
        {{{"san", "san: [{dirname: [{CN: '${device.of}'}]}]"}},
         "no field device.of (a device has id, type)"},
        {{{"san", "san: [{hardware-module: {type: 1.2.3, serial: '${device.serial}'}}]"}},
         "no field device.serial (a device has id, type)"},
        {{{"extensions", "extensions: [{oid: 1.2.3, sequence: [{utf8: '${device.in}'}]}]"}},
         "no field device.in (a device has id, type)"},
        {{{"validity", "validity: {until: '${device.end}'}"}},
         "no field device.end (a device has id, type)"},
        {{{"renewal", "renewal: {window: 10d, recheck: [device.enabled, device.type]}"}}, ""},
        {{{"renewal", "renewal: {window: 10d, recheck: [device.enabled, device.old]}"}},
         "no field device.old (a device has id, type)"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(NOTED); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_buf) struct sg_buf notes = {0};
        struct sg_error error = {0};
        const char *text;

        expect_success("parse", parse_changed(NOTED[i].changes, &policy, &error), &error);
        expect_success("note", sg_policy_note_fields(policy, &device, &user, &notes, &error),
                       &error);
        text = notes.len > 0 ? (const char *)notes.data : "";
        if (NOTED[i].notes[0] == '\0' ? notes.len > 0 : strstr(text, NOTED[i].notes) == NULL)
            fail_msg("%zu: %s", i, text);
        if (notes.len > 0)
            assert_ptr_equal(strchr(text, '\n'), text + notes.len - 1);
    }
}

static void the_first_key_is_suggested(void **state)
{
    static const struct {
        const char *keys;
        struct sg_key_kind kind;
    } KEYS[] = {
        {"keys: [{ec: [P-384, P-256], key_usage: [digitalSignature]}]", {SG_KEY_EC, 256}},
        {"keys: [{rsa: 3072..4096, key_usage: [digitalSignature]}, {ec: [P-256], key_usage: "
         "[digitalSignature]}]",
         {SG_KEY_RSA, 3072}},
        {"keys: [{ed25519: true, key_usage: [digitalSignature]}]", {SG_KEY_ED25519, 0}},
    };

    (void)state;
    for (size_t i = 0; i < NUM(KEYS); i++) {
        const struct change changes[MOST_CHANGES] = {{"keys", KEYS[i].keys}};
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_buf) struct sg_buf text = {0};
        struct sg_error error = {0};

        write_policy(changes, &text);
        expect_success(KEYS[i].keys,
                       sg_policy_parse("p.yaml", sg_buf_slice(&text), &policy, &error), &error);
        assert_true(sg_key_kind_equal(sg_policy_suggests_key(policy), KEYS[i].kind));
    }
}

static void needs_follow_from_references(void **state)
{
    static const struct {
        struct change changes[MOST_CHANGES];
        bool device, user, ca, self_signed, registers;
    } NEEDS[] = {
        {{{NULL, NULL}}, .device = true},
        {{{"subject", "subject: [{CN: x}]"}}, .device = false},
        {{{"subject", "subject: [{CN: '${user.name}'}]"}}, .user = true},
        {{{"subject", "subject: [{CN: x}]"}, {"unique", "unique: device"}}, .device = true},
        {{{"subject", "subject: [{CN: x}]"}, {"validity", "validity: {until: '${device.end}'}"}},
         .device = true},
        {{{"subject", "subject: [{CN: x}]"}, {"unique", "unique: user"}}, .user = true},
        {{{"subject", "subject: [{CN: x}]"}, {"unique", "unique: none"}}, .user = false},
        {{{"subject", "subject: [{CN: x}]"}, {"san", "san: [{upn: '${user.upn}'}]"}}, .user = true},
        {{{"subject", "subject: [{CN: x}, {O: {value: '${device.o}', optional: true}}]"}},
         .device = false},
        {{{"subject", "subject: [{CN: x}]"},
          {"extensions", "extensions: [{oid: 1.2.3, utf8: '${device.type}'}]"}},
         .device = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"extensions", "extensions: [{oid: 1.2.3, sequence: [{utf8: '${device.type}'}]}]"}},
         .device = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"extensions", "extensions: [{ms-sid: '${user.sid}'}]"}},
         .user = true},
        {{{"subject", "subject: [{CN: x}]"}, {"san", "san: [{dirname: [{CN: '${user.name}'}]}]"}},
         .user = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"san", "san: [{hardware-module: {type: 1.2.3, serial: '${device.sn}'}}]"}},
         .device = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"san", "san: [{other: {oid: 1.2.3, utf8: '${user.x}'}}]"}},
         .user = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"keys", CA_KEYS},
          {"ca", "ca: {path_length: 0, self_signed: true}"}},
         .ca = true,
         .self_signed = true},
        {{{"subject", "subject: [{CN: x}]"}, {"keys", CA_KEYS}, {"ca", "ca: {path_length: 0}"}},
         .ca = true},
        {{{"subject", "subject: [{CN: x}]"},
          {"who", "who: {any: [operator], unknown_device: register}"}},
         .registers = true},
    };

    (void)state;
    for (size_t i = 0; i < NUM(NEEDS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        struct sg_error error = {0};

        expect_success("needs", parse_changed(NEEDS[i].changes, &policy, &error), &error);
        if (sg_policy_needs_device(policy) != NEEDS[i].device ||
            sg_policy_needs_user(policy) != NEEDS[i].user ||
            sg_policy_is_ca(policy) != NEEDS[i].ca ||
            sg_policy_is_self_signed(policy) != NEEDS[i].self_signed ||
            sg_policy_registers(policy) != NEEDS[i].registers)
            fail_msg("the needs of case %zu", i);
    }
}

static void files_are_called_like_their_policy(void **state)
{
    static const struct {
        const char *file, *complaint;
    } FILES[] = {
        {"small.yaml", NULL},
        {"other.yaml",
         "other.yaml:1:9: the policy is called small, so its file has to be small.yaml"},
        {"small.yml", "small.yml:1:9: the policy is called small"},
        {"small", "small:1:9: the policy is called small"},
        {"smaller.yaml", "smaller.yaml:1:9: the policy is called small"},
    };
    static const struct change NONE[MOST_CHANGES] = {{0}};
    sg_auto(sg_buf) struct sg_buf text = {0};
    char folder[64];

    (void)state;
    make_folder(folder);
    write_policy(NONE, &text);
    for (size_t i = 0; i < NUM(FILES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(malloc) char *path = NULL;
        struct sg_error error = {0};
        bool loaded;

        must(sg_path_join(folder, FILES[i].file, &path, &error), &error);
        must(sg_file_write(path, sg_buf_slice(&text), 0600, SG_KEEP_EXISTING, &error), &error);
        loaded = sg_policy_load(path, &policy, &error);
        if (FILES[i].complaint == NULL)
            expect_success(path, loaded, &error);
        else
            expect_failure(path, loaded, &error, SG_INVALID, FILES[i].complaint);
    }
    remove_folder(folder);
}

static void unreadable_files_say_so(void **state)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_buf) struct sg_buf large = {0};
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};
    char folder[64];

    (void)state;
    make_folder(folder);
    must(sg_path_join(folder, "large.yaml", &path, &error), &error);
    expect_failure("missing", sg_policy_load(path, &policy, &error), &error, SG_FAILED,
                   "cannot open");
    sg_error_clear(&error);
    for (size_t i = 0; i <= SG_LIMIT_YAML / 1024; i++) {
        char comment[1025] = "";

        memset(comment, '#', 1023);
        comment[1023] = '\n';
        must(sg_buf_append(&large, comment, 1024, 2 * SG_LIMIT_YAML, &error), &error);
    }
    must(sg_file_write(path, sg_buf_slice(&large), 0600, SG_KEEP_EXISTING, &error), &error);
    expect_failure("large", sg_policy_load(path, &policy, &error), &error, SG_INVALID,
                   "is larger than");
    sg_error_clear(&error);
    expect_failure("large text", sg_policy_parse("p.yaml", sg_buf_slice(&large), &policy, &error),
                   &error, SG_INVALID, "p.yaml");
    assert_null(policy);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read_strictly),
        cmocka_unit_test(lists_have_limits),
        cmocka_unit_test(lists_of_different_items_have_limits),
        cmocka_unit_test(a_policy_knows_itself),
        cmocka_unit_test(ml_dsa_is_noted_or_taken),
        cmocka_unit_test(fields_that_a_registry_lacks_are_noted),
        cmocka_unit_test(the_first_key_is_suggested),
        cmocka_unit_test(needs_follow_from_references),
        cmocka_unit_test(files_are_called_like_their_policy),
        cmocka_unit_test(unreadable_files_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
