# The API: what token services, apps, auditors and officers ask of signetd in JSON.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home dev
    signet key create 'pkcs11:token=dev;object=dev-ocsp' --pin file:pin/dev "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=dev-ocsp'}|" dev/signet.yaml
    make_ticket_policies dev
    make_vetted_policy dev
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
    add_service dev 'est: {labels: {staff: staff, cards: cards}}' 'limits: {refusals: 1000}' 'operators:' \
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
    # without bodies that are no text: what api_check.py reads is JSON
    [[ ${4:-} =~ ^[[:print:]]*$ ]] || return 0
    jq -nc --arg method "$1" --arg path "/$2" --argjson status "$http_status" --arg sent "${4:-}" --rawfile got body \
        --arg type "$(sed -n 's/^Content-Type: \([^;\r]*\).*/\1/p' headers)" '$ARGS.named' >>calls
}

# each_operation: METHOD PATH ROLES of docs/openapi.yaml, with names that nobody has.
each_operation() {
    python3 -c '
import re, sys, yaml
for path, item in yaml.safe_load(open(sys.argv[1]))["paths"].items():
    for method, operation in item.items():
        path_of_nobody = re.sub("{.*?}", "0", path)[1:]
        print(method.upper(), path_of_nobody, ",".join(operation.get("x-roles", ["app"])),
              "body" if operation.get("requestBody") else "bare")' "$SIGNET_DATA/docs/openapi.yaml"
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
    each_operation >operations
    [ "$(wc -l <operations)" -gt 20 ]
    local method path roles body other
    while read -r method path roles body; do
        [ "$roles" != app ] || continue
        call "$method" "$path"
        expect_problem 401 operator
        case $roles in
        token-service) other=olga ;;
        token-service,officer | officer) other=rita ;;
        *) other=tokens ;;
        esac
        call "$method" "$path" "$other"
        expect_problem 403 role
    done <operations
}

