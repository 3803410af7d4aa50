# failover: the server of the store loses its power in the middle, and its synchronous standby goes on.
# (Run by tests/postgres/private.)
load faults
load ../flow/service

setup_file() {
    start_with_ca
    # any of the two that writes
    sed -i "s|host=\(.*\)/one|host=\1/one,\1/two|" ca/signet.yaml
    write_line_policy
    make_due ca device-OLD1
    make_device ca device-LATE1
    add_service ca 'est: {policy: device-mtls}'
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

server() {
    "$SIGNET_TEST_SERVER" "$@"
}

is_synchronous() {
    [ "$(server sql "SELECT sync_state FROM pg_stat_replication")" = sync ]
}

# make_lines NUM: requests as JSON lines.
make_lines() {
    local n
    for n in $(seq 101 $((100 + $1))); do
        make_request request.csr "device-LN$n"
        jq -nc --arg id "device-LN$n" --rawfile csr request.csr '{id: $id, csr: $csr}'
    done
}

# slowly FILE: its lines, ten a second.
slowly() {
    local line
    while read -r line; do
        echo "$line"
        sleep 0.1
    done <"$1"
}

@test "a standby that isn't waited for is warned of, by the command and by the service" {
    run --separate-stderr signet -C ca list
    expect_status 0
    expect_equal warnings "" "$stderr"
    server standby
    run --separate-stderr signet -C ca list
    expect_status 0
    expect_said "warning: the standbys of the store's server are asynchronous" "synchronous_standby_names"
    start_service ca
    stop_service || true
    said_in service.log 'the standbys of the store'
    server sql "ALTER SYSTEM SET synchronous_standby_names = 'two'"
    server sql 'SELECT pg_reload_conf()' >/dev/null
    wait_for 10 is_synchronous
    run --separate-stderr signet -C ca list
    expect_status 0
    expect_equal warnings "" "$stderr"
}

@test "the primary is lost in the middle of a run: it goes on at the standby, and nothing is lost" {
    local line
    is_synchronous
    make_lines 30 >lines.jsonl
    start_service ca
    slowly lines.jsonl | signet -C ca provision -p line - - >answers.jsonl 2>provision.log 3>&- &
    line=$!
    sleep 1.2
    server crash
    sleep 0.7
    server promote
    wait "$line" || fail "the run failed: $(cat provision.log; jq -r .message answers.jsonl | sort | uniq -c)"
    expect_equal answers 30 "$(jq -s 'map(select(.outcome == "issued")) | length' answers.jsonl)"

    mkdir left
    while read -r line; do
        jq -r .certificate <<<"$line" >"left/$(jq -r .device <<<"$line").pem"
    done <answers.jsonl
    check_invariants left/*.pem
    expect_equal "devices" 30 "$(signet -C ca list --json --policy line --status valid | jq 'map(.device) | unique | length')"
    expect_equal "in flight" 0 "$(count_certificates ca --status in-flight)"

    enroll simplereenroll device-OLD1.csr --cert device-OLD1.pem --key device-OLD1.key
    expect_http 200
    certificate_of_body renewed.pem
    check_invariants renewed.pem
    stop_service || true
}

@test "the former primary, started again: it waits for a standby, and nothing leaves it" {
    server start
    run --separate-stderr timeout 4 "$SIGNET" -C ca issue -p device-mtls --device device-LATE1 -o late.pem \
        device-LATE1.csr
    expect_status 124
    expect_said "waits for a synchronous standby, and there is none"
    expect_absent late.pem
    server crash
    signet -C ca issue -p device-mtls --device device-LATE1 -o late.pem device-LATE1.csr
    check_invariants late.pem
}
