# What a service is operated by: its log, signals, systemd, two users, and documents that renew themselves.
load common
load service

# The issuer `ops`, and `old`, which was rolled over and gives out nothing any more; a CRL of its is good
# for six seconds.
setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home ops root
    for name in ops-ocsp old old-ocsp; do
        signet key create "pkcs11:token=ops;object=$name" --pin file:pin/ops "${token_module[@]}"
    done
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=ops-ocsp'}\
\n  - name: old\n    token: main\n    key: 'pkcs11:object=old'\n    certificate: old.pem\
\n    crl: {next_update: 6s}\n    ocsp: {key: 'pkcs11:object=old-ocsp'}|" ops/signet.yaml
    signet -C ops issuer csr old --subject 'CN=Test CA old,O=Example GmbH' -o old.csr
    signet -C root issue -p issuing-ca -o old.pem old.csr
    signet -C ops issuer import old old.pem --chain root.pem
    make_device ops device-OLD1
    signet -C ops issue -p device-mtls --issuer old -d device-OLD1 -o device-OLD1.pem device-OLD1.csr
    sed -i '/^  - name: old/a\    state: status-only' ops/signet.yaml
    add_service ops 'est: {policy: device-mtls}' 'log: json' 'limits: {answer: 2s}'
    start_service ops
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
    [ ! -e shared ] || rm -rf "$(cat shared)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
    roles=()
}

# A test that has failed has not ended what it began.
teardown() {
    [ "${#roles[@]}" = 0 ] || kill "${roles[@]}" 2>/dev/null || true
}

crl_number_at() {
    curl -s "$http_url/crl/$1.crl" | openssl crl -inform der -noout -crlnumber
}

has_other_number() {
    [ "$(crl_number_at "$1")" != "$2" ]
}

@test "a CRL is made anew half way to its end, and served" {
    local number other
    number=$(crl_number_at old)
    other=$(crl_number_at ops)
    wait_for 10 has_other_number old "$number"
    expect_equal "the other issuer's" "$other" "$(crl_number_at ops)"
    curl -s "$http_url/crl/old.crl" | openssl crl -inform der -noout -CAfile old.pem
}

@test "an issuer that is status-only is answered for: CA certificate, CRL and OCSP" {
    fetch "$http_url/ca/old.cer"
    expect_http 200
    cmp body <(openssl x509 -in old.pem -outform der)
    openssl ocsp -reqout of-old -no_nonce -issuer old.pem -cert device-OLD1.pem
    ask() {
        fetch -H 'Content-Type: application/ocsp-request' --data-binary @of-old "$http_url/ocsp"
        [ "$http_status" = 200 ] &&
            openssl ocsp -respin body -reqin of-old -issuer old.pem -cert device-OLD1.pem -CAfile root.pem \
                -verify_other old.pem >said 2>&1 && grep -q "device-OLD1.pem: $1" said
    }
    ask good
    signet -C ops revoke device-OLD1.pem --reason keyCompromise
    wait_for 10 ask revoked
    is_listed() {
        curl -s "$http_url/crl/old.crl" | openssl crl -inform der -noout -text |
            grep -qi "$(serial_of device-OLD1.pem)"
    }
    wait_for 10 is_listed
    make_device ops device-OLD2
    run --separate-stderr signet -C ops issue -p device-mtls --issuer old -d device-OLD2 -o x.pem device-OLD2.csr
    expect_status 3
    expect_said status-only
}

