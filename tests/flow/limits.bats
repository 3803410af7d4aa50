# What an issuer's own certificate lets it say of others: the names that its nameConstraints permit,
# and the vendor and product of a Matter chain. Each level is refused what it may not say.
load common
load expect

# set_registry HOME KEY=PATTERN...: what its device records look like, beside the id.
set_registry() {
    local home=$1 field
    shift
    sed -i '/^registry:/,$d' "$home/signet.yaml"
    printf 'registry:\n  device:\n    id: "device-[A-Z0-9]{4,32}"\n' >>"$home/signet.yaml"
    for field in "$@"; do
        printf '    %s: {match: "%s", optional: true}\n' "${field%%=*}" "${field#*=}" >>"$home/signet.yaml"
    done
}

# make_pai HOME PAA SUBJECT
make_pai() {
    make_home "$1"
    signet -C "$1" issuer csr "$1" --subject "$3" -o "$1.csr"
    signet -C "$2" issue -p matter-pai -o "$1.pem" "$1.csr"
    signet -C "$1" issuer import "$1" "$1.pem" --chain "$2.pem"
    set_registry "$1" pid='[0-9A-F]{4}'
    signet -C "$1" device add device-AB12 pid=8000
    signet -C "$1" device add device-CD34 pid=8001
}

