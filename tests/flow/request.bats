# Requests of other forms than the usual PKCS#10, through to the certificate; keys that are refused.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_policy ca any-key 'keys=[{rsa: 2048..4096, key_usage: [digitalSignature]}, {ec: [P-256], key_usage: [digitalSignature]}, {ed25519: true, key_usage: [digitalSignature]}]'
    openssl ecparam -name prime256v1 -genkey -noout -out ec.key
    openssl genrsa -out rsa.key 2048
    printf 'nonce-4711\n' >challenge
    printf 'another\n' >another
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# issue DEVICE OPTION...: under the policy that takes every kind of key, for a new device.
issue() {
    local device=$1
    shift
    signet -C ca issue -p any-key -d "$device" "$@"
}

# same_key KEY CERTIFICATE
same_key() {
    [ "$(openssl pkey -in "$1" -pubout)" = "$(openssl x509 -in "$2" -noout -pubkey)" ]
}

# --- SPKAC -------------------------------------------------------------------------------------

@test "an SPKAC gets the name of the requester's record" {
    add_device ca device-SP01
    openssl spkac -key ec.key -digest sha256 -out sp01.spkac
    ok issue device-SP01 -o sp01.pem sp01.spkac
    openssl x509 -in sp01.pem -noout -subject -nameopt oneline,-space_eq | grep -q 'CN=device-SP01'
    openssl verify -CAfile ca.pem sp01.pem
    same_key ec.key sp01.pem
}

@test "its base64 alone, in lines, is the same request" {
    sed 's/^SPKAC=//' sp01.spkac | fold -w 64 >sp01.txt
    ok issue device-SP01 -o again.pem sp01.txt
    cmp sp01.pem again.pem
}

@test "an SPKAC signed with MD5, as openssl does by itself, is refused with the remedy" {
    openssl spkac -key rsa.key -out md5.spkac
    untouched ca fails 3 "RFC 6151" "openssl spkac -digest sha256" -- issue device-SP01 md5.spkac
}

@test "the lines beside it, which nobody signed, are refused" {
    { cat sp01.spkac; echo "CN=device-ZZ99"; } >named.spkac
    untouched ca fails 3 '"CN="' "leave such lines out" -- issue device-SP01 named.spkac
}

@test "a policy that wants the names in the request has nothing to compare" {
    make_policy ca named 'request={subject: equal, san: equal}' 'san=[{dns: "${device.id}.example.com"}]'
    ok signet -C ca check -p named -d device-SP01 sp01.spkac
    says "an SPKAC says none"
    # the same key's PKCS#10 request could say it, and does not
    openssl req -new -key ec.key -subj / -out nameless.csr
    untouched ca fails 3 "request.subject" "lacks CN" -- signet -C ca issue -p named -d device-SP01 nameless.csr
}

@test "a policy that takes the name from the request refuses it" {
    make_policy ca theirs "subject=[{CN: '\${request.CN}'}]"
    untouched ca fails 3 "subject.CN" "request.CN" -- signet -C ca issue -p theirs -d device-SP01 sp01.spkac
}

# The document's commands, as they stand, under the policy that is shipped.
@test "the example of docs/requests.md" {
    local line num=0
    mkdir shown && copy_home ca shown/ca && cd shown
    sed -i 's,file:\.\./pin,file:../../pin,' ca/signet.yaml
    add_device ca device-AB12
    while read -r line; do
        ok bash -c "signet() { \"\$SIGNET\" \"\$@\"; }; $line"
        num=$((num + 1))
    done < <(sed -n '/^\*\*SPKAC/,/^\*\*Challenges/s/^    //p' "$SIGNET_DATA/docs/requests.md")
    [ "$num" -eq 4 ]
    openssl verify -CAfile ../ca.pem device.pem
    same_key device.key device.pem
}

