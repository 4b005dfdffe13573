# The last one that goes takes the module out of PAM, or stays.
if [ "$1" -eq 0 ]; then
  /usr/lib/mfad/leave-pam || exit 1
  if [ -d /run/systemd/system ]; then
    for unit in /usr/lib/systemd/system/mfad*; do
      systemctl --quiet --no-reload disable --now "${unit##*/}" || :
    done
  fi
fi
