# tls: the service's own key of TLS on a token, used by the front through the issuer; and its
# certificate, made and renewed by the issuer itself.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home dev root
    make_due dev device-AB12
    signet -C dev device add device-SRV1 host=ca.example.com addresses=127.0.0.1
    signet key create 'pkcs11:token=dev;object=tls' --pin file:pin/dev "${token_module[@]}"
    signet key create 'pkcs11:token=dev;object=tls-rsa' --type RSA-2048 --pin file:pin/dev "${token_module[@]}"
    for key in tls tls-rsa; do
        signet csr --key "pkcs11:token=dev;object=$key" --pin file:pin/dev "${token_module[@]}" \
            --subject CN=ca.example.com -o $key.csr
        signet -C dev issue -p tls-server --device device-SRV1 -o $key.pem $key.csr
        cat $key.pem dev/dev.pem >dev/$key-chain.pem
    done
    add_service dev 'est: {policy: device-mtls}' 'limits: {request: 5s, idle: 60s}'
    use_key tls 'certificate: tls-chain.pem'
    cp dev/signet.yaml signet.yaml
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    cp signet.yaml dev/signet.yaml
}

teardown() {
    # one that a test has stopped would not end
    [ ! -e service.pid ] || kill -CONT $(pgrep -P "$(cat service.pid)") || true
    stop_service || true
}

# use_key OBJECT WHAT: the service's key, and `certificate: …` or `device: …`.
use_key() {
    sed -i "s|^  https: .*|  https: {listen: '127.0.0.1:0', token: main, key: 'pkcs11:object=$1', $2}|" \
        dev/signet.yaml
}

# start: as start_service, with the root as the one that is trusted.
start() {
    start_service dev
    tls=root.pem
    est_url=https://127.0.0.1:$(port_of https)/.well-known/est
}

# shake HANDS-OPTION…: openssl's verdict on a handshake.
shake() {
    timeout 10 openssl s_client -connect "127.0.0.1:$(port_of https)" -CAfile root.pem -verify_return_error \
        -verify_ip 127.0.0.1 "$@" </dev/null >said 2>&1 &&
        grep -q 'Verify return code: 0 (ok)' said
}

# ask S_CLIENT-OPTION…: a request, its reply and what openssl says of the connection in said.
ask() {
    printf 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' |
        timeout 10 openssl s_client -connect "127.0.0.1:$(port_of https)" -ign_eof "$@" >said 2>&1 ||
        true # that no close_notify came
    grep -q '^HTTP/1.1 200' said
}

@test "TLS 1.2 and 1.3 with an EC key that the front has not" {
    local version
    start
    for version in -tls1_2 -tls1_3; do
        ask $version -sess_out session
        ask $version -sess_in session
        grep -q '^Reused, ' said
    done
    expect_figures 'signet_tls_key_signatures_total{outcome="made"} 2' # none for what is resumed
    run ! grep -q 'tls.key' dev/signet.yaml
    shake -tls1_3
    shake -tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384
    shake -tls1_2
    shake -tls1_2 -curves P-256
    enroll simplereenroll device-AB12.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 200
    stop_service
    not grep -q 'ERROR: \|runtime error' service.log
}

@test "and with an RSA key" {
    use_key tls-rsa 'certificate: tls-rsa-chain.pem'
    start
    shake -tls1_3
    shake -tls1_2
    shake -tls1_2 -sigalgs RSA+SHA256
    fetch "$est_url/cacerts"
    expect_http 200
}

@test "a certificate that is not the key's: no handshake, and the log says why" {
    use_key tls-rsa 'certificate: tls-chain.pem'
    start
    run ! shake -tls1_3
    said_in service.log 'as the key of TLS can'\''t be used'
}

@test "the same when such a certificate takes the place of the key's" {
    cp dev/tls-chain.pem dev/changing.pem
    use_key tls 'certificate: changing.pem'
    start
    shake -tls1_3
    cat device-AB12.pem dev/dev.pem >dev/changing.pem
    kill -HUP "$(pgrep -P "$(cat service.pid)" | grep -vx "$(issuer_pid)")"
    wait_for 5 said_in service.log 'SIGHUP: signet.yaml and the TLS certificate are read again'
    run ! shake -tls1_3
    said_in service.log 'as the key of TLS can'\''t be used: it is not the certificate'\''s'
}

@test "a signature that the token does not make: that handshake fails, and no other" {
    mkdir data
    cp -r "$SIGNET_DATA/tokens" data
    sed -i '/ecdsa-sha512/d' data/tokens/softhsm/profile.yaml
    SIGNET_DATA=$PWD/data start
    run ! shake -tls1_2 -sigalgs ECDSA+SHA512
    shake -tls1_2
    said_in service.log 'does not list ecdsa-sha512'
    not grep -q 'no handshakes for' service.log
}

@test "the issuer hangs: handshakes wait for a while, then fail at once, and what needs none goes on" {
    start
    shake -tls1_3
    kill -STOP "$(issuer_pid)"
    local begun=$SECONDS
    run ! shake -tls1_3
    run ! shake -tls1_3
    run ! shake -tls1_3
    [ $((SECONDS - begun)) -le 6 ]
    fetch --max-time 2 "$http_url/crl/dev.crl"
    expect_http 200
    said_in service.log 'no handshakes for 2 s'
    # the first has waited for three seconds, those after it not at all
    expect_figures 'signet_tls_key_signatures_total{outcome="made"} 1' \
        'signet_tls_key_signatures_total{outcome="failed"} 3' 'signet_tls_key_wait_seconds_total [34]\..*'
    kill -CONT "$(issuer_pid)"
    kill_issuer
    wait_for 30 shake -tls1_3
}

