# disk: it is full, or can't be written to, or two processes write at once.
load faults

setup_file() {
    start_with_ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    device=device-DISK$BATS_TEST_NUMBER
    mounted=
}

teardown() {
    if [ -n "$mounted" ]; then
        umount "$mounted"
    fi
}

issue() { # DEVICE REQUEST OUTPUT
    signet -C "$home" issue -p device-mtls --device "$1" -o "$3" "$2"
}

# --- a disk that is full -------------------------------------------------------------------------------

# mount_small DIR SIZE: a file system of its own until the end of the test, or a skip that is counted.
mount_small() {
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2" signet-test "$1" 2>/dev/null ||
        skip "needs root, to mount a small file system"
    mounted=$1
}

# home_on_small SIZE: a copy of the home on a small file system, with a log of its own.
home_on_small() {
    mount_small "small$BATS_TEST_NUMBER" "$1"
    cp -r ca/. "$mounted"
    home=$mounted
    export SIGNET_WRAP_LOG=$PWD/small$BATS_TEST_NUMBER.log
    touch "$SIGNET_WRAP_LOG"
}

# leave_free DIR KIB: fills the file system but for that much.
leave_free() {
    dd if=/dev/zero of="$1/filler" bs=4K 2>/dev/null || true
    truncate -s "-${2}K" "$1/filler"
}

@test "a full disk under the store, from nothing left to enough" {
    local free served=0 failed=0 certificates=()
    home_on_small 4m
    for free in 0 4 8 16 32 36 40 48 56 64 80 96 128 256; do
        device=device-FULL$free
        make_device "$home" "$device"
        leave_free "$home" $free
        run --separate-stderr issue "$device" "$device.csr" "$device.pem"
        rm "$home/filler"
        if [ "$status" -eq 0 ]; then
            served=$((served + 1))
            certificates+=("$device.pem")
        else
            failed=$((failed + 1))
            expect_status 5
            expect_said "store" "full"
            expect_absent "$device.pem"
        fi
        check_invariants "${certificates[@]}"
    done
    [ $served -gt 0 ] || fail "no fill level was enough"
    [ $failed -gt 0 ] || fail "no fill level was too little"
    expect_equal "the store's own check" ok "$(sqlite3 "$home/signet.db" 'PRAGMA integrity_check')"

    # Those that failed are served once there is room.
    issue device-FULL0 device-FULL0.csr device-FULL0.pem
    expect_one_certificate device-FULL0 device-FULL0.pem
}

