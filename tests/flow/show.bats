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

# a_request NAME OPTION...: a request NAME.csr for CN=NAME by openssl
a_request() {
    openssl req -new -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" "${@:2}" 2>/dev/null
}

@test "a request that would be refused is shown, and why" {
    a_request md5 -newkey rsa:2048 -md5
    a_request sha1 -newkey rsa:2048 -sha1
    a_request small -newkey rsa:1024 -sha256
    a_request curve -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -sha256
    a_request psskey -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -sha256
    local name
    for name in md5 sha1 small curve psskey; do
        ok signet show $name.csr
        says "subject      CN=$name" "refused      " "key sha256"
        ok signet show $name.csr --json
        json .subject CN=$name
        [ -n "$(jq -r .refused.message <<<"$output")" ]
        # check says the same
        run signet -C ca check -p device-mtls -d device-AB12 $name.csr
        [[ $output == *"$(signet show $name.csr --json | jq -r .refused.message)"* ]]
    done
    ok signet show md5.csr
    says "refused      RFC 6151: MD5: the request is signed with MD5" "md5WithRSAEncryption" "RSA-2048"
    ok signet show small.csr
    says "NIST SP 800-131A: RSA below 2048 bits: the RSA key has 1024 bits" "RSA-1024"
    ok signet show curve.csr
    says "EC on the curve secp256k1"
    ok signet show psskey.csr
    says "key          RSA-PSS, 2048 bits" "FIPS 186-5: kinds of keys"
    openssl spkac -key md5.key -challenge x -digest md5 -out md5.spkac
    ok signet show md5.spkac --json
    json .refused.rule "RFC 6151: MD5"
    json .signature md5WithRSAEncryption
    ok signet show device-AB12.csr --json
    json .refused null
}

@test "a request whose signature is of another key is shown, and why it is refused" {
    a_request one -newkey ec -pkeyopt ec_paramgen_curve:P-256
    openssl req -in one.csr -outform DER -out one.der
    # the last byte is of the signature
    python3 -c 'import sys; d = bytearray(open("one.der", "rb").read()); d[-1] ^= 1; open("one.der", "wb").write(d)'
    ok signet show one.der
    says "CN=one" "refused      RFC 2986 4.2: the request's signature is not by the key inside it"
}

@test "how a request is signed" {
    a_request pss -newkey rsa:2048 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
    a_request odd -newkey rsa:2048 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 \
        -sigopt rsa_mgf1_md:sha384
    a_request ed -newkey ed25519
    ok signet show pss.csr
    says "signature    rsassa-pss with SHA-256, salt 32"$'\n'
    says_not refused
    ok signet show odd.csr --json
    json .signature "rsassa-pss with SHA-256, salt 20, MGF1 with SHA-384"
    ok signet show ed.csr
    says "key          Ed25519" "signature    ed25519"
    ok signet show device-AB12.csr --json
    json .signature ecdsa-sha256
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

@test "--tree: several files, a large bundle" {
    ok signet show --tree ca.pem ab12.pem
    says $'\n└─ CN=device-AB12  (valid'
    ok signet show --tree ca.pem ab12.pem --json
    json '.[0].issued[0].not_after' "$(date -u -d "$(openssl x509 -in ab12.pem -noout -enddate | cut -d = -f 2)" +%FT%TZ)"
    json '.[0].not_before' "$(date -u -d "$(openssl x509 -in ca.pem -noout -startdate | cut -d = -f 2)" +%FT%TZ)"
    # as large as what Debian trusts
    for _ in {1..500}; do cat ca.pem; done >large-bundle.pem
    [ "$(stat -c %s large-bundle.pem)" -gt 200000 ]
    ok signet show --tree large-bundle.pem ab12.pem
    says $'\n└─ CN=device-AB12  (valid'
    fails 2 "several files are shown by --tree alone" -- signet show ca.pem ab12.pem
}

@test "a certificate of the home by its serial number, and back as PEM" {
    local serial
    serial=$(serial_of ab12.pem)
    ok signet -C ca show "$serial"
    says "CN=device-AB12" "under policy device-mtls for device device-AB12"
    ok signet -C ca show "$serial" --json
    json .serial "$serial"
    ok signet -C ca show "$serial" --pem
    openssl x509 -outform DER <<<"$output" | cmp - ab12.der
    ok signet -C ca show "$serial" --pem -o back.pem
    openssl x509 -in back.pem -outform DER | cmp - ab12.der
    fails 1 "back.pem" -- signet -C ca show "$serial" --pem -o back.pem
    ok signet -C ca show "$serial" --pem -o back.pem --force
    # a file of that name wins
    cp ca.pem "$serial"
    ok signet -C ca show "$serial"
    says "CN=Test CA ca"
    rm "$serial"
    fails 3 "0123abcd" "has issued no certificate" -- signet -C ca show 0123abcd
    fails 2 "-C DIR" -- signet show "$serial"
}

@test "--pem of files" {
    ok signet show --pem crl.der
    openssl crl -outform DER <<<"$output" | cmp - crl.der
    ok signet show --pem csr.der
    openssl req -outform DER <<<"$output" | cmp - csr.der
    ok signet show --pem ab12.der
    openssl x509 -outform DER <<<"$output" | cmp - ab12.der
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out no-pem.key
    openssl spkac -key no-pem.key -digest sha256 -out no-pem
    fails 2 "SPKAC has no form as PEM" -- signet show --pem no-pem
    fails 2 "go with --pem" -- signet show -o x.pem ab12.pem
    ends 2 "none of --json" -- signet show --pem --json ab12.pem
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
    fails 2 "FILE or SERIAL is missing; usage: signet show" -- signet show
    # the file that stands where --qr has its word
    fails 2 "--qr ab12.der: it is fingerprint or pem" -- signet show --qr ab12.der
}

@test "a name with an escape sequence in it does no harm to a terminal" {
    make_key_and_request escape.csr "/CN=$(printf 'a\033[31mred')" -utf8
    run signet show escape.csr
    [[ $output != *$'\033'* ]]
}
