# The API: what token services, apps, auditors and officers ask of signetd in JSON.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home dev
    make_ticket_policies dev
    make_pins dev
    make_due dev device-OF11
    make_due dev device-OF22
    for name in tokens olga otto rita stranger ended; do
        make_operator "$name"
    done
    mv device-OF11.key oleg.key && cp device-OF11.pem oleg.pem
    mv device-OF22.key orla.key && cp device-OF22.pem orla.pem
    make_ended ended
    signet -C dev device add device-AB12 type=leo region=us-east
    signet -C dev device add device-CD34 type=leo region=us-east
    signet -C dev device disable device-CD34
    signet -C dev user add 'Ada Example' email=ada@example.com
    signet -C dev user add 'Grace Example' email=grace@example.com
    signet -C dev user disable 'Grace Example'
    make_request ada.csr 'Ada Example'
    hash_pin 'Ada Example' 4711 >ada.hash
    add_service dev 'est: {labels: {staff: staff, cards: cards}}' 'operators:' \
        "  - {name: tokens, certificate: '$(digest_of tokens)', role: token-service}" \
        "  - {name: olga, certificate: '$(digest_of olga)', role: officer}" \
        "  - {name: otto, certificate: '$(digest_of otto)', role: officer}" \
        "  - {name: rita, certificate: '$(digest_of rita)', role: auditor}" \
        "  - {name: ended, certificate: '$(digest_of ended)', role: officer}" \
        "  - {name: oleg, certificate: '$(digest_of oleg)', role: officer}" \
        "  - {name: orla, certificate: '$(digest_of orla)', role: officer}"
    start_service dev
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
    echo "api_url=${est_url%/.well-known/est}/api/v1" >>urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
}

# make_operator NAME: a certificate of their own, of no CA of ours, in NAME.pem.
make_operator() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
        -out "$1.pem" -subj "/CN=$1" -days 30 2>/dev/null
}

# make_ended NAME: one that ended yesterday.
make_ended() {
    mkdir -p past
    : >past/index
    cat >past/settings <<'SETTINGS'
[ca]
default_ca = past
[past]
database = past/index
rand_serial = yes
new_certs_dir = past
default_md = sha256
policy = names
[names]
commonName = supplied
SETTINGS
    openssl req -new -key "$1.key" -subj "/CN=$1" -out past/csr
    openssl ca -batch -config past/settings -selfsign -keyfile "$1.key" -in past/csr -notext \
        -startdate 20200101000000Z -enddate "$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)" -out "$1.pem" 2>/dev/null
}

digest_of() {
    openssl x509 -in "$1.pem" -outform der | sha256sum | cut -d' ' -f1
}

# call METHOD PATH [NAME [JSON]]: with the certificate of NAME; - is none.
call() {
    local options=(-X "$1")
    [ "$1" != HEAD ] || options=(-I)
    [ "${3:--}" = - ] || options+=(--cert "$3.pem" --key "$3.key")
    [ -z "${4:-}" ] || options+=(-H 'Content-Type: application/json' --data-binary "$4")
    fetch "${options[@]}" "$api_url/$2"
}

# expect_problem STATUS RULE: of the last call; its body is as RFC 9457 says.
expect_problem() {
    expect_http "$1" 'Content-Type: application/problem+json'
    expect_equal status "$1" "$(jq .status body)"
    expect_equal rule "$2" "$(jq -r .rule body)"
    expect_equal type about:blank "$(jq -r .type body)"
}

# --- who is asking -------------------------------------------------------------------------------

@test "without a certificate, or with one that nobody listed, operators' URLs are refused" {
    call GET users/Ada%20Example/pin
    expect_problem 401 operator
    expect_http 401 'WWW-Authenticate: ClientCertificate'
    run ! grep -q Basic headers
    call GET users/Ada%20Example/pin stranger
    expect_problem 401 operator
    expect_equal detail null "$(jq .detail body)"
    said_in service.log 'is none of those that `operators` in signet.yaml lists'
    # another one of the same name and key
    openssl req -x509 -key tokens.key -out twin.pem -subj /CN=tokens -days 30
    cp tokens.key twin.key
    call GET users/Ada%20Example/pin twin
    expect_problem 401 operator
}

