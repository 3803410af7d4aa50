# signet list|revoke|release|crl
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_policy ca brief 'validity={for: 2s, past_issuer: refuse}' 'renewal=never'
    for n in 1 2 3 4 5 6; do
        make_device ca "device-DEV$n"
        signet -C ca issue -p device-mtls -d "device-DEV$n" -o "dev$n.pem" "device-DEV$n.csr"
    done
    signet -C ca issue -p brief -d device-DEV6 -o brief.pem device-DEV6.csr
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# crl_text: what openssl reads in the home's next CRL.
crl_text() {
    signet -C ca crl -o ca.crl --force "$@" 2>/dev/null
    openssl crl -in ca.crl -CAfile ca.pem -noout
    openssl crl -in ca.crl -noout -text -nameopt oneline,-space_eq
}

# entry SERIAL: what the CRL text on standard input has on it.
entry() {
    grep -A 4 "Serial Number: ${1^^}" | sed '2,${/Serial Number\|Signature Algorithm/,$d}'
}

@test "list: one line each, oldest first" {
    ok signet -C ca list
    [ "${#lines[@]}" -eq 8 ]
    [[ ${lines[0]} == *"root-ca"*"Test CA ca"* ]]
    [[ ${lines[1]} == "$(serial_of dev1.pem)  valid "*"until 20"*"device-mtls"*"CN=device-DEV1"* ]]
}

@test "list: filters" {
    ok signet -C ca list --device device-DEV2 --json
    json '[.[].subject] | join(" ")' CN=device-DEV2
    json '.[0].status' valid
    json '.[0].serial' "$(serial_of dev2.pem)"
    json '.[0].revoked' null
    ok signet -C ca list --policy root-ca --json
    json length 1
    ok signet -C ca list --serial "$(serial_of dev3.pem)" --json
    json '.[0].device' device-DEV3
    ok signet -C ca list --serial "$(openssl x509 -in dev3.pem -noout -serial | cut -d= -f2)" --json
    json length 1
    ok signet -C ca list --issuer ca --json
    json length 8
    ok signet -C ca list --expires-within 400d --json
    json '[.[] | select(.policy == "device-mtls")] | length' 6
    json '[.[] | select(.policy == "root-ca")] | length' 0
    ok signet -C ca list --expires-within 1d --policy device-mtls
    [ -z "$output" ] && [ "$stderr" = "no certificates" ]
    ok signet -C ca list --device device-DEV2 --pem
    [ "$output" = "$(cat dev2.pem)" ]
    ok signet -C ca list --device device-NONE --json
    json length 0
}

@test "list: what it does not know" {
    fails 2 "valid, expired, revoked, held" -- signet -C ca list --status gone
    fails 2 "30x" -- signet -C ca list --expires-within 30x
    fails 2 "hexadecimal" -- signet -C ca list --serial xyz
}

@test "a CRL: number, AKI, dates, no entries" {
    ok crl_text
    says "Version 2" "Issuer: CN=Test CA ca, O=Example GmbH" "No Revoked Certificates" \
        "X509v3 CRL Number" "X509v3 Authority Key Identifier"
    says "$(openssl x509 -in ca.pem -noout -ext subjectKeyIdentifier | sed -n '2s/^ *//p')"
    [ "$(openssl crl -in ca.crl -noout -crlnumber)" = crlNumber=0x01 ]
}

@test "the CRL number grows, nextUpdate is a setting and an option" {
    ok signet -C ca crl -o two.crl
    [[ $stderr == "CRL number 2, 0 revoked, next update 20"* ]]
    [ "$(openssl crl -in two.crl -noout -crlnumber)" = crlNumber=0x02 ]
    lifetime() {
        local from until
        from=$(date -d "$(openssl crl -in "$1" -noout -lastupdate | cut -d= -f2)" +%s)
        until=$(date -d "$(openssl crl -in "$1" -noout -nextupdate | cut -d= -f2)" +%s)
        echo $((until - from))
    }
    [ "$(lifetime two.crl)" -eq $((7 * 86400)) ]
    signet -C ca crl -o three.crl --next-update 12h
    [ "$(lifetime three.crl)" -eq $((12 * 3600)) ]
    sed -i 's/next_update: 7d/next_update: 30d/' ca/signet.yaml
    signet -C ca crl -o four.crl
    [ "$(lifetime four.crl)" -eq $((30 * 86400)) ]
    untouched ca fails 2 "outdated at once" -- signet -C ca crl --next-update 0s
    untouched ca fails 2 "longer than its issuer" -- signet -C ca crl --next-update 7000y
    untouched ca fails 2 "longer than its issuer" -- signet -C ca crl --next-update 21y
    fails 2 "'12'" -- signet -C ca crl --next-update 12
    sed -i 's/next_update: 30d/next_update: 7d/' ca/signet.yaml
}

