# signet ocsp, ocsp renew; openssl and GnuTLS ask and verify.
load common
load expect

# add_responder HOME [KEY=VALUE...]: an OCSP key on the home's token, named in its signet.yaml.
add_responder() {
    local home=$1 more=
    shift
    [ $# -eq 0 ] || more=$(printf ', %s' "${@/=/: }")
    signet key create "pkcs11:token=$home;object=$home-ocsp" --pin "file:pin/$home" "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=$home-ocsp'$more}|" "$home/signet.yaml"
}

setup_file() {
    start_in_own_folder
    make_root_home ca
    add_responder ca
    for n in 1 2 3 4; do
        make_device ca "device-DEV$n"
        signet -C ca issue -p device-mtls -d "device-DEV$n" -o "dev$n.pem" "device-DEV$n.csr"
    done
    signet -C ca revoke "$(serial_of dev2.pem)" -r keyCompromise
    signet -C ca revoke "$(serial_of dev3.pem)" --hold
    signet -C ca ocsp renew -o responder.pem
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# ask NAME OPTION...: NAME.req by openssl, NAME.res by signet.
ask() {
    local name=$1
    shift
    openssl ocsp -reqout "$name.req" -issuer ca.pem "$@"
    ok signet -C ca ocsp "$name.req" -o "$name.res" --force
}

# heard NAME OPTION...: what openssl says to the answer, after its signature and its nonce were right.
heard() {
    local name=$1
    shift
    ok openssl ocsp -respin "$name.res" -reqin "$name.req" -no_nonce -CAfile ca.pem -issuer ca.pem "$@"
    [[ $stderr == *"Response verify OK"* ]] || complain "not verified"
    [[ $stderr != *WARNING* ]] || complain "openssl warns"
}

# answer_text NAME: the whole answer in words.
answer_text() {
    openssl ocsp -respin "$1.res" -noverify -resp_text
}

@test "the responder's certificate" {
    ok openssl verify -purpose ocsphelper -CAfile ca.pem responder.pem
    ok openssl x509 -in responder.pem -noout -text
    says "OCSP Signing" "OCSP No Check" "ca OCSP"
    ok signet -C ca list --policy ocsp-responder --json
    json '[.[] | .status] | join(" ")' valid
    ok signet -C ca ocsp renew
    [[ $stderr == "it is too early"*"until 20"* ]] || complain "another word"
    ok signet -C ca ocsp renew --json
    json .renewed false
    json .serial "$(serial_of responder.pem)"
    json .certificate "$(cat responder.pem)"
    [ "$(count_certificates ca --policy ocsp-responder)" -eq 1 ]
    fails 1 "responder.pem exists" -- signet -C ca ocsp renew -o responder.pem
}

@test "good, revoked, on hold, unknown" {
    ask good -cert dev1.pem
    [[ $stderr == "1 good, 0 revoked, 0 unknown, next update 20"* ]] || complain "another summary"
    heard good -cert dev1.pem
    says "dev1.pem: good"
    ask revoked -cert dev2.pem
    heard revoked -cert dev2.pem
    says "dev2.pem: revoked" "Reason: keyCompromise" "Revocation Time: "
    ask hold -cert dev3.pem
    heard hold -cert dev3.pem
    says "dev3.pem: revoked" "Reason: certificateHold"
    ask unknown -serial 0x1234567890
    heard unknown -serial 0x1234567890
    says "unknown"
    says_not "revoked"
}

@test "several certificates, both digests, with and without a nonce" {
    ask many -cert dev1.pem -sha256 -cert dev2.pem -sha1 -serial 42 -no_nonce
    [[ $stderr == "1 good, 1 revoked, 1 unknown, "* ]] || complain "another summary"
    heard many -cert dev1.pem -sha256 -cert dev2.pem -sha1 -serial 42
    says "dev1.pem: good" "dev2.pem: revoked" "42: unknown"
    ok answer_text many
    says_not "OCSP Nonce"
    ask nonce -cert dev1.pem
    ok answer_text nonce
    says "OCSP Nonce"
}

@test "an answer holds for an hour, or as signet.yaml says" {
    ask hour -cert dev1.pem
    lifetime() {
        local from until
        from=$(answer_text "$1" | sed -n 's/^ *This Update: //p')
        until=$(answer_text "$1" | sed -n 's/^ *Next Update: //p')
        echo $(($(date -d "$until" +%s) - $(date -d "$from" +%s)))
    }
    [ "$(lifetime hour)" -eq 3600 ]
    sed -i "s/object=ca-ocsp'/&, next_update: 12h/" ca/signet.yaml
    ask half -cert dev1.pem
    [ "$(lifetime half)" -eq $((12 * 3600)) ]
    ask unknown -serial 42
    [ "$(lifetime unknown)" -eq 300 ]
    sed -i "s/, next_update: 12h//" ca/signet.yaml
}

@test "a change is told at once" {
    ask change -cert dev4.pem
    heard change -cert dev4.pem
    says "dev4.pem: good"
    signet -C ca revoke dev4.pem --hold
    ask change -cert dev4.pem
    heard change -cert dev4.pem
    says "certificateHold"
    signet -C ca release dev4.pem
    ask change -cert dev4.pem
    heard change -cert dev4.pem
    says "dev4.pem: good"
}

@test "GnuTLS asks and verifies" {
    for n in 1 2; do
        ok ocsptool --generate-request --load-issuer ca.pem --load-cert "dev$n.pem" --outfile tls.req
        ok signet -C ca ocsp tls.req -o tls.res --force
        ok ocsptool --verify-response --load-trust ca.pem --load-response tls.res
        says "Verifying OCSP Response: Success"
        ok ocsptool --response-info --load-response tls.res
        says "Response Status: Successful" "Responder Key ID" \
            "Certificate Status: $([ $n -eq 1 ] && echo good || echo revoked)"
    done
    # another second in the signed part, and it says no
    python3 - tls.res <<'EOT'
import re, sys
der = bytearray(open(sys.argv[1], "rb").read())
der[re.search(rb"[0-9]{14}Z", der).end() - 2] ^= 1
open(sys.argv[1], "wb").write(der)
EOT
    ends 1 -- ocsptool --verify-response --load-trust ca.pem --load-response tls.res
    says "Verifying OCSP Response: Failure, Signature failure"
}

@test "standard input and output, JSON, what is there already" {
    ask pipe -cert dev1.pem -no_nonce
    signet -C ca ocsp - <pipe.req >pipe.res 2>/dev/null
    heard pipe -cert dev1.pem
    ok signet -C ca ocsp pipe.req --json
    json '[.status, .good, .revoked, .unknown, .cacheable, .output] | tojson' \
        '["successful",1,0,0,true,null]'
    jq -r .response <<<"$output" | sed '/^-----/d' | openssl base64 -d -out json.res
    cp pipe.req json.req
    heard json -cert dev1.pem
    fails 1 "pipe.res exists" "--force" -- signet -C ca ocsp pipe.req -o pipe.res
}

# told NAME STATUS: the response that was written for an error says STATUS.
told() {
    run openssl ocsp -respin "$1" -noverify
    [[ $output == *"Responder Error: $2"* ]] || complain "not told: $2"
}

@test "what can't be answered, for the operator and for the client" {
    printf 'GET / HTTP/1.1' >bad.req
    fails 3 "RFC 6960 4.1.1" "no OCSP request in DER" -- signet -C ca ocsp bad.req -o bad.res
    told bad.res malformedrequest
    make_root_home other
    openssl ocsp -reqout other.req -issuer other.pem -cert dev1.pem
    fails 3 "none of this home's" -- signet -C ca ocsp other.req -o other.res
    told other.res unauthorized
    openssl ocsp -reqout both.req -issuer ca.pem -cert dev1.pem -issuer other.pem -cert dev1.pem
    fails 3 "RFC 6960 4.2.2.2" "several issuers" -- signet -C ca ocsp both.req -o both.res
    told both.res unauthorized
    openssl ocsp -reqout other.req -issuer other.pem -cert other.pem
    fails 3 "nobody answers OCSP for issuer other" "ocsp: {key:" -- signet -C other ocsp other.req -o none.res
    told none.res unauthorized
    ask away -cert dev1.pem
    mv pin/ca pin/ca.away
    fails 4 "OCSP responder of issuer ca" -- signet -C ca ocsp away.req -o away.res --force
    told away.res trylater
    mv pin/ca.away pin/ca
    head -c 40000 /dev/zero >large.req
    fails 3 "larger than 32768 bytes" -- signet -C ca ocsp large.req
    fails 1 "gone.req" -- signet -C ca ocsp gone.req
    run --separate-stderr signet -C other ocsp other.req --json
    [ "$status" -eq 3 ]
    json .error.rule ocsp
}

@test "a lost certificate, a revoked one, a new key: the next answer has another" {
    signet -C ca revoke responder.pem -r superseded
    ask next -cert dev1.pem
    [[ $stderr == "the OCSP responder of issuer ca has a certificate until 20"* ]] || complain "no new one"
    heard next -cert dev1.pem
    [ "$(count_certificates ca --policy ocsp-responder --status valid)" -eq 1 ]
    signet key create "pkcs11:token=ca;object=ca-ocsp-2" --type P-384 --pin file:pin/ca "${token_module[@]}"
    sed -i "s/object=ca-ocsp'/object=ca-ocsp-2'/" ca/signet.yaml
    ask next -cert dev1.pem
    heard next -cert dev1.pem
    says "dev1.pem: good"
    ok answer_text next
    says "ecdsa-with-SHA384"
}

@test "RSA, and a responder on a token of its own" {
    make_token answers
    signet key create "pkcs11:token=answers;object=rsa" --type RSA-2048 --pin file:pin/answers "${token_module[@]}"
    make_root_home rsa
    sed -i "s|^tokens:|&\n  answers: {$(sed -n 's/^    \(profile\|module\): \(.*\)$/\1: \2/p' rsa/signet.yaml | head -1), uri: 'pkcs11:token=answers', pin: file:../pin/answers}|" rsa/signet.yaml
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=rsa', token: answers, subject: 'CN=Answers,C=DE'}|" rsa/signet.yaml
    make_device rsa device-RSA1
    signet -C rsa issue -p device-mtls -d device-RSA1 -o rsa1.pem device-RSA1.csr
    openssl ocsp -reqout rsa.req -issuer rsa.pem -cert rsa1.pem
    ok signet -C rsa ocsp rsa.req -o rsa.res
    ok openssl ocsp -respin rsa.res -reqin rsa.req -no_nonce -CAfile rsa.pem -issuer rsa.pem -cert rsa1.pem -resp_text
    says "rsa1.pem: good" "sha256WithRSAEncryption" "Subject: CN=Answers, C=DE"
}

@test "an issuer that issues no more is answered for" {
    make_root_home old
    add_responder old
    make_device old device-OLD1
    signet -C old issue -p device-mtls -d device-OLD1 -o old1.pem device-OLD1.csr
    sed -i 's/^    state: active/    state: status-only/' old/signet.yaml
    openssl ocsp -reqout old.req -issuer old.pem -cert old1.pem
    for state in status-only retired; do
        ok signet -C old ocsp old.req -o old.res --force
        ok openssl ocsp -respin old.res -reqin old.req -no_nonce -CAfile old.pem -issuer old.pem -cert old1.pem
        says "old1.pem: good"
        sed -i "s/^    state: .*/    state: retired/" old/signet.yaml
    done
    fails 3 "is retired" -- signet -C old ocsp renew --issuer old
    # what a status-only issuer may certify is decided by what comes out, not by the policy's name
    sed -i "s/^    state: .*/    state: status-only/; s/object=old-ocsp'/&, policy: issuing-ca/" old/signet.yaml
    untouched old fails 3 "refused" -- signet -C old ocsp renew --issuer old
}
