# signet policy explain|diff: which rule put a field there, and what another policy would change.
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_device ca device-AB12
    make_device ca device-AB13
    make_policy ca named "subject=[{CN: '\${request.CN}'}, {O: Example GmbH}]" \
        "san=[{dns: '\${device.type}.example'}]" 'publish={crl: offered}'
    signet -C ca issue -p named -d device-AB12 -o ab12.pem device-AB12.csr
    signet -C ca issue -p named -d device-AB13 -o ab13.pem device-AB13.csr
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    rm -rf edited
    mkdir edited
}

# edit SED-PROGRAM: edited/named.yaml is the home's policy, changed.
edit() {
    sed "$1" ca/policies/named.yaml >edited/named.yaml
}

# field NAME KEY VALUE: of the first field of that name in $output.
field() {
    json "[.fields[] | select(.field == \"$1\")][0].$2" "$3"
}

@test "a request: each field, its line in the policy and its source" {
    untouched ca ok signet -C ca policy explain -p named -d device-AB12 device-AB12.csr
    says "subject.CN              device-AB12" "line 7, subject: \${request.CN}; from the request" \
        "line 7, subject: Example GmbH" "san: \${device.type}.example; from the device's record" \
        "publish.crl: offered; from the issuer" "the policy has no \`ca\`" \
        "RFC 5280 4.2.1.2: the digest of the key" "validity.for: 30d; from the moment of issuing" \
        "(drawn when it is issued)"
    ok signet -C ca policy explain -p named -d device-AB12 device-AB12.csr --json
    field subject.CN line "$(grep -n ^subject ca/policies/named.yaml | cut -d: -f1)"
    field subject.CN 'from[0]' request
    field subjectAltName written "\${device.type}.example"
    field keyUsage critical true
    field serial rule null
}

@test "a request that is refused has nothing to explain" {
    openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=device-AB12 -out rsa.csr 2>/dev/null
    fails 3 "rsa.csr" "policy named: keys" -- signet -C ca policy explain -p named -d device-AB12 rsa.csr
    fails 3 "no-such" -- signet -C ca policy explain -p named -d no-such device-AB12.csr
}

@test "an issued certificate, by its file and by its serial number" {
    for what in ab12.pem "$(serial_of ab12.pem)"; do
        untouched ca ok signet -C ca policy explain "$what"
        says "under policy named for device device-AB12; now valid" \
            "line 7, subject: \${request.CN}; from the request" "$(serial_of ab12.pem)"
        says_not "not what the policy gives today" "changed since"
    done
    ok signet -C ca policy explain ab12.pem --json
    json .policy_file same
    json .note null
    json '[.fields[] | select(.unexplained)] | length' 0
    field subjectAltName line "$(grep -n ^san ca/policies/named.yaml | cut -d: -f1)"
    root=$(signet -C ca list -p root-ca --json | jq -r '.[0].serial')
    ok signet -C ca policy explain "$root"
    says "under policy root-ca" "keyCertSign"
    says_not "not what the policy gives today"
}

@test "a policy that was changed since, or is gone" {
    cp ca/policies/named.yaml kept.yaml
    sed -i 's/O: Example GmbH/O: Other GmbH/' ca/policies/named.yaml
    ok signet -C ca policy explain ab12.pem
    says "the policy's file was changed since" "Example GmbH" "not what the policy gives today"
    ok signet -C ca policy explain ab12.pem --json
    json .policy_file other
    field subject.O unexplained true
    field subject.CN rule subject
    sed -i "s/type}.example/colour}.example/" ca/policies/named.yaml
    ok signet -C ca policy explain ab12.pem
    says "today it would be refused: policy named: san[1]" "no colour"
    mv ca/policies/named.yaml away.yaml
    ok signet -C ca policy explain ab12.pem --json
    json .policy_file missing
    mv kept.yaml ca/policies/named.yaml
}

