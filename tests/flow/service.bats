# signetd: both processes, EST, OCSP, documents, limits, and what becomes of requests when one of them dies.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home dev root --ocsp-url http://pki.example.com/status
    signet key create 'pkcs11:token=dev;object=dev-ocsp' --pin file:pin/dev "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=dev-ocsp'}|" dev/signet.yaml
    for id in device-AB12 device-CD34 device-EF56 device-GH78 device-KL90 device-MN12 device-OP34 \
        device-QR56; do
        make_due dev "$id"
    done
    make_ticket_policies dev
    make_due dev device-ST90 strict
    make_pins dev
    signet -C dev user add 'Ada Example' email=ada@example.com
    signet -C dev user add 'Grace Example' email=grace@example.com
    printf 4711 >ada.pin
    signet -C dev user pin 'Ada Example' --set --pin file:ada.pin
    hash_pin 'Ada Example' 4711 >ada.hash
    hash_pin 'Ada Example' 4712 >wrong.hash
    for name in ada ada2 ada3 ada4 ada5 cards cards2; do
        make_request "$name.csr" 'Ada Example'
    done
    make_request grace.csr 'Grace Example'
    add_service dev \
        'est: {policy: device-mtls, labels: {people: user-client, staff: staff, cards: cards, strict: strict}}' \
        'limits: {request: 2s, idle: 3s, refusals: 1000}'
    start_service dev
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
}

# --- EST -----------------------------------------------------------------------------------------

@test "cacerts has the issuer and the certificates above it, in one line of base64" {
    fetch "$est_url/cacerts"
    expect_http 200 'Content-Type: application/pkcs7-mime' 'Content-Transfer-Encoding: base64'
    expect_equal lines 0 "$(wc -l <body)"
    base64 -d body | openssl pkcs7 -inform der -print_certs -out ca.pem
    expect_equal certificates 2 "$(grep -c BEGIN ca.pem)"
    openssl verify -CAfile root.pem -untrusted ca.pem dev/dev.pem
    fetch "$est_url/people/cacerts"
    expect_http 200
    fetch "$est_url/nobody/cacerts"
    expect_http 404
}

@test "csrattrs names the key that the policy wants" {
    fetch "$est_url/csrattrs"
    expect_http 200 'Content-Type: application/csrattrs'
    base64 -d body | openssl asn1parse -inform der >attributes
    grep -q rsaEncryption attributes
    grep -q ':0800' attributes
}

@test "a device renews with its certificate, and gets the same one when it asks again" {
    enroll simplereenroll device-AB12.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 200 'Content-Type: application/pkcs7-mime; smime-type=certs-only' 'Content-Length:'
    certificate_of_body renewed.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem renewed.pem
    [ "$(serial_of renewed.pem)" != "$(serial_of device-AB12.pem)" ]
    cmp <(openssl x509 -in renewed.pem -noout -pubkey) <(openssl req -in device-AB12.csr -noout -pubkey)
    enroll simplereenroll device-AB12.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 200
    certificate_of_body again.pem
    cmp renewed.pem again.pem
    said_in service.log "serial=\"$(serial_of renewed.pem)\""
}

@test "TLS 1.2 and TLS 1.3 both do, and nothing older" {
    local version
    for version in 1.2 1.3; do
        fetch --tlsv$version --tls-max $version "$est_url/cacerts"
        expect_http 200
        enroll simplereenroll device-CD34.csr --cert device-CD34.pem --key device-CD34.key \
            --tlsv$version --tls-max $version
        expect_http 200
    done
    fetch --tlsv1.0 --tls-max 1.1 --ciphers 'DEFAULT@SECLEVEL=0' "$est_url/cacerts"
    expect_equal status 000 "$http_status"
}

@test "nobody gets a certificate without saying who is asking" {
    enroll simpleenroll device-AB12.csr
    expect_http 401 'WWW-Authenticate: Basic' 'Content-Length: 0'
    said_in service.log 'rule="requester" text="nothing says who is asking'
    enroll simplereenroll device-AB12.csr
    expect_http 401
    enroll simpleenroll device-AB12.csr -H 'Authorization: Bearer 0123'
    expect_http 401 'RFC 7030 3.2.3'
    for credentials in 'Basic' 'Basic =' 'Basic dGlja2V0' 'Basic !'; do
        enroll simpleenroll device-AB12.csr -H "Authorization: $credentials"
        expect_http 401 'WWW-Authenticate: Basic realm="signet"'
    done
    said_in service.log 'has no colon behind the ticket'
}

