# token: the token fails in every way it can, and Signet says so, keeps its promises, and goes on
# once the token is back.
load faults

setup_file() {
    start_with_ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    device=device-TOKEN$BATS_TEST_NUMBER
}

# A refused PIN is remembered, which would decide the tests after it.
teardown() {
    rm -f ca/refused-pins
}

# issue_device [OPTION…]: $device's request, under a time limit, as a token must not make Signet hang.
issue_device() {
    timeout 120 "$SIGNET" -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr" "$@"
}

# fails_then_works FAULT ORPHANS TEXT…: a request fails by status 4 while the token has the fault,
# says the TEXTs, leaves no file and that many orphans; without the fault it is served.
fails_then_works() {
    local fault=$1 orphans=$2
    shift 2
    make_device ca "$device"

    run --separate-stderr with_fault "$fault" issue_device
    expect_status 4
    expect_said "$@"
    expect_absent "$device.pem"
    expect_equal "claims of $device" "$orphans" "$(count_certificates ca --device "$device")"
    expect_equal "orphans of $device" "$orphans" \
        "$(count_certificates ca --device "$device" --status orphaned)"
    check_invariants

    issue_device
    expect_one_certificate "$device" "$device.pem"
    make_crl
    expect_orphans_listed "$device" "$orphans"
}

# --- signing -----------------------------------------------------------------------------------------

# Both signers try a failed signature once more, so one failure is none, and a request fails by two.
one_failed=C_Sign:1:CKR_DEVICE_ERROR
first_fails="C_Sign:1:CKR_DEVICE_ERROR C_Sign:2:CKR_DEVICE_ERROR"
second_fails="C_Sign:2:CKR_DEVICE_ERROR C_Sign:3:CKR_DEVICE_ERROR"

@test "one failed try at a signature is made good" {
    make_device ca "$device"
    with_fault $one_failed issue_device
    expect_one_certificate "$device" "$device.pem"
}
@test "a failed signature" { fails_then_works "$first_fails" 1 CKR_DEVICE_ERROR; }
@test "every signature fails" {
    fails_then_works C_Sign:1:CKR_DEVICE_ERROR:always 1 CKR_DEVICE_ERROR
}
@test "the signature can't be begun" {
    fails_then_works C_SignInit:1:CKR_FUNCTION_FAILED:always 1 "token"
}
@test "the token is pulled out before the signature" {
    fails_then_works "C_SignInit:1:CKR_DEVICE_REMOVED:always C_Sign:1:CKR_DEVICE_REMOVED:always" 1 "token"
}
@test "the session is lost before the signature" {
    fails_then_works "C_SignInit:1:CKR_SESSION_HANDLE_INVALID:always" 1 "token"
}
@test "a corrupted signature is found before anything is recorded" {
    fails_then_works C_Sign:1:corrupt 1 "the token's signature does not verify"
}

@test "a slow token is waited for" {
    make_device ca "$device"
    with_fault C_Sign:1:delay=2000 issue_device
    expect_one_certificate "$device" "$device.pem"
}

@test "the second of three signatures fails: the first is served, the third is not tried" {
    local one requests=()
    for one in A B C; do
        make_device ca "$device$one"
        requests+=("$device$one.csr")
    done
    mkdir three

    run --separate-stderr with_fault "$second_fails" signet -C ca issue -p device-mtls \
        --device-from-cn --output-dir three "${requests[@]}"
    expect_status 4
    expect_said "2 of 3 requests were not served" "${device}B.csr: token" "${device}C.csr: not tried"
    expect_equal "files" "${device}A.pem" "$(ls three)"
    expect_one_certificate "${device}A" "three/${device}A.pem"

    signet -C ca issue -p device-mtls --device-from-cn --output-dir three "${requests[@]:1}"
    make_crl
    for one in B C; do
        expect_one_certificate "$device$one" "three/$device$one.pem"
        expect_orphans_listed "$device$one" 1
    done
}

