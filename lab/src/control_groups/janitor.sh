# Removes control groups, and all that was made below, once whoever made them lets go of the pipe on stdin: that
# happens however the maker dies. Called as: janitor.sh GROUP...

# A key that ends the tests ends the maker; this is what cleans up behind it.
trap '' INT TERM HUP
cat >/dev/null

# The host's processes may still be on their way out.
for attempt in $(seq 200); do
    left=
    for group; do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
        [ ! -d "$group" ] || left=yes
    done
    [ -n "$left" ] || exit 0
    sleep 0.05
done
exit 1
