# What comes in wrong: a precise message, the right exit status, and nothing half-written.
# Full disks, read-only stores and failing tokens: tests/fault.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_device ca device-AB12
    make_key_and_request good.csr /CN=device-AB12
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    rm -rf broken
    cp -r ca broken
}

# refused REQUEST TEXT...: the message names it and says every TEXT; nothing is left of it.
refused() {
    local request=$1
    shift
    untouched ca fails 3 "signet: refused: " "$request" "$@" -- \
        signet -C ca issue -p device-mtls -d device-AB12 -o no.pem "$request"
    expect_absent no.pem
}

# broken_home STATUS TEXT...: issuing from the home `broken` fails, and leaves no trace.
broken_home() {
    fails "$@" -- signet -C broken issue -p device-mtls -d device-AB12 -o no.pem good.csr
    expect_absent no.pem
}

# set_line PATTERN LINE: in the signet.yaml of `broken`; \n begins another line.
set_line() {
    grep -q "$1" broken/signet.yaml
    sed -i "s|$1.*|$2|" broken/signet.yaml
}

# --- requests ----------------------------------------------------------------------------------

@test "the good request is good" {
    ok signet -C ca issue -p device-mtls -d device-AB12 -o good.pem good.csr
    signet -C ca revoke good.pem
}

@test "data behind the request" {
    openssl req -in good.csr -outform DER -out trailing.der
    printf '\0' >>trailing.der
    refused trailing.der "RFC 2986" "1 byte behind the end"
    cat good.csr good.csr >two.csr
    refused two.csr "2 PEM blocks"
}

@test "a request that is cut short, or damaged" {
    openssl req -in good.csr -outform DER | head -c 100 >cut.der
    refused cut.der "cut short" "100 of the"
    sed '3d' good.csr >damaged.csr
    refused damaged.csr
    sed '2s/^.../###/' good.csr >damaged.csr
    refused damaged.csr
    : >empty.csr
    refused empty.csr "the request is empty"
    head -c 70000 /dev/zero >huge.csr
    refused huge.csr "65536"
}

@test "what is no request at all" {
    openssl req -in good.csr -pubkey -noout >public.pem
    refused public.pem "a public key alone"
    refused ca.pem "a certificate, not a certificate request"
    refused good.key "private key"
    openssl pkey -in good.key -outform DER -out key.der
    refused key.der "private key"
    echo "dear CA, please" >letter.txt
    refused letter.txt "neither DER nor PEM"
    sed '/-----/d' good.csr >bare.csr
    refused bare.csr "BEGIN CERTIFICATE REQUEST"
}

@test "signed with MD5 or SHA-1" {
    openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=device-AB12 -md5 \
        -out md5.csr 2>/dev/null
    refused md5.csr "MD5" "SHA-256"
    make_key_and_request sha1.csr /CN=device-AB12 -sha1
    refused sha1.csr "SHA-1" "SHA-256"
    openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=device-AB12 -sha1 \
        -sigopt rsa_padding_mode:pss -out pss-sha1.csr 2>/dev/null
    refused pss-sha1.csr "SHA-1"
}

@test "another version than 1" {
    refused "$BATS_TEST_DIRNAME/requests/version-3.csr" "policy device-mtls: request.version" "must be 0 (v1)"
}

@test "possession: signed by another key, or changed after it was signed" {
    refused "$BATS_TEST_DIRNAME/requests/changed-after-signing.csr" "not by the key inside it"
    openssl req -in good.csr -outform DER -out flipped.der
    size=$(stat -c %s flipped.der)
    last=$(tail -c 1 flipped.der | od -An -tu1)
    printf "\\$(printf %o $((last ^ 1)))" | dd of=flipped.der bs=1 seek=$((size - 1)) conv=notrunc status=none
    refused flipped.der "not by the key inside it"
}

@test "names: multi-valued RDN, zero byte, line break, invalid UTF-8" {
    make_key_and_request multi.csr "/CN=device-AB12+O=Example"
    refused multi.csr "RDN has more than one value"
    refused "$BATS_TEST_DIRNAME/requests/nul-in-cn.csr" "subject CN" "zero byte"
    make_key_and_request break.csr $'/CN=device-AB12\nO=Example' -utf8
    refused break.csr "subject CN" "line break"
    refused "$BATS_TEST_DIRNAME/requests/invalid-utf8.csr" "the subject" "UTF-8"
}

