# provision: a line's run is killed, its token goes away, its disk is full; the same run again makes
# everything whole, and both invariants hold.
load faults

setup_file() {
    start_with_ca
    write_line_policy
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    out=out$BATS_TEST_NUMBER
    mounted=
}

teardown() {
    if [ -n "$mounted" ]; then
        umount "$mounted"
    fi
}

# make_requests NUM PREFIX: NUM requests in the folder PREFIX.
make_requests() {
    local n
    mkdir "$2"
    for n in $(seq 1 "$1"); do
        make_request "$2/device-$2$n.csr" "device-$2$n"
    done
}

provision() {
    timeout 120 "$SIGNET" -C ca provision -p line "$@"
}

# expect_whole FOLDER OUT NUM: each request has its certificate in OUT, which is its device's only
# valid one; nothing is in flight.
expect_whole() {
    local request device
    expect_equal "certificates" "$3" "$(ls "$2" | wc -l)"
    for request in "$1"/*.csr; do
        device=$(basename "$request" .csr)
        expect_equal "valid certificates of $device" 1 \
            "$(count_certificates ca --device "$device" --status valid)"
        [ "$(openssl x509 -in "$2/$device.pem" -noout -pubkey)" = \
            "$(openssl req -in "$request" -noout -pubkey)" ] || fail "$device has another's certificate"
    done
    expect_equal "in flight" 0 "$(count_certificates ca --status in-flight)"
    check_invariants "$2"/*.pem
}

# --- killed --------------------------------------------------------------------------------------------

@test "killed while the token signs: at the first, in the middle, at the last signature" {
    local at
    for at in 1 5 8; do
        make_requests 8 "KILL$at"
        run with_fault "C_Sign:$at:kill" provision "KILL$at" "$out-$at"
        expect_status 137
        check_invariants
        provision "KILL$at" "$out-$at"
        expect_whole "KILL$at" "$out-$at" 8
    done
}

@test "killed at random moments, again and again" {
    make_requests 24 RANDOM
    keep_tokens
    local try process
    for try in 1 2 3 4 5 6; do
        "$SIGNET" -C ca provision -p line --report random.csv RANDOM "$out" 2>/dev/null &
        process=$!
        sleep "0.$((RANDOM % 9))"
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" || true
        put_back_tokens
        check_invariants
        rm -f "$out/device-RANDOM$try.pem"
    done
    provision --report random.csv RANDOM "$out"
    expect_whole RANDOM "$out" 24
    expect_equal "lines of the report" 25 "$(wc -l <random.csv)"
}

@test "killed while it replaces: the former certificate or the next is valid, never none" {
    make_requests 6 OLD
    provision OLD "$out"
    mkdir next
    for n in 1 2 3 4 5 6; do make_request "next/device-OLD$n.csr" "device-OLD$n"; done
    run with_fault C_Sign:4:kill provision --replace --reason superseded next "$out"
    expect_status 137
    for n in 1 2 3 4 5 6; do
        expect_equal "valid certificates of device-OLD$n" 1 \
            "$(count_certificates ca --device "device-OLD$n" --status valid)"
    done
    provision --replace --reason superseded --force next "$out"
    expect_whole next "$out" 6
}

# --- the token -----------------------------------------------------------------------------------------

# away FIRST LAST: faults for those calls of C_Sign.
away() {
    local n
    for n in $(seq "$1" "$2"); do printf 'C_Sign:%s:CKR_DEVICE_ERROR ' "$n"; done
}

@test "a token that goes away for a while: the run waits and goes on, in order" {
    make_requests 12 AWAY
    run --separate-stderr with_fault "$(away 5 12)" provision --jobs 2 --report away.jsonl AWAY "$out"
    expect_status 0
    expect_said "the run waits for 1 s and goes on" "12 issued"
    expect_whole AWAY "$out" 12
    expect_equal "the report's order" "$(seq 1 12 | tr '\n' ' ')" \
        "$(jq -r .number away.jsonl | tr '\n' ' ')"
    expect_equal "outcomes" issued "$(jq -r .outcome away.jsonl | sort -u)"
}

@test "on a terminal: a bar, the rate and the time left" {
    make_requests 12 BAR
    # It waits a second, so that there is time for a bar.
    run with_fault "$(away 5 6)" python3 -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
        timeout 120 "$SIGNET" -C ca provision -p line --jobs 1 BAR "$out"
    expect_status 0
    grep -qE '\[#+ +\] [0-9]+ of 12 done, 0 refused, [0-9]+/s, 0:0[0-9] left' <<<"$output" ||
        fail "no bar in: $output"
    expect_whole BAR "$out" 12
}

@test "a token that stays away: those that were served are told, and the rest" {
    make_requests 10 GONE
    run --separate-stderr with_fault C_Sign:4:CKR_DEVICE_ERROR:always \
        provision --wait 2s --jobs 1 --report gone.jsonl GONE "$out"
    expect_status 4
    expect_said "CKR_DEVICE_ERROR" "not served"
    expect_equal "lines of the report" 10 "$(wc -l <gone.jsonl)"
    expect_equal "outcomes" "issued not served" "$(jq -r .outcome gone.jsonl | uniq | tr '\n' ' ' | sed 's/ $//')"
    check_invariants
    provision --report gone.jsonl GONE "$out"
    expect_whole GONE "$out" 10
}

@test "a PIN that is refused is not waited for" {
    make_requests 2 PIN
    run --separate-stderr with_fault C_Login:1:CKR_PIN_INCORRECT:always provision PIN "$out"
    rm -f ca/refused-pins
    expect_status 4
    [[ $stderr != *"the run waits"* ]]
}

# make_transport: whom keys are encrypted to.
make_transport() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout transport.key -subj "/CN=Line" -days 30 \
        -addext keyUsage=critical,keyEncipherment -out transport.pem 2>/dev/null
}

# keys_for COMMAND...: a line whose devices of keyless.csv have no keys.
keys_for() {
    provision --keys-on main --transport-certificate transport.pem keyless.csv "$@"
}

# expect_keys NUM: each of keyless.csv has one certificate, and the key that it is about.
expect_keys() {
    local n
    for n in $(seq 1 "$1"); do
        expect_equal "valid certificates" 1 \
            "$(count_certificates ca --device "device-KEYS$n" --status valid)"
        [ "$(openssl x509 -in "$out/device-KEYS$n.pem" -noout -pubkey)" = \
            "$(openssl cms -decrypt -inform PEM -in "$out/device-KEYS$n.key" -recip transport.pem \
                -inkey transport.key | openssl pkey -pubout)" ] || fail "device-KEYS$n has another key"
    done
    check_invariants "$out"/*.pem
}

@test "keys on a token: killed in the middle, no certificate is without its key" {
    make_transport
    { echo id; for n in $(seq 1 8); do echo "device-KEYS$n"; done; } >keyless.csv
    run with_fault C_Sign:3:kill keys_for "$out"
    expect_status 137
    run with_fault C_GenerateKeyPair:2:kill keys_for "$out"
    keys_for "$out"
    expect_keys 8
}

@test "keys on a token that makes none: the run ends, and goes on" {
    make_transport
    { echo id; for n in $(seq 11 18); do echo "device-KEYS$n"; done; } >keyless.csv
    run --separate-stderr with_fault C_GenerateKeyPair:4:CKR_DEVICE_ERROR keys_for "$out"
    expect_status 4
    expect_said CKR_DEVICE_ERROR
    expect_equal "certificates" 3 "$(ls "$out"/*.pem | wc -l)"
    keys_for "$out"
    expect_equal "certificates" 8 "$(ls "$out"/*.pem | wc -l)"
}

# --- the disk ------------------------------------------------------------------------------------------

# mount_small FOLDER SIZE [FILES]
mount_small() {
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2${3:+,nr_inodes=$3}" signet-test "$1" 2>/dev/null ||
        skip "needs root, to mount a small file system"
    mounted=$1
}

@test "a full disk under the output: the run stops, and goes on once there is room" {
    make_requests 12 FULL
    mount_small small 64k
    dd if=/dev/zero of=small/filler bs=4K 2>/dev/null || true
    truncate -s -24K small/filler
    run --separate-stderr provision FULL small
    expect_status 1
    expect_said "the disk is full; make room and run the same again"
    [ -z "$(find small -name '.*.tmp')" ] || fail "a half-written file stayed"
    rm small/filler
    provision FULL small
    expect_whole FULL small 12
}

@test "what the disks can't take is said before the run, and the run stops where it has to" {
    make_requests 12 FEW
    mount_small small 64k 8
    run --separate-stderr provision FEW small
    expect_status 1
    expect_said "warning: disk of the output: 0 MiB free, about 1 needed" \
        "warning: disk of the output: it can take 7 files more, 12 are needed" \
        "run the same again"
    mount -o remount,nr_inodes=100 small
    provision FEW small
    expect_whole FEW small 12
}

@test "answers that nobody can take: the run ends, and nothing is lost" {
    make_requests 3 PIPE
    status=0
    provision PIPE - >/dev/full 2>pipe.log || status=$?
    expect_equal "exit status" 1 "$status"
    grep -q "cannot write to standard output" pipe.log
    provision PIPE "$out"
    expect_whole PIPE "$out" 3
}

@test "a full disk under the store" {
    [ -z "${SIGNET_TEST_POSTGRES:-}" ] || skip "the store is not on this disk"
    make_requests 30 STORE
    mkdir -p small
    mount_small small 4m
    cp -r ca/. small
    home=small
    dd if=/dev/zero of=small/filler bs=4K 2>/dev/null || true
    truncate -s -64K small/filler
    run --separate-stderr timeout 120 "$SIGNET" -C small provision -p line --report full.jsonl STORE "$out"
    expect_status 5
    rm small/filler
    timeout 120 "$SIGNET" -C small provision -p line STORE "$out"
    expect_equal "certificates" 30 "$(ls "$out" | wc -l)"
    expect_equal "in flight" 0 "$(count_certificates small --status in-flight)"
}
