#!/usr/bin/env bash
# Builds libmicrohttpd, mbedTLS and libcurl as static libraries from Debian's own signed source
# packages, and prints the folder they are in. What was built once is kept in the user's cache,
# by versions, options and compiler, so that a second clone finds it there.
#
#   deps/build.sh [--want NAME=VERSION]... [--sanitize thread] [--refresh] [--where]
#
#   --want      another version than the one in deps/versions, inside its bounds
#   --sanitize  build the libraries with that sanitizer (for the tsan preset)
#   --refresh   look for newer source packages, and build again
#   --where     only print the folder, and fail when it is not built yet
#
# Nothing of the system's is changed: apt runs on a source list, lists and caches of its own. apt
# checks the archive's signature against the distribution's keyring, and each file's hash from there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/plateau/deps
libraries=(libmicrohttpd mbedtls curl)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suites=(trixie sid)
wants=()
sanitize=
refresh=
where=

say() { printf 'deps: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'deps: %s\n' "$@" >&2; exit 1; }

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --want) wants+=("${2:?--want needs NAME=VERSION}"); shift 2 ;;
            --sanitize) sanitize=${2:?--sanitize needs a name}; shift 2 ;;
            --refresh) refresh=yes; shift ;;
            --where) where=yes; shift ;;
            *) die "unknown argument: $1 (see the head of deps/build.sh)" ;;
        esac
    done
    case $sanitize in '' | thread) ;; *) die "--sanitize knows only: thread" ;; esac
}

