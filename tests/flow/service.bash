# service: what tests of signetd share. A test file loads it after common.
#
# Given by the build: SIGNETD, the program.

# make_tls HOME: a certificate and key for https on loopback.
make_tls() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/tls.key" \
        -out "$1/tls.pem" -subj /CN=localhost -days 30 \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
}

# add_service HOME [LINE…]: the section `service`, on ports that the kernel chooses.
add_service() {
    local home=$1
    shift
    make_tls "$home"
    {
        echo 'service:'
        echo "  https: {listen: '127.0.0.1:0', certificate: tls.pem, key: 'file:tls.key'}"
        echo "  http: {listen: '127.0.0.1:0'}"
        echo "  metrics: {listen: '127.0.0.1:0'}"
        printf '  %s\n' "$@"
    } >>"$home/signet.yaml"
}

# said_in LOG TEXT: is it there?
said_in() {
    grep -qF -- "$2" "$1"
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { fail "waited in vain for: $*"; return 1; }
        sleep 0.05
    done
}

# port_of KIND: the last one that the log tells.
port_of() {
    sed -n "s/.*front[\": ]*$1 on .*:\([0-9]*\)[\"}]*\$/\1/p" service.log | tail -n 1
}

# start_service HOME: signetd, its log in service.log; sets est_url, http_url, metrics_url.
start_service() {
    "$SIGNETD" -C "$1" 2>service.log 3>&- &
    echo $! >service.pid
    wait_for 60 said_in service.log 'the issuer is there' || { cat service.log >&2; return 1; }
    wait_for 10 is_ready
    tls=$1/tls.pem
    est_url=https://localhost:$(port_of https)/.well-known/est
    http_url=http://127.0.0.1:$(port_of http)
    metrics_url=http://127.0.0.1:$(port_of metrics)
}

is_ready() {
    curl -sf -o /dev/null "http://127.0.0.1:$(port_of metrics)/readyz"
}

# stop_service: SIGTERM, and the exit status.
stop_service() {
    [ -e service.pid ] || return 0
    local pid
    pid=$(cat service.pid)
    rm service.pid
    kill "$pid" && wait "$pid"
}

# end_service: the same by another test than the one that began it, whose child it is.
end_service() {
    [ -e service.pid ] || return 0
    kill "$(cat service.pid)"
    wait_for 20 not kill -0 "$(cat service.pid)" 2>/dev/null
    rm service.pid
}

# issuer_pid: of the issuer that runs now.
issuer_pid() {
    local pid
    for pid in $(pgrep -P "$(cat service.pid)"); do
        holds_store "$pid" && echo "$pid"
    done | head -n 1
}

# holds_store PID: it has opened a store, in a file or by libpq.
holds_store() {
    ls -l "/proc/$1/fd" 2>/dev/null | grep -q 'signet.db$' || grep -q '/libpq\.so' "/proc/$1/maps" 2>/dev/null
}

# kill_issuer: kill -9 of the one that runs now, or of the next one; not before it has logged in, as
# SoftHSM empties token.object for a moment then.
kill_issuer() {
    wait_for 20 has_ready_issuer
    kill -9 "$(issuer_pid)"
}

has_ready_issuer() {
    [ -n "$(issuer_pid)" ] && is_ready
}

# listen SOCKET FILE: what systemd would do with the notifications, a line each, until it is killed.
listen() {
    python3 -c '
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1].replace("@", "\0", 1))
while True:
    with open(sys.argv[2], "ab") as told:
        told.write(server.recv(4096) + b"\n")' "$1" "$2" 3>&- &
}

# has_told NUM WHAT FILE
has_told() {
    [ "$(grep -cx -- "$2" "$3" 2>/dev/null)" -ge "$1" ]
}

# fetch [CURL-OPTION…] URL: sets http_status, and puts the headers into headers, the body into body.
fetch() {
    rm -f headers body
    : >body
    http_status=$(curl -s --cacert "$tls" -D headers -o body -w '%{http_code}' "$@") || true
}

# expect_http STATUS [TEXT…]: of the last fetch; the texts are in the body or the headers.
expect_http() {
    local text wanted=$1
    shift
    [ "$http_status" = "$wanted" ] ||
        fail "HTTP status $http_status instead of $wanted: $(cat headers body 2>/dev/null)" || return
    for text in "$@"; do
        grep -qF -- "$text" headers body || fail "it did not say '$text' but: $(cat headers body)" || return
    done
}

