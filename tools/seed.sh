#!/bin/sh
# Start a variant's build folder from the target's own: most of MicroPython does not see the
# variant's settings, so its objects are taken over, and what does see them is left to be built.
#
#     seed.sh build/unix build/unix-masked
set -e
base=$1 variant=$2
cp -a "$base/." "$variant"
cd "$variant"
rm -rf cmodules firmware config settings.mk ./*.log micropython* firmware.* frozen*
# The recorded dependencies name headers that were generated in the folder they came from.
find . -name '*.P' -exec sed -i "s|/$base/|/$variant/|g" {} +
