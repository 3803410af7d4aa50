# signet issue
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_device ca device-AB12 device-CD34 device-OFF1
    signet -C ca device add device-LEAN
    signet -C ca device disable device-OFF1
    make_key_and_request ab12.csr /CN=device-AB12
    make_key_and_request cd34.csr /CN=device-CD34
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# issue OPTION...
issue() {
    signet -C ca issue -p device-mtls "$@"
}

@test "a certificate on standard output, what was decided and nothing else in it" {
    ok issue --device device-AB12 ab12.csr
    echo "$output" >ab12.pem
    openssl verify -x509_strict -purpose sslclient -CAfile ca.pem ab12.pem
    openssl x509 -in ab12.pem -noout -text -nameopt oneline,-space_eq >text
    grep -q "Version: 3" text
    grep -q "Subject: CN=device-AB12$" text
    grep -q "URI:urn:dev:org:32473-device-AB12" text
    grep -q "device-type:leo, region:us-east" text
    grep -A1 "X509v3 Extended Key Usage: $" text | grep -q "TLS Web Client Authentication$"
    grep -A1 "X509v3 Key Usage: critical" text | grep -q "^ *Digital Signature$"
    grep -q "URI:http://pki.example.com/ca.crl" text
    [ "$(openssl x509 -in ab12.pem -noout -pubkey)" = "$(openssl req -in ab12.csr -noout -pubkey)" ]
    [ "$(grep -c X509v3 text)" -eq 8 ]
}

@test "the same request again gets the same bytes" {
    ok issue -d device-AB12 ab12.csr
    [ "$output" = "$(cat ab12.pem)" ]
    ok issue -d device-AB12 -o again.pem ab12.csr
    [[ $stderr == *"issued before"*again.pem* ]]
    cmp again.pem ab12.pem
    [ "$(count_certificates ca --device device-AB12)" -eq 1 ]
}

@test "DER, and standard input" {
    openssl req -in ab12.csr -outform DER -out ab12.der
    ok issue -d device-AB12 ab12.der
    [ "$output" = "$(cat ab12.pem)" ]
    ok bash -c '"$SIGNET" -C ca issue -p device-mtls -d device-AB12 - <ab12.der'
    [ "$output" = "$(cat ab12.pem)" ]
}

@test "an output file that exists stays, and nothing is issued" {
    echo mine >mine.pem
    untouched ca fails 1 "mine.pem exists" "--force" -- issue -d device-CD34 -o mine.pem cd34.csr
    [ "$(cat mine.pem)" = mine ]
    ok issue -d device-CD34 -o mine.pem --force cd34.csr
    openssl verify -CAfile ca.pem mine.pem
}

@test "a file that can't be written is found out before anything is issued" {
    make_request new.csr device-NEW1
    add_device ca device-NEW1
    untouched ca fails 1 "no-such-folder" -- issue -d device-NEW1 -o no-such-folder/new.pem new.csr
    untouched ca fails 1 "no-such-folder" -- issue -d device-NEW1 --output-dir no-such-folder new.csr
}

@test "one certificate for each device: another key waits for the renewal window" {
    make_request other.csr device-AB12
    untouched ca fails 3 "unique" "$(serial_of ab12.pem)" "renewed from" "revoke" -- \
        issue -d device-AB12 -o other.pem other.csr
    expect_absent other.pem
}

@test "inside the renewal window the next one is issued, also for the same key" {
    make_policy ca later 'validity={for: 1h, past_issuer: refuse}' 'renewal={window: 10m}' 'unique=device'
    make_policy ca soon 'validity={for: 1h, past_issuer: refuse}' \
        'renewal={window: 3599s, same_key: allow}' 'unique=device'
    make_request first.csr device-CD34
    make_request second.csr device-CD34
    ok signet -C ca issue -p soon -d device-CD34 -o soon1.pem first.csr
    ok signet -C ca issue -p later -d device-CD34 -o later1.pem first.csr
    untouched ca fails 3 "unique" "renewed from" -- \
        signet -C ca issue -p later -d device-CD34 -o later2.pem second.csr
    sed -i 's/window: 10m/window: 3599s/' ca/policies/later.yaml
    sleep 1.1
    ok signet -C ca issue -p later -d device-CD34 -o later2.pem second.csr
    ok signet -C ca issue -p soon -d device-CD34 -o soon2.pem first.csr
    not cmp -s soon1.pem soon2.pem
    ok signet -C ca list --policy soon --status valid --json
    json length 2
}

