# direct: what is lost comes back, and the request that met the loss is served.
load faults

setup_file() {
    start_with_ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    device=device-DIRECT$BATS_TEST_NUMBER
}

# survives FAULT [LOGINS]: a request is served in spite of the fault, by so many logins (1: none more
# than without it).
survives() {
    local before
    make_device ca "$device"
    before=$(count_log '^C_Login CKR_OK')
    with_fault "$1" signet -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    expect_one_certificate "$device" "$device.pem"
    expect_equal "logins" "${2:-1}" "$(($(count_log '^C_Login CKR_OK') - before))"
}

# The token's own session is the only one when it is closed for a new one, and the login ends with it.
@test "the session is lost" { survives C_SignInit:1:CKR_SESSION_HANDLE_INVALID 2; }
@test "the session is closed" { survives C_Sign:1:CKR_SESSION_CLOSED 2; }
@test "the login is lost" { survives C_SignInit:1:CKR_USER_NOT_LOGGED_IN 2; }
@test "the key has another handle" { survives C_SignInit:1:CKR_KEY_HANDLE_INVALID 2; }
@test "an abandoned operation" { survives C_SignInit:1:CKR_OPERATION_ACTIVE 2; }
@test "the token is pulled out and put back" { survives C_Sign:1:CKR_DEVICE_REMOVED 2; }
@test "the token fails in general" { survives C_Sign:1:CKR_GENERAL_ERROR 2; }
@test "no session can be opened for the first signature" { survives C_OpenSession:2:CKR_DEVICE_ERROR 2; }
@test "the module was ended" { survives C_SignInit:1:CKR_CRYPTOKI_NOT_INITIALIZED 2; }

@test "the token comes back after a while" {
    survives "C_Sign:1:CKR_DEVICE_REMOVED C_OpenSession:3:CKR_TOKEN_NOT_PRESENT C_OpenSession:4:CKR_TOKEN_NOT_PRESENT" 2
}

@test "the slot is empty for a while" {
    survives "C_Sign:1:CKR_DEVICE_REMOVED C_GetSlotList:3:empty C_GetSlotList:4:empty" 2
}

@test "a PIN that is refused when the token comes back is tried once" {
    local before
    make_device ca "$device"
    before=$(count_log '^C_Login')
    run --separate-stderr with_fault "C_Sign:1:CKR_DEVICE_REMOVED C_Login:2:CKR_PIN_INCORRECT:always" \
        signet -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    expect_status 4
    expect_said CKR_PIN_INCORRECT
    expect_absent "$device.pem"
    expect_equal "logins" 2 "$(($(count_log '^C_Login') - before))"
    rm ca/refused-pins
}

@test "a token that stays away is given up within seconds" {
    local begin=$SECONDS
    make_device ca "$device"
    run --separate-stderr with_fault "C_Sign:1:CKR_DEVICE_REMOVED C_OpenSession:3:CKR_TOKEN_NOT_PRESENT:always" \
        signet -C ca issue -p device-mtls --device "$device" -o "$device.pem" "$device.csr"
    expect_status 4
    expect_said CKR_TOKEN_NOT_PRESENT
    expect_absent "$device.pem"
    [ $((SECONDS - begin)) -lt 60 ] || fail "it took $((SECONDS - begin)) s"
    check_invariants
}
