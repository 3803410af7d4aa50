# signetd among strangers: HTTP that means two things, lines without an end, and a front that lies.
load common
load service

setup_file() {
    start_in_own_folder
    make_root_home dev
    add_service dev 'limits: {request: 60s, idle: 1s, reply: 3s}'
    start_service dev
    declare -p tls est_url http_url metrics_url | sed 's/^declare/declare -g/' >urls
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    stop_service
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    source ./urls
}

# hostile KIND WHERE: what is sent is in the script; afterwards the very same processes serve.
hostile() {
    local before
    before=$(pgrep -P "$(cat service.pid)" | sort)
    python3 "$BATS_TEST_DIRNAME/hostile.py" "$@"
    fetch "$http_url/crl/dev.crl"
    expect_http 200
    is_ready
    expect_equal "the service's processes" "$before" "$(pgrep -P "$(cat service.pid)" | sort)"
    not grep -qi 'sanitizer\|runtime error' service.log
}

@test "a request whose end can be read in two ways is refused, and the connection ends with it" {
    hostile framing "$(port_of http)"
    said_in service.log 'rule="RFC 9112 6.3"'
}

@test "a chunk's size of all the octets that there are is not kept" {
    hostile chunk "$(port_of http),$(port_of https)s"
}

@test "who does not read the replies is closed in time, and who reads them slowly is not" {
    hostile reading "$(port_of http),$(port_of https)s,$(port_of metrics)"
}

@test "a front that lies to the issuer is shown the door" {
    hostile front dev/signetd.sock
    said_in service.log 'a conversation begins with one HELLO'
    said_in service.log 'ends inside a field'
}