@test "the certificate of another CA is nobody's" {
    openssl req -x509 -key device-AB12.key -subj /CN=device-AB12 -days 1 -out self.pem
    enroll simplereenroll device-AB12.csr --cert self.pem --key device-AB12.key
    expect_http 401
    said_in service.log 'was not issued here'
}

@test "A's certificate does not renew B's, whatever B's request says" {
    enroll simplereenroll device-EF56.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 403 'policy device-mtls: subject.CN'
    not grep -q 'device-EF56' body
}

@test "a certificate renews nothing under another label's policy" {
    enroll people/simplereenroll device-AB12.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 401
    said_in service.log 'vouches for nothing under user-client'
}

@test "a certificate that is not due yet is not renewed" {
    enroll simplereenroll device-GH78.csr --cert device-GH78.pem --key device-GH78.key
    expect_http 200
    certificate_of_body fresh.pem
    make_request device-GH78-new.csr device-GH78
    enroll simplereenroll device-GH78-new.csr --cert fresh.pem --key device-GH78.key
    expect_http 403 'policy device-mtls: renewal'
}

@test "a revoked certificate renews nothing, and the CRL lists it at once" {
    local number
    number=$(curl -s "$http_url/crl/dev.crl" | openssl crl -inform der -noout -crlnumber)
    signet -C dev revoke device-EF56.pem --reason keyCompromise
    enroll simplereenroll device-EF56.csr --cert device-EF56.pem --key device-EF56.key
    expect_http 401
    said_in service.log "$(serial_of device-EF56.pem), by which the request was made, is revoked"
    is_listed() {
        curl -s "$http_url/crl/dev.crl" | openssl crl -inform der -noout -text |
            grep -qi "$(serial_of device-EF56.pem)"
    }
    wait_for 15 is_listed
    [ "$number" != "$(curl -s "$http_url/crl/dev.crl" | openssl crl -inform der -noout -crlnumber)" ]
}

@test "a disabled device renews nothing" {
    signet -C dev device disable device-KL90
    enroll simplereenroll device-KL90.csr --cert device-KL90.pem --key device-KL90.key
    expect_http 401
    said_in service.log 'device device-KL90 is disabled'
    signet -C dev device enable device-KL90
    enroll simplereenroll device-KL90.csr --cert device-KL90.pem --key device-KL90.key
    expect_http 200
}

@test "a renewal whose answer was lost gets it again, though the old certificate is revoked by then" {
    make_request device-ST90-new.csr device-ST90
    enroll strict/simplereenroll device-ST90-new.csr --cert device-ST90.pem --key device-ST90.key
    expect_http 200
    certificate_of_body strict.pem
    expect_equal reason superseded \
        "$(signet -C dev list --json | jq -r ".[] | select(.serial == \"$(serial_of device-ST90.pem)\").reason")"
    enroll strict/simplereenroll device-ST90-new.csr --cert device-ST90.pem --key device-ST90.key
    expect_http 200
    certificate_of_body again.pem
    cmp strict.pem again.pem
    make_request device-ST90-other.csr device-ST90
    enroll strict/simplereenroll device-ST90-other.csr --cert device-ST90.pem --key device-ST90.key
    expect_http 401
}

# --- EST by ticket -------------------------------------------------------------------------------

@test "a ticket and its PIN enrol, and the same request gets the same certificate again" {
    ticket adas -p staff --user 'Ada Example' --token card-1
    enroll_by_ticket staff adas "$(cat ada.hash)" ada.csr
    expect_http 200 'Content-Type: application/pkcs7-mime; smime-type=certs-only'
    certificate_of_body ada.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem ada.pem
    openssl x509 -in ada.pem -noout -subject | grep -q 'Ada Example'
    expect_equal state spent "$(state_of_ticket state)"
    enroll_by_ticket staff adas "$(tr a-f A-F <ada.hash)" ada.csr
    expect_http 200
    certificate_of_body again.pem
    cmp ada.pem again.pem
    enroll_by_ticket staff adas "$(cat ada.hash)" ada2.csr
    expect_http 401 'WWW-Authenticate: Basic realm="signet"' 'Unauthorized: ticket'
    said_in service.log 'this ticket has been used'
    # neither the ticket nor the hash is in the log, in whatever form
    not grep -qi -e "$(cat adas)" -e "$(cat ada.hash)" \
        -e "$(printf '%s:%s' "$(cat adas)" "$(cat ada.hash)" | base64 -w0)" service.log
}

