# Puts groups of a host's own where the machine's hierarchies were. Called inside as: mount.sh NAME HIERARCHY...
#
# The hierarchies are not covered but taken away: runc takes the first mount of one that it finds in the list.

set -eu
name=$1
shift
top=/sys/fs/cgroup
new=$(mktemp -d)
# Version 2 alone is mounted at the top; others have a folder there for each hierarchy.
[ "$1" = "$top" ] || mount -t tmpfs -o mode=755 lab "$new"
for hierarchy; do
    mkdir -p "$new${hierarchy#"$top"}"
    mount --bind "$hierarchy/$name" "$new${hierarchy#"$top"}"
done
umount -l "$top"
mount --move "$new" "$top"
rmdir "$new"
