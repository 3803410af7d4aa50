# A CA's own certificate: signet issuer self-sign|csr|import|list; every signature scheme.
load common
load expect

setup_file() {
    start_in_own_folder
    KEY_TYPE=P-384 make_root_home root
    KEY_TYPE=P-256 make_home sub
    # A CA of somebody else's, by openssl.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout outside.key \
        -out outside.pem -days 3650 -subj "/CN=Outside Root" \
        -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
    cat >ca.cnf <<'EOT'
[ca]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
[no_crls]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[no_usage]
basicConstraints = critical,CA:TRUE
EOT
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# by_outside SECTION REQUEST CERTIFICATE [OPTION...]
by_outside() {
    local section=$1 request=$2 certificate=$3
    shift 3
    openssl x509 -req -in "$request" -CA outside.pem -CAkey outside.key -CAcreateserial -days 3000 \
        -extfile ca.cnf -extensions "$section" -out "$certificate" "$@" 2>/dev/null
}

@test "a root: certified by its own key, with what RFC 5280 wants of one" {
    openssl verify -x509_strict -check_ss_sig -CAfile root.pem root.pem
    cmp root.pem root/root.pem
    openssl x509 -in root.pem -noout -text -nameopt oneline,-space_eq >text
    grep -q "Issuer: CN=Test CA root, O=Example GmbH" text
    grep -q "CA:TRUE" text
    grep -A1 "X509v3 Key Usage: critical" text | grep -q "Certificate Sign, CRL Sign"
    grep -q "ecdsa-with-SHA384" text
    not grep -q "Digital Signature" text
    ok signet -C root list
    says "valid" "root-ca" "Test CA root"
}

@test "a root is made once" {
    untouched root fails 1 "root.pem" "--force" -- signet -C root issuer self-sign root --subject "CN=Other"
}

@test "self-sign leaves an existing output alone, and then certifies nothing" {
    make_home late
    echo mine >late.pem
    untouched late fails 1 "late.pem exists" -- \
        signet -C late issuer self-sign late --subject CN=Late -o late.pem
    [ "$(cat late.pem)" = mine ]
    ok signet -C late issuer self-sign late --subject CN=Late -o late.pem --force
    openssl x509 -in late.pem -noout
}

@test "self-sign keeps to the policy" {
    KEY_TYPE=RSA-2048 make_home weak
    untouched weak fails 3 "policy root-ca: keys" "RSA-2048" -- \
        signet -C weak issuer self-sign weak --subject CN=Weak
    untouched sub fails 3 "policy root-ca: subject.CN" -- \
        signet -C sub issuer self-sign sub --subject O=Nameless
    fails 2 "no policy 'nothing'" "root-ca" -- \
        signet -C weak issuer self-sign weak --subject CN=Weak -p nothing
    fails 2 "--subject" -- signet -C weak issuer self-sign weak
    fails 2 "CN=device,O=Example" -- signet -C weak issuer self-sign weak --subject Weak
    fails 2 "no issuer 'other'" "weak" -- signet -C weak issuer self-sign other --subject CN=Weak
}

@test "an issuer without a certificate says how it gets one" {
    make_request d.csr device-AB12
    untouched sub fails 1 "no certificate yet" "issuer self-sign" "issuer csr" "issuer import" -- \
        signet -C sub issue -p ocsp-responder d.csr
    untouched sub fails 1 "no certificate yet" -- signet -C sub crl
}

@test "an issuer without a key says what the token has" {
    make_token bare
    signet init bare --token pkcs11:token=bare --profile softhsm --pin "file:$PWD/pin/bare"
    fails 4 "bare" "signet key create" -- signet -C bare issuer self-sign bare --subject CN=Bare
    fails 4 "bare" -- signet -C bare issuer csr bare --subject CN=Bare
}

@test "issuer csr: a good request, signed by the token" {
    ok signet -C sub issuer csr sub --subject "CN=Sub CA,O=Example GmbH"
    echo "$output" >sub.csr
    openssl req -in sub.csr -verify -noout
    openssl req -in sub.csr -noout -subject -nameopt oneline,-space_eq | grep -q "CN=Sub CA"
    openssl req -in sub.csr -noout -text | grep -q "CA:TRUE"
    ok signet -C sub issuer csr sub --subject "CN=Sub CA" -o again.csr
    fails 1 "again.csr exists" -- signet -C sub issuer csr sub --subject "CN=Sub CA" -o again.csr
}

@test "import refuses a certificate for another key" {
    make_request other.csr Other
    by_outside ca other.csr other.pem
    untouched sub fails 3 "another key" "sub" -- \
        signet -C sub issuer import sub other.pem --chain outside.pem
}

@test "import refuses what is no CA certificate, or may not sign CRLs" {
    for section in leaf no_crls no_usage; do by_outside $section sub.csr $section.pem; done
    untouched sub fails 3 "no CA certificate" "basicConstraints" -- \
        signet -C sub issuer import sub leaf.pem --chain outside.pem
    untouched sub fails 3 "keyCertSign and cRLSign" -- \
        signet -C sub issuer import sub no_crls.pem --chain outside.pem
    untouched sub fails 3 "keyUsage" -- \
        signet -C sub issuer import sub no_usage.pem --chain outside.pem
}

@test "import refuses an incomplete or wrong chain" {
    by_outside ca sub.csr sub.pem
    untouched sub fails 3 "not self-signed" "up to the root" -- signet -C sub issuer import sub sub.pem
    untouched sub fails 3 "was not issued by" -- signet -C sub issuer import sub sub.pem --chain root.pem
}

@test "import refuses a certificate that is not in force" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout old.key -out old.pem \
        -subj "/CN=Old Root" -days 1 -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
    touch index.txt
    openssl ca -batch -config <(printf '%s\n' '[ca]' 'default_ca=d' '[d]' "dir=$PWD" "database=$PWD/index.txt" \
        "new_certs_dir=$PWD" 'default_md=sha256' 'policy=p' 'rand_serial=yes' '[p]' 'commonName=supplied' \
        'organizationName=optional' '[ca_ext]' 'basicConstraints=critical,CA:TRUE' \
        'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash') \
        -extensions ca_ext -cert outside.pem -keyfile outside.key -in sub.csr -out expired.pem -notext \
        -startdate 20200101000000Z -enddate 20210101000000Z 2>/dev/null
    untouched sub fails 3 "2021-01-01" -- signet -C sub issuer import sub expired.pem --chain outside.pem
}

