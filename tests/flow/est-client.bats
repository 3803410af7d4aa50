# What `signet card enroll` makes of a server that says odd things.
load common
load expect
load service

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_token card
    signet key create 'pkcs11:token=card;object=k' --profile softhsm --pin file:pin/card
    signet csr --key 'pkcs11:token=card;object=k' --profile softhsm --pin file:pin/card --subject CN=device-AB12 \
        -o k.csr
    add_device ca device-AB12 device-CD34
    make_request other.csr device-CD34
    signet -C ca issue -p device-mtls -d device-AB12 -o k.pem k.csr
    signet -C ca issue -p device-mtls -d device-CD34 -o other.pem other.csr
    echo 00112233445566778899aabbccddeeff >ticket
    mkdir answers
    make_tls .
    "$SIGNET_DATA/tests/flow/odd-server" tls.pem tls.key answers >port 3>&- &
    echo $! >server.pid
    wait_for 10 test -s port
}

teardown_file() {
    kill "$(cat "$BATS_FILE_TMPDIR/server.pid")"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# answer LABEL STATUS-LINE BODY [HEADER…]: what the server says to this label.
answer() {
    local label=$1 status=$2 body=$3
    shift 3
    {
        printf 'HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n' "$status" "${#body}"
        [ $# -eq 0 ] || printf '%s\r\n' "$@"
        printf '\r\n%s' "$body"
    } >"answers/$label"
}

# certs_only FILE…: a body with these certificates.
certs_only() {
    local file args=()
    for file in "$@"; do args+=(-certfile "$file"); done
    openssl crl2pkcs7 -nocrl "${args[@]}" -outform der | base64 -w0
}

# ask LABEL [OPTION…]
ask() {
    local label=$1
    shift
    signet card enroll --url "https://localhost:$(cat port)" --ca tls.pem --label "$label" --ticket file:ticket \
        --subject CN=device-AB12 --profile softhsm --pin file:pin/card "$@" 'pkcs11:token=card;object=k'
}

# nothing_on_card: and so it stays.
nothing_on_card() {
    fails 4 "no certificate" -- signet card export 'pkcs11:token=card;object=k' --profile softhsm --pin file:pin/card
}

@test "what is no certificate of this key" {
    local pkcs7='Content-Type: application/pkcs7-mime; smime-type=certs-only'
    answer empty '200 OK' '' "$pkcs7"
    ends 1 "whole base64: it is empty" -- ask empty
    answer pem '200 OK' "$(cat k.pem)" "$pkcs7"
    ends 1 "not base64" -- ask pem
    answer junk '200 OK' "$(head -c 300 /dev/zero | base64 -w0)" "$pkcs7"
    ends 1 "no certs-only message" -- ask junk
    answer bare '200 OK' "$(openssl x509 -in k.pem -outform der | base64 -w0)" "$pkcs7"
    ends 1 "no certs-only message" -- ask bare
    answer longer '200 OK' "$({ certs_only k.pem | base64 -d; echo; } | base64 -w0)" "$pkcs7"
    ends 1 "no certs-only message" -- ask longer
    answer none '200 OK' "$(certs_only ca/ca.pem)" "$pkcs7"
    ends 1 "no certificate of this key" -- ask none
    answer others '200 OK' "$(certs_only other.pem)" "$pkcs7"
    ends 1 "no certificate of this key" -- ask others
    answer twice '200 OK' "$(certs_only k.pem k.pem)" "$pkcs7"
    ends 1 "more than one certificate of this key" -- ask twice
    nothing_on_card
}

@test "statuses, and what the server says is fit for a terminal" {
    answer moved '302 Found' '' 'Location: https://localhost/elsewhere'
    ends 1 "HTTP status 302" "wants to send elsewhere" -- ask moved
    answer broken '500 Internal Server Error' 'oh dear' 'Content-Type: text/plain'
    ends 1 "the service says 'oh dear'" -- ask broken
    answer shouts '403 Forbidden' $'Forbidden: \e[31mred\nsecond line' 'Content-Type: text/plain; charset=utf-8'
    ends 3 "refused: the service says 'Forbidden: ?[31mred'" -- ask shouts
    [[ $stderr != *"second line"* ]]
    answer page '403 Forbidden' '<html>no</html>' 'Content-Type: text/html'
    ends 3 "the service says 'HTTP status 403'" -- ask page
    # the client went nowhere but where it was told to
    not grep -q elsewhere answers/asked
    nothing_on_card
}

@test "too much of anything, too little, and silence" {
    answer much '200 OK' "$(head -c 300000 /dev/zero | tr '\0' A)"
    ends 1 "more than 262144 bytes of a body" -- ask much
    answer headers '200 OK' '' "X-Long: $(head -c 20000 /dev/zero | tr '\0' A)"
    ends 1 "more than 16384 bytes of headers" -- ask headers
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nAAAA' >answers/short
    ends 1 "the service can't be asked" -- ask short
    : >answers/silent
    ends 1 "the service can't be asked" "run the same again" -- ask silent
    printf 'SSH-2.0-OpenSSH\r\n' >answers/ssh
    ends 1 "the service can't be asked" -- ask ssh
    nothing_on_card
}

@test "busy, and how long that is waited for" {
    answer busy '503 Service Unavailable' '' 'Retry-After: 120'
    ends 1 "the service is busy" "again in 120 s" -- ask busy
    answer busy '429 Too Many Requests' ''
    ends 1 "again in 5 s" -- ask busy --wait 4s
    answer busy '503 Service Unavailable' '' 'Retry-After: 99999999999'
    ends 1 "again in 21600 s" -- ask busy
    answer waits '202 Accepted' '' 'Retry-After: 60'
    ends 1 "the request waits for an approval; run the same again in 60 s" -- ask waits --wait 59s
}

@test "the same request is sent again when the time has come" {
    answer soon.next '200 OK' "$(certs_only k.pem ca/ca.pem)"
    answer soon '202 Accepted' '' 'Retry-After: 1'
    rm -f answers/asked
    ok ask soon
    [[ $stderr == *"the request waits for an approval, asked again in 1 s"* ]]
    expect_equal posts 2 "$(grep -c '^POST /.well-known/est/soon/simpleenroll HTTP/1.1' answers/asked)"
    expect_equal credentials 2 "$(grep -c "^Authorization: Basic $(printf '%s:' "$(cat ticket)" | base64 -w0)\$" answers/asked)"
    signet card export 'pkcs11:token=card;object=k' --profile softhsm --pin file:pin/card -o back.pem
    cmp back.pem k.pem
}

@test "a server under another name, by an older TLS, or without" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout else.key -out else.pem \
        -subj /CN=elsewhere -days 2 -addext subjectAltName=DNS:elsewhere 2>/dev/null
    serve() {
        timeout 20 openssl s_server -accept 127.0.0.1:0 -naccept 1 "$@" >served 2>&1 3>&- &
        wait_for 10 grep -q '^ACCEPT' served
        sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' served >other.port
    }
    serve -cert else.pem -key else.key -www
    port=$(cat other.port)
    ends 1 "not believed" "localhost" -- ask k --ca else.pem --url "https://localhost:$port"
    serve -cert tls.pem -key tls.key -tls1_1 -cipher 'DEFAULT@SECLEVEL=0' -www
    ends 1 "the service can't be asked" -- ask k --url "https://localhost:$(cat other.port)"
    serve -cert tls.pem -key tls.key -tls1_2 -www
    ends 1 "the service can't be asked" -- ask k --url "https://localhost:$(cat other.port)"
    # It was spoken to, and hung up instead of answering: as curl 7 and as curl 8 say it.
    [[ $stderr == *"Empty reply from server"* || $stderr == *"unexpected eof while reading"* ]]
}

@test "without its helper signet says what is missing" {
    cp "$(readlink -f "$SIGNET")" alone
    run --separate-stderr ./alone card enroll --url https://localhost --ticket file:ticket --subject CN=x pkcs11:object=k
    [ "$status" -eq 1 ]
    [[ $stderr == *"libexec/signet/signet-est, the part of Signet that goes to the network, can't be started"* ]]
    ok ./alone card enroll --help
    says "--ticket SOURCE"
}