@test "its challenge has to be the one that the operator gave" {
    add_device ca device-CH01
    openssl spkac -key rsa.key -digest sha256 -challenge nonce-4711 -out ch01.spkac
    untouched ca fails 3 "challenge: " "--challenge-file" -- issue device-CH01 ch01.spkac
    untouched ca fails 3 "challenge: " "not the one" -- \
        issue device-CH01 --challenge-file another ch01.spkac
    untouched ca fails 3 "challenge: " "has no challenge" -- \
        issue device-CH01 --challenge-file challenge sp01.spkac
    untouched ca fails 1 "no-such" -- issue device-CH01 --challenge-file no-such ch01.spkac
    ok issue device-CH01 --challenge-file challenge -o ch01.pem ch01.spkac
    [[ $stderr != *nonce* ]]
    same_key rsa.key ch01.pem
}

@test "check tells its verdicts, show what it is, and neither the challenge" {
    ends 3 "rules refuse" -- signet -C ca check -p any-key -d device-CH01 --challenge-file another ch01.spkac
    says "pass    request" "an SPKAC" "REFUSE  challenge"
    says_not nonce-4711
    ok signet show ch01.spkac
    says "SPKAC" "RSA-2048" "there is one (not shown)"
    says_not nonce-4711
    ok signet show --json sp01.spkac
    json .format SPKAC
    json .challenge null
}

# --- challengePassword -------------------------------------------------------------------------

@test "a challengePassword is compared when there is something to compare it with" {
    cat >with.cnf <<'EOT'
[req]
distinguished_name = dn
attributes = attributes
prompt = no
[dn]
CN = device-PW01
[attributes]
challengePassword = nonce-4711
EOT
    add_device ca device-PW01
    openssl req -new -config with.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout /dev/null -out pw01.csr
    ok signet show pw01.csr
    says "there is one (not shown)"
    says_not nonce-4711
    untouched ca fails 3 "challenge: " "not the one" -- \
        issue device-PW01 --challenge-file another pw01.csr
    ok issue device-PW01 --challenge-file challenge -o pw01.pem pw01.csr
    ok issue device-PW01 -o pw01-again.pem pw01.csr
    cmp pw01.pem pw01-again.pem
}

# --- signatures and versions -------------------------------------------------------------------

@test "a request signed with RSA-PSS is served" {
    add_device ca device-PSS1
    openssl req -new -newkey rsa:2048 -nodes -keyout pss1.key -subj /CN=device-PSS1 -out pss1.csr \
        -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest 2>/dev/null
    openssl req -in pss1.csr -noout -text | grep -q rsassaPss
    ok issue device-PSS1 -o pss1.pem pss1.csr
    openssl verify -x509_strict -CAfile ca.pem pss1.pem
    same_key pss1.key pss1.pem
}

@test "a request of an Ed25519 key is served where the policy allows it, and refused where not" {
    add_device ca device-ED01
    openssl req -new -newkey ed25519 -nodes -keyout ed01.key -subj /CN=device-ED01 -out ed01.csr
    untouched ca fails 3 "policy device-mtls: keys" "Ed25519" -- \
        signet -C ca issue -p device-mtls -d device-ED01 ed01.csr
    ok issue device-ED01 -o ed01.pem ed01.csr
    openssl verify -x509_strict -CAfile ca.pem ed01.pem
    same_key ed01.key ed01.pem
}

@test "version v3 is the policy's matter: refused, unless it says any" {
    local request=$BATS_TEST_DIRNAME/requests/version-3.csr
    make_policy ca tolerant 'request={version: any}'
    add_device ca device-AB12
    untouched ca fails 3 "policy any-key: request.version" "must be 0 (v1)" -- \
        issue device-AB12 "$request"
    ok signet -C ca check -p tolerant -d device-AB12 "$request"
    says "pass    request.version" "v3, tolerated"
    ok signet -C ca issue -p tolerant -d device-AB12 -o v3.pem "$request"
    openssl verify -CAfile ca.pem v3.pem
    ok signet show "$request"
    says "PKCS#10, version 3"
}

# --- keys --------------------------------------------------------------------------------------

# spki_hash KEY: as the documents say it is made.
spki_hash() {
    openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -d' ' -f1
}

@test "a blocked key is refused, and check says so" {
    add_device ca device-BL01
    make_key_and_request bl01.csr /CN=device-BL01
    ok signet -C ca check -p device-mtls -d device-BL01 bl01.csr
    says "pass    known key"
    ok signet -C ca key block add "$(spki_hash bl01.key)"
    says "1 key read, 1 of them new"
    untouched ca fails 3 "blocked key: " "make a new key" -- \
        signet -C ca issue -p device-mtls -d device-BL01 bl01.csr
    ends 3 -- signet -C ca check -p device-mtls -d device-BL01 bl01.csr
    says "REFUSE  blocked key"
}

