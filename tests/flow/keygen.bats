# EST serverkeygen: the service makes the key, encrypts it to the card's, and keeps nothing of it.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home dev root
    make_token card
    signet key create 'pkcs11:token=dev;object=keygen' --pin file:pin/dev "${token_module[@]}"
    signet csr -k 'pkcs11:token=dev;object=keygen' --pin file:pin/dev "${token_module[@]}" \
        --subject 'CN=Key generation' -o keygen.csr
    signet -C dev issue -p line-statement -o dev/keygen.pem keygen.csr
    make_keygen_policies dev
    make_pins dev
    for user in 'Ada Example' 'Grace Example'; do
        signet -C dev user add "$user" email=user@example.com
    done
    printf 4711 >ada.pin
    signet -C dev user pin 'Ada Example' --set --pin file:ada.pin
    hash_pin 'Ada Example' 4711 >ada.hash
    make_decryption_key ada 'Ada Example' rsa:2048
    make_decryption_key ada-ec 'Ada Example' ec
    make_decryption_key grace 'Grace Example' rsa:2048
    make_decryption_key lost 'Ada Example' rsa:2048
    signet -C dev revoke lost.pem --reason keyCompromise
    make_decryption_key signing 'Ada Example' rsa:2048 signing
    for name in ada ada-ec grace lost signing; do
        request_delivery "$name-sdk" "$name.pem" 'Ada Example'
    done
    make_request own.csr 'Ada Example'
    add_service dev \
        "est: {labels: {sdk: sdk, one: one, plain: plain, none: none, again: again, p384: p384, rsa: rsa}, server_keys: {signer: {token: main, key: 'pkcs11:object=keygen'}, certificate: keygen.pem}}"
    start_service dev
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
}

