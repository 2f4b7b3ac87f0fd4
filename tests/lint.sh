#!/bin/sh
# Rules that a compiler does not check. Each finding is one line; any finding fails.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2
LC_ALL=C
export LC_ALL
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
list=$scratch/list
: >"$scratch/count"

# report RULE: every line of standard input is a finding.
report()
{
    while IFS= read -r line; do
        printf '%s: %s\n' "$1" "$line"
        printf 'x' >>"$scratch/count"
    done
}

# sources DIRECTORY..: the C files below.
sources()
{
    for dir in "$@"; do
        [ -d "$dir" ] && find "$dir" -name '*.[ch]' -type f
    done | sort
}

# calls NAMES DIRECTORY..: lines that call one of the functions.
calls()
{
    names=$1
    shift
    sources "$@" | xargs grep -nE "(^|[^A-Za-z0-9_])($names)[[:space:]]*\(" /dev/null
}

calls 'strcpy|strcat|stpcpy|sprintf|vsprintf|strtok|gets|atoi|atol|atoll|strncpy|strncat|alloca|tmpnam|mktemp|system|popen' \
    include lib modules client | report 'banned function'

sources lib modules/store |
    xargs grep -nE '#[[:space:]]*include[[:space:]]*[<"](httpd|http_[a-z]*|ap_[a-z_]*|util_[a-z_]*|mod_[a-z]*|mpm_common|scoreboard)\.h' /dev/null |
    report 'httpd header below modules'

calls 'apr_time_now|time|gettimeofday|clock|clock_gettime|localtime|gmtime' lib | report 'clock in lib'
calls 'rand|random|srand|getrandom|getentropy|arc4random|RAND_[a-z_]*|apr_generate_random_bytes' lib |
    report 'randomness in lib'
calls 'getenv|secure_getenv|setenv|putenv|apr_env_get' lib | report 'environment in lib'
calls 'printf|fprintf|puts|fputs|syslog|perror|ap_log_[a-z]*' lib | report 'output in lib'

# What a server compares in bytes it compares with ia_mac_equal, unless it is public: header texts in lib/sfv,
# ids and whole records in the participant table.
calls 'memcmp|bcmp' lib modules | grep -vE '^(lib/sfv[a-z_]*\.[ch]|modules/store/participant_(table|load)\.c):' | report 'memcmp'

# Strings with a secret's name are not compared with strcmp; literals, such as the name of a member, do not count.
calls 'strcmp|strncmp|strcasecmp|strncasecmp|apr_strnatcmp' lib modules |
    sed 's/"[^"]*"//g' | grep -E 'cmp\([^)]*(mac|secret|token|response|password|digest)' | report 'comparison of a secret'

for word in TODO FIXME XXX HACK WIP stub placeholder; do
    find include lib modules client tests docs conf -type f ! -path tests/lint.sh ! -path 'tests/fuzz/corpus/*' \
        ! -name '*.pyc' -print 2>/dev/null | sort | xargs grep -InwF "$word" /dev/null
done | report 'unfinished'

# Words that were given up, wherever tests/retired-words.txt says. CHANGES.md may name what there was.
find README.md HACKING.md SECURITY.md include lib modules client conf docs tests -type f ! -path 'tests/fuzz/corpus/*' \
    ! -path tests/retired-words.txt ! -name '*.pyc' ! -name '*.svg' | sort >"$scratch/files"
grep -v '^#' tests/retired-words.txt | while IFS="$(printf '\t')" read -r word where; do
    grep -E "${where:-.}" "$scratch/files" | tr '\n' '\0' |
        xargs -0r grep -InEi "(^|[^A-Za-z])$(echo "$word" | tr _ .)([^A-Za-z]|\$)" /dev/null | sed "s/^/$word: /"
done | report 'retired word'

# Every outcome is seen in some test, under its tag or its constant.
sed -n 's/^ *X(\(IA_[A-Z0-9_]*\), *-\{0,1\}[0-9]*, "\([a-z0-9_]*\)".*/\1 \2/p' include/interauth/result.h >"$list"
[ "$(wc -l <"$list")" -gt 60 ] || echo 'include/interauth/result.h: the table of outcomes was not understood' |
    report 'lint'
find tests -type f \( -name '*.c' -o -name '*.py' \) ! -name test_result.c | sort >"$scratch/code"
while read -r constant tag; do
    if xargs grep -qwE "$constant|$tag" /dev/null <"$scratch/code"; then
        grep -q "^$tag " tests/outcomes-untested.txt && echo "$tag: tested after all, yet in tests/outcomes-untested.txt"
    elif ! grep -q "^$tag " tests/outcomes-untested.txt; then
        echo "$tag: in no test"
    fi
done <"$list" | report 'outcome'

# Directives: code and documentation name the same ones, and each has syntax, default and context.
sources modules | xargs cat /dev/null | tr '\n' ' ' | grep -oE 'AP_INIT_[A-Z0-9_]+\([[:space:]]*"[A-Za-z]+"' |
    sed 's/.*"\(.*\)"/\1/' | grep -E '^(Registry|ISign|SAuth)' | sort -u >"$scratch/code"
find docs/directives -name '*.md' -type f 2>/dev/null | xargs cat /dev/null |
    sed -n 's/^##* *`\{0,1\}\(\(Registry\|ISign\|SAuth\)[A-Za-z]*\)`\{0,1\} *$/\1/p' | sort >"$scratch/docs"
uniq -d "$scratch/docs" | report 'directive documented twice'
sort -u -o "$scratch/docs" "$scratch/docs"
comm -23 "$scratch/code" "$scratch/docs" | report 'directive without a heading in docs/directives'
comm -13 "$scratch/code" "$scratch/docs" | report 'directive that only docs/directives knows'
comm -12 "$scratch/code" "$scratch/docs" >"$list"
while read -r name; do
    for part in Syntax Default Context; do
        find docs/directives -name '*.md' -type f | sort | xargs awk -v name="$name" -v part="$part" '
            /^#/ { heading = $0; gsub(/[#` ]/, "", heading); inside = heading == name }
            inside && index($0, part) { found = 1 }
            END { if (!found) print name ": " part }'
    done
done <"$list" | report 'directive without'

# Each .c file begins with a comment that says what it is for.
find lib modules client tests -name '*.c' -type f | sort | while read -r file; do
    case $(head -c 2 "$file") in
    '/*') ;;
    *) echo "$file" ;;
    esac
done | report 'no purpose line'

# A pointer is tested as it is; a comparison with NULL makes the number of a result.
sources include lib modules client | xargs grep -nE '[!=]= NULL' /dev/null |
    grep -vE '(return|[+|]?=) [^&|?]*[!=]= NULL;' | report 'pointer compared with NULL'

# Releases of clang-format differ in what they make of the same style: only the one of Debian 12 is asked.
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    find include lib modules client tests -name '*.[ch]' -type f | sort |
        xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^: ]*:[0-9]*\):.*Wclang-format.*/\1/p' | report 'format'
else
    echo 'SKIP: format: clang-format 14 is not installed'
fi

findings=$(wc -c <"$scratch/count")
if [ "$findings" -gt 0 ]; then
    echo "$findings findings"
    exit 1
fi
echo 'no findings'