@test "a wrong PIN costs a try, and the last one the ticket" {
    ticket tried -p staff --user 'Ada Example' --tries 2
    for hash in 0123 "$(cat ada.hash)00" ''; do
        enroll_by_ticket staff tried "$hash" ada2.csr
        expect_http 401 'Unauthorized: PIN'
        expect_equal "tries after '$hash'" 2 "$(state_of_ticket pin_tries)"
    done
    for left in 1 0; do
        enroll_by_ticket staff tried "$(cat wrong.hash)" ada2.csr
        expect_http 401 'WWW-Authenticate: Basic realm="signet"' 'Unauthorized: PIN'
        not grep -q Ada body
        expect_equal tries "$left" "$(state_of_ticket pin_tries)"
    done
    enroll_by_ticket staff tried "$(cat ada.hash)" ada2.csr
    expect_http 401 'Unauthorized: ticket'
    said_in service.log 'no try of the PIN is left'
    said_in service.log 'this is not the PIN of user Ada Example'
}

@test "no ticket, one that has ended or was dropped, or for another policy" {
    echo 00112233445566778899aabbccddeeff >invented
    enroll_by_ticket staff invented '' ada2.csr
    expect_http 401 'Unauthorized: ticket'
    echo short >invented
    enroll_by_ticket staff invented '' ada2.csr
    expect_http 401 'Unauthorized: ticket'
    ticket ended -p staff --user 'Ada Example' --no-pin --for 1s
    sleep 2
    enroll_by_ticket staff ended '' ada2.csr
    expect_http 401 'Unauthorized: ticket'
    said_in service.log 'this ticket has expired'
    ticket dropped -p staff --user 'Ada Example' --no-pin
    signet -C dev ticket drop "$(state_of_ticket id)"
    enroll_by_ticket staff dropped '' ada2.csr
    expect_http 401 'Unauthorized: ticket'
    ticket elsewhere -p staff --user 'Ada Example' --no-pin
    enroll_by_ticket people elsewhere '' ada2.csr
    expect_http 401 'Unauthorized: ticket'
    expect_equal state open "$(state_of_ticket state)"
}

@test "Ada's ticket with Grace's request is refused, and still Ada's" {
    ticket adas -p staff --user 'Ada Example' --no-pin
    enroll_by_ticket staff adas '' grace.csr
    expect_http 403 'policy staff: subject.CN'
    not grep -q 'Ada\|Grace' body
    expect_equal state open "$(state_of_ticket state)"
    enroll_by_ticket staff adas '' ada3.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 401
    enroll_by_ticket staff adas '' ada3.csr
    expect_http 200
}

@test "the ticket of a user or device who is disabled is good for nothing until they are enabled" {
    ticket adas -p staff --user 'Ada Example' --no-pin
    signet -C dev user disable 'Ada Example'
    enroll_by_ticket staff adas '' ada4.csr
    expect_http 401 'Unauthorized: requester'
    said_in service.log 'user Ada Example is disabled'
    signet -C dev user enable 'Ada Example'
    enroll_by_ticket staff adas '' ada4.csr
    expect_http 200
    make_device dev device-UV12
    ticket devices -p device-mtls --device device-UV12
    signet -C dev device disable device-UV12
    enroll simpleenroll device-UV12.csr -u "$(cat devices):"
    expect_http 401
    said_in service.log 'device device-UV12 is disabled'
    signet -C dev device enable device-UV12
    enroll simpleenroll device-UV12.csr -u "$(cat devices):"
    expect_http 200
    certificate_of_body uv12.pem
    openssl x509 -in uv12.pem -noout -subject | grep -q device-UV12
}

@test "a request waits for its approval with 202, and then gets its certificate" {
    ticket waits -p cards --user 'Ada Example'
    for i in 1 2; do
        enroll_by_ticket cards waits "$(cat ada.hash)" cards.csr
        expect_http 202 'Retry-After: 60' 'Content-Length: 0'
        not grep -q 'signet request\|officer' headers body
    done
    said_in service.log 'waits for the approval by officer'
    id=$(signet -C dev request list --json | jq '.[-1].id')
    signet -C dev request approve "$id" --as olga --reason 'showed her passport'
    enroll_by_ticket cards waits "$(cat ada.hash)" cards.csr
    expect_http 200
    certificate_of_body cards.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem cards.pem
    ticket waits2 -p cards --user 'Ada Example' --no-pin
    enroll_by_ticket cards waits2 '' cards2.csr
    expect_http 202
    id=$(signet -C dev request list --json | jq '.[-1].id')
    signet -C dev request refuse "$id" --as olga --reason 'the card was reported lost'
    enroll_by_ticket cards waits2 '' cards2.csr
    expect_http 403
    not grep -q 'lost' body
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_waits_total{policy="cards"} 3'
}

