# tls: handshakes with the card's key, against servers of OpenSSL and GnuTLS.
load ../flow/common
load ../flow/expect

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    make_issuing_home issuing root
    add_device issuing device-AB12
    make_token card
    for kind in P-256 RSA-2048; do
        signet key create "pkcs11:token=card;object=$kind" --type $kind --profile softhsm --pin file:pin/card
        signet csr --key "pkcs11:token=card;object=$kind" --profile softhsm --pin file:pin/card \
            --subject CN=device-AB12 -o $kind.csr
        sed "s/^policy: .*/policy: ${kind,,}/; /^examples/,\$d" issuing/policies/device-mtls.yaml \
            >"issuing/policies/${kind,,}.yaml"
        signet -C issuing issue -p "${kind,,}" -d device-AB12 -o $kind.pem $kind.csr
    done
    signet -C issuing crl -o issuing.crl
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.pem -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    cat root.pem issuing.pem >cas.pem
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

teardown() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
}

# serve: openssl s_server that wants a client certificate and honours the CRL; $PORT, $SERVER.
serve() {
    local tries=0
    : >server.log
    openssl s_server -accept 127.0.0.1:0 -naccept 1 -cert server.pem -key server.key -CAfile root.pem \
        -CRL issuing.crl -crl_check -Verify 2 -verify_return_error -rev "$@" >server.log 2>&1 </dev/null 3>&- &
    SERVER=$!
    until PORT=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log) && [ -n "$PORT" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "openssl s_server did not start: $(cat server.log)"
        sleep 0.1
    done
}

# connect KIND [OPTION...]: with the card's key of that kind; prints what the server answers.
connect() {
    local kind=$1
    shift
    (echo hello && sleep 0.5) | PKCS11_MODULE_PATH=$softhsm_module timeout 20 openssl s_client -quiet -no_ign_eof \
        -connect "127.0.0.1:$PORT" -CAfile server.pem -cert "$kind.pem" -cert_chain issuing.pem \
        -engine pkcs11 -keyform engine "$@" \
        -key "pkcs11:token=card;object=$kind;type=private;pin-source=file:pin/card" 2>client.log || true
}

@test "TLS 1.3 and 1.2 with the card's keys: accepted" {
    for version in -tls1_3 -tls1_2; do
        for kind in P-256 RSA-2048; do
            serve
            run connect $kind $version
            [[ $output == *olleh* ]] || fail "$version $kind: $(cat server.log client.log)"
        done
    done
}

@test "GnuTLS with the card's keys: accepted" {
    cat P-256.pem issuing.pem >P-256-chain.pem
    cat RSA-2048.pem issuing.pem >RSA-2048-chain.pem
    for kind in P-256 RSA-2048; do
        serve
        run bash -c "(echo hello && sleep 0.5) | GNUTLS_PIN=\$(cat pin/card) timeout 20 gnutls-cli \
            --provider='$softhsm_module' --x509cafile server.pem --x509certfile $kind-chain.pem \
            --x509keyfile 'pkcs11:token=card;object=$kind;type=private' -p $PORT 127.0.0.1"
        [[ $output == *olleh* ]] || fail "$kind: $output $(cat server.log)"
    done
}

@test "without a certificate: refused" {
    serve
    run bash -c "(echo hello && sleep 0.5) | timeout 20 openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:$PORT -CAfile server.pem"
    [[ $output != *olleh* ]]
    grep -q "peer did not return a certificate" server.log
}

@test "without the intermediate: refused, unable to get" {
    serve
    run bash -c "(echo hello && sleep 0.5) | PKCS11_MODULE_PATH=$softhsm_module timeout 20 openssl s_client -quiet -no_ign_eof \
        -connect 127.0.0.1:$PORT -CAfile server.pem -cert P-256.pem -engine pkcs11 -keyform engine \
        -key 'pkcs11:token=card;object=P-256;type=private;pin-source=file:pin/card'"
    [[ $output != *olleh* ]]
    grep -q "unable to get" server.log
}

@test "the certificate with another key: no handshake" {
    serve
    run bash -c "(echo hello && sleep 0.5) | timeout 20 openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:$PORT \
        -CAfile server.pem -cert P-256.pem -key server.key"
    [[ $output != *olleh* ]]
}

@test "a revoked certificate: refused, certificate revoked" {
    signet -C issuing revoke P-256.pem --reason keyCompromise
    signet -C issuing crl -o issuing.crl --force
    serve
    run connect P-256
    [[ $output != *olleh* ]]
    grep -q "certificate revoked" server.log
    serve
    run connect RSA-2048
    [[ $output == *olleh* ]] || fail "the other one: $(cat server.log client.log)"
}
