# The story of a card: its owner's tickets and PIN, a key and its certificate by `signet card enroll`,
# renewals, and the wrong turns on the way.
load common
load expect
load service

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home dev root
    make_story_policies dev
    make_pins dev
    signet -C dev user add 'Ada Example' email=ada@example.com
    signet -C dev user add 'Grace Example' email=grace@example.com
    signet -C dev device add device-AB12 type=leo region=us-east
    printf 4711 >ada.pin
    printf 4712 >wrong.pin
    printf 1906 >grace.pin
    make_token card
    add_service dev \
        'est: {policy: device-mtls, labels: {people: people, badges: badges, cards: cards}}'
    start_again
}

# start_again: the service, on other ports.
start_again() {
    start_service dev
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
    url=${est_url%/.well-known/est}
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e proxy.pid ] || kill "$(cat proxy.pid)" || true
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
    ON=(--profile softhsm --pin file:pin/card)
    url=${est_url%/.well-known/est}
}

# make_story_policies HOME: people, for users by ticket and PIN; badges, whose keys may be certified
# again; cards, which an officer approves as well.
make_story_policies() {
    cat >"$1/policies/people.yaml" <<'END'
policy: people
description: For users, by ticket
who: {any: [ticket, renewal]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}, {rsa: 2048, key_usage: [digitalSignature]}]
subject: [{CN: '${user.name}'}]
san: [{email: '${user.email}'}]
validity: {for: 365d}
renewal: {window: 60d, recheck: [user.enabled]}
request: {subject: equal}
END
    sed -e 's/people/badges/' -e 's/window: 60d/&, same_key: allow/' \
        "$1/policies/people.yaml" >"$1/policies/badges.yaml"
    sed -e 's/people/cards/' -e 's/^who:.*/who: {all: [ticket, {approval: officer}]}/' \
        "$1/policies/people.yaml" >"$1/policies/cards.yaml"
}

# enroll LABEL KEY OPTION…
enroll() {
    local label=$1 key=$2
    shift 2
    signet card enroll --url "$url" --label "$label" --ca "$tls" "${ON[@]}" "$@" \
        "pkcs11:token=card;object=$key"
}

# as_ada LABEL KEY TICKET-FILE OPTION…
as_ada() {
    local label=$1 key=$2 ticket=$3
    shift 3
    enroll "$label" "$key" --ticket "file:$ticket" --user 'Ada Example' --user-pin file:ada.pin "$@"
}

# on_card KEY FILE: the certificate that is beside it.
on_card() {
    signet card export "pkcs11:token=card;object=$1" "${ON[@]}" --force -o "$2"
}

# num_keys: private keys on the card.
num_keys() {
    signet key list pkcs11:token=card "${ON[@]}" --json | jq length
}

# said TEXT…: by the last command, on standard error.
said() {
    local text
    for text in "$@"; do
        [[ $stderr == *"$text"* ]] || complain "not said: $text"
    done
}

# --- the first way -------------------------------------------------------------------------------

@test "a user without a PIN gets nothing yet" {
    ticket adas -p people --user 'Ada Example' --token card-1
    ends 3 "refused: the service says 'Unauthorized: PIN'" "not chosen yet" -- \
        as_ada people login adas
    said "key: P-256 'login' on token card, made there" "request: CN=Ada Example, signed by the card"
    fails 4 "no certificate" -- on_card login login.pem
}

@test "with the ticket and the PIN the card gets its certificate, by the key that it has" {
    signet -C dev user pin 'Ada Example' --set --pin file:ada.pin --device device-AB12
    signet -C dev user pin 'Grace Example' --set --pin file:grace.pin
    ok as_ada people login adas
    [ -z "$output" ]
    said "key: P-256 'login' on token card, which was there" \
        "request: CN=Ada Example, signed by the card" \
        "card: the certificate is beside its key, read back and compared"
    on_card login login.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem login.pem
    said "service: certificate $(serial_of login.pem), valid until "
    expect_equal keys 1 "$(num_keys)"
    ok signet -C dev list --token card-1 --json
    json length 1
    json '.[0].serial' "$(serial_of login.pem)"
    json '.[0].user' 'Ada Example'
}

