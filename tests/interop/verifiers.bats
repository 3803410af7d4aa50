# verifiers: what other people's certificate verifiers say of TLS clients that Signet certified. Each
# reads the same cases and prints a verdict for each; what is wanted is said by the case's name, and by
# verifiers/exceptions. `tools/interop-table` writes the same verdicts into docs/interop.md.
load ../flow/common
load ../flow/expect

programs=$SIGNET_DATA/tests/interop/verifiers

# rows: the table without its comments: POLICY KIND HOLDER, and whether it has the negative cases.
rows() {
    sed -n 's/^\([a-z-]*\)  *\(+\{0,1\}\)\([A-Za-z0-9-]*\)  *\([a-z]*\)$/\1 \3 \4 \2/p' "$programs/rows"
}

# can_make KIND: this OpenSSL has such keys.
can_make() {
    case $1 in
    ML-DSA-*) openssl list -public-key-algorithms | grep -q "$1" ;;
    esac
}

# holder_of HOLDER NAME: the options that name who a certificate is for.
holder_of() {
    case $1 in
    device) echo "--device device-$2" ;;
    user) echo "--user ${2,,}" ;;
    esac
}

# add_holder KIND NAME: with everything that a policy may ask for. Services are called in small letters.
add_holder() {
    case $1 in
    device) signet -C ca device add "device-$2" type=leo region=us-east host="${2,,}.vpn.example.com" ;;
    user)
        signet -C ca user add "${2,,}" email="${2,,}@example.com" upn="${2,,}@corp.example.com" \
            role=operator dns="${2,,}.internal" sid=S-1-5-21-1004336348-1177238915-682003330-1107
        ;;
    esac
}

# certify POLICY KIND HOLDER WHO FILE: FILE.pem and FILE.key, by a request made for that policy.
certify() {
    local policy=$1 kind=$2 who=$3 name=$4 file=$5
    # shellcheck disable=SC2046
    signet -C ca csr --new-key "$file.key" --no-passphrase --type "$kind" --for "$policy" \
        $(holder_of "$who" "$name") -o "$file.csr"
    # shellcheck disable=SC2046
    signet -C ca issue -p "$policy" $(holder_of "$who" "$name") -o "$file.pem" "$file.csr"
    cat "$file.pem" ca.pem >"$file-chain.pem"
}

# variant NAME POLICY SED-SCRIPT: a policy like another, save for what the script changes.
variant() {
    sed "s/^policy: .*/policy: $1/; /^examples/,\$d; s/^\(unique\|renewal\): .*//; s/^who: .*/who: {any: [operator]}/; $3" "ca/policies/$2.yaml" \
        >"ca/policies/$1.yaml"
}

# add_case NAME CHAIN KEY [CRL]
add_case() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" root.pem "${4:--}" >>cases
}

make_row() {
    local policy=$1 kind=$2 who=$3 negative=$4 row=$1.$2 good gone
    num_rows=$((${num_rows:-0} + 1))
    good=GOOD$num_rows gone=GONE$num_rows
    add_holder "$who" "$good"
    certify "$policy" "$kind" "$who" "$good" "$row"
    add_case "$row.good" "$row-chain.pem" "$row.key"
    [ -n "$negative" ] || return 0
    certify server-only "$kind" "$who" "$good" "$row-server"
    certify brief "$kind" "$who" "$good" "$row-brief"
    add_holder "$who" "$gone"
    certify "$policy" "$kind" "$who" "$gone" "$row-gone"
    signet -C ca revoke "$row-gone.pem" --reason keyCompromise
    add_case "$row.server-only" "$row-server-chain.pem" "$row-server.key"
    add_case "$row.no-intermediate" "$row.pem" "$row.key"
    add_case "$row.expired" "$row-brief-chain.pem" "$row-brief.key"
    add_case "$row.revoked" "$row-gone-chain.pem" "$row-gone.key" crls.pem
    add_case "$row.not-revoked" "$row-chain.pem" "$row.key" crls.pem
}

make_home_for_rows() {
    KEY_TYPE=P-384 make_root_home root
    KEY_TYPE=P-256 make_issuing_home ca root
    variant device-any device-mtls 's/^keys:.*/keys: [{ed25519: true, key_usage: [digitalSignature]}]/; /^  - {\(rsa\|ec\|ml-dsa\)/d'
    variant server-only device-mtls 's/clientAuth/serverAuth/'
    variant brief device-mtls 's/^validity: .*/validity: {for: 2s, backdate: 5m, past_issuer: refuse}/'
}

setup_file() {
    start_in_own_folder
    make_home_for_rows
    while read -r policy kind who negative; do
        ! can_make "$kind" || make_row "$policy" "$kind" "$who" "$negative"
    done < <(rows)
    signet -C root crl -o root.crl
    signet -C ca crl -o ca.crl
    cat ca.crl root.crl >crls.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.pem -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    sleep 3 # the brief ones end
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    tools=$SIGNET_BUILD/interop
    debian=$(. /etc/os-release && echo "$VERSION_ID")
    mkdir -p "$tools"
}

# wanted VERIFIER CASE: accept, refuse, or - when this verifier can't tell.
wanted() {
    local row=${2%.*}
    local exception="^${row%%.*}  *${row#*.}  *$1\(@$debian\)\{0,1\} "
    case ${2##*.} in
    good | not-revoked)
        if grep -q "$exception" "$programs/exceptions"; then echo refuse; else echo accept; fi
        ;;
    revoked) if [[ " $blind_to_crls " == *" $1 "* ]]; then echo accept; else echo refuse; fi ;;
    *) echo refuse ;;
    esac
}
blind_to_crls="go python3-cryptography"

