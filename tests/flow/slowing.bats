# slowing: who is refused as nobody again and again waits, alone, and fills neither log nor store.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home dev
    make_ticket_policies dev
    signet -C dev user add 'Ada Example' email=ada@example.com
    make_request ada.csr 'Ada Example'
    echo 00112233445566778899aabbccddeeff >invented
    add_service dev 'est: {labels: {staff: staff}}' 'limits: {refusals: 3}'
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

# guess ADDRESS: a ticket that nobody has given out, from there; the milliseconds are in took.
guess() {
    local begun=${EPOCHREALTIME/./}
    enroll_by_ticket staff invented '' ada.csr --interface "$1"
    expect_http 401
    took=$(((${EPOCHREALTIME/./} - begun) / 1000))
}

@test "the first refusals cost nothing, the next ones wait, each twice as long, and 5 s at most" {
    for i in 1 2 3; do guess 127.0.0.2; done
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_slowed_requests_total 0'
    guess 127.0.0.2
    for wanted in 100 200 400 800 1600; do
        guess 127.0.0.2
        [ "$took" -ge "$wanted" ] || fail "a wait of $took ms instead of $wanted"
    done
    for i in 1 2; do
        guess 127.0.0.2
        [ "$took" -ge 3200 ] && [ "$took" -lt 9000 ] || fail "a wait of $took ms"
    done
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_slowed_requests_total 7'
}

@test "nobody else waits, and nobody is shut out" {
    local begun=${EPOCHREALTIME/./}
    ticket adas -p staff --user 'Ada Example' --no-pin
    enroll_by_ticket staff adas '' ada.csr --interface 127.0.0.3
    expect_http 200
    [ $(((${EPOCHREALTIME/./} - begun) / 1000)) -lt 3000 ]
    # what everybody may know does not wait either
    begun=${EPOCHREALTIME/./}
    fetch --interface 127.0.0.2 "$est_url/staff/cacerts"
    expect_http 200
    [ $(((${EPOCHREALTIME/./} - begun) / 1000)) -lt 3000 ]
    # and the one that waits gets what it may have
    enroll_by_ticket staff adas '' ada.csr --interface 127.0.0.2
    expect_http 200
}

@test "refusals fill neither the log nor the store" {
    local i before
    before=$(dump_store dev | sha256sum)
    for i in 1 2 3 4 5 6; do guess 127.0.0.4; done
    expect_equal lines 3 "$(grep -c ' 127\.0\.0\.4 POST ' service.log)"
    expect_equal notes 1 "$(grep -c '127\.0\.0\.4 is refused so often' service.log)"
    fetch "$metrics_url/metrics"
    [ "$(sed -n 's/^signet_log_lines_left_out_total //p' body)" -ge 3 ]
    expect_equal store "$before" "$(dump_store dev | sha256sum)"
}