@test "simplereenroll wants a certificate, whatever ticket there is" {
    ticket adas -p staff --user 'Ada Example' --no-pin
    enroll staff/simplereenroll ada5.csr -u "$(cat adas):"
    expect_http 401 'Unauthorized: requester'
    expect_equal state open "$(state_of_ticket state)"
}

@test "full CMC is refused, and so is an operation that does not exist" {
    enroll fullcmc device-AB12.csr
    expect_http 501 'RFC 7030 4.3'
    enroll simplestenroll device-AB12.csr
    expect_http 404
}

@test "strongSwan fetches the CA certificates and renews" {
    command -v pki >/dev/null || skip "strongSwan's pki is missing"
    local url=${est_url%/.well-known/est}
    url=${url/localhost/127.0.0.1}
    pki --estca --url "$url" --cacert "$tls" --caout strongswan
    openssl x509 -in device-CD34.pem -outform der -out old.der
    openssl ec -in device-CD34.key -outform der -out old-key.der
    openssl req -in device-CD34.csr -outform der -out request.der
    pki --est --url "$url" --cacert "$tls" --cacert strongswan.der --cacert strongswan-1.der \
        --cert old.der --key old-key.der --in request.der >new.der
    openssl x509 -in new.der -inform der -noout -subject | grep -q device-CD34
}

# --- bad input -----------------------------------------------------------------------------------

# post FILE [CURL-OPTION…]: as it is, with the certificate that may renew.
post() {
    local file=$1
    shift
    fetch --cert device-CD34.pem --key device-CD34.key --data-binary "@$file" "$@" \
        "$est_url/simplereenroll"
}

@test "a wrong content type is 415, a wrong method 405 with what is allowed" {
    base64 -w0 device-CD34.csr >some
    post some -H 'Content-Type: text/plain'
    expect_http 415
    post some -H 'Content-Type: application/pkcs10evil'
    expect_http 415
    fetch "$est_url/simplereenroll"
    expect_http 405 'Allow: POST'
    fetch -X DELETE "$est_url/cacerts"
    expect_http 405 'Allow: GET, HEAD'
    fetch -X PATCH "$est_url/cacerts"
    expect_http 405
}

@test "broken base64 and broken requests are 400 with the rule" {
    local type='Content-Type: application/pkcs10'
    post device-CD34.csr -H "$type"
    expect_http 400 'RFC 8951 3.1'
    printf 'MIIB' >some
    post some -H "$type"
    expect_http 400
    printf 'MII' >some
    post some -H "$type"
    expect_http 400 'RFC 8951 3.1'
    base64 -w0 device-CD34.csr >some
    post some -H "$type"
    expect_http 400 'RFC 7030 4.2.1'
    : >some
    post some -H "$type"
    expect_http 400
    # somebody else's signature
    openssl req -in device-CD34.csr -outform der | head -c -4 >der
    printf '\1\1\1\1' >>der
    base64 -w0 der >some
    post some -H "$type"
    expect_http 400
}

@test "white space in base64 does not matter" {
    openssl req -in device-CD34.csr -outform der | base64 -w 64 | sed 's/$/\r/' >some
    printf '\r\n\r\n' >>some
    post some -H 'Content-Type: application/pkcs10; charset=utf-8'
    expect_http 200
}

@test "long bodies are 413, long headers 431 or 400" {
    head -c 300000 /dev/zero | tr '\0' A >some
    post some -H 'Content-Type: application/pkcs10'
    expect_http 413
    fetch -H "X-Long: $(head -c 20000 /dev/zero | tr '\0' a)" "$est_url/cacerts"
    expect_http 431
    fetch -H "X-Long: $(head -c 90000 /dev/zero | tr '\0' a)" "$est_url/cacerts"
    expect_http 400
}

@test "what nobody offers is 404, without TLS too" {
    fetch "${est_url%/.well-known/est}/"
    expect_http 404
    fetch "$http_url/.well-known/est/cacerts"
    expect_http 404
    fetch "$http_url/metrics"
    expect_http 404
    fetch "$metrics_url/crl/dev.crl"
    expect_http 404
}

