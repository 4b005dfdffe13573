# Makes accounts, key and database. Units are as the host's presets have them; of what runs, an upgrade starts the new.
/usr/lib/mfad/setup || exit 1
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  if [ "$1" -eq 1 ]; then
    systemctl --no-reload preset mfad.socket mfad.service || :
    if systemctl --quiet is-enabled mfad.service; then
      systemctl start mfad.socket mfad.service || :
    else
      echo "mfad: to start it: systemctl enable --now mfad.socket mfad.service"
    fi
  else
    # Not the socket: logins that come meanwhile wait at it.
    systemctl try-restart 'mfad*.service' || :
  fi
fi