@test "the socket's other users get nothing signed: neither other octets nor beside other business" {
    start
    python3 - dev/signetd.sock <<'END'
import socket, struct, sys

def field(number, value):
    return bytes([number]) + struct.pack('>I', len(value)) + value

def message(kind, fields=b'', number=0):
    return bytes([1, kind, 0, 0]) + struct.pack('>IQ', len(fields), number) + fields

HELLO, ENROLL, KEY_HELLO, TLS_SIGN = 1, 5, 12, 13
PROGRAM, PEER, BODY, SCHEME = 1, 2, 6, 24
hello = field(PROGRAM, b'test\0')
handshake = b' ' * 64 + b'TLS 1.3, server CertificateVerify\0' + b'h' * 32

def sign(body):
    return message(TLS_SIGN, field(BODY, body) + field(SCHEME, b'ecdsa-sha256\0'), 7)

# an ANSWER behind the WELCOME
def is_answered(heard):
    welcome = 16 + struct.unpack('>I', heard[4:8])[0] if len(heard) > 8 else 16
    return len(heard) > welcome + 16 and heard[welcome + 1] == 9

def talk(*said):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(5)
    peer.connect(sys.argv[1])
    heard = b''
    try:
        for one in said:
            peer.sendall(one)
        while True:
            part = peer.recv(65536)
            if not part:
                return heard, True
            heard += part
            if is_answered(heard):
                return heard, False
    except socket.timeout:
        return heard, False
    except (ConnectionResetError, BrokenPipeError):
        return heard, True

heard, closed = talk(message(KEY_HELLO, hello), sign(handshake))
assert not closed and b'none' not in heard, (heard, closed)
heard, closed = talk(message(KEY_HELLO, hello), sign(b'\x30\x82' + b'x' * 200))
assert not closed and b'this is part of none' in heard, heard
heard, closed = talk(message(HELLO, hello), sign(handshake))
assert closed, heard
heard, closed = talk(message(KEY_HELLO, hello), message(ENROLL, field(PEER, b'x\0') + field(BODY, b'x'), 7))
assert closed, heard
heard, closed = talk(sign(handshake))
assert closed and not heard, heard
END
    said_in service.log 'the key of TLS has one of its own'
}

@test "the issuer certifies the key by itself, and the same again after a start" {
    use_key tls 'device: device-SRV1'
    start
    wait_for 10 shake -tls1_3
    openssl s_client -connect "127.0.0.1:$(port_of https)" -showcerts </dev/null 2>/dev/null >shown
    expect_equal "certificates" 2 "$(grep -c BEGIN shown)"
    openssl x509 -in shown -out first.pem
    openssl x509 -in first.pem -noout -text | grep -q 'DNS:ca.example.com'
    enroll simplereenroll device-AB12.csr --cert device-AB12.pem --key device-AB12.key
    expect_http 200
    fetch "$metrics_url/metrics"
    expect_http 200 'signet_tls_not_after_seconds 1'
    fetch "$http_url/(tls)"
    expect_http 404
    stop_service
    start
    wait_for 10 shake -tls1_2
    openssl s_client -connect "127.0.0.1:$(port_of https)" </dev/null 2>/dev/null | openssl x509 -out again.pem
    cmp first.pem again.pem
}

@test "it renews it in time, and drops no connection" {
    local first port
    sed -e 's/^policy: .*/policy: brief/' -e 's/^validity: .*/validity: {for: 40s, past_issuer: refuse}/' \
        -e 's/^renewal: .*/renewal: {window: 30s, same_key: allow}/' -e '/^examples:/,$d' \
        dev/policies/tls-server.yaml >dev/policies/brief.yaml
    use_key tls 'device: device-SRV1, policy: brief'
    start
    wait_for 10 shake -tls1_3
    port=$(port_of https)
    serial() {
        openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 -noout -serial
    }
    first=$(serial)
    mkfifo requests # the client reads from it for as long as it is open here
    openssl s_client -connect "127.0.0.1:$port" -quiet -no_ign_eof <requests >answers 2>/dev/null 3>&- &
    local client=$!
    exec 8<>requests
    printf 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: a\r\n\r\n' >&8
    wait_for 10 grep -q 'HTTP/1.1 200' answers
    is_renewed() {
        [ "$(serial)" != "$first" ]
    }
    wait_for 30 is_renewed
    shake -tls1_3
    printf 'GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: a\r\n\r\n' >&8
    wait_for 10 grep -q 'application/csrattrs' answers
    exec 8>&-
    wait "$client" || true
}

@test "what the issuer can't certify or use keeps it from starting" {
    use_key tls 'device: device-NONE'
    run --separate-stderr "$SIGNETD" issuer -C dev
    [ "$status" -ne 0 ]
    expect_said 'the certificate for device device-NONE' 'device-NONE'
    use_key tls 'device: device-SRV1, policy: device-mtls'
    run --separate-stderr "$SIGNETD" issuer -C dev
    [ "$status" -ne 0 ]
    expect_said 'device-mtls'
    use_key dev 'certificate: tls-chain.pem'
    run --separate-stderr "$SIGNETD" issuer -C dev
    expect_status 1
    expect_said 'dev/signet.yaml:' 'this is the key of issuer dev'
    use_key none 'certificate: tls-chain.pem'
    run --separate-stderr "$SIGNETD" issuer -C dev
    expect_status 1
    expect_said 'service: https, token main'
}
