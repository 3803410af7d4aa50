# proxy: nginx in front of signetd, at which the clients' TLS ends.
load ../flow/common
load ../flow/service
load listen

setup_file() {
    start_in_own_folder
    make_root_home dev
    for id in device-AB12 device-CD34 device-EF56 device-GH78 device-IJ90; do
        make_due dev "$id"
    done
    make_tls .
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout dev/proxy.key \
        -out dev/proxy.pem -days 1 -subj /CN=proxy 2>/dev/null
    add_service dev 'est: {policy: device-mtls}' \
        "proxy: {listen: proxy.sock, user: $(id -un), certificate: proxy.pem, address: X-Real-IP}"
    start_service dev
    declare -p est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
    tls=tls.pem
}

teardown() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
}

# serve UPSTREAM [DIRECTIVE…]: nginx on $PORT, which passes everything on to UPSTREAM, each client's
# certificate as it has come; proxied_url is its EST.
serve() {
    local upstream=$1 path
    shift
    PORT=$(free_port)
    mkdir -p nginx
    {
        [ "$(id -u)" != 0 ] || echo "user root;" # its workers can't reach the test's folder otherwise
        printf '%s\n' "daemon off;" "pid nginx/pid;" "error_log stderr info;" "events {}" "http {" "access_log off;"
        for path in client_body proxy fastcgi uwsgi scgi; do
            echo "${path}_temp_path nginx;"
        done
        echo "server { listen 127.0.0.1:$PORT ssl; ssl_certificate $PWD/tls.pem; ssl_certificate_key $PWD/tls.key;"
        printf '%s\n' "ssl_verify_client optional_no_ca;" "location / {" "proxy_pass $upstream;" \
            'proxy_set_header Client-Cert $ssl_client_escaped_cert;' \
            'proxy_set_header X-Real-IP $remote_addr;' "$@" "} } }"
    } >nginx.conf
    starts nginx -p "$PWD" -c nginx.conf
    proxied_url=https://localhost:$PORT/.well-known/est
}

serve_by_socket() {
    command -v nginx >/dev/null || skip "nginx is missing"
    serve "http://unix:$PWD/dev/proxy.sock:/" "$@"
}

serve_by_tls() {
    command -v nginx >/dev/null || skip "nginx is missing"
    serve "https://127.0.0.1:$(port_of https)" "proxy_ssl_certificate $PWD/dev/proxy.pem;" \
        "proxy_ssl_certificate_key $PWD/dev/proxy.key;" "$@"
}

# renew URL ID [CURL-OPTION…]
renew() {
    local est_url=$1 id=$2
    shift 2
    enroll simplereenroll "$id.csr" "$@"
}

# escaped FILE: a certificate as nginx passes it on.
escaped() {
    jq -Rrs @uri "$1"
}

@test "a device renews through nginx at a Unix socket, with the certificate that it shows nginx" {
    serve_by_socket
    fetch "$proxied_url/cacerts"
    expect_http 200
    renew "$proxied_url" device-AB12 --cert device-AB12.pem --key device-AB12.key
    expect_http 200
    certificate_of_body renewed.pem
    openssl verify -CAfile dev.pem renewed.pem
    grep -q ' 127\.0\.0\.1 POST ".*/simplereenroll" 200 ' service.log
}

@test "through nginx, nobody is anybody without a certificate, and a header of the client's own is no use" {
    serve_by_socket
    renew "$proxied_url" device-CD34
    expect_http 401
    renew "$proxied_url" device-CD34 -H "Client-Cert: $(escaped device-CD34.pem)"
    expect_http 401
    renew "$proxied_url" device-CD34 --cert device-AB12.pem --key device-AB12.key \
        -H "Client-Cert: $(escaped device-CD34.pem)"
    expect_http 403 'subject.CN'
}

@test "the issuer looks the proxy's certificates up: another CA's and a revoked one are refused" {
    serve_by_socket
    openssl req -x509 -key device-EF56.key -subj /CN=device-EF56 -days 1 -out self.pem
    renew "$proxied_url" device-EF56 --cert self.pem --key device-EF56.key
    expect_http 401
    said_in service.log 'was not issued here'
    signet -C dev revoke device-EF56.pem --reason keyCompromise
    renew "$proxied_url" device-EF56 --cert device-EF56.pem --key device-EF56.key
    expect_http 401
    said_in service.log "$(serial_of device-EF56.pem), by which the request was made, is revoked"
}