@test "the same again brings the same certificate" {
    ok as_ada people login adas --json
    said "card: this certificate is beside its key already"
    json .serial "$(serial_of login.pem)"
    json .new_key false
    [ "$(jq -r .certificate <<<"$output")" = "$(cat login.pem)" ]
    expect_equal certificates 1 "$(count_certificates dev --user 'Ada Example')"
}

@test "neither the ticket nor the PIN is an argument, or said" {
    for source in "$(cat adas)" 4711; do
        ends 2 "a ticket source is file:PATH" -- enroll people x --ticket "$source" --user Ada
        [[ $stderr != *"$source"* ]]
    done
    ends 2 "a PIN source is file:PATH" -- enroll people x --ticket file:adas --user Ada --user-pin 4711
    [[ $stderr != *4711* ]]
    not grep -q -e "$(cat adas)" service.log
    ok enroll people login --ticket - --user 'Ada Example' --user-pin file:ada.pin <adas
    TICKET=$(cat adas) ok as_ada people login adas --ticket env:TICKET
}

@test "card list tells what is on the card, and until when" {
    ok signet card list pkcs11:token=card "${ON[@]}"
    says "login" "CN=Ada Example" "$(serial_of login.pem)"
    ok signet card list pkcs11:token=card "${ON[@]}" --expires-within 366d --json
    json length 1
    json '.[0].certificate.serial' "$(serial_of login.pem)"
    ok signet card list pkcs11:token=card "${ON[@]}" --expires-within 300d --json
    json length 0
}

# --- wrong turns ---------------------------------------------------------------------------------

@test "a wrong PIN is refused, costs a try, and the right one then does" {
    ticket tried -p people --user 'Ada Example' --tries 2
    ends 3 "Unauthorized: PIN" -- as_ada people second tried --user-pin file:wrong.pin
    expect_equal tries 1 "$(state_of_ticket pin_tries)"
    ok as_ada people second tried
    said "which was there"
    on_card second second.pem
    ticket spoilt -p people --user 'Ada Example' --tries 1
    ends 3 "Unauthorized: PIN" -- as_ada people third spoilt --user-pin file:wrong.pin
    ends 3 "Unauthorized: ticket" "without a try left" -- as_ada people third spoilt
}

@test "a ticket does once: another key gets nothing by it" {
    ends 3 "Unauthorized: ticket" "ask for a new one" -- as_ada people third adas
    fails 4 "no certificate" -- on_card third third.pem
}

@test "a ticket that has ended, was dropped, or is for another policy" {
    ticket ended -p people --user 'Ada Example' --for 1s
    sleep 2
    ends 3 "Unauthorized: ticket" -- as_ada people third ended
    ticket dropped -p people --user 'Ada Example'
    signet -C dev ticket drop "$(state_of_ticket id)"
    ends 3 "Unauthorized: ticket" -- as_ada people third dropped
    ticket elsewhere -p badges --user 'Ada Example'
    ends 3 "Unauthorized: ticket" -- as_ada people third elsewhere
    expect_equal state open "$(state_of_ticket state)"
}

@test "an unknown device gets no ticket, and a disabled one nothing by it" {
    fails 3 "not in the registry" -- signet -C dev ticket add -p device-mtls --device device-ZZ99
    ticket devices -p device-mtls --device device-AB12
    signet -C dev device disable device-AB12
    device() {
        signet card enroll --url "$url" --ca "$tls" "${ON[@]}" --ticket file:devices \
            --subject CN=device-AB12 'pkcs11:token=card;object=device'
    }
    ends 3 "Unauthorized: requester" "disabled" -- device
    signet -C dev device enable device-AB12
    ok device
    on_card device device.pem
    openssl verify -CAfile root.pem -untrusted dev/dev.pem device.pem
}

@test "Ada's ticket is no use for Grace, whatever the request or the PIN says" {
    ticket adas2 -p people --user 'Ada Example'
    ends 3 "refused" "Forbidden: policy people: subject.CN" -- \
        as_ada people third adas2 --subject 'CN=Grace Example'
    ends 3 "Unauthorized: PIN" -- enroll people third --ticket file:adas2 --user 'Grace Example' \
        --user-pin file:grace.pin
    ends 3 "Forbidden: policy people: request.san" -- as_ada people third adas2 --san email:grace@example.com
    expect_equal state open "$(state_of_ticket state)"
    ok as_ada people third adas2 --san email:ada@example.com
}

