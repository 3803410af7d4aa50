# ML-DSA (FIPS 204) in subjects' keys: from the key to the certificate. OpenSSL knows it from 3.5 on;
# before that, each of these has the verdict that says so.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    # Asked of openssl, not of signet.
    if openssl list -public-key-algorithms | grep -q 'ML-DSA-65'; then
        touch openssl-has-ml-dsa
    fi
    printf 'correct horse\n' >pin/pass
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    needed="needs OpenSSL 3.5 or newer, and this is OpenSSL $(openssl version | cut -d ' ' -f 2)"
}

has_ml_dsa() {
    [ -e openssl-has-ml-dsa ]
}

# new_key TYPE NAME OPTION...: a new key in NAME.key, encrypted, and a request in NAME.csr.
new_key() {
    local type=$1 name=$2
    shift 2
    signet csr --new-key "$name.key" --type "$type" --passphrase file:pin/pass --subject "CN=$name" -o "$name.csr" "$@"
}

add_device() {
    signet -C ca device add "$1" type=leo region=us-east
}

@test "keys and requests of each parameter set" {
    for set in 44 65 87; do
        if ! has_ml_dsa; then
            fails 2 "ML-DSA-$set $needed" -- new_key ml-dsa-$set device-ML$set
            expect_absent device-ML$set.key device-ML$set.csr
            continue
        fi
        ok new_key ml-dsa-$set device-ML$set
        grep -q "BEGIN ENCRYPTED PRIVATE KEY" device-ML$set.key
        expect_equal mode 600 "$(stat -c %a device-ML$set.key)"
        openssl pkey -in device-ML$set.key -passin file:pin/pass -noout -text | grep -q "ML-DSA-$set Private-Key"
        openssl req -in device-ML$set.csr -verify -noout
        openssl req -in device-ML$set.csr -noout -text | grep -q "Signature Algorithm: ML-DSA-$set"
        # the same key again, and with the signature of another set
        ok signet csr --key device-ML$set.key --passphrase file:pin/pass --subject CN=x -o again-$set.csr
        openssl req -in again-$set.csr -verify -noout
        fails 2 "a key of ML-DSA-$set makes no ecdsa-sha256 signature" -- \
            signet csr --key device-ML$set.key --passphrase file:pin/pass --subject CN=x --signature ecdsa-sha256
    done
}

@test "one policy for RSA, EC and ML-DSA" {
    for type in RSA-2048 P-256 ML-DSA-65; do
        device=device-${type//-/}
        device=${device/MLDSA/MLDSA0}
        ok add_device "$device"
        if [ "$type" = ML-DSA-65 ] && ! has_ml_dsa; then
            fails 2 "$needed" -- new_key "$type" "$device"
            continue
        fi
        ok new_key "$type" "$device"
        ok signet -C ca issue -p device-mtls -d "$device" -o "$device.pem" "$device.csr"
        openssl verify -x509_strict -purpose sslclient -CAfile ca.pem "$device.pem"
        openssl x509 -in "$device.pem" -noout -ext keyUsage,extendedKeyUsage >extensions
        grep -q "^    Digital Signature$" extensions
        grep -q "^    TLS Web Client Authentication$" extensions
        expect_equal key "$(openssl pkey -in "$device.key" -passin file:pin/pass -pubout)" \
            "$(openssl x509 -in "$device.pem" -noout -pubkey)"
        ok signet -C ca revoke "$device.pem" --reason superseded
    done
}

@test "a request that another program made" {
    ok add_device device-AB12
    local request=$BATS_TEST_DIRNAME/requests/ml-dsa-65.csr
    if ! has_ml_dsa; then
        fails 3 "the key can't be decoded: ML-DSA-65 $needed" -- \
            signet -C ca issue -p device-mtls -d device-AB12 -o ab12.pem "$request"
        expect_absent ab12.pem
        return
    fi
    ok signet -C ca check -p device-mtls -d device-AB12 "$request"
    says "ML-DSA-65, with key usage digitalSignature"
    ok signet -C ca issue -p device-mtls -d device-AB12 -o ab12.pem "$request"
    openssl verify -x509_strict -CAfile ca.pem ab12.pem
    ok signet show ab12.pem
    says "ML-DSA-65"
}

@test "a request that was changed" {
    openssl req -in "$BATS_TEST_DIRNAME/requests/ml-dsa-65.csr" -outform DER -out whole.der 2>/dev/null ||
        sed '/-----/d' "$BATS_TEST_DIRNAME/requests/ml-dsa-65.csr" | openssl base64 -d -out whole.der
    cp whole.der flipped.der
    printf '\x00\x00' | dd of=flipped.der bs=1 seek=$(($(stat -c %s whole.der) - 100)) conv=notrunc status=none
    if has_ml_dsa; then
        fails 3 "not by the key inside it" -- signet -C ca issue -p device-mtls -d device-AB12 -o no.pem flipped.der
    else
        fails 3 "$needed" -- signet -C ca issue -p device-mtls -d device-AB12 -o no.pem flipped.der
    fi
}

@test "a policy that takes other parameter sets" {
    for set in 44 87; do
        has_ml_dsa || break
        [ -e device-ML$set.csr ] || new_key ml-dsa-$set device-ML$set
        ok add_device device-ML$set
        fails 3 "policy device-mtls: keys" "the key is ML-DSA-$set; this policy takes" -- \
            signet -C ca issue -p device-mtls -d device-ML$set -o no.pem device-ML$set.csr
        expect_absent no.pem
    done
}

@test "a policy says what can't be done here, and loads as long as something can" {
    ok signet -C ca policy test device-mtls
    if has_ml_dsa; then
        [ -z "$stderr" ]
    else
        [[ $stderr == "signet: note: "*"device-mtls.yaml:"*"ML-DSA-65 $needed" ]]
    fi
    sed -e '/{rsa: /d' -e '/{ec: /d' -e 's/^policy: .*/policy: alone/' -e '/^examples/,$d' \
        ca/policies/device-mtls.yaml >alone.yaml
    if has_ml_dsa; then
        ok signet policy test ./alone.yaml
    else
        fails 1 "alone.yaml:" "takes no key that can be read here: ML-DSA-65 $needed" -- \
            signet policy test ./alone.yaml
    fi
}
