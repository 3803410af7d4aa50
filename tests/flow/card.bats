# signet card import|export
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_device ca device-AB12
    make_token card
    signet key create "pkcs11:token=card;object=k" --profile softhsm --pin file:pin/card
    signet csr --key "pkcs11:token=card;object=k" --profile softhsm --pin file:pin/card \
        --subject CN=device-AB12 -o k.csr
    signet -C ca issue -p device-mtls -d device-AB12 -o k.pem k.csr
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    ON=(--profile softhsm --pin file:pin/card)
    KEY="pkcs11:token=card;object=k"
}

@test "nothing beside the key yet" {
    fails 4 "no certificate" -- signet card export "$KEY" "${ON[@]}"
    ok signet key show "$KEY" "${ON[@]}" --json
    json .certificate false
}

@test "a certificate for another key is refused" {
    fails 3 "key" -- signet card import "$KEY" ca.pem "${ON[@]}"
    fails 4 "no certificate" -- signet card export "$KEY" "${ON[@]}" -o no.pem
    expect_absent no.pem
}

@test "a certificate goes onto the card, and comes back the same" {
    ok signet card import "$KEY" k.pem "${ON[@]}"
    [[ $stderr == *"read back and compared"* ]]
    ok signet card export "$KEY" "${ON[@]}"
    [ "$output" = "$(cat k.pem)" ]
    ok signet card export "$KEY" "${ON[@]}" -o back.pem
    cmp back.pem k.pem
    fails 1 "back.pem exists" -- signet card export "$KEY" "${ON[@]}" -o back.pem
    ok signet key show "$KEY" "${ON[@]}" --json
    json .certificate true
}

@test "one that is there is replaced only with --force" {
    signet -C ca revoke k.pem --reason superseded
    signet -C ca issue -p device-mtls -d device-AB12 -o k2.pem k.csr
    fails 1 "--force" -- signet card import "$KEY" k2.pem "${ON[@]}"
    ok signet card export "$KEY" "${ON[@]}"
    [ "$output" = "$(cat k.pem)" ]
    ok signet card import "$KEY" k2.pem "${ON[@]}" --force
    ok signet card export "$KEY" "${ON[@]}"
    [ "$output" = "$(cat k2.pem)" ]
}

@test "what is no certificate, or no key" {
    ends 3 "k.csr" -- signet card import "$KEY" k.csr "${ON[@]}"
    fails 1 "no-such-file" -- signet card import "$KEY" no-such-file "${ON[@]}"
    fails 4 "absent" -- signet card import "pkcs11:token=card;object=absent" k.pem "${ON[@]}"
    fails 4 "lost" -- signet card export "pkcs11:token=lost;object=k" "${ON[@]}"
    fails 2 "usage: signet card import" -- signet card import "$KEY" "${ON[@]}"
}
