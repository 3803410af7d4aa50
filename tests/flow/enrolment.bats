# signet ticket, user pin, request; and requests that are made by ticket
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    echo "pins: {token: main, key: 'pkcs11:object=pins'}" >>ca/signet.yaml
    signet -C ca key create --type HMAC pins
    signet -C ca user add Ada email=ada@example.com
    signet -C ca user add Grace email=grace@example.com
    add_device ca device-AB12 device-CD34
    printf 4711 >ada.pin
    printf 4712 >wrong.pin
    chmod 600 ./*.pin
    cat >ca/policies/people.yaml <<'END'
policy: people
description: For users, by ticket
who: {any: [ticket, renewal]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${user.name}'}]
validity: {for: 365d}
renewal: {window: 60d}
request: {subject: equal}
END
    sed -e 's/people/cards/' -e 's/^who:.*/who: {all: [ticket, {approval: officer}]}/' \
        ca/policies/people.yaml >ca/policies/cards.yaml
    for name in ada ada2 ada3 ada4 cards1 cards2; do
        make_key_and_request $name.csr /CN=Ada
    done
    make_key_and_request grace.csr /CN=Grace
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# ticket FILE OPTION…: a new ticket, in FILE.
ticket() {
    local file=$1
    shift
    signet -C ca ticket add --as desk "$@" >"$file" 2>/dev/null
}

# by_ticket FILE POLICY REQUEST [OPTION…]
by_ticket() {
    signet -C ca issue -p "$2" --ticket-file "$1" "${@:4}" "$3"
}

# store_bytes: all that the store is; of one in PostgreSQL what it holds, with bytes as hex.
store_bytes() {
    if [ -e ca/signet.db ]; then
        cat ca/signet.db*
    else
        dump_store ca
    fi
}

# find_text TEXT / find_bytes HEX: they are in the store.
find_text() {
    store_bytes | grep -aqi "$1"
}

find_bytes() {
    # as hex, for grep looks at lines, and 0a ends one
    if [ -e ca/signet.db ]; then
        store_bytes | od -An -v -tx1 | tr -d ' \n' | grep -qi "$1"
    else
        find_text "$1"
    fi
}

@test "user pin tells, sets and clears" {
    ok signet -C ca user pin Ada
    says "user Ada has no PIN"
    ok signet -C ca user pin Ada --state --json
    json .pin false
    json .chosen null
    ok signet -C ca user pin Ada --set --pin file:ada.pin --device device-AB12
    [[ $stderr == *"user Ada has a PIN now"* ]]
    ok signet -C ca user pin Ada --json
    json .pin true
    json .device device-AB12
    fails 3 "has to be cleared before another is chosen" -- \
        signet -C ca user pin Ada --set --pin file:wrong.pin
    fails 3 "not in the registry" -- signet -C ca user pin Nobody
    fails 2 "one of --set, --clear and --state" -- signet -C ca user pin Ada --set --clear
    fails 3 "has no PIN" -- signet -C ca user pin Grace --clear
    printf 123 >short.pin
    chmod 600 short.pin
    fails 1 "4 characters at least" -- signet -C ca user pin Grace --set --pin file:short.pin
    ok signet -C ca user pin Ada --clear
    ok signet -C ca user pin Ada --set --pin file:ada.pin
}

@test "no PIN and no ticket is in the store" {
    ticket seen -p people --user Ada
    ok grep -q . seen
    not find_text "$(cat seen)"
    find_text people
    # neither as bytes; its hash is there, so this search finds what is there
    not find_bytes "$(cat seen)"
    find_bytes "$(printf "$(sed 's/../\\x&/g' seen)" | sha256sum | cut -c 1-64)"
    not find_bytes "$(openssl kdf -keylen 32 -kdfopt pass:4711 -kdfopt salt:Ada -kdfopt n:32768 -kdfopt r:8 \
        -kdfopt p:1 -kdfopt maxmem_bytes:67108864 SCRYPT | tr -d ':\n')"
    ok signet -C ca ticket drop 1
}

@test "ticket add prints the ticket alone, and list never does" {
    ok signet -C ca ticket add -p people --user Ada --token card-1 --for 2d --tries 3 --as desk
    [[ $output =~ ^[0-9a-f]{32}$ ]]
    [[ $stderr == *"ticket 2 is good until"*"it is not shown again"* ]]
    echo "$output" >listed
    ok signet -C ca ticket list --open --json
    json length 1
    json '.[0].id' 2
    json '.[0].state' open
    json '.[0].user' Ada
    json '.[0].token' card-1
    json '.[0].pin_tries' 3
    json '.[0].made_by' desk
    says_not "$(cat listed)"
    ok signet -C ca ticket list
    says "1  dropped" "2  open" "people  user Ada  token card-1  3 tries  by desk"
}

