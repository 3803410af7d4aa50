# An officer's desk: the commands with --url, by the key on the officer's card.
load common
load expect
load service

# The keys on the card of the tests, each beside its certificate; the service knows all but stranger.
people=(olga otto rita tokens gone stranger)

setup_file() {
    start_in_own_folder
    make_root_home dev
    make_ticket_policies dev
    make_vetted_policy dev
    make_pins dev
    make_token desk
    local who num=10
    for who in "${people[@]}"; do
        num=$((num + 1))
        make_card_key "$who" "device-DESK$num"
    done
    signet -C dev user add 'Ada Example' email=ada@example.com
    add_device dev device-AB12
    add_service dev 'est: {labels: {staff: staff, cards: cards}}' 'limits: {refusals: 1000}' 'operators:' \
        "  - {name: tokens, certificate: '$(digest_of tokens)', role: token-service}" \
        "  - {name: olga, certificate: '$(digest_of olga)', role: officer}" \
        "  - {name: otto, certificate: '$(digest_of otto)', role: officer}" \
        "  - {name: gone, certificate: '$(digest_of gone)', role: officer}" \
        "  - {name: rita, certificate: '$(digest_of rita)', role: auditor}"
    start_service dev
    mkdir answers
    "$SIGNET_DATA/tests/flow/odd-server" dev/tls.pem dev/tls.key answers >odd-port 3>&- &
    echo $! >odd.pid
    wait_for 10 test -s odd-port
    declare -p tls est_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
    [ ! -e odd.pid ] || kill "$(cat odd.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
    service_url=${est_url%/.well-known/est}
}

# make_card_key NAME DEVICE: a key on the card, and its certificate beside it and in NAME.pem.
make_card_key() {
    signet key create "pkcs11:token=desk;object=$1" "${token_module[@]}" --pin file:pin/desk
    signet csr --key "pkcs11:token=desk;object=$1" "${token_module[@]}" --pin file:pin/desk --subject "CN=$2" -o "$1.csr"
    add_device dev "$2"
    signet -C dev issue -p device-mtls -d "$2" -o "$1.pem" "$1.csr"
    signet card import "pkcs11:token=desk;object=$1" "$1.pem" "${token_module[@]}" --pin file:pin/desk
}

digest_of() {
    openssl x509 -in "$1.pem" -outform der | sha256sum | cut -d' ' -f1
}

# at NAME COMMAND…: the command, given at NAME's desk.
at() {
    local who=$1
    shift
    signet "$@" --url "$service_url" --ca "$tls" --as "pkcs11:token=desk;object=$who" "${token_module[@]}" \
        --pin file:pin/desk
}

# same COMMAND…: the auditor's desk says what the home in hand says.
same() {
    local here there
    here=$(signet -C dev "$@" 2>&1)
    there=$(at rita "$@" 2>&1)
    [ "$here" = "$there" ] || fail "$*: $(diff <(echo "$here") <(echo "$there"))"
}

