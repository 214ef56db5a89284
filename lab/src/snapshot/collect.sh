# What programs have to tell about a host, a section each. A program that is absent has no section; one
# that fails ends the snapshot, for what it leaves out would go unnoticed.

set -eu
has() { command -v "$1" >/dev/null; }

echo '== links'; ip -json -details addr show
if has bridge; then echo '== vlans'; bridge -json vlan show; fi
echo '== routes'; ip -4 -oneline route show table all
[ ! -e /proc/sys/net/ipv6 ] || ip -6 -oneline route show table all
echo '== rules'; ip -4 rule show
[ ! -e /proc/sys/net/ipv6 ] || ip -6 rule show
if has tc; then echo '== qdiscs'; tc qdisc show; fi
# Stateless: counters and the like are no leftovers. Before iptables-save, which may load tables to show them.
if has nft; then echo '== nftables'; nft --stateless --numeric list ruleset; fi
# A kernel without the old tables refuses to show them; then there are none.
if has iptables-save; then echo '== iptables'; iptables-save 2>/dev/null || true; fi
if has ip6tables-save; then echo '== ip6tables'; ip6tables-save 2>/dev/null || true; fi
# Some values cannot be read before they are set, hence -s and the tolerance.
echo '== sysctls'; cd /proc/sys
grep -rs . net/ipv4/ip_forward net/ipv4/conf net/ipv6/conf net/bridge || true