@test "keys: RSA-1024, even a good curve spelled out, a curve of another kind, DSA" {
    openssl req -new -newkey rsa:1024 -nodes -keyout /dev/null -subj /CN=device-AB12 -out 1024.csr 2>/dev/null
    refused 1024.csr "1024" "2048"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -nodes \
        -keyout /dev/null -subj /CN=device-AB12 -out explicit.csr 2>/dev/null
    refused explicit.csr "curve"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes \
        -keyout /dev/null -subj /CN=device-AB12 -out k1.csr 2>/dev/null
    refused k1.csr "P-256, P-384 or P-521"
    openssl req -new -newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3 -nodes -keyout /dev/null \
        -subj /CN=device-AB12 -out e3.csr 2>/dev/null
    refused e3.csr "exponent 3" "65537"
}

@test "extensions: one twice, two requests for them, one that can't be read" {
    cat >twice.cnf <<'EOT'
[req]
distinguished_name = dn
req_extensions = ext
prompt = no
[dn]
CN = device-AB12
[ext]
extendedKeyUsage = clientAuth
2.5.29.37 = DER:300a06082b06010505070301
EOT
    make_key_and_request twice.csr /CN=device-AB12 -config twice.cnf
    refused twice.csr "extendedKeyUsage" "twice"
    refused "$BATS_TEST_DIRNAME/requests/two-extension-requests.csr" "twice"
    make_key_and_request junk.csr /CN=device-AB12 -addext 2.5.29.37=DER:0500
    refused junk.csr "extendedKeyUsage"
}

@test "a request that is a folder, or not there" {
    mkdir -p folder
    untouched ca fails 1 "folder" -- signet -C ca issue -p device-mtls -d device-AB12 -o no.pem folder
    untouched ca fails 1 "no-such.csr" -- signet -C ca issue -p device-mtls -d device-AB12 -o no.pem no-such.csr
    expect_absent no.pem
}

# --- tokens ------------------------------------------------------------------------------------

@test "the token is not there" {
    set_line "uri: 'pkcs11:token=ca'" "uri: 'pkcs11:token=lost'"
    broken_home 4 "lost" "ca"
}

@test "the wrong token: without the key" {
    make_token empty
    set_line "uri: 'pkcs11:token=ca'" "uri: 'pkcs11:token=empty'"
    set_line "pin: .*" "pin: file:../pin/empty"
    broken_home 4 "pkcs11:object=ca" "empty"
}

@test "a wrong PIN: one try, remembered" {
    (umask 077 && echo wrong >pin/wrong)
    set_line "pin: .*" "pin: file:../pin/wrong"
    broken_home 4 "PIN" "refused"
    broken_home 4 "before"
    [[ $stderr != *wrong-pin* ]]
}

@test "two keys that match" {
    make_token double
    for id in a1 a2; do
        openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out twin.key 2>/dev/null
        softhsm2-util --import twin.key --token double --label ca --id $id --pin "$(cat pin/double)" >/dev/null
    done
    set_line "uri: 'pkcs11:token=ca'" "uri: 'pkcs11:token=double'"
    set_line "pin: .*" "pin: file:../pin/double"
    broken_home 4 "pkcs11:object=ca" "2"
}

@test "a key that is not that of the issuer's certificate" {
    make_token foreign
    signet key create "pkcs11:token=foreign;object=ca" --profile softhsm --pin file:pin/foreign
    set_line "uri: 'pkcs11:token=ca'" "uri: 'pkcs11:token=foreign'"
    set_line "pin: .*" "pin: file:../pin/foreign"
    broken_home 4 "certificate"
    fails 4 "certificate" -- signet -C broken crl -o no.crl
    expect_absent no.crl
}

@test "the module can't be loaded" {
    set_line "profile: .*" "module: /nowhere/lost.so"
    broken_home 4 "/nowhere/lost.so"
    set_line "module: .*" "profile: nothing"
    broken_home 2 "nothing" || broken_home 1 "nothing"
}

# --- the issuer's certificate --------------------------------------------------------------------

@test "an expired issuer" {
    make_home old
    sed -i 's/^validity: .*/validity: {for: 3s}/; /^examples/,$d' old/policies/root-ca.yaml
    signet -C old issuer self-sign old --subject CN=Old -o old.pem
    add_device old device-AB12
    while openssl x509 -in old.pem -noout -checkend 0 >/dev/null; do sleep 0.3; done
    sleep 1
    untouched old fails 3 "policy device-mtls: validity" "issuer old has expired" -- \
        signet -C old issue -p device-mtls -d device-AB12 -o no.pem good.csr
    expect_absent no.pem
    # It says so before anyone waits for a token.
    ends 3 -- signet -C old check -p device-mtls -d device-AB12 good.csr
    says "REFUSE  validity"
}

