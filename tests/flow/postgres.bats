# A store in PostgreSQL, as docs/operations.md tells: where it is, and who may do what. (Run by
# tests/postgres/private.)
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_device ca device-PG01
    make_device ca device-PG02
    make_device ca device-PG04
    store_of ca >url
    psql -X -q -v ON_ERROR_STOP=1 "$(cat url)" <<<"$(shown_sql)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    url=$(cat url)
}

# shown_sql: the statements that the document shows for roles.
shown_sql() {
    sed -n '/^## A store in PostgreSQL/,/^## /s/^    //p' "$SIGNET_DATA/docs/operations.md" |
        grep -E '^(CREATE|GRANT|REVOKE) '
}

# this_month FORMAT: of the first certificate.
this_month() {
    date -u -d "$(psql -X -q -A -t "$url" -c 'SELECT to_timestamp(min(claimed)) FROM claim')" "+$1"
}

# month_sql WORD: the statement of the chapter on months that has the word, for the first certificate's month.
month_sql() {
    local first
    first=$(this_month %Y-%m-01)
    sed -n '/^### Months/,/^### /s/^    //p' "$SIGNET_DATA/docs/operations.md" | awk -v RS=';' "/$1/" |
        sed -e "s/2024_03/$(this_month %Y_%m)/" -e "s/2024-03-01/$first/" \
            -e "s/2024-04-01/$(date -u -d "$first + 1 month" +%Y-%m-%d)/"
}

# home_as ROLE: the home ca, for somebody who connects as ROLE.
home_as() {
    rm -rf "as-$1"
    cp -r ca "as-$1"
    sed -i "s|^store: 'postgresql://signet@|store: 'postgresql://$1@|" "as-$1/signet.yaml"
    grep -q "//$1@" "as-$1/signet.yaml"
}

# denied ROLE SQL
denied() {
    run psql -X -q "${url/signet@/$1@}" -c "$2"
    [ "$status" -ne 0 ]
    says "permission denied"
}

@test "a store is never replaced" {
    fails 5 "it exists, and a store is never replaced" -- signet init again --token pkcs11:token=ca \
        --profile softhsm --store "$url"
    ok signet -C ca list
}

@test "whoever issues needs no more than the document grants" {
    home_as issuing
    ok signet -C as-issuing issue -p device-mtls --device device-PG01 -o pg1.pem device-PG01.csr
    ok signet -C as-issuing device add device-PG03 type=leo region=us-east
    ok signet -C as-issuing device disable device-PG03
    ok signet -C as-issuing revoke pg1.pem --hold
    ok signet -C as-issuing release pg1.pem
    ok signet -C as-issuing issue -p device-mtls --device device-PG02 -o pg2.pem device-PG02.csr
    ok signet -C as-issuing revoke pg2.pem
    ok signet -C as-issuing ticket add -p device-mtls --device device-PG02
    ok signet -C as-issuing ticket drop 1
    ok signet -C as-issuing crl -o crl.pem
    grep -qi "$(serial_of pg2.pem)" <<<"$(openssl crl -in crl.pem -noout -text)"
    ok signet -C as-issuing key block add "$(printf %064d 7)"
    ok signet -C as-issuing issuer self-sign ca --subject 'CN=Test CA ca,O=Example GmbH' --force
}

@test "what has been issued nobody changes who issues" {
    denied issuing "DELETE FROM certificate"
    denied issuing "UPDATE certificate SET recorded = 0"
    denied issuing "DELETE FROM $(this_month certificate_%Y_%m)"
    denied issuing "DELETE FROM claim"
    denied issuing "UPDATE claim SET device = 'device-PG09'"
    denied issuing "DELETE FROM request_intent"
    denied issuing "DELETE FROM crl"
    denied issuing "UPDATE issuer SET name = 'x'"
}

@test "whoever looks, looks" {
    home_as looking
    ok signet -C as-looking list --json
    json '.[1].device' device-PG01
    ok signet -C as-looking device list
    fails 5 "grant this user the rights" -- signet -C as-looking revoke "$(serial_of pg1.pem)"
    fails 5 "grant this user the rights" -- signet -C as-looking issue -p device-mtls --device device-PG02 device-PG02.csr
    denied looking "INSERT INTO registry VALUES (1, 'x', '{}', 0)"
    denied looking "SELECT make_months(0)"
}

@test "a month that was taken out: what it lacks says so, and revocation goes on" {
    local serial month
    ok signet -C ca issue -p device-mtls --device device-PG04 -o pg4.pem device-PG04.csr
    serial=$(serial_of pg4.pem)
    month=$(this_month %Y-%m)
    psql -X -q -A -t "$url" -c "$(month_sql 'SELECT to_timestamp')" | grep -q '^20'
    psql -X -q -v ON_ERROR_STOP=1 "$url" -c "$(month_sql DETACH)"
    ok signet -C ca store show
    says "of the certificates, whose months were taken out"
    ok signet -C ca list --device device-PG04
    says device-PG04
    fails 5 "its month, $month, were taken out" -- signet -C ca show "$serial"
    fails 5 "attach that month again" -- signet -C ca list --pem
    fails 5 "attach that month again" -- signet -C ca issue -p device-mtls --device device-PG04 device-PG04.csr
    fails 5 "its serial number is enough" -- signet -C ca revoke pg4.pem
    ok signet -C ca revoke "$serial" --hold
    ok signet -C ca crl -o out.crl
    grep -qi "$serial" <<<"$(openssl crl -in out.crl -noout -text)"
    ok signet -C ca backup out.backup
    psql -X -q -v ON_ERROR_STOP=1 "$url" -c "$(month_sql ATTACH)"
    ok signet -C ca store show
    not grep -q elsewhere <<<"$output"
    says "$month       "
    ok signet -C ca show "$serial"
    ok signet -C ca release "$serial"
    # and a file that was made of a backup lacks it as well
    cp -r ca kept
    sed -i 's|^store: .*|store: sqlite:signet.db|' kept/signet.yaml
    ok signet -C kept restore out.backup
    fails 5 "its month, $month, were taken out" -- signet -C kept show "$serial"
    ok signet -C kept revoke "$serial"
}

@test "where it is: each thing that may be wrong has its own message" {
    cp -r ca lost
    at() { sed -i "s|^store: .*|store: '$1'|" lost/signet.yaml; }
    at 'postgresql://signet:hunter2@db.example.com/signet'
    fails 1 "has a password in it" -- signet -C lost list
    at "${url/\/ca-/\/no-}"
    fails 5 "it can't be reached" "does not exist" -- signet -C lost list
    at "${url/host=*/host=$PWD}"
    fails 5 "it can't be reached" -- signet -C lost list
    at "${url/signet@/nobody@}"
    fails 5 "nobody" -- signet -C lost list
    at "${url/\/ca-*\?/\/postgres?}"
    fails 5 "there are no tables of Signet's in this database" -- signet -C lost list
}
