# signet csr
load common
load expect

setup_file() {
    start_in_own_folder
    make_token card
    signet key create "pkcs11:token=card;object=ec" --profile softhsm --pin file:pin/card
    signet key create "pkcs11:token=card;object=rsa" --type RSA-2048 --profile softhsm --pin file:pin/card
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# csr OBJECT OPTION...
csr() {
    local object=$1
    shift
    signet csr --key "pkcs11:token=card;object=$object" --profile softhsm --pin file:pin/card "$@"
}

@test "a request by the token's key, on standard output or into a file" {
    ok csr ec --subject "CN=device-AB12,O=Example GmbH"
    echo "$output" >out.csr
    openssl req -in out.csr -verify -noout
    openssl req -in out.csr -noout -subject -nameopt oneline,-space_eq | grep -q "CN=device-AB12, O=Example GmbH"
    openssl req -in out.csr -noout -text | grep -q "Version: 1"
    ok csr ec --subject /CN=device-AB12 -o file.csr
    [ -z "$output" ]
    openssl req -in file.csr -verify -noout
}

@test "what to ask for" {
    ok csr ec --subject CN=x --san uri:urn:example:1 --san dns:a.example --san email:a@b.example \
        --san ip:192.0.2.1 --eku clientAuth --eku 1.3.6.1.4.1.32473.9 --key-usage digitalSignature -o ask.csr
    openssl req -in ask.csr -noout -text >text
    grep -q "URI:urn:example:1, DNS:a.example, email:a@b.example, IP Address:192.0.2.1" text
    grep -q "TLS Web Client Authentication, 1.3.6.1.4.1.32473.9" text
    grep -q "Digital Signature" text
}

@test "signature schemes" {
    for scheme in ecdsa-sha256 ecdsa-sha384 ecdsa-sha512; do
        ok csr ec --subject CN=x --signature $scheme -o $scheme.csr
        openssl req -in $scheme.csr -verify -noout
        openssl req -in $scheme.csr -noout -text | grep -qi "Signature Algorithm: ecdsa-with-${scheme#*-}"
    done
    for scheme in rsa-sha256 rsa-sha384 rsa-sha512 rsa-pss-sha256 rsa-pss-sha384 rsa-pss-sha512; do
        ok csr rsa --subject CN=x --signature $scheme -o $scheme.csr
        openssl req -in $scheme.csr -verify -noout
    done
    ends 2 "rsa-sha256" "P-256" -- csr ec --subject CN=x --signature rsa-sha256 -o no.csr
    fails 2 "no signature scheme" -- csr ec --subject CN=x --signature md5
    expect_absent no.csr
}

@test "an existing file stays" {
    echo mine >mine.csr
    fails 1 "mine.csr exists" -- csr ec --subject CN=x -o mine.csr
    [ "$(cat mine.csr)" = mine ]
    ok csr ec --subject CN=x -o mine.csr --force
    openssl req -in mine.csr -noout
}

@test "names that are none" {
    fails 2 "--subject" -- csr ec
    fails 2 "CN=device,O=Example" -- csr ec --subject device
    fails 2 "RDN" -- csr ec --subject "CN=a+O=b"
    fails 2 "KIND:VALUE" -- csr ec --subject CN=x --san www.example.com
    ends 2 "colour" -- csr ec --subject CN=x --san colour:red
    ends 2 "nonsense" -- csr ec --subject CN=x --eku nonsense
    ends 2 "nonsense" -- csr ec --subject CN=x --key-usage nonsense
    ends 3 "C" -- csr ec --subject C=Germany
}

@test "which key" {
    fails 2 "--key" -- signet csr --subject CN=x
    fails 2 "issuer csr" -- signet csr --key ca --subject CN=x
    fails 4 "absent" -- csr absent --subject CN=x
}
