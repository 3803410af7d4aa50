# listen: servers on loopback, each on a port of its own. Loaded after common.bash.

# free_port: one that nobody listens on at this moment.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# starts COMMAND...: in the background as $SERVER, until it listens on $PORT.
starts() {
    local tries=0
    "$@" >server.log 2>&1 </dev/null 3>&- &
    SERVER=$!
    until (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "it does not listen: $(cat server.log)"
        kill -0 "$SERVER" 2>/dev/null || fail "it ended: $(cat server.log)"
        sleep 0.1
    done
}
