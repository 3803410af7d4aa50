# policies: what OpenSSL, GnuTLS, NSS and strongSwan let certificates of the shipped policies be
# used for, and what not. Each policy has one with an EC key (NAME-ec.pem) and one with RSA (NAME-rsa.pem).
load ../flow/common
load ../flow/expect

# policy, the record that it is about, and the request's subject
POLICIES="mobile-app user-client service-account smime vpn tls-server operator"
declare -gA HOLDER=(
    [mobile-app]="device device-APP1" [user-client]="user Ada Lovelace" [service-account]="user payment-service"
    [smime]="user Ada Lovelace" [vpn]="device device-VPN1" [tls-server]="device device-WEB1"
    [operator]="user Grace Hopper"
)
declare -gA SUBJECT=(
    [mobile-app]=/CN=device-APP1 [user-client]="/CN=Ada Lovelace" [service-account]=/CN=payment-service
    [smime]="/CN=Ada Lovelace" [vpn]=/CN=device-VPN1 [tls-server]=/CN=www.example.com
    [operator]="/CN=Grace Hopper/OU=officer"
)

# What each is for: the word of OpenSSL's -purpose, GnuTLS's OID and NSS's letter stand for one purpose.
# NSS is not asked about IKE, OpenSSL 3.0 neither.
PURPOSES="client server sign encrypt ike"
declare -gA IS_FOR=(
    [mobile-app]="client" [user-client]="client" [service-account]="client server" [smime]="sign encrypt"
    [vpn]="client ike" [tls-server]="server" [operator]="client"
)
declare -gA OPENSSL=([client]=sslclient [server]=sslserver [sign]=smimesign [encrypt]=smimeencrypt)
declare -gA GNUTLS=([client]=1.3.6.1.5.5.7.3.2 [server]=1.3.6.1.5.5.7.3.1 [sign]=1.3.6.1.5.5.7.3.4
    [encrypt]=1.3.6.1.5.5.7.3.4 [ike]=1.3.6.1.5.5.7.3.17)
declare -gA NSS=([client]=C [server]=V [sign]=S [encrypt]=R)

# issue_one POLICY KIND: POLICY-KIND.pem, .key, and -chain.pem with the issuing CA.
issue_one() {
    local policy=$1 kind=$2 name=$1-$2 key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256) noun id
    # Operators have no weaker RSA keys than these.
    [ "$kind" = ec ] || key=(-newkey rsa:$([ "$policy" = operator ] && echo 3072 || echo 2048))
    read -r noun id <<<"${HOLDER[$policy]}"
    openssl req -new "${key[@]}" -nodes -keyout "$name.key" -subj "${SUBJECT[$policy]}" -out "$name.csr" 2>/dev/null
    signet -C issuing issue -p "$policy" "--$noun" "$id" -o "$name.pem" "$name.csr"
    cat "$name.pem" issuing.pem >"$name-chain.pem"
}

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    make_issuing_home issuing root
    signet -C issuing device add device-APP1
    signet -C issuing device add device-VPN1 host=branch-7.vpn.example.com
    signet -C issuing device add device-WEB1 host=www.example.com names="example.com, api.example.com" \
        addresses=127.0.0.1
    signet -C issuing user add "Ada Lovelace" email=ada@example.com upn=ada@corp.example.com
    signet -C issuing user add payment-service dns="payment-service.internal, pay.default.svc.cluster.local"
    signet -C issuing user add "Grace Hopper" email=grace@example.com role=officer
    for policy in $POLICIES; do
        # What is issued once for each holder is issued here once for each kind of key.
        sed -i '/^unique/d; /^examples/,$d' "issuing/policies/$policy.yaml"
        issue_one "$policy" ec
        issue_one "$policy" rsa
    done
    signet -C issuing crl -o issuing.crl
    openssl crl -in issuing.crl -outform DER -out issuing.crl.der
    mkdir nss
    certutil -N -d "sql:$PWD/nss" --empty-password
    certutil -A -d "sql:$PWD/nss" -n root -t CT,C, -i root.pem
    certutil -A -d "sql:$PWD/nss" -n issuing -t ,, -i issuing.pem
    for policy in $POLICIES; do
        for kind in ec rsa; do
            certutil -A -d "sql:$PWD/nss" -n "$policy-$kind" -t ,, -i "$policy-$kind.pem"
        done
    done
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