@test "each body is read strictly, and each list's limit" {
    each_operation >operations
    local method path roles body who
    while read -r method path roles body; do
        who=olga
        [ "$roles" != app ] || who=-
        if [ "$body" = body ]; then
            call "$method" "$path" "$who" '{'
            expect_problem 400 'RFC 8259'
            call "$method" "$path" "$who" '{"nonsense": 1}'
            expect_problem 422 'JSON nonsense'
        elif [ "$method" = GET ] && [[ $path != */* ]]; then
            call "$method" "$path?limit=0" "$who"
            expect_problem 422 'query limit'
            call "$method" "$path?nonsense=1" "$who"
            expect_problem 422 query
        fi
    done <operations
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

# --- officers and auditors -----------------------------------------------------------------------

@test "devices and users are registered, changed, disabled and listed" {
    local noun values changed
    for noun in devices users; do
        values='{"type": "leo", "region": "us-east"}' changed='{"values": {"region": "us-west"}}'
        [ $noun = devices ] || values='{"email": "x@example.com"}' changed='{"values": {"email": "y@example.com"}}'
        call POST $noun olga "{\"id\": \"device-XY99\", \"values\": $values}"
        expect_http 201
        expect_equal values "$(jq -Sc . <<<"$values")" "$(jq -Sc .values body)"
        call POST $noun olga '{"id": "device-XY99"}'
        expect_problem 409 registry
        call PATCH $noun/device-XY99 olga "$changed"
        expect_http 200
        expect_equal value "$(jq -r '.values[]' <<<"$changed")" "$(jq -r '.values.region // .values.email' body)"
        call POST $noun/device-XY99/disable olga
        expect_http 200 '"enabled":false'
        call GET $noun/device-XY99 rita
        expect_http 200 '"enabled":false'
        call POST $noun/device-XY99/enable olga
        expect_http 200 '"enabled":true'
        call GET $noun rita
        expect_http 200 device-XY99 '"next":null'
        call GET $noun/nobody rita
        expect_problem 404 registry
        call PATCH $noun/nobody olga '{"values": {}}'
        expect_problem 404 registry
        call POST $noun/nobody/disable olga
        expect_problem 404 registry
        call POST $noun/nobody/enable olga
        expect_problem 404 registry
        call PATCH $noun/device-XY99 olga '{"values": {"colour": "red"}}'
        expect_http 422 'problem+json' registry
        call PATCH $noun/device-XY99 olga '{"values": {"region": 1}}'
        expect_problem 422 'JSON values'
        call POST $noun olga '{"id": "device-XY98", "values": {"region": null}}'
        expect_problem 422 'JSON values'
    done
    call PATCH devices/device-XY99 olga '{"values": {"region": "NO SUCH"}}'
    expect_problem 422 'registry device.region'
    call PATCH devices/device-XY99 olga '{"values": {"region": null}}'
    expect_http 200
    expect_equal region null "$(jq .values.region body)"
    said_in service.log 'olga: device device-XY99 was disabled'
}

@test "lists come in pages" {
    local after= num=0
    while :; do
        call GET "devices?limit=2${after:+&after=$after}" rita
        expect_http 200
        num=$((num + $(jq '.devices | length' body)))
        [ "$(jq -r .next body)" != null ] || break
        expect_equal length 2 "$(jq '.devices | length' body)"
        after=$(jq -r .next body)
    done
    expect_equal devices "$(signet -C dev device list --json | jq length)" "$num"
    call GET 'certificates?limit=1' rita
    expect_http 200
    local newest
    newest=$(jq -r '.certificates[0].serial' body)
    expect_equal newest "$(signet -C dev list --json | jq -r '.[-1].serial')" "$newest"
    call GET "certificates?limit=1&after=$(jq -r .next body)" rita
    [ "$(jq -r '.certificates[0].serial' body)" != "$newest" ]
    call GET 'certificates?after=x' rita
    expect_problem 422 'query after'
    local status
    for status in valid expired revoked held in-flight orphaned; do
        call GET "certificates?status=$status&limit=500" rita
        expect_http 200
        expect_equal "$status" "$(signet -C dev list --json --status $status | jq -c '[.[].serial] | reverse')" \
            "$(jq -c '[.certificates[].serial]' body)"
    done
    call GET 'certificates?status=good' rita
    expect_problem 422 'query status'
}

@test "tickets are listed without what they say, and dropped" {
    call POST tickets olga '{"policy": "device-mtls", "device": "device-AB12"}'
    expect_http 201
    local id ticket
    id=$(jq .id body) ticket=$(jq -r .ticket body)
    call GET 'tickets?limit=500' rita
    expect_http 200
    run ! grep -q "$ticket" body
    expect_equal state open "$(jq -r ".tickets[] | select(.id == $id).state" body)"
    call GET 'tickets?state=open&limit=500' rita
    expect_equal states open "$(jq -r '[.tickets[].state] | unique | join(" ")' body)"
    expect_equal found "$id" "$(jq ".tickets[] | select(.id == $id).id" body)"
    call GET "tickets?after=$((id - 1))&limit=1" rita
    expect_equal found "$id" "$(jq '.tickets[].id' body)"
    call GET 'tickets?state=dropped&limit=500' rita
    expect_equal found '' "$(jq ".tickets[] | select(.id == $id).id" body)"
    call GET 'tickets?state=some' rita
    expect_problem 422 'query state'
    call POST "tickets/$id/drop" olga
    expect_http 204
    call POST "tickets/$id/drop" olga
    expect_problem 409 ticket
    call POST tickets/999999/drop olga
    expect_problem 404 ticket
}

# wait_for_approval NAME ASKER: a request by a ticket of ASKER's that waits; sets id.
wait_for_approval() {
    call POST tickets "$2" '{"policy": "cards", "user": "Ada Example", "asks_pin": false, "token": "card-9"}'
    expect_http 201
    jq -r .ticket body >"$1"
    make_request "$1.csr" 'Ada Example'
    enroll_by_ticket cards "$1" '' "$1.csr"
    expect_http 202
    call GET requests rita
    expect_http 200
    id=$(jq '.requests[-1].id' body)
}

@test "a request is looked at beside the record, and decided by an officer who did not ask" {
    wait_for_approval first olga
    call GET "requests/$id" rita
    expect_http 200
    expect_equal record ada@example.com "$(jq -r .user_record.values.email body)"
    expect_equal asked_by olga "$(jq -r .asked_by body)"
    call POST "requests/$id/approve" olga '{"reason": "it is mine"}'
    expect_problem 403 approval
    call POST "requests/$id/refuse" olga '{"reason": "it is mine"}'
    expect_problem 403 approval
    call POST "requests/$id/approve" otto
    expect_http 200
    expect_equal state approved "$(jq -r .state body)"
    expect_equal decided_by otto "$(jq -r .decided_by body)"
    call POST "requests/$id/approve" otto '{"reason": "again"}'
    expect_problem 409 approval
    call POST "requests/$id/refuse" otto '{"reason": "after all"}'
    expect_problem 409 approval
    enroll_by_ticket cards first '' first.csr
    expect_http 200
    wait_for_approval second tokens
    call POST "requests/$id/refuse" otto '{}'
    expect_problem 422 'JSON reason'
    call POST "requests/$id/refuse" otto '{"reason": "nobody came"}'
    expect_http 200
    expect_equal reason 'nobody came' "$(jq -r .reason body)"
    enroll_by_ticket cards second '' second.csr
    expect_http 403
    call GET 'requests?state=all' rita
    expect_equal state refused "$(jq -r ".requests[] | select(.id == $id).state" body)"
    call GET 'requests?state=refused' rita
    expect_equal states refused "$(jq -r '[.requests[].state] | unique | join(" ")' body)"
    expect_equal found "$id" "$(jq ".requests[] | select(.id == $id).id" body)"
    call GET 'requests?state=some' rita
    expect_problem 422 'query state'
    for path in requests/999999 requests/x; do
        call GET $path rita
        expect_problem 404 approval
    done
    call POST requests/999999/approve otto
    expect_problem 404 approval
    call POST requests/999999/refuse otto '{"reason": "x"}'
    expect_problem 404 approval
    said_in service.log "otto: request $id was refused"
}

@test "what an officer changes shows in the very next answer by OCSP" {
    make_due dev device-OC11
    openssl ocsp -no_nonce -reqout question -issuer dev.pem -cert device-OC11.pem
    python3 - "$api_url" "$tls" olga "$(serial_of device-OC11.pem)" "$http_url/ocsp/$(base64 -w0 question | jq -Rr @uri)" <<'END'
import http.client, json, ssl, sys, threading, urllib.parse
api, tls, who, serial, ocsp = (urllib.parse.urlsplit(text) if '://' in text else text for text in sys.argv[1:])
context = ssl.create_default_context(cafile=tls)
context.load_cert_chain(f'{who}.pem', f'{who}.key')
officer = http.client.HTTPSConnection(api.hostname, api.port, context=context)
anybody, other = (http.client.HTTPConnection(ocsp.hostname, ocsp.port) for i in range(2))

def ask(connection):
    connection.request('GET', ocsp.path)
    return connection.getresponse().read()

# without a pause, so that an answer is always kept
def ask_and_ask():
    while True:
        ask(other)

def change(what):
    officer.request('POST', f'{api.path}/{what}', json.dumps({'serial': serial} | ({'reason': 'certificateHold'} if what == 'revocations' else {})),
                    {'Content-Type': 'application/json'})
    reply = officer.getresponse()
    assert reply.status == 200, reply.read()
    reply.read()

threading.Thread(target=ask_and_ask, daemon=True).start()
earlier = []
for turn in range(40):
    last = ask(anybody)
    assert last not in earlier, f'turn {turn}: answered as before'
    earlier.append(last)
    change('releases' if turn % 2 else 'revocations')
    assert ask(anybody) != last, f'turn {turn}: answered as before'
END
    [ "$(curl -s "$metrics_url/metrics" | sed -n 's/^signet_ocsp_kept_answers_total //p')" -gt 50 ]
}

@test "certificates are found, held, released and revoked" {
    make_due dev device-RV11
    make_due dev device-RV22
    local serial
    serial=$(serial_of device-RV11.pem)
    call GET 'certificates?device=device-RV11' rita
    expect_equal serial "$serial" "$(jq -r '.certificates[].serial' body)"
    call GET "certificates/$serial" rita
    expect_http 200
    cmp <(jq -r .pem body | openssl x509 -outform der) <(openssl x509 -in device-RV11.pem -outform der)
    call GET certificates/1 rita
    expect_problem 404 serial
    call GET certificates/xyz rita
    expect_problem 422 serial
    call POST revocations olga "{\"serial\": \"$serial\", \"reason\": \"certificateHold\"}"
    expect_http 200 '"revoked":1'
    call POST releases olga "{\"serial\": \"$serial\"}"
    expect_http 200 '"released":1'
    call POST releases olga "{\"serial\": \"$serial\"}"
    expect_problem 409 revocation
    call POST revocations olga "{\"serial\": \"$serial\", \"reason\": \"keyCompromise\"}"
    expect_http 200 '"revoked":1'
    call POST revocations olga "{\"serial\": \"$serial\"}"
    expect_problem 409 revocation
    expect_equal reason keyCompromise "$(signet -C dev list --serial "$serial" --json | jq -r '.[].reason')"
    call POST revocations olga '{"device": "device-RV22"}'
    expect_http 200 '"revoked":1'
    call POST revocations olga '{"user": "nobody"}'
    expect_problem 404 revocation
    call POST releases olga '{"token": "nothing"}'
    expect_problem 404 revocation
    call POST revocations olga '{}'
    expect_problem 422 JSON
    call POST revocations olga '{"user": "Ada Example", "token": "card-1"}'
    expect_problem 422 JSON
    call POST revocations olga '{"user": "Ada Example", "reason": "boredom"}'
    expect_problem 422 'JSON reason'
    is_listed() {
        curl -s "$http_url/crl/dev.crl" | openssl crl -inform der -noout -text | grep -qi "$serial"
    }
    wait_for 15 is_listed
}

# order POLICY REQUEST.csr [VALUES]: what POST certificates takes.
order() {
    jq -nc --arg policy "$1" --rawfile request "$2" "{\$policy, \$request} + {${3:-}}"
}

@test "an officer has a certificate issued, and gets it again" {
    make_device dev device-IS11
    call POST certificates olga "$(order device-mtls device-IS11.csr 'device: "device-IS11"')"
    expect_http 201 '"outcome":"issued"' '"waits_for":null'
    jq -r .pem body >is11.pem
    expect_equal serial "$(serial_of is11.pem)" "$(jq -r .serial body)"
    expect_equal device device-IS11 "$(signet -C dev list --serial "$(serial_of is11.pem)" --json | jq -r '.[].device')"
    said_in service.log 'olga: certificate under policy device-mtls was issued'
    # the reply was lost; whoever asks again
    call POST certificates otto "$(order device-mtls device-IS11.csr 'device: "device-IS11"')"
    expect_http 200 '"outcome":"issued before"'
    expect_equal pem "$(cat is11.pem)" "$(jq -r .pem body)"
    # many at once
    make_device dev device-IS22
    order device-mtls device-IS22.csr 'device_from_cn: true' >order.json
    local i pids=()
    for i in 1 2 3 4; do
        curl -s --cacert "$tls" --cert olga.pem --key olga.key -H 'Content-Type: application/json' \
            --data-binary @order.json -o "got.$i" "$api_url/certificates" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    expect_equal outcomes '1 issued,3 issued before' \
        "$(jq -r .outcome got.? | sort | uniq -c | sed 's/^ *//' | paste -sd,)"
    expect_equal certificates 1 "$(jq -r .serial got.? | sort -u | wc -l)"
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_certificates_total{policy="device-mtls",outcome="repeated"} 4'
}

@test "what an officer's policy refuses is refused by its rule, and nobody else asks" {
    local asked
    make_device dev device-IS33
    asked=$(order device-mtls device-IS33.csr 'device: "device-IS33"')
    call POST certificates rita "$asked"
    expect_problem 403 role
    call POST certificates tokens "$asked"
    expect_problem 403 role
    call POST certificates olga "$(order nothing device-IS33.csr)"
    expect_problem 422 policy
    call POST certificates olga "$(order issuing-ca device-IS33.csr)"
    expect_problem 403 policy
    call POST certificates olga "$(order root-ca device-IS33.csr)"
    expect_problem 403 policy
    # a policy that does not take an officer's word
    call POST certificates olga "$(order staff ada.csr 'user: "Ada Example"')"
    expect_problem 403 'policy staff: who'
    call POST certificates olga "$(order ocsp-responder device-IS33.csr)"
    expect_problem 403 'policy ocsp-responder: who'
    call POST certificates olga "$(order device-mtls device-IS33.csr)"
    expect_problem 422 requester
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: "device-CD34"')"
    expect_problem 422 requester
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: "device-AB12"')"
    expect_problem 403 'policy device-mtls: subject.CN'
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: "nobody"')"
    expect_problem 422 requester
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: "device-IS33", challenge: "x"')"
    expect_problem 422 challenge
    # requests that are none
    call POST certificates olga "$(order device-mtls tokens.pem 'device: "device-IS33"')"
    expect_problem 400 'RFC 2986 4'
    openssl req -in device-IS33.csr -outform der | sed 's/example/exbmple/' | head -c -1 >cut
    { cat cut; printf x; } | openssl req -inform der -out bad.csr 2>/dev/null
    call POST certificates olga "$(order device-mtls bad.csr 'device: "device-IS33"')"
    expect_problem 400 'RFC 2986 4.2'
    openssl req -new -newkey rsa:1024 -nodes -keyout /dev/null -subj /CN=device-IS33 -out weak.csr 2>/dev/null
    call POST certificates olga "$(order device-mtls weak.csr 'device: "device-IS33"')"
    expect_problem 400 'NIST SP 800-131A: RSA below 2048 bits'
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: 33')"
    expect_problem 422 'JSON device'
    call POST certificates olga '{"policy": "device-mtls"}'
    expect_problem 422 'JSON request'
    expect_equal certificates 0 "$(count_certificates dev --device device-IS33)"
    call POST certificates olga "$asked"
    expect_http 201
    # another key for a device that has a certificate
    make_request device-IS33.csr device-IS33
    call POST certificates olga "$(order device-mtls device-IS33.csr 'device: "device-IS33"')"
    expect_http 403 problem+json device-mtls
}

@test "what an officer asks for another one approves" {
    local id asked
    make_device dev device-IS44
    asked=$(order vetted device-IS44.csr 'device: "device-IS44"')
    call POST certificates olga "$asked"
    expect_http 202 'Retry-After: 60' '"outcome":"waits"' '"rule":"policy vetted: who"'
    id=$(jq .waits_for body)
    call GET "requests/$id" rita
    expect_equal asked_by olga "$(jq -r .asked_by body)"
    call POST "requests/$id/approve" olga
    expect_problem 403 approval
    call POST certificates olga "$asked"
    expect_http 202
    expect_equal id "$id" "$(jq .waits_for body)"
    call POST "requests/$id/approve" otto
    expect_http 200
    call POST certificates olga "$asked"
    expect_http 201
    expect_equal policy vetted "$(signet -C dev list --device device-IS44 --json | jq -r '.[].policy')"
    make_device dev device-IS55
    asked=$(order vetted device-IS55.csr 'device: "device-IS55"')
    call POST certificates olga "$asked"
    call POST "requests/$(jq .waits_for body)/refuse" otto '{"reason": "nobody knows it"}'
    expect_http 200
    call POST certificates olga "$asked"
    expect_problem 403 approval
}

@test "a lost card: held, replaced with tickets for another, revoked" {
    call POST tickets olga '{"policy": "staff", "user": "Ada Example", "asks_pin": false, "token": "card-2"}'
    jq -r .ticket body >card2
    make_request card2.csr 'Ada Example'
    enroll_by_ticket staff card2 '' card2.csr
    expect_http 200
    certificate_of_body card2.pem
    call POST tickets olga '{"policy": "staff", "user": "Ada Example", "asks_pin": false, "token": "card-2"}'
    jq -r .ticket body >card2-more
    call POST cards/card-2/lost olga '{"step": "hold"}'
    expect_http 200 '"held":1' '"dropped_tickets":1' '"tickets":[]'
    expect_equal status held "$(signet -C dev list --token card-2 --json | jq -r '.[].status')"
    make_request card2-more.csr 'Ada Example'
    enroll_by_ticket staff card2-more '' card2-more.csr
    expect_http 401 'Unauthorized: ticket'
    call POST cards/card-2/lost olga '{"step": "replace"}'
    expect_problem 422 'JSON new_token'
    call POST cards/card-2/lost olga '{"step": "shred"}'
    expect_problem 422 'JSON step'
    call POST cards/card-2/lost olga '{"step": "replace", "new_token": "card-3", "lifetime": 600}'
    expect_http 200 '"revoked":1'
    expect_equal policy staff "$(jq -r '.tickets[].policy' body)"
    jq -r '.tickets[].ticket' body >card3
    expect_equal reason keyCompromise "$(signet -C dev list --token card-2 --json | jq -r '.[].reason')"
    make_request card3.csr 'Ada Example'
    enroll_by_ticket staff card3 "$(cat ada.hash)" card3.csr
    expect_http 200
    expect_equal valid valid "$(signet -C dev list --token card-3 --json | jq -r '.[].status')"
    call POST cards/card-3/lost olga '{"step": "revoke", "reason": "cessationOfOperation"}'
    expect_http 200 '"revoked":1' '"held":0'
    call POST cards/card-3/lost olga '{"step": "revoke"}'
    expect_problem 409 card
    call POST cards/nothing/lost olga '{"step": "hold"}'
    expect_problem 404 card
    call POST cards/card-2/lost rita '{"step": "hold"}'
    expect_problem 403 role
}

# the last, as it looks at what the others did
@test "every URL, method, status and answer is as docs/openapi.yaml says" {
    run --separate-stderr python3 "$SIGNET_DATA/tests/flow/api_check.py" "$SIGNET_DATA/docs/openapi.yaml" calls
    expect_status 0
    expect_said ' 0 failures'
    # and the check can fail
    jq -c '.status = 299' calls >bent
    run python3 "$SIGNET_DATA/tests/flow/api_check.py" "$SIGNET_DATA/docs/openapi.yaml" bent
    expect_status 1
    jq -c 'if .status == 200 then .got = "{}" else . end' calls >bent
    run python3 "$SIGNET_DATA/tests/flow/api_check.py" "$SIGNET_DATA/docs/openapi.yaml" bent
    expect_status 1
    expect_said "'next' is a required property"
}