@test "same_key: refuse wants a new key, previous: revoke ends the old certificate" {
    make_policy ca strict 'validity={for: 1h, past_issuer: refuse}' \
        'renewal={window: 3599s, same_key: refuse, previous: revoke}' 'unique=device'
    ok signet -C ca issue -p strict -d device-CD34 -o strict1.pem first.csr
    sleep 1.1
    untouched ca fails 3 "renewal.same_key" "new key" -- \
        signet -C ca issue -p strict -d device-CD34 -o strict2.pem first.csr
    ok signet -C ca issue -p strict -d device-CD34 -o strict2.pem second.csr
    ok signet -C ca list --policy strict --json
    json '[.[].status] | join(" ")' "revoked valid"
    json '.[0].reason' superseded
}

@test "renewal: never" {
    make_policy ca once 'renewal=never' 'unique=device'
    ok signet -C ca issue -p once -d device-CD34 -o once1.pem first.csr
    untouched ca fails 3 "unique" "revoke it to replace it" -- \
        signet -C ca issue -p once -d device-CD34 -o once2.pem second.csr
    ok signet -C ca revoke once1.pem --reason superseded
    ok signet -C ca issue -p once -d device-CD34 -o once2.pem second.csr
}

@test "a device that is unknown, disabled, or not named" {
    untouched ca fails 3 "device-NONE" "signet device add" -- issue -d device-NONE -o no.pem ab12.csr
    untouched ca fails 3 "device-OFF1 is disabled" "signet device enable device-OFF1" -- \
        issue -d device-OFF1 -o no.pem ab12.csr
    untouched ca fails 3 "--device" -- issue -o no.pem ab12.csr
    expect_absent no.pem
}

@test "the registry, not the request, chooses who it is: A's device with B's request" {
    untouched ca fails 3 "policy device-mtls: subject.CN" "device-CD34" "device-AB12" -- \
        issue -d device-AB12 -o no.pem cd34.csr
    expect_absent no.pem
}

@test "a value that the registry lacks is a refusal, never empty" {
    make_request lean.csr device-LEAN
    untouched ca fails 3 "1.3.6.1.4.1.32473.1.1" "device.type" -- issue -d device-LEAN -o no.pem lean.csr
}

@test "--device-from-cn takes the device from the request, when the operator says so" {
    ok issue --device-from-cn -o fromcn.pem ab12.csr
    cmp fromcn.pem ab12.pem
    make_request stranger.csr device-STRANGER
    untouched ca fails 3 "device-STRANGER" -- issue --device-from-cn -o no.pem stranger.csr
    make_key_and_request nameless.csr "/O=Example GmbH"
    untouched ca fails 3 "exactly one CN" -- issue --device-from-cn -o no.pem nameless.csr
    make_key_and_request twonames.csr "/CN=device-AB12/CN=device-CD34"
    untouched ca fails 3 "exactly one CN" -- issue --device-from-cn -o no.pem twonames.csr
}

@test "what the request asks for beyond the policy is refused, with what it was" {
    make_key_and_request wish.csr /CN=device-AB12 -addext extendedKeyUsage=serverAuth
    untouched ca fails 3 "policy device-mtls: request.extensions" "serverAuth" -- \
        issue -d device-AB12 -o no.pem wish.csr
    make_key_and_request san.csr /CN=device-AB12 -addext subjectAltName=DNS:www.example.com
    untouched ca fails 3 "policy device-mtls: request.san" "www.example.com" -- \
        issue -d device-AB12 -o no.pem san.csr
    make_key_and_request org.csr "/CN=device-AB12/O=Somebody Else"
    untouched ca fails 3 "policy device-mtls: request.subject" "Somebody Else" -- \
        issue -d device-AB12 -o no.pem org.csr
    make_key_and_request ca.csr /CN=device-AB12 -addext basicConstraints=critical,CA:TRUE
    untouched ca fails 3 "request.extensions" "CA:TRUE" -- issue -d device-AB12 -o no.pem ca.csr
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -keyout /dev/null \
        -subj /CN=device-AB12 -out p521.csr 2>/dev/null
    untouched ca fails 3 "policy device-mtls: keys" "P-521" "P-256" -- issue -d device-AB12 -o no.pem p521.csr
    expect_absent no.pem
}

@test "a certificate as JSON: in the result, or in the file that the result names" {
    ok issue -d device-AB12 --json ab12.csr
    json '.[0].outcome' "issued before"
    json '.[0].serial' "$(serial_of ab12.pem)"
    json '.[0].certificate' "$(cat ab12.pem)"
    ok issue -d device-AB12 --json -o json.pem ab12.csr
    json '.[0] | [.output, .certificate] | tojson' '["json.pem",null]'
    cmp json.pem ab12.pem
}

