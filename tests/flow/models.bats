# models: one list of tests for every token model and both signers. SIGNET_TEST_MODEL is the profile,
# SIGNET_TEST_SIGNER the signer; tests/flow/with-model gives the model's surroundings.
load common
load expect

setup_file() {
    start_in_own_folder
    printf 7654321 >pin/so
    printf 1234567 >pin/model
    case $SIGNET_TEST_MODEL in
    softhsm) signet token init --label model --so-pin file:pin/so --pin file:pin/model --profile softhsm ;;
    opencryptoki) "$SIGNET_DATA/tokens/opencryptoki/setup" model pin/so pin/model ;;
    esac
    local issuer scheme
    for issuer in root pss; do
        scheme=rsa-sha256
        [ $issuer = root ] || scheme=rsa-pss-sha384
        signet init $issuer --token pkcs11:token=model --pin file:../pin/model --profile "$SIGNET_TEST_MODEL" \
            --signer "$SIGNET_TEST_SIGNER" --signature $scheme \
            --crl-url http://pki.example.com/$issuer.crl || return 1
    done
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ON=(--profile "$SIGNET_TEST_MODEL" --pin file:pin/model)
    SIGN=("${ON[@]}" --signer "$SIGNET_TEST_SIGNER")
}

# serves HOME ALGORITHM: it gets a key and a certificate, certifies, revokes, and its CRL says so.
serves() {
    local home=$1 device=device-${1^^}0001
    signet -C "$home" key create "$home" --type RSA-3072
    signet -C "$home" issuer self-sign "$home" --subject "CN=$home" -o "$home.pem"
    openssl x509 -in "$home.pem" -noout -text | grep -q "Signature Algorithm: $2"
    make_device "$home" "$device"
    signet -C "$home" issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    signet -C "$home" crl -o "$home.crl"
    openssl verify -x509_strict -crl_check -CAfile "$home.pem" -CRLfile "$home.crl" "$device.pem"
    signet -C "$home" revoke "$device.pem"
    signet -C "$home" crl -o "$home.crl" --force
    run openssl verify -x509_strict -crl_check -CAfile "$home.pem" -CRLfile "$home.crl" "$device.pem"
    [[ $status -ne 0 && $output == *"certificate revoked"* ]] || fail "$output"
}

@test "the token is there, and has the model that it says" {
    ok signet token list --profile "$SIGNET_TEST_MODEL" --json
    json '[.[] | select(.initialized)] | length' 1
    json '.[] | select(.initialized) | .label' model
}

@test "an RSA issuer certifies, revokes and makes CRLs" { serves root sha256WithRSAEncryption; }
@test "the same with PSS" { serves pss rsassaPss; }

@test "a key never leaves, and does nothing but sign" {
    ok signet key create "pkcs11:token=model;object=card;id=%01" --type RSA-2048 "${SIGN[@]}" --json
    json '.local and .always_sensitive and .never_extractable and (.modifiable | not)' true
    json '.id' 01
    fails 4 "has a private key 'card' already" -- \
        signet key create "pkcs11:token=model;object=card" --type RSA-2048 "${SIGN[@]}"
    fails 4 "no private key matches" -- signet key show "pkcs11:token=model;object=other" "${ON[@]}"
}

@test "a request by the token's key, and its certificate beside it" {
    signet csr --key "pkcs11:token=model;object=card" --subject CN=device-CARD01 "${SIGN[@]}" -o card.csr
    openssl req -in card.csr -verify -noout
    signet -C root device add device-CARD01 type=leo region=us-east
    signet -C root issue -p device-mtls --device device-CARD01 -o card.pem card.csr
    signet card import "pkcs11:token=model;object=card" card.pem "${ON[@]}"
    signet card export "pkcs11:token=model;id=%01" "${ON[@]}" -o back.pem
    cmp card.pem back.pem
    fails 1 "has a certificate for key 'card' already" -- \
        signet card import "pkcs11:token=model;object=card" card.pem "${ON[@]}"
    fails 3 "for another key" -- signet card import "pkcs11:token=model;object=root" card.pem "${ON[@]}"
}

@test "what the profile does not list is not tried" {
    local create=(signet key create "pkcs11:token=model;object=ec" --type P-256 "${SIGN[@]}")
    if [ "$SIGNET_TEST_MODEL" = softhsm ]; then
        ok "${create[@]}"
    else
        fails 2 "profile $SIGNET_TEST_MODEL does not list P-256" -- "${create[@]}"
    fi
}

# Last: the token counts it.
@test "a wrong PIN is tried once" {
    printf 7777777 >pin/wrong
    fails 4 CKR_PIN_INCORRECT -- signet key list pkcs11:token=model --profile "$SIGNET_TEST_MODEL" --pin file:pin/wrong
    fails 4 "not tried" -- signet key list pkcs11:token=model --profile "$SIGNET_TEST_MODEL" --pin file:pin/wrong
    ok signet key list pkcs11:token=model "${ON[@]}"
}