# odd NAME STATUS-LINE BODY [HEADER…]: what the odd server answers about the noun.
odd() {
    local noun=$1 status=$2 body=$3
    shift 3
    {
        printf 'HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n' "$status" "${#body}"
        [ $# -eq 0 ] || printf '%s\r\n' "$@"
        printf '\r\n%s' "$body"
    } >"answers/$noun"
}

# at_odd COMMAND…: at olga's desk, of the odd server.
at_odd() {
    service_url="https://localhost:$(cat odd-port)" at olga "$@"
}

# wait_for_approval FILE NAME: a request by a ticket of NAME's that waits; sets id.
wait_for_approval() {
    at "$2" ticket add -p cards -u 'Ada Example' --no-pin --token card-9 >"$1" 2>ticket.said
    said_in ticket.said 'it is not shown again'
    make_request "$1.csr" 'Ada Example'
    enroll_by_ticket cards "$1" '' "$1.csr"
    expect_http 202
    id=$(at rita request list --json | jq '.[-1].id')
}

# --- what the commands do ------------------------------------------------------------------------

@test "devices and users are registered, changed, disabled and shown" {
    ends 0 'device device-NEW1 is registered' -- at olga device add device-NEW1 type=leo region=us-east
    fails 3 'refused: registry: device "device-NEW1" is in the registry already' -- \
        at olga device add device-NEW1 type=leo region=us-east
    fails 3 "refused: registry device.id: id 'new' does not match" -- at olga device add new type=leo region=us-east
    fails 2 "write NAME=VALUE" -- at olga device add device-NEW2 leo
    ends 0 'device device-NEW1 is changed; its certificates stay' -- at olga device set device-NEW1 region=eu-west
    ends 0 'device device-NEW1 is disabled; its certificates stay valid until they are revoked' -- \
        at olga device disable device-NEW1
    ok at rita device show device-NEW1
    says 'device-NEW1 (disabled)' 'region=eu-west' 'type=leo'
    ends 0 'device device-NEW1 is enabled' -- at olga device enable device-NEW1
    ok at rita device show device-NEW1 --json
    json .enabled true
    json .region eu-west
    ends 0 'user Grace Example is registered' -- at olga user add 'Grace Example' email=grace@example.com
    ends 0 'is changed' -- at olga user set 'Grace Example' upn=grace@example.com
    ends 0 'is changed' -- at olga user set 'Grace Example' upn=
    ends 0 'is disabled' -- at olga user disable 'Grace Example'
    same user show 'Grace Example'
    ends 0 'is enabled' -- at olga user enable 'Grace Example'
    for id in nobody .. '../users/Ada Example'; do
        fails 3 'refused: registry: there is no such device' -- at rita device show "$id"
    done
    same device list
    same device list --json
    same device show device-AB12
    same device show device-AB12 --json
    same user list
    same user list --json
}

@test "tickets are given out, listed and dropped; one is good for a certificate" {
    at olga ticket add -p staff -u 'Ada Example' --no-pin --token card-1 --for 15m >one
    make_request one.csr 'Ada Example'
    enroll_by_ticket staff one '' one.csr
    expect_http 200
    certificate_of_body one.pem
    ok at otto ticket add -p staff -u 'Ada Example' --tries 3 --json
    json '.ticket | length' 32
    local id
    id=$(jq .id <<<"$output")
    ok at rita ticket list --json
    json ".[] | select(.id == $id) | [.state, .made_by, .pin_tries] | @csv" '"open","otto",3'
    ends 0 "ticket $id is good for nothing any more" -- at otto ticket drop "$id"
    fails 3 'refused: ticket: ' -- at otto ticket drop 999999
    fails 2 'is no number of the list' -- at otto ticket drop all
    fails 3 'refused: ' -- at otto ticket drop "$id"
    fails 2 'policy: there is no policy of that name' -- at olga ticket add -p nothing -u 'Ada Example'
    fails 3 'refused: requester: ' -- at olga ticket add -p staff -u Nobody
    fails 3 'CA certificates' -- at olga ticket add -p root-ca -d device-AB12
    fails 2 'needs --policy' -- at olga ticket add -u 'Ada Example'
    same ticket list
    same ticket list --open
    same ticket list --json
}

@test "a request that waits is decided by an officer who did not ask" {
    wait_for_approval first olga
    same request list
    same request list --json
    same request show "$id"
    same request show "$id" --json
    ok at rita request show "$id"
    says "request $id: waiting" 'user        Ada Example  email=ada@example.com' 'token       card-9' ' by olga'
    fails 3 'refused: role: this is not for the role auditor' -- at rita request approve "$id"
    fails 3 'refused: approval: ' olga -- at olga request approve "$id"
    ends 0 "request $id is approved by otto" -- at otto request approve "$id" --reason 'she stood here'
    fails 3 'refused: approval: ' -- at otto request approve "$id"
    enroll_by_ticket cards first '' first.csr
    expect_http 200
    wait_for_approval second tokens
    fails 2 'needs --reason' -- at otto request refuse "$id"
    ends 0 "request $id is refused by otto" -- at otto request refuse "$id" --reason 'nobody came'
    enroll_by_ticket cards second '' second.csr
    expect_http 403
    same request list --all
    ok at rita request list
    [ -z "$output" ]
    fails 3 'refused: approval: there is no such request' -- at rita request show 999999
    fails 2 'is no number of the list' -- at rita request show first
}

# refused_alike STATUS OPTION…: what `issue` says of it at olga's desk and in the home is the same.
refused_alike() {
    local wanted=$1 here
    shift
    run --separate-stderr signet -C dev issue "$@"
    here=$stderr
    [ "$status" -eq "$wanted" ] || fail "in the home: $status, $here"
    fails "$wanted" "$here" -- at olga issue "$@"
}

@test "certificates are issued as in the home" {
    local id
    for id in device-IS11 device-IS22 device-IS33 device-IS44; do
        make_device dev "$id"
    done
    ends 0 'device-IS11.csr: issued, is11.pem' -- at olga issue -p device-mtls -d device-IS11 -o is11.pem device-IS11.csr
    expect_equal device device-IS11 "$(signet -C dev list --serial "$(serial_of is11.pem)" --json | jq -r '.[].device')"
    fails 1 'is11.pem' '--force' -- at olga issue -p device-mtls -d device-IS11 -o is11.pem device-IS11.csr
    # once more, in DER and by another way
    openssl req -in device-IS11.csr -outform der -out is11.der
    ok at otto issue -p device-mtls -d device-IS11 is11.der
    expect_equal certificate "$(cat is11.pem)" "$output"
    ok at olga issue -p device-mtls -d device-IS11 --json - <device-IS11.csr
    json '.[].outcome' 'issued before'
    expect_equal json "$(signet -C dev issue -p device-mtls -d device-IS11 --json - <device-IS11.csr)" "$output"
    # several, of which one is refused
    mkdir issued
    ends 3 'device-IS22.csr: issued, issued/device-IS22.pem' 'is11.pem: refused: RFC 2986 4: ' \
        '1 of 3 requests were not served' -- \
        at olga issue -p device-mtls --device-from-cn --output-dir issued device-IS22.csr is11.pem device-IS33.csr
    expect_equal certificates 1 "$(count_certificates dev --device device-IS33)"
    # an SPKAC with its challenge
    openssl ecparam -name prime256v1 -genkey -noout -out spkac.key
    openssl spkac -key spkac.key -digest sha256 -challenge 4711 -out device-IS44.spkac
    echo 4711 >challenge
    sed 's/^SPKAC=//' device-IS44.spkac | base64 -d >device-IS44.der
    fails 3 'refused: challenge: ' -- at olga issue -p device-mtls -d device-IS44 device-IS44.der
    ok at olga issue -p device-mtls -d device-IS44 --challenge-file challenge device-IS44.der
    [[ $output == '-----BEGIN CERTIFICATE-----'* ]]
    refused_alike 3 -p device-mtls -d device-IS22 device-IS33.csr
    refused_alike 3 -p device-mtls device-IS33.csr
    refused_alike 3 -p device-mtls -d device-IS22 is11.pem
    fails 3 'wants ticket or renewal; the requester brings officer' -- at olga issue -p staff -u 'Ada Example' device-IS33.csr
    refused_alike 2 device-IS33.csr
    refused_alike 1 -p device-mtls -d device-IS22 nothing.csr
    fails 2 'policy: there is no policy of that name' -- at olga issue -p nothing -d device-IS22 device-IS22.csr
    fails 3 'CA certificates' -- at olga issue -p root-ca device-IS22.csr
    fails 3 'refused: requester: ' 'device "nobody" is not in the registry' -- at olga issue -p device-mtls -d nobody device-IS22.csr
    fails 2 'leave out --issuer' -- at olga issue -p device-mtls -d device-IS22 --issuer dev device-IS22.csr
    fails 2 'leave out --ticket-file' -- at olga issue -p staff --ticket-file challenge device-IS22.csr
    fails 3 'refused: role: ' 'this is not for the role auditor' -- \
        at rita issue -p device-mtls -d device-IS22 device-IS22.csr
}

@test "what one officer asks for another one approves" {
    make_device dev device-IS55
    fails 3 'policy vetted: who: ' 'waits for the approval by officer' -- at olga issue -p vetted -d device-IS55 device-IS55.csr
    refused_alike 3 -p vetted -d device-IS55 device-IS55.csr
    ends 3 '' -- at olga issue -p vetted -d device-IS55 device-IS55.csr --json
    json '.[].outcome' waits
    id=$(jq '.[].waits_for' <<<"$output")
    fails 3 'asked for by olga' -- at olga request approve "$id"
    ok at otto request approve "$id"
    ok at olga issue -p vetted -d device-IS55 device-IS55.csr
    [[ $output == '-----BEGIN CERTIFICATE-----'* ]]
}

@test "whether a user has a PIN is the token service's to ask" {
    ok at tokens user pin 'Ada Example'
    says 'user Ada Example has no PIN'
    at tokens ticket add -p staff -u 'Ada Example' >pin-ticket
    hash_pin 'Ada Example' 4711 >ada.hash
    fetch -H 'Content-Type: application/json' "$service_url/api/v1/pin" \
        --data-binary "{\"ticket\": \"$(cat pin-ticket)\", \"pin_hash\": \"$(cat ada.hash)\"}"
    expect_http 204
    same_pin=$(at tokens user pin 'Ada Example')
    expect_equal state "$(signet -C dev user pin 'Ada Example')" "$same_pin"
    ok at tokens user pin 'Ada Example' --json
    json .pin true
    fails 3 'refused: role: ' -- at olga user pin 'Ada Example'
    fails 3 'refused: registry: ' -- at tokens user pin Nobody
    fails 2 'by its user' -- at tokens user pin 'Ada Example' --set
}

@test "certificates are found as in the home" {
    same list
    same list --json
    same list --device device-DESK11 --json
    same list --user 'Ada Example'
    same list --policy device-mtls --issuer dev
    same list --status valid
    same list --status revoked
    same list --expires-within 30d
    same list --expires-within 50y
    same list --serial "$(serial_of olga.pem)"
    same list --serial "$(serial_of olga.pem)" --json
    same list --serial "$(serial_of olga.pem)" --device device-DESK12
    same list --serial 0123456789
    same list --device device-DESK11 --pem
    same list --device nobody
    same list --device nobody --json
    fails 2 'is one of valid' -- at rita list --status good
}

@test "certificates are held, released and revoked" {
    local id serial
    for id in device-RV11 device-RV22 device-RV33 device-RV44; do
        make_device dev "$id"
        signet -C dev issue -p device-mtls -d "$id" -o "$id.pem" "$id.csr"
    done
    serial=$(serial_of device-RV11.pem)
    ok at olga revoke "$serial" --hold
    expect_equal said '1 revoked' "$output"
    expect_equal status held "$(signet -C dev list --serial "$serial" --json | jq -r '.[].status')"
    ok at olga release "$serial" --json
    json .released 1
    fails 3 'refused: revocation: ' -- at olga release "$serial"
    ok at olga revoke device-RV11.pem --reason keyCompromise
    fails 3 'refused: revocation: ' 'was revoked already' -- at olga revoke device-RV11.pem
    ok at olga revoke --device device-RV22 --json
    json .revoked 1
    printf 'device-RV33\ndevice-RV22\ndevice-NONE\n' >returned
    ends 3 'device-NONE has no certificate' '1 of 3 devices have no certificate' -- at olga revoke --devices returned
    says '1 certificates are revoked, 1 devices had theirs revoked before'
    fails 2 'revocation: no certificate matches' -- at olga revoke --user Nobody
    fails 2 'revocation: no certificate matches' -- at olga revoke --token nothing
    fails 2 'revocation: no certificate matches' -- at olga revoke 0123456789
    fails 2 'say which' -- at olga revoke
    fails 2 'say which' -- at olga revoke 01 --device device-RV44
    fails 2 'its own; leave out --reason' -- at olga revoke --device device-RV44 --hold --reason superseded
    fails 3 'refused: role: ' -- at rita revoke --device device-RV44
    fails 3 'refused: role: device device-RV33: ' -- at rita revoke --devices returned
    # another CA's certificate of the same serial number
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other \
        -set_serial "0x$(serial_of device-RV44.pem)" -out other.pem 2>/dev/null
    fails 3 'refused: another certificate: ' -- at olga revoke other.pem
    expect_equal status valid "$(signet -C dev list --device device-RV44 --json | jq -r '.[].status')"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other \
        -out other.pem 2>/dev/null
    fails 2 'revocation: no certificate matches' -- at olga revoke other.pem
    same list --status revoked
}

@test "a lost card, in one step" {
    at olga ticket add -p staff -u 'Ada Example' --no-pin --token card-2 >card2
    make_request card2.csr 'Ada Example'
    enroll_by_ticket staff card2 '' card2.csr
    expect_http 200
    fails 2 'say what to do about the card' -- at olga card lost card-2
    fails 2 'say what to do about the card' -- at olga card lost card-2 --hold --revoke
    fails 2 'add --replace' -- at olga card lost card-2 --hold --for 1h
    ends 0 'card card-2: 1 certificates held, 0 revoked; 0 tickets dropped' -- at olga card lost card-2 --hold
    ends 0 'card card-2: 0 certificates held, 1 revoked' 'it is not shown again' -- \
        at olga card lost card-2 --replace card-3 --for 10m
    says '  staff  user Ada Example'
    cut -d' ' -f1 <<<"$output" >card3
    make_request card3.csr 'Ada Example'
    signet -C dev user pin 'Ada Example' --clear
    enroll_by_ticket staff card3 '' card3.csr
    expect_http 401 'Unauthorized: PIN'
    fails 3 'refused: card: nothing on card card-2 is in force' -- at olga card lost card-2 --revoke
    fails 3 'refused: card: no certificate is on card nothing' -- at olga card lost nothing --revoke
    ok at olga card lost card-1 --revoke --reason cessationOfOperation --json
    json .revoked 1
    fails 2 'add --url' 'signet revoke --token card-2' -- signet -C dev card lost card-2 --revoke
    fails 3 'refused: role: ' -- at rita card lost card-3 --hold
}

# --- who asks ------------------------------------------------------------------------------------

@test "whom the service does not know, and who is revoked" {
    fails 3 'refused: operator: the service takes nobody by this certificate' "SHA-256 $(digest_of stranger)" -- \
        at stranger list
    ok at gone list
    ends 0 '' -- at olga revoke gone.pem --reason superseded
    fails 3 'refused: operator: ' 'not revoked' -- at gone list
    run --separate-stderr at gone list --json
    [ "$status" -eq 3 ]
    json .error.rule operator
    fails 3 'refused: role: ' -- at tokens list
}

@test "the key, its certificate and the PIN" {
    local options=(--url "$service_url" --ca "$tls" "${token_module[@]}" --pin file:pin/desk)
    fails 2 'needs --as' -- signet list "${options[@]}"
    fails 2 'olga is no key on a card' -- signet list "${options[@]}" --as olga
    fails 2 'needs --profile NAME or --module PATH' -- \
        signet list --url "$service_url" --as 'pkcs11:token=desk;object=olga'
    fails 4 'nobody' -- signet list "${options[@]}" --as 'pkcs11:token=desk;object=nobody'
    fails 2 'names no key' -- signet list "${options[@]}" --as 'pkcs11:token=desk'
    fails 4 'nothing' -- signet list "${options[@]}" --as 'pkcs11:token=nothing;object=olga'
    # a certificate that is not on the card
    signet key create 'pkcs11:token=desk;object=bare' "${token_module[@]}" --pin file:pin/desk
    fails 4 "beside key 'bare' on token desk is no certificate; --cert FILE" -- at bare list
    fails 4 "certificate olga.pem is not of key 'bare'" -- at bare list --cert olga.pem
    fails 1 'none.pem' -- at olga list --cert none.pem
    ok at rita list --cert rita.pem
    # an issuer's key is none to be known by
    fails 3 'refused: issuer key: ' -- signet list --url "$service_url" --ca "$tls" "${token_module[@]}" \
        --as 'pkcs11:token=dev;object=dev' --pin file:pin/dev --cert dev.pem
}

@test "a wrong PIN is tried once" {
    make_token other
    signet key create 'pkcs11:token=other;object=k' "${token_module[@]}" --pin file:pin/other
    echo 000000 >pin/wrong
    local options=(--url "$service_url" --ca "$tls" --as 'pkcs11:token=other;object=k' "${token_module[@]}")
    fails 4 'PIN' -- signet list "${options[@]}" --pin file:pin/wrong
    fails 4 'before' -- signet list "${options[@]}" --pin file:pin/wrong
    fails 2 'pin' -- signet list --url "$service_url" --as 'pkcs11:token=other;object=k;pin-value=000000' \
        "${token_module[@]}" --pin file:pin/wrong
}

# --- where it asks -------------------------------------------------------------------------------

@test "a service that is away, is another one, or has no API" {
    service_url=https://localhost:1 fails 1 "can't be asked" -- at olga list
    tls=dev/dev.pem fails 1 'the service is not believed' '--ca FILE' -- at olga list
    make_tls . && service_url=${service_url/localhost/127.0.0.1}
    tls=tls.pem fails 1 'the service is not believed' -- at olga list
    service_url=${service_url/127.0.0.1/other.localhost} fails 1 'the service is not believed' -- at olga list
    service_url=http://localhost:1 fails 2 'does not begin with https://' -- at olga list
    service_url=$service_url/est fails 2 'the API is at' -- at olga list
    service_url=$service_url/api/v1 ok at rita list
    service_url=$service_url/api/v1/ ok at rita list
}

@test "an answer that is none" {
    local json='Content-Type: application/json' problem='Content-Type: application/problem+json'
    odd devices '200 OK' '<html>' 'Content-Type: text/html'
    fails 1 'is no API of Signet' -- at_odd device list
    odd devices '404 Not Found' 'nothing here' 'Content-Type: text/plain'
    fails 1 'is that the right URL?' -- at_odd device list
    odd devices '200 OK' '{"devices": [' "$json"
    fails 1 "can't be read: " -- at_odd device list
    odd devices '200 OK' '[]' "$json"
    fails 1 "can't be read: it has to be an object" -- at_odd device list
    odd devices '200 OK' '{"next": null}' "$json"
    fails 1 'no list of devices' -- at_odd device list
    odd devices '200 OK' '{"devices": [{}, 1, {"id": 7, "values": []}], "next": null}' "$json"
    ok at_odd device list
    ok at_odd device list --json
    # what a terminal would take for a command
    odd devices '200 OK' '{"devices": [{"id": "a\u001b[2Jb", "enabled": true, "values": {}}], "next": null}' "$json"
    ok at_odd device list
    says 'a?[2Jb'
    odd devices '200 OK' '{"devices": [{"id": "-----BEGIN \u001b[2J\nb", "values": {"pem": "c\nd"}}], "next": null}' "$json"
    ok at_odd device list
    says '-----BEGIN ?[2J?b  pem=c?d'
    odd requests '200 OK' '{"id": 1, "pem": "-----BEGIN \u009b2J\u007f\n"}' "$json"
    ok at_odd request show 1 --json
    json '.pem | @json' '"-----BEGIN ??2J?\n"'
    # pages for ever
    odd devices '200 OK' '{"devices": [], "next": "x"}' "$json"
    ok at_odd device list
    odd devices '200 OK' "{\"devices\": [$(printf '1,%.0s' {1..9999})1], \"next\": \"x\"}" "$json"
    fails 1 'more than 100000 devices' -- at_odd device list
    odd devices '503 Service Unavailable' '{"type": "about:blank", "title": "x", "status": 503}' "$problem" \
        'Retry-After: 7'
    fails 1 'run the same again in 7 s' -- at_odd device list
    odd devices '500 Internal Server Error' '{"title": "Oh\nno", "detail": "d", "rule": "r"}' "$problem"
    fails 1 'r: Oh?no' -- at_odd device list
    odd certificates '200 OK' '{"serial": "01", "pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}' \
        "$json"
    fails 1 "the service's answer can't be read: its pem" -- at_odd list --serial 01 --pem
    # no certificate, and one that somebody else asked for
    odd certificates '201 Created' '{"outcome": "issued", "pem": "x"}' "$json"
    fails 1 "the service's answer can't be read: its pem" -- at_odd issue -p x olga.csr
    jq -nc --rawfile pem olga.pem '{outcome: "issued", $pem}' >pem
    odd certificates '201 Created' "$(cat pem)" "$json"
    fails 1 "another key than the request's" -- at_odd issue -p x -o odd.pem otto.csr
    [ ! -e odd.pem ]
    # what was served before it broke off is handed out
    odd certificates.next '503 Service Unavailable' '{"title": "x"}' "$problem" 'Retry-After: 7'
    mkdir odd
    ends 1 'olga.csr: issued, odd/olga.pem' 'otto.csr: the service is busy' 'rita.csr: not tried: ' \
        'run the same again in 7 s' -- at_odd issue -p x --output-dir odd olga.csr otto.csr rita.csr
    cmp odd/olga.pem olga.pem
    odd certificates '201 Created' '{"outcome": "issued", "pem": null}' "$json"
    fails 1 'has no certificate' -- at_odd issue -p x olga.csr
    # nothing of it says that what was asked is done
    odd devices '200 OK' '{}' "$json"
    fails 1 'does not say what came of it (id)' -- at_odd device enable device-AB12
    odd requests '204 No Content' ''
    fails 1 'does not say what came of it (decided_by)' -- at_odd request approve 1
    odd revocations '200 OK' '{"revoked": null}' "$json"
    fails 1 'does not say what came of it (revoked)' -- at_odd revoke --device device-AB12
    # that one is not there says nothing of the next
    odd certificates '200 OK' '{"certificates": [{"serial": "01"}, {"serial": "02"}], "next": null}' "$json"
    odd certificates.next '404 Not Found' '{"rule": "serial", "detail": "none"}' "$problem"
    : >answers/certificates.next.next
    fails 1 "can't be asked" -- at_odd list --pem
    odd certificates '200 OK' '{"certificates": [], "next": null}' "$json"
    ok at_odd list --status held --device a
    ok at_odd list --expires-within 30d
    # each was asked with the method and path that it should be
    grep -q '^GET /api/v1/certificates?device=a&status=held&limit=500 HTTP/1.1' answers/asked
    grep -q '^GET /api/v1/certificates?status=valid&limit=500 HTTP/1.1' answers/asked
    grep -q '^GET /api/v1/devices?limit=500 HTTP/1.1' answers/asked
    grep -q '^GET /api/v1/devices?limit=500&after=x HTTP/1.1' answers/asked
}

@test "what is done at the CA itself, and what goes with --url alone" {
    local options=(--url "$service_url" --as 'pkcs11:token=desk;object=olga')
    fails 2 "--url: 'signet key create' is done at the CA itself" ' request, ' -- signet key create k "${options[@]}"
    fails 2 "'signet device import' is done at the CA itself" -- signet device import x.csv "${options[@]}"
    fails 2 'give -C or --url' -- signet -C dev list "${options[@]}"
    fails 2 '--ca goes with --url' -- signet -C dev list --ca "$tls"
    fails 2 '--as goes with --url' -- signet -C dev list --as olga
    fails 2 '--pin goes with --url' -- signet -C dev request approve 1 --pin file:pin/desk
    fails 2 'add --url, or give your name' -- signet -C dev request approve 1 --as 'pkcs11:token=desk;object=olga'
    SIGNET_HOME=$PWD/dev ok at rita list
}

@test "each command of the desk has its row in the helper's table" {
    local command help operands nouns num=0
    run --separate-stderr signet key create k --url x
    nouns=${stderr##*there are }
    while read -r command; do
        [[ ", $nouns," == *", ${command%% *},"* ]] || continue
        help=$(signet $command --help)
        [[ $help == *'--url URL '*'ask this service'* ]] || continue
        num=$((num + 1))
        operands=()
        [[ ! $(sed -n 3p <<<"$help") =~ ' '(ID|NAME|CARD|REQUEST) ]] || operands+=(7)
        [[ $help != *NAME=* ]] || operands+=(a=b)
        # the row is looked for before the card is
        run --separate-stderr signet $command "${operands[@]}" --url https://localhost:1 --as 'pkcs11:token=x;object=y'
        [[ $status -eq 2 && $stderr != *usage:* && $stderr != *"too many"* ]] || fail "$command: $stderr"
    done < <(signet help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p')
    expect_equal commands 25 "$num"
}

# the last, as the service is another one afterwards
@test "without EST it is the only active issuer that officers ask" {
    make_device dev device-IS66
    reload() {
        sed -i "$1" dev/signet.yaml
        kill -HUP "$(cat service.pid)"
    }
    has_no_est() {
        fetch "$est_url/staff/cacerts"
        [ "$http_status" = 404 ]
    }
    has_no_issuer() {
        at olga issue -p device-mtls -d device-IS66 device-IS66.csr 2>&1 | grep -qF 'refused: issuer: '
    }
    reload '/^  est:/d'
    wait_for 20 has_no_est
    ok at olga issue -p device-mtls -d device-IS66 device-IS66.csr
    reload 's/state: active/state: status-only/'
    wait_for 20 has_no_issuer
    ok at olga revoke --device device-IS66
}
