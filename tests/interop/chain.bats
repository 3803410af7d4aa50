# chain: what OpenSSL, GnuTLS and NSS say of a chain root → issuing → device that Signet made, for
# issuing CAs with keys and signatures of each kind. Each test names the verdict that it wants.
load ../flow/common
load ../flow/expect

# The issuing CAs: a P-256 and a P-384 key, an RSA-2048 key with PKCS#1 v1.5 and one with PSS.
KINDS="p256 p384 rsa pss"

# make_chain KIND KEY-TYPE INIT-OPTION...: KIND-good.pem and KIND-gone.pem, which KIND.crl revokes.
make_chain() {
    local kind=$1
    KEY_TYPE=$2 make_issuing_home "$kind" root "${@:3}"
    add_device "$kind" device-GOOD device-GONE
    for name in good gone; do
        signet -C "$kind" issue -p device-mtls -d "device-${name^^}" -o "$kind-$name.pem" $name.csr
        cat "$kind-$name.pem" "$kind.pem" >"$kind-$name-chain.pem"
    done
    make_policy "$kind" brief 'validity={for: 2s, past_issuer: refuse}'
    signet -C "$kind" issue -p brief -d device-GOOD -o "$kind-brief.pem" good.csr
    cat "$kind-brief.pem" "$kind.pem" >"$kind-brief-chain.pem"
    signet -C "$kind" revoke "$kind-gone.pem" --reason keyCompromise
    signet -C "$kind" crl -o "$kind.crl"
    openssl crl -in "$kind.crl" -outform DER -out "$kind.crl.der"
}

# make_nss KIND: a database that trusts the root, and knows the issuing CA and both devices.
make_nss() {
    local db=sql:$PWD/nss-$1
    mkdir -p "nss-$1"
    certutil -N -d "$db" --empty-password
    certutil -A -d "$db" -n root -t CT,C, -i root.pem
    certutil -A -d "$db" -n issuing -t ,, -i "$1.pem"
    certutil -A -d "$db" -n good -t ,, -i "$1-good.pem"
    certutil -A -d "$db" -n gone -t ,, -i "$1-gone.pem"
}

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    take_weak_keys root
    make_key_and_request good.csr /CN=device-GOOD
    make_key_and_request gone.csr /CN=device-GONE
    make_chain p256 P-256
    make_chain p384 P-384
    make_chain rsa RSA-2048 --signature rsa-sha256
    make_chain pss RSA-2048 --signature rsa-pss-sha256
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# for_each_kind FUNCTION: a failure tells of which kind.
for_each_kind() {
    local kind
    for kind in $KINDS; do
        "$1" "$kind" || fail "$kind: ${*}: status ${status:-}: ${output:-}"
    done
}

# accepted TEXT COMMAND..., refused TEXT COMMAND...: it ends well, or not, and says TEXT.
accepted() {
    run "${@:2}"
    [ "$status" -eq 0 ] && [[ $output == *"$1"* ]]
}

refused() {
    run "${@:2}"
    [ "$status" -ne 0 ] && [[ $output == *"$1"* ]]
}

# Two years from now; device certificates last one.
later() {
    date -u -d "+2 years" "+$1"
}

# --- OpenSSL -----------------------------------------------------------------------------------

openssl_verify() {
    openssl verify -x509_strict -CAfile root.pem "$@"
}

openssl_client() {
    accepted ": OK" openssl_verify -purpose sslclient -untrusted "$1.pem" "$1-good.pem" &&
        accepted ": OK" openssl_verify -purpose sslclient -crl_check -CRLfile "$1.crl" \
            -untrusted "$1.pem" "$1-good.pem"
}
@test "OpenSSL accepts it as a client, also with the CRL" { for_each_kind openssl_client; }

openssl_server() {
    refused "purpose" openssl_verify -purpose sslserver -untrusted "$1.pem" "$1-good.pem"
}
@test "OpenSSL refuses it as a server: purpose" { for_each_kind openssl_server; }

openssl_missing() {
    refused "unable to get local issuer certificate" openssl_verify -purpose sslclient "$1-good.pem"
}
@test "OpenSSL refuses it without the intermediate: unable to get local issuer certificate" {
    for_each_kind openssl_missing
}

openssl_revoked() {
    refused "certificate revoked" openssl_verify -purpose sslclient -crl_check -CRLfile "$1.crl" \
        -untrusted "$1.pem" "$1-gone.pem"
}
@test "OpenSSL refuses a revoked one: certificate revoked" { for_each_kind openssl_revoked; }