# make_keygen_policies HOME: decryption and signing keys of users; sdk and one, by ticket, with keys of the
# service's, plain where they may come so, again by the certificate too, p384 and rsa of other kinds, and none
# where there are none.
make_keygen_policies() {
    local policies=$1/policies
    cat >"$policies/decryption.yaml" <<'END'
policy: decryption
description: For users, to have keys encrypted to them
who: {any: [operator]}
keys: [{rsa: 2048..4096, key_usage: [keyEncipherment]}, {ec: [P-256], key_usage: [keyAgreement]}]
subject: [{CN: '${user.name}'}]
validity: {for: 365d}
END
    sed -e 's/^policy: .*/policy: signing/' -e 's/\(keyEncipherment\|keyAgreement\)/digitalSignature/g' \
        "$policies/decryption.yaml" >"$policies/signing.yaml"
    cat >"$policies/sdk.yaml" <<'END'
policy: sdk
description: For an app, whose key the service makes
who: {any: [ticket]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${user.name}'}]
validity: {for: 365d}
server_keys: cms
END
    sed -e 's/^policy: .*/policy: one/' -e '$a unique: user' "$policies/sdk.yaml" >"$policies/one.yaml"
    sed -e 's/^policy: .*/policy: plain/' -e 's/^server_keys: .*/server_keys: plain/' \
        "$policies/sdk.yaml" >"$policies/plain.yaml"
    sed -e 's/^policy: .*/policy: again/' -e 's/^who: .*/who: {any: [ticket, renewal]}/' \
        -e 's/^validity: .*/validity: {for: 1h}/' -e '$a renewal: {window: 3599s, previous: revoke}' \
        "$policies/plain.yaml" >"$policies/again.yaml"
    sed -e 's/^policy: .*/policy: p384/' -e 's/P-256/P-384, P-521/' "$policies/sdk.yaml" >"$policies/p384.yaml"
    sed -e 's/^policy: .*/policy: rsa/' -e 's/ec: \[P-256\]/rsa: 3072..4096/' "$policies/sdk.yaml" \
        >"$policies/rsa.yaml"
    sed -e 's/^policy: .*/policy: none/' -e '/^server_keys/d' "$policies/sdk.yaml" >"$policies/none.yaml"
}

# make_decryption_key NAME USER KIND [POLICY]: a key in NAME.key and its certificate in NAME.pem.
make_decryption_key() {
    local kind=(-newkey "$3")
    [ "$3" != ec ] || kind=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
    openssl req -new "${kind[@]}" -nodes -keyout "$1.key" -subj "/CN=$2" -out "$1.csr" 2>/dev/null
    signet -C dev issue -p "${4:-decryption}" --user "$2" -o "$1.pem" "$1.csr"
}

# request_delivery NAME CERTIFICATE USER: a request in NAME.csr for a key that is encrypted to it.
request_delivery() {
    signet csr --new-key "$1.ignored" --no-passphrase --subject "CN=$3" --decrypt-to "$2" -o "$1.csr"
}

# ask LABEL TICKET REQUEST.csr
ask() {
    enroll "$1/serverkeygen" "$3" -u "$(cat "$2"):"
}

# parts: of the last answer: key.der and certs.der.
parts() {
    tr -d '\r' <body | awk '/^--signet-server-key/ {part++; text = 0; next} text {print > ("part" part)} /^$/ {text = 1}'
    base64 -d part1 >key.der
    base64 -d part2 >certs.der
    openssl pkcs7 -inform der -in certs.der -print_certs | openssl x509 -out served.pem
}

# open_parts KEY CERTIFICATE: decrypts, verifies the signer and takes the key out, into served.key.
open_parts() {
    parts
    openssl cms -decrypt -inform DER -in key.der -inkey "$1" -recip "$2" -out signed.inner
    python3 "$SIGNET_DATA/tests/flow/keygen.py" wrap signed.inner signed.der
    openssl cms -verify -inform DER -in signed.der -certfile dev/keygen.pem -nointern -noverify -binary \
        -out package.der
    python3 "$SIGNET_DATA/tests/flow/keygen.py" first package.der key.pkcs8
    openssl pkey -inform der -in key.pkcs8 -out served.key
    cmp <(openssl pkey -in served.key -pubout) <(openssl x509 -in served.pem -noout -pubkey)
}

@test "a key that the service makes comes encrypted to the card's RSA key" {
    ticket t1 -p sdk --user 'Ada Example' --no-pin
    ask sdk t1 ada-sdk.csr
    expect_http 200 'Content-Type: multipart/mixed; boundary=signet-server-key' 'Content-Length:' \
        'Content-Type: application/pkcs7-mime; smime-type=server-generated-key' \
        'Content-Type: application/pkcs7-mime; smime-type=certs-only' 'Content-Transfer-Encoding: base64'
    open_parts ada.key ada.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem served.pem
    run ! cmp <(openssl x509 -in served.pem -noout -pubkey) <(openssl req -in ada-sdk.csr -noout -pubkey)
    openssl cms -cmsout -print -inform DER -in key.der >shown
    grep -q 'rsaesOaep' shown
    grep -q 'aes-256-cbc' shown
    grep -q 'subjectKeyIdentifier' shown
    grep -q 'pkcs7-signedData' shown
    expect_equal user 'Ada Example' "$(signet -C dev list --json -p sdk | jq -r '.[-1].user')"
}

@test "and to an EC key" {
    ticket t2 -p sdk --user 'Ada Example' --no-pin
    ask sdk t2 ada-ec-sdk.csr
    expect_http 200
    open_parts ada-ec.key ada-ec.pem
    openssl cms -cmsout -print -inform DER -in key.der | grep -q 'dhSinglePass-stdDH-sha256kdf-scheme'
}

@test "the cipher is the first of the client's that there is" {
    ticket t3 -p sdk --user 'Ada Example' --no-pin
    python3 "$SIGNET_DATA/tests/flow/keygen.py" replace ada-sdk.csr aes128.csr 60864801650304012a 608648016503040102
    ask sdk t3 aes128.csr
    expect_http 200
    open_parts ada.key ada.pem
    openssl cms -cmsout -print -inform DER -in key.der | grep -q 'aes-128-cbc'
}

@test "plain PKCS#8 comes where the policy says so, and nowhere else" {
    ticket t4 -p plain --user 'Ada Example' --no-pin
    ask plain t4 own.csr
    expect_http 200 'Content-Type: application/pkcs8'
    parts
    openssl pkey -inform der -in key.der -out plain.key
    cmp <(openssl pkey -in plain.key -pubout) <(openssl x509 -in served.pem -noout -pubkey)
    ticket t5 -p plain --user 'Ada Example' --no-pin
    ask plain t5 ada-sdk.csr
    expect_http 200 'smime-type=server-generated-key'
    open_parts ada.key ada.pem
    ticket t6 -p sdk --user 'Ada Example' --no-pin
    ask sdk t6 own.csr
    expect_http 403 'policy sdk: server_keys'
    said_in service.log 'names no key to encrypt the new one to'
}

@test "without a key to encrypt to, one that is unknown, somebody else's, revoked or for something else: 403" {
    ticket t7 -p sdk --user 'Ada Example' --no-pin
    local id
    id=$(openssl x509 -in ada.pem -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :')
    python3 "$SIGNET_DATA/tests/flow/keygen.py" replace ada-sdk.csr unknown.csr "$id" "${id/%??/00}"
    ask sdk t7 unknown.csr
    expect_http 403 'RFC 7030 4.4.1.2'
    ask sdk t7 grace-sdk.csr
    expect_http 403 'RFC 7030 4.4.1.2'
    expect_equal refusals 2 "$(grep -c 'there is no decryption key of that identifier for who asks"' service.log)"
    ask sdk t7 lost-sdk.csr
    expect_http 403 'RFC 7030 4.4.1.2'
    said_in service.log "certificate $(serial_of lost.pem) is revoked"
    ask sdk t7 signing-sdk.csr
    expect_http 403 'RFC 7030 4.4.1.2'
    said_in service.log 'this certificate needs the key usage keyEncipherment'
    # none of them has cost the ticket anything
    ask sdk t7 ada-sdk.csr
    expect_http 200
}

@test "a cipher that is not there, and a secret key that the service would have to have: 403; broken: 400" {
    ticket t8 -p sdk --user 'Ada Example' --no-pin
    python3 "$SIGNET_DATA/tests/flow/keygen.py" replace ada-sdk.csr gcm.csr 60864801650304012a 60864801650304012e
    ask sdk t8 gcm.csr
    expect_http 403 'RFC 7030 4.4.1'
    said_in service.log 'none of the request'
    python3 "$SIGNET_DATA/tests/flow/keygen.py" replace ada-sdk.csr secret.csr 2a864886f70d0109100236 2a864886f70d0109100225
    ask sdk t8 secret.csr
    expect_http 403 'RFC 7030 4.4.1.1'
    fetch -H 'Content-Type: application/pkcs10' --data-binary 'MAA=' -u "$(cat t8):" "$est_url/sdk/serverkeygen"
    expect_http 400
}

@test "under a policy without server_keys everybody makes their own key" {
    ticket t9 -p none --user 'Ada Example' --no-pin
    ask none t9 ada-sdk.csr
    expect_http 403 'policy none: server_keys'
    enroll none/simpleenroll own.csr -u "$(cat t9):"
    expect_http 200
}

@test "nobody gets a key without saying who is asking, and none for somebody else" {
    enroll sdk/serverkeygen ada-sdk.csr
    expect_http 401
    ticket t10 -p sdk --user 'Grace Example' --no-pin
    ask sdk t10 ada-sdk.csr
    expect_http 403
}

@test "after an answer that was lost there is another key, the certificate of then is revoked, and a try is gone" {
    ticket t11 -p one --user 'Ada Example'
    expect_equal tries 5 "$(state_of_ticket pin_tries)"
    enroll one/serverkeygen ada-sdk.csr -u "$(cat t11):$(cat ada.hash)"
    expect_http 200
    open_parts ada.key ada.pem
    cp served.pem first.pem
    enroll one/serverkeygen ada-sdk.csr -u "$(cat t11):$(cat ada.hash)"
    expect_http 200
    open_parts ada.key ada.pem
    run ! cmp <(openssl x509 -in served.pem -noout -pubkey) <(openssl x509 -in first.pem -noout -pubkey)
    expect_equal status revoked "$(signet -C dev list --json --serial "$(serial_of first.pem)" | jq -r '.[0].status')"
    expect_equal tries 4 "$(state_of_ticket pin_tries)"
    # another request by the same ticket is no repetition
    enroll one/serverkeygen ada-ec-sdk.csr -u "$(cat t11):$(cat ada.hash)"
    expect_http 401 'ticket'
    for left in 3 2 1 0; do
        enroll one/serverkeygen ada-sdk.csr -u "$(cat t11):$(cat ada.hash)"
        expect_http 200
    done
    enroll one/serverkeygen ada-sdk.csr -u "$(cat t11):$(cat ada.hash)"
    expect_http 401 'ticket'
    expect_equal valid 1 "$(signet -C dev list --json -p one | jq '[.[] | select(.status == "valid")] | length')"
}

# --- other kinds of keys -----------------------------------------------------------------------

@test "the key is of the first kind that the policy names, the smallest of its sizes" {
    local kind text name=1
    for kind in p384 rsa; do
        ticket "kind-$kind" -p $kind --user 'Ada Example' --no-pin
        ask $kind "kind-$kind" ada-sdk.csr
        expect_http 200
        open_parts ada.key ada.pem
        openssl verify -CAfile root.pem -untrusted dev/dev.pem served.pem
        openssl pkey -in served.key -noout -text | head -n 1 >"$kind.said"
        fetch "$est_url/$kind/csrattrs"
        expect_http 200
        base64 -d body | openssl asn1parse -inform der >"$kind.attributes"
    done
    grep -q '384 bit' p384.said
    grep -q 'secp384r1' p384.attributes
    grep -q '3072 bit' rsa.said
    grep -q 'INTEGER *:0C00' rsa.attributes
}

@test "signetd does not start with a policy for keys that it does not make" {
    make_root_home other
    sed -e 's/^policy: .*/policy: edwards/' -e 's/ec: \[P-256\]/ed25519: true/' dev/policies/sdk.yaml \
        >other/policies/edwards.yaml
    add_service other 'est: {policy: edwards}'
    run --separate-stderr "$SIGNETD" issuer -C other
    [ "$status" -ne 0 ]
    expect_said 'edwards.yaml:' 'the service makes keys on P-256, P-384 and P-521, and of RSA'
}

# --- by a certificate --------------------------------------------------------------------------

# ask_by NAME REQUEST.csr: by the certificate NAME.pem, with its key NAME.key; the answer is served.pem and
# served.key.
ask_by() {
    enroll again/serverkeygen "$2" --cert "$1.pem" --key "$1.key"
    [ "$http_status" = 200 ] || return 0
    parts
    openssl pkey -inform der -in key.der -out served.key
}

status_of() {
    signet -C dev list --json --serial "$(serial_of "$1")" | jq -r '.[0].status'
}

@test "a certificate brings the next key, and another one when the answer was lost" {
    local i
    ticket t40 -p again --user 'Ada Example' --no-pin
    ask again t40 own.csr
    expect_http 200
    parts
    openssl pkey -inform der -in key.der -out held.key
    cp served.pem held.pem
    make_request next.csr 'Ada Example'
    sleep 1 # its window begins
    ask_by held next.csr
    expect_http 200
    cmp <(openssl pkey -in served.key -pubout) <(openssl x509 -in served.pem -noout -pubkey)
    expect_equal held revoked "$(status_of held.pem)"
    # what vouches is revoked for its successor, and still good for as many tries as it takes
    for i in 1 2; do
        cp served.pem lost.served
        ask_by held next.csr
        expect_http 200
        expect_equal lost revoked "$(status_of lost.served)"
        expect_equal served valid "$(status_of served.pem)"
        run ! cmp <(openssl x509 -in served.pem -noout -pubkey) <(openssl x509 -in lost.served -noout -pubkey)
    done
    # another request is not that one again
    make_request other.csr 'Ada Example'
    ask_by held other.csr
    expect_http 401
    said_in service.log 'by which the request was made, is revoked'
    # and where the policy takes tickets alone, a certificate brings none
    cp served.pem mine.pem
    cp served.key mine.key
    enroll sdk/serverkeygen ada-sdk.csr --cert mine.pem --key mine.key
    expect_http 401
}

# --- onto a card ---------------------------------------------------------------------------------

# make_opener NAME KIND: a decryption key on the card and its certificate in NAME.pem, a request in
# NAME-sdk.csr.
make_opener() {
    signet key create "pkcs11:token=card;object=$1" --type "$2" --decrypt "${on_card[@]}"
    signet csr -k "pkcs11:token=card;object=$1" "${on_card[@]}" --subject 'CN=Ada Example' -o "$1.csr"
    signet -C dev issue -p decryption --user 'Ada Example' -o "$1.pem" "$1.csr"
    request_delivery "$1-sdk" "$1.pem" 'Ada Example'
}

# import KEY-NAME OPENER FILE [SIGNER]
import() {
    signet card import "pkcs11:token=card;object=$1" "$3" --decrypt-key "pkcs11:token=card;object=$2" \
        --signed-by "${4:-dev/keygen.pem}" "${on_card[@]}"
}

@test "a card takes the key in, by RSA and by EC: it can't leave it again, and has its certificate beside it" {
    local kind name
    on_card=("${token_module[@]}" --pin file:pin/card)
    for kind in RSA-2048 P-256 P-384; do
        name=opener-$kind
        make_opener "$name" "$kind" || [ "$kind" = P-384 ] || fail "no $name"
        [ -e "$name-sdk.csr" ] || continue
        ticket t20 -p sdk --user 'Ada Example' --no-pin
        ask sdk t20 "$name-sdk.csr"
        expect_http 200
        cp body "$name.body"
        parts
        import "sdk-$kind" "$name" "$name.body"
        signet card export "pkcs11:token=card;object=sdk-$kind" "${on_card[@]}" -o "sdk-$kind.pem"
        cmp served.pem "sdk-$kind.pem"
        signet key show "pkcs11:token=card;object=sdk-$kind" "${on_card[@]}" --json >shown
        expect_equal "$kind" 'true false true false false' \
            "$(jq -r '"\(.sensitive) \(.extractable) \(.sign) \(.decrypt) \(.derive)"' shown)"
        # once more, after what may have been a failure
        run import "sdk-$kind" "$name" - <"$name.body"
        expect_status 0
        expect_said 'the key was already on card'
    done
}

@test "what is signed by somebody else, for another key, changed, or not encrypted is not taken in" {
    on_card=("${token_module[@]}" --pin file:pin/card)
    local before
    before=$(signet key list pkcs11:token=card "${on_card[@]}" --json | jq length)
    run import bad opener-RSA-2048 opener-RSA-2048.body ada.pem
    expect_status 3
    expect_said 'not signed by whose certificate was named'
    run import bad opener-P-256 opener-RSA-2048.body
    expect_status 3
    expect_said 'another kind of key'
    signet key create 'pkcs11:token=card;object=other' --type RSA-2048 --decrypt "${on_card[@]}"
    run import bad other opener-RSA-2048.body
    expect_status 3
    expect_said 'this key does not open it'
    signet key create 'pkcs11:token=card;object=signs' "${on_card[@]}"
    run import bad signs opener-P-256.body
    expect_status 3
    expect_said 'key create --decrypt'
    python3 "$SIGNET_DATA/tests/flow/keygen.py" damage opener-RSA-2048.body damaged.body
    run import bad opener-RSA-2048 damaged.body
    expect_status 3
    sed 's/smime-type=server-generated-key/smime-type=certs-only/' opener-RSA-2048.body >keyless.body
    run import bad opener-RSA-2048 keyless.body
    expect_status 3
    sed 's|pkcs7-mime; smime-type=server-generated-key|pkcs8|' opener-RSA-2048.body >plain.body
    run import bad opener-RSA-2048 plain.body
    expect_status 3
    expect_said 'was to be encrypted'
    awk '/certs-only/ {exit} {print}' opener-RSA-2048.body >mixed.body
    awk 'seen || /certs-only/ {seen = 1; print}' opener-P-256.body >>mixed.body
    run import bad opener-RSA-2048 mixed.body
    expect_status 3
    expect_said "no certificate that came with the key is the key's"
    run signet card import 'pkcs11:token=card;object=bad' opener-RSA-2048.body \
        --decrypt-key 'pkcs11:token=card;object=opener-RSA-2048' "${on_card[@]}"
    expect_status 2
    expect_equal keys "$((before + 2))" "$(signet key list pkcs11:token=card "${on_card[@]}" --json | jq length)"
}

@test "a card whose key wants the PIN for each decryption opens it too" {
    [ -n "${SIGNET_CARD:-}" ] || skip "no card module"
    local wary=(--module "$SIGNET_CARD" --pin file:pin/card)
    CARD_MODULE=$(find /usr/lib /usr/local/lib -name libsofthsm2.so -print -quit 2>/dev/null)
    export CARD_MODULE CARD_LOG=$PWD/card.log CARD_WARY=1
    signet key create 'pkcs11:token=card;object=wary' --type RSA-2048 --decrypt "${wary[@]}"
    signet key show 'pkcs11:token=card;object=wary' "${wary[@]}" --json | jq -e .always_authenticate
    signet csr -k 'pkcs11:token=card;object=wary' "${wary[@]}" --signer direct --subject 'CN=Ada Example' -o wary.csr
    signet -C dev issue -p decryption --user 'Ada Example' -o wary.pem wary.csr
    request_delivery wary-sdk wary.pem 'Ada Example'
    ticket t50 -p sdk --user 'Ada Example' --no-pin
    ask sdk t50 wary-sdk.csr
    expect_http 200
    : >card.log
    signet card import 'pkcs11:token=card;object=sdk-wary' body --decrypt-key 'pkcs11:token=card;object=wary' \
        --signed-by dev/keygen.pem "${wary[@]}" --signer direct
    expect_equal PINs 'user signature' "$(xargs <card.log)"
}

@test "a key of RSA goes onto a card as well" {
    on_card=("${token_module[@]}" --pin file:pin/card)
    make_opener opener-again RSA-2048
    ticket t51 -p rsa --user 'Ada Example' --no-pin
    ask rsa t51 opener-again-sdk.csr
    expect_http 200
    parts
    import sdk-rsa opener-again body
    signet card export 'pkcs11:token=card;object=sdk-rsa' "${on_card[@]}" -o sdk-rsa.pem
    cmp served.pem sdk-rsa.pem
    signet key show 'pkcs11:token=card;object=sdk-rsa' "${on_card[@]}" --json >shown
    expect_equal shown 'true false true false' "$(jq -r '"\(.sensitive) \(.extractable) \(.sign) \(.decrypt)"' shown)"
}

# --- what is left --------------------------------------------------------------------------------

@test "after delivery neither process has the key, its PKCS#8 or the PIN in its memory" {
    [ "$(id -u)" = 0 ] || skip "only root reads another process's memory"
    local pids pid
    ticket t30 -p sdk --user 'Ada Example'
    enroll sdk/serverkeygen ada-sdk.csr -u "$(cat t30):$(cat ada.hash)"
    expect_http 200
    open_parts ada.key ada.pem
    python3 "$SIGNET_DATA/tests/flow/keygen.py" needles key.pkcs8 ada.hash "$(cat t30)" needles
    pids=$(pgrep -P "$(cat service.pid)" | tr '\n' ' ')
    expect_equal processes 2 "$(wc -w <<<"$pids")"
    python3 "$SIGNET_DATA/tests/flow/keygen.py" search needles $pids
    # the same search finds each of them when it is there
    for pid in $pids; do
        python3 "$SIGNET_DATA/tests/flow/keygen.py" plant needles "$pid"
        run ! python3 "$SIGNET_DATA/tests/flow/keygen.py" search needles "$pid"
        expect_said scalar pkcs8 pin-hash
    done
}

@test "who takes the key in has nothing left of it when it says so" {
    [ "$(id -u)" = 0 ] || skip "only root reads another process's memory"
    on_card=("${token_module[@]}" --pin file:pin/card)
    openssl pkcs8 -topk8 -nocrypt -in ada.key -out ada.pkcs8
    softhsm2-util --import ada.pkcs8 --token card --label ada --id ada0 --pin "$(cat pin/card)"
    ticket t31 -p sdk --user 'Ada Example' --no-pin
    ask sdk t31 ada-sdk.csr
    expect_http 200
    open_parts ada.key ada.pem
    python3 "$SIGNET_DATA/tests/flow/keygen.py" needles key.pkcs8 ada.hash "$(cat t31)" needles
    run python3 "$SIGNET_DATA/tests/flow/keygen.py" hold needles "$SIGNET" card import \
        'pkcs11:token=card;object=sdk-held' body --decrypt-key 'pkcs11:token=card;object=ada' \
        --signed-by dev/keygen.pem "${on_card[@]}"
    expect_status 0
    expect_said "the key is on card, signs there"
}