# judged_by VERIFIER COMMAND...: its verdict on each case is the one that is wanted.
judged_by() {
    local verifier=$1 name verdict reason bad=0 num=0
    shift
    "$@" <cases >"$verifier.verdicts" || fail "$verifier: exit status $?"
    while IFS=$'\t' read -r name verdict reason; do
        num=$((num + 1))
        [ "$verdict" = "$(wanted "$verifier" "$name")" ] || {
            echo "$verifier on $name: $verdict ($reason)" >&2
            bad=1
        }
        [ "$verdict" = accept ] || [ -n "$reason" ] || { echo "$verifier on $name gives no reason" >&2 && bad=1; }
    done <"$verifier.verdicts"
    expect_equal "$verifier's verdicts" "$(wc -l <cases)" $num
    [ -z "${SIGNET_VERDICTS:-}" ] || cp "$verifier.verdicts" "$SIGNET_VERDICTS/"
    return $bad
}

# said VERIFIER CASE-ENDING TEXT: the reason that it gave for refusing.
said() {
    grep "\.$2	refuse	.*$3" "$1.verdicts" >/dev/null || fail "$1 on $2: $(grep "\.$2	" "$1.verdicts")"
}

@test "openssl verify -x509_strict" {
    judged_by openssl "$programs/verify-openssl"
    said openssl server-only "purpose"
    said openssl no-intermediate "unable to get local issuer certificate"
    said openssl expired "certificate has expired"
    said openssl revoked "certificate revoked"
}

@test "GnuTLS certtool" {
    judged_by certtool "$programs/verify-certtool"
    said certtool server-only "purpose"
    said certtool no-intermediate "issuer is unknown"
    said certtool expired "expired"
    said certtool revoked "revoked"
}

@test "NSS certutil" {
    judged_by nss "$programs/verify-nss"
    said nss server-only "type not approved"
    said nss expired "expired"
    said nss revoked "revoked"
}

@test "Java's PKIX trust manager" {
    judged_by java java "$programs/Verify.java"
    said java server-only "Extended key usage"
    said java no-intermediate "unable to find valid certification path"
    said java expired "NotAfter"
    said java revoked "revoked"
}

@test "Go's crypto/x509" {
    command -v go >/dev/null || skip "there is no Go here"
    # GOFLAGS, GOCACHE: nothing is written outside the build
    GOCACHE=$tools/go-cache GOFLAGS=-mod=mod GO111MODULE=off go build -o "$tools/verify-go" "$programs/verify.go"
    judged_by go "$tools/verify-go"
    said go server-only "incompatible key usage"
    said go no-intermediate "unknown authority"
    said go expired "expired"
}

@test "node's tls, by a handshake" {
    judged_by node node "$programs/verify.js" server.pem server.key
    said node no-intermediate "UNABLE_TO_GET_ISSUER_CERT_LOCALLY\|UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    said node server-only "INVALID_PURPOSE"
    said node expired "CERT_HAS_EXPIRED"
    said node revoked "CERT_REVOKED"
}

# python3_with_verifier: a Python whose cryptography has a ClientVerifier (43 and later): the
# distribution's, or one from Python's own registry, in the build folder.
python3_with_verifier() {
    local python
    for python in /usr/bin/python3 "$tools/python/bin/python"; do
        if "$python" -c 'from cryptography.x509.verification import ClientVerifier' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    python3 -m venv "$tools/python" >&2 && timeout 120 "$tools/python/bin/pip" install -q 'cryptography>=45,<47' >&2 &&
        echo "$tools/python/bin/python"
}

@test "python3-cryptography's ClientVerifier" {
    local python
    python=$(python3_with_verifier) || skip "no python3-cryptography with a ClientVerifier is to be had"
    judged_by python3-cryptography "$python" "$programs/verify.py"
    said python3-cryptography server-only "EKU"
    said python3-cryptography no-intermediate "candidates exhausted"
    said python3-cryptography expired "not valid at validation time\|validity"
}

@test "rustls' WebPkiClientVerifier, by a handshake" {
    command -v cargo >/dev/null || skip "there is no cargo here"
    (cd "$programs/rustls" && timeout 280 cargo build -q --locked --target-dir "$tools/rustls") ||
        skip "verify-rustls can't be built: its crates, or a compiler new enough for them, are not to be had"
    judged_by rustls "$tools/rustls/debug/verify-rustls" server.pem server.key
    said rustls server-only "extended key usage"
    said rustls no-intermediate "UnknownIssuer"
    said rustls expired "Expired\|expired"
    said rustls revoked "Revoked"
}

@test "a wrong verdict fails" {
    SIGNET_VERDICTS=
    mkdir wrong
    cp cases wrong
    cd wrong
    run judged_by openssl sed 's/\t.*/\taccept\t/'
    [ "$status" -ne 0 ]
    run judged_by openssl sed 's/\t.*/\trefuse\tbecause/'
    [ "$status" -ne 0 ]
}

@test "docs/interop.md shows these verdicts" {
    [ -z "${SIGNET_VERDICTS:-}" ] || skip "they are being written"
    [ "$(ls ./*.verdicts | wc -l)" -ge 8 ] || skip "not all verifiers were there"
    sed -n "/^<!-- verdicts: Debian $debian -->/,/^<!-- end -->/p" "$SIGNET_DATA/docs/interop.md" | grep '^|\|^(' >shown
    "$programs/table.py" . | grep '^|\|^(' | diff shown - ||
        fail "docs/interop.md shows other verdicts; tools/interop-table writes them anew"
}