@test "a certificate that has ended, was revoked or is a disabled device's is good for nothing" {
    local ticket='{"policy": "staff", "user": "Ada Example", "asks_pin": false}'
    call POST tickets ended "$ticket"
    expect_problem 401 operator
    said_in service.log 'the certificate of ended is not in force any more'
    call POST tickets oleg "$ticket"
    expect_http 201
    signet -C dev revoke oleg.pem --hold
    call POST tickets oleg "$ticket"
    expect_problem 401 operator
    said_in service.log 'the certificate of oleg is held'
    signet -C dev release oleg.pem
    call POST tickets oleg "$ticket"
    expect_http 201
    signet -C dev revoke oleg.pem
    call POST tickets oleg "$ticket"
    expect_problem 401 operator
    call POST tickets orla "$ticket"
    expect_http 201
    signet -C dev device disable device-OF22
    call POST tickets orla "$ticket"
    expect_problem 401 operator
    said_in service.log 'is disabled in the registry'
    signet -C dev device enable device-OF22
    call POST tickets orla "$ticket"
    expect_http 201
}

@test "each role has its own URLs" {
    call GET users/Ada%20Example/pin olga
    expect_problem 403 role
    call GET users/Ada%20Example/pin rita
    expect_problem 403 role
    call POST tickets rita '{"policy": "staff", "user": "Ada Example"}'
    expect_problem 403 role
}

@test "what is not there is 404, another method 405; without TLS there is no API" {
    call GET nothing tokens
    expect_problem 404 null
    call GET users/Ada%20Example/pin/more tokens
    expect_problem 404 null
    call GET a/b/c/d/e/f tokens
    expect_problem 404 null
    call DELETE users/Ada%20Example/pin tokens
    expect_problem 405 'RFC 9110 15.5.6'
    expect_http 405 'Allow: GET, HEAD'
    call GET pin
    expect_http 405 'Allow: POST'
    fetch "$http_url/api/v1/pin"
    expect_http 404
    fetch "$metrics_url/api/v1/pin"
    expect_http 404
}

# --- PINs and tickets ----------------------------------------------------------------------------

@test "a token service asks for the PIN, registers a ticket; the app chooses the PIN and enrols" {
    call GET users/Ada%20Example/pin tokens
    expect_http 200 'Content-Type: application/json'
    expect_equal has_pin false "$(jq .has_pin body)"
    call HEAD users/Ada%20Example/pin tokens
    expect_http 200
    call POST tickets tokens \
        '{"policy": "staff", "user": "Ada Example", "token": "card-1", "lifetime": 900, "pin_tries": 3}'
    expect_http 201 'Content-Type: application/json'
    jq -r .ticket body >adas
    [[ $(cat adas) =~ ^[0-9a-f]{32}$ ]]
    expect_equal made_by tokens "$(state_of_ticket made_by)"
    expect_equal token card-1 "$(state_of_ticket token)"
    expect_equal tries 3 "$(state_of_ticket pin_tries)"
    expect_equal not_after "$(state_of_ticket not_after)" "$(jq -r .not_after body)"
    call POST pin - "{\"ticket\": \"$(cat adas)\", \"pin_hash\": \"$(cat ada.hash)\"}"
    expect_http 204
    [ ! -s body ]
    call GET users/Ada%20Example/pin tokens
    expect_equal has_pin true "$(jq .has_pin body)"
    # a second time, with whatever ticket
    call POST pin - "{\"ticket\": \"$(cat adas)\", \"pin_hash\": \"$(cat ada.hash)\"}"
    expect_problem 409 PIN
    enroll_by_ticket staff adas "$(cat ada.hash)" ada.csr
    expect_http 200
    expect_equal token card-1 "$(signet -C dev list --user 'Ada Example' --json | jq -r '.[-1].token')"
    # the ticket is spent
    call POST pin - "{\"ticket\": \"$(cat adas)\", \"pin_hash\": \"$(cat ada.hash)\"}"
    expect_problem 401 ticket
    run ! grep -qi -e "$(cat adas)" -e "$(cat ada.hash)" service.log
    said_in service.log 'tokens: ticket'
}

@test "a PIN is chosen by a ticket that is open and asks for one" {
    local hash
    hash=$(cat ada.hash)
    call POST pin - "{\"ticket\": \"00112233445566778899aabbccddeeff\", \"pin_hash\": \"$hash\"}"
    expect_problem 401 ticket
    expect_equal detail null "$(jq .detail body)"
    call POST tickets tokens '{"policy": "staff", "user": "Ada Example", "asks_pin": false}'
    call POST pin - "{\"ticket\": $(jq .ticket body), \"pin_hash\": \"$hash\"}"
    expect_problem 401 ticket
    call POST pin - "{\"ticket\": \"0011\", \"pin_hash\": \"4711\"}"
    expect_problem 422 'JSON pin_hash'
    call POST pin - "{\"ticket\": \"0011\", \"pin_hash\": \"${hash%??}zz\"}"
    expect_problem 422 'JSON pin_hash'
}

