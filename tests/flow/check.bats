# signet check
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_device ca device-AB12
    make_key_and_request ab12.csr /CN=device-AB12
    make_key_and_request wish.csr /CN=device-ZZ99 -addext extendedKeyUsage=serverAuth
    make_key_and_request bad.csr /CN=device-AB12 -sha1
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

check() {
    signet -C ca check -p device-mtls "$@"
}

@test "each rule's verdict on a good request; nothing is issued, no token is needed" {
    mv tokens away
    untouched ca ok check -d device-AB12 ab12.csr
    mv away tokens
    says "pass    request" "pass    possession" "pass    key quality" "P-256" "pass    requester" \
        "device device-AB12" "subject.CN" "CN=device-AB12" "validity" "unique"
    says_not REFUSE
    [ "$(count_certificates ca --device device-AB12)" -eq 0 ]
}

@test "every refusal is told, not only the first" {
    untouched ca ends 3 "rules refuse wish.csr" -- check -d device-AB12 wish.csr
    says "REFUSE  subject.CN" "device-ZZ99" "REFUSE  request.extensions" "serverAuth" "pass    keys"
    says "skip    request.subject" "not looked at"
    [[ $stderr == *"refused: $(grep -c ^REFUSE <<<"$output") of "*" rules refuse"* ]]
}

@test "--json" {
    ok check -d device-AB12 --json ab12.csr
    json '[.[] | select(.passed | not)] | length' 0
    json '.[] | select(.rule == "subject.CN") | .text' "CN=device-AB12"
    run --separate-stderr check -d device-AB12 --json wish.csr
    [ "$status" -eq 3 ]
    json 'map(select(.passed | not) | .rule) | contains(["subject.CN", "request.extensions"])' true
}

@test "an unknown device, or none, is a verdict among others" {
    ends 3 -- check -d device-NONE ab12.csr
    says "REFUSE  requester" "device-NONE" "pass    keys"
    ends 3 -- check ab12.csr
    says "REFUSE  requester" "--device" "skip    request.subject" "not looked at"
    [[ $stderr == *"$(grep -c ^REFUSE <<<"$output") of "*" rules refuse"* ]]
    run --separate-stderr check --json ab12.csr
    [ "$status" -eq 3 ]
    json '.[] | select(.rule == "request.subject") | [.verdict, .passed] | tostring' '["skip",null]'
    json '.[] | select(.rule == "requester") | [.verdict, .passed] | tostring' '["refuse",false]'
    json '.[] | select(.rule == "keys") | [.verdict, .passed] | tostring' '["pass",true]'
}

@test "a malformed request ends the list" {
    ends 3 -- check -d device-AB12 bad.csr
    says "REFUSE  request" "SHA-1"
    says_not subject.CN
    echo nonsense >nonsense.csr
    ends 3 -- check -d device-AB12 nonsense.csr
    says "REFUSE  request"
}

@test "another certificate of the device is in the way" {
    signet -C ca issue -p device-mtls -d device-AB12 -o ab12.pem ab12.csr
    make_request other.csr device-AB12
    ends 3 -- check -d device-AB12 other.csr
    says "REFUSE  unique" "$(serial_of ab12.pem)" "revoke it"
    ok check -d device-AB12 ab12.csr
}

@test "the file of a policy that is being written, which issue does not take" {
    mkdir -p edited
    make_policy ca odd "subject=[{CN: '\${device.id}'}, {O: Edited}]"
    mv ca/policies/odd.yaml edited/odd.yaml
    untouched ca ok signet -C ca check -p edited/odd.yaml -d device-AB12 ab12.csr
    says "pass    subject.O" "O=Edited"
    fails 2 "can't be a policy" -- signet -C ca issue -p edited/odd.yaml -d device-AB12 -o no.pem ab12.csr
    fails 1 "edited/none.yaml" -- signet -C ca check -p edited/none.yaml -d device-AB12 ab12.csr
    expect_absent no.pem
}

@test "the command line" {
    fails 2 "--policy" -- signet -C ca check ab12.csr
    fails 2 "one too many" -- check ab12.csr wish.csr
    fails 1 "no-such.csr" -- check -d device-AB12 no-such.csr
}
