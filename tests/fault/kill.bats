# kill: the process dies after every step of the path, and both invariants hold all the same.
load faults

setup_file() {
    start_with_ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# kill_after STEP ORPHANS: a request whose process is killed after STEP leaves that many orphans, and
# is served when it comes again.
kill_after() {
    local step=$1 orphans=$2 device=device-KILL$BATS_TEST_NUMBER
    make_device ca "$device"

    run --separate-stderr "$SIGNET_FAULT_TOOLS/issue_steps" ca device-mtls "$device" "$device.csr" "$step"
    expect_status 137
    expect_equal "what left before the kill" "" "$output"
    check_invariants

    "$SIGNET_FAULT_TOOLS/issue_steps" ca device-mtls "$device" "$device.csr" none >"$device.pem"
    expect_one_certificate "$device" "$device.pem"
    make_crl
    expect_orphans_listed "$device" "$orphans"
    check_invariants "$device.pem"
}

@test "killed after parsing" { kill_after parsed 0; }
@test "killed after possession" { kill_after possession 0; }
@test "killed after key quality" { kill_after key-quality 0; }
@test "killed after authentication" { kill_after authenticated 0; }
@test "killed after the policy's decision" { kill_after decided 0; }
@test "killed after the serial number" { kill_after serial 0; }
@test "killed after building" { kill_after built 0; }
@test "killed after lint" { kill_after linted 0; }
@test "killed after the claim" { kill_after claimed 1; }
@test "killed after signing" { kill_after signed 1; }
@test "killed after verifying" { kill_after verified 1; }
@test "killed after recording: the retry gets the recorded certificate" { kill_after recorded 0; }

# kill_with_ticket STEP: a ticket whose process is killed after STEP is good for its own key and, once
# there is a claim, for no other; it comes to one certificate.
kill_with_ticket() {
    local step=$1 device=device-TICK$BATS_TEST_NUMBER ticket tool=$SIGNET_FAULT_TOOLS/issue_steps
    make_device ca "$device"
    make_request "$device-other.csr" "$device"
    ticket=$(signet -C ca ticket add -p device-mtls --device "$device")

    run "$tool" ca device-mtls "$device" "$device.csr" "$step" "$ticket"
    expect_status 137
    check_invariants
    if [[ $step == claimed || $step == signed || $step == verified || $step == recorded ]]; then
        run "$tool" ca device-mtls "$device" "$device-other.csr" none "$ticket"
        expect_status 1
        expect_said "this ticket has been used"
    fi

    "$tool" ca device-mtls "$device" "$device.csr" none "$ticket" >"$device.pem"
    "$tool" ca device-mtls "$device" "$device.csr" none "$ticket" >"$device-again.pem"
    cmp "$device.pem" "$device-again.pem"
    run "$tool" ca device-mtls "$device" "$device-other.csr" none "$ticket"
    expect_status 1
    expect_said "this ticket has been used"
    expect_one_certificate "$device" "$device.pem"
    make_crl
    check_invariants "$device.pem"
}

@test "a ticket, killed after authentication" { kill_with_ticket authenticated; }
@test "a ticket, killed after lint" { kill_with_ticket linted; }
@test "a ticket, killed after the claim" { kill_with_ticket claimed; }
@test "a ticket, killed after signing" { kill_with_ticket signed; }
@test "a ticket, killed after verifying" { kill_with_ticket verified; }
@test "a ticket, killed after recording" { kill_with_ticket recorded; }

@test "the try of a PIN is gone before the PIN is compared" {
    grep -q '^pins:' ca/signet.yaml || {
        echo "pins: {token: main, key: 'pkcs11:object=pins'}" >>ca/signet.yaml
        signet -C ca key create --type HMAC pins
    }
    signet -C ca user add Ada email=ada@example.com
    printf 4711 >ada.pin
    printf 4712 >wrong.pin
    chmod 600 ada.pin wrong.pin
    signet -C ca user pin Ada --set --pin file:ada.pin
    signet -C ca ticket add -p user-client --user Ada --tries 3 >ada.ticket
    make_request ada.csr Ada

    run with_fault C_Sign:1:kill signet -C ca issue -p user-client --ticket-file ada.ticket \
        --pin file:wrong.pin ada.csr
    expect_status 137
    expect_equal "tries" 2 "$(signet -C ca ticket list --json | jq '.[-1].pin_tries')"
    run signet -C ca issue -p user-client --ticket-file ada.ticket --pin file:ada.pin ada.csr
    expect_equal "tries" 2 "$(signet -C ca ticket list --json | jq '.[-1].pin_tries')"
    check_invariants
}

@test "killed at the third signature of five requests" {
    local device devices="device-GRP1 device-GRP2 device-GRP3 device-GRP4 device-GRP5" requests=()
    for device in $devices; do
        make_device ca "$device"
        requests+=("$device.csr")
    done
    mkdir group

    run with_fault C_Sign:3:kill signet -C ca issue -p device-mtls --device-from-cn --output-dir group \
        "${requests[@]}"
    expect_status 137
    expect_equal "certificates that left" "" "$(ls -A group)"
    check_invariants

    signet -C ca issue -p device-mtls --device-from-cn --output-dir group "${requests[@]}"
    make_crl
    for device in $devices; do
        expect_one_certificate "$device" "group/$device.pem"
        expect_orphans_listed "$device" 1
    done
    check_invariants group/*.pem
}

# kill_crl FAULT: a CRL whose process dies leaves no file, and its number is not given out again.
kill_crl() {
    make_crl
    local before after process status=0 delays
    before=$(crl_number)
    delays=$(count_log '^delay')

    SIGNET_WRAP_FAULT=$1 "$SIGNET" -C ca crl -o killed.pem 2>killed.log &
    process=$!
    if [[ $1 == *delay* ]]; then
        wait_for_delay $((delays + 1))
        kill -KILL "$process"
    fi
    wait "$process" || status=$?
    expect_equal "exit status" 137 "$status"
    expect_absent killed.pem
    check_invariants

    make_crl
    after=$(crl_number)
    expect_equal "the next CRL's number" $((16#$before + 2)) $((16#$after))
    expect_equal "CRLs of one number" "" "$(ask_store ca \
        'SELECT number FROM crl GROUP BY issuer, number HAVING count(*) > 1')"
    check_invariants
}

@test "a CRL's process is killed while the token signs" {
    kill_crl C_Sign:1:delay=60000
}

@test "a CRL's process is killed between signature and record" {
    kill_crl C_Sign:1:kill
}

@test "an issuing process is killed while the token signs" {
    local device=device-SLOW1 process status=0 delays
    make_device ca "$device"
    delays=$(count_log '^delay')

    SIGNET_WRAP_FAULT=C_Sign:1:delay=60000 "$SIGNET" -C ca issue -p device-mtls --device "$device" \
        -o "$device.pem" "$device.csr" 2>killed.log &
    process=$!
    wait_for_delay $((delays + 1))
    expect_equal "claims in flight" 1 "$(count_certificates ca --device "$device" --status in-flight)"
    kill -KILL "$process"
    wait "$process" || status=$?
    expect_equal "exit status" 137 "$status"
    expect_absent "$device.pem"
    expect_equal "claims in flight" 0 "$(count_certificates ca --device "$device" --status in-flight)"

    signet -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    expect_one_certificate "$device" "$device.pem"
    make_crl
    expect_orphans_listed "$device" 1
}

# --- the checker itself ------------------------------------------------------------------------------

@test "check_invariants finds a signature without an intent" {
    local log=foreign.log
    cp "$SIGNET_WRAP_LOG" $log
    echo "C_Sign CKM_ECDSA $(printf 'never claimed' | sha256sum | cut -c 1-64) ca" >>$log

    run "$SIGNET_FAULT_TOOLS/check_invariants" ca $log
    expect_status 1
    expect_said "without a durable intent"
}

@test "check_invariants finds a signature that it can't tell the digest of" {
    local log=unknown.log
    echo "C_Sign CKM_OTHER unknown ca" >$log

    run "$SIGNET_FAULT_TOOLS/check_invariants" ca $log
    expect_status 1
    expect_said "does not tell what was signed"
}

@test "check_invariants tells what was signed in every scheme" {
    local scheme type
    for scheme in rsa-sha512 rsa-pss-sha384 ecdsa-sha384; do
        type=RSA-3072
        [[ $scheme == rsa-* ]] || type=P-384
        KEY_TYPE=$type make_root_home "$scheme" --signature "$scheme"
        home=$scheme
        check_invariants "$scheme.pem"
        expect_equal "$scheme" "claims 1, certificates 1, orphans 0, signatures 1" "$counts"
    done
}

@test "check_invariants lets other keys sign what they like" {
    local log=other.log
    echo "C_Sign CKM_ECDSA $(printf 'a request' | sha256sum | cut -c 1-64) device-key" >$log

    run "$SIGNET_FAULT_TOOLS/check_invariants" ca $log
    expect_status 0
    expect_said "signatures 0"
}

@test "check_invariants finds a certificate that the store does not know" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj /CN=stray -days 1 -out stray.pem 2>/dev/null

    run "$SIGNET_FAULT_TOOLS/check_invariants" ca "$SIGNET_WRAP_LOG" ca.pem stray.pem
    expect_status 1
    expect_said "stray.pem was handed out and the store does not hold it"
}

@test "check_invariants compares bytes, not serial numbers" {
    local serial
    serial=$(openssl x509 -in ca.pem -noout -serial | sed 's/^serial=/0x/')
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj /CN=twin -days 1 -set_serial "$serial" -out twin.pem 2>/dev/null

    run "$SIGNET_FAULT_TOOLS/check_invariants" ca "$SIGNET_WRAP_LOG" twin.pem
    expect_status 1
    expect_said "the store does not hold it"
}
