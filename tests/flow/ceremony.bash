# ceremony: the people of a ceremony, at a terminal. Loaded after common.bash and expect.bash.

# play [QUESTION=ANSWER]... -- COMMAND...: runs it with a terminal of 80 by 24 of its own, answers its
# questions, and prints what the terminal showed. A QUESTION is a part of what stands before the
# cursor; several answers are divided by |, one for each time, and the last one goes on.
# KILL as an answer is a kill -9 instead of one. Unasked-for answers are those of everybody's good
# will: they need DIGEST, the plan's. The exit status is the command's, 137 after a KILL.
play() {
    python3 -c '
import fcntl, os, pty, re, select, signal, struct, sys, termios, time
arguments = sys.argv[1:]
split = arguments.index("--")
own, command = [a.split("=", 1) for a in arguments[:split]], arguments[split + 1:]
usual = [["is that right? Type yes or no: ", "yes"], ["plan that was approved:\n", os.environ.get("DIGEST", "")],
    ["Type go to do it, stop to go on another time, or fail: ", "go"], ["Enter for more --", ""],
    ["Why does it fail? ", "a reason"],
    ["seal of bag of the token example-root: ", "A1234567"],
    ["seal of bag of the token example-issuing: ", "A1234568"]]
usual += [[who, who[0] + who.split()[1][0]] for who in ("Ada Example", "Bob Example", "Cem Example", "Dora Example")]
questions = [[q, a.split("|")] for q, a in own + usual]
endings = (": ", "? ", "--", "approved:\n")

def answer_to(shown):
    last = shown.rstrip("\n").rsplit("\n", 1)[-1] + ("\n" if shown.endswith("\n") else "")
    if not last.endswith(endings):
        return None
    for question in questions:
        if question[0] in last:
            return question[1].pop(0) if len(question[1]) > 1 else question[1][0]
    return None

child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
shown = since = ""
deadline = time.monotonic() + 120
while True:
    ready = select.select([terminal], [], [], 5)[0]
    if time.monotonic() > deadline:
        os.kill(child, signal.SIGKILL)
    try:
        more = os.read(terminal, 65536) if ready else b""
    except OSError:
        break
    if ready and not more:
        break
    text = more.decode().replace("\r", "")
    shown += text
    since += text
    answer = answer_to(since)
    if answer == "KILL":
        os.kill(child, signal.SIGKILL)
        break
    if answer is not None:
        since = ""
        os.write(terminal, answer.encode() + b"\n")
sys.stdout.write(shown)
status = os.waitpid(child, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
' "$@"
}

# make_ceremony DIR [KIND]: ceremony.yaml and plan.json in DIR, of a template, for two tokens that are
# made with it, their PINs 75318642 by two people and 9753 by one. Sets DIGEST.
make_ceremony() {
    local dir=$1 kind=${2:-root-and-issuing} token
    mkdir -p "$dir"
    for token in root issuing; do
        printf '%s' so-$token-1 >pin/$dir-$token-so
        printf '%s' "$([ $token = root ] && echo 75318642 || echo 9753)" >pin/$dir-$token
        signet token init --label "$dir-$token" --so-pin "file:pin/$dir-$token-so" \
            --pin "file:pin/$dir-$token" --profile softhsm >/dev/null
    done
    for person in ada dora; do
        openssl genpkey -algorithm ed25519 -out "$dir/$person.key" 2>/dev/null
        openssl pkey -in "$dir/$person.key" -pubout -out "$dir/$person.pub"
    done
    chmod 600 "$dir"/*.key
    {
        echo "Ada Example" && cat "$dir/ada.pub"
        echo "Dora Example" && cat "$dir/dora.pub"
    } >"$dir/signers"
    signet ceremony template "$kind" | sed -e "s/token=example-/token=$dir-/" \
        -e "s/^begins: [0-9TZ:-]*/begins: $(date -u -d '1 hour ago' +%FT%TZ)/" \
        -e "s/0123456789abcdef/$(serial_of_token "$dir-root")/" \
        -e "s/fedcba9876543210/$(serial_of_token "$dir-issuing")/" >"$dir/ceremony.yaml"
}

serial_of_token() {
    signet token list --profile softhsm --json | jq -r ".[] | select(.label == \"$1\").serial_number"
}

# make_plan DIR: of its ceremony.yaml. Sets DIGEST.
make_plan() {
    signet ceremony plan "$1/ceremony.yaml" -o "$1/plan.json" >"$1/plan.txt"
    DIGEST=$(sha256sum <"$1/plan.json" | cut -d ' ' -f 1)
    export DIGEST
}

pins=('PIN of the token root, part 1=7531' 'PIN of the token root, part 2=8642' 'PIN of the token issuing=9753')

# run_ceremony DIR [QUESTION=ANSWER]...
run_ceremony() {
    local dir=$1
    shift
    play "$@" "${pins[@]}" -- "$SIGNET" ceremony run "$dir/plan.json" -o "$dir/run"
}

sign_record() { # DIR
    signet ceremony sign "$1/run" --name "Ada Example" --key "$1/ada.key" >/dev/null
    signet ceremony sign "$1/run" --name "Dora Example" --key "$1/dora.key" >/dev/null
}

prove() { # DIR [BUNDLE]
    signet ceremony prove "${2:-$1/bundle.tar}" --plan-digest "$DIGEST" --signers "$1/signers" "${@:3}"
}

# expect_proved DIR: its run is over, signed, bundled and proved.
expect_proved() {
    sign_record "$1"
    signet ceremony bundle "$1/run" -o "$1/bundle.tar"
    ok prove "$1"
    says "proved: $1/bundle.tar"
}