@test "another CA's certificate with the same serial number is not explained" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x \
        -set_serial "0x$(serial_of ab12.pem)" -out foreign.pem 2>/dev/null
    fails 3 "issued no certificate foreign.pem" -- signet -C ca policy explain foreign.pem
}

@test "what explain can't take" {
    fails 2 "no CA home" -- signet policy explain ab12.pem
    fails 2 "by its record alone" -- signet -C ca policy explain -d device-AB12 ab12.pem
    fails 3 "issued no certificate 0123" -- signet -C ca policy explain 0123
    fails 2 "neither a serial number" -- signet -C ca policy explain no-such-file
    fails 2 "nothing" -- signet -C ca policy explain -p nothing device-AB12.csr
}

@test "diff: the policy as it is changes nothing" {
    untouched ca ok signet -C ca policy diff named
    says "2 certificates under policy named: 2 the same, 0 would change"
    edit 's/^description.*/description: The same in other words/'
    ok signet -C ca policy diff edited/named.yaml
    ok signet -C ca policy diff device-mtls
    says "0 certificates under policy device-mtls"
}

@test "diff: what would change, field by field" {
    edit 's/O: Example/O: Other/; s/for: 30d/for: 20d/; s/\[clientAuth\]/[clientAuth, emailProtection]/'
    untouched ca ends 1 "2 of 2 certificates differ" -- signet -C ca policy diff edited/named.yaml
    says "$(serial_of ab13.pem)  CN=device-AB13,O=Example GmbH: would change" \
        "- subject.O               Example GmbH" "+ subject.O               Other GmbH" \
        "line 7, subject: Other GmbH" "+ extendedKeyUsage        emailProtection" "+ not_after"
    says_not "subject.CN" "- extendedKeyUsage" "subjectAltName" "not_before"
    ends 1 "1 of 1" -- signet -C ca policy diff edited/named.yaml --last 1 --json
    json .changed 1
    json '.certificates[0].serial' "$(serial_of ab13.pem)"
    json '[.certificates[0].changes[] | select(.field == "subject.O") | .change + .value] | join(" ")' \
        "-Example GmbH +Other GmbH"
}

@test "diff: the order of a name is a change, too" {
    edit 's/^subject:.*/subject: [{O: Example GmbH}, {CN: "${request.CN}"}]/'
    ends 1 "2 of 2" -- signet -C ca policy diff edited/named.yaml
    says "the same, in another order"
}

@test "diff: who would be refused, and who can't be decided again" {
    edit 's/P-256/P-384/'
    ends 1 "2 of 2" -- signet -C ca policy diff edited/named.yaml
    says "would be refused" "policy named: keys: the key is P-256; this policy takes P-384"
    ends 1 "2 of 2" -- signet -C ca policy diff edited/named.yaml named
    says "would be refused no more"
    edit 's/{O: Example GmbH}/{OU: "${request.OU}"}/'
    ends 1 "2 of 2" -- signet -C ca policy diff edited/named.yaml --json
    json .unknown 2
    json '.certificates[0].message | test("requests are not kept")' true
}

@test "diff of two policies leaves aside what changed elsewhere" {
    copy_home ca moved
    ask_store moved "UPDATE registry SET attributes = replace(attributes, 'leo', 'heo')"
    ends 1 "2 of 2" -- signet -C moved policy diff named
    says "+ subjectAltName          dns:heo.example"
    edit 's/O: Example/O: Other/'
    ends 1 "2 of 2" -- signet -C moved policy diff named edited/named.yaml
    says "+ subject.O               Other GmbH"
    says_not subjectAltName
    ok signet -C moved policy diff named named
}

@test "what diff can't take" {
    fails 2 "no CA home" -- signet policy diff ca/policies/named.yaml
    fails 2 "--last 0" -- signet -C ca policy diff named --last 0
    fails 2 "--last many" -- signet -C ca policy diff named --last many
    edit 's/^keys:/kees:/'
    fails 1 "named.yaml:4:1" -- signet -C ca policy diff edited/named.yaml
    fails 2 "one too many" -- signet -C ca policy diff named named named
}