@test "import of what is no certificate" {
    untouched sub fails 3 "sub.csr" "CERTIFICATE" -- signet -C sub issuer import sub sub.csr
    echo nothing >text
    ends 3 "text" -- signet -C sub issuer import sub text
    fails 1 "no-such-file" -- signet -C sub issuer import sub no-such-file
}

@test "an outside root: import puts certificate and chain in place, and the CA works" {
    cat sub.pem outside.pem >both.pem
    ok signet -C sub issuer import sub both.pem
    openssl verify -x509_strict -CAfile outside.pem sub/sub.pem
    add_device sub device-AB12
    ok signet -C sub issue -p device-mtls -d device-AB12 -o d.pem d.csr
    openssl verify -x509_strict -purpose sslclient -CAfile outside.pem -untrusted sub.pem d.pem
    untouched sub fails 1 "--force" -- signet -C sub issuer import sub both.pem
    ok signet -C sub issuer list --json
    json '.[0].name' sub
    json '.[0].state' active
    json '.[0].not_after | length' 20
}

@test "another home's CA: a chain of three" {
    KEY_TYPE=P-256 make_issuing_home issuing root
    openssl verify -x509_strict -CAfile root.pem issuing.pem
    openssl x509 -in issuing.pem -noout -text | grep -q "CA:TRUE, pathlen:0"
    add_device issuing device-AB12
    ok signet -C issuing issue -p device-mtls -d device-AB12 -o d3.pem d.csr
    openssl verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted issuing.pem d3.pem
}

@test "an issuing CA of path length 0 certifies no CA" {
    make_home below
    signet -C below issuer csr below --subject CN=Below -o below.csr
    untouched issuing fails 3 "policy issuing-ca: ca" "path length 0" -- \
        signet -C issuing issue -p issuing-ca -o below.pem below.csr
    expect_absent below.pem
}

