# The first process of a test host: makes the fresh namespaces look like a machine of its own, says so,
# and then sleeps, reaping orphans, until whoever made the host lets go of it. Called as: init.sh NAME

set -eu
PATH=$PATH:/usr/sbin:/sbin

# The pipe to our maker: nothing before the end may read it.
exec 3<&0 </dev/null

mount -t proc proc /proc

# Whatever is written below these goes to memory. /tmp, /root and /home stay the machine's: test programs
# live there, and a file has to pass between the two somewhere.
mount -t tmpfs lab-layers /run
number=0
for folder in /etc /opt /usr/local /var/lib; do
    [ -d "$folder" ] || continue
    number=$((number + 1))
    layer=/run/$number
    mkdir -p "$layer/upper" "$layer/work"
    options=lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work
    mount -t overlay -o "$options" lab "$folder" 2>/dev/null ||
        mount -t overlay -o "$options,userxattr" lab "$folder" 2>/dev/null || {
        # No overlay in this sandbox: a copy of what is small, nothing of what is large.
        [ "$folder" != /etc ] || cp -a /etc/. "$layer/upper"
        mount --bind "$layer/upper" "$folder"
    }
done

# A sysfs that shows this network namespace, with the machine's control groups where they were.
mkdir /run/sys
if mount -t sysfs lab-sys /run/sys 2>/dev/null; then
    mount --rbind /sys/fs/cgroup /run/sys/fs/cgroup 2>/dev/null || true
    # Whoever reads the list of mounts would find the covered ones first.
    umount -l /sys 2>/dev/null || true
    mount --move /run/sys /sys
fi
umount -l /run

mkdir -p /var/lib/cni /etc/cni
for folder in /run /var/lib/cni /etc/cni /dev/shm; do
    mount -t tmpfs -o mode=755 lab "$folder"
done
chmod 1777 /dev/shm

echo "$1" >/proc/sys/kernel/hostname
rm -f /etc/resolv.conf
echo 'nameserver 10.99.0.2' >/etc/resolv.conf

# A fresh Debian does not forward, whatever the machine that lends itself does.
echo 0 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/ipv6 ] || echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
ip link set lo up

# `cat` ends when the other end of the pipe is closed, be it by a drop or by the death of the maker; `wait`
# reaps it together with every orphan; and when this process ends, the kernel ends all others here. It is
# `cat`, too, that hands the maker's first line back: then the host has all the processes that it will have.
cat <&3 2>/dev/null &
exec 3<&- >/dev/null 2>&1
wait
