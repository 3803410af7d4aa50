# signet policy test|show; what is wrong with a policy is said where it is wrong.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_device ca device-AB12
    make_request ab12.csr device-AB12
    mkdir -p files
    cp ab12.csr files
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# uses_not TEXT...: the policy `wrong` of the home is not used, and that is said.
uses_not() {
    untouched ca fails 1 "$@" -- signet -C ca issue -p wrong -d device-AB12 -o no.pem ab12.csr
    expect_absent no.pem
}

@test "policy test runs the examples of all policies of the home" {
    ok signet -C ca policy test
    says "ok     ca/policies/device-mtls.yaml" "ok-rsa.csr: accepted" "refused by subject.CN" \
        " examples, 0 not as expected"
    ok signet -C ca policy test device-mtls --json
    json '[.[] | select(.as_expected | not)] | length' 0
    json '[.[].policy] | unique | join(" ")' ca/policies/device-mtls.yaml
}

@test "policy test takes a file, without a home" {
    ok signet policy test "$SIGNET_DATA/policies/device-mtls.yaml"
    says "0 not as expected"
    make_policy ca plain
    ok signet policy test ca/policies/plain.yaml
    says "has no examples"
}

@test "an example that comes out otherwise" {
    cp ab12.csr ca/policies/ab12.csr
    make_policy ca wrong "examples=[{csr: ab12.csr, device: {id: device-ZZ99}, expect: accept}]"
    ends 1 "1 of 1 examples are not as expected" -- signet -C ca policy test wrong
    says "WRONG  ca/policies/wrong.yaml:" "ab12.csr: expected accepted, but refused by subject.CN"
    uses_not "wrong.yaml:" "should be accepted" "refused by subject.CN"
    make_policy ca wrong "examples=[{csr: ab12.csr, device: {id: device-AB12}, expect: {refuse: keys}}]"
    uses_not "should be refused by keys" "was accepted"
    ends 1 -- signet -C ca policy test wrong
    says "ab12.csr: expected refused by keys, but accepted"
    run --separate-stderr signet -C ca policy test wrong --json
    json '.[0] | [.expected, .text] | join("; ")' "refused by keys; accepted"
    make_policy ca wrong "examples=[{csr: gone.csr, device: {id: device-AB12}, expect: accept}]"
    uses_not "gone.csr"
}

@test "a field that the registry does not have" {
    make_policy ca odd "subject=[{CN: '\${device.id}'}, {OU: '\${user.bagde}'}]"
    ok signet -C ca policy test odd
    [[ $stderr == *"note: ca/policies/odd.yaml:7:38: the registry has no field user.bagde (a user has name, email"* ]]
    ok signet policy test ca/policies/odd.yaml
    [ -z "$stderr" ]
    ok signet -C ca policy test device-mtls user-client service-account tls-server
    [[ $stderr != *"has no field"* ]]
    signet -C ca user add Ada
    untouched ca fails 3 "subject.OU" "\${user.bagde} has no value: the registry has no such field (a user has name" -- \
        signet -C ca issue -p odd -d device-AB12 -u Ada -o no.pem ab12.csr
    ends 3 -- signet -C ca check -p odd -d device-AB12 -u Ada ab12.csr
    [[ $stderr == *"no field user.bagde"* ]]
    ends 3 -- signet -C ca policy explain -p ca/policies/odd.yaml -d device-AB12 -u Ada ab12.csr
    [[ $stderr == *"note: "*"no field user.bagde"*"refused: "*"no such field"* ]]
    ends 3 -- signet -C ca csr --for odd --device device-AB12 --user Ada --new-key no.key --no-passphrase -o no.csr
    [[ $stderr == *"note: "*"no field user.bagde"*"refused: "*"no such field"* ]]
    expect_absent no.pem no.key no.csr
}

@test "csr --for makes the request that an example waits for" {
    make_policy ca early "examples=[{csr: early.csr, device: {id: device-AB12}, expect: accept}]"
    ends 1 "early.csr" -- signet -C ca policy test early
    ok signet -C ca csr --for early --device device-AB12 --new-key early.key --no-passphrase -o ca/policies/early.csr
    ok signet -C ca policy test early
    says "ok     ca/policies/early.yaml"
    ok signet -C ca issue -p early -d device-AB12 -o early.pem ca/policies/early.csr
}