@test "slow senders are closed on a deadline" {
    local port
    port=$(port_of http)
    # one octet in a while keeps any idle timeout from ending
    run timeout 60 bash -c "trap '' PIPE; exec 9<>/dev/tcp/127.0.0.1/$port; printf 'GET / HTTP/1.1\r\n' >&9
        while printf X >&9; do sleep 0.5; done"
    [ "$status" -ne 124 ] || fail "it may send on and on"
    # a handshake that never comes, and one that comes slowly
    port=$(port_of https)
    run timeout 20 bash -c "exec 9<>/dev/tcp/127.0.0.1/$port; cat <&9 >/dev/null"
    [ "$status" -ne 124 ] || fail "it may wait on and on"
    curl -s "$metrics_url/metrics" | grep -q '^signet_slow_clients_total [1-9]'
    fetch "$est_url/cacerts"
    expect_http 200
}

# --- OCSP ----------------------------------------------------------------------------------------

# ask NAME URL [OPENSSL-OPTION…]: by POST, with a nonce; what openssl makes of it is in NAME.said.
ask() {
    local name=$1 url=$2
    shift 2
    openssl ocsp -url "$url" -issuer dev/dev.pem -CAfile root.pem -respout "$name.res" "$@" \
        >"$name.said" 2>&1 || return
    grep -q 'Response verify OK' "$name.said" && not grep -q WARNING "$name.said"
}

# question FILE [OPENSSL-OPTION…]: a request without a nonce, and its base64 in FILE.b64.
question() {
    local file=$1
    shift
    openssl ocsp -no_nonce -reqout "$file" -issuer dev/dev.pem "$@"
    base64 -w0 "$file" >"$file.b64"
}

# understand REQUEST [OPENSSL-OPTION…]: what the last fetch brought, in said. The nonce is compared as
# it stands in the request, for -no_nonce keeps openssl from putting another there.
understand() {
    local request=$1
    shift
    openssl ocsp -respin body -reqin "$request" -no_nonce -issuer dev/dev.pem -CAfile root.pem "$@" >said 2>&1 || return
    grep -q 'Response verify OK' said
}

@test "openssl ocsp is answered by POST, with its nonce, at /ocsp and at what the issuer publishes" {
    local url
    for url in "$http_url/ocsp" "$http_url/ocsp/" "$http_url/status"; do
        ask good "$url" -cert device-OP34.pem
        grep -q 'device-OP34.pem: good' good.said
    done
    ask several "$http_url/ocsp" -sha256 -cert device-OP34.pem -sha1 -cert device-AB12.pem
    expect_equal good 2 "$(grep -c ': good' several.said)"
    said_in service.log 'text="2 good, 0 revoked, 0 unknown"'
    ask unknown "$http_url/ocsp" -serial 0x1234
    grep -q '0x1234: unknown' unknown.said
}

@test "by GET the answer has what caches need, and need not come again" {
    local path
    question light -cert device-OP34.pem
    fetch "$http_url/ocsp/$(cat light.b64)"
    expect_http 200 'Content-Type: application/ocsp-response' 'ETag: "' 'Expires: ' \
        'Last-Modified: ' 'public, no-transform, must-revalidate'
    understand light -cert device-OP34.pem
    grep -q 'device-OP34.pem: good' said
    cp body first
    local until age
    until=$(date -d "$(sed -n 's/.*Next Update: //p' said)" +%s)
    age=$(sed -n 's/^Cache-Control: max-age=\([0-9]*\),.*/\1/p' headers)
    [ "$age" -gt 0 ]
    [ "$((until - $(date +%s)))" -ge "$((age - 2))" ]
    expect_equal Expires "$until" "$(date -d "$(sed -n 's/^Expires: //p' headers | tr -d '\r')" +%s)"
    expect_equal Last-Modified "$(date -d "$(sed -n 's/.*This Update: //p' said)" +%s)" \
        "$(date -d "$(sed -n 's/^Last-Modified: //p' headers | tr -d '\r')" +%s)"
    fetch -H "$(grep -i '^etag' headers | sed 's/ETag/If-None-Match/; s/\r//')" "$http_url/ocsp/$(cat light.b64)"
    expect_http 304
    [ ! -s body ]
    # as it was, signed once: escaped, with a second slash, at the other URL, and with TLS
    path=$(jq -Rrs @uri light.b64)
    for path in "$http_url/ocsp/$path" "$http_url/ocsp//$path" "$http_url/status/$path" \
        "${est_url%/.well-known/est}/ocsp/$path"; do
        fetch "$path"
        expect_http 200
        cmp body first
    done
    fetch -I "$http_url/ocsp/$(cat light.b64)"
    expect_http 200 "Content-Length: $(stat -c %s first)"
}

