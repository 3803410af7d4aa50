# What README.md and docs/ tell people to type exists; README's first steps are run as they stand.
load common
load expect

setup_file() {
    start_in_own_folder
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# shown FILE: the commands of its indented code lines; a line that ends in \ goes on in the next.
shown() {
    sed -n 's/^    //p' "$1" | sed -e :a -e '/\\$/{N;s/\\\n *//;ba' -e '}' | sed 's/^\$ //' |
        grep '^\(signet\|tools/\|sudo signet\) ' | sed 's/ *#.*//; s/^sudo //'
}

# fits COMMAND-LINE: its words are those of a command, and its options that command's.
fits() {
    local line=$1 words=() word help command
    # Quotes and what a shell would expand say nothing here.
    eval "words=($(sed 's/[<>|&;()…].*//; s/\$/\\$/g' <<<"$line"))"
    if [[ ${words[0]} == tools/* ]]; then
        [ -x "$SIGNET_DATA/${words[0]}" ] || { fail "there is no ${words[0]}"; return 1; }
        return 0
    fi
    words=("${words[@]:1}")
    [ "${words[0]:-}" != -C ] || words=("${words[@]:2}")
    [[ ${words[0]:-help} != help && ${words[0]} != --version && ${words[0]} != COMMAND ]] || return 0
    command=${words[0]}
    help=$(signet $command --help 2>/dev/null) || {
        command="${words[0]} ${words[1]:-}"
        help=$(signet $command --help 2>/dev/null)
    } || {
        command="${words[0]} ${words[1]:-} ${words[2]:-}"
        help=$(signet $command --help) || { fail "there is no command: $line"; return 1; }
    }
    for word in "${words[@]}"; do
        case $word in
        --*) grep -q -- " ${word%%=*} \| ${word%%=*}\$" <<<"$help " || { fail "$command has no $word: $line"; return 1; } ;;
        -?) grep -q -- "^  $word, " <<<"$help" || { fail "$command has no $word: $line"; return 1; } ;;
        esac
    done
}

@test "every command that the documents show exists, with the options shown" {
    local file line num=0
    for file in "$SIGNET_DATA/README.md" "$SIGNET_DATA"/docs/*.md "$SIGNET_DATA"/docs/policies/*.md; do
        while read -r line; do
            num=$((num + 1))
            fits "$line" || fail "${file#"$SIGNET_DATA/"}: $line"
        done < <(shown "$file")
    done
    [ "$num" -ge 10 ]
}

@test "the check above can fail" {
    run fits "signet frobnicate"
    [ "$status" -ne 0 ]
    run fits "signet key create x --nonsense"
    [ "$status" -ne 0 ]
    run fits "tools/nonsense"
    [ "$status" -ne 0 ]
}

@test "every file that the documents link to is there" {
    local file link
    for file in "$SIGNET_DATA/README.md" "$SIGNET_DATA"/docs/*.md "$SIGNET_DATA"/docs/policies/*.md; do
        for link in $(grep -o '](\([^)#]*\)' "$file" | sed 's/^](//'); do
            case $link in http*) continue ;; esac
            [ -e "$(dirname "$file")/$link" ] || fail "${file#"$SIGNET_DATA/"} links to $link"
        done
    done
}

@test "the README's 'Use it' block, run in its order" {
    mkdir shell && cd shell
    sed -n '/^## Use it/,/^## /s/^    //p' "$SIGNET_DATA/README.md" >steps
    [ "$(wc -l <steps)" -ge 11 ]
    while read -r line; do
        ok bash -c "signet() { \"\$SIGNET\" \"\$@\"; }; $line"
    done <steps
    openssl verify -x509_strict -purpose sslclient -CAfile ca/ca.pem device.pem
    run openssl verify -crl_check -CAfile ca/ca.pem -CRLfile ca.crl.pem device.pem
    [[ $output == *"certificate revoked"* ]]
}

# write_policies: every key that a yaml block of docs/policy.md shows, put into a policy that is whole
# otherwise: shown/N/lab-device.yaml. Examples are left out, as their requests are not there.
write_policies() {
    python3 - "$SIGNET_DATA/docs/policy.md" <<'EOT'
import os, re, sys
device = {
    "policy": "policy: lab-device\n", "description": "description: x\n",
    "who": "who: {any: [operator]}\n", "keys": "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n",
    "subject": "subject: [{CN: '${device.id}'}]\n", "san": "san: [{dns: '${device.id}'}]\n",
    "validity": "validity: {for: 90d}\n",
}
ca = {key: device[key] for key in ("policy", "description", "who", "validity")}
ca["keys"] = "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]\n"
ca["subject"] = "subject: [{CN: '${request.CN}'}]\n"
num = 0
text = open(sys.argv[1], encoding="utf-8").read()
for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
    for entry in re.findall(r"^\S.*\n(?:^[ -].*\n)*", block, re.MULTILINE):
        key = entry.split(":")[0]
        if key == "examples":
            continue
        of_ca = ("ca", "name_constraints", "policy_constraints", "inhibit_any_policy")
        whole = dict(ca, ca="ca: {path_length: 0}\n") if key in of_ca else dict(device)
        if key == "who":
            whole["renewal"] = "renewal: {window: 10d}\n"
        whole[key] = entry
        num += 1
        os.makedirs(f"shown/{num}")
        with open(f"shown/{num}/lab-device.yaml", "w", encoding="utf-8") as out:
            out.write("".join(whole.values()))
EOT
}

@test "every key that docs/policy.md shows is one that Signet reads" {
    write_policies
    [ "$(ls shown | wc -l)" -ge 20 ]
    for file in shown/*/lab-device.yaml; do
        run signet policy show "$file"
        [ "$status" -eq 0 ] || fail "$output: $(cat "$file")"
    done
}