@test "a device renews through nginx that shows its own certificate in TLS" {
    serve_by_tls
    renew "$proxied_url" device-CD34 --cert device-CD34.pem --key device-CD34.key
    expect_http 200
    renew "$proxied_url" device-CD34
    expect_http 401
}

@test "nobody else is believed: neither by https nor by http" {
    tls=dev/tls.pem
    renew "$est_url" device-GH78 -H "Client-Cert: $(escaped device-GH78.pem)"
    expect_http 401
    renew "$est_url" device-GH78 -H "Client-Cert: $(escaped device-GH78.pem)" --cert device-AB12.pem \
        --key device-AB12.key
    expect_http 403 'subject.CN'
    renew "$http_url/.well-known/est" device-GH78 -H "Client-Cert: $(escaped device-GH78.pem)"
    expect_http 404
}

@test "at the socket: RFC 9440's form is read as well, what is no certificate is 400, and so are two" {
    local der url=http://localhost/.well-known/est
    der=$(openssl x509 -in device-GH78.pem -outform der | base64 -w0)
    for value in "$(escaped device-GH78.pem)" ":$der:"; do
        renew "$url" device-GH78 --unix-socket dev/proxy.sock -H "Client-Cert: $value"
        expect_http 200
    done
    for value in nonsense ":$der" ':AAAA:' '%00' '::' '-----BEGIN%20CERTIFICATE-----'; do
        renew "$url" device-GH78 --unix-socket dev/proxy.sock -H "Client-Cert: $value"
        expect_http 400 'client certificate'
    done
    renew "$url" device-GH78 --unix-socket dev/proxy.sock -H "Client-Cert: :$der:" -H "client-cert: :$der:"
    expect_http 400 'client certificate'
    said_in service.log 'more than once'
}

# in_chunks [HEADER]: a renewal of device-IJ90 at the socket, with a trailer that is named as the proxy's
# header; prints the status.
in_chunks() {
    openssl req -in device-IJ90.csr -outform der | base64 -w0 >wish
    {
        printf 'POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
        printf 'Content-Type: application/pkcs10\r\nTransfer-Encoding: chunked\r\n%s\r\n' "${1:+$1$'\r\n'}"
        printf '%x\r\n%s\r\n0\r\n%s: %s\r\n\r\n' "$(wc -c <wish)" "$(cat wish)" \
            "${TRAILER:-Client-Cert}" "$(escaped device-IJ90.pem)"
    } >sent
    python3 - sent <<'END'
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(20)
client.connect('dev/proxy.sock')
client.sendall(open(sys.argv[1], 'rb').read())
print(client.makefile().readline().split()[1])
END
}

@test "at the socket: a trailer of the header's name is not believed, nor the header itself before chunks" {
    local status
    # libevent may have put it among the headers, or not
    status=$(in_chunks)
    [[ $status == 40[01] ]] || fail "the status is $status"
    expect_equal status 400 "$(TRAILER=Other in_chunks "Client-Cert: $(escaped device-IJ90.pem)")"
    said_in service.log 'with a body in chunks'
    renew http://localhost/.well-known/est device-IJ90 --unix-socket dev/proxy.sock \
        -H "Client-Cert: $(escaped device-IJ90.pem)"
    expect_http 200
}

@test "another user at the socket is refused, whatever is said there" {
    [ "$(id -u)" = 0 ] || skip "only root has another user's socket"
    cp -r dev other
    sed -i "s/user: $(id -un)/user: nobody/" other/signet.yaml
    mkdir -p log
    cd log
    start_service ../other
    fetch --unix-socket ../other/proxy.sock -H "Client-Cert: $(escaped ../device-GH78.pem)" \
        http://localhost/.well-known/est/cacerts
    expect_http 403
    said_in service.log 'not the user that service: proxy names'
    stop_service
}

@test "what a proxy can't be is said before anything is served" {
    local line
    cp -r dev broken
    while IFS='|' read -r line text; do
        sed -i "s#^  proxy: .*#  proxy: {$line}#" broken/signet.yaml
        run --separate-stderr "$SIGNETD" front -C broken
        expect_status 1
        expect_said "$text"
    done <<'END'
listen: p.sock|listen and user belong together
user: root|listen and user belong together
header: A|proxy has to say who it is
certificate: none.pem|none.pem can't be read
listen: p.sock, user: nobody-of-that-name|there is no user 'nobody-of-that-name'
certificate: proxy.pem, header: 'A b'|is no name of a header
END
    rm -r broken
}