@test "what must not be kept says so: a nonce, an unknown certificate, an answer by POST" {
    openssl ocsp -reqout heavy -issuer dev/dev.pem -cert device-OP34.pem
    fetch "$http_url/ocsp/$(base64 -w0 heavy | jq -Rrs @uri)"
    expect_http 200 'Cache-Control: no-store'
    understand heavy -cert device-OP34.pem
    not grep -q WARNING said
    question nobody -serial 0x1234
    fetch "$http_url/ocsp/$(cat nobody.b64)"
    expect_http 200 'Cache-Control: no-store'
    question light -cert device-OP34.pem
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @light "$http_url/ocsp"
    expect_http 200 'Cache-Control: no-store'
}

@test "a revocation by another process is answered within seconds, to GET and POST" {
    question light -cert device-QR56.pem
    fetch "$http_url/ocsp/$(cat light.b64)"
    understand light -cert device-QR56.pem
    grep -q 'device-QR56.pem: good' said
    signet -C dev revoke device-QR56.pem --reason keyCompromise
    fetch "$http_url/ocsp/$(cat light.b64)"
    understand light -cert device-QR56.pem
    grep -q 'device-QR56.pem: revoked' said
    grep -q 'Reason: keyCompromise' said
    ask revoked "$http_url/ocsp" -cert device-QR56.pem
    grep -q 'device-QR56.pem: revoked' revoked.said
}

@test "an answer by GET is kept for milliseconds: who asks and asks soon hears what has changed" {
    question light -cert device-OP34.pem
    fetch "$metrics_url/metrics"
    local before
    before=$(sed -n 's/^signet_ocsp_kept_answers_total //p' body)
    python3 "$BATS_TEST_DIRNAME/ocsp_watch.py" "$http_url/ocsp/$(jq -Rrs @uri light.b64)" 3 \
        "$SIGNET" -C dev revoke device-OP34.pem --hold -- "$SIGNET" -C dev release device-OP34.pem
    fetch "$metrics_url/metrics"
    [ "$(sed -n 's/^signet_ocsp_kept_answers_total //p' body)" -gt $((before + 100)) ]
    fetch "$http_url/ocsp/$(cat light.b64)"
    understand light -cert device-OP34.pem
    grep -q 'device-OP34.pem: good' said
}

@test "a responder whose certificate is revoked soon answers by another" {
    local old
    old=$(signet -C dev list --policy ocsp-responder --json | jq -r '.[0].serial')
    signet -C dev revoke "$old" --reason superseded
    is_replaced() {
        [ "$(signet -C dev list --policy ocsp-responder --json | jq length)" = 2 ]
    }
    wait_for 15 is_replaced
    answers_by_another() {
        ask signer "$http_url/ocsp" -cert device-OP34.pem -resp_text &&
            tr -d ' :\n' <signer.said >signer.plain && not grep -qi "$old" signer.plain
    }
    wait_for 15 answers_by_another
}

@test "what is no question gets malformedRequest, what nobody answers for unauthorized" {
    local type='Content-Type: application/ocsp-request'
    printf 'no request' >some
    fetch -H "$type" --data-binary @some "$http_url/ocsp"
    expect_http 200 'Content-Type: application/ocsp-response' 'Cache-Control: no-store'
    run openssl ocsp -respin body -noverify
    [[ $output == *malformedrequest* ]]
    said_in service.log 'text="malformedRequest: '
    fetch "$http_url/ocsp/$(base64 -w0 some)"
    expect_http 200
    run openssl ocsp -respin body -noverify
    [[ $output == *malformedrequest* ]]
    # the root is no issuer of this home
    openssl ocsp -no_nonce -reqout foreign -issuer root.pem -cert dev/dev.pem
    fetch -H "$type" --data-binary @foreign "$http_url/ocsp"
    expect_http 200 'Cache-Control: no-store'
    run openssl ocsp -respin body -noverify
    [[ $output == *unauthorized* ]]
}

