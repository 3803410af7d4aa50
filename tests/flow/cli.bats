# The command line itself: help, unknown words, exit statuses, full disks at the other end of a pipe.
load common
load expect

setup_file() {
    start_in_own_folder
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# The commands of the overview, one a line.
commands() {
    signet help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p'
}

@test "help: an overview of all commands" {
    ok signet help
    says "usage: signet" "  init " "  issuer self-sign " "  issue " "  policy test " "  card export " "Exit status"
    local overview=$output
    ok signet --help
    [ "$output" = "$overview" ]
    ok signet -h
    [ "$output" = "$overview" ]
    [ "$(commands | wc -l)" -ge 30 ]
    # on a terminal of 80 columns
    [ "$(wc -L <<<"$overview")" -le 80 ]
}

@test "without a command: the overview, as an error" {
    run --separate-stderr signet
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ $stderr == *"usage: signet"* ]]
}

@test "every command's --help works, and help COMMAND too" {
    local command
    while read -r command; do
        ok signet $command --help
        says "signet $command: " "usage: signet $command [options]" "--home DIR" "--json"
        [ -z "$stderr" ]
        [ "$(wc -L <<<"$output")" -le 100 ] || fail "wide: $output"
        local by_option=$output
        ok signet help $command
        [ "$output" = "$by_option" ]
    done < <(commands)
}

@test "every command refuses an option that it does not have" {
    local command
    while read -r command; do
        fails 2 "signet $command has no option --nonsense" "signet $command --help" -- signet $command --nonsense
    done < <(commands)
}

@test "--version" {
    ok signet --version
    [[ ${lines[0]} =~ ^signet\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ ${lines[1]} == "OpenSSL $(openssl version | cut -d ' ' -f 2), with"*" the engine signer" ]]
}

@test "unknown commands" {
    fails 2 "no command 'isue'" "signet help" -- signet isue
    fails 2 "there is no 'make'" "create, list, show" -- signet key make
    fails 2 "say what to do" "create, list, show" -- signet key
    fails 2 "no command" -- signet help isue
    fails 2 "no command" -- signet ""
}

@test "options" {
    fails 2 "--policy needs a value" -- signet issue x.csr --policy
    fails 2 "-p needs a value" -- signet issue x.csr -p
    fails 2 "no option -z" -- signet issue -z x.csr
    fails 2 "one too many" -- signet init a b
    fails 2 "DIR is missing; usage: signet init [options] DIR" -- signet init
    fails 2 "ISSUER is missing;" -- signet issuer import
    fails 2 "FILE is missing; usage: signet issuer import" -- signet issuer import ca
    fails 2 "NEW is missing; usage: signet policy diff" -- signet policy diff
}

@test "-C stands before or after the command; SIGNET_HOME is its default" {
    signet init a --profile softhsm --token pkcs11:token=x --pin prompt
    ok signet -C a list
    ok signet list -C a
    ok signet list --home a
    SIGNET_HOME=a ok signet list
    SIGNET_HOME=nowhere ok signet -C a list
    fails 2 "no CA home" "-C DIR" "SIGNET_HOME" -- signet list
    fails 1 "nowhere is no CA home" "signet init" -- signet -C nowhere list
    mkdir bare
    fails 1 "bare is no CA home" -- signet -C bare list
    fails 2 "-C DIR" -- signet -C
    fails 2 "-C DIR" -- signet --nonsense
}

@test "-- ends the options" {
    ends 1 "cannot open --help" -- signet show -- --help
}

@test "an error as JSON, besides its message" {
    run --separate-stderr signet list --json
    [ "$status" -eq 2 ]
    json .error.code usage
    [[ $(jq -r .error.message <<<"$output") == *"no CA home"* ]]
    [[ $stderr == "signet: no CA home"* ]]
}

@test "a result that can't be written is an error" {
    for command in "help" "--version" "issue --help" "-C a policy show device-mtls" "-C a policy test" \
        "-C a issuer list" "-C a list --json" "token list --profile softhsm"; do
        run --separate-stderr bash -c "\"\$SIGNET\" $command >/dev/full"
        [ "$status" -eq 1 ] || complain "signet $command >/dev/full"
        [[ $stderr == *"standard output"*"No space left"* ]] || complain "signet $command >/dev/full"
    done
}

@test "a reader that goes away is no crash" {
    run bash -c 'set -o pipefail; "$SIGNET" policy show "$SIGNET_DATA/policies/device-mtls.yaml" | true'
    [ "$status" -le 1 ]
}

@test "closed standard output, input and error" {
    run --separate-stderr bash -c '"$SIGNET" --version >&-'
    [ "$status" -eq 1 ]
    run bash -c '"$SIGNET" list 2>&-'
    [ "$status" -eq 2 ]
    run bash -c '"$SIGNET" show - <&-'
    [ "$status" -eq 1 ]
}

@test "a name with a line break or an escape sequence does not get into a message as it is" {
    run --separate-stderr signet $'is\nsue'
    [ "$status" -eq 2 ]
    [[ $stderr != *$'\n'* ]]
    run --separate-stderr signet show $'\033[31mred'
    [[ $stderr != *$'\033'* ]]
}
