# faults: what the tests of this suite share beside flow/common.bash.
#
# Given by the build: SIGNET_FAULT_TOOLS, the folder of issue_steps and check_invariants.
load ../flow/common

# The home that the helpers below look at.
home=ca

# start_with_ca: a folder of its own with a root home `ca` that issues to devices, and the wrapping
# module's log in $SIGNET_WRAP_LOG.
start_with_ca() {
    start_in_own_folder
    export SIGNET_WRAP_LOG=$PWD/wrap.log
    make_root_home ca
}

# write_line_policy: the policy `line`, by which the operator brings devices that no registry holds.
write_line_policy() {
    cat >"$home/policies/line.yaml" <<'END'
policy: line
description: Devices of the line
who: {any: [operator], unknown_device: register}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${device.id}'}]
validity: {for: 30d}
unique: device
END
}

# keep_tokens: a copy of the tokens' folder, for put_back_tokens.
keep_tokens() {
    cp -a tokens tokens.kept
}

# put_back_tokens: SoftHSM empties token.object and writes it anew at each login; a process that was
# killed in that moment leaves no token. What docs/operations.md tells to do then.
put_back_tokens() {
    local file
    for file in tokens/*/token.object; do
        [ -s "$file" ] || cp -a "${file/#tokens/tokens.kept}" "$file"
    done
}

# check_invariants [CERTIFICATE…]: both promises hold; its counts are in $counts.
check_invariants() {
    counts=$("$SIGNET_FAULT_TOOLS/check_invariants" "$home" "$SIGNET_WRAP_LOG" "$@") ||
        fail "an invariant is broken, see above: $counts"
}

# count_log PATTERN: lines of the wrapping module's log that match.
count_log() {
    grep -c -- "$1" "$SIGNET_WRAP_LOG" || true
}

# wait_for_delay NUM: until NUM delayed calls, over all of the log, have begun.
wait_for_delay() {
    local tries=0
    until [ "$(count_log '^delay')" -ge "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "the delayed call never came"
        sleep 0.05
    done
}

# with_fault FAULT COMMAND…
with_fault() {
    SIGNET_WRAP_FAULT=$1 "${@:2}"
}

# make_crl: the home's next CRL, in crl.pem.
make_crl() {
    signet -C "$home" crl -o crl.pem --force
}

crl_number() {
    openssl crl -in "${1:-crl.pem}" -noout -crlnumber | sed 's/^crlNumber=0x//'
}

# expect_orphans_listed DEVICE NUM: the device has NUM orphans, and crl.pem lists each of them.
expect_orphans_listed() {
    local serials serial text
    serials=$(signet -C "$home" list --json --device "$1" --status orphaned | jq -r '.[].serial')
    expect_equal "orphans of $1" "$2" "$(wc -w <<<"$serials")"
    text=$(openssl crl -in crl.pem -noout -text)
    for serial in $serials; do
        [[ $text == *"Serial Number: ${serial^^}"* ]] || fail "the CRL does not list orphan $serial"
    done
}

# expect_one_certificate DEVICE FILE: FILE is the one certificate of the device that is valid; nothing
# of the device is in flight.
expect_one_certificate() {
    openssl verify -x509_strict -CAfile ca.pem "$2" >/dev/null || fail "$2 does not verify"
    expect_equal "valid certificates of $1" 1 "$(count_certificates "$home" --device "$1" --status valid)"
    expect_equal "claims of $1 in flight" 0 "$(count_certificates "$home" --device "$1" --status in-flight)"
    check_invariants "$2"
}