openssl_expired() {
    refused "certificate has expired" openssl_verify -purpose sslclient -attime "$(later %s)" \
        -untrusted "$1.pem" "$1-good.pem"
}
@test "OpenSSL refuses it in two years: certificate has expired" { for_each_kind openssl_expired; }

# --- GnuTLS ------------------------------------------------------------------------------------

gnutls_verify() {
    local chain=$1
    shift
    certtool --verify --load-ca-certificate root.pem --infile "$chain" "$@"
}
CLIENT=1.3.6.1.5.5.7.3.2 SERVER=1.3.6.1.5.5.7.3.1

gnutls_client() {
    accepted "The certificate is trusted" gnutls_verify "$1-good-chain.pem" --verify-purpose $CLIENT &&
        accepted "The certificate is trusted" gnutls_verify "$1-good-chain.pem" \
            --verify-purpose $CLIENT --load-crl "$1.crl"
}
@test "GnuTLS accepts it as a client, also with the CRL" { for_each_kind gnutls_client; }

gnutls_server() {
    refused "purpose" gnutls_verify "$1-good-chain.pem" --verify-purpose $SERVER
}
@test "GnuTLS refuses it as a server: purpose" { for_each_kind gnutls_server; }

gnutls_missing() {
    refused "issuer is unknown" gnutls_verify "$1-good.pem" --verify-purpose $CLIENT
}
@test "GnuTLS refuses it without the intermediate: issuer is unknown" { for_each_kind gnutls_missing; }

gnutls_revoked() {
    refused "revoked" gnutls_verify "$1-gone-chain.pem" --verify-purpose $CLIENT --load-crl "$1.crl"
}
@test "GnuTLS refuses a revoked one: revoked" { for_each_kind gnutls_revoked; }

gnutls_expired() {
    # certtool of GnuTLS 3.7 knows no other time than now.
    while openssl x509 -in "$1-brief.pem" -noout -checkend 0 >/dev/null; do sleep 0.3; done
    sleep 1
    refused "expired" gnutls_verify "$1-brief-chain.pem" --verify-purpose $CLIENT
}
@test "GnuTLS refuses one that was good for two seconds: expired" { for_each_kind gnutls_expired; }

gnutls_lints() {
    certtool --certificate-info --infile "$1-good.pem" >/dev/null &&
        certtool --crl-info --infile "$1.crl" >/dev/null
}
@test "GnuTLS reads certificate and CRL" { for_each_kind gnutls_lints; }

# --- NSS -----------------------------------------------------------------------------------------

# nss_verify KIND NAME USAGE [OPTION...]: -u C is a client, -u V a server.
nss_verify() {
    certutil -V -d "sql:$PWD/nss-$1" -n "$2" -u "$3" -e "${@:4}"
}

nss_client() {
    make_nss "$1" && accepted "certificate is valid" nss_verify "$1" good C
}
@test "NSS accepts it as a client" { for_each_kind nss_client; }

# vfychain uses NSS's other engine, libpkix: -u 0 is a client, -u 1 a server.
nss_pkix() {
    accepted "Chain is good" vfychain -d "sql:$PWD/nss-$1" -u 0 -pp -a "$1-good.pem" &&
        refused "type not approved" vfychain -d "sql:$PWD/nss-$1" -u 1 -pp -a "$1-good.pem"
}
@test "NSS's libpkix accepts it as a client, and refuses it as a server: type not approved" {
    for_each_kind nss_pkix
}

nss_server() {
    refused "invalid: Certificate type not approved" nss_verify "$1" good V
}
@test "NSS refuses it as a server: type not approved" { for_each_kind nss_server; }

nss_expired() {
    refused "expired" nss_verify "$1" good C -b "$(later %y%m%d%H%M%SZ)"
}
@test "NSS refuses it in two years: expired" { for_each_kind nss_expired; }

nss_revoked() {
    crlutil -I -d "sql:$PWD/nss-$1" -i "$1.crl.der" &&
        refused "revoked" nss_verify "$1" gone C &&
        accepted "certificate is valid" nss_verify "$1" good C
}
@test "NSS refuses a revoked one with the CRL, and still accepts the other" { for_each_kind nss_revoked; }

nss_missing() {
    certutil -D -d "sql:$PWD/nss-$1" -n issuing &&
        refused "issuer is unknown" nss_verify "$1" good C ||
        refused "issuer is not recognized" nss_verify "$1" good C
}
@test "NSS refuses it without the intermediate: issuer is unknown" { for_each_kind nss_missing; }