# The row of deps/versions for a library: wanted, minimum, limit.
version_row() {
    local want
    read -r wanted minimum below < <(awk -v n="$1" '$1 == n { print $2, $3, $4 }' "$here/versions")
    for want in ${wants[@]+"${wants[@]}"}; do
        [ "${want%%=*}" = "$1" ] && wanted=${want#*=}
    done
    within_bounds "$wanted" || die "$1 $wanted is outside [$minimum, $below), see deps/versions"
}

within_bounds() {
    dpkg --compare-versions "$1" ge "$minimum" && dpkg --compare-versions "$1" lt "$below"
}

upstream_of() { local v=${1#*:}; echo "${v%-*}"; }

# --- what identifies a build --------------------------------------------------------------------

compile_flags() {
    echo "-O3 -g -fno-omit-frame-pointer -fPIC -fstack-protector-strong" \
        "-D_FORTIFY_SOURCE=2${sanitize:+ -fsanitize=$sanitize -U_FORTIFY_SOURCE}"
}

build_key() {
    {
        cat "$here/build.sh" "$here/versions" "$here"/*.options
        for library in "${libraries[@]}"; do version_row "$library"; echo "$library $wanted"; done
        compile_flags
        "${CC:-cc}" --version
        uname -m
    } | sha256sum | cut -c1-16
}

# --- source packages ----------------------------------------------------------------------------

# The machine's own mirror of the main Debian archive, from either form of its sources.
mirror() {
    local codename
    codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
    {
        cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
            2>/dev/null || true # not every machine has all of these
    } | awk -v codename="${codename:-stable}" '
        function offer(uri, suites, components) {
            if (!found && uri ~ /^(http|https|file|mirror.*):/ && (" " suites " ") ~ (" " codename " ") &&
                (" " components " ") ~ / main /) { print uri; found = 1 }
        }
        function stanza_end() { offer(uri, suites, components); uri = suites = components = "" }
        /^[ \t]*#/ { next }
        /^[ \t]*$/ { stanza_end(); next }
        /^URIs:/ { stanza_end(); uri = $2; next }
        /^Suites:/ { $1 = ""; suites = $0; next }
        /^Components:/ { $1 = ""; components = $0; stanza_end(); next }
        $1 == "deb" {
            line = $0; sub(/^deb[ \t]+/, "", line); sub(/^\[[^]]*\][ \t]*/, "", line)
            split(line, word, /[ \t]+/); rest = line
            sub(/^[^ \t]+[ \t]+[^ \t]+/, "", rest); offer(word[1], word[2], rest)
        }
        END { stanza_end() }'
}

apt() { apt-get -qq -c "$work/apt/apt.conf" "$@"; }

prepare_apt() {
    local archive suite
    [ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
    archive=${PLATEAU_DEBIAN_MIRROR:-$(mirror)}
    [ -n "$archive" ] || die "no Debian mirror is named in the sources of apt (/etc/apt);" \
        "PLATEAU_DEBIAN_MIRROR=URL names one."
    mkdir -p "$work"/apt/{lists/partial,state,cache/archives/partial}
    : >"$work/apt/state/status"
    for suite in "${suites[@]}"; do
        echo "deb-src [signed-by=$keyring] $archive $suite main"
    done >"$work/apt/sources.list"
    cat >"$work/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work/apt/state";
Dir::State::status "$work/apt/state/status";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
    say "reading the lists of ${suites[*]} from $archive"
    apt update >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        ! grep -q 'is expired' "$log" ||
            die "the lists of $archive are older than they may be, or this clock is wrong." \
                "PLATEAU_DEBIAN_MIRROR=URL names another mirror. A machine that trusts old lists" \
                "says so to apt itself: Acquire::Check-Valid-Until in /etc/apt/apt.conf.d."
        die "the source lists could not be fetched from $archive." \
            "Is there a network? PLATEAU_DEBIAN_MIRROR=URL names another mirror;" \
            "cmake -DPLATEAU_DEPS=system uses the libraries that are installed."
    }
    apt_ready=yes
}

# Versions of a source package that fit, best first: the wanted one, then the newest.
candidates() {
    local version upstream all
    all=$(apt-cache -c "$work/apt/apt.conf" showsrc "$1" 2>/dev/null |
        awk '$1 == "Package:" { name = $2 } $1 == "Version:" { print name, $2 }' |
        awk -v n="$1" '$1 == n { print $2 }' | sort -u)
    for version in $all; do
        upstream=$(upstream_of "$version")
        [[ $upstream == *~* ]] && continue # a release candidate
        within_bounds "$upstream" || continue
        [ "$upstream" = "$wanted" ] && echo "1 $version" || echo "0 $version"
    done | sort -k1,1nr -k2,2Vr | cut -d' ' -f2
}

# The description file of a source package that an earlier run left in the cache.
kept_source() {
    local dsc
    [ -n "$refresh" ] && return 1
    dsc=$(ls "$cache/sources/${1}_${wanted}"-*.dsc 2>/dev/null | sort -V | tail -n 1)
    [ -n "$dsc" ] && echo "$dsc"
}

# Downloads the best version that the mirror really has. A mirror may answer 404 for what it lists.
fetch_source() {
    local version dsc
    [ -n "${apt_ready:-}" ] || prepare_apt
    for version in $(candidates "$1"); do
        mkdir -p "$work/download"
        if (cd "$work/download" && apt source --download-only "$1=$version") >>"$log" 2>&1; then
            mkdir -p "$cache/sources"
            dsc=$(basename "$(ls "$work/download/${1}_"*.dsc)")
            mv -f "$work/download/"* "$cache/sources/"
            say "$1 $version: fetched, signature of the archive and hashes verified"
            found=$cache/sources/$dsc
            return
        fi
        rm -rf "$work/download"
        say "$1 $version: listed, but the mirror does not have it"
    done
    die "no $1 from $minimum to below $below can be had; the log is $log"
}

# Sets $source to an unpacked tree with Debian's patches applied, and $version.
unpack() {
    version_row "$1"
    found=$(kept_source "$1") || fetch_source "$1"
    version=$(awk '$1 == "Version:" { print $2; exit }' "$found")
    source=$work/$1
    step "$1" unpack dpkg-source --no-copy -x "$found" "$source"
    echo "$1 $version" >>"$work/versions"
}

# --- building -----------------------------------------------------------------------------------

# Runs one step with its output in the log, and shows the log's end when it fails.
step() {
    local library=$1 what=$2
    shift 2
    printf '\n== %s: %s: %s\n' "$library" "$what" "$*" >>"$log"
    "$@" >>"$log" 2>&1 || {
        tail -n 25 "$log" >&2
        cp "$log" "$cache/failed.log"
        die "$library: $what failed; the whole log is $cache/failed.log"
    }
}

options_of() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/$1.options"; }

build_with_cmake() {
    local library=$1
    shift
    step "$library" configure cmake -S "$source" -B "$source/build" -G Ninja \
        -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_C_FLAGS="$(compile_flags)" \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib "$@"
    step "$library" build cmake --build "$source/build" --parallel "$jobs"
    step "$library" install env DESTDIR="$stage" cmake --install "$source/build"
}

build_libmicrohttpd() {
    local options
    mapfile -t options < <(options_of libmicrohttpd)
    # Debian's patch is about tests only: without these, make would run the autotools for it.
    find "$source" \( -name aclocal.m4 -o -name configure -o -name '*.in' \) -exec touch {} +
    cd "$source"
    step libmicrohttpd configure ./configure --prefix="$prefix" "${options[@]}" \
        CC="${CC:-cc}" CFLAGS="$(compile_flags)"
    step libmicrohttpd build make -j"$jobs" -C src/microhttpd libmicrohttpd.la
    step libmicrohttpd install make -C src/microhttpd DESTDIR="$stage" install-libLTLIBRARIES
    step libmicrohttpd install make -C src/include DESTDIR="$stage" install
    cd "$here"
}

# Makes one change of mbedtls.options in the header: "+NAME [value]" or "-NAME".
set_mbedtls_option() {
    local header=$1 name=${2#?} value=$3
    case $2 in
        -*) sed -i -E "s|^([[:space:]]*)#define ($name)\>|\1//#define \2|" "$header" ;;
        +*)
            sed -i -E "s|^([[:space:]]*)(//)?#define $name\>.*|\1#define $name $value|" "$header"
            grep -qE "^[[:space:]]*#define $name\>" "$header" || die "mbedtls has no option $name"
            ;;
        *) die "mbedtls.options: a line must start with + or -: $2" ;;
    esac
}

