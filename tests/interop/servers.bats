# servers: nginx, openssl s_server and stunnel, each set up to demand a client certificate and to look
# at the CRLs, let the good one in and keep the others out. (node and rustls do so in verifiers.bats.)
load ../flow/common
load ../flow/expect
load listen

# make_client NAME POLICY DEVICE: NAME.key, and NAME-chain.pem with the issuing CA.
make_client() {
    make_key_and_request "$1.csr" "/CN=$3"
    signet -C ca issue -p "$2" -d "$3" -o "$1.pem" "$1.csr"
    cat "$1.pem" ca.pem >"$1-chain.pem"
}

# make_client_with NAME KIND KEYS: as make_client does, with another kind of key.
make_client_with() {
    make_policy ca "$1" "keys=[{$3, key_usage: [digitalSignature]}]"
    signet -C ca csr --new-key "$1.key" --no-passphrase --type "$2" --for "$1" --device test-device-001 -o "$1.csr"
    signet -C ca issue -p "$1" -d test-device-001 -o "$1.pem" "$1.csr"
    cat "$1.pem" ca.pem >"$1-chain.pem"
}

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    make_issuing_home ca root
    sed -i 's/device-\[A-Z0-9\]{4,32}/[A-Za-z0-9-]{4,32}/' ca/signet.yaml
    add_device ca test-device-001 device-GONE
    make_policy ca server-only 'extended_key_usage=[serverAuth]'
    make_policy ca brief 'validity={for: 2s, past_issuer: refuse}'
    make_client good device-mtls test-device-001
    make_client gone device-mtls device-GONE
    make_client server-only server-only test-device-001
    make_client expired brief test-device-001
    make_client_with ed Ed25519 'ed25519: true'
    ! openssl list -public-key-algorithms | grep -q ML-DSA-65 || make_client_with pq ML-DSA-65 'ml-dsa: [ML-DSA-65]'
    cp good.key lone.key
    cp good.pem lone-chain.pem
    signet -C ca revoke gone.pem --reason keyCompromise
    signet -C ca crl -o ca.crl
    signet -C root crl -o root.crl
    cat ca.crl root.crl >crls.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.pem -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    sleep 3 # expired.pem ends
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

teardown() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
}

# get CLIENT [OPTION...]: the page that the server gives to this client.
get() {
    local client=$1
    shift
    curl -sS --max-time 20 --cacert server.pem --cert "$client-chain.pem" --key "$client.key" "$@" \
        "https://127.0.0.1:$PORT/"
}

tls=("--tls-max 1.2" --tlsv1.3)

# lets_in TEXT CLIENT [VERSION...], keeps_out TEXT CLIENT: with TLS 1.2 and 1.3, or the versions given; the
# page holds TEXT only for those let in.
lets_in() {
    local text=$1 client=$2 version
    shift 2
    [ $# -gt 0 ] || set -- "${tls[@]}"
    for version; do
        # shellcheck disable=SC2086
        run get "$client" $version
        [[ $output == *"$text"* ]] || fail "$client with $version: $output; $(cat server.log)"
    done
}

keeps_out() {
    local version
    for version in "${tls[@]}"; do
        # shellcheck disable=SC2086
        run get "$2" $version
        [[ $output != *"$1"* ]] || fail "$2 with $version: $output"
        [ -n "$output" ] || fail "$2 with $version: neither page nor error"
    done
}

judges_all() {
    lets_in "$1" good
    lets_in "$1" ed
    [ ! -e pq.pem ] || lets_in "$1" pq --tlsv1.3 # TLS 1.2 has no signatures of that kind
    for client in gone server-only expired lone; do
        keeps_out "$1" $client
    done
    run curl -sS --max-time 20 --cacert server.pem "https://127.0.0.1:$PORT/"
    [[ $output != *"$1"* ]] || fail "without a certificate: $output"
}

@test "nginx, ssl_verify_client on and ssl_crl" {
    PORT=$(free_port)
    mkdir -p nginx
    cat >nginx.conf <<EOT
daemon off;
pid nginx/pid;
error_log stderr info;
events {}
http {
    access_log off;
    client_body_temp_path nginx;
    proxy_temp_path nginx;
    fastcgi_temp_path nginx;
    uwsgi_temp_path nginx;
    scgi_temp_path nginx;
    server {
        listen 127.0.0.1:$PORT ssl;
        ssl_certificate $PWD/server.pem;
        ssl_certificate_key $PWD/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_client_certificate $PWD/root.pem;
        ssl_crl $PWD/crls.pem;
        ssl_verify_client on;
        ssl_verify_depth 2;
        location / { return 200 "welcome \$ssl_client_s_dn"; }
    }
}
EOT
    starts nginx -p "$PWD" -c nginx.conf
    judges_all "welcome CN=test-device-001"
    grep -q "certificate revoked" server.log
    grep -q "certificate has expired" server.log
    grep -q "unsupported certificate purpose\|unsuitable certificate purpose" server.log
    grep -q "unable to get local issuer certificate\|unable to verify the first certificate" server.log
}

@test "openssl s_server -Verify -verify_return_error -crl_check" {
    PORT=$(free_port)
    starts openssl s_server -accept "127.0.0.1:$PORT" -cert server.pem -key server.key -CAfile root.pem \
        -CRL ca.crl -crl_check -Verify 2 -verify_return_error -www
    judges_all "s_server"
    grep -q "certificate revoked" server.log
}

@test "stunnel, verifyChain and CRLfile" {
    PORT=$(free_port)
    # It reads the whole request: a program that ends with some of it unread resets the connection.
    cat >page <<'EOT'
#!/bin/sh
while read -r line && [ ${#line} -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\r\n\r\nwelcome'
EOT
    chmod +x page
    cat >stunnel.conf <<EOT
foreground = yes
pid =
syslog = no
debug = info
[page]
accept = 127.0.0.1:$PORT
exec = $PWD/page
cert = $PWD/server.pem
key = $PWD/server.key
CAfile = $PWD/root.pem
CRLfile = $PWD/crls.pem
verifyChain = yes
EOT
    starts stunnel stunnel.conf
    judges_all "welcome"
    grep -q "certificate revoked" server.log
    grep -q "certificate has expired" server.log
}
