[ ! -d /run/systemd/system ] || systemctl daemon-reload || :
if [ "$1" -eq 0 ]; then
  # The package lists files alone. An empty profile would be offered by authselect.
  rmdir /usr/lib/mfad /usr/share/authselect/vendor/mfad 2>/dev/null || :
  echo "mfad: key, database and configuration stay: /etc/mfad, /etc/credstore.encrypted/mfad-key, /var/lib/mfad"
fi