build_mbedtls() {
    local option value
    while read -r option value; do
        set_mbedtls_option "$source/include/mbedtls/mbedtls_config.h" "$option" "$value"
    done < <(options_of mbedtls)
    build_with_cmake mbedtls -DENABLE_PROGRAMS=OFF -DENABLE_TESTING=OFF -DGEN_FILES=OFF \
        -DMBEDTLS_FATAL_WARNINGS=OFF \
        -DUSE_STATIC_MBEDTLS_LIBRARY=ON -DUSE_SHARED_MBEDTLS_LIBRARY=OFF
}

build_curl() {
    local options
    mapfile -t options < <(options_of curl)
    local built=$stage$prefix
    build_with_cmake curl -DCMAKE_PREFIX_PATH="$built" -DMBEDTLS_INCLUDE_DIR="$built/include" \
        -DMBEDTLS_LIBRARY="$built/lib/libmbedtls.a" -DMBEDX509_LIBRARY="$built/lib/libmbedx509.a" \
        -DMBEDCRYPTO_LIBRARY="$built/lib/libmbedcrypto.a" "${options[@]}"
}

build_all() {
    local library began
    rm -rf "$cache"/work.* # left by a build that was killed
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    stage=$work/stage # the libraries are installed below it, then moved in place in one go
    log=$work/log
    : >"$log"
    for library in "${libraries[@]}"; do
        unpack "$library"
        began=$SECONDS
        say "$library $version: building${sanitize:+ with the $sanitize sanitizer}"
        "build_$library"
        say "$library $version: built in $((SECONDS - began)) s"
    done
    cp "$log" "$work/versions" "$stage$prefix/"
    rm -rf "$prefix"
    mv "$stage$prefix" "$prefix"
}

parse_arguments "$@"
command -v "${CC:-cc}" dpkg >/dev/null || die "no C compiler or no dpkg: run ./dev, it installs them"
prefix=$cache/$(build_key)
jobs=$(nproc)
if [ ! -e "$prefix/versions" ] || [ -n "$refresh" ]; then
    [ -z "$where" ] || die "not built yet"
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { say "another build is at work, waiting for it"; flock 9; }
    # The other build may have been this very one.
    [ -e "$prefix/versions" ] && [ -z "$refresh" ] || build_all
fi
echo "$prefix"