@test "a connection that is kept alive lives on through SIGHUP, and its next request meets what is new" {
    sed -i 's/^  est: .*/  est: {policy: device-mtls, labels: {more: device-mtls}}/' ops/signet.yaml
    cat >kept.py <<'END_OF_PYTHON'
import http.client, os, signal, ssl, sys, time
port, pid, tls = sys.argv[1:]
connection = http.client.HTTPSConnection("localhost", int(port), context=ssl.create_default_context(cafile=tls))
def status(path):
    connection.request("GET", "/.well-known/est/" + path)
    answer = connection.getresponse()
    answer.read()
    return answer.status
assert status("cacerts") == 200
first = connection.sock
assert status("more/cacerts") == 404
os.kill(int(pid), signal.SIGHUP)
until = time.monotonic() + 30
while status("more/cacerts") != 200:
    assert time.monotonic() < until
    time.sleep(0.1)
assert status("cacerts") == 200
assert connection.sock is first, "another connection was made"
END_OF_PYTHON
    python3 kept.py "$(port_of https)" "$(cat service.pid)" "$tls"
    wait_for 10 said_in service.log 'are read again'
}

@test "log: json is one object a line, whoever of the processes writes it" {
    wait_for 20 is_ready
    fetch "$http_url/%22\\%0a%c3%a4?%ff"
    expect_http 404
    make_request other.csr other
    enroll simpleenroll other.csr
    expect_http 401
    # the issuer's own lines: what it goes on with, and what it can't start with
    cp ops/signet.yaml good.yaml
    sed -i 's/^  est: .*/  est: {policy: issuing-ca}/' ops/signet.yaml
    kill -HUP "$(cat service.pid)"
    wait_for 10 said_in service.log 'makes CA certificates'
    mv good.yaml ops/signet.yaml
    kill_issuer
    wait_for 10 said_in service.log 'was killed by signal 9'
    wait_for 20 is_ready
    end_service
    jq -se 'length > 10 and all(type == "object" and has("time"))' service.log
    for who in front issuer signetd uri; do
        jq -se "any(has(\"$who\"))" service.log || fail "nothing of $who"
    done
    jq -se 'any(.status == 401 and .rule == "requester")' service.log
    # and what a process ends of
    sed -i 's/object=ops-ocsp/object=missing/' ops/signet.yaml
    run --separate-stderr "$SIGNETD" issuer -C ops
    expect_status 1
    jq -e '.issuer | test("missing")' <<<"$stderr"
    sed -i 's/object=missing/object=ops-ocsp/' ops/signet.yaml
}

# --- systemd -------------------------------------------------------------------------------------

@test "the units are ones that systemd takes, and confine their processes" {
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is missing"
    local unit
    mkdir -p units
    for unit in signetd-issuer signetd-front; do
        # where it is installed is another matter
        sed "s|^ExecStart=[^ ]*|ExecStart=$SIGNETD|" "$SIGNET_UNITS/$unit.service" >"units/$unit.service"
    done
    run systemd-analyze verify --man=no units/signetd-issuer.service units/signetd-front.service
    expect_equal verdict "0 " "$status $output"
    systemd-analyze security --offline=true --no-pager --threshold=45 units/signetd-issuer.service >verdict
    systemd-analyze security --offline=true --no-pager --threshold=25 units/signetd-front.service >verdict
    # both can fail
    sed -e 's/^ProtectHome/ProtectHomes/' -e '/^Protect\|^Restrict\|^Capab/d' units/signetd-issuer.service >units/bad.service
    echo ProtectHomes=yes >>units/bad.service
    run systemd-analyze verify --man=no units/bad.service
    [ -n "$output" ]
    run systemd-analyze security --offline=true --no-pager --threshold=45 units/bad.service
    [ "$status" -ne 0 ]
}

