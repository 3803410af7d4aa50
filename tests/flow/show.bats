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
            "valid, expires in 36" "clientAuth" "digitalSignature" "urn:dev:org:32473-device-AB12" \
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

@test "an SPKAC, as text and as JSON" {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out spkac.key
    openssl spkac -key spkac.key -challenge x -digest sha256 -out spkac
    ok signet show spkac
    says "certificate request" "SPKAC" "P-256" "key sha256"
    ok signet show spkac --json
    json .kind request
    json .format SPKAC
    json .key_sha256 "$(openssl pkey -in spkac.key -pubout -outform DER | sha256sum | cut -c 1-64)"
}

@test "fingerprints as other tools have them" {
    ok signet show ab12.pem --json
    json .sha1 "$(openssl x509 -in ab12.pem -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f)"
    json .sha256 "$(openssl x509 -in ab12.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f)"
    json .key_sha256 "$(openssl x509 -in ab12.pem -noout -pubkey | openssl pkey -pubin -outform DER |
        sha256sum | cut -c 1-64)"
}

@test "inside a home: the policy's rules behind a certificate of its own" {
    untouched ca ok signet -C ca show ab12.pem
    says "valid, expires in" "under policy device-mtls for device device-AB12; now revoked" \
        "subject: \${device.id}; from the device's record"
    ok signet -C ca show ab12.pem --json
    json .home.policy device-mtls
    json .home.status revoked
    json '[.home.fields[] | select(.field == "subject.CN")][0].rule' subject
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x \
        -set_serial "0x$(serial_of ab12.pem)" -out foreign.pem 2>/dev/null
    ok signet -C ca show foreign.pem
    says_not "under policy"
    ok signet -C ca show foreign.pem --json
    json .home null
    ok signet -C no-such-home show ab12.pem
    says "CN=device-AB12"
    [[ $stderr == *"the home is not asked"* ]]
}

@test "--tree: a bundle, and the home's own" {
    cat ab12.pem ca.pem >bundle.pem
    ok signet show --tree bundle.pem
    says "CN=Test CA ca,O=Example GmbH  (valid, expires in" $'\n└─ CN=device-AB12  (valid'
    ok signet show --tree ab12.pem
    says "CN=Test CA ca,O=Example GmbH  (not here)"
    ok signet -C ca show --tree ab12.pem --json
    json '.[0].issued[0].subject' CN=device-AB12
    ok signet -C ca show --tree
    says "CN=Test CA ca"
    fails 2 "a tree of what?" -- signet show --tree
    fails 3 "several certificates" "--tree" -- signet show bundle.pem
    fails 3 "device-AB12.csr" -- signet show --tree device-AB12.csr
    fails 1 "no-such-home" -- signet -C no-such-home show --tree ab12.pem
}

# read_qr: what $output draws, read by another program.
read_qr() {
    python3 -c '
import sys
PAIRS = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
rows = []
for line in sys.stdin.read().splitlines():
    rows += zip(*[PAIRS[block] for block in line])
print("P1", 4 * len(rows[0]), 4 * len(rows))
for row in rows:
    for _ in range(4):
        print(" ".join(str(dark) for dark in row for _ in range(4)))
' <<<"$output" >qr.pbm
    zbarimg -q --raw qr.pbm 2>/dev/null
}

@test "--qr: another program reads it" {
    which zbarimg >/dev/null || skip "zbarimg is missing"
    ok signet show --qr fingerprint ab12.pem
    [ "$(read_qr)" = "$(sha256sum <ab12.der | cut -c 1-64 | tr a-f A-F)" ]
    ok signet show --qr pem ab12.pem
    read_qr >read.pem
    openssl x509 -in read.pem -outform DER | cmp - ab12.der
    ok signet show --qr fingerprint ca.crl
    [ "$(read_qr)" = "$(sha256sum <crl.der | cut -c 1-64 | tr a-f A-F)" ]
    ok signet show --qr pem device-AB12.csr
    read_qr | openssl req -outform DER | cmp - csr.der
}

@test "what --qr can't draw" {
    fails 2 "--qr colour" "fingerprint or pem" -- signet show --qr colour ab12.pem
    ends 2 "leave out --json" -- signet show --qr pem --json ab12.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x \
        -addext "nsComment=$(head -c 3000 /dev/zero | tr '\0' x)" -out large.pem 2>/dev/null
    fails 2 "too many for a QR code" "--qr fingerprint" -- signet show --qr pem large.pem
    ok signet show --qr fingerprint large.pem
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