@test "OCSP that is no HTTP of its kind is refused by status" {
    local type='Content-Type: application/ocsp-request'
    question light -cert device-OP34.pem
    fetch -H 'Content-Type: application/pkcs10' --data-binary @light "$http_url/ocsp"
    expect_http 415 'RFC 6960 A.1'
    fetch -H "$type" --data-binary @light "$http_url/ocsp/more"
    expect_http 404
    : >some
    fetch -H "$type" --data-binary @some "$http_url/ocsp"
    expect_http 400
    head -c 40000 /dev/zero >some
    fetch -H "$type" --data-binary @some "$http_url/ocsp"
    expect_http 413
    head -c 300000 /dev/zero >some
    fetch -H "$type" --data-binary @some "$http_url/ocsp"
    expect_http 413
    for rest in '' / '/MEU' '/M%00A=' '/!!!!' '/%zz'; do
        fetch "$http_url/ocsp$rest"
        expect_http 400 'RFC 6960 A.1'
    done
    fetch "$http_url/ocspmore"
    expect_http 404
    fetch -X DELETE "$http_url/ocsp"
    expect_http 405 'Allow: GET, HEAD, POST'
    fetch "$metrics_url/ocsp/$(cat light.b64)"
    expect_http 404
}

@test "OCSP is counted" {
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_http_requests_total{route="ocsp",status="2xx"}' \
        'signet_ocsp_answers_total{status="successful"}' \
        'signet_ocsp_answers_total{status="malformedRequest"}' \
        'signet_ocsp_certificates_total{status="revoked"}' 'signet_ocsp_waiting 0'
    [ "$(sed -n 's/^signet_ocsp_responder_not_after_seconds{issuer="dev"} //p' body)" -gt "$(date +%s)" ]
}

# --- documents -----------------------------------------------------------------------------------

@test "CRL and CA certificate have tags by which they need not come again" {
    fetch "$http_url/crl/dev.crl"
    expect_http 200 'Content-Type: application/pkix-crl' 'Last-Modified:' 'Cache-Control: max-age='
    openssl crl -inform der -in body -CAfile dev/dev.pem -noout
    fetch -H "$(grep -i '^etag' headers | sed 's/ETag/If-None-Match/; s/\r//')" "$http_url/crl/dev.crl"
    expect_http 304
    [ ! -s body ]
    fetch -H 'If-None-Match: "other"' "$http_url/crl/dev.crl"
    expect_http 200
    fetch "$http_url/ca/dev.cer"
    expect_http 200 'Content-Type: application/pkix-cert'
    cmp body <(openssl x509 -in dev/dev.pem -outform der)
    fetch -H "$(grep -i '^last-modified' headers | sed 's/Last-Modified/If-Modified-Since/; s/\r//')" \
        "$http_url/ca/dev.cer"
    expect_http 304
    fetch -I "$http_url/ca/dev.cer"
    expect_http 200 "Content-Length: $(openssl x509 -in dev/dev.pem -outform der | wc -c)"
}

# --- operations ----------------------------------------------------------------------------------

@test "health, readiness and metrics are told" {
    fetch "$metrics_url/healthz"
    expect_http 200 ok
    fetch "$metrics_url/readyz"
    expect_http 200 ready
    expect_figures 'signet_issuer_up 1' 'signet_token_sessions{token="main"} [1-9]'
    expect_http 200 'signet_certificates_total{policy="device-mtls",outcome="issued"}' \
        'signet_refusals_total{' 'signet_crl_this_update_seconds{issuer="dev"}' 'signet_crl_next_update_seconds{issuer="dev"}' \
        'signet_http_requests_total{route="simplereenroll",status="2xx"}'
}

@test "one line is logged for each request, with its id" {
    fetch "$est_url/cacerts"
    id=$(sed -n 's/^X-Request-Id: \([0-9a-f]*\).*/\1/p' headers)
    expect_equal lines 1 "$(grep -c " $id " service.log)"
    curl --parallel --parallel-immediate -s -o /dev/null "$http_url/many-[1-50]"
    expect_equal "lines of many" 50 "$(grep -c ' GET "/many-[0-9]*" 404 .*ms text=".*"$' service.log)"
    expect_equal "different ones" 50 "$(grep -o 'GET "/many-[0-9]*"' service.log | sort -u | wc -l)"
    fetch -H 'X-A: b' "$http_url/%0a%22x?rule=\"y"
    expect_http 404
    not grep -q '^"x' service.log
}