@test "a refusal as JSON" {
    run --separate-stderr issue -d device-AB12 --json wish.csr
    [ "$status" -eq 3 ]
    json '.[0].outcome' refused
    json '.[0].rule' "policy device-mtls: request.extensions"
    json '.[0].serial' null
}

@test "a batch into a folder" {
    mkdir out
    local requests=()
    for n in 1 2 3 4 5; do
        make_device ca "device-BAT$n"
        requests+=("device-BAT$n.csr")
    done
    ok issue --device-from-cn --output-dir out --json "${requests[@]}"
    json length 5
    json '[.[].outcome] | unique | join(" ")' issued
    for n in 1 2 3 4 5; do
        openssl verify -CAfile ca.pem "out/device-BAT$n.pem"
        openssl x509 -in "out/device-BAT$n.pem" -noout -subject | grep -q "device-BAT$n"
    done
    [ "$(ls out | wc -l)" -eq 5 ]
    ok issue --device-from-cn --output-dir out --force "${requests[@]}"
    [[ $stderr == *"device-BAT3.csr: issued before, out/device-BAT3.pem"* ]]
}

@test "a batch with one refused serves the others" {
    mkdir part
    make_device ca device-BAT6
    ends 3 "wish.csr: refused" "request.extensions" "1 of 3 requests were not served" \
        "device-BAT6.csr: issued, part/device-BAT6.pem" -- \
        issue --device-from-cn --output-dir part device-BAT6.csr wish.csr cd34.csr
    [ "$(ls -A part | tr '\n' ' ')" = "cd34.pem device-BAT6.pem " ]
    openssl verify -CAfile ca.pem part/device-BAT6.pem part/cd34.pem
}

@test "a batch as JSON: each request's outcome" {
    run --separate-stderr issue --device-from-cn --output-dir part --force --json device-BAT6.csr wish.csr
    [ "$status" -eq 3 ]
    json '[.[].outcome] | join(", ")' "issued before, refused"
}

@test "the same device twice in a batch is served once" {
    mkdir twice
    add_device ca device-TWIN
    make_request twin1.csr device-TWIN
    make_request twin2.csr device-TWIN
    ends 3 "twin2.csr: refused" "device-TWIN" "1 of 2" -- \
        issue --device-from-cn --output-dir twice twin1.csr twin2.csr
    [ "$(count_certificates ca --device device-TWIN)" -eq 1 ]
    [ "$(ls twice)" = twin1.pem ]
}

@test "two requests that would be written to one file" {
    mkdir -p a b
    cp ab12.csr a/x.csr
    cp cd34.csr b/x.csr
    untouched ca fails 2 "a/x.csr" "b/x.csr" "out/x.pem" -- \
        issue --device-from-cn --output-dir out a/x.csr b/x.csr
    untouched ca fails 2 "2 requests" "--output-dir" -- issue --device-from-cn -o x.pem ab12.csr cd34.csr
    untouched ca fails 2 "not both" -- issue --device-from-cn -o x.pem --output-dir out ab12.csr
}

@test "two processes at once: both succeed" {
    make_device ca device-PAR1
    make_device ca device-PAR2
    issue -d device-PAR1 -o par1.pem device-PAR1.csr &
    first=$!
    issue -d device-PAR2 -o par2.pem device-PAR2.csr &
    second=$!
    wait $first
    wait $second
    openssl verify -CAfile ca.pem par1.pem par2.pem
}

@test "two processes with the same request: one certificate" {
    make_device ca device-PAR3
    issue -d device-PAR3 -o par3a.pem device-PAR3.csr &
    first=$!
    issue -d device-PAR3 -o par3b.pem device-PAR3.csr &
    second=$!
    failed=0
    wait $first || failed=$((failed + 1))
    wait $second || failed=$((failed + 1))
    # The second may be told to try again shortly; it never gets another certificate.
    [ $failed -le 1 ]
    [ "$(count_certificates ca --device device-PAR3)" -eq 1 ]
    ok issue -d device-PAR3 device-PAR3.csr
}

@test "a user's certificate" {
    make_policy ca logon "subject=[{CN: '\${user.name}'}]" "san=[{upn: '\${user.upn}'}]" 'unique=user'
    ok signet -C ca user add Ada upn=ada@example.com
    make_request ada.csr Ada
    ok signet -C ca issue -p logon --user Ada -o ada.pem ada.csr
    openssl x509 -in ada.pem -noout -ext subjectAltName | grep -q ada@example.com
    untouched ca fails 3 "--user" -- signet -C ca issue -p logon -o no.pem ada.csr
    untouched ca fails 3 "Bob" -- signet -C ca issue -p logon --user Bob -o no.pem ada.csr
}

