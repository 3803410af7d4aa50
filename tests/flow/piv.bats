# piv: a card whose keys have fixed places and are made by the security officer, with one session, and
# a key that wants the PIN for each signature. card_module.c plays it (SIGNET_CARD); the profile is the
# shipped one with that module's path in it.
load common
load expect
load service

setup_file() {
    start_in_own_folder
    printf 123456 >pin/card
    printf 010203040506070801020304050607080102030405060708 >pin/officer
    signet token init --label card --so-pin file:pin/officer --pin file:pin/card --profile softhsm
    make_root_home ca
    mkdir -p data/tokens/piv
    awk -v path="$SIGNET_CARD" '/^module:/ {print "module: [" path "]"; skip = 1; next}
        skip && /^  -/ {next} {skip = 0; print}' \
        "$SIGNET_DATA/tokens/piv/profile.yaml" >data/tokens/piv/profile.yaml
    cp -r "$SIGNET_DATA/tokens/softhsm" data/tokens/
    ln -s "$SIGNET_DATA/policies" data/policies
    export SIGNET_DATA=$PWD/data CARD_MODULE=$softhsm_module CARD_PIN=123456 CARD_LOG=$PWD/card.log
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    : >card.log
    ON=(--profile piv --pin file:pin/card)
    WRITE=("${ON[@]}" --so-pin file:pin/officer)
}

# logins WHO...: these logins were made since the test began.
logins() {
    expect_equal "logins" "$*" "$(xargs <card.log)"
}

# enroll PLACE TYPE: a key in the place, a request by it, a certificate beside it, read back.
enroll() {
    local key="pkcs11:token=card;id=%$1" device=device-CARD$1
    signet key create "$key" --type "$2" "${WRITE[@]}"
    signet csr --key "$key" --subject "CN=$device" "${ON[@]}" --signer direct -o "$device.csr"
    openssl req -in "$device.csr" -verify -noout
    signet -C ca device add "$device" type=leo region=us-east
    signet -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    signet card import "$key" "$device.pem" "${WRITE[@]}"
    signet card export "$key" "${ON[@]}" -o back.pem --force
    cmp "$device.pem" back.pem
}

@test "an RSA key that is open after the login" {
    enroll 01 RSA-2048
    logins user officer user user officer user
    ok signet key show "pkcs11:token=card;id=%01" "${ON[@]}" --json
    json .label "Private key in place 1"
    json '.local and .always_sensitive and .never_extractable and .certificate' true
}

@test "an EC key that wants the PIN for each signature" {
    enroll 02 P-256
    logins user officer user signature user officer user
}

@test "P-384" { enroll 03 P-384; }

@test "the engine says what it can't, and what can" {
    fails 4 "session" -- signet csr --key "pkcs11:token=card;id=%01" --subject CN=x "${ON[@]}"
    fails 4 "wants the PIN for each signature" "signer: direct" -- \
        signet csr --key "pkcs11:token=card;id=%02" --subject CN=x "${ON[@]}"
}

@test "a place that is taken is not overwritten" {
    fails 4 "has a private key with the id 01 already" -- \
        signet key create "pkcs11:token=card;id=%01" "${WRITE[@]}"
    logins user
    ok signet csr --key "pkcs11:token=card;id=%01" --subject CN=still "${ON[@]}" --signer direct
}

@test "only the card's places" {
    fails 2 "fixed places for keys: id=%01, id=%02, id=%03, id=%04" -- \
        signet key create "pkcs11:token=card;id=%05" "${WRITE[@]}"
    fails 2 "fixed places for keys" -- signet key create "pkcs11:token=card;object=mine" "${WRITE[@]}"
    logins
}

@test "a certificate is replaced only when told" {
    fails 1 "has a certificate" "--force" -- \
        signet card import "pkcs11:token=card;id=%01" device-CARD01.pem "${WRITE[@]}"
    ok signet card import "pkcs11:token=card;id=%01" device-CARD01.pem "${WRITE[@]}" --force
    signet card export "pkcs11:token=card;id=%01" "${ON[@]}" -o back.pem --force
    cmp device-CARD01.pem back.pem
    fails 3 "for another key" -- \
        signet card import "pkcs11:token=card;id=%02" device-CARD01.pem "${WRITE[@]}" --force
}

@test "the security officer's PIN is asked for, and a wrong one is tried once" {
    printf 000000000000 >pin/wrong
    fails 4 CKR_PIN_INCORRECT "security officer" "will not be tried again" -- \
        signet key create "pkcs11:token=card;id=%04" "${ON[@]}" --so-pin file:pin/wrong
    logins user officer
    fails 4 "PIN" -- signet key create "pkcs11:token=card;id=%04" "${ON[@]}" --so-pin file:pin/wrong
    logins user officer user
    ok signet key create "pkcs11:token=card;id=%04" "${WRITE[@]}"
}

@test "an issuer's key on a card that signs directly" {
    signet init piv --token pkcs11:token=card --pin file:../pin/card --profile piv --signer direct --issuer piv
    sed -i "s/^    key: .*/    key: 'pkcs11:id=%02'/" piv/signet.yaml
    signet -C piv issuer self-sign piv --subject CN=piv -o piv.pem
    signet -C piv crl -o piv.crl
    openssl crl -in piv.crl -CAfile piv.pem -noout
    logins user signature user signature
}

@test "card enroll makes a key as the officer, signs as the user, and renews by TLS with the card's key" {
    local asked
    signet token init --label second --so-pin file:pin/officer --pin file:pin/card --profile softhsm
    make_issuing_home dev ca
    sed -e '/^examples:/,$d' -e 's/^policy: .*/policy: badges/' -e 's/^validity: .*/validity: {for: 1h}/' \
        -e 's/window: 60d/window: 3599s/' dev/policies/device-mtls.yaml >dev/policies/badges.yaml
    add_service dev 'est: {policy: badges}'
    CARD_LOG=/dev/null start_service dev
    signet -C dev device add device-CARD5 type=leo region=us-east
    signet -C dev ticket add -p badges --device device-CARD5 >card5.ticket
    asked=(--url "$est_url" --ca "$tls" "${WRITE[@]}" 'pkcs11:token=second;id=%02')
    : >card.log
    ok signet card enroll --ticket file:card5.ticket --subject CN=device-CARD5 "${asked[@]}"
    [[ $stderr == *"made there"*"read back and compared"* ]]
    logins user officer user signature officer
    signet card export 'pkcs11:token=second;id=%02' "${ON[@]}" -o first.pem
    sleep 1
    : >card.log
    ok signet card enroll --renew "${asked[@]}"
    [[ $stderr == *"which was there"*"read back and compared"* ]]
    logins user signature signature officer
    signet card export 'pkcs11:token=second;id=%02' "${ON[@]}" -o next.pem
    not cmp first.pem next.pem
    openssl verify -CAfile ca.pem -untrusted dev/dev.pem next.pem
}

teardown_file() {
    [ ! -e "$BATS_FILE_TMPDIR/service.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/service.pid")"
}
