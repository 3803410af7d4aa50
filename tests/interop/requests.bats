# requests: what other programs write as a certificate request is read, shown and served.
load ../flow/common
load ../flow/expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_policy ca anything "keys=[{ec: [P-256, P-384], key_usage: [digitalSignature]}, {rsa: 2048..4096, key_usage: [digitalSignature]}]"
    head -c 64 /dev/urandom >noise
    mkdir -p nss
    certutil -N -d "sql:$PWD/nss" --empty-password
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    DEVICE=device-INT$BATS_TEST_NUMBER
    add_device ca "$DEVICE"
}

# served REQUEST: as PEM and as DER, by a policy that has no opinion about names.
served() {
    ok signet show "$1"
    says "certificate request" "CN=$DEVICE"
    ok signet -C ca issue -p anything -d "$DEVICE" -o "$DEVICE.pem" "$1"
    openssl verify -x509_strict -purpose sslclient -CAfile ca.pem "$DEVICE.pem"
    certtool --verify --load-ca-certificate ca.pem --infile "$DEVICE.pem"
}

@test "openssl req: RSA, signed with SHA-256, -384, -512 and by PSS" {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
    for digest in sha256 sha384 sha512; do
        openssl req -new -key rsa.key -$digest -subj "/CN=$DEVICE" -out $digest.csr
        openssl req -new -key rsa.key -$digest -sigopt rsa_padding_mode:pss -subj "/CN=$DEVICE" -out pss-$digest.csr
        ok signet -C ca check -p anything -d "$DEVICE" $digest.csr
        ok signet -C ca check -p anything -d "$DEVICE" pss-$digest.csr
    done
    served pss-sha512.csr
}

@test "openssl req: EC, without attributes and with" {
    make_key_and_request ec.csr "/CN=$DEVICE" -addext extendedKeyUsage=clientAuth \
        -addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE
    served ec.csr
}

@test "openssl req: the older PEM label" {
    make_key_and_request old.csr "/CN=$DEVICE" -newhdr
    grep -q "NEW CERTIFICATE REQUEST" old.csr
    served old.csr
}

@test "certtool --generate-request: EC" {
    printf 'cn = "%s"\n' "$DEVICE" >template
    certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile gnutls.key 2>/dev/null
    certtool --generate-request --load-privkey gnutls.key --template template --outfile gnutls.csr 2>/dev/null
    served gnutls.csr
}

@test "certtool --generate-request: RSA, with the purposes of a client" {
    printf 'cn = "%s"\nsigning_key\ntls_www_client\n' "$DEVICE" >template
    certtool --generate-privkey --key-type rsa --bits 2048 --outfile gnutls.key 2>/dev/null
    certtool --generate-request --load-privkey gnutls.key --template template --outfile gnutls-rsa.csr 2>/dev/null
    served gnutls-rsa.csr
}

@test "certutil -R: EC and RSA, PEM and DER" {
    certutil -R -d "sql:$PWD/nss" -s "CN=$DEVICE" -k ec -q secp256r1 -z noise -a -o nss.csr
    certutil -R -d "sql:$PWD/nss" -s "CN=$DEVICE" -k rsa -g 2048 -z noise -o nss.der
    ok signet -C ca check -p anything -d "$DEVICE" nss.der
    served nss.csr
}

@test "certutil -R: with extensions" {
    certutil -R -d "sql:$PWD/nss" -s "CN=$DEVICE" -k ec -q secp384r1 -z noise -a -o nss-ext.csr \
        --keyUsage digitalSignature,critical --extKeyUsage clientAuth
    served nss-ext.csr
}

@test "what others read in a request of ours" {
    make_token card
    signet key create "pkcs11:token=card;object=k" --profile softhsm --pin file:pin/card
    signet csr --key "pkcs11:token=card;object=k" --profile softhsm --pin file:pin/card \
        --subject "CN=$DEVICE,O=Example GmbH" --san uri:urn:example:1 --eku clientAuth -o ours.csr
    openssl req -in ours.csr -verify -noout
    certtool --crq-info --infile ours.csr >read 2>&1
    grep -q "CN=$DEVICE" read
    grep -q "urn:example:1" read
    grep -qi "signature: verified\|Self signature: verified" read
}
