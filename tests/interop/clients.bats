# clients: other people's programs at signetd itself: BouncyCastle's EST client, and what GnuTLS, Java and NSS
# make of its OCSP answers and CRLs, which they fetch from where the certificates say. strongSwan, curl and
# openssl are in tests/flow/service.bats, nginx is in proxy.bats.
load ../flow/common
load ../flow/expect
load ../flow/service
load listen

programs=$SIGNET_DATA/tests/interop/clients
jars=/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar

setup_file() {
    local port
    start_in_own_folder
    make_root_home root
    port=$(free_port)
    make_issuing_home dev root --ocsp-url "http://127.0.0.1:$port/ocsp"
    signet key create 'pkcs11:token=dev;object=dev-ocsp' --pin file:pin/dev "${token_module[@]}"
    sed -i "s|http://pki.example.com/dev.crl|http://127.0.0.1:$port/crl/dev.crl|
        s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=dev-ocsp'}|" dev/signet.yaml
    make_ticket_policies dev
    make_key_signer
    make_due dev device-GOOD1
    make_due dev device-GONE2
    signet -C dev revoke device-GONE2.pem -r keyCompromise
    make_pins dev
    signet -C dev user add 'Ada Example' email=ada@example.com
    printf 4711 >ada.pin
    signet -C dev user pin 'Ada Example' --set --pin file:ada.pin
    hash_pin 'Ada Example' 4711 >ada.hash
    add_service dev "est: {policy: device-mtls, labels: {staff: staff, cards: cards, plain: plain}, \
server_keys: {signer: {token: main, key: 'pkcs11:object=keygen'}, certificate: keygen.pem}}"
    sed -i "s|http: {listen: '127.0.0.1:0'}|http: {listen: '127.0.0.1:$port'}|" dev/signet.yaml
    start_service dev
    declare -p tls est_url http_url | sed 's/^declare/declare -g/' >urls
}

