# direct: the main path with the direct signer, an Ed25519 issuer included.
load common
load expect

setup_file() {
    start_in_own_folder
    make_home ca --signer direct
    signet -C ca issuer self-sign ca --subject "CN=Test CA ca,O=Example GmbH" -o ca.pem
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ON=(--profile softhsm --signer direct)
}

# serves HOME: it certifies, revokes, and its CRL says so; openssl checks all of it.
serves() {
    local home=$1 device=device-${1^^}0001
    make_device "$home" "$device"
    signet -C "$home" issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    openssl verify -x509_strict -CAfile "$home.pem" "$device.pem"
    signet -C "$home" crl -o "$home.crl"
    openssl verify -x509_strict -crl_check -CAfile "$home.pem" -CRLfile "$home.crl" "$device.pem"
    signet -C "$home" revoke "$device.pem" --reason keyCompromise
    signet -C "$home" crl -o "$home.crl" --force
    run openssl verify -x509_strict -crl_check -CAfile "$home.pem" -CRLfile "$home.crl" "$device.pem"
    [[ $status -ne 0 && $output == *"certificate revoked"* ]] || fail "$output"
}

@test "signet.yaml says which signer, and check knows it" {
    grep -q "^    signer: 'direct'" ca/signet.yaml
}

@test "an EC issuer certifies, revokes and makes CRLs" { serves ca; }

@test "an RSA issuer with PSS" {
    KEY_TYPE=RSA-3072 make_home pss --signer direct --signature rsa-pss-sha384
    signet -C pss issuer self-sign pss --subject "CN=pss" -o pss.pem
    openssl x509 -in pss.pem -noout -text | grep -q "Signature Algorithm: rsassaPss"
    serves pss
}

@test "an Ed25519 issuer" {
    KEY_TYPE=Ed25519 make_home ed --signer direct
    sed -i 's/^keys:/keys:\n  - {ed25519: true, key_usage: [keyCertSign, cRLSign]}/' ed/policies/root-ca.yaml
    signet -C ed issuer self-sign ed --subject "CN=ed" -o ed.pem
    openssl x509 -in ed.pem -noout -text | grep -q "Signature Algorithm: ED25519"
    serves ed
}

@test "a request by an Ed25519 key on a token" {
    make_token card
    signet key create 'pkcs11:token=card;object=login' --type Ed25519 --pin file:pin/card "${ON[@]}"
    signet csr --key 'pkcs11:token=card;object=login' --subject CN=card --pin file:pin/card \
        "${ON[@]}" -o card.csr
    openssl req -in card.csr -verify -noout
}

@test "--signer names a signer, and goes with a URI" {
    fails 2 '"gpg" is no signer: use engine or direct' -- signet key create \
        'pkcs11:token=ca;object=x' --profile softhsm --signer gpg
    fails 2 "--signer goes with a PKCS#11 URI" -- signet -C ca key create ca --signer direct
    fails 2 "--signer goes with a key on a token" -- signet csr --new-key k.pem --subject CN=x --signer direct
}
