# signet policy new: a policy from a few answers, by options and on a terminal.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    rm -rf out
    mkdir out
    answers=(--description 'Devices of a lab' --for device --who operator --keys P-256
        --subject 'CN=${device.id}' --san none --eku clientAuth --validity 365d --unique device)
}

# new NAME [OPTION...]: by the answers above; an option that is given again counts.
new() {
    local name=$1
    shift
    signet policy new "$name" --output-dir out "${answers[@]}" "$@" </dev/null
}

# on_terminal COMMAND...: with the lines of the file `typed` typed into it.
on_terminal() {
    python3 - "$@" <<'EOT'
import os, pty, sys
typed = open("typed", "rb").read()
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
os.write(terminal, typed)
while True:
    try:
        said = os.read(terminal, 4096)
    except OSError:
        break
    if not said:
        break
    sys.stdout.buffer.write(said)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOT
}

@test "a policy from options loads, proves itself and issues" {
    ok signet -C ca policy new lab "${answers[@]}" --san 'dns:${device.id}.example.com, uri:urn:x:${device.id}' \
        --keys 'P-256, rsa' --who 'operator,renewal' </dev/null
    says "ca/policies/lab.yaml is written, with 2 examples"
    head -1 ca/policies/lab.yaml | grep -q 'yaml-language-server: $schema=policy.schema.json'
    ok signet -C ca policy test lab
    says "lab/ok.csr: accepted" "refused by subject.CN" "2 examples, 0 not as expected"
    make_device ca device-AB12
    ok signet -C ca issue -p lab -d device-AB12 device-AB12.csr -o ab12.pem
    ok signet show ab12.pem
    says dns:device-AB12.example.com uri:urn:x:device-AB12 clientAuth
}

@test "--json" {
    ok new lab --json
    json .file out/lab.yaml
    json .examples 2
}