# make_key_signer: who signs for keys of the service's, and a policy that gives them away as they are.
make_key_signer() {
    signet key create 'pkcs11:token=dev;object=keygen' --pin file:pin/dev "${token_module[@]}"
    signet csr -k 'pkcs11:token=dev;object=keygen' --pin file:pin/dev "${token_module[@]}" \
        --subject 'CN=Key generation' -o keygen.csr
    signet -C dev issue -p line-statement -o dev/keygen.pem keygen.csr
    sed -e 's/^policy: .*/policy: plain/' -e 's/^who: .*/who: {any: [ticket]}/' -e '/^renewal:/d' \
        -e '$a server_keys: plain' dev/policies/staff.yaml >dev/policies/plain.yaml
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

# bouncy_castle LABEL OPERATION [ARGUMENT…]: as clients/Est.java has them.
bouncy_castle() {
    local server=${est_url#https://}
    [ -e "${jars%%:*}" ] && command -v javac >/dev/null || skip "no BouncyCastle, or no Java compiler"
    [ -e Est.class ] || javac -cp "$jars" -d . "$programs/Est.java"
    run --separate-stderr java -cp "$jars:." Est "${server%%/*}" "$tls" "$@"
    [ "$status" -ne 127 ] || fail "Java does not start: $stderr"
}

@test "BouncyCastle fetches the CA certificates and what a request should say" {
    bouncy_castle '' cacerts
    [ "$status" -eq 0 ] || complain "cacerts"
    cat >cas.pem <<<"$output"
    expect_equal certificates 2 "$(grep -c BEGIN cas.pem)"
    openssl verify -CAfile root.pem -untrusted cas.pem dev/dev.pem
    bouncy_castle staff csrattrs
    [ "$status" -eq 0 ] || complain "csrattrs"
    says 1.2.840.10045.2.1 1.2.840.10045.4.3.2
    bouncy_castle nobody cacerts
    [ "$status" -eq 3 ] || complain "a label that is not there"
    says 'status 404'
}

@test "BouncyCastle enrols by ticket and PIN; by a wrong one it does not" {
    make_key_and_request ada.csr '/CN=Ada Example'
    ticket ticket1 -p staff --user 'Ada Example'
    bouncy_castle staff enroll ada.csr "$(rev ticket1)" "$(cat ada.hash)"
    [ "$status" -eq 3 ] || complain "a ticket that nobody gave out"
    says 'status 401'
    bouncy_castle staff enroll ada.csr "$(cat ticket1)" "$(rev ada.hash)"
    [ "$status" -eq 3 ] || complain "a wrong PIN"
    says 'status 401'
    bouncy_castle staff enroll ada.csr "$(cat ticket1)" "$(cat ada.hash)"
    [ "$status" -eq 0 ] || complain "enroll"
    cat >ada.pem <<<"$output"
    openssl verify -CAfile root.pem -untrusted dev/dev.pem ada.pem
    cmp <(openssl x509 -in ada.pem -noout -pubkey) <(openssl pkey -in ada.key -pubout)
    expect_equal user 'Ada Example' "$(signet -C dev list --json -p staff | jq -r '.[-1].user')"
}

@test "BouncyCastle is told to ask again, until an officer has approved" {
    make_request card.csr 'Ada Example'
    ticket ticket4 -p cards --user 'Ada Example' --no-pin
    bouncy_castle cards enroll card.csr "$(cat ticket4)" ''
    [ "$status" -eq 4 ] || complain "not told to ask again"
    signet -C dev request approve "$(signet -C dev request list --json | jq '.[-1].id')" --as olga
    bouncy_castle cards enroll card.csr "$(cat ticket4)" ''
    [ "$status" -eq 0 ] || complain "not after the approval either"
    openssl verify -CAfile root.pem -untrusted dev/dev.pem <(echo "$output")
}

@test "BouncyCastle renews by TLS; a revoked certificate renews nothing" {
    local name
    for name in device-GOOD1 device-GONE2; do
        openssl pkcs12 -export -in "$name.pem" -inkey "$name.key" -passout pass:changeit -out "$name.p12"
    done
    bouncy_castle '' reenroll device-GOOD1.csr device-GOOD1.p12
    [ "$status" -eq 0 ] || complain "reenroll"
    cat >renewed.pem <<<"$output"
    openssl verify -CAfile root.pem -untrusted dev/dev.pem renewed.pem
    [ "$(serial_of renewed.pem)" != "$(serial_of device-GOOD1.pem)" ]
    openssl x509 -in renewed.pem -noout -subject | grep -q device-GOOD1
    bouncy_castle '' reenroll device-GONE2.csr device-GONE2.p12
    [ "$status" -eq 3 ] || complain "revoked, and renewed"
    says 'status 401'
}

@test "BouncyCastle has the service make a key" {
    make_request unused.csr 'Ada Example'
    ticket ticket2 -p plain --user 'Ada Example' --no-pin
    bouncy_castle plain serverkeygen unused.csr "$(cat ticket2)" ''
    [ "$status" -eq 0 ] || complain "serverkeygen"
    cat >served.pem <<<"$output"
    openssl verify -CAfile root.pem -untrusted dev/dev.pem served.pem
    cmp <(openssl x509 -in served.pem -noout -pubkey) <(openssl pkey -in served.pem -pubout)
    ticket ticket3 -p staff --user 'Ada Example' --no-pin
    bouncy_castle staff serverkeygen unused.csr "$(cat ticket3)" ''
    [ "$status" -eq 3 ] || complain "under a policy without such keys"
    says 'status 403'
}

# --- status --------------------------------------------------------------------------------------

@test "GnuTLS's ocsptool asks where the certificate says: good, revoked" {
    command -v ocsptool >/dev/null || skip "ocsptool is missing"
    cat dev/dev.pem root.pem >trust.pem
    asked=(ocsptool --ask --load-issuer dev/dev.pem --load-trust trust.pem)
    ok "${asked[@]}" --load-cert device-GOOD1.pem --nonce
    says 'Certificate Status: good' 'Verifying OCSP Response: Success'
    ok "${asked[@]}" --load-cert device-GONE2.pem
    says 'Certificate Status: revoked' 'Verifying OCSP Response: Success'
}

@test "Java's revocation checker asks where the certificate says, by OCSP and for the CRL" {
    command -v java >/dev/null && command -v javac >/dev/null || skip "no Java compiler"
    local way
    javac -d . "$programs/Online.java"
    for way in ocsp crl; do
        ok java -cp . Online "$way" dev/dev.pem device-GOOD1.pem device-GONE2.pem
        expect_equal "$way" good "$(sed -n 1p <<<"$output")"
        [[ $(sed -n 2p <<<"$output") == 'REVOKED: '*KEY_COMPROMISE* ]] || complain "not revoked"
    done
    said_in service.log 'GET "/ocsp/'
}

# make_nss: a database with the CAs.
make_nss() {
    command -v vfychain >/dev/null && command -v certutil >/dev/null || skip "libnss3-tools is missing"
    mkdir -p nss
    certutil -N -d sql:nss --empty-password
    certutil -A -d sql:nss -n root -t CT,C, -a -i root.pem
    certutil -A -d sql:nss -n dev -t ,, -a -i dev/dev.pem
}

@test "NSS asks where the certificate says, by OCSP and for the CRL" {
    local way only_by=(-d sql:nss -u 0 -pp -g leaf -h requireFreshInfo)
    [ -e nss ] || make_nss
    for way in ocsp crl; do
        run vfychain "${only_by[@]}" -m "$way" -s failIfNoInfo -a device-GOOD1.pem
        expect_status 0
        says 'Chain is good'
        run vfychain "${only_by[@]}" -m "$way" -s failIfNoInfo -a device-GONE2.pem
        expect_status 1
        says 'Certificate has been revoked'
    done
}

@test "NSS's ocspclnt reads the status" {
    [ -e nss ] || make_nss
    run ocspclnt -d sql:nss -S device-GOOD1.pem -a
    says '"device-GOOD1.pem" succeeded'
    run ocspclnt -d sql:nss -S device-GONE2.pem -a
    says '"device-GONE2.pem" failed' 'Certificate has been revoked'
}
