#!/bin/sh
# Installs Debian packages where that is possible; where it is not, says what is missing and goes on.
set -u
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
else
    echo "missing: $* (as root: apt-get install $*); going on without" >&2
fi
