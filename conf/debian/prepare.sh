# What ./quickstart and ./runtests share: Debian packages, and a copy of the sources to build in. Sourced, by bash.

# What builds and runs the demo, and what the tests need beside that. Recommended packages are left out on purpose:
# they would bring services. Hence libc6-dev and the clang runtime by name. No name has a version: clang-runtime is the
# libclang-rt-N-dev that belongs to the clang of this release.
packages_build='apache2-bin apache2-dev autoconf automake ca-certificates curl gcc libapr1-dev libaprutil1-dev
    libc6-dev libcurl4-openssl-dev libexpat1-dev libssl-dev libtool libyajl-dev make openssl perl php-cgi
    pkg-config'
packages_test='apache2-suexec-pristine clang clang-format clang-runtime libcmocka-dev gnuplot-nox graphviz mandoc plantuml python3 python3-cryptography python3-pytest
    python3-pytest-xdist python3-yaml valgrind xz-utils'

# package_behind PACKAGE PATTERN: the package with a version in its name that a package without one depends on, as
# this machine has it installed or else as apt offers it. Prints nothing where neither knows the package.
package_behind()
{
    { dpkg-query -W -f '${Depends}\n' "$1"; apt-cache --no-all-versions show "$1" | sed -n 's/^Depends: //p'; } 2>/dev/null |
        grep -oE "(^|[ ,|])$2" | tr -d ' ,|' | head -n 1
}

# package_named NAME: the name that apt knows a package of the lists above by.
package_named()
{
    local name=$1
    if [ "$name" = clang-runtime ]; then
        name=$(package_behind clang 'clang-[0-9]+')
        name=${name:+lib${name/clang-/clang-rt-}-dev}
    fi
    echo "${name:-$1}"
}

# packages_missing PACKAGE..: those that are not installed. Asks no archive.
packages_missing()
{
    local name
    for name in "$@"; do
        name=$(package_named "$name")
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
    done
}

# packages_install PACKAGE..: installs what is missing; without root says how and exits 3.
packages_install()
{
    local missing
    if ! command -v dpkg-query >/dev/null; then
        echo "$0: this is no Debian; the packages wanted, by their Debian names, are:" "$@" >&2
        exit 3
    fi
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "$0: packages are missing; run this as root, then $0 again:" >&2
        echo "apt-get update && apt-get install --no-install-recommends" $missing >&2
        exit 3
    fi
    echo "Installing:" $missing
    export DEBIAN_FRONTEND=noninteractive
    # Before the update apt may not have known the packages with a version in their names.
    apt-get -q update && apt-get -q install -y --no-install-recommends $(packages_missing "$@") && return 0
    echo "$0: the packages could not be installed" >&2
    exit 3
}

# packages_unpack DIRECTORY PACKAGE..: their files below DIRECTORY/PACKAGE, for packages that would set up a server of
# this machine were they installed. Without them less is tested; that is no error.
packages_unpack()
{
    local into=$1 scratch name
    shift
    for name in "$@"; do
        [ ! -d "$into/$name" ] || continue
        scratch=$(mktemp -d) || return 0
        (cd "$scratch" && apt-get -q download "$name" && dpkg -x ./*.deb files) >/dev/null 2>&1 &&
            mkdir -p "$into" && mv "$scratch/files" "$into/$name"
        rm -rf "$scratch"
    done
}

# packages_libraries PACKAGE..: the libraries that they need, by the names of this distribution.
packages_libraries()
{
    apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
        sed -n 's/^ *Depends: \(lib[^<>]*\)$/\1/p' | sort -u
}

# sources_copy FROM TO: a copy to build in. A tree that was configured in place cannot be built elsewhere, and must
# not be disturbed: its copy is cleaned.
sources_copy()
{
    rm -rf "$2" && mkdir -p "$2" &&
        tar -C "$1" -cf - --exclude=./.git --exclude='./build*' --exclude='./interauth-*' --exclude=__pycache__ \
            --exclude=.pytest_cache . | tar -C "$2" -xf - || return 1
    [ ! -f "$2/Makefile" ] || make -C "$2" distclean >/dev/null
}
