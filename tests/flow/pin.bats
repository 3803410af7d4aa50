# Where a PIN comes from, and where it never goes.
load common
load expect

setup_file() {
    start_in_own_folder
    make_token card
    signet key create "pkcs11:token=card;object=k" --profile softhsm --pin file:pin/card
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    rm -rf state
    PIN=$(cat pin/card)
}

show() {
    signet key show "pkcs11:token=card;object=k" --profile softhsm "$@"
}

# at_terminal TYPED COMMAND...: runs it with a terminal of its own, types TYPED at the prompt, and
# prints what the terminal showed. Its exit status is the command's.
at_terminal() {
    python3 - "$@" <<'EOT'
import os, pty, sys
typed, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
shown = b""
sent = False
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    shown += more
    if not sent and b"PIN" in shown and shown.rstrip(b" ").endswith(b":"):
        os.write(terminal, typed.encode() + b"\n")
        sent = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
EOT
}

@test "from a file; a newline at its end is not part of it" {
    ok show --pin file:pin/card
    (umask 077 && printf %s "$PIN" >bare && printf '%s\n\n' "$PIN" >two && printf '%s\r\n' "$PIN" >dos)
    ok show --pin file:bare
    ok show --pin "file:$PWD/bare"
    ends 4 "PIN" -- show --pin file:two
}

@test "from the environment" {
    CARD_PIN=$PIN ok show --pin env:CARD_PIN
    fails 4 "NO_SUCH" -- show --pin env:NO_SUCH
}

@test "from a systemd credential" {
    mkdir -p credentials
    (umask 077 && printf %s "$PIN" >credentials/card.pin)
    CREDENTIALS_DIRECTORY=$PWD/credentials ok show --pin credential:card.pin
    fails 4 "CREDENTIALS_DIRECTORY" -- show --pin credential:card.pin
    CREDENTIALS_DIRECTORY=$PWD/credentials fails 4 "other.pin" -- show --pin credential:other.pin
    CREDENTIALS_DIRECTORY=$PWD/credentials ends 2 "credential" -- show --pin credential:../pin/card
}

@test "from a prompt, without an echo" {
    ok at_terminal "$PIN" "$SIGNET" key show "pkcs11:token=card;object=k" --profile softhsm
    says "PIN" "card" "made on the token"
    says_not "$PIN"
    ok at_terminal "$PIN" "$SIGNET" key show "pkcs11:token=card;object=k" --profile softhsm --pin prompt
}

@test "a prompt without a terminal is an error, not a hang" {
    fails 4 "terminal" -- timeout 20 setsid -w "$SIGNET" key show "pkcs11:token=card;object=k" --profile softhsm
}

@test "a file that others can read is not used" {
    printf %s "$PIN" >open
    for mode in 0644 0640 0604; do
        chmod $mode open
        fails 4 "open" "chmod" -- show --pin file:open
    done
    chmod 0400 open
    ok show --pin file:open
}

@test "a file that is not there, empty, or too long" {
    fails 4 "no-such-file" -- show --pin file:no-such-file
    (umask 077 && : >empty && echo >blank && head -c 300 /dev/zero | tr '\0' 1 >long)
    fails 4 "empty" -- show --pin file:empty
    fails 4 "empty" -- show --pin file:blank
    fails 4 "long" -- show --pin file:long
}

@test "what is no source of a PIN" {
    fails 2 "file:" "env:" "credential:" "prompt" -- show --pin "$PIN"
    says_not "$PIN"
    [[ $stderr != *"$PIN"* ]]
    fails 2 "file:" -- show --pin ""
    fails 2 "file:" -- show --pin file:
}

@test "a wrong PIN is tried once and remembered, also for the next call" {
    (umask 077 && echo wrong-pin >wrong)
    fails 4 "PIN" "refused" -- show --pin file:wrong
    [[ $stderr != *wrong-pin* ]]
    fails 4 "before" -- show --pin file:wrong
    [ "$(stat -c %a state/signet/refused-pins)" = 600 ]
    not grep -rq wrong-pin state
}

@test "another PIN is tried all the same, and the right one clears the memory" {
    (umask 077 && echo wrong-pin >wrong && echo wrong-too >wrong2)
    fails 4 "PIN" -- show --pin file:wrong
    fails 4 "refused" -- show --pin file:wrong2
    fails 4 "before" -- show --pin file:wrong2
    ok show --pin file:pin/card
    fails 4 "PIN" -- show --pin file:wrong
    [[ $stderr != *before* ]]
}

@test "a home keeps its own memory of refused PINs" {
    make_home keeper
    (umask 077 && cp pin/keeper right && echo wrong-pin >pin/keeper)
    fails 4 "keeper" "PIN" -- signet -C keeper key show keeper
    fails 4 "keeper" "before" -- signet -C keeper key show keeper
    [ "$(stat -c %a keeper/refused-pins)" = 600 ]
    expect_absent state/signet/refused-pins
    mv right pin/keeper
    ok signet -C keeper key show keeper
}

# watch_arguments NEEDLE COMMAND...: fails when NEEDLE is ever seen in the command line or, beyond
# what the caller put there, in the environment of the command or its children.
watch_arguments() {
    local needle=$1 child seen=0
    shift
    "$@" >/dev/null 2>&1 &
    child=$!
    while kill -0 $child 2>/dev/null; do
        for file in /proc/$child/cmdline /proc/[0-9]*/cmdline; do
            tr '\0' ' ' <"$file" 2>/dev/null | grep -qF -- "$needle" && seen=1
        done
        sleep 0.02
    done
    wait $child || return 2
    return $seen
}

@test "the PIN is in no argument list while a command runs" {
    local try
    for try in 1 2 3 4 5; do
        ok watch_arguments "$PIN" "$SIGNET" csr --key "pkcs11:token=card;object=k" --profile softhsm \
            --pin file:pin/card --subject CN=x
    done
    # The watcher does see what is there.
    run watch_arguments "$PIN" bash -c "sleep 1; : $PIN"
    [ "$status" -eq 1 ]
}

@test "the PIN is in no output, whatever happens" {
    local command
    for command in "key show pkcs11:token=card;object=k" "key show pkcs11:token=card;object=k --json" \
        "key list pkcs11:token=card" "key show pkcs11:token=card;object=no" \
        "key show pkcs11:token=card;object=no --json" "key create pkcs11:token=card;object=k" \
        "csr --key pkcs11:token=card;object=k --subject CN=x" "card export pkcs11:token=card;object=k"; do
        for source in file:pin/card env:CARD_PIN; do
            CARD_PIN=$PIN run --separate-stderr signet $command --profile softhsm --pin $source
            [[ $output$stderr != *"$PIN"* ]]
        done
    done
}

@test "the PIN is in nothing that a home holds" {
    make_root_home leak
    not grep -rqF "$(cat pin/leak)" leak
}

@test "a PIN longer than libp11 itself could take" {
    local long=123456789012345678901234567890123456
    (umask 077 && echo $long >pin/long)
    softhsm2-util --init-token --free --label long --so-pin officers-pin --pin $long >/dev/null
    ok signet key create "pkcs11:token=long;object=k" --profile softhsm --pin file:pin/long
    ok signet csr --key "pkcs11:token=long;object=k" --profile softhsm --pin file:pin/long \
        --subject CN=x -o long.csr
    openssl req -in long.csr -verify -noout
}
