# writers: every program of writers/verdicts.table writes its requests, and each gets the verdict
# that stands there. What is accepted is shown, issued, and accepted by OpenSSL.
load ../flow/common
load ../flow/expect

WRITERS=$BATS_TEST_DIRNAME/writers

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_policy ca writers 'request={subject: equal}' \
        'keys=[{ec: [P-256, P-384], key_usage: [digitalSignature]}, {rsa: 2048..4096, key_usage: [digitalSignature]}, {ed25519: true, key_usage: [digitalSignature]}]'
    head -c 64 /dev/urandom >noise
    printf 'a challenge' >challenge
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# --- the writers: PROGRAM KIND CN writes request.csr ---------------------------------------------

openssl_request() {
    local kind=$1 cn=$2 key=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256) request=()
    case $kind in
    rsa | md5) key=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) ;;&
    sha*) key=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) request=("-$kind") ;;
    md5) request=(-md5) ;;
    pss) key=(-algorithm RSA) request=(-sigopt rsa_padding_mode:pss) ;;
    pss-sha512) key=(-algorithm RSA) request=(-sha512 -sigopt rsa_padding_mode:pss) ;;
    pss-key) key=(-algorithm RSA-PSS) ;;
    rsa-1024) key=(-algorithm RSA -pkeyopt rsa_keygen_bits:1024) ;;
    p384) key=(-algorithm EC -pkeyopt ec_paramgen_curve:P-384) ;;
    p521) key=(-algorithm EC -pkeyopt ec_paramgen_curve:P-521) ;;
    k256) key=(-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1) ;;
    explicit) key+=(-pkeyopt ec_param_enc:explicit) ;;
    ed25519) key=(-algorithm ED25519) ;;
    ed448) key=(-algorithm ED448) ;;
    ext) request=(-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth
        -addext basicConstraints=critical,CA:FALSE) ;;
    server) request=(-addext extendedKeyUsage=serverAuth) ;;
    ca) request=(-addext basicConstraints=critical,CA:TRUE) ;;
    dns) request=(-addext subjectAltName=DNS:www.example.com) ;;
    old-label) request=(-newhdr) ;;
    der) request=(-outform DER) ;;
    challenge) request=(-config challenge.cnf) ;;
    esac
    printf '[req]\nprompt = no\ndistinguished_name = dn\nattributes = more\n[dn]\nCN = %s\n[more]\nchallengePassword = a challenge\n' \
        "$cn" >challenge.cnf
    openssl genpkey "${key[@]}" -out writer.key 2>/dev/null
    [ "$kind" = challenge ] || request+=(-subj "/CN=$cn")
    openssl req -new -key writer.key -out request.csr "${request[@]}"
}

certtool_request() {
    local kind=$1 cn=$2 key=(--key-type ecdsa --curve secp256r1)
    printf 'cn = "%s"\n' "$cn" >template
    case $kind in
    rsa) key=(--key-type rsa --bits 2048) ;;
    pss-key) key=(--key-type rsa-pss --bits 2048) ;;
    p384) key=(--key-type ecdsa --curve secp384r1) ;;
    p521) key=(--key-type ecdsa --curve secp521r1) ;;
    ed25519) key=(--key-type eddsa --curve ed25519) ;;
    ext) printf 'signing_key\ntls_www_client\n' >>template ;;
    server) printf 'tls_www_server\n' >>template ;;
    esac
    certtool --generate-privkey "${key[@]}" --outfile writer.key 2>/dev/null
    certtool --generate-request --load-privkey writer.key --template template --outfile request.csr 2>/dev/null
}

keytool_request() {
    local kind=$1 cn=$2 key=(-keyalg EC -groupname secp256r1) request=()
    case $kind in
    rsa) key=(-keyalg RSA -keysize 2048) ;;
    pss) key=(-keyalg RSA -keysize 2048) request=(-sigalg RSASSA-PSS) ;;
    sha1) key=(-keyalg RSA -keysize 2048) request=(-sigalg SHA1withRSA) ;;
    pss-key) key=(-keyalg RSASSA-PSS -keysize 2048) ;;
    dsa) key=(-keyalg DSA -keysize 2048) ;;
    p384) key=(-keyalg EC -groupname secp384r1) ;;
    p521) key=(-keyalg EC -groupname secp521r1) ;;
    ed25519) key=(-keyalg Ed25519) ;;
    ed448) key=(-keyalg Ed448) ;;
    ext) request=(-ext KU:critical=digitalSignature -ext EKU=clientAuth) ;;
    server) request=(-ext EKU=serverAuth) ;;
    esac
    rm -f writer.keystore
    keytool -genkeypair -keystore writer.keystore -storepass changeit -alias key -dname "CN=$cn" "${key[@]}" 2>&1
    keytool -certreq -keystore writer.keystore -storepass changeit -alias key -file request.csr "${request[@]}" 2>&1
}

certutil_request() {
    local kind=$1 cn=$2 key=(-k ec -q nistp256)
    case $kind in
    rsa) key=(-k rsa -g 2048) ;;
    pss-key) key=(-k rsa -g 2048 --pss) ;;
    sha1) key=(-k rsa -g 2048 -Z SHA1) ;;
    p384) key=(-k ec -q nistp384) ;;
    p521) key=(-k ec -q nistp521) ;;
    ext) key+=(--keyUsage digitalSignature,critical --extKeyUsage clientAuth) ;;
    server) key+=(--extKeyUsage serverAuth) ;;
    esac
    rm -rf writer-nss && mkdir writer-nss
    certutil -N -d "sql:$PWD/writer-nss" --empty-password
    certutil -R -d "sql:$PWD/writer-nss" -s "CN=$cn" -z noise -a -o request.csr "${key[@]}" 2>&1
}