@test "lists of blocked keys: what is read, and what can't be" {
    { echo "# from somewhere"; echo; spki_hash ec.key; spki_hash rsa.key | tr a-f A-F; } >list.txt
    sed 's/$/\r/' list.txt >crlf.txt
    ok signet -C ca key block import list.txt
    says "2 keys read, 2 of them new"
    ok signet -C ca key block import --json crlf.txt
    json .new 0
    ok signet -C ca key block list
    says "$(spki_hash ec.key)" "$(spki_hash rsa.key)"
    signet -C ca key block list >again.txt
    ok signet -C ca key block import again.txt
    says "3 keys read, 0 of them new"
    ok signet -C ca key block list --json
    json length 3

    printf '# 2048-bit RSA keys\n00046a2ce8a4e6a3c1c0\n' >debian.txt
    untouched ca fails 1 "debian.txt:2" "openssl-blacklist" "64 hex digits" -- \
        signet -C ca key block import debian.txt
    { spki_hash bl01.key; echo "$(spki_hash ec.key) ec.key"; } >sums.txt
    untouched ca fails 1 "sums.txt:2" "nothing else" -- signet -C ca key block import sums.txt
    untouched ca fails 1 "SHA-1" -- signet -C ca key block add "$(sha1sum <list.txt | cut -d' ' -f1)"
    : >empty.txt
    untouched ca fails 1 "lists no key" -- signet -C ca key block import empty.txt
}

@test "the CA's own key stands for nobody else" {
    add_device ca device-CA01
    signet csr --key "pkcs11:token=ca;object=ca" "${token_module[@]}" --pin file:pin/ca \
        --subject CN=device-CA01 -o ca01.csr
    untouched ca fails 3 "the CA's own key: " "make a new key" -- \
        signet -C ca issue -p device-mtls -d device-CA01 ca01.csr
}

@test "RSA keys that their modulus gives away" {
    add_device ca device-RSA1
    python3 - <<'EOT'
import random, subprocess
def is_prime(n):
    # and one that 65537 can be the exponent with
    return (n - 1) % 65537 != 0 and all(n % p for p in (3, 5, 7, 11, 13)) and all(pow(a, n - 1, n) == 1 for a in (2, 3, 5))
def prime(bits):
    while True:
        n = random.getrandbits(bits) | 3 << bits - 2 | 1
        if is_prime(n): return n
def after(n):
    n += 2
    while not is_prime(n): n += 2
    return n
def write(name, p, q):
    d = pow(65537, -1, (p - 1) * (q - 1))
    values = [0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    with open("asn1.cnf", "w") as out:
        out.write("asn1=SEQUENCE:key\n[key]\n")
        out.writelines(f"v{i}=INTEGER:{value}\n" for i, value in enumerate(values))
    subprocess.run(["openssl", "asn1parse", "-genconf", "asn1.cnf", "-noout", "-out", "key.der"], check=True)
    subprocess.run(["openssl", "req", "-new", "-key", "key.der", "-keyform", "DER", "-subj",
                    "/CN=device-RSA1", "-out", name], check=True)
p = prime(1024)
write("close.csr", after(p), p)
M = 1
for n in range(2, 702):
    if all(n % i for i in range(2, int(n ** .5) + 1)): M *= n
def roca():
    while True:
        n = random.randrange(2 ** 1023 // M * 3 // 2, 2 ** 1024 // M) * M + pow(65537, random.getrandbits(200), M)
        if is_prime(n): return n
write("roca.csr", roca(), roca())
write("small.csr", prime(2044), 31)
EOT
    # any-key allows RSA; each is refused before the policy is asked
    untouched ca fails 3 "CVE-2022-26320: close primes" -- issue device-RSA1 close.csr
    untouched ca fails 3 "CVE-2017-15361: ROCA" -- issue device-RSA1 roca.csr
    untouched ca fails 3 "NIST SP 800-89 5.3.3: small factors" "divisible by 31" -- \
        issue device-RSA1 small.csr
}