setup_file() {
    start_in_own_folder
    make_home paa
    signet -C paa issuer self-sign paa -p matter-paa --subject 'CN=Example PAA,VID=FFF1' -o paa.pem
    make_pai pai paa 'CN=Example PAI,VID=FFF1,PID=8000'
    make_request ab12.csr device-AB12
    make_request cd34.csr device-CD34
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# subject_of FILE
subject_of() {
    openssl x509 -in "$1" -noout -subject -nameopt sep_comma_plus,oid,utf8 | sed 's/^subject=//'
}

# request_with NAME SUBJECT: a request with VID and PID, which openssl knows by OID alone.
request_with() {
    cat >matter.cnf <<EOT
oid_section = words
[words]
VID = 1.3.6.1.4.1.37244.2.1
PID = 1.3.6.1.4.1.37244.2.2
[req]
distinguished_name = name
[name]
EOT
    make_key_and_request "$1" "$2" -config matter.cnf -utf8
}

# --- Matter --------------------------------------------------------------------------------------

@test "a Matter chain: vendor and product go down from the PAA to the device" {
    ok signet -C pai issue -p matter-dac -d device-AB12 -o dac.pem ab12.csr
    [ "$(subject_of dac.pem)" = "2.5.4.3=device-AB12,1.3.6.1.4.1.37244.2.1=FFF1,1.3.6.1.4.1.37244.2.2=8000" ]
    openssl verify -x509_strict -CAfile paa.pem -untrusted pai.pem dac.pem
    cat dac.pem pai.pem >dac-chain.pem
    certtool --verify --load-ca-certificate paa.pem --infile dac-chain.pem
    # four capital hex digits in a UTF8String (tag 12), nothing else
    openssl x509 -in dac.pem -outform DER | openssl asn1parse -inform DER -i >tree
    [ "$(grep -A 1 ':1.3.6.1.4.1.37244.2.1$' tree | grep -c 'UTF8STRING *:FFF1$')" -eq 2 ]
    [ "$(grep -A 1 ':1.3.6.1.4.1.37244.2.2$' tree | grep -c 'UTF8STRING *:8000$')" -eq 2 ]
    openssl x509 -in dac.pem -noout -text >text
    grep -A 1 'Key Usage: critical' text | grep -q '^ *Digital Signature$'
    not grep -q 'Extended Key Usage' text
    grep -q 'Not After : Dec 31 23:59:59 9999 GMT' text
    openssl x509 -in pai.pem -noout -text | grep -q 'CA:TRUE, pathlen:0'
    openssl x509 -in paa.pem -noout -text | grep -q 'CA:TRUE, pathlen:1'
}

@test "a PAA certifies no PAI of another vendor" {
    request_with other.csr '/CN=Other PAI/VID=FFF2'
    untouched paa fails 3 "policy matter-pai: subject.VID" "VID=FFF1" "VID=FFF2" -- \
        signet -C paa issue -p matter-pai -o no.pem other.csr
    request_with none.csr '/CN=Other PAI'
    untouched paa fails 3 "policy matter-pai: subject.VID" "no VID" -- \
        signet -C paa issue -p matter-pai -o no.pem none.csr
    expect_absent no.pem
}

@test "a PAI certifies no device of another vendor" {
    request_with other.csr '/CN=device-AB12/VID=FFF2/PID=8000'
    untouched pai fails 3 "policy matter-dac: subject.VID" "VID=FFF2" "VID=FFF1" -- \
        signet -C pai issue -p matter-dac -d device-AB12 -o no.pem other.csr
    expect_absent no.pem
}

@test "a PAI for one product certifies no device of another" {
    untouched pai fails 3 "policy matter-dac: subject.PID" "PID=8000" "PID=8001" -- \
        signet -C pai issue -p matter-dac -d device-CD34 -o no.pem cd34.csr
    ends 3 -- signet -C pai check -p matter-dac -d device-CD34 cd34.csr
    says "issuer pai has PID=8000 and may certify no other"
    expect_absent no.pem
}

@test "a PAA for all vendors, and a PAI for all products" {
    make_home open-paa
    signet -C open-paa issuer self-sign open-paa -p matter-paa --subject 'CN=Open PAA' -o open-paa.pem
    make_pai open-pai open-paa 'CN=Open PAI,VID=FFF2'
    ok signet -C open-pai issue -p matter-dac -d device-CD34 -o open.pem cd34.csr
    [ "$(subject_of open.pem)" = "2.5.4.3=device-CD34,1.3.6.1.4.1.37244.2.1=FFF2,1.3.6.1.4.1.37244.2.2=8001" ]
    openssl verify -x509_strict -CAfile open-paa.pem -untrusted open-pai.pem open.pem
}

@test "a policy that forgets to ask is stopped by the lint" {
    make_policy pai wrong "subject=[{CN: '\${device.id}'}, {VID: FFF2}]"
    fails 1 "Matter 6.2.2" "FFF2 below FFF1" -- signet -C pai issue -p wrong -d device-AB12 -o no.pem ab12.csr
    make_policy pai wrong "subject=[{CN: '\${device.id}'}, {VID: FFF1}, {PID: '8001'}]"
    fails 1 "Matter 6.2.2" "8001 below 8000" -- signet -C pai issue -p wrong -d device-AB12 -o no.pem ab12.csr
    expect_absent no.pem
}

@test "a request for a device's policy, made with the home: vendor and product are in it" {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ab12.key
    ok signet -C pai csr --key ab12.key --for matter-dac --device device-AB12 -o for.csr
    openssl req -in for.csr -noout -subject -nameopt sep_comma_plus,oid,utf8 >subject
    grep -q '37244.2.1=FFF1,.*37244.2.2=8000' subject
    fails 2 "-C DIR" -- signet csr --key ab12.key --for "$SIGNET_DATA/policies/matter-dac.yaml" \
        --set device.id=device-AB12 --set device.pid=8000
}

# --- nameConstraints -----------------------------------------------------------------------------

@test "names outside of the issuer's nameConstraints are refused before anything is claimed" {
    make_root_home root
    sed -i '/^examples/,$d' root/policies/issuing-ca.yaml
    echo "name_constraints: {permitted: {dns: [devices.example.com]}, excluded: {email: [example.com]}}" \
        >>root/policies/issuing-ca.yaml
    make_issuing_home narrow root
    set_registry narrow host='.*'
    signet -C narrow device add device-AB12 host=ab12.devices.example.com
    signet -C narrow device add device-CD34 host=cd34.other.example.com
    make_policy narrow host "san=[{dns: '\${device.host}'}]"
    make_policy narrow mail "san=[{email: '\${device.id}@example.com'}]"

    ok signet -C narrow issue -p host -d device-AB12 -o host.pem ab12.csr
    openssl verify -x509_strict -CAfile root.pem -untrusted narrow.pem host.pem
    untouched narrow fails 3 "policy host: name_constraints" "dns:cd34.other.example.com" \
        "permitted subtree violation" -- signet -C narrow issue -p host -d device-CD34 -o no.pem cd34.csr
    untouched narrow fails 3 "policy mail: name_constraints" "device-AB12@example.com" \
        "excluded subtree violation" -- signet -C narrow issue -p mail -d device-AB12 -o no.pem ab12.csr
    ends 3 -- signet -C narrow check -p host -d device-CD34 cd34.csr
    says "name_constraints" "dns:cd34.other.example.com"
    expect_absent no.pem
}
