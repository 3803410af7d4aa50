# signet show
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_device ca device-AB12
    signet -C ca issue -p device-mtls -d device-AB12 -o ab12.pem device-AB12.csr
    signet -C ca revoke ab12.pem --reason keyCompromise
    signet -C ca crl -o ca.crl
    openssl x509 -in ab12.pem -outform DER -out ab12.der
    openssl req -in device-AB12.csr -outform DER -out csr.der
    openssl crl -in ca.crl -outform DER -out crl.der
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "a certificate" {
    for file in ab12.pem ab12.der; do
        ok signet show $file
        says "certificate" "CN=device-AB12" "Test CA ca" "$(serial_of ab12.pem)" "P-256" "ecdsa-sha256" \
            "valid, 36" "clientAuth" "digitalSignature" "urn:dev:org:32473-device-AB12" \
            "device-type:leo, region:us-east" "not a CA" "critical" "http://pki.example.com/ca.crl"
        ok signet show $file --json
        json .kind certificate
        json .serial "$(serial_of ab12.pem)"
        json .subject CN=device-AB12
        json '.extensions[] | select(.name == "extendedKeyUsage") | .value | join(" ")' clientAuth
        json '.extensions[] | select(.name == "keyUsage") | .critical' true
        json .sha256 "$(sha256sum <ab12.der | cut -c 1-64)"
    done
}

@test "a CA certificate" {
    ok signet show ca.pem
    says "CN=Test CA ca,O=Example GmbH" "CA" "keyCertSign" "cRLSign"
}

@test "a request" {
    for file in device-AB12.csr csr.der; do
        ok signet show $file
        says "certificate request" "CN=device-AB12" "P-256"
        ok signet show $file --json
        json .kind request
        json .subject CN=device-AB12
    done
    make_key_and_request wish.csr /CN=x -addext extendedKeyUsage=serverAuth -addext subjectAltName=DNS:a.example
    ok signet show wish.csr
    says serverAuth dns:a.example
}

@test "a CRL" {
    for file in ca.crl crl.der; do
        ok signet show $file
        says "certificate revocation list" "Test CA ca" "$(serial_of ab12.pem)" keyCompromise
        ok signet show $file --json
        json .kind crl
        json '.revoked[0].serial' "$(serial_of ab12.pem)"
        json '.revoked[0].reason' keyCompromise
        json .entries 1
    done
}

@test "standard input" {
    ok bash -c '"$SIGNET" show - <ab12.pem'
    says CN=device-AB12
}

@test "a certificate that has expired" {
    make_policy ca brief 'validity={for: 1s, past_issuer: refuse}'
    make_request brief.csr device-AB12
    signet -C ca issue -p brief -d device-AB12 -o brief.pem brief.csr
    sleep 2.1
    ok signet show brief.pem
    says "expired" "ago"
}

@test "what is none of them" {
    echo nonsense >nonsense
    : >empty
    openssl pkey -in wish.key -out key.pem
    ends 3 "nonsense" -- signet show nonsense
    fails 3 "empty is empty" -- signet show empty
    fails 3 "key.pem" "neither a certificate, nor a request, nor a CRL" -- signet show key.pem
    fails 1 "no-such-file" -- signet show no-such-file
    head -c 100 ab12.der >cut.der
    ends 3 "cut.der" -- signet show cut.der
    fails 2 "usage: signet show" -- signet show
}

@test "a name with an escape sequence in it does no harm to a terminal" {
    make_key_and_request escape.csr "/CN=$(printf 'a\033[31mred')" -utf8
    run signet show escape.csr
    [[ $output != *$'\033'* ]]
}