teardown() {
    [ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
}

# judged WANTED REFUSAL WHAT COMMAND...: WANTED is yes or no; with no it says REFUSAL (a pattern).
judged() {
    local wanted=$1 refusal=$2 what=$3
    shift 3
    num_judged=$((${num_judged:-0} + 1))
    run "$@"
    if [ "$wanted" = yes ]; then
        [ "$status" -eq 0 ] || fail "$what is refused: $output"
    else
        [ "$status" -ne 0 ] || fail "$what is accepted"
        [[ $output =~ $refusal ]] || fail "$what: not '$refusal' but: $output"
    fi
}

# for_each_purpose JUDGE NUM: JUDGE WANTED POLICY KIND PURPOSE, over all of them; it judges NUM.
for_each_purpose() {
    local policy kind purpose wanted num_judged=0
    for policy in $POLICIES; do
        for kind in ec rsa; do
            for purpose in $PURPOSES; do
                wanted=no
                [[ " ${IS_FOR[$policy]} " != *" $purpose "* ]] || wanted=yes
                "$1" $wanted "$policy" $kind "$purpose"
            done
        done
    done
    expect_equal "verdicts" "$2" $num_judged
}

# --- purposes ----------------------------------------------------------------------------------

openssl_judges() {
    local wanted=$1 name=$2-$3 purpose=${OPENSSL[$4]:-}
    [ -n "$purpose" ] || return 0
    # It knows encryption to RSA keys alone as this purpose; the messages below are what counts.
    [ "$name $purpose" != "smime-ec smimeencrypt" ] || wanted=no
    judged "$wanted" "purpose" "$name as $purpose" openssl verify -x509_strict -purpose "$purpose" \
        -crl_check -CRLfile issuing.crl -CAfile root.pem -untrusted issuing.pem "$name.pem"
}
@test "OpenSSL: each for its purposes, and no other" { for_each_purpose openssl_judges 56; }

gnutls_judges() {
    judged "$1" "purpose" "$2-$3 as $4" certtool --verify --load-ca-certificate root.pem \
        --infile "$2-$3-chain.pem" --verify-purpose "${GNUTLS[$4]}"
}
@test "GnuTLS: each for its purposes, and no other" { for_each_purpose gnutls_judges 70; }

nss_judges() {
    local usage=${NSS[$4]:-}
    [ -n "$usage" ] || return 0
    judged "$1" "type not approved|key usage inadequate" "$2-$3 as $4" certutil -V -d "sql:$PWD/nss" -n "$2-$3" -u "$usage"
}
@test "NSS: each for its purposes, and no other" { for_each_purpose nss_judges 56; }

# --- names -------------------------------------------------------------------------------------

# names WANTED POLICY OPTION...: openssl verify's checks of names
names() {
    local kind
    for kind in ec rsa; do
        judged "$1" "mismatch" "$2: ${*:3}" openssl verify -CAfile root.pem -untrusted issuing.pem "${@:3}" "$2-$kind.pem"
    done
}

@test "OpenSSL: the names that were asked for, and no other" {
    names yes tls-server -verify_hostname www.example.com
    names yes tls-server -verify_hostname api.example.com
    names yes tls-server -verify_ip 127.0.0.1
    names no tls-server -verify_hostname shop.example.com
    names no tls-server -verify_ip 127.0.0.2
    names yes service-account -verify_hostname payment-service.internal
    names yes service-account -verify_hostname pay.default.svc.cluster.local
    names no service-account -verify_hostname payment-service
    names yes vpn -verify_hostname branch-7.vpn.example.com
    names no vpn -verify_hostname device-VPN1
    names yes user-client -verify_email ada@example.com
    names no user-client -verify_email grace@example.com
    names yes smime -verify_email ada@example.com
    names no smime -verify_email grace@example.com
    names yes operator -verify_email grace@example.com
    names no operator -verify_email ada@example.com
}

# --- TLS ---------------------------------------------------------------------------------------

# serve NAME [OPTION...]: openssl s_server with that certificate, for one connection; $PORT, $SERVER.
serve() {
    local name=$1 tries=0
    shift
    : >server.log
    openssl s_server -accept 127.0.0.1:0 -naccept 1 -cert "$name.pem" -key "$name.key" -cert_chain issuing.pem \
        -CAfile root.pem -rev "$@" >server.log 2>&1 </dev/null 3>&- &
    SERVER=$!
    until PORT=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log) && [ -n "$PORT" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "openssl s_server did not start: $(cat server.log)"
        sleep 0.1
    done
}

# answers WANTED REFUSAL WHAT COMMAND...: a client's; a server of the above answers it, or REFUSAL is
# in what either says.
answers() {
    local wanted=$1 refusal=$2 what=$3
    shift 3
    run bash -c '(echo hello && sleep 0.3) | timeout 20 "$@"' - "$@"
    if [ "$wanted" = yes ]; then
        [[ $output == *olleh* ]] || fail "$what is refused: $output $(cat server.log)"
    else
        [[ $output != *olleh* ]] || fail "$what is accepted"
        [[ "$output $(cat server.log)" == *"$refusal"* ]] || fail "$what: not '$refusal' but: $output $(cat server.log)"
    fi
}

# openssl_client [OPTION...]: a client that checks purpose and name
openssl_client() {
    printf '%s\n' openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$PORT" -CAfile root.pem \
        -purpose sslserver -verify_return_error "$@"
}

# connected WANTED REFUSAL SERVER-NAME HOST: a client of OpenSSL wants HOST
connected() {
    local client
    serve "$3"
    mapfile -t client < <(openssl_client -verify_hostname "$4")
    answers "$1" "$2" "$3 as $4" "${client[@]}"
}

@test "TLS: a server under its names, seen by OpenSSL" {
    for kind in ec rsa; do
        connected yes "" tls-server-$kind www.example.com
        connected no "hostname mismatch" tls-server-$kind shop.example.com
        connected yes "" service-account-$kind payment-service.internal
        connected no "purpose" vpn-$kind branch-7.vpn.example.com
    done
    connected no "purpose" mobile-app-ec device-APP1
}

@test "TLS: a server under its names, seen by GnuTLS" {
    for case in "yes tls-server-ec api.example.com" "yes tls-server-rsa example.com" \
        "no tls-server-ec shop.example.com" "no mobile-app-ec device-APP1"; do
        read -r wanted name host <<<"$case"
        serve "$name"
        answers "$wanted" "The certificate is NOT trusted" "$case" \
            gnutls-cli --x509cafile root.pem --verify-hostname "$host" -p "$PORT" 127.0.0.1
    done
}

# let_in WANTED CLIENT-NAME: a server that wants a client's certificate
let_in() {
    local client
    serve service-account-ec -Verify 2 -verify_return_error -CRL issuing.crl -crl_check
    mapfile -t client < <(openssl_client -cert "$2.pem" -key "$2.key" -cert_chain issuing.pem \
        -verify_hostname payment-service.internal)
    answers "$1" "purpose" "$2 as a client" "${client[@]}"
}

@test "TLS: who is let in as a client" {
    for policy in mobile-app user-client service-account operator vpn; do
        let_in yes $policy-ec
        let_in yes $policy-rsa
    done
    let_in no tls-server-ec
    let_in no smime-rsa
}

# --- mail --------------------------------------------------------------------------------------

# signed WANTED REFUSAL NAME [OPTION...]: a message signed with NAME's key; how OpenSSL reads it
signed() {
    printf 'Dear Charles,\n' >message
    rm -f signed
    openssl cms -sign -in message -signer "$3.pem" -inkey "$3.key" -certfile issuing.pem -out signed
    judged "$1" "$2" "a message signed by $3" openssl cms -verify -in signed -CAfile root.pem "${@:4}"
}

@test "S/MIME: signed, and verified by OpenSSL" {
    for kind in ec rsa; do
        signed yes "" smime-$kind -verify_email ada@example.com
        signed no "mismatch" smime-$kind -verify_email grace@example.com
        signed no "purpose" user-client-$kind
    done
}

@test "S/MIME: what others encrypt, the key opens; as CMS, and as PKCS#7 for RSA" {
    printf 'Dear Ada,\n' >message
    for kind in ec rsa; do
        openssl cms -encrypt -aes256 -in message -out sealed smime-$kind.pem
        run openssl cms -decrypt -in sealed -recip smime-$kind.pem -inkey smime-$kind.key
        says "Dear Ada,"
    done
    openssl smime -encrypt -aes256 -in message -out sealed smime-rsa.pem
    run openssl smime -decrypt -in sealed -recip smime-rsa.pem -inkey smime-rsa.key
    says "Dear Ada,"
    not openssl cms -decrypt -in sealed -recip smime-ec.pem -inkey smime-ec.key
}

# import_key NAME: the key too goes into NSS's database, as NAME
import_key() {
    openssl pkcs12 -export -in "$1.pem" -inkey "$1.key" -name "key of $1" -passout pass:x -out "$1.p12"
    pk12util -i "$1.p12" -d "sql:$PWD/nss" -W x
}

@test "S/MIME: signed and encrypted by NSS, read by OpenSSL" {
    printf 'Dear Charles,\n' >message
    import_key smime-rsa
    cmsutil -S -d "sql:$PWD/nss" -N smime-rsa -i message -o signed.der
    run openssl cms -verify -inform DER -in signed.der -CAfile root.pem -certfile issuing.pem
    says "Dear Charles,"
    cmsutil -E -d "sql:$PWD/nss" -r ada@example.com -i message -o sealed.der
    for kind in ec rsa; do
        openssl cms -decrypt -inform DER -in sealed.der -recip smime-$kind.pem -inkey smime-$kind.key \
            -out opened.$kind || true
    done
    grep -q "Dear Charles," opened.ec opened.rsa
}

# --- VPN ---------------------------------------------------------------------------------------

# pki_verify OPTION...: strongSwan's own verification
pki_verify() {
    run pki --verify "$@"
    output=$(grep -v "plugin\|tcti" <<<"$output" || true)
}

@test "strongSwan: trusted, not without the issuing CA, and not when revoked" {
    for kind in ec rsa; do
        pki_verify --in vpn-$kind.pem --cacert root.pem --cacert issuing.pem --crl issuing.crl.der
        [ "$status" -eq 0 ] && says "certificate trusted" || fail "vpn-$kind: $output"
        pki_verify --in vpn-$kind.pem --cacert root.pem
        [ "$status" -ne 0 ] && says "no issuer certificate found" || fail "vpn-$kind: $output"
    done
    run pki --print --in vpn-ec.pem
    says branch-7.vpn.example.com clientAuth
    signet -C issuing revoke vpn-ec.pem --reason keyCompromise
    signet -C issuing crl -o revoked.crl
    openssl crl -in revoked.crl -outform DER -out revoked.crl.der
    pki_verify --in vpn-ec.pem --cacert root.pem --cacert issuing.pem --crl revoked.crl.der
    [ "$status" -ne 0 ] && says "revoked" || fail "$output"
    pki_verify --in vpn-rsa.pem --cacert root.pem --cacert issuing.pem --crl revoked.crl.der
    [ "$status" -eq 0 ] || fail "the other one: $output"
}