@test "systemd is told of readiness, a reload, the end, and that both are alive" {
    local issuer front where="@signet-$$"
    end_service
    listen "$PWD/told" issuer.told
    roles+=($!)
    listen "$where" front.told
    roles+=($!)
    wait_for 10 test -S told
    sleep 0.3
    NOTIFY_SOCKET=$PWD/told WATCHDOG_USEC=60000000 "$SIGNETD" issuer -C ops 2>issuer.log 3>&- &
    issuer=$!
    roles+=($!)
    NOTIFY_SOCKET=$where "$SIGNETD" front -C ops 2>front.log 3>&- &
    front=$!
    roles+=($!)
    wait_for 30 has_told 1 READY=1 issuer.told
    wait_for 10 has_told 1 READY=1 front.told
    wait_for 10 has_told 2 WATCHDOG=1 issuer.told
    not grep -q WATCHDOG front.told # nobody has asked for it
    not grep -q 'RELOADING\|STOPPING' issuer.told
    kill -HUP "$issuer"
    wait_for 30 has_told 2 READY=1 issuer.told
    expect_equal order "READY=1 RELOADING=1 READY=1" "$(grep -v WATCHDOG issuer.told | xargs)"
    kill "$front"
    wait "$front"
    kill "$issuer"
    wait "$issuer"
    expect_equal "last words" STOPPING=1 "$(tail -n 1 front.told)"
    has_told 1 STOPPING=1 issuer.told
    jq -se 'all(type == "object")' issuer.log front.log
}

# --- two users -----------------------------------------------------------------------------------

as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
as_games=(setpriv --reuid games --regid games --clear-groups)

# say_hello SOCKET AS-USER…: what the issuer answers, in octets.
say_hello() {
    "${@:2}" env PATH=/usr/bin:/bin python3 -c '
import socket, struct, sys
text = b"x\0"
hello = struct.pack(">BBHIQ", 1, 1, 0, 5 + len(text), 0) + struct.pack(">BI", 1, len(text)) + text
issuer = socket.socket(socket.AF_UNIX)
issuer.settimeout(10)
issuer.connect(sys.argv[1])
try:
    issuer.sendall(hello)
    print(len(issuer.recv(16)))
except (BrokenPipeError, ConnectionResetError):
    print(0)' "$1"
}

@test "two users: each process knows the other by the kernel's word, and nobody else" {
    [ "$(id -u)" = 0 ] || skip "only root can be several users"
    local shared issuer front
    end_service
    shared=$(mktemp -d)
    echo "$shared" >shared
    chmod 755 "$shared"
    "${as_nobody[@]}" test -x "$SIGNETD" || skip "the user nobody can't reach $SIGNETD"
    sed -e "s|^service:|&\n  socket: $shared/issuer.sock\n  users: {front: nobody, issuer: $(id -un)}|" \
        -e 's/log: json/log: plain/' -i ops/signet.yaml
    install -d -o nobody -m 700 "$shared/front"
    install -o nobody -m 600 ops/signet.yaml ops/tls.pem ops/tls.key "$shared/front"
    "$SIGNETD" issuer -C ops 2>issuer.log 3>&- &
    issuer=$!
    roles+=($!)
    wait_for 30 test -S "$shared/issuer.sock"
    "${as_nobody[@]}" "$SIGNETD" front -C "$shared/front" 2>service.log 3>&- &
    front=$!
    roles+=($!)
    wait_for 30 said_in service.log 'the issuer is there'
    wait_for 10 is_ready
    fetch "https://localhost:$(port_of https)/.well-known/est/cacerts"
    expect_http 200
    expect_equal "to the front's user" 16 "$(say_hello "$shared/issuer.sock" "${as_nobody[@]}")"
    expect_equal "to its own user" 16 "$(say_hello "$shared/issuer.sock")"
    expect_equal "to another" 0 "$(say_hello "$shared/issuer.sock" "${as_games[@]}")"
    said_in issuer.log 'a process of another user was turned away at the socket'
    kill "$front"
    wait "$front"
    # nor does the front talk to whoever has made a socket there
    sed -i "s/issuer: $(id -un)}/issuer: games}/" "$shared/front/signet.yaml"
    "${as_nobody[@]}" "$SIGNETD" front -C "$shared/front" 2>service.log 3>&- &
    front=$!
    roles+=($!)
    wait_for 10 said_in service.log "issuer.sock is another user's; see service: users"
    kill "$front"
    wait "$front"
    kill "$issuer"
    wait "$issuer"
}
