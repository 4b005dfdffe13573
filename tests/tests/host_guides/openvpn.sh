# What an OpenVPN server has before its second factor: a certificate, a configuration with passwords, a tunnel device.
mkdir -p /dev/net /etc/openvpn/server
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
apt-get install --yes --quiet openvpn openssl
cd /etc/openvpn/server
openssl req -x509 -newkey ed25519 -nodes -days 30 -subj /CN=vpn -keyout key.pem -out cert.pem
cat >server.conf <<'END'
port 1194
proto udp
dev tun
server 10.8.0.0 255.255.255.0
ca cert.pem
cert cert.pem
key key.pem
dh none
verify-client-cert none
username-as-common-name
END