botan_request() {
    local kind=$1 cn=$2 key=(--algo=ECDSA --params=secp256r1) request=()
    case $kind in
    rsa) key=(--algo=RSA --params=2048) ;;
    pss) key=(--algo=RSA --params=2048) request=(--emsa=EMSA4) ;;
    p384) key=(--algo=ECDSA --params=secp384r1) ;;
    p521) key=(--algo=ECDSA --params=secp521r1) ;;
    k256) key=(--algo=ECDSA --params=secp256k1) ;;
    ed25519) key=(--algo=Ed25519) ;;
    esac
    botan keygen "${key[@]}" --output=writer.key
    botan gen_pkcs10 writer.key "$cn" "${request[@]}" --output=request.csr
}

strongswan_request() {
    local kind=$1 cn=$2 key=(--type ecdsa --size 256) request=()
    case $kind in
    rsa) key=(--type rsa --size 2048) ;;
    pss) key=(--type rsa --size 2048) request=(--rsa-padding pss) ;;
    sha1) key=(--type rsa --size 2048) request=(--digest sha1) ;;
    p384) key=(--type ecdsa --size 384) ;;
    p521) key=(--type ecdsa --size 521) ;;
    ed25519 | ed448) key=(--type "$kind") ;;
    ext) request=(--profile client) ;;
    server) request=(--profile server) ;;
    challenge) request=(--password "a challenge") ;;
    esac
    # It complains of plugins that can't be loaded.
    pki --gen "${key[@]}" >writer.key 2>pki.log || fail "$(cat pki.log)"
    pki --req --in writer.key --type priv --dn "CN=$cn" --outform pem "${request[@]}" >request.csr 2>pki.log ||
        fail "$(cat pki.log)"
}

forge_request() {
    NODE_PATH=$PWD/forge/node_modules node "$WRITERS/forge.js" "$@" >request.csr
}

pyca_request() {
    "$python" "$WRITERS/cryptography_request.py" "$@" >request.csr
}

# --- the verdicts --------------------------------------------------------------------------------

# served CN: shown with that name, issued, and the certificate is for the request's key.
served() {
    local form=PEM
    grep -q BEGIN request.csr || form=DER
    ok signet show request.csr &&
        says "certificate request" "CN=$1" &&
        ok signet -C ca issue -p writers -d "$1" -o "$1.pem" request.csr &&
        openssl verify -x509_strict -purpose sslclient -CAfile ca.pem "$1.pem" &&
        expect_equal key "$(openssl req -in request.csr -inform $form -noout -pubkey)" \
            "$(openssl x509 -in "$1.pem" -noout -pubkey)"
}

# gets PROGRAM KIND VERDICT
gets() {
    local program=$1 kind=$2 verdict=$3 cn=$1$2
    cn=device-$(tr -d - <<<"${cn^^}")
    echo "$program $kind should be: $verdict" # seen when it is not
    rm -f request.csr
    add_device ca "$cn"
    "${program%-*}_request" "$kind" "$cn"
    if [ "$verdict" = accepted ]; then
        served "$cn"
    else
        untouched ca fails 3 "$verdict" -- signet -C ca issue -p writers -d "$cn" -o "$cn.pem" request.csr &&
            expect_absent "$cn.pem"
    fi
}

# rows [PROGRAM]: the table without its comments.
rows() {
    grep -v '^#\|^$' "$WRITERS/verdicts.table" | grep "^${1:-[a-z-]*} "
}

# each_row PROGRAM: at least one, and each as the table has it.
each_row() {
    local program kind verdict num=0
    while read -r program kind verdict <&9; do
        num=$((num + 1))
        gets "$program" "$kind" "$verdict"
    done 9< <(rows "$1")
    [ "$num" -gt 0 ]
}

need() {
    command -v "$1" >/dev/null || skip "there is no $1"
}

# find_pyca: $python, an interpreter that has the package.
find_pyca() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import cryptography' 2>/dev/null; then
            return 0
        fi
    done
    skip "python3-cryptography is missing"
}

@test "openssl req" { each_row openssl; }
@test "certtool --generate-request (GnuTLS)" { need certtool && each_row certtool; }
@test "keytool -certreq (Java)" { need keytool && each_row keytool; }
@test "certutil -R (NSS)" { need certutil && each_row certutil; }
@test "botan gen_pkcs10" { need botan && each_row botan; }
@test "pki --req (strongSwan)" { need pki && each_row strongswan; }
@test "python3-cryptography" { find_pyca && each_row pyca; }

@test "python3-cryptography, signed by PSS" {
    find_pyca
    "$python" -c 'import inspect, cryptography.x509 as x
exit("rsa_padding" not in inspect.signature(x.CertificateSigningRequestBuilder.sign).parameters)' ||
        skip "this version of python3-cryptography cannot"
    each_row pyca-pss
}

# Debian does not package node-forge; package-lock.json says which one npm may bring.
@test "node-forge" {
    need node
    need npm
    mkdir -p forge
    cp "$WRITERS"/package*.json forge
    (cd forge && timeout 120 npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
        skip "npm can't bring node-forge"
    each_row forge
}

@test "every program of the table has its test" {
    local program
    for program in $(rows | cut -d ' ' -f 1 | sort -u); do
        grep -q "each_row $program\b" "$BATS_TEST_FILENAME" || fail "$program"
    done
}

@test "the table is not taken on trust: another verdict fails" {
    run gets openssl md5 accepted
    [ "$status" -ne 0 ]
    run gets openssl der "RFC 6151: MD5"
    [ "$status" -ne 0 ]
}
