# Calls LinOTP's PAM module for Python 2 in place of libpam and pam_python.so, under Jython.
#
# Reads logins, one a line, as JSON: "args" of the module, "user", "authtok" that a module before it has left or null,
# what is "typed" at each prompt. Writes for each its "result", the "prompts" and what went to the system "log".
import json
import sys
import types

log = []
# Jython has no such module.
syslog = types.ModuleType("syslog")
syslog.LOG_PID = syslog.LOG_AUTH = syslog.LOG_INFO = 0
syslog.openlog = lambda *told: None
syslog.closelog = lambda: None
syslog.syslog = lambda *told: log.append(told[-1])
sys.modules["syslog"] = syslog

import pam_linotp


class Response:
    def __init__(self, resp):
        self.resp = resp


class Handle:
    PAM_SUCCESS, PAM_AUTH_ERR, PAM_PROMPT_ECHO_OFF = "success", "auth_err", 1

    def __init__(self, login):
        # PAM's texts are bytes, those of JSON are not.
        self.user, self.authtok = str(login["user"]), login["authtok"] and str(login["authtok"])
        self.typed, self.prompts = [str(typed) for typed in login["typed"]], []

    def Message(self, style, text):
        assert style == self.PAM_PROMPT_ECHO_OFF
        return text

    # Who types no more has hung up, which pam_python.so raises as well.
    def conversation(self, text):
        self.prompts.append(text)
        return Response(self.typed.pop(0))


# Not by iteration, which reads ahead.
for line in iter(sys.stdin.readline, ""):
    login = json.loads(line)
    del log[:]
    handle = Handle(login)
    result = pam_linotp.pam_sm_authenticate(handle, 0, [str(arg) for arg in login["args"]])
    print json.dumps({"result": result, "prompts": handle.prompts, "log": log})