@test "the machine's serial numbers: 20 octets, positive, all different" {
    ok signet -C ca list --json
    json '[.[].serial] | unique | length' "$(jq length <<<"$output")"
    json '[.[].serial | length] | unique | join(" ")' 40
    json '[.[].serial | select(test("^[89a-f]"))] | length' 0
}

@test "which policy, which issuer" {
    fails 2 "--policy" -- signet -C ca issue ab12.csr
    fails 2 "no policy 'nothing'" "device-mtls" -- signet -C ca issue -p nothing ab12.csr
    fails 2 "can't be a policy" -- signet -C ca issue -p ../signet ab12.csr
    fails 2 "no issuer 'nobody'" -- issue --issuer nobody -d device-AB12 ab12.csr
    fails 2 "usage: signet issue" -- issue
    fails 1 "no-such-request.csr" -- issue -d device-AB12 no-such-request.csr
}

@test "the rarer names and extensions of the language, read by openssl" {
    cat >ca/policies/rare.yaml <<'POLICY'
policy: rare
description: What few certificates have
who: {any: [operator]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${device.id}'}]
san:
  - {dns: {value: '${device.names}', each: ','}}
  - {registered_id: 1.3.6.1.4.1.32473.5}
  - {dirname: [{C: DE}, {O: Example GmbH}]}
  - {hardware-module: {type: 1.3.6.1.4.1.32473.1.2, serial: '${device.id}'}}
  - {permanent-identifier: {value: '${device.id}', assigner: 1.3.6.1.4.1.32473.3}}
  - {other: {oid: 1.3.6.1.4.1.32473.4, utf8: '${device.id}'}}
extensions:
  - {ms-sid: S-1-5-21-1-2-3-1001}
  - {oid: 1.3.6.1.4.1.32473.1, sequence: [{utf8: '${device.id}'}, {integer: 3}]}
certificate_policies: [{oid: 1.3.6.1.4.1.32473.5, cps: 'https://pki.example.com/cps', notice: For tests}]
validity: {until: '${device.retires}'}
POLICY
    sed -i "s/^    region: .*/&\n    retires: {match: '[0-9-]+', optional: true}/" ca/signet.yaml
    local retires
    retires=$(date -u -d '+30 days' +%F)
    signet -C ca device add device-RARE names=a.example,b.example "retires=$retires"
    make_key_and_request rare.csr /CN=device-RARE
    ok signet -C ca issue -p rare -d device-RARE -o rare.pem rare.csr
    openssl verify -x509_strict -CAfile ca.pem rare.pem
    openssl x509 -in rare.pem -noout -text >text
    grep -q "DNS:a.example, DNS:b.example, Registered ID:1.3.6.1.4.1.32473.5, DirName:" text
    openssl x509 -in rare.pem -outform DER | grep -aq "S-1-5-21-1-2-3-1001"
    grep -q "CPS: https://pki.example.com/cps" text
    grep -q "Explicit Text: For tests" text
    [ "$(openssl x509 -in rare.pem -noout -enddate)" = \
        "notAfter=$(LC_ALL=C date -u -d "$retires" '+%b %e 00:00:00 %Y GMT')" ]
    ok signet show rare.pem
    for part in hardware-module:1.3.6.1.4.1.32473.1.2\;device-RARE \
        permanent-identifier:1.3.6.1.4.1.32473.3\;device-RARE \
        "other:1.3.6.1.4.1.32473.4;utf8:device-RARE" "dirname:C=DE,O=Example GmbH"; do
        [[ $output == *"$part"* ]]
    done
}

@test "--json tells of every request, also of one whose name is no UTF-8" {
    add_device ca device-UTF8
    make_key_and_request $'na\xefve.csr' /CN=device-UTF8
    make_key_and_request $'refus\xe9.csr' /CN=device-NONE
    ends 3 "1 of 2" -- signet -C ca issue -p device-mtls --device-from-cn --json \
        $'na\xefve.csr' $'refus\xe9.csr'
    json 'length' 2
    json '.[0].request' 'na?ve.csr'
    json '.[0].outcome' issued
    json '.[1].request' 'refus?.csr'
    json '.[1].outcome' unauthenticated
    # the same in what is told of the whole run
    ends 1 "" -- signet -C ca issue -p device-mtls -d device-UTF8 --json $'abs\xe9nt.csr'
    json '.error.message | contains("abs?nt.csr")' true
    cp -r ca/policies $'p\xf6licies'
    ok signet policy test --json $'p\xf6licies/device-mtls.yaml'
    json '.[0].policy' 'p?licies/device-mtls.yaml'
}