# expect_figures PATTERN…: /metrics is in Prometheus' text format 0.0.4, each name once with its type and
# all of its lines together, none of them twice; and has such lines.
expect_figures() {
    local line
    fetch "$metrics_url/metrics"
    expect_http 200 'Content-Type: text/plain; version=0.0.4' || return
    awk '
        function refuse(why) { print why ": " $0; bad = 1; exit 1 }
        $1 == "#" {
            if ($0 !~ /^# TYPE signet_[a-z0-9_]+ (counter|gauge|histogram)$/) refuse("no type")
            if (seen[$3]++) refuse("told before")
            name = $3; type = $4
            next
        }
        !/^signet_[a-z0-9_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? [-+0-9.e]+$/ { refuse("no sample") }
        {
            own = $0; sub(/[{ ].*/, "", own)
            if (type == "histogram") sub(/_(bucket|sum|count)$/, "", own)
            if (own != name) refuse("a sample of another name than " name)
            if (type == "counter" && name !~ /_total$/) refuse("a counter is called _total")
            sub(/ [^ ]*$/, ""); if (told[$0]++) refuse("twice")
        }
        END { if (!bad && NR < 20) { print "hardly anything"; exit 1 } }' body >&2 || return
    for line; do
        grep -qx -- "$line" body || fail "no '$line' among the figures: $(grep -v _bucket body)" || return
    done
}

# enroll OPERATION REQUEST.csr [CURL-OPTION…]
enroll() {
    local operation=$1 request=$2
    shift 2
    openssl req -in "$request" -outform der | base64 -w0 >"$request.b64"
    fetch -H 'Content-Type: application/pkcs10' --data-binary "@$request.b64" "$@" "$est_url/$operation"
}

# make_ticket_policies HOME: staff, for users by ticket and PIN; cards, which an officer approves as well;
# strict, for devices, whose renewed certificate is revoked.
make_ticket_policies() {
    cat >"$1/policies/staff.yaml" <<'END'
policy: staff
description: For users, by ticket
who: {any: [ticket, renewal]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '${user.name}'}]
validity: {for: 365d}
renewal: {window: 60d}
request: {subject: equal}
END
    sed -e 's/staff/cards/' -e 's/^who:.*/who: {all: [ticket, {approval: officer}]}/' \
        "$1/policies/staff.yaml" >"$1/policies/cards.yaml"
    sed -e '/^examples:/,$d' -e 's/^policy: .*/policy: strict/' \
        -e 's/^renewal: .*/renewal: {window: 60d, same_key: refuse, previous: revoke}/' \
        "$1/policies/device-mtls.yaml" >"$1/policies/strict.yaml"
}

# make_vetted_policy HOME: vetted, for devices, by whose word so ever; an officer approves.
make_vetted_policy() {
    sed -e '/^examples:/,$d' -e 's/^policy: .*/policy: vetted/' \
        -e 's/^who: .*/who: {all: [{approval: officer}]}/' \
        "$1/policies/device-mtls.yaml" >"$1/policies/vetted.yaml"
}

# make_pins HOME: the key for PINs.
make_pins() {
    echo "pins: {token: main, key: 'pkcs11:object=pins'}" >>"$1/signet.yaml"
    signet -C "$1" key create --type HMAC pins
}

# ticket FILE OPTION…: a new ticket of the home dev, in FILE.
ticket() {
    local file=$1
    shift
    signet -C dev ticket add --as desk "$@" >"$file"
}

# hash_pin USER PIN: as an app sends it.
hash_pin() {
    openssl kdf -keylen 32 -kdfopt "pass:$2" -kdfopt "salt:$1" -kdfopt n:32768 -kdfopt r:8 -kdfopt p:1 \
        -kdfopt maxmem_bytes:67108864 SCRYPT | tr -d ':\n' | tr A-F a-f
}

# enroll_by_ticket LABEL TICKET-FILE PIN-HASH REQUEST.csr [CURL-OPTION…]
enroll_by_ticket() {
    local label=$1 credentials
    credentials=$(cat "$2"):$3
    shift 3
    enroll "$label/simpleenroll" "$@" -u "$credentials"
}

# state_of_ticket FIELD: of the last one that was made.
state_of_ticket() {
    signet -C dev ticket list --json | jq -r ".[-1].$1"
}

# certificate_of_body FILE: the certificate that the last enroll brought.
certificate_of_body() {
    base64 -d body | openssl pkcs7 -inform der -print_certs | openssl x509 -out "$1"
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | sed 's/serial=//' | tr A-F a-f
}

# make_due HOME ID [POLICY]: a device with a certificate in ID.pem that may be renewed already, its key
# in ID.key and a request in ID.csr.
make_due() {
    local name=${3:-device-mtls}
    local policy=$1/policies/$name.yaml
    cp "$policy" "$1.policy"
    sed -i 's/^validity: .*/validity: {for: 30d, backdate: 5m, past_issuer: refuse}/
        s/^renewal: .*/renewal: {window: 20d, same_key: allow, previous: keep}/' "$policy"
    signet -C "$1" device add "$2" type=leo region=us-east
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$2.key" \
        -subj "/CN=$2" -out "$2.csr" 2>/dev/null
    signet -C "$1" issue -p "$name" --device "$2" -o "$2.pem" "$2.csr"
    mv "$1.policy" "$policy"
}
