# identity: the nginx and OpenSSL examples of docs/identity.md, taken from it as they stand but for the
# ports, let in the devices that they should and keep the others out.
load ../flow/common
load ../flow/expect
load listen

# example FILE: the code block of that name
example() {
    awk -v name="$1" '/^```/ { on = !on && $2 == name; next } on' "$SIGNET_DATA/docs/identity.md" >"$1"
    [ -s "$1" ] || fail "docs/identity.md has no $1"
}

# run_shown TEXT: the document's commands that begin with TEXT
run_shown() {
    local line num=0
    while read -r line; do
        bash -c "signet() { \"\$SIGNET\" \"\$@\"; }; $line" </dev/null || fail "$line"
        num=$((num + 1))
    done < <(sed -n 's/^    //p' "$SIGNET_DATA/docs/identity.md" | grep "^$1")
    [ $num -ge 1 ] || fail "docs/identity.md shows no $1"
}

# make_client HOME POLICY ID NAME: NAME.key, and NAME-chain.pem with the issuing CA
make_client() {
    make_key_and_request "$4.csr" "/CN=$3"
    signet -C "$1" issue -p "$2" -d "$3" -o "$4.pem" "$4.csr"
    cat "$4.pem" "$1.pem" >"$4-chain.pem"
}

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home ca root
    example device-names.yaml
    cp device-names.yaml ca/policies
    make_root_home foreign
    cp device-names.yaml foreign/policies
    signet -C ca device add device-AB12 type=leo region=us-east
    signet -C ca device add device-WEST type=leo region=us-west
    signet -C ca device add device-GONE type=leo region=us-east
    signet -C ca device add device-LEFT type=leo region=us-east
    signet -C ca device add device-WEB1 host=localhost.example.com addresses=127.0.0.1
    signet -C foreign device add device-AB12 type=leo region=us-east
    make_client ca device-names device-AB12 device
    make_client ca device-names device-WEST west
    make_client ca device-names device-GONE gone
    make_client ca device-names device-LEFT left
    make_client foreign device-names device-AB12 stranger
    make_key_and_request www.csr /CN=localhost.example.com
    signet -C ca issue -p tls-server -d device-WEB1 -o www.pem www.csr
    cat www.pem ca.pem >www-chain.pem
    cp ca.pem issuing.pem
    signet -C ca revoke gone.pem --reason keyCompromise
    signet -C ca crl -o ca.crl
    signet -C root crl -o root.crl
    cat ca.crl root.crl >crls.pem
    # left has a certificate that is good still, but the registry wants no more of it.
    signet -C ca device disable device-LEFT
    example who.c
    run_shown "cc "
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

teardown() {
    for process in ${SERVER:-} ${HELPER:-}; do
        kill "$process" 2>/dev/null || true
    done
}

# serve EXAMPLE.conf: nginx with that example, on $PORT
serve() {
    example "$1"
    PORT=$(free_port)
    mkdir -p nginx
    sed -i "s/listen 443 ssl/listen 127.0.0.1:$PORT ssl/; s/127\.0\.0\.1:8099/127.0.0.1:${HELPER_PORT:-1}/" "$1"
    {
        printf '%s\n' "daemon off;" "pid nginx/pid;" "error_log stderr info;" "events {}" "http {" "access_log off;"
        for path in client_body proxy fastcgi uwsgi scgi; do
            echo "${path}_temp_path nginx;"
        done
        printf '%s\n' "include $1;" "}"
    } >nginx.conf
    starts nginx -p "$PWD" -c nginx.conf
}

# answers STATUS TEXT NAME [PATH [CURL-OPTION...]]: what the client NAME, or nobody, is answered
answers() {
    local certificate=()
    [ "$3" = nobody ] || certificate=(--cert "$3-chain.pem" --key "$3.key")
    run curl -sS --max-time 20 --cacert root.pem "${certificate[@]}" -w '%{http_code}' "${@:5}" \
        "https://127.0.0.1:$PORT/${4:-}"
    [[ $output == *"$1" && $output == *"$2"* ]] || fail "$3 ${4:-}: not $1 $2 but: $output; $(cat server.log)"
}