@test "a CRL as DER, on standard output, over an existing file" {
    signet -C ca crl --der >der.crl 2>/dev/null
    openssl crl -inform DER -in der.crl -noout
    ok signet -C ca crl
    openssl crl -noout <<<"$output"
    ok signet -C ca crl --json
    json '[.entries, .output] | tojson' '[0,null]'
    [ "$(jq -r .crl <<<"$output" | openssl crl -noout -crlnumber)" = "crlNumber=0x0$(jq .number <<<"$output")" ]
    ok signet -C ca crl --json -o json.crl
    json '[.output, .crl] | tojson' '["json.crl",null]'
    openssl crl -in json.crl -noout
    before=$(ask_store ca 'select max(number) from crl')
    fails 1 "der.crl exists" "--force" -- signet -C ca crl --der -o der.crl
    [ "$before" = "$(ask_store ca 'select max(number) from crl')" ]
    ok signet -C ca crl --der -o der.crl --force
}

@test "revoke by serial number" {
    ok signet -C ca revoke "$(serial_of dev1.pem)"
    says "1 revoked" "signet crl"
    ok signet -C ca list --device device-DEV1
    says "revoked" "(unspecified)"
    ok crl_text
    entry "$(serial_of dev1.pem)" <<<"$output" >entry
    grep -q "Revocation Date" entry
    not grep -q "Reason Code" entry
}

@test "revoke by file, with a reason" {
    make_key_and_request stolen.csr /CN=device-STOLEN
    add_device ca device-STOLEN
    signet -C ca issue -p device-mtls -d device-STOLEN -o stolen.pem stolen.csr
    signet -C ca revoke stolen.pem --reason keyCompromise
    ok signet -C ca revoke dev2.pem --reason keyCompromise --json
    json .revoked 1
    ok signet -C ca list --status revoked --json
    json '.[] | select(.device == "device-DEV2") | .reason' keyCompromise
    ok crl_text
    entry "$(serial_of dev2.pem)" <<<"$output" | grep -q "Key Compromise"
}

@test "revoke by device: all that it has" {
    make_policy ca also 'renewal=never'
    signet -C ca issue -p also -d device-DEV3 -o also3.pem device-DEV3.csr
    ok signet -C ca revoke --device device-DEV3 --reason cessationOfOperation
    says "2 revoked"
    ok crl_text
    entry "$(serial_of dev3.pem)" <<<"$output" | grep -q "Cessation Of Operation"
    entry "$(serial_of also3.pem)" <<<"$output" | grep -q "Cessation Of Operation"
}

@test "each reason as RFC 5280 writes it" {
    local n=0 reason text
    for reason in affiliationChanged superseded privilegeWithdrawn; do
        n=$((n + 1))
        make_device ca "device-REA$n"
        signet -C ca issue -p device-mtls -d "device-REA$n" -o "rea$n.pem" "device-REA$n.csr"
        signet -C ca revoke "rea$n.pem" --reason $reason
    done
    text=$(crl_text)
    entry "$(serial_of rea1.pem)" <<<"$text" | grep -q "Affiliation Changed"
    entry "$(serial_of rea2.pem)" <<<"$text" | grep -q "Superseded"
    entry "$(serial_of rea3.pem)" <<<"$text" | grep -q "Privilege Withdrawn"
}

@test "hold, and release from it" {
    ok signet -C ca revoke --hold dev4.pem
    ok signet -C ca list --device device-DEV4
    says held
    text=$(crl_text)
    entry "$(serial_of dev4.pem)" <<<"$text" | grep -q "Certificate Hold"
    untouched ca fails 3 "on hold" -- signet -C ca revoke --hold dev4.pem
    ok signet -C ca release dev4.pem
    says "1 released"
    ok signet -C ca list --device device-DEV4
    says valid
    text=$(crl_text)
    not grep -q "Serial Number: $(serial_of dev4.pem | tr a-f A-F)" <<<"$text"
}

@test "a certificate on hold can be revoked for good, and then not released" {
    ok signet -C ca revoke --hold --device device-DEV5
    ok signet -C ca revoke dev5.pem --reason keyCompromise
    [[ $(crl_text | entry "$(serial_of dev5.pem)") == *"Key Compromise"* ]]
    untouched ca fails 3 "revoked for good" -- signet -C ca release dev5.pem
}

@test "a retry never gets a certificate back that was revoked or is on hold" {
    ok signet -C ca issue -p device-mtls -d device-DEV1 -o dev1again.pem device-DEV1.csr
    [ "$(serial_of dev1again.pem)" != "$(serial_of dev1.pem)" ]
    ok signet -C ca revoke --hold dev4.pem
    untouched ca fails 3 "on hold" "release" -- \
        signet -C ca issue -p device-mtls -d device-DEV4 -o no.pem device-DEV4.csr
    ok signet -C ca release dev4.pem
}

