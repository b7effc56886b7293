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
# Names that were collected from a source stay collected when the variant leaves the source out:
# they are collected anew, and where they come out the same nothing is compiled again.
cd genhdr
rm -rf qstr module root_pointer compress ./*.split qstr.i.last
cd ..
# The recorded dependencies name headers that were generated in the folder they came from.
find . -name '*.P' -exec sed -i "s|/$base/|/$variant/|g" {} +