# outsiders [PATH]: those that no list is needed for
outsiders() {
    answers 400 "SSL certificate" gone "$@"
    answers 400 "SSL certificate" stranger "$@"
    answers 400 "SSL certificate" www "$@"
    answers 400 "SSL certificate" nobody "$@"
}

@test "nginx by the CN, against a list out of the registry" {
    run_shown "signet .*>devices.map"
    serve cn.conf
    answers 200 "welcome device-AB12" device
    answers 200 "welcome device-WEST" west
    answers 403 "Forbidden" left
    outsiders
}

@test "nginx by the fingerprint" {
    rm -f fingerprints.map
    run_shown "openssl x509 .*>>fingerprints.map"
    serve fingerprint.conf
    answers 200 "welcome" device
    answers 403 "Forbidden" west
    # The next certificate of the same device is another one.
    make_client ca device-names device-AB12 again
    answers 403 "Forbidden" again
    outsiders
}

@test "nginx by URI, hardware-module and OID, through the helper" {
    run_shown "signet .*>devices"
    example who.py
    HELPER_PORT=$(free_port)
    sed -i "s/8099/$HELPER_PORT/" who.py
    PORT=$HELPER_PORT
    starts python3 who.py
    HELPER=$SERVER
    serve who.conf
    for path in uri module; do
        answers 200 "welcome device-AB12" device $path
        answers 200 "welcome device-WEST" west $path
        answers 403 "Forbidden" left $path
        # A client's own header of that name does not get through.
        answers 403 "Forbidden" left $path -H "X-Client-Cert: $(jq -sRr @uri device.pem)"
        outsiders $path
    done
    answers 200 "region:us-east" device region
    answers 403 "Forbidden" west region
    # of us-east too, but disabled
    answers 403 "Forbidden" left region
    outsiders region
    # A certificate that has none of these names.
    signet -C ca issue -p mobile-app -d device-AB12 -o plain.pem device.csr
    cat plain.pem ca.pem >plain-chain.pem
    cp device.key plain.key
    for path in uri module region; do
        answers 403 "Forbidden" plain $path
    done
}

@test "OpenSSL's commands, and what they say" {
    run_shown "openssl verify"
    run bash -c "$(sed -n 's/^    \(openssl x509 .*-subject.*\)/\1/p' "$SIGNET_DATA/docs/identity.md")"
    [ "$output" = "subject=CN=device-AB12" ]
    run bash -c "$(sed -n 's/^    \(openssl x509 .*-ext .*\)/\1/p' "$SIGNET_DATA/docs/identity.md")"
    says "URI:urn:dev:org:32473-device-AB12" "othername:" "<unsupported>"
    not openssl verify -x509_strict -purpose sslclient -crl_check_all -CRLfile crls.pem -CAfile root.pem \
        -untrusted issuing.pem gone.pem
}

@test "who.c reads all four names, and none that could be read in two ways" {
    run ./who <device.pem
    [ "$status" -eq 0 ]
    expect_equal "who" "cn device-AB12
uri urn:dev:org:32473-device-AB12
module 1.3.6.1.4.1.32473.1.2;device-AB12
oid 1.3.6.1.4.1.32473.1.1 device-type:leo, region:us-east" "$output"
    for subject in "/CN=device-AB12/CN=device-CD34" "/CN=device-AB12"$'\n'"cn x"; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout odd.key -out odd.pem -utf8 \
            -subj "$subject" 2>/dev/null
        run ./who <odd.pem
        [ "$status" -ne 0 ] || fail "$subject: $output"
    done
    run ./who </dev/null
    [ "$status" -ne 0 ]
}
