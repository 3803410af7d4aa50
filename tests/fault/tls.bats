# tls: the token of the service's own TLS key is slow, or its issuer dies, while handshakes wait.
load faults
load ../flow/service

setup_file() {
    start_with_ca
    export SIGNET_WRAP_LIVE=$PWD/live
    signet -C ca device add device-SRV1 host=ca.example.com addresses=127.0.0.1
    signet key create 'pkcs11:token=ca;object=tls' --pin file:pin/ca "${token_module[@]}"
    add_service ca 'est: {policy: device-mtls}' 'limits: {request: 2s}'
    sed -i "s|^  https: .*|  https: {listen: '127.0.0.1:0', token: main, key: 'pkcs11:object=tls', device: device-SRV1}|" \
        ca/signet.yaml
    start_service ca
    est_url=https://127.0.0.1:$(port_of https)/.well-known/est
    wait_for 10 is_served
    tls=ca.pem
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
    rm -f knocked
}

teardown() {
    rm -f live
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    rm -f live
    end_service
}

# A connection of its own to the service, whose status is told; the URL follows.
asking=(curl -s --cacert ca.pem -o /dev/null -w '%{http_code}\n')

is_served() {
    [ "$("${asking[@]}" "$est_url/cacerts")" = 200 ]
}

# knock [CURL-OPTION…]: the same beside the test; its status goes to knocked.
knock() {
    "${asking[@]}" "$@" "$est_url/cacerts" >>knocked 3>&- &
}

# has_figure LINE: among those of the front.
has_figure() {
    curl -s "$metrics_url/metrics" | grep -qx -- "$1"
}

# have_ended NUM STATUS: so many have knocked, and got that.
have_ended() {
    [ "$(grep -cx "$2" knocked)" = "$1" ] && has_figure 'signet_tls_handshakes_waiting 0'
}

# all_have_ended NUM: so many have knocked, whatever they got.
all_have_ended() {
    [ "$(wc -l <knocked)" = "$1" ]
}

@test "handshakes wait for a slow token side by side, and everybody else is served" {
    local before
    before=$(count_log '^C_Sign ')
    echo 'C_Sign:delay=700' >live
    knock --tlsv1.3
    knock --tls-max 1.2
    wait_for 5 has_figure 'signet_tls_handshakes_waiting 2'
    fetch "$http_url/crl/ca.crl"
    expect_http 200
    fetch "$metrics_url/readyz"
    expect_http 200
    expect_equal 'signatures by then' "$before" "$(count_log '^C_Sign ')"
    wait_for 10 have_ended 2 200
}

@test "who waits for longer than a request may is let go, as is who leaves or is silent; what comes too late harms nobody" {
    local pid
    echo 'C_Sign:delay=4000' >live
    knock
    knock
    pid=$!
    wait_for 5 has_figure 'signet_tls_handshakes_waiting 2'
    kill "$pid"
    exec 9<>"/dev/tcp/127.0.0.1/$(port_of https)" # and says nothing
    kill -HUP "$(pgrep -P "$(cat service.pid)" | grep -vx "$(issuer_pid)")"
    wait_for 5 said_in service.log 'SIGHUP: signet.yaml and the TLS certificate are read again'
    wait_for 5 have_ended 1 000
    timeout 5 cat <&9 || true # until the other end is closed
    exec 9>&-
    wait_for 5 has_figure 'signet_connections 1'
    has_figure 'signet_slow_clients_total 3'
    has_figure 'signet_tls_key_signatures_total{outcome="failed"} 0'
    rm live
    wait_for 5 is_served
    is_served
}

@test "who has been let go costs the token nothing more, and those who come then don't wait for it" {
    local i begun
    echo 'C_Sign:delay=500' >live
    for i in {1..40}; do
        knock
    done
    wait_for 10 all_have_ended 40
    begun=$SECONDS
    wait_for 20 is_served
    [ $((SECONDS - begun)) -le 8 ] # for all of them the token would take 20 s
}

@test "the issuer dies: handshakes end with it, and the next one has others" {
    echo 'C_Sign:delay=60000' >live
    knock --tlsv1.3
    knock --tls-max 1.2
    wait_for 5 has_figure 'signet_tls_handshakes_waiting 2'
    kill_issuer
    rm live
    wait_for 5 have_ended 2 000
    said_in service.log 'the issuer has closed the socket'
    has_figure 'signet_tls_key_signatures_total{outcome="failed"} 2'
    wait_for 30 is_served
}

@test "the service ends while handshakes wait, and leaves nothing behind" {
    echo 'C_Sign:delay=2000' >live
    knock --tlsv1.3
    knock --tls-max 1.2
    wait_for 5 has_figure 'signet_tls_handshakes_waiting 2'
    end_service
    expect_equal 'refused' 2 "$(grep -cx 000 knocked)"
    not grep -q 'ERROR: \|runtime error' service.log
}
