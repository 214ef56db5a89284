# Makes an image by hand: a file system with nothing but static busybox, as one tar that is an OCI layout and a docker
# archive at once, which every client can read. Called as: image.sh TAR NAME

set -eu
tar=$1 name=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root layout=$work/layout blobs=$work/layout/blobs/sha256
mkdir -p "$root/bin" "$root/www/cgi-bin" "$root/dev" "$root/etc" "$root/proc" "$root/sys" "$root/tmp" "$blobs"

# Linked to nothing: there are no libraries inside.
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in cat httpd ip nc ping sh sleep; do ln -s busybox "$root/bin/$applet"; done
chroot "$root" /bin/busybox true || { echo "$(command -v busybox) is not static" >&2; exit 1; }

# Tells who asks, as the container sees him.
cat >"$root/www/cgi-bin/who" <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n%s\n' "$REMOTE_ADDR"
END
chmod 755 "$root/www/cgi-bin/who"

# Moves a file among the blobs, and says how others refer to it: its media type, digest and size.
blob() {
    digest=$(sha256sum <"$2" | cut -d' ' -f1)
    size=$(stat -c %s "$2")
    mv "$2" "$blobs/$digest"
    reference="{\"mediaType\":\"application/vnd.oci.image.$1\",\"digest\":\"sha256:$digest\",\"size\":$size"
}
case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) architecture=$(uname -m) ;;
esac

tar -C "$root" --numeric-owner --owner=0 --group=0 -cf "$work/layer" .
blob layer.v1.tar "$work/layer"
layer=$digest layers="$reference}"

cat >"$work/config" <<END
{"architecture":"$architecture","os":"linux","config":{"Cmd":["sh"],"Env":["PATH=/bin"]},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
END
blob config.v1+json "$work/config"
config=$digest

cat >"$work/manifest" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$reference},"layers":[$layers]}
END
blob manifest.v1+json "$work/manifest"

# The OCI layout; the annotation is containerd's.
echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
cat >"$layout/index.json" <<END
{"schemaVersion":2,"manifests":[$reference,"annotations":{"io.containerd.image.name":"$name"}}]}
END
# The docker archive.
cat >"$layout/manifest.json" <<END
[{"Config":"blobs/sha256/$config","RepoTags":["$name"],"Layers":["blobs/sha256/$layer"]}]
END
tar -C "$layout" -cf "$tar" .
