# The tests themselves: ways in which a line of bats asserts nothing.
load common

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# empty_checks FILE…: the lines that can't fail a test. bash ends no function at a `!` that finds what it
# should not, and `run` keeps the exit status until somebody looks.
empty_checks() {
    awk '
        function end() { if (unseen != "") print unseen; unseen = "" }
        FNR == 1 || /^}/ { end() }
        /^[ \t]*#/ { next }
        /^[ \t]*! / && !/\|\|/ { print FILENAME ":" FNR ": " $0 }
        unseen != "" && /status|output|stderr|lines|expect_|says|json|logins|complain/ { unseen = "" }
        /^[ \t]*run / && !/^[ \t]*run (! |-[0-9]+ )/ { end(); unseen = FILENAME ":" FNR ": " $0 }
        END { end() }' "$@"
}

@test "no line of the tests asserts nothing" {
    local found
    found=$(empty_checks "$BATS_TEST_DIRNAME"/../*/*.bats "$BATS_TEST_DIRNAME"/../*/*.bash)
    [ -z "$found" ] || fail "use not, or look at the status: $found"
}

@test "the check above can fail" {
    printf '%s\n' '@test "x" {' '    ! grep -q this file' '    run true' '    run false' '    expect_status 1' '}' \
        '@test "y" {' '    run false' '}' >bad.bats
    expect_equal lines "bad.bats:2 bad.bats:3 bad.bats:8" "$(empty_checks bad.bats | cut -d : -f 1,2 | xargs)"
    printf '%s\n' '@test "x" {' '    not grep -q this file' '    run ! false' '    run false' '    [ "$status" -eq 1 ]' '}' \
        >good.bats
    expect_equal lines "" "$(empty_checks good.bats)"
}

@test "not: what holds, what does not, and what nobody could look at" {
    echo this >file
    not grep -q that file
    not false
    run not grep -q this file
    expect_status 1
    run not grep -q this no-such-file
    expect_status 1
    run not no-such-command
    expect_status 1
}