@test "what makes no ticket" {
    fails 2 "--policy" -- signet -C ca ticket add --user Ada
    fails 2 "policy people certifies a user; say who" -- signet -C ca ticket add -p people
    fails 3 "takes no tickets" -- signet -C ca ticket add -p operator --user Ada
    fails 3 "not in the registry" -- signet -C ca ticket add -p people --user Nobody
    fails 2 "30 days at most" -- signet -C ca ticket add -p people --user Ada --for 31d
    fails 2 "a number from 1 to 20" -- signet -C ca ticket add -p people --user Ada --tries 0
    fails 2 "add --user" -- signet -C ca ticket add -p device-mtls --device device-AB12 --no-pin
    fails 2 "no number of the list" -- signet -C ca ticket drop x
    fails 3 "no ticket 99" -- signet -C ca ticket drop 99
}

@test "a ticket and its PIN get one certificate, and the same one again" {
    ok by_ticket listed people ada.csr --pin file:ada.pin -o ada.pem
    ok by_ticket listed people ada.csr --pin file:ada.pin
    [ "$output" = "$(cat ada.pem)" ]
    fails 3 "this ticket has been used" -- by_ticket listed people ada2.csr --pin file:ada.pin
    ok signet -C ca list --token card-1 --json
    json length 1
    json '.[0].token' card-1
    json '.[0].user' Ada
    fails 3 "revoke the certificate instead" -- signet -C ca ticket drop 2
}

@test "a wrong PIN costs a try, and the last one the ticket" {
    ticket tried -p people --user Ada --tries 2
    for left in 1 0; do
        fails 3 "this is not the PIN of user Ada" -- by_ticket tried people ada2.csr --pin file:wrong.pin
        expect_equal "tries" "$left" "$(signet -C ca ticket list --json | jq '.[-1].pin_tries')"
    done
    fails 3 "no try of the PIN is left" -- by_ticket tried people ada2.csr --pin file:ada.pin
    ticket other -p people --user Ada
    ok by_ticket other people ada2.csr --pin file:ada.pin -o ada2.pem
}

@test "A's ticket with B's request, policy or name" {
    ticket adas -p people --user Ada --no-pin
    fails 3 "the request says CN=Grace; this policy gives CN=Ada" -- by_ticket adas people grace.csr
    fails 3 "is for policy people, not for cards" -- by_ticket adas cards ada3.csr
    fails 3 "user Grace is named, and the ticket is for Ada" -- by_ticket adas people ada3.csr --user Grace
    signet -C ca user disable Ada
    fails 3 "Ada is disabled" -- by_ticket adas people ada3.csr
    signet -C ca user enable Ada
    ok by_ticket adas people ada3.csr -o ada3.pem
}

@test "a device's ticket asks for no PIN" {
    make_key_and_request ab12.csr /CN=device-AB12
    ticket device -p device-mtls --device device-AB12
    ok by_ticket device device-mtls ab12.csr -o ab12.pem
    openssl verify -CAfile ca.pem ab12.pem
    fails 2 "a ticket is good for one request" -- by_ticket device device-mtls ab12.csr ab12.csr
}

@test "without the ticket the operator's word does not do where who does not name it" {
    fails 3 "this policy wants ticket or renewal; the requester brings operator" -- \
        signet -C ca issue -p people --user Ada ada4.csr
    echo 00112233445566778899aabbccddeeff >invented
    fails 3 "there is no such ticket" -- by_ticket invented people ada4.csr
}

@test "a request waits for the officer, and then gets its certificate" {
    ticket waits -p cards --user Ada --token card-9
    fails 3 "policy cards: who" "request 1 waits for the approval by officer" -- \
        by_ticket waits cards cards1.csr --pin file:ada.pin
    run --separate-stderr by_ticket waits cards cards1.csr --pin file:ada.pin --json
    expect_status 3
    json '.[0].outcome' waits
    json '.[0].waits_for' 1
    ok signet -C ca request list
    says "1  waiting  asked" "by desk  cards  CN=Ada"
    ok signet -C ca request show 1
    says "to be approved by officer" "user        Ada  email=ada@example.com" "token       card-9"
    fails 3 "asked for by desk: somebody else has to decide" -- signet -C ca request approve 1 --as desk
    fails 3 "is for Ada: somebody else" -- signet -C ca request approve 1 --as Ada
    ok signet -C ca request approve 1 --as olga --reason "showed her passport"
    fails 3 "was approved by olga already" -- signet -C ca request refuse 1 --as otto --reason no
    ok by_ticket waits cards cards1.csr --pin file:ada.pin -o cards1.pem
    openssl verify -CAfile ca.pem cards1.pem
    ok signet -C ca request list --json
    json length 0
    ok signet -C ca request list --all --json
    json '.[0].state' used
    json '.[0].decided_by' olga
    json '.[0].reason' "showed her passport"
    ok signet -C ca revoke --token card-9 --reason keyCompromise
    says "1 revoked"
}

@test "a request that is refused tells why" {
    ticket refused -p cards --user Ada --no-pin
    fails 3 "request 2 waits" -- by_ticket refused cards cards2.csr
    fails 2 "say why" -- signet -C ca request refuse 2 --as olga
    ok signet -C ca request refuse 2 --as olga --reason "the card was reported lost"
    fails 3 "request 2 was refused by olga: the card was reported lost" -- by_ticket refused cards cards2.csr
    fails 3 "there is no request 7" -- signet -C ca request show 7
}