@test "a certificate that would outlive its issuer" {
    make_policy ca long 'validity={for: 30y, past_issuer: refuse}'
    untouched ca fails 3 "policy long: validity" "past its issuer" "cut" -- \
        signet -C ca issue -p long -d device-AB12 -o no.pem good.csr
    expect_absent no.pem
}

@test "a certificate file that is none, or another's" {
    echo nonsense >broken/ca.pem
    broken_home 1 "ca.pem"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj /CN=leaf -days 1 -addext basicConstraints=critical,CA:FALSE -out leaf.pem 2>/dev/null
    cp leaf.pem broken/ca.pem
    broken_home 1 "ca.pem" "basicConstraints"
    rm broken/ca.pem
    broken_home 1 "no certificate yet"
}

# --- signet.yaml -----------------------------------------------------------------------------------

@test "signet.yaml: empty, no YAML, unreadable" {
    : >broken/signet.yaml
    broken_home 1 "broken/signet.yaml" "empty"
    printf 'ca: x\n\tstore: y\n' >broken/signet.yaml
    broken_home 1 "broken/signet.yaml:2:1" "tab"
    printf 'ca: [x\n' >broken/signet.yaml
    broken_home 1 "broken/signet.yaml:"
    chmod 0 broken/signet.yaml
    fails 1 "broken/signet.yaml" "denied" -- unprivileged "$SIGNET" -C broken list
    rm broken/signet.yaml
    broken_home 1 "no CA home" "signet init"
    mkdir broken/signet.yaml
    broken_home 1 "broken/signet.yaml"
}

@test "signet.yaml: keys and values that are wrong, with line and column" {
    line=$(grep -n '^store:' broken/signet.yaml | cut -d: -f1)
    set_line "^store:" "stroe: sqlite:signet.db"
    broken_home 1 "broken/signet.yaml:$line:1" "unknown key 'stroe'" "store"
    set_line "^stroe:" "store: sqlite:signet.db\\nstore: sqlite:other.db"
    broken_home 1 "broken/signet.yaml:$((line + 1)):1" "'store' is here twice" "line $line"
    sed -i "$((line + 1))d" broken/signet.yaml
    set_line "^store:" "store: mysql:signet"
    broken_home 1 "broken/signet.yaml:$line:8" "sqlite:FILE"
    set_line "^store:" "store: [sqlite, signet.db]"
    broken_home 1 "broken/signet.yaml:$line:8" "store has to be a single value"
    set_line "^store:" "store:"
    broken_home 1 "broken/signet.yaml:$line:" "store"
    set_line "^store:" "store: sqlite:signet.db"
    set_line "crl: {next_update" "crl: {next_update: 7}"
    broken_home 1 "broken/signet.yaml:" "next_update"
    set_line "crl: {next_update" "crl: {next_update: 7d}"
    set_line "state: " "state: asleep"
    broken_home 1 "asleep" "active, status-only, retired"
    set_line "state: " "state: active"
    set_line "    token: " "    token: elsewhere"
    broken_home 1 "no token 'elsewhere'"
}

@test "signet.yaml: a PIN in a URI, a PIN as a source" {
    set_line "uri: " "uri: 'pkcs11:token=ca?pin-value=4711'"
    broken_home 1 "PIN does not belong into a URI"
    [[ $stderr != *4711* ]]
    set_line "uri: " "uri: 'pkcs11:token=ca'"
    set_line "    pin: " "    pin: '4711'"
    broken_home 1 "file:" "prompt"
    [[ $stderr != *4711* ]]
}

# --- the store -------------------------------------------------------------------------------------

@test "the store is missing, no database, or a later one" {
    rm broken/signet.db*
    broken_home 5 "signet.db" "signet init"
    [ ! -e broken/signet.db ]
    echo nonsense >broken/signet.db
    broken_home 5 "signet.db"
    [ "$(cat broken/signet.db)" = nonsense ]
    rm broken/signet.db
    sqlite3 broken/signet.db 'create table mine (a)'
    broken_home 5 "not a store of Signet's"
    rm broken/signet.db*
    cp ca/signet.db broken
    sqlite3 broken/signet.db 'pragma user_version = 99'
    broken_home 5 "99" "newer Signet"
}

@test "a damaged store" {
    dd if=/dev/urandom of=broken/signet.db bs=4096 seek=1 count=8 conv=notrunc status=none
    broken_home 5 "signet.db"
}