@test "a card that has another certificate keeps it unless told" {
    ticket other -p badges --user 'Ada Example'
    ends 1 "run the same again" "--force" -- as_ada badges third other
    on_card third kept.pem
    ok as_ada badges third other --force
    on_card third taken.pem
    not cmp kept.pem taken.pem
}

# --- when something fails on the way -------------------------------------------------------------

@test "a request that waits says so, and gets its certificate when it is approved" {
    local id
    ticket waits -p cards --user 'Ada Example'
    ends 1 "the request waits for an approval; run the same again in 60 s" -- as_ada cards slow waits
    id=$(signet -C dev request list --json | jq '.[-1].id')
    signet -C dev request approve "$id" --as olga --reason 'showed her passport'
    ok as_ada cards slow waits
    said "which was there" "read back and compared"
}

@test "the service is killed when it has issued and nobody has heard of it: the same again gets it" {
    local lost keys
    ticket lost -p people --user 'Ada Example' --token card-7
    "$SIGNET_DATA/tests/flow/deaf-proxy" "$(port_of https)" >proxy.port 3>&- &
    echo $! >proxy.pid
    wait_for 10 test -s proxy.port
    url=https://localhost:$(cat proxy.port) ends 1 "the service can't be asked" "run the same again" -- \
        as_ada people lost lost
    said "key: P-256 'lost' on token card, made there"
    fails 4 "no certificate" -- on_card lost lost.pem
    expect_equal certificates 1 "$(count_certificates dev --token card-7)"
    lost=$(signet -C dev list --token card-7 --json | jq -r '.[0].serial')
    kill -9 $(pgrep -P "$(cat service.pid)") "$(cat service.pid)" || true
    rm -f service.pid
    start_again
    keys=$(num_keys)
    ok as_ada people lost lost
    said "which was there" "service: certificate $lost"
    on_card lost lost.pem
    expect_equal serial "$lost" "$(serial_of lost.pem)"
    expect_equal keys "$keys" "$(num_keys)"
    expect_equal certificates 1 "$(count_certificates dev --token card-7)"
}

@test "the issuer is killed and comes again: the card waits for it" {
    ticket patient -p badges --user 'Ada Example'
    kill_issuer
    ok as_ada badges patient patient
    said "read back and compared"
}

# --- renewal -------------------------------------------------------------------------------------

@test "a certificate is not renewed before its time" {
    ends 3 "policy badges: renewal" -- enroll badges third --renew --new-key 'pkcs11:token=card;object=early'
    fails 4 "no certificate" -- on_card early early.pem
    # a year later, as the policies see it
    end_service
    sed -i 's/^validity: .*/validity: {for: 366d}/; s/window: 60d/window: 31536001s/' \
        dev/policies/{people,badges}.yaml
    start_again
}

@test "a renewal by the card's own certificate, with the same key and without a PIN" {
    on_card third before.pem
    ok enroll badges third --renew
    said "key: P-256 'third' on token card, which was there" "request: CN=Ada Example" \
        "read back and compared"
    on_card third renewed.pem
    [ "$(serial_of before.pem)" != "$(serial_of renewed.pem)" ]
    openssl verify -CAfile root.pem -untrusted dev/dev.pem renewed.pem
    said_in service.log "serial=\"$(serial_of renewed.pem)\""
}

@test "a renewal by another key, which is made, and used again by the next try" {
    local before
    ends 3 "refused" "policy people: renewal" -- enroll people login --renew
    before=$(num_keys)
    ok enroll people login --renew --new-key 'pkcs11:token=card;object=login-2'
    said "key: P-256 'login-2' on token card, made there"
    on_card login-2 login-2.pem
    ok enroll people login --renew --new-key 'pkcs11:token=card;object=login-2'
    said "which was there" "beside its key already"
    expect_equal keys "$((before + 1))" "$(num_keys)"
    on_card login again.pem
    cmp login.pem again.pem
}

@test "an RSA key on a card signs for TLS, too" {
    ticket rsa -p badges --user 'Ada Example'
    ok as_ada badges rsa rsa --type RSA-2048
    sleep 1
    ok enroll badges rsa --renew
    ends 2 "is RSA-2048, not P-256; name another one" -- as_ada badges rsa rsa --type P-256
}