@test "retired and status-only issuers sign no certificates" {
    cp -r issuing rolled
    sed -i 's/state: active/state: status-only/' rolled/signet.yaml
    fails 3 "status-only" -- signet -C rolled issue -p device-mtls -d device-AB12 --issuer issuing d.csr
    ok signet -C rolled crl --issuer issuing
    sed -i 's/state: status-only/state: retired/' rolled/signet.yaml
    fails 3 "retired" -- signet -C rolled issue -p device-mtls -d device-AB12 --issuer issuing d.csr
    fails 3 "retired" -- signet -C rolled crl --issuer issuing
}

# set_scheme HOME SCHEME
set_scheme() {
    sed -i "/^ *signature:/d; s/^ *state: active/&\n    signature: $2/" "$1/signet.yaml"
    grep -q "^    signature: $2" "$1/signet.yaml"
}

# signs_with HOME SCHEME NAME: a certificate and a CRL by SCHEME, which openssl calls NAME.
signs_with() {
    set_scheme "$1" "$2"
    ok signet -C "$1" issue -p anyone -d device-AB12 -o "$2.pem" d.csr
    openssl verify -x509_strict -CAfile "$1.pem" "$2.pem"
    openssl x509 -in "$2.pem" -noout -text | grep -q "Signature Algorithm: $3"
    ok signet -C "$1" crl -o "$2.crl"
    openssl crl -in "$2.crl" -CAfile "$1.pem" -noout 2>&1 | grep -q "verify OK"
    openssl crl -in "$2.crl" -noout -text | grep -q "Signature Algorithm: $3"
    ok signet -C "$1" revoke "$2.pem"
}

@test "RSA: PKCS#1 v1.5 and PSS, each with SHA-256, -384 and -512" {
    KEY_TYPE=RSA-2048 make_home rsa
    take_weak_keys rsa
    signet -C rsa issuer self-sign rsa --subject CN=RSA -o rsa.pem
    add_device rsa device-AB12
    make_policy rsa anyone
    for bits in 256 384 512; do
        signs_with rsa rsa-sha$bits sha${bits}WithRSAEncryption
        signs_with rsa rsa-pss-sha$bits rsassaPss
        openssl x509 -in rsa-pss-sha$bits.pem -noout -text | grep -q "Hash Algorithm: sha$bits"
        openssl x509 -in rsa-pss-sha$bits.pem -noout -text | grep -q "mgf1 with sha$bits"
    done
}

@test "ECDSA: P-256, P-384 and P-521, with SHA-256, -384 and -512" {
    for curve in 256 384 521; do
        home=ec$curve
        KEY_TYPE=P-$curve make_root_home $home
        add_device $home device-AB12
        make_policy $home anyone
        for bits in 256 384 512; do
            signs_with $home ecdsa-sha$bits ecdsa-with-SHA$bits
            rm ecdsa-sha$bits.pem ecdsa-sha$bits.crl
        done
    done
}

@test "a root and its request can be made by RSA-PSS too" {
    take_weak_keys weak
    set_scheme weak rsa-pss-sha256
    ok signet -C weak issuer csr weak --subject CN=Weak -o weak.csr
    openssl req -in weak.csr -verify -noout
    ok signet -C weak issuer self-sign weak --subject CN=Weak -o weak.pem
    openssl verify -x509_strict -check_ss_sig -CAfile weak.pem weak.pem
    openssl x509 -in weak.pem -noout -text | grep -q "Signature Algorithm: rsassaPss"
}

@test "a scheme that does not fit the key is refused before anything is signed" {
    set_scheme issuing rsa-sha256
    make_request d2.csr device-CD34
    add_device issuing device-CD34
    untouched issuing ends 1 "rsa-sha256" "P-256" -- \
        signet -C issuing issue -p device-mtls -d device-CD34 -o d2.pem d2.csr
    expect_absent d2.pem
    sed -i '/^ *signature:/d' issuing/signet.yaml
}

@test "a key that is not the issuer's" {
    # Same label, another key, in the place of the first.
    cp -r issuing changed
    make_token imposter
    signet key create "pkcs11:token=imposter;object=issuing" --profile softhsm --pin file:pin/imposter
    sed -i "s/pkcs11:token=issuing/pkcs11:token=imposter/; s,pin/issuing,pin/imposter," changed/signet.yaml
    untouched changed fails 4 "issuing" "certificate" -- \
        signet -C changed issue -p device-mtls -d device-AB12 -o c.pem d.csr
    untouched changed fails 4 "certificate" -- signet -C changed crl -o c.crl
    expect_absent c.pem c.crl
}