# The answers that differ from those above, and what has to be in the file then.
@test "each answer is in the policy" {
    local num=0 option value line
    while IFS='|' read -r option value line; do
        num=$((num + 1))
        ok new "lab-$num" "--$option" "$value"
        grep -qF -- "$line" "out/lab-$num.yaml" || fail "$option: no $line in $(cat "out/lab-$num.yaml")"
        ok signet policy test "out/lab-$num.yaml"
        says "0 not as expected" accepted
    done <<'EOT'
description|It's a "test": # yes|description: 'It''s a "test": # yes'
who|operator, ticket|who: {any: [operator, ticket]}
who|operator, renewal|renewal: {window: 60d
keys|P-384, ed25519|{ed25519: true, key_usage: [digitalSignature]}
keys|rsa|{rsa: 2048..4096, key_usage: [digitalSignature]}
subject|CN=${device.id},O=Example\, Inc.,C=DE|{O: 'Example, Inc.'}
subject|CN=${request.CN}|{value: '${request.CN}', match: 
san|ip:${device.ip}|{ip: '${device.ip}'}
san|registered_id:1.2.3|{registered_id: '1.2.3'}
san|dirname:/C=DE/CN=${device.id}|{dirname: [{C: 'DE'}, {CN: '${device.id}'}]}
san|hardware-module:1.2.3;${device.serial}|{hardware-module: {type: '1.2.3', serial: '${device.serial}'}}
san|permanent-identifier:;${device.id}|{permanent-identifier: {value: '${device.id}'}}
san|permanent-identifier:1.2.3;${device.id}|{permanent-identifier: {assigner: '1.2.3', value: '${device.id}'}}
san|other:1.2.3;utf8:${device.id}|{other: {oid: '1.2.3', utf8: '${device.id}'}}
san|other:1.2.3;octets:00ff, dns:a.example|{other: {oid: '1.2.3', octets: '00ff'}}
keys|RSA-3072|{rsa: 3072, key_usage: [digitalSignature]}
keys|RSA-2048,Ed25519|{ed25519: true, key_usage: [digitalSignature]}
eku|none|extended_key_usage: none
eku|emailProtection|key_usage: [digitalSignature, keyAgreement]
validity|never|validity: {until: never, backdate: 5m, past_issuer: allow}
validity|2040-01-01|validity: {until: 2040-01-01
unique|none|unique: none
EOT
    [ "$num" -eq 22 ]
}

@test "users, and whoever the request names" {
    ok new mail --for user --subject 'CN=${user.name}' --san 'email:${user.email}, upn:${user.upn}' --unique user
    ok signet policy test out/mail.yaml
    says "mail/ok.csr: accepted" "refused by subject.CN"
    ok new named --for request --subject 'CN=${request.CN},O=Example GmbH' --unique none
    ok signet policy test out/named.yaml
    says "named/ok.csr: accepted" "1 example,"
    grep -q 'Whoever vouches answers' out/named.yaml
}

@test "values of the example that are made up, and given" {
    ok new lab --subject 'CN=${device.id},C=${device.land}'
    [[ $stderr == *"gets no example"*"--set"* ]]
    ok signet policy show out/lab.yaml
    says_not "examples:"
    ok new lab --force --subject 'CN=${device.id},C=${device.land}' --set device.land=FR
    grep -q "land: 'FR'" out/lab.yaml
    ok signet policy test out/lab.yaml
    says accepted
}

@test "answers that make no policy" {
    fails 2 "--for nobody" "neither device nor user nor request" -- new lab --for nobody
    fails 2 "--who friend" "friend" -- new lab --who friend
    fails 2 "--keys P-255" -- new lab --keys P-255
    fails 2 "--keys P-256,P-256" "the same keys" -- new lab --keys P-256,P-256
    fails 2 "--subject CN" -- new lab --subject CN
    fails 2 "--subject C=Germany" -- new lab --subject C=Germany
    fails 2 '--subject CN=${device.id' -- new lab --subject 'CN=${device.id'
    fails 2 "--san example.com" "KIND:TEXT" -- new lab --san example.com
    fails 2 "--san phone:1" "no kind of alternative name" -- new lab --san phone:1
    fails 2 "write other:OID;utf8:TEXT" -- new lab --san other:1.2.3
    fails 2 "write other:OID;utf8:TEXT" -- new lab --san 'other:1.2.3;x'
    fails 2 "write other:OID;utf8:TEXT" -- new lab --san 'other:1.2.3;:x'
    fails 2 "utf16" -- new lab --san 'other:1.2.3;utf16:x'
    fails 2 "1.2.x" -- new lab --san 'other:1.2.x;utf8:x'
    fails 2 "write hardware-module:OID;SERIAL" -- new lab --san 'hardware-module:;1'
    fails 2 "write permanent-identifier:OID;TEXT" -- new lab --san permanent-identifier:7
    fails 2 "--san dirname:Ada" -- new lab --san dirname:Ada
    fails 2 "--keys RSA-1024" -- new lab --keys RSA-1024
    fails 2 "no kind of key" "RSA-2048" -- new lab --keys RSA-
    fails 2 "--eku nonsense" -- new lab --eku nonsense
    fails 2 "--validity 365" "without a unit" -- new lab --validity 365
    fails 2 "--validity 30x" "s, m, h, d, w, y" -- new lab --validity 30x
    fails 2 "--validity 2040-13-01" -- new lab --validity 2040-13-01
    fails 2 "--unique maybe" "maybe" -- new lab --unique maybe
    fails 2 "--unique" "line break" -- new lab --unique $'none\nca: {path_length: 0}'
    fails 2 "longer than" -- new lab --description "$(head -c 3000 /dev/zero | tr '\0' x)"
    expect_absent out/lab.yaml out/lab
}

@test "without a terminal, what is not answered is named" {
    fails 2 "no terminal" "--description, --for, --who, --keys, --subject, --san, --eku, --validity, --unique" -- \
        bash -c '"$SIGNET" policy new lab --output-dir out </dev/null'
    fails 2 "answer by --unique" -- bash -c '"$SIGNET" policy new lab --output-dir out "$@" </dev/null' - \
        "${answers[@]:0:16}"
    expect_absent out/lab.yaml
}

@test "a terminal is asked, again after a wrong answer; empty takes what is offered" {
    printf '%s\n' 'A lab' nobody user '' rsa2 rsa '' bogus:x 'email:${user.email}' emailProtection 2y '' >typed
    ok on_terminal "$SIGNET" policy new mail --output-dir out
    says "neither device nor user nor request; once more" "'rsa2' is no kind of key" "bogus" "[CN=\${user.name}]" \
        "out/mail.yaml is written, with 2 examples"
    grep -q "key_usage: \[digitalSignature, keyEncipherment\]" out/mail.yaml
    ok signet policy test out/mail.yaml
    printf '%s\n' 'A lab' >typed
    printf '\004' >>typed
    run on_terminal "$SIGNET" policy new half --output-dir out
    [ "$status" -eq 2 ]
    says "not all answered"
    expect_absent out/half.yaml
}

@test "nothing is overwritten without --force" {
    ok new lab
    cp out/lab.yaml kept.yaml
    fails 1 "out/lab.yaml exists; --force" -- new lab --validity 1y
    cmp kept.yaml out/lab.yaml
    rm out/lab.yaml
    cp out/lab/ok.csr kept.csr
    fails 1 "out/lab/ok.csr exists; --force" -- new lab
    cmp kept.csr out/lab/ok.csr
    ok new lab --force --validity 1y
    grep -q "for: 1y" out/lab.yaml
}

@test "where it goes" {
    fails 2 "-C DIR" "--output-dir" -- bash -c '"$SIGNET" policy new lab "$@" </dev/null' - "${answers[@]}"
    fails 1 "no-such is not a folder" -- new lab --output-dir no-such
    fails 2 "no policy's name" -- new Lab
    fails 2 "no policy's name" -- new ../lab
    fails 2 "usage: signet policy new" -- signet policy new
}
