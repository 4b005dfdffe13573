[ ! -d /run/systemd/system ] || systemctl daemon-reload || :
if [ "$1" -eq 0 ]; then
  echo "mfad: key, database and configuration stay: /etc/mfad, /etc/credstore.encrypted/mfad-key, /var/lib/mfad"
fi