@test "a full disk under the CRL's record" {
    local before
    home_on_small 4m
    make_crl
    before=$(crl_number)
    leave_free "$home" 0
    run --separate-stderr signet -C "$home" crl -o full.crl
    rm "$home/filler"
    expect_status 5
    expect_absent full.crl
    make_crl
    [ $((16#$(crl_number))) -gt $((16#$before)) ] || fail "CRL number $(crl_number) after $before"
    check_invariants
}

@test "a full disk under the output: the certificate is recorded, and handed out when asked again" {
    mount_small output 64k
    make_device ca "$device"
    leave_free output 0
    run --separate-stderr issue "$device" "$device.csr" "output/$device.pem"
    expect_status 1
    expect_said "No space left" "run the same again"
    expect_absent "output/$device.pem"
    expect_equal "valid certificates" 1 "$(count_certificates ca --device "$device" --status valid)"
    rm output/filler

    issue "$device" "$device.csr" "output/$device.pem"
    expect_one_certificate "$device" "output/$device.pem"
}

@test "a size limit under the store" {
    make_device ca "$device"
    # Without a signal, a write beyond the limit fails as on a disk that won't take it.
    run --separate-stderr bash -c 'trap "" XFSZ; ulimit -f 8; exec "$@"' - "$SIGNET" -C ca issue \
        -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    expect_status 5
    expect_said "store"
    expect_absent "$device.pem"
    check_invariants
    issue "$device" "$device.csr" "$device.pem"
    expect_one_certificate "$device" "$device.pem"
}

# --- a store that can't be written to --------------------------------------------------------------------

# Root may write in spite of permissions, and anyone else may not mount.
forbid_writing() {
    if [ -n "$mounted" ]; then mount -o remount,ro "$mounted"; else chmod -R a-w "$home"; fi
}

allow_writing() {
    if [ -n "$mounted" ]; then mount -o remount,rw "$mounted"; else chmod -R u+w "$home"; fi
}

@test "a read-only store" {
    local before
    if [ "$(id -u)" -eq 0 ]; then home_on_small 4m; fi
    make_device "$home" "$device"
    before=$(count_certificates "$home")
    forbid_writing
    run --separate-stderr issue "$device" "$device.csr" "$device.pem"
    expect_status 5
    expect_said "read-only"
    expect_absent "$device.pem"
    expect_equal "claims" 0 "$(count_certificates "$home" --device "$device")"
    run --separate-stderr signet -C "$home" crl -o read-only.crl
    expect_status 5
    expect_absent read-only.crl
    expect_equal "certificates that can still be listed" "$before" "$(count_certificates "$home")"

    allow_writing
    issue "$device" "$device.csr" "$device.pem"
    expect_one_certificate "$device" "$device.pem"
}

@test "a store that is gone, and one that is something else" {
    make_device ca "$device"
    mv ca/signet.db kept.db
    run --separate-stderr issue "$device" "$device.csr" "$device.pem"
    expect_status 5
    expect_said signet.db
    [ ! -e ca/signet.db ] || fail "a new store was made in place of the one that is gone"
    head -c 8192 /dev/urandom >ca/signet.db
    run --separate-stderr issue "$device" "$device.csr" "$device.pem"
    expect_status 5
    expect_said signet.db
    expect_absent "$device.pem"
    mv kept.db ca/signet.db
    issue "$device" "$device.csr" "$device.pem"
    expect_one_certificate "$device" "$device.pem"
}

@test "an output file that exists is kept, and nothing is issued for it" {
    make_device ca "$device"
    echo precious >"$device.pem"
    run --separate-stderr issue "$device" "$device.csr" "$device.pem"
    expect_status 1
    expect_said "--force"
    expect_equal "the file" precious "$(cat "$device.pem")"
    expect_equal "claims" 0 "$(count_certificates ca --device "$device")"
}

# --- two processes at once -------------------------------------------------------------------------------

# issue_slowly DEVICE REQUEST OUTPUT: in the background, and on the token when this returns; its
# process is $slow.
issue_slowly() {
    local delays
    delays=$(count_log '^delay')
    SIGNET_WRAP_FAULT=C_Sign:1:delay=3000 "$SIGNET" -C "$home" issue -p device-mtls --device "$1" \
        -o "$3" "$2" 2>slow.log &
    slow=$!
    wait_for_delay $((delays + 1))
}

@test "two processes issue at once" {
    make_device ca "${device}A"
    make_device ca "${device}B"
    issue_slowly "${device}A" "${device}A.csr" "${device}A.pem"
    issue "${device}B" "${device}B.csr" "${device}B.pem"
    wait $slow
    expect_one_certificate "${device}A" "${device}A.pem"
    expect_one_certificate "${device}B" "${device}B.pem"
}

@test "two requests of one device at once: one certificate" {
    make_device ca "$device"
    make_request other.csr "$device"
    issue_slowly "$device" "$device.csr" "$device.pem"
    run --separate-stderr issue "$device" other.csr other.pem
    expect_status 3
    expect_said unique "$device"
    expect_absent other.pem
    wait $slow
    expect_one_certificate "$device" "$device.pem"
}

@test "one request twice at once: one certificate, which the retry gets too" {
    make_device ca "$device"
    issue_slowly "$device" "$device.csr" "$device.pem"
    run --separate-stderr issue "$device" "$device.csr" again.pem
    expect_status 3
    expect_absent again.pem
    wait $slow
    issue "$device" "$device.csr" again.pem
    cmp "$device.pem" again.pem
    expect_one_certificate "$device" "$device.pem"
}

@test "a crowd of processes: every device served once, every CRL with a number of its own" {
    local i process processes=()
    for i in 1 2 3 4; do
        make_device ca "$device$i"
    done
    for i in 1 2 3 4; do
        "$SIGNET" -C ca issue -p device-mtls --device "$device$i" -o "$device$i.pem" "$device$i.csr" \
            2>"crowd$i.log" &
        processes+=($!)
        # To standard output goes the one that it made; into a file, the latest, whoever made it.
        "$SIGNET" -C ca crl >"crowd$i.crl" 2>"crowd-crl$i.log" &
        processes+=($!)
    done
    for process in "${processes[@]}"; do
        wait "$process" || fail "one of them failed: $(cat crowd*.log)"
    done
    for i in 1 2 3 4; do
        expect_one_certificate "$device$i" "$device$i.pem"
    done
    expect_equal "numbers of four CRLs" 4 \
        "$(for i in 1 2 3 4; do crl_number "crowd$i.crl"; done | sort -u | wc -l)"
}
