# signet key create|list|show
load common
load expect

setup_file() {
    start_in_own_folder
    make_token keys
    make_token other
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ON=(--profile softhsm --pin file:pin/keys)
}

@test "key create makes each kind, every attribute as it has to be" {
    for kind in RSA-2048 RSA-3072 RSA-4096 P-256 P-384 P-521; do
        ok signet key create "pkcs11:token=keys;object=key-$kind" --type $kind "${ON[@]}" --json
        json .label "key-$kind"
        json .kind "$kind"
        json '.local and .sensitive and .always_sensitive and .never_extractable and .sign' true
        json '.extractable or .decrypt or .unwrap or .derive or .modifiable' false
        json '.key_sha256 | length' 64
        json '.id | length' 40
    done
}

@test "key show reads back what create told" {
    ok signet key show "pkcs11:object=key-P-384;token=keys" "${ON[@]}"
    says "key-P-384" "kind               P-384" "made on the token  yes" "sensitive          yes, always yes" \
        "extractable        no, ever no" "may                sign"
    says_not decrypt unwrap derive
}

@test "key list tells all of them" {
    ok signet key list pkcs11:token=keys "${ON[@]}" --json
    json length 6
    json '[.[].kind] | sort | join(" ")' "P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096"
    ok signet key list pkcs11:token=other --profile softhsm --pin file:pin/other
    [ "$output" = "no keys" ]
}

@test "P-256 is the default kind, and an id can be chosen" {
    ok signet key create "pkcs11:token=keys;object=chosen;id=%01%02%ff" "${ON[@]}" --json
    json .kind P-256
    json .id 0102ff
    ok signet key show "pkcs11:token=keys;id=%01%02%ff" "${ON[@]}"
    says chosen
}

@test "the key on the token is what its certificate request says" {
    ok signet key show "pkcs11:token=keys;object=key-RSA-2048" "${ON[@]}" --json
    digest=$(jq -r .key_sha256 <<<"$output")
    ok signet csr --key "pkcs11:token=keys;object=key-RSA-2048" "${ON[@]}" --subject CN=x -o rsa.csr
    openssl req -in rsa.csr -verify -noout
    found=$(openssl req -in rsa.csr -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum)
    [ "$found" = "$digest  -" ]
}

@test "key create makes the HMAC key that signet.yaml names for PINs" {
    make_home pins
    run --separate-stderr signet -C pins key create --type HMAC pins
    expect_status 2
    expect_said "signet.yaml names no key for PINs"
    echo "pins: {token: main, key: 'pkcs11:object=pins'}" >>pins/signet.yaml

    ok signet -C pins key create --type HMAC pins
    says "HMAC, 256 bits, on token pins; never extractable"
    run --separate-stderr signet -C pins key create --type HMAC pins
    expect_status 4
    expect_said "has a secret key 'pins' already"
    run --separate-stderr signet -C pins key create --type HMAC issuing
    expect_status 2
    ok signet key create --type HMAC "pkcs11:token=other;object=mac" --profile softhsm --pin file:pin/other --json
    json .type HMAC
    json .token other
}

@test "a label is given once" {
    fails 4 "chosen" -- signet key create "pkcs11:token=keys;object=chosen" "${ON[@]}"
    ok signet key list pkcs11:token=keys "${ON[@]}" --json
    json length 7
}

@test "two keys that match are an error, never the first one" {
    ok signet key create "pkcs11:token=other;object=one" --profile softhsm --pin file:pin/other
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out twin.pem 2>/dev/null
    softhsm2-util --import twin.pem --token other --label one --id aa \
        --pin "$(cat pin/other)" >/dev/null
    fails 4 "one" "2" -- \
        signet key show "pkcs11:token=other;object=one" --profile softhsm --pin file:pin/other
    fails 4 "one" "2" -- signet csr --key "pkcs11:token=other;object=one" --profile softhsm \
        --pin file:pin/other --subject CN=x -o twin.csr
    expect_absent twin.csr
    ok signet key show "pkcs11:token=other;object=one;id=%aa" --profile softhsm --pin file:pin/other
}

@test "a key that was put on the token shows it" {
    ok signet key show "pkcs11:token=other;id=%aa" --profile softhsm --pin file:pin/other --json
    json '.local or .always_sensitive or .never_extractable' false
}

@test "no key, no token: what there is instead" {
    fails 4 "absent" "key-P-256" -- signet key show "pkcs11:token=keys;object=absent" "${ON[@]}"
    fails 4 "lost" "keys" "other" -- signet key show "pkcs11:token=lost;object=x" "${ON[@]}"
}

@test "what is no key" {
    fails 2 "P-999" "P-256" -- signet key create "pkcs11:token=keys;object=x" --type P-999 "${ON[@]}"
    fails 2 "object" -- signet key create "pkcs11:token=keys" "${ON[@]}"
    fails 2 "PIN" -- signet key show "pkcs11:token=keys;object=chosen?pin-value=x" "${ON[@]}"
    fails 2 "PIN" -- signet key show "pkcs11:token=keys;object=chosen?pin-source=file:pin/keys" "${ON[@]}"
    fails 2 "--profile NAME or --module PATH" -- signet key show "pkcs11:token=keys;object=chosen"
    fails 2 "no CA home" -- signet key show chosen
    fails 2 "pkcs11:" -- signet key show "pkcs11:nonsense" "${ON[@]}"
}
