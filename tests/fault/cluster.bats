# cluster: several processes on several tokens share a store in PostgreSQL. One is killed, the server loses
# its power, and afterwards everything is there once. (Run by tests/postgres/private.)
load faults
load ../flow/service

machines="north south"

# Two machines, each with a home and a token of its own; the keys are the same.
setup_file() {
    start_with_ca
    write_line_policy
    for n in 1 2 3 4; do make_due ca "device-OLD$n"; done
    signet key create 'pkcs11:token=ca;object=ca-ocsp' --pin file:pin/ca "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=ca-ocsp'}|" ca/signet.yaml
    add_service ca 'est: {policy: device-mtls}'
    make_requests 40
    for machine in $machines; do make_machine "$machine"; done
    for machine in $machines; do at "$machine" start_machine; done
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    for machine in $machines; do at "$machine" end_machine; done
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# make_requests NUM: as files in csrs, and as JSON lines.
make_requests() {
    local n device
    mkdir csrs
    for n in $(seq 101 $((100 + $1))); do
        device=device-LN$n
        make_request "csrs/$device.csr" "$device"
        jq -nc --arg id "$device" --rawfile csr "csrs/$device.csr" '{id: $id, csr: $csr}'
    done >up.jsonl
    tac up.jsonl >down.jsonl
}

make_machine() {
    mkdir "$1"
    cp -r ca pin tokens "$1"
    sed "s|^directories.tokendir = .*|directories.tokendir = $PWD/$1/tokens|" softhsm2.conf >"$1/softhsm2.conf"
}

# at MACHINE COMMAND…: there.
at() {
    (
        cd "$1"
        export SOFTHSM2_CONF=$PWD/softhsm2.conf XDG_STATE_HOME=$PWD/state
        "${@:2}"
    )
}

start_machine() {
    start_service ca
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

end_machine() {
    local pid
    [ -e service.pid ] || return 0
    pid=$(cat service.pid)
    kill "$pid" 2>/dev/null || return 0
    is_gone() { ! kill -0 "$pid" 2>/dev/null; }
    wait_for 20 is_gone
}

# --- what goes on at the same time ------------------------------------------------------------------

# provision_stream LINES ANSWERS: one request after the other, as a line makes them; its process is in
# provision.pid.
provision_stream() {
    local line
    while read -r line; do
        echo "$line"
        sleep 0.1
    done <"../$1" | {
        "$SIGNET" -C ca provision -p line --max-refused 100 - - >>"$2" 2>>provision.log 3>&- &
        echo $! >provision.pid
        wait $!
    }
}

# renew_all: each device's certificate once, in renewed-DEVICE.pem; asks again until there is one.
renew_all() {
    local n
    source ./urls
    tls=ca/tls.pem
    for n in 1 2 3 4; do
        cp "../device-OLD$n".* .
        wait_for 60 renew_one "device-OLD$n"
    done
}

renew_one() {
    [ ! -e stop-service ] || return 1
    source ./urls
    enroll simplereenroll "$1.csr" --cert "$1.pem" --key "$1.key" --max-time 20
    [ "$http_status" = 200 ] && certificate_of_body "renewed-$1.pem"
}

# make_crls: at one machine after the other, until the file stop is there. What the loss of the server
# interrupts makes none.
make_crls() {
    local n=0 machine
    while [ ! -e stop ]; do
        for machine in $machines; do
            n=$((n + 1))
            at "$machine" "$SIGNET" -C ca crl -o "../crl-$n.pem" || [ $? -eq 5 ]
        done
        sleep 0.1
    done
}

# kill_one: one of those that work, and what it was goes on in the next one of its kind.
kill_one() {
    local machine=north
    [ $((RANDOM % 2)) -eq 0 ] || machine=south
    wait_for 60 [ -s "$machine/answers.jsonl" ] # SoftHSM must not lose its token by a kill at login
    if [ $((RANDOM % 2)) -eq 0 ]; then
        echo "killed: signet provision at $machine" >&2
        kill -KILL "$(cat "$machine/provision.pid")"
        wait_for 5 is_over "$machine"
        at "$machine" provision_again &
    else
        echo "killed: the issuer of signetd at $machine" >&2
        at "$machine" kill_issuer
    fi
}

# have_ended PID…
have_ended() {
    local pid
    for pid in "$@"; do
        [ ! -d "/proc/$pid" ] || return 1
    done
}

is_over() {
    if kill -0 "$(cat "$1/provision.pid")" 2>/dev/null; then
        return 1
    fi
}

provision_again() {
    provision_stream up.jsonl again.jsonl || true
}

# --- what has to be true afterwards -----------------------------------------------------------------

# certificates_of ANSWERS…: one file for each certificate that left; a last line may be torn.
certificates_of() {
    local file line n=0
    for file in "$@"; do
        [ -e "$file" ] || continue
        while read -r line; do
            n=$((n + 1))
            jq -re 'select(.certificate) | .certificate' >"$file.$n.pem" 2>/dev/null <<<"$line" || rm "$file.$n.pem"
        done <"$file"
    done
}

none() {
    local found
    found=$(ask_store ca "SELECT count(*) FROM ($2) t")
    expect_equal "$1" 0 "$found"
}

expect_each_once() {
    none "serials twice" 'SELECT 1 FROM claim GROUP BY issuer, serial HAVING count(*) > 1'
    none "devices with two certificates" "SELECT 1 FROM claim c JOIN certificate d ON d.claim = c.id
        LEFT JOIN revocation r ON r.claim = c.id WHERE c.policy = 'line' AND r.claim IS NULL
        GROUP BY c.device HAVING count(*) > 1"
    none "recorded, and given up" 'SELECT 1 FROM certificate JOIN pending USING (claim)'
    none "CRL numbers left out" 'SELECT 1 FROM crl GROUP BY issuer HAVING max(number) <> count(*)'
}

# expect_rising CRL…: each has a higher number than the one before.
expect_rising() {
    local file number last=0
    for file in "$@"; do
        number=$((16#$(crl_number "$file")))
        [ $number -gt $last ] || fail "$file has number $number, after $last"
        last=$number
    done
}

# ocsp_says MACHINE CERTIFICATE STATUS
ocsp_says() {
    local said
    source "$1/urls"
    said=$(openssl ocsp -url "$http_url/ocsp" -issuer ca.pem -CAfile ca.pem -cert "$2" 2>&1) || fail "$said" || return
    [[ $said == *"$2: $3"* ]]
}

# --- the test ---------------------------------------------------------------------------------------

@test "four processes on two tokens, one of them killed, and the server too" {
    local work=() crls machine pid
    make_crls 2>crls.log &
    crls=$!
    for machine in $machines; do
        at "$machine" provision_stream "$([ "$machine" = north ] && echo up || echo down).jsonl" answers.jsonl \
            2>/dev/null &
        work+=($!)
        at "$machine" renew_all &
        work+=($!)
    done
    sleep 1.5
    kill_one
    sleep 1
    "$SIGNET_TEST_SERVER" kill
    wait_for 60 have_ended "${work[@]}"
    touch stop
    wait "$crls"
    wait

    # what a killed one had begun and nobody was told is served by the next run
    for machine in $machines; do
        signet -C "$machine/ca" list --json --policy line --status valid >"$machine.json"
        at "$machine" "$SIGNET" -C ca provision -p line ../csrs out
    done
    expect_equal "devices" 40 "$(signet -C ca list --json --policy line --status valid | jq 'map(.device) | unique | length')"
    diff -r north/out south/out
    expect_equal "in flight" 0 "$(count_certificates ca --status in-flight)"

    for machine in $machines; do certificates_of "$machine"/{answers,again}.jsonl; done
    check_invariants north/out/*.pem north/*.jsonl.*.pem south/*.jsonl.*.pem north/renewed-*.pem south/renewed-*.pem
    for n in 1 2 3 4; do cmp "north/renewed-device-OLD$n.pem" "south/renewed-device-OLD$n.pem"; done
    expect_each_once
    expect_rising $(ls crl-*.pem | sort -V)
}

@test "what one machine revokes, the other one's OCSP and CRL tell" {
    local machine
    for machine in $machines; do ocsp_says "$machine" north/out/device-LN105.pem good; done
    at south "$SIGNET" -C ca revoke out/device-LN105.pem --reason keyCompromise
    for machine in $machines; do
        wait_for 5 ocsp_says "$machine" north/out/device-LN105.pem revoked
        ocsp_says "$machine" north/out/device-LN106.pem good
    done
    at north "$SIGNET" -C ca crl -o after.pem
    grep -qi "Serial Number: $(serial_of north/out/device-LN105.pem)" <<<"$(openssl crl -in north/after.pem -noout -text)"
}
