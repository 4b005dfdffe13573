"""A mail server (aiosmtpd) for one test, on a free port of the loopback.

Says its port on the first line, then one JSON object per event: "mail" when a message is complete. What it does
is told by the JSON object given as argument:
  tls       "starttls", "implicit" or "none"
  chain     file with certificate and key
  login     [user, password] it wants
  answer    {"rcpt": "550 …", "data": "451 …"}: what it says there
  hang      "greeting", "rcpt" or "data": where it says nothing more
  drop      true: the connection ends instead of an answer to the message
"""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# It warns of what the tests mean to do.
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

DO = json.loads(sys.argv[1])
ANSWER = DO.get("answer", {})


def say(what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if DO.get("hang") == "rcpt":
            await asyncio.Event().wait()
        if "rcpt" in ANSWER:
            return ANSWER["rcpt"].replace("{address}", address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        say({
            "event": "mail",
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or DO["tls"] == "implicit",
            "login": session.auth_data,
            "hello": session.host_name,
            "content": envelope.original_content.decode("ascii"),
        })
        if DO.get("hang") == "data":
            await asyncio.Event().wait()
        if DO.get("drop"):
            server.transport.abort()
        echo = envelope.original_content.decode("ascii").replace("\r\n", " ")
        return ANSWER.get("data", "250 2.0.0 taken").replace("{content}", echo[-200:])


class Server(SMTP):
    async def push(self, status):
        if DO.get("hang") == "greeting":
            await asyncio.Event().wait()
        await super().push(status)


def authenticator(server, session, envelope, mechanism, data):
    given = [data.login.decode(), data.password.decode()]
    return AuthResult(success=given == DO["login"], auth_data=given[0], handled=False)


def protocol():
    context = tls()
    starttls = DO["tls"] == "starttls"
    return Server(
        Handler(),
        hostname="mail.test",
        tls_context=context if starttls else None,
        require_starttls=starttls,
        authenticator=authenticator if "login" in DO else None,
        auth_required="login" in DO,
        auth_require_tls=starttls or "login" not in DO,
    )


def tls():
    if DO["tls"] == "none":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DO["chain"])
    return context


async def main():
    context = tls() if DO["tls"] == "implicit" else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