@test "tickets are for whom the registry knows and has not disabled, under policies that take them" {
    call POST tickets tokens '{"policy": "staff", "user": "Nobody"}'
    expect_problem 422 requester
    call POST tickets tokens '{"policy": "staff", "user": "Grace Example"}'
    expect_problem 422 requester
    grep -q 'disabled' body
    call POST tickets tokens '{"policy": "device-mtls", "device": "device-ZZ99"}'
    expect_problem 422 requester
    call POST tickets tokens '{"policy": "device-mtls", "device": "device-CD34"}'
    expect_problem 422 requester
    call POST tickets tokens '{"policy": "device-mtls", "device": "device-AB12"}'
    expect_http 201
    call POST tickets tokens '{"policy": "issuing-ca", "user": "Ada Example"}'
    expect_problem 403 policy
    call POST tickets tokens '{"policy": "root-ca", "user": "Ada Example"}'
    expect_problem 403 policy
    call POST tickets tokens '{"policy": "nothing", "user": "Ada Example"}'
    expect_problem 422 policy
    call POST tickets tokens '{"policy": "../signet", "user": "Ada Example"}'
    expect_problem 422 policy
    call POST tickets tokens '{"policy": "staff"}'
    expect_problem 422 ticket
    call GET users/Nobody/pin tokens
    expect_problem 404 registry
}

# --- bad input -----------------------------------------------------------------------------------

@test "JSON is read strictly" {
    local text
    for text in '{' '[]' '"x"' '{"policy": "staff", "policy": "staff"}' '{} {}' '{"policy": "\u0000"}' \
        "$(printf '{"policy": "\xff"}')" "$(head -c 5000 /dev/zero | tr '\0' '[')"; do
        call POST tickets tokens "$text"
        expect_problem 400 'RFC 8259'
    done
    call POST tickets tokens
    expect_problem 400 'RFC 8259'
    call POST tickets tokens '{}'
    expect_problem 422 'JSON policy'
    call POST tickets tokens '{"policy": 1}'
    expect_problem 422 'JSON policy'
    call POST tickets tokens '{"policy": "staff", "user": null}'
    expect_problem 422 'JSON user'
    call POST tickets tokens '{"policy": "staff", "user": "A\nB"}'
    expect_problem 422 'JSON user'
    call POST tickets tokens '{"policy": "staff", "user": "Ada Example", "admin": true}'
    expect_problem 422 'JSON admin'
    for text in 0 2592001 1.5 '"900"' 99999999999999999999; do
        call POST tickets tokens "{\"policy\": \"staff\", \"user\": \"Ada Example\", \"lifetime\": $text}"
        [ "$http_status" = 422 ] || [ "$http_status" = 400 ]
        expect_http "$http_status" application/problem+json
    done
    call POST tickets tokens '{"policy": "staff", "user": "Ada Example", "asks_pin": "no"}'
    expect_problem 422 'JSON asks_pin'
}

@test "another content type is 415, a long body 413, a long URL 414, a broken one 400" {
    fetch --cert tokens.pem --key tokens.key -H 'Content-Type: text/plain' --data '{}' "$api_url/tickets"
    expect_problem 415 'RFC 9110'
    { printf '{"policy": "'; head -c 140000 /dev/zero | tr '\0' a; printf '"}'; } >long
    fetch --cert tokens.pem --key tokens.key -H 'Content-Type: application/json' --data-binary @long "$api_url/tickets"
    expect_problem 413 'RFC 9110'
    head -c 300000 /dev/zero >long
    fetch --cert tokens.pem --key tokens.key -H 'Content-Type: application/json' --data-binary @long "$api_url/tickets"
    expect_http 413
    call GET "users/$(head -c 3000 /dev/zero | tr '\0' a)/pin" tokens
    expect_problem 414 'RFC 9110'
    for path in users/%zz/pin users/%/pin users/%00/pin users/%0a/pin users/%ff/pin 'users/a/pin?b' 'users/a/pin?b=1&b=2'; do
        call GET "$path" tokens
        [ "$http_status" = 400 ] || fail "$path: $http_status"
        expect_http 400 application/problem+json
    done
    call GET 'users/Ada%20Example/pin?more=1' tokens
    expect_problem 422 query
    call GET users/Ada%20Example/pin tokens '{"a": 1}'
    expect_problem 400 'RFC 9110'
}
