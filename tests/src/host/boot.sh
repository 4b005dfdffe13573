# Boots a Debian root with systemd as PID 1 in namespaces of its own. Run by host.rs inside a world, whose end is
# the end of this, too. Refuses to give the booted system anything by which it could change the real host: what
# is in /proc/sys and /sys is read-only, and it may neither load modules nor set the clock.
#
# usage: sh -eu boot.sh outside|inside ROOT CGROUP
part=$1 root=$2 cgroup=$3

case $part in
outside)
  # The new cgroup namespace begins here, so systemd's slices are not those of the real host.
  echo 0 >"$cgroup/cgroup.procs"
  exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --net --propagation private -- \
    sh -eu "$0" inside "$root" "$cgroup"
  ;;
inside)
  cd "$root"
  mount -t proc -o nosuid,nodev,noexec proc proc
  for place in sys sysrq-trigger irq bus; do
    [ ! -e "proc/$place" ] || { mount --bind "proc/$place" "proc/$place"; mount -o remount,bind,ro "proc/$place"; }
  done
  mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
  mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
  for place in run:755 tmp:1777 dev:755; do
    mount -t tmpfs -o "mode=${place#*:}" tmpfs "${place%:*}"
  done
  for node in null zero full random urandom tty; do
    : >"dev/$node"
    mount --bind "/dev/$node" "dev/$node"
  done
  mkdir dev/pts dev/shm run/old
  chmod 1777 dev/shm
  # The world's, so that a terminal of the test's is one of the host's.
  mount --bind /dev/pts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  for stream in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${stream%:*}" "dev/${stream#*:}"; done
  pivot_root . run/old
  cd /
  umount -l /run/old
  rmdir /run/old
  # systemd hands credentials to services by this; in a container it takes it to be done.
  mount --make-rshared /
  exec env -i container=nspawn PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv \
    --bounding-set=-sys_module,-sys_time,-sys_rawio,-syslog -- /lib/systemd/systemd
  ;;
esac
