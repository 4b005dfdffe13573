# The last one that goes takes the module out of PAM, or stays.
if [ "$1" -eq 0 ]; then
  /usr/lib/mfad/leave-pam || exit 1
  if [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now mfad.socket mfad.service || :
    systemctl stop 'mfad*' || :
  fi
fi
