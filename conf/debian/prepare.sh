# Functions that ./quickstart and ./runtests share: they install Debian packages and copy the sources to a build directory.
# Both scripts source this file in bash.

# The packages that are needed to build and run the demo, and those that the tests need in addition. Recommended packages
# are not installed, because they would include services; this is why libc6-dev and the clang runtime are listed. The names
# contain no version: clang-runtime stands for the libclang-rt-N-dev that belongs to the clang of this release.
packages_build='apache2-bin apache2-dev autoconf automake ca-certificates curl gcc libapr1-dev libaprutil1-dev
    libc6-dev libcurl4-openssl-dev libexpat1-dev libssl-dev libtool libyajl-dev make openssl perl php-cgi
    pkg-config'
packages_test='apache2-suexec-pristine clang clang-format clang-runtime libcmocka-dev gnuplot-nox graphviz mandoc plantuml python3 python3-cryptography python3-pytest
    python3-pytest-xdist python3-yaml valgrind xz-utils'

# package_behind PACKAGE PATTERN: prints the package with a version in its name on which PACKAGE depends, according to the
# installed package or else to apt. Prints nothing if neither knows PACKAGE.
package_behind()
{
    { dpkg-query -W -f '${Depends}\n' "$1"; apt-cache --no-all-versions show "$1" | sed -n 's/^Depends: //p'; } 2>/dev/null |
        grep -oE "(^|[ ,|])$2" | tr -d ' ,|' | head -n 1
}

# package_named NAME: prints the name in apt of a package in the lists above.
package_named()
{
    local name=$1
    if [ "$name" = clang-runtime ]; then
        name=$(package_behind clang 'clang-[0-9]+')
        name=${name:+lib${name/clang-/clang-rt-}-dev}
    fi
    echo "${name:-$1}"
}

# packages_missing PACKAGE..: prints those that are not installed, without accessing an archive.
packages_missing()
{
    local name
    for name in "$@"; do
        name=$(package_named "$name")
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
    done
}

# packages_install PACKAGE..: installs missing packages. Without root, prints the command to run and exits with status 3.
packages_install()
{
    local missing
    if ! command -v dpkg-query >/dev/null; then
        echo "$0: this is not a Debian system; the required packages, with their Debian names, are:" "$@" >&2
        exit 3
    fi
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "$0: packages are missing; run this command as root, then run $0 again:" >&2
        echo "apt-get update && apt-get install --no-install-recommends" $missing >&2
        exit 3
    fi
    echo "Installing:" $missing
    export DEBIAN_FRONTEND=noninteractive
    # Only after the update may apt know the packages with a version in their names.
    apt-get -q update && apt-get -q install -y --no-install-recommends $(packages_missing "$@") && return 0
    echo "$0: the packages could not be installed" >&2
    exit 3
}

# packages_unpack DIRECTORY PACKAGE..: unpacks the packages below DIRECTORY/PACKAGE. Installing them would set up services on
# this machine. A package that cannot be unpacked is not an error; some tests are then skipped.
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

# packages_libraries PACKAGE..: prints the library packages on which they depend in this distribution.
packages_libraries()
{
    apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
        sed -n 's/^ *Depends: \(lib[^<>]*\)$/\1/p' | sort -u
}

# sources_copy FROM TO: copies the sources to a directory in which to build. If the tree was configured in place, the copy
# is cleaned, because such a tree cannot be built elsewhere.
sources_copy()
{
    rm -rf "$2" && mkdir -p "$2" &&
        tar -C "$1" -cf - --exclude=./.git --exclude='./build*' --exclude='./interauth-*' --exclude=__pycache__ \
            --exclude=.pytest_cache . | tar -C "$2" -xf - || return 1
    [ ! -f "$2/Makefile" ] || make -C "$2" distclean >/dev/null
}