@test "policy show: the policy as it is in force, and its digest" {
    ok signet -C ca policy show device-mtls
    says "SHA-256 $(sha256sum ca/policies/device-mtls.yaml | cut -c 1-64)" "policy: device-mtls"
    ok signet -C ca policy show issuing-ca --json
    json .policy issuing-ca
    json .ca true
    json .needs_device false
    ok signet policy show ca/policies/device-mtls.yaml --json
    json .needs_device true
    json .source "$(cat ca/policies/device-mtls.yaml)"
}

@test "where a policy is looked for" {
    fails 2 "no CA home" -- signet policy test
    fails 2 "-C DIR" -- signet policy show device-mtls
    fails 1 "nothing.yaml" -- signet -C ca policy show nothing
}

@test "YAML that is none: line and column" {
    make_policy ca wrong "examples=[{"
    uses_not "wrong.yaml:9:"
    printf 'policy: wrong\n\tdescription: x\n' >ca/policies/wrong.yaml
    uses_not "wrong.yaml:2:1" "tab"
    : >ca/policies/wrong.yaml
    uses_not "wrong.yaml" "empty"
    printf 'policy: wrong\n---\npolicy: wrong\n' >ca/policies/wrong.yaml
    uses_not "wrong.yaml:2:1" "second document"
    printf 'policy: \xff\n' >ca/policies/wrong.yaml
    uses_not "wrong.yaml" "UTF-8"
}

@test "keys that are unknown, double or missing" {
    make_policy ca wrong "colour=red"
    uses_not "wrong.yaml:8:1" "unknown key 'colour'" "known here"
    make_policy ca wrong
    echo "who: {any: [operator]}" >>ca/policies/wrong.yaml
    uses_not "wrong.yaml:8:1" "'who' is here twice" "line 3"
    make_policy ca wrong "validity="
    uses_not "wrong.yaml" "key 'validity' is missing"
    make_policy ca wrong "validity={for: 30d, colour: red}"
    uses_not "wrong.yaml:7:" "colour"
}

@test "values of another type" {
    make_policy ca wrong "validity={for: 30}"
    uses_not "wrong.yaml:7:17" "30d"
    make_policy ca wrong "subject=device"
    uses_not "wrong.yaml:7:" "subject has to be a list"
    make_policy ca wrong "keys=[{rsa: 2048, key_usage: [sign]}]"
    uses_not "wrong.yaml:7:" "sign"
    make_policy ca wrong "keys=[{rsa: 512..1024, key_usage: [digitalSignature]}]"
    uses_not "wrong.yaml:7:" "2048"
    make_policy ca wrong "keys=[{ec: [P-256], key_usage: [keyEncipherment]}]"
    uses_not "wrong.yaml:7:" "RFC 8813"
    make_policy ca wrong "extended_key_usage=[clientAuth, nonsense]"
    uses_not "wrong.yaml:7:" "nonsense"
    make_policy ca wrong "subject=[{CN: '\${device.id'}]"
    uses_not "wrong.yaml:7:"
    make_policy ca wrong "subject=[{CN: '\${weather.today}'}]"
    uses_not "wrong.yaml:7:" "weather.today"
    make_policy ca wrong "unique=maybe"
    uses_not "wrong.yaml:8:" "maybe" "device"
    make_policy ca wrong "policy=other"
    uses_not "wrong.yaml:7:9" "called other" "other.yaml"
}

@test "policy test says the same, and goes on to no other exit status" {
    make_policy ca wrong "colour=red"
    ends 1 "wrong.yaml:8:1" "colour" -- signet -C ca policy test wrong
    ends 1 "wrong.yaml:8:1" -- signet -C ca policy test
    ends 1 "wrong.yaml:8:1" -- signet -C ca policy show wrong
}

@test "a policy that nobody may read" {
    make_policy ca wrong
    chmod 0 ca/policies/wrong.yaml
    fails 1 "ca/policies/wrong.yaml" "denied" -- \
        unprivileged "$SIGNET" -C ca issue -p wrong -d device-AB12 -o no.pem ab12.csr
    expect_absent no.pem
}
