#!/bin/sh
# Writes what modules may use of libunicni as a list for the linker (ld(1), --dynamic-list): all names of unicni that the
# objects define, but those of units that no public header names. What isn't exported and isn't used is left out.
#
# usage: own_exports.sh NM OUT INCLUDE LAYERS ARCHIVE...
#   INCLUDE  the folder of the public headers
#   LAYERS   core/layers.txt, which names the units
set -eu
nm=$1 out=$2 include=$3 layers=$4
shift 4
# "8protocol|5chain": namespaces as they stand in a symbol. A function of that name would go on with E or I.
internal=$(sed -n 's/^\([a-z_]*\):.*/\1/p' "$layers" | while read -r unit; do
  grep -rqE "^namespace unicni::$unit([:; {]|$)" "$include" || echo "${#unit}$unit"
done | paste -sd '|')
{
  echo '{'
  "$nm" --defined-only --extern-only --format=posix "$@" | awk -v internal="6unicni($internal)[^EI]" '
    $1 ~ /^(_ZNK?R?|_ZT[ISV]N)6unicni/ && $1 !~ internal { print "\"" $1 "\";" }' | LC_ALL=C sort -u
  echo '};'
} > "$out.new"
# As an unchanged list links nothing again.
cmp -s "$out.new" "$out" && rm "$out.new" || mv "$out.new" "$out"