@test "a CRL without a signature: its number stays used" {
    local before
    make_crl
    before=$(crl_number)
    for fault in "$first_fails" C_Sign:1:corrupt; do
        run --separate-stderr with_fault "$fault" signet -C ca crl -o failed.crl
        expect_status 4
        expect_absent failed.crl
        check_invariants
    done
    make_crl
    expect_equal "the next CRL's number" $((16#$before + 3)) $((16#$(crl_number)))
}

@test "a root whose own signature is wrong gets no certificate" {
    make_home spoilt
    run --separate-stderr with_fault C_Sign:1:corrupt signet -C spoilt issuer self-sign spoilt \
        --subject CN=spoilt -o spoilt.pem
    expect_status 4
    expect_said "does not verify"
    expect_absent spoilt.pem spoilt/spoilt.pem
    signet -C spoilt issuer self-sign spoilt --subject CN=spoilt -o spoilt.pem
    openssl verify -x509_strict -CAfile spoilt.pem spoilt.pem
}

# --- the PIN -----------------------------------------------------------------------------------------

# count_logins COMMAND…: runs it and sets $logins to the logins that it tried.
count_logins() {
    local before
    before=$(count_log '^C_Login')
    run --separate-stderr "$@"
    logins=$(($(count_log '^C_Login') - before))
}

@test "a refused PIN is tried once, remembered, and not tried again until it changes" {
    make_device ca "$device"
    cp pin/ca right-pin
    printf 'wrong-pin' >pin/ca

    count_logins issue_device
    expect_status 4
    expect_said CKR_PIN_INCORRECT
    expect_equal "logins with a wrong PIN" 1 "$logins"
    count_logins issue_device
    expect_status 4
    expect_equal "logins with the same wrong PIN" 0 "$logins"
    printf 'other-wrong-pin' >pin/ca
    count_logins issue_device
    expect_status 4
    expect_equal "logins with another wrong PIN" 1 "$logins"
    expect_absent "$device.pem"

    cp right-pin pin/ca
    issue_device
    expect_one_certificate "$device" "$device.pem"
}

@test "a token that refuses the right PIN is not asked again either" {
    make_device ca "$device"
    count_logins with_fault C_Login:1:CKR_PIN_INCORRECT:always issue_device
    expect_status 4
    expect_equal "logins" 1 "$logins"
    count_logins issue_device
    expect_status 4
    expect_equal "logins with the remembered PIN" 0 "$logins"
    expect_absent "$device.pem"
}

@test "a PIN is in no message and no log" {
    make_device ca "$device"
    printf 'tell-nobody' >wrong-pin
    cp pin/ca right-pin
    cp wrong-pin pin/ca
    run --separate-stderr issue_device
    cp right-pin pin/ca
    expect_status 4
    [[ "$output $stderr" != *tell-nobody* ]] || fail "the PIN was printed"
    not grep -rq tell-nobody ca "$SIGNET_WRAP_LOG"
}

@test "a locked PIN" {
    make_device ca "$device"
    count_logins with_fault C_Login:1:CKR_PIN_LOCKED:always issue_device
    expect_status 4
    expect_said locked
    expect_equal "logins" 1 "$logins"
    expect_absent "$device.pem"
}

# --- a token that is not there -------------------------------------------------------------------------

@test "no token in any slot" { fails_then_works C_GetSlotList:1:empty:always 0 "token=ca"; }
@test "the token is not present" {
    fails_then_works C_OpenSession:1:CKR_TOKEN_NOT_PRESENT:always 0 CKR_TOKEN_NOT_PRESENT
}
@test "the token is removed" {
    fails_then_works C_OpenSession:1:CKR_DEVICE_REMOVED:always 0 CKR_DEVICE_REMOVED
}
@test "no session is free" {
    fails_then_works C_OpenSession:1:CKR_SESSION_COUNT:always 0 CKR_SESSION_COUNT
}
@test "no second session is free" {
    if [ "$SIGNET_TEST_SIGNER" = engine ]; then
        fails_then_works C_OpenSession:2:CKR_SESSION_COUNT:always 0 session
        return
    fi
    make_device ca "$device"
    with_fault C_OpenSession:2:CKR_SESSION_COUNT:always issue_device
    expect_one_certificate "$device" "$device.pem"
}
@test "the module can't be initialised" {
    fails_then_works C_Initialize:1:CKR_GENERAL_ERROR:always 0 CKR_GENERAL_ERROR
}
@test "the slots can't be listed" {
    fails_then_works C_GetSlotList:1:CKR_DEVICE_ERROR:always 0 token
}
@test "objects can't be searched" {
    fails_then_works C_FindObjectsInit:1:CKR_DEVICE_ERROR:always 0 CKR_DEVICE_ERROR
}
@test "a search breaks off" {
    fails_then_works C_FindObjects:1:CKR_DEVICE_ERROR:always 0 CKR_DEVICE_ERROR
}
@test "attributes can't be read" {
    fails_then_works C_GetAttributeValue:1:CKR_DEVICE_ERROR:always 0 CKR_DEVICE_ERROR
}

# with_other_module PATH: $device's request in a copy of the home that reaches its token by PATH.
with_other_module() {
    rm -rf elsewhere
    cp -r ca elsewhere
    sed -i "s|$SIGNET_WRAP|$1|" elsewhere/signet.yaml
    make_device ca "$device"
    run --separate-stderr signet -C elsewhere issue -p device-mtls --device "$device" -o "$device.pem" \
        "$device.csr"
    expect_absent "$device.pem"
}

@test "the module is missing" {
    with_other_module "$PWD/no-such-module.so"
    expect_status 4
    expect_said "$PWD/no-such-module.so"
}

@test "the module is no PKCS#11 module" {
    cp "$BATS_TEST_FILENAME" no-module.so
    with_other_module "$PWD/no-module.so"
    expect_status 4
    expect_said "$PWD/no-module.so"
}

@test "a key that can't be made leaves no half of a key" {
    make_token fresh
    for fault in C_GenerateKeyPair:1 C_GetAttributeValue:1 C_GetAttributeValue:2 C_GetAttributeValue:3; do
        run --separate-stderr with_fault $fault:CKR_DEVICE_ERROR:always signet key create \
            'pkcs11:token=fresh;object=key' --type P-256 --pin file:pin/fresh "${token_module[@]}"
        expect_status 4
        expect_said CKR_DEVICE_ERROR
    done
    expect_equal "keys on the token" 0 \
        "$(signet key list pkcs11:token=fresh --pin file:pin/fresh "${token_module[@]}" --json | jq length)"
}