@test "the issuer is killed again and again: what was asked is answered all the same" {
    local i pids=()
    for i in $(seq 1 6); do
        openssl req -new -key device-MN12.key -subj /CN=device-MN12 -out "many-$i.csr"
        openssl req -in many-$i.csr -outform der | base64 -w0 >many-$i.b64
    done
    for i in $(seq 1 6); do
        curl -s --cacert "$tls" --cert device-MN12.pem --key device-MN12.key -o "many-$i.out" \
            -w '%{http_code}\n' -H 'Content-Type: application/pkcs10' --data-binary "@many-$i.b64" \
            "$est_url/simplereenroll" >"many-$i.status" &
        pids[i]=$!
        case $i in 2 | 4) kill_issuer ;; esac
    done
    for i in $(seq 1 6); do
        wait "${pids[i]}"
        expect_equal "status of request $i" 200 "$(cat "many-$i.status")"
    done
    # all of them the same certificate, as they asked for the same
    for i in $(seq 1 6); do
        base64 -d "many-$i.out" | openssl pkcs7 -inform der -print_certs | openssl x509 -noout -serial
    done >serials
    expect_equal serials 6 "$(wc -l <serials)"
    expect_equal "different serials" 1 "$(sort -u serials | wc -l)"
    said_in service.log 'the issuer was killed by signal 9'
    # and nothing has left that is not on record
    signet -C dev list --json | jq -r '.[].serial' | grep -qi "$(sed 's/serial=//; q' serials)"
}

@test "SIGHUP takes what signet.yaml says now, and goes on where it is wrong" {
    cp dev/signet.yaml good.yaml
    sed -i 's/labels: {people: user-client/labels: {more: device-mtls, people: user-client/' dev/signet.yaml
    fetch "$est_url/more/cacerts"
    expect_http 404
    kill -HUP "$(cat service.pid)"
    has_label() {
        fetch "$est_url/more/cacerts"
        [ "$http_status" = 200 ]
    }
    wait_for 30 has_label
    sed -i 's/more: device-mtls/more: issuing-ca/' dev/signet.yaml
    kill -HUP "$(cat service.pid)"
    wait_for 10 said_in service.log 'going on with what is in force, as'
    said_in service.log 'makes CA certificates'
    fetch "$est_url/more/cacerts"
    expect_http 200
    mv good.yaml dev/signet.yaml
}

@test "SIGTERM ends both processes with status 0" {
    make_root_home second
    add_service second
    mkdir -p other
    cd other
    start_service ../second
    stop_service
    not grep -qi 'sanitizer\|runtime error' service.log
}

@test "a policy for CAs can't be mapped: signetd refuses to start" {
    make_root_home third
    add_service third 'est: {policy: issuing-ca}'
    run --separate-stderr "$SIGNETD" issuer -C third
    expect_status 1
    expect_said 'third/signet.yaml:' 'policy issuing-ca makes CA certificates'
}

@test "a responder that can have no certificate answers tryLater; one without a key starts nothing" {
    make_root_home fifth
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=fifth-ocsp', policy: device-mtls}|" \
        fifth/signet.yaml
    add_service fifth
    run --separate-stderr "$SIGNETD" issuer -C fifth
    expect_status 1
    expect_said 'fifth-ocsp'
    signet key create 'pkcs11:token=fifth;object=fifth-ocsp' --pin file:pin/fifth "${token_module[@]}"
    openssl ocsp -no_nonce -reqout of-fifth -issuer fifth.pem -serial 0x1234
    mkdir -p fifth-log
    cd fifth-log
    start_service ../fifth
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @../of-fifth "$http_url/ocsp"
    expect_http 200 'Cache-Control: no-store'
    run openssl ocsp -respin body -noverify
    [[ $output == *trylater* ]]
    said_in service.log 'text="tryLater: the OCSP responder of issuer fifth has no certificate'
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_ocsp_responder_not_after_seconds{issuer="fifth"} 0'
    stop_service
}

@test "what can't be served is said before anything is" {
    run --separate-stderr "$SIGNETD"
    expect_status 2
    expect_said 'which CA?'
    run --separate-stderr "$SIGNETD" -C root
    [ "$status" -ne 0 ]
    run --separate-stderr "$SIGNETD" issuer -C root
    expect_status 1
    expect_said 'has no section `service`'
    run --separate-stderr "$SIGNETD" shop -C root
    expect_status 2
    run "$SIGNETD" --help
    expect_status 0
    run "$SIGNETD" --version
    expect_status 0
    expect_said signetd
}
