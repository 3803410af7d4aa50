# service: the token of a running signetd goes away or hangs, and what is asked meanwhile.
load faults
load ../flow/service

setup_file() {
    start_with_ca
    export SIGNET_WRAP_LIVE=$PWD/live
    for id in device-AA01 device-BB02 device-CC03 device-DD04; do
        make_due ca "$id"
    done
    signet key create 'pkcs11:token=ca;object=health' --pin file:pin/ca "${token_module[@]}"
    signet key create 'pkcs11:token=ca;object=ca-ocsp' --pin file:pin/ca "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=ca-ocsp'}|" ca/signet.yaml
    make_key_policy
    add_service ca "est: {policy: device-mtls, labels: {made: made}, \
server_keys: {signer: {token: main, key: 'pkcs11:object=keygen'}, certificate: keygen.pem}}" \
        "health: {token: main, key: 'pkcs11:object=health'}" 'limits: {queue: 2}'
    start_service ca
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

# make_key_policy: under which the service makes keys, who signs for them, and a device with a ticket.
make_key_policy() {
    signet key create 'pkcs11:token=ca;object=keygen' --pin file:pin/ca "${token_module[@]}"
    signet csr -k 'pkcs11:token=ca;object=keygen' --pin file:pin/ca "${token_module[@]}" \
        --subject 'CN=Key generation' -o keygen.csr
    signet -C ca issue -p line-statement -o ca/keygen.pem keygen.csr
    cat >ca/policies/made.yaml <<'END'
policy: made
description: For devices whose key the service makes
who: {any: [ticket]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${device.id}'}]
validity: {for: 30d}
server_keys: plain
END
    make_device ca device-EE05
    signet -C ca ticket add -p made --device device-EE05 >EE05.ticket
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    rm -f live
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
}

teardown() {
    rm -f live
}

renew() {
    enroll simplereenroll "$1.csr" --cert "$1.pem" --key "$1.key" "${@:2}"
}

has_health() {
    fetch "$metrics_url/healthz"
    [ "$http_status" = 200 ]
}

# expect_documents: what anybody may fetch is there.
expect_documents() {
    fetch "$http_url/crl/ca.crl"
    expect_http 200 'application/pkix-crl'
    fetch "$est_url/cacerts"
    expect_http 200
}

@test "/healthz signs with its own key, and not for everybody who asks" {
    local before i
    sleep 5
    before=$(count_log '^C_Sign .* health$')
    for i in 1 2 3 4 5; do
        fetch "$metrics_url/healthz"
        expect_http 200 ok
    done
    expect_equal signatures $((before + 1)) "$(count_log '^C_Sign .* health$')"
}

@test "what the token's module returned is told by name, also when the issuer has ended of it" {
    expect_figures '# TYPE signet_token_errors_total counter'
    not grep -q '^signet_token_errors' body
    echo C_SignInit:CKR_DEVICE_ERROR >live
    renew device-AA01
    expect_http 503 'Retry-After: '
    rm live
    # the issuer's last words may come behind its answer
    wait_for 5 expect_figures 'signet_token_errors_total{token="main",rv="CKR_DEVICE_ERROR"} [1-9]'
    wait_for 40 is_ready
    echo C_Sign:CKR_FUNCTION_FAILED >live
    renew device-AA01
    expect_http 503
    rm live
    wait_for 40 is_ready
    expect_figures 'signet_token_errors_total{token="main",rv="CKR_DEVICE_ERROR"} [1-9]' \
        'signet_token_errors_total{token="main",rv="CKR_FUNCTION_FAILED"} [1-9]' \
        'signet_token_sessions{token="main"} [1-9]'
}

@test "a token that goes away: 503 with Retry-After, documents all the same, and back without a word" {
    printf '%s\n' C_SignInit:CKR_DEVICE_REMOVED C_Sign:CKR_DEVICE_REMOVED \
        C_OpenSession:CKR_TOKEN_NOT_PRESENT C_GetSlotList:empty >live
    renew device-AA01
    expect_http 503 'Retry-After: '
    run ! grep -qi 'token\|CKR' body
    grep -q '" 503 .* text=".*token' service.log
    fetch "$metrics_url/healthz"
    expect_http 503 'Retry-After: '
    expect_documents
    # the issuer is started again in vain
    renew device-AA01 --max-time 20
    expect_http 503 'Retry-After: '
    fetch "$metrics_url/readyz"
    expect_http 503
    expect_documents
    rm live
    wait_for 40 is_ready
    wait_for 20 has_health
    renew device-AA01
    expect_http 200
    certificate_of_body AA01.pem
    make_crl
    openssl verify -CAfile ca.pem -crl_check -CRLfile crl.pem AA01.pem
    check_invariants
}

@test "a token that hangs: OCSP, CRL, health and figures are told while a certificate waits for it" {
    local pid
    openssl ocsp -no_nonce -reqout question -issuer ca.pem -cert device-CC03.pem
    fetch "$http_url/ocsp/$(base64 -w0 question)"
    expect_http 200
    has_health
    sleep 5
    echo C_Sign:delay=9000 >live
    openssl req -in device-BB02.csr -outform der | base64 -w0 >BB02.b64
    curl -s --cacert "$tls" --cert device-BB02.pem --key device-BB02.key -o BB02.out -w '%{http_code}' \
        -H 'Content-Type: application/pkcs10' --data-binary @BB02.b64 "$est_url/simplereenroll" >BB02.status &
    pid=$!
    wait_for 10 grep -q '^delay C_Sign' "$SIGNET_WRAP_LOG"
    fetch --max-time 2 "$http_url/ocsp/$(base64 -w0 question)"
    expect_http 200
    expect_documents
    fetch --max-time 5 "$metrics_url/healthz"
    expect_http 503 'Retry-After: '
    said_in service.log 'the token does not answer'
    fetch --max-time 5 "$metrics_url/metrics"
    expect_http 200 'signet_issuer_up 1'
    kill -0 "$pid"
    rm live
    wait "$pid"
    expect_equal status 200 "$(cat BB02.status)"
    wait_for 20 has_health
}

# ask_made NAME: has the service make a key, the answer in NAME.out and its status in NAME.status.
ask_made() {
    openssl req -in device-EE05.csr -outform der | base64 -w0 >EE05.b64
    curl -s --cacert "$tls" -u "$(cat EE05.ticket):" -o "$1.out" -w '%{http_code}' \
        -H 'Content-Type: application/pkcs10' --data-binary @EE05.b64 "$est_url/made/serverkeygen" >"$1.status"
}

# made_status: of the certificates under that policy, the oldest first.
made_status() {
    signet -C ca list --json -p made | jq -r '.[].status' | xargs
}

@test "the issuer is killed between the claim of a made key's certificate and its answer: there is one in the end" {
    local pid before
    before=$(count_log '^delay C_Sign')
    echo C_Sign:delay=3000 >live
    ask_made first &
    pid=$!
    # the CA signs what is claimed by now
    wait_for_delay $((before + 1))
    rm live
    kill_issuer
    wait "$pid"
    # the front has asked again, or has told the client to, where the issuer took long to come back
    if [ "$(cat first.status)" = 503 ]; then
        wait_for 40 is_ready
        ask_made first
    fi
    expect_equal status 200 "$(cat first.status)"
    [[ $(made_status) == 'orphaned '*valid ]] || fail "$(made_status)"
    # its answer is lost on the way: the client asks again, and has another one
    ask_made second
    expect_equal status 200 "$(cat second.status)"
    [[ $(made_status) == 'orphaned '*'revoked valid' ]] || fail "$(made_status)"
    run ! cmp first.out second.out
    check_invariants
}

# revoke_slowly DEVICE: the issuer is busy for three seconds, with the CRL.
revoke_slowly() {
    local before
    before=$(count_log '^delay C_Sign')
    echo C_Sign:delay=3000 >live
    signet -C ca revoke --device "$1"
    wait_for_delay $((before + 1))
    rm live
}

# ask_renewal NAME DEVICE: the status and the seconds it took in NAME.told, the headers in NAME.headers.
ask_renewal() {
    openssl req -in "$2.csr" -outform der | base64 -w0 >"$1.b64"
    curl -s --cacert "$tls" --cert "$2.pem" --key "$2.key" -D "$1.headers" -o "$1.out" \
        -w '%{http_code} %{time_total}\n' -H 'Content-Type: application/pkcs10' --data-binary "@$1.b64" \
        "$est_url/simplereenroll" >"$1.told"
}

@test "a queue that is full: 503 with Retry-After at once, and what waits is answered" {
    local i pids=() late
    revoke_slowly device-CC03
    for i in 1 2; do
        ask_renewal "waits-$i" device-AA01 &
        pids+=($!)
    done
    sleep 0.5
    ask_renewal late device-AA01
    read -r status late <late.told
    expect_equal status 503 "$status"
    grep -qi '^Retry-After: [1-9]' late.headers
    [ "${late%.*}" = 0 ] || fail "it was told after $late s"
    said_in service.log "the issuer's queue is full"
    wait "${pids[@]}"
    expect_equal answers "200 200" "$(cut -d ' ' -f 1 waits-1.told waits-2.told | xargs)"
}

@test "SIGTERM with a request under way: it is answered, and then the service ends with status 0" {
    local before pid
    end_service
    start_service ca
    before=$(count_log '^delay C_Sign')
    echo C_Sign:delay=2000 >live
    ask_renewal last device-DD04 &
    pid=$!
    wait_for_delay $((before + 1))
    rm live
    stop_service
    wait "$pid"
    expect_equal status 200 "$(cut -d ' ' -f 1 last.told)"
    base64 -d last.out | openssl pkcs7 -inform der -print_certs | openssl x509 -out DD04.pem
    openssl verify -CAfile ca.pem DD04.pem
    said_in service.log 'ending, once 1 requests are answered'
    check_invariants
}

@test "an issuer that hangs is not told to be alive, though nobody waits for it" {
    local issuer ear before num
    end_service
    sed -i 's/limits: {queue: 2}/limits: {answer: 1s}/' ca/signet.yaml
    listen "$PWD/told" issuer.told
    ear=$!
    wait_for 10 test -S told
    NOTIFY_SOCKET=$PWD/told WATCHDOG_USEC=60000000 "$SIGNETD" issuer -C ca 2>issuer.log 3>&- &
    issuer=$!
    wait_for 30 has_told 2 WATCHDOG=1 issuer.told
    before=$(count_log '^delay C_Sign')
    echo C_Sign:delay=6500 >live
    signet -C ca revoke --device device-BB02
    wait_for_delay $((before + 1))
    rm live
    sleep 3.5
    num=$(grep -c WATCHDOG issuer.told)
    sleep 2
    expect_equal "told while it hangs" "$num" "$(grep -c WATCHDOG issuer.told)"
    wait_for 10 has_told $((num + 1)) WATCHDOG=1 issuer.told
    kill "$issuer"
    wait "$issuer"
    kill "$ear"
}

@test "a key of the CA is no key for /healthz" {
    local key
    for key in ca ca-ocsp; do
        cp -r ca other
        sed -i "s|pkcs11:object=health|pkcs11:object=$key|" other/signet.yaml
        run --separate-stderr "$SIGNETD" issuer -C other
        expect_status 1
        expect_said 'other/signet.yaml:' "the service needs one of its own"
        rm -r other
    done
}

@test "a health key that is not there keeps the issuer from starting" {
    cp -r ca other
    sed -i "s|pkcs11:object=health|pkcs11:object=none|" other/signet.yaml
    run --separate-stderr "$SIGNETD" issuer -C other
    expect_status 1
    expect_said 'service: health, token main'
    sed -i "s|health: {token: main|health: {token: spare|" other/signet.yaml
    run --separate-stderr "$SIGNETD" issuer -C other
    expect_status 1
    expect_said 'other/signet.yaml:' "there is no token 'spare' under tokens"
    rm -r other
}