@test "a key that was compromised is never certified again, for no device" {
    untouched ca fails 3 "compromised key" "make a new key" -- \
        signet -C ca issue -p device-mtls -d device-DEV2 -o no.pem device-DEV2.csr
    # not by another policy, nor for another name
    openssl req -new -key stolen.key -subj /CN=device-DEV6 -out stolen.csr
    untouched ca fails 3 "compromised key" -- \
        signet -C ca issue -p brief -d device-DEV6 -o no.pem stolen.csr
    expect_absent no.pem
    make_request new.csr device-DEV2
    ok signet -C ca issue -p device-mtls -d device-DEV2 -o new.pem new.csr
}

@test "processes that make CRLs at once leave the latest in the file" {
    local first i
    signet -C ca crl -o many.crl --force
    first=$(openssl crl -in many.crl -noout -crlnumber)
    for i in 1 2 3 4 5 6; do
        signet -C ca crl -o many.crl --force 2>"many.$i" &
    done
    wait
    [ $(($(openssl crl -in many.crl -noout -crlnumber | cut -d= -f2))) -eq $((${first#*=} + 6)) ]
    [ "$(cat many.? | grep -c "next update")" -eq 6 ]
}

@test "what can't be revoked or released" {
    untouched ca fails 3 "revoked already" -- signet -C ca revoke dev2.pem
    untouched ca fails 3 "not on hold" -- signet -C ca release dev4.pem
    untouched ca fails 2 "no certificate matches" -- signet -C ca revoke 1234567890
    untouched ca fails 2 "no certificate matches" -- signet -C ca revoke --device device-NONE
    untouched ca fails 2 "neither a serial number in hex nor" -- signet -C ca revoke no-such-file.pem
    fails 2 "say which" -- signet -C ca revoke
    fails 2 "say which" -- signet -C ca revoke dev4.pem --device device-DEV4
    fails 2 "no revocation reason" "keyCompromise" -- signet -C ca revoke dev4.pem --reason bored
    fails 2 "removeFromCRL" -- signet -C ca revoke dev4.pem --reason removeFromCRL
    fails 2 "--hold" -- signet -C ca revoke dev4.pem --hold --reason superseded
}

@test "a certificate of another CA is not taken for one of ours" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj /CN=stray -days 1 -out stray.pem 2>/dev/null
    untouched ca fails 2 "no certificate matches" -- signet -C ca revoke stray.pem
}

@test "nor is one with the serial number of one of ours" {
    serial=$(serial_of dev4.pem)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj /CN=stray -days 1 -set_serial "0x$serial" -out same.pem 2>/dev/null
    untouched ca fails 3 "same.pem has the serial number $serial" "another certificate" -- \
        signet -C ca revoke same.pem --reason keyCompromise
    ok signet -C ca revoke dev4.pem --hold
    untouched ca fails 3 "another certificate" -- signet -C ca release same.pem
    ok signet -C ca release dev4.pem
    openssl x509 -in dev4.pem -outform DER -out dev4.der
    ok signet -C ca revoke dev4.der --hold
    ok signet -C ca release "$serial"
}

@test "a CRL that could not be written takes no number" {
    untouched ca fails 1 "cannot open the folder" -- signet -C ca crl -o nowhere/ca.crl.pem
    untouched ca fails 1 "cannot open the folder" -- signet -C ca crl -o nowhere/ca.crl.pem --force
    mkdir folder
    untouched ca fails 1 "not a regular file" -- signet -C ca crl -o folder --force
}

@test "an expired certificate stays on the CRL until one CRL after its expiry has listed it" {
    make_device ca device-EXP1
    make_policy ca month 'renewal=never'
    ok signet -C ca issue -p month -d device-EXP1 -o exp1.pem device-EXP1.csr
    ok signet -C ca revoke exp1.pem --reason superseded
    serial=$(serial_of exp1.pem)
    [[ $(crl_text | entry "$serial") == *Superseded* ]]
    # Time goes by: there is no shorter way that does not depend on how fast this machine is.
    ask_store ca "UPDATE claim SET not_after = not_after - 31 * 86400 WHERE device = 'device-EXP1'"
    [[ $(crl_text | entry "$serial") == *Superseded* ]]
    text=$(crl_text)
    not grep -q "Serial Number: ${serial^^}" <<<"$text"
    ok signet -C ca list --device device-EXP1
    says revoked
}

@test "a short one has expired by now; it can't be had again, and counts as expired" {
    ok signet -C ca list --status expired --json
    json '[.[].device] | join(" ")' device-DEV6
    ok signet -C ca issue -p brief -d device-DEV6 -o brief2.pem device-DEV6.csr
    not cmp -s brief.pem brief2.pem
}
