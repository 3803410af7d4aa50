# cards: cards and devices whose certificates other people's standards describe. OpenSSL, GnuTLS
# and NSS take the chains; the bytes of what only the standards know are pinned.
load ../flow/common
load ../flow/expect

FASCN=d4e739d8210c2c1084244583685821084210848840421843fa
UUID=9a2b7e4c-3f5d-4c1a-8b6e-0d1f2a3b4c5d
SID=S-1-5-21-1004336348-1177238915-682003330-1107
PIV_AUTH=2.16.840.1.101.3.2.1.3.13 PIV_CARD=2.16.840.1.101.3.2.1.3.17

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    sed -i '/^examples/,$d' root/policies/issuing-ca.yaml
    echo "certificate_policies: [{oid: $PIV_AUTH}, {oid: $PIV_CARD}]" >>root/policies/issuing-ca.yaml
    make_issuing_home issuing root --ocsp-url http://pki.example.com/ocsp \
        --ca-issuers-url http://pki.example.com/issuing.cer
    signet -C issuing device add device-AB12 serial=SN-0042
    signet -C issuing user add "Ada Lovelace" upn=ada@corp.example.com "sid=$SID" "fascn=$FASCN" "card_uuid=$UUID"
    openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -subj "/CN=Ada Lovelace" -out smartcard-logon.csr 2>/dev/null
    make_key_and_request piv-auth.csr "/CN=Ada Lovelace"
    make_key_and_request piv-card-auth.csr "/serialNumber=$UUID"
    make_key_and_request idevid.csr /serialNumber=SN-0042
    make_key_and_request ldevid.csr /CN=device-AB12/serialNumber=SN-0042
    for policy in smartcard-logon piv-auth piv-card-auth; do
        signet -C issuing issue -p $policy -u "Ada Lovelace" -o $policy.pem $policy.csr
    done
    for policy in idevid ldevid; do
        signet -C issuing issue -p $policy -d device-AB12 -o $policy.pem $policy.csr
    done
    for policy in smartcard-logon piv-auth piv-card-auth idevid ldevid; do
        cat $policy.pem issuing.pem >$policy-chain.pem
    done
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# verify POLICY [OPTION...]
verify() {
    ok openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem "${@:2}" "$1.pem"
}

# refuses TEXT POLICY [OPTION...]
refuses() {
    run openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem "${@:3}" "$2.pem"
    [ "$status" -ne 0 ] && [[ $output == *"$1"* ]] || fail "$output"
}

# value_of POLICY OID: the DER of an extension's value, in hex. OID as asn1parse shows it; a pattern.
value_of() {
    local at
    openssl x509 -in "$1.pem" -outform DER -out value.der
    at=$(openssl asn1parse -inform DER -in value.der | grep -A 2 ":$2\$" | sed -n '/OCTET STRING/{s/^ *\([0-9]*\):.*/\1/p;q}')
    openssl asn1parse -inform DER -in value.der -strparse "$at" -noout -out value.inner
    od -An -v -tx1 value.inner | tr -d ' \n'
}

# The SubjectAltName goes by its short name in asn1parse.
SAN="X509v3 Subject Alternative Name"

@test "OpenSSL accepts all of them, strictly" {
    local policy
    for policy in smartcard-logon piv-auth piv-card-auth idevid ldevid; do
        verify "$policy"
    done
}

@test "GnuTLS accepts all of them" {
    local policy
    for policy in smartcard-logon piv-auth piv-card-auth idevid ldevid; do
        ok certtool --verify --load-ca-certificate root.pem --infile $policy-chain.pem
    done
}

@test "NSS accepts the clients among them, and not the card" {
    local policy db=sql:$PWD/nss
    mkdir nss
    certutil -N -d "$db" --empty-password
    certutil -A -d "$db" -n root -t CT,C, -i root.pem
    certutil -A -d "$db" -n issuing -t ,, -i issuing.pem
    for policy in smartcard-logon piv-auth idevid ldevid piv-card-auth; do
        certutil -A -d "$db" -n $policy -t ,, -i $policy.pem
    done
    for policy in smartcard-logon piv-auth idevid ldevid; do
        ok certutil -V -d "$db" -n $policy -u C -e
    done
    run certutil -V -d "$db" -n piv-card-auth -u C -e
    [ "$status" -ne 0 ] && [[ $output == *"type not approved"* ]]
}

@test "as TLS clients: people and devices, not the card by itself" {
    local policy
    for policy in smartcard-logon piv-auth idevid ldevid; do
        verify $policy -purpose sslclient
    done
    refuses "purpose" piv-card-auth -purpose sslclient
    refuses "purpose" ldevid -purpose sslserver
}

