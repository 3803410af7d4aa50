# signet csr
load common
load expect

setup_file() {
    start_in_own_folder
    make_token card
    signet key create "pkcs11:token=card;object=ec" --profile softhsm --pin file:pin/card
    signet key create "pkcs11:token=card;object=rsa" --type RSA-2048 --profile softhsm --pin file:pin/card
    printf 'correct horse\n' >pin/pass
    printf 'battery staple\n' >pin/other
    openssl ecparam -name prime256v1 -genkey -out ec-old.key 2>/dev/null
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

# The table's third column has them as a shell takes them.
@test "every alternative name that docs/csr.md shows" {
    local num=0 san
    while read -r san; do
        ok bash -c "\"\$SIGNET\" csr --key ec-old.key --subject CN=x --san $san -o shown.csr --force"
        openssl req -in shown.csr -noout -text | grep -q "Subject Alternative Name" || fail "$san"
        num=$((num + 1))
    done < <(sed -n '/^The kinds of alternative names/,/^A shell/s/^|[^|]*|\(.*\)|$/\1/p' "$SIGNET_DATA/docs/csr.md" |
        grep -o '`[^`]*:[^`]*`' | tr -d '`' | sed "s/^\([^']*\)\$/'\1'/")
    [ "$num" -eq 13 ]
}

@test "an issuer's key is refused: its store would not know what it signed" {
    make_root_home signer
    by_uri() {
        local home=$1
        shift
        signet ${home:+-C "$home"} csr --key "pkcs11:token=signer;object=signer" --profile softhsm \
            --pin file:pin/signer --subject CN=x -o refused.csr "$@"
    }
    fails 3 "key of issuer signer" "signet -C signer issuer csr signer" -- by_uri signer
    SIGNET_HOME=signer fails 3 "key of issuer signer" -- by_uri ""
    expect_absent refused.csr
    # another key is good with the home, too
    ok signet -C signer csr --key "pkcs11:token=card;object=ec" --profile softhsm --pin file:pin/card \
        --subject CN=x -o good.csr
    # without the home: by the CA's certificate beside the key
    signet card import "pkcs11:token=signer;object=signer" --profile softhsm --pin file:pin/signer signer.pem
    fails 3 "a CA's certificate" "issuer csr" -- by_uri ""
    expect_absent refused.csr
}

@test "an end entity's certificate beside the key is no hindrance" {
    make_root_home plain
    signet -C plain device add device-AB12 type=leo region=us-east
    signet key create "pkcs11:token=card;object=renewed" --profile softhsm --pin file:pin/card
    csr renewed --subject CN=device-AB12 -o renewed.csr
    signet -C plain issue -p device-mtls -d device-AB12 -o renewed.pem renewed.csr
    signet card import "pkcs11:token=card;object=renewed" --profile softhsm --pin file:pin/card renewed.pem
    ok csr renewed --subject CN=device-AB12 -o next.csr
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
    fails 2 "--subject" "--from" -- csr ec
    fails 2 "CN=device,O=Example" -- csr ec --subject device
    fails 2 "RDN" -- csr ec --subject "CN=a+O=b"
    fails 2 "KIND:VALUE" -- csr ec --subject CN=x --san www.example.com
    ends 2 "colour" -- csr ec --subject CN=x --san colour:red
    ends 2 "nonsense" -- csr ec --subject CN=x --eku nonsense
    ends 2 "nonsense" -- csr ec --subject CN=x --key-usage nonsense
    ends 3 "C" -- csr ec --subject C=Germany
}

@test "which key" {
    fails 2 "--key" "--new-key" -- signet csr --subject CN=x
    fails 1 "--key ca: neither" "issuer csr" -- signet csr --key ca --subject CN=x
    fails 4 "absent" -- csr absent --subject CN=x
}

# --- keys in files ---------------------------------------------------------------------------------

# new_csr NAME OPTION...: a new key in NAME.key, its request in NAME.csr.
new_csr() {
    local name=$1
    shift
    signet csr --new-key "$name.key" -o "$name.csr" --passphrase file:pin/pass "$@"
}

# same_key KEY CSR: the request is by the key.
same_key() {
    diff <(openssl pkey -in "$1" -passin file:pin/pass -pubout) <(openssl req -in "$2" -noout -pubkey)
}

@test "a new key of each kind, encrypted, and its request" {
    for type in P-256 P-384 P-521 RSA-2048 RSA-3072 Ed25519; do
        ok new_csr "new-$type" --type $type --subject CN=x
        [ -z "$output" ]
        [[ $stderr == *"new-$type.key, encrypted"* ]]
        expect_equal mode 600 "$(stat -c %a "new-$type.key")"
        openssl req -in "new-$type.csr" -verify -noout
        same_key "new-$type.key" "new-$type.csr"
        not openssl pkey -in "new-$type.key" -passin file:pin/other -noout
        head -1 "new-$type.key" | grep -qx -- "-----BEGIN ENCRYPTED PRIVATE KEY-----"
    done
    openssl req -in new-P-384.csr -noout -text | grep -q "ecdsa-with-SHA384"
    openssl req -in new-Ed25519.csr -noout -text | grep -q "Signature Algorithm: ED25519"
}

# inside KEY: the ASN.1 of its encryption.
inside() {
    openssl asn1parse -in "$1"
}

@test "how the passphrase becomes a key" {
    ok new_csr scrypt --subject CN=x
    inside scrypt.key | grep -q scrypt
    inside scrypt.key | grep -q aes-256-cbc
    ok new_csr pbkdf2 --subject CN=x --kdf pbkdf2
    inside pbkdf2.key | grep -q PBKDF2
    inside pbkdf2.key | grep -q hmacWithSHA256
    inside pbkdf2.key | grep -q "INTEGER *:0927C0" # 600,000
    inside pbkdf2.key | grep -q aes-256-cbc
    certtool --password "$(cat pin/pass)" -k --infile pbkdf2.key >/dev/null
    fails 2 "scrypt or pbkdf2" -- new_csr no --subject CN=x --kdf md5
    expect_absent no.key no.csr
}

@test "a key that is not encrypted has to be asked for" {
    ok signet csr --new-key plain.key --no-passphrase --subject CN=x -o plain.csr
    [[ $stderr == *"plain.key, not encrypted"* ]]
    head -1 plain.key | grep -qx -- "-----BEGIN PRIVATE KEY-----"
    expect_equal mode 600 "$(stat -c %a plain.key)"
    openssl pkey -in plain.key -noout
    fails 1 "no terminal" -- setsid "$SIGNET" csr --new-key silent.key --subject CN=x
    expect_absent silent.key
}

@test "passphrases come from a source, and only from there" {
    PASS="correct horse" ok signet csr --new-key env.key --passphrase env:PASS --subject CN=x
    openssl pkey -in env.key -passin file:pin/pass -noout
    mkdir -p credentials && cp pin/pass credentials/key
    CREDENTIALS_DIRECTORY=$PWD/credentials ok signet csr --key env.key --passphrase credential:key --subject CN=x
    fails 2 "a passphrase source is" -- signet csr --new-key no.key --passphrase hunter2 --subject CN=x
    [[ $stderr != *hunter2* ]]
    fails 1 "the passphrase of new key file no.key, is not set" -- signet csr --new-key no.key --passphrase env:NONE --subject CN=x
    cp pin/pass open && chmod 644 open
    fails 1 "passphrase file" "chmod 600" -- signet csr --new-key no.key --passphrase file:open --subject CN=x
    expect_absent no.key
}

@test "an old key: PKCS#8 and the traditional forms, encrypted or not" {
    openssl genrsa -traditional -out rsa-old.key 2048 2>/dev/null
    openssl genpkey -algorithm ED25519 -out ed.key
    openssl ec -in ec-old.key -aes256 -passout file:pin/pass -out ec-old-sealed.key 2>/dev/null
    openssl rsa -in rsa-old.key -traditional -aes128 -passout file:pin/pass -out rsa-old-sealed.key 2>/dev/null
    openssl pkcs8 -topk8 -in ec-old.key -nocrypt -out ec.key
    openssl pkcs8 -topk8 -in rsa-old.key -passout file:pin/pass -out rsa-sealed.key
    grep -q "BEGIN EC PARAMETERS" ec-old.key
    grep -q "Proc-Type: 4,ENCRYPTED" ec-old-sealed.key
    grep -q "BEGIN RSA PRIVATE KEY" rsa-old.key
    for key in rsa-old ed ec-old ec-old-sealed rsa-old-sealed ec rsa-sealed; do
        ok signet csr --key $key.key --passphrase file:pin/pass --subject CN=x -o $key.csr
        openssl req -in $key.csr -verify -noout
        same_key $key.key $key.csr
    done
    for key in ec-old-sealed rsa-old-sealed rsa-sealed; do
        fails 1 "$key.key does not open with this passphrase" -- \
            signet csr --key $key.key --passphrase file:pin/other --subject CN=x
    done
}

@test "files without a key that could sign" {
    openssl genpkey -algorithm X25519 -out x25519.key
    openssl genrsa -out weak.key 1024 2>/dev/null
    openssl ecparam -name secp256k1 -genkey -noout -out koblitz.key
    openssl dsaparam -genkey -out dsa.key 2048 2>/dev/null
    openssl pkey -in dsa.key -traditional -out dsa-old.key
    openssl pkey -in ec-old.key -outform DER -out ec.der
    openssl pkey -in ec-old.key -pubout -out public.pem
    cat ec-old.key weak.key >two.key
    openssl pkcs8 -topk8 -nocrypt -in ec-old.key | sed 3d >cut.key
    head -3 ec-old.key >half.key
    : >empty.key
    head -c 70000 /dev/zero >large.key
    fails 1 "two.key has more than one private key" -- signet csr --key two.key --subject CN=x
    fails 1 "ec.der is not PEM" -- signet csr --key ec.der --subject CN=x
    fails 1 "public.pem has no private key" -- signet csr --key public.pem --subject CN=x
    fails 1 "empty.key is not PEM" -- signet csr --key empty.key --subject CN=x
    fails 1 "large.key is larger than 65536 bytes" -- signet csr --key large.key --subject CN=x
    fails 1 "dsa-old.key" "DSA PRIVATE KEY" -- signet csr --key dsa-old.key --subject CN=x
    fails 1 "cut.key" -- signet csr --key cut.key --subject CN=x
    fails 3 "DSA" -- signet csr --key dsa.key --subject CN=x
    fails 1 "half.key" -- signet csr --key half.key --subject CN=x
    fails 3 "1024" -- signet csr --key weak.key --subject CN=x
    fails 3 "curve" -- signet csr --key koblitz.key --subject CN=x
    ends 3 -- signet csr --key x25519.key --subject CN=x
    mkdir -p folder
    fails 1 "cannot read the key file folder" -- signet csr --key folder --subject CN=x
    fails 2 "P-256" -- signet csr --new-key no.key --no-passphrase --type DSA --subject CN=x
    expect_absent no.key
}

@test "an existing file is never overwritten by a key" {
    echo mine >taken.key
    fails 1 "taken.key exists, and a key is never written over" -- new_csr taken --subject CN=x --force
    [ "$(cat taken.key)" = mine ]
    expect_absent taken.csr
}

@test "no request, no new key" {
    fails 1 "cannot open the folder" -- signet csr --new-key orphan.key --no-passphrase --subject CN=x -o none/x.csr
    expect_absent orphan.key
    ends 1 "standard output" -- bash -c '"$SIGNET" csr --new-key orphan.key --no-passphrase --subject CN=x >/dev/full'
    expect_absent orphan.key
    ends 1 "standard output" -- bash -c '"$SIGNET" csr --json --new-key orphan.key --no-passphrase --subject CN=x >/dev/full'
    expect_absent orphan.key
    fails 2 -- signet csr --new-key orphan.key --no-passphrase --subject CN=x --signature rsa-sha256
    expect_absent orphan.key
    # The request is out: its key stays, although the result can't be told.
    ends 1 -- bash -c '"$SIGNET" csr --json --new-key kept.key --no-passphrase --subject CN=x -o kept.csr >/dev/full'
    openssl pkey -in kept.key -noout
    openssl req -in kept.csr -verify -noout
}

@test "options that contradict each other" {
    fails 2 "--key or --new-key" -- signet csr --key ec-old.key --new-key no.key --subject CN=x
    fails 2 "--type goes with" -- signet csr --key ec-old.key --type P-256 --subject CN=x
    fails 2 "--kdf goes with" -- signet csr --key ec-old.key --kdf scrypt --subject CN=x
    fails 2 "--no-passphrase goes with" -- signet csr --key ec-old.key --no-passphrase --subject CN=x
    fails 2 "--pin goes with" "--passphrase" -- signet csr --key ec-old.key --pin prompt --subject CN=x
    fails 2 "--module goes with" -- signet csr --key ec-old.key --module /x.so --subject CN=x
    fails 2 "--passphrase goes with" "--pin" -- csr ec --passphrase prompt --subject CN=x
    fails 2 "not both" -- signet csr --new-key no.key --no-passphrase --passphrase prompt --subject CN=x
    fails 2 "--kdf is about" -- signet csr --new-key no.key --no-passphrase --kdf scrypt --subject CN=x
    fails 2 "the same file" -- signet csr --new-key no.key --no-passphrase --subject CN=x -o no.key
    fails 2 "--san does not go with --from" -- signet csr --key ec-old.key --from x.yaml --san dns:a.example
    fails 2 "--eku does not go with --for" -- signet csr --key ec-old.key --for ./x.yaml --eku clientAuth
    fails 2 "--device goes with --for" -- signet csr --key ec-old.key --subject CN=x --device a
    expect_absent no.key
}

@test "--json" {
    ok signet csr --json --new-key json.key --passphrase file:pin/pass --subject CN=x,O=y --san dns:a.example \
        --san upn:a@b.example
    json .subject CN=x,O=y
    json '.san | join(" ")' "dns:a.example upn:a@b.example"
    json .key.kind P-256
    json .key.file json.key
    json '[.key.new, .key.encrypted] | join(" ")' "true true"
    json .output null
    jq -r .request <<<"$output" | openssl req -verify -noout
    ok signet csr --json --key ec-old.key --subject CN=x -o json.csr
    json '[.key.new, .key.encrypted] | join(" ")' "false false"
    json .output json.csr
    json .request null
    ok csr ec --subject CN=x --json
    json .key.file null
    run --separate-stderr signet csr --json --key nowhere.key --subject CN=x
    json .error.code failed
}

@test "alternative names alone are enough" {
    ok signet csr --key ec-old.key --san dns:a.example -o alone.csr
    openssl req -in alone.csr -noout -text | grep -q "Subject Alternative Name: critical"
}

# typed ANSWER... -- COMMAND...: COMMAND on a terminal of its own, each answer typed at a question.
typed() {
    python3 - "$@" <<'EOT'
import os, pty, sys
split = sys.argv.index("--")
answers, command = sys.argv[1:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said = b""
seen = 0
while True:
    try:
        more = os.read(terminal, 1024)
    except OSError:
        break
    if not more:
        break
    said += more
    if said[seen:].rstrip(b" ").endswith(b":") and answers:
        seen = len(said)
        answer = answers.pop(0)
        os.write(terminal, b"\x04" if answer == "EOF" else answer.encode() + b"\n")
sys.stdout.write(said.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOT
}

@test "on a terminal the name is asked for, each answer checked" {
    ok typed "Ada Lovelace" "Example GmbH" "" "London" "" "England" "GB" -- \
        "$SIGNET" csr --key ec-old.key -o asked.csr
    says "Common name" "Country" "once more"
    expect_equal subject "subject=CN=Ada Lovelace, O=Example GmbH, L=London, C=GB" \
        "$(openssl req -in asked.csr -noout -subject -nameopt oneline,-space_eq)"
    run typed "" "" "" "" "" "" -- "$SIGNET" csr --key ec-old.key -o none.csr
    [ "$status" -eq 2 ]
    says "names nobody"
    run typed "Ada" EOF -- "$SIGNET" csr --key ec-old.key -o none.csr
    [ "$status" -eq 2 ]
    says "not all answered"
    expect_absent none.csr
}

@test "a new key's passphrase is typed twice" {
    ok typed "correct horse" "correct horse" -- "$SIGNET" csr --new-key typed.key --subject CN=x -o typed.csr
    says_not "correct horse"
    openssl pkey -in typed.key -passin file:pin/pass -noout
    ok typed "correct horse" -- "$SIGNET" csr --key typed.key --subject CN=x -o typed-again.csr
    run typed "correct horse" "correct hose" -- "$SIGNET" csr --new-key differ.key --subject CN=x -o differ.csr
    [ "$status" -eq 1 ]
    says "not the same"
    expect_absent differ.key differ.csr
}

@test "--from a file" {
    cat >ada.yaml <<'EOT'
san: [{email: ada@example.com}, {upn: ada@corp.example.com}]
extended_key_usage: [clientAuth, 1.3.6.1.4.1.32473.9]
subject: [{CN: Ada Lovelace}, {O: Example GmbH}]
key_usage: [digitalSignature]
signature: ecdsa-sha512
EOT
    ok signet csr --key ec-old.key --from ada.yaml -o from.csr
    openssl req -in from.csr -noout -text -nameopt oneline,-space_eq >text
    grep -q "CN=Ada Lovelace, O=Example GmbH" text
    grep -q "email:ada@example.com, othername: UPN:*ada@corp.example.com" text
    grep -q "TLS Web Client Authentication, 1.3.6.1.4.1.32473.9" text
    grep -q "Digital Signature" text
    grep -q "ecdsa-with-SHA512" text
    sed -i 's/CN: Ada/XX: Ada/' ada.yaml
    fails 1 "ada.yaml:3:" "XX" -- signet csr --key ec-old.key --from ada.yaml
    fails 1 "none.yaml" -- signet csr --key ec-old.key --from none.yaml
}

# --- for a policy ----------------------------------------------------------------------------------

@test "--for a policy of the home: the request passes its check" {
    make_root_home ca
    add_device ca device-AB12
    ok signet -C ca csr --key ec-old.key --for device-mtls --device device-AB12 -o device-mtls.csr
    signet -C ca check -p device-mtls --device device-AB12 device-mtls.csr
    signet -C ca issue -p device-mtls --device device-AB12 -o device-mtls.pem device-mtls.csr
    openssl req -in device-mtls.csr -noout -text -nameopt oneline,-space_eq >text
    grep -q "CN=device-AB12" text
    grep -q "URI:urn:dev:org:32473-device-AB12" text
    grep -q "TLS Web Client Authentication" text
    # each has a key of its own: the CA asks for that
    for policy in issuing-ca ocsp-responder; do
        openssl ecparam -name prime256v1 -genkey -out $policy.key 2>/dev/null
        ok signet -C ca csr --key $policy.key --for $policy --subject "CN=Example,O=Example GmbH" -o $policy.csr
        signet -C ca check -p $policy $policy.csr
    done
    openssl req -in issuing-ca.csr -noout -text | grep -q "CA:TRUE"
    fails 2 "--device" "--set device.id" -- signet -C ca csr --key ec-old.key --for device-mtls
    fails 3 "device-NONE" -- signet -C ca csr --key ec-old.key --for device-mtls --device device-NONE
    fails 2 "issuer self-sign" -- signet -C ca csr --key ec-old.key --for root-ca --subject CN=x
    fails 3 "subject.CN" "device-ZZ99" -- signet -C ca csr --key ec-old.key --for device-mtls --device device-AB12 --subject CN=device-ZZ99
    fails 3 "request.subject" "OU=Lab" -- signet -C ca csr --key ec-old.key --for device-mtls --device device-AB12 --subject CN=device-AB12,OU=Lab
    fails 2 "nothing-here" -- signet -C ca csr --key ec-old.key --for nothing-here
}

@test "--for a policy of the home that takes a part of the name from the request" {
    make_root_home lab
    add_device lab device-AB12
    make_policy lab lab-device "subject=[{CN: '\${device.id}'}, {OU: {value: '\${request.OU}', match: '[A-Za-z ]{1,64}'}}]"
    by_lab() {
        signet -C lab csr --key ec-old.key --for lab-device --device device-AB12 -o lab.csr "$@"
    }
    ok by_lab --subject OU=Lab
    openssl req -in lab.csr -noout -subject -nameopt oneline,-space_eq | grep -q "CN=device-AB12, OU=Lab"
    ok signet -C lab check -p lab-device --device device-AB12 lab.csr
    fails 3 "subject.OU" "request.OU" -- by_lab --force
    fails 3 "subject.OU" "Lab 7" -- by_lab --force --subject 'OU=Lab 7'
}

@test "--for a policy file, with values and without a home" {
    local policy=$SIGNET_DATA/policies/device-mtls.yaml
    ok signet csr --key ec-old.key --for "$policy" --set device.id=device-AB12 --set device.type=leo \
        --set device.region=us-east -o set.csr
    openssl req -in set.csr -noout -subject -nameopt oneline,-space_eq | grep -q "CN=device-AB12"
    fails 3 "device.region" -- signet csr --key ec-old.key --for "$policy" --set device.id=device-AB12 --set device.type=leo
    fails 3 "keys" "P-521" "P-256" -- signet csr --new-key no.key --no-passphrase --type P-521 --for "$policy" \
        --set device.id=a --set device.type=leo --set device.region=x
    fails 2 "device.NAME=VALUE" -- signet csr --key ec-old.key --for "$policy" --set id=a
    fails 2 "device.NAME=VALUE" -- signet csr --key ec-old.key --for "$policy" --set device.=a
    fails 2 "has no value" -- signet csr --key ec-old.key --for "$policy" --set device.id=
    fails 2 "set twice" -- signet csr --key ec-old.key --for "$policy" --set device.id=a --set device.id=b
    fails 2 "device.id=… is missing" -- signet csr --key ec-old.key --for "$policy" --set device.type=leo
    fails 2 "-C DIR" -- signet csr --key ec-old.key --for "$policy" --device device-AB12
    fails 2 "-C DIR" -- signet csr --key ec-old.key --for device-mtls --set device.id=a
    expect_absent no.key
}

# --- the documents ----------------------------------------------------------------------------------

@test "the lines of docs/csr.md, run in their order" {
    mkdir -p doc && cd doc
    printf 'correct horse\n' >passphrase
    # what the page's device has at hand: its card, and the policy that its CA gave out
    cp "$SIGNET_DATA/policies/device-mtls.yaml" .
    export CARD_PIN=$(cat ../pin/card)
    sed -n 's/^    //p' "$SIGNET_DATA/docs/csr.md" | sed -e :a -e '/\\$/{N;s/\\\n *//;ba' -e '}' | grep '^signet ' >lines
    awk '/^```yaml/{inside=1;next} /^```/{inside=0} inside' "$SIGNET_DATA/docs/csr.md" >ada.yaml
    [ "$(wc -l <lines)" -ge 6 ]
    while read -r line; do
        ok bash -c "signet() { \"\$SIGNET\" \"\$@\"; }; $line"
    done <lines
    openssl req -in ada.csr -noout -text | grep -q "email:ada@example.com, othername: UPN:*ada@corp.example.com"
    openssl req -in payment.csr -noout -text |
        grep -q "DNS:payment-service.internal, DNS:payment-service.default.svc.cluster.local"
    for request in *.csr; do
        openssl req -in "$request" -verify -noout
    done
}