@test "a revoked certificate renews nothing" {
    signet -C dev revoke second.pem --reason keyCompromise
    ends 3 "Unauthorized: renewal" "was revoked" -- \
        enroll people second --renew --new-key 'pkcs11:token=card;object=second-2'
    ends 3 "Unauthorized: renewal" -- enroll people second --renew
}

@test "Grace's certificate does not renew Ada's" {
    ticket graces -p badges --user 'Grace Example' --no-pin
    make_key_and_request grace.csr '/CN=Grace Example'
    make_key_and_request ada.csr '/CN=Ada Example'
    est() {
        openssl req -in "$2" -outform der | base64 -w0 >"$2.b64"
        fetch -H 'Content-Type: application/pkcs10' --data-binary "@$2.b64" "${@:3}" "$est_url/badges/$1"
    }
    est simpleenroll grace.csr -u "$(cat graces):"
    expect_http 200
    certificate_of_body grace.pem
    sleep 1
    est simplereenroll ada.csr --cert grace.pem --key grace.key
    expect_http 403 'policy badges: subject.CN'
    est simplereenroll grace.csr --cert grace.pem --key grace.key
    expect_http 200
}

@test "a certificate renews nothing under another label, and a key without one nothing at all" {
    ends 3 "Unauthorized: renewal" -- enroll cards third --renew
    signet key create 'pkcs11:token=card;object=bare' "${ON[@]}"
    ends 4 "no certificate that could be renewed" -- enroll people bare --renew
}

# --- what is asked for wrongly -------------------------------------------------------------------

@test "what makes no sense is told before the card is touched" {
    local ticket=(--ticket file:adas)
    fails 2 "needs --url" -- signet card enroll "${ON[@]}" pkcs11:object=x
    fails 2 "--ticket SOURCE, or --renew" -- enroll people x
    fails 2 "--user NAME, or --subject" -- enroll people x "${ticket[@]}"
    fails 2 "--new-key goes with --renew" -- \
        enroll people x "${ticket[@]}" --subject CN=x --new-key pkcs11:object=y
    fails 2 "--ticket does not go with --renew" -- enroll people x "${ticket[@]}" --renew
    fails 2 "a user's PIN goes with --user" -- \
        enroll people x "${ticket[@]}" --subject CN=x --user-pin file:ada.pin
    fails 2 "one has 32 digits" -- enroll people x --ticket file:ada.pin --subject CN=x
    printf '%032d' 0 | tr 0 z >no.ticket
    fails 2 "it is not hex" -- enroll people x --ticket file:no.ticket --subject CN=x
    fails 2 "no key on a card" -- signet card enroll --url "$url" "${ticket[@]}" --subject CN=x dev
    fails 2 "--url does not begin with https://" -- as_ada people x adas --url http://localhost
    fails 2 "has a user or password in it" -- as_ada people x adas --url https://a:b@localhost
    fails 2 "has the path /est/x" -- as_ada people x adas --url https://localhost/est/x
    fails 2 "in --url and in --label" -- as_ada people x adas --url https://localhost/.well-known/est/people
    fails 2 "is no label" -- as_ada people/x x adas
    fails 1 "no.pem" -- as_ada people x adas --ca no.pem
    run ! signet key show 'pkcs11:token=card;object=x' "${ON[@]}"
    ok signet card enroll --url "$est_url/badges" --ca "$tls" "${ON[@]}" --renew 'pkcs11:token=card;object=patient'
}

@test "a server that is not believed gets nothing" {
    make_tls .
    ends 1 "the service is not believed" "--ca FILE" -- as_ada people x adas --ca tls.pem
    ends 1 "the service can't be asked" -- as_ada people x adas --url https://localhost:1
    ends 1 "there is no EST at this URL, or not this label" -- as_ada nobody x adas
}

@test "an issuer's key is no card's" {
    local asked=(--url "$url" --ca "$tls" --ticket file:adas --user 'Ada Example' --user-pin file:ada.pin
        --profile softhsm --pin file:pin/root 'pkcs11:token=root;object=root')
    ends 3 "this is the key of issuer root" -- signet -C root card enroll "${asked[@]}"
    signet card import 'pkcs11:token=root;object=root' root.pem --profile softhsm --pin file:pin/root
    ends 3 "a CA's key signs nothing" -- signet card enroll "${asked[@]}"
}