@test "PIV: each certificate is valid for its own certificate policy, and no other" {
    verify piv-auth -policy $PIV_AUTH -policy_check -explicit_policy
    verify piv-card-auth -policy $PIV_CARD -policy_check -explicit_policy
    refuses "policy" piv-auth -policy $PIV_CARD -policy_check -explicit_policy
    refuses "policy" piv-card-auth -policy $PIV_AUTH -policy_check -explicit_policy
    refuses "policy" idevid -policy $PIV_AUTH -policy_check -explicit_policy
}

@test "PIV: FASC-N and card UUID, in their order and nothing more" {
    local uri
    uri=$(printf 'urn:uuid:%s' "$UUID" | od -An -v -tx1 | tr -d ' \n')
    # SEQUENCE { [0] { 2.16.840.1.101.3.6.6, [0] OCTET STRING }, [6] IA5String }
    local names=a02706086086480165030606a01b0419${FASCN}862d$uri
    expect_equal "piv-card-auth's names" "3058$names" "$(value_of piv-card-auth "$SAN")"
    [[ $(value_of piv-auth "$SAN") == 30??"$names"a0* ]]
}

@test "PIV: the card's purpose is alone and critical, and no person is named" {
    openssl x509 -in piv-card-auth.pem -noout -text >text
    grep -A 1 'X509v3 Extended Key Usage: critical' text | grep -q '^ *2.16.840.1.101.3.6.8$'
    not grep -q 'Ada' text
    openssl x509 -in piv-auth.pem -noout -text >text
    grep -A 1 'X509v3 Extended Key Usage: $' text | grep -q 'TLS Web Client Authentication'
}

@test "smartcard-logon: UPN and SID, byte by byte" {
    local upn sid
    upn=$(printf ada@corp.example.com | od -An -v -tx1 | tr -d ' \n')
    sid=$(printf %s "$SID" | od -An -v -tx1 | tr -d ' \n')
    # SEQUENCE { [0] { 1.3.6.1.4.1.311.20.2.3, [0] UTF8String } }
    expect_equal "the UPN" "3026a024060a2b060104018237140203a0160c14$upn" "$(value_of smartcard-logon "$SAN")"
    # SEQUENCE { [0] { 1.3.6.1.4.1.311.25.2.1, [0] OCTET STRING, the SID's text } }
    expect_equal "the SID" "303fa03d060a2b060104018237190201a02f042d$sid" \
        "$(value_of smartcard-logon '\(1.3.6.1.4.1.311.25.2\|Microsoft NTDS CA Extension\)')"
    openssl x509 -in smartcard-logon.pem -noout -ext subjectAltName >text
    grep -q 'UPN:.*ada@corp.example.com' text
}

# python_names POLICY: its alternative names as python3-cryptography reads them, one a line.
python_names() {
    python3 - "$1.pem" <<'EOT'
import pathlib, sys
from cryptography import x509
certificate = x509.load_pem_x509_certificate(pathlib.Path(sys.argv[1]).read_bytes())
names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
for name in names:
    if isinstance(name, x509.OtherName):
        print("other", name.type_id.dotted_string, name.value.hex())
    else:
        print(type(name).__name__, name.value)
EOT
}

@test "python3-cryptography reads the same names" {
    python3 -c 'import cryptography' 2>/dev/null || skip "python3-cryptography is missing"
    expect_equal "piv-card-auth" "other 2.16.840.1.101.3.6.6 0419$FASCN
UniformResourceIdentifier urn:uuid:$UUID" "$(python_names piv-card-auth)"
    expect_equal "smartcard-logon" \
        "other 1.3.6.1.4.1.311.20.2.3 0c14$(printf ada@corp.example.com | od -An -v -tx1 | tr -d ' \n')" \
        "$(python_names smartcard-logon)"
    expect_equal "idevid" \
        "other 1.3.6.1.5.5.7.8.4 3015060a2b0601040181fd5901020407534e2d30303432" "$(python_names idevid)"
}

@test "idevid: no end, no purposes, and the hardware's serial number" {
    openssl x509 -in idevid.pem -noout -text >text
    grep -q 'Not After : Dec 31 23:59:59 9999 GMT' text
    not grep -q 'Extended Key Usage' text
    openssl x509 -in idevid.pem -outform DER | openssl asn1parse -inform DER | grep -q 'GENERALIZEDTIME *:99991231235959Z'
    # A century from now, where the CAs above have gone.
    ok openssl verify -partial_chain -attime "$(date -u -d '+100 years' +%s)" -trusted idevid.pem idevid.pem
    run openssl verify -partial_chain -attime "$(date -u -d '+100 years' +%s)" -trusted ldevid.pem ldevid.pem
    [ "$status" -ne 0 ] && [[ $output == *"expired"* ]]
    # SEQUENCE { [0] { id-on-hardwareModuleName, [0] SEQUENCE { type, OCTET STRING } } }
    expect_equal "the hardware module" \
        3025a02306082b06010505070804a0173015060a2b0601040181fd5901020407534e2d30303432 \
        "$(value_of idevid "$SAN")"
    certtool --certificate-info --infile idevid.pem | grep -q 'Not After.*9999'
}
