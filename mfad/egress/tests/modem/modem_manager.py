"""ModemManager as far as text messages go, as a template of python-dbusmock: the outermost edge of the tests.

dbusmock has no template for it. Objects, properties and methods are those of ModemManager's D-Bus interface; what
a modem does is told by the parameters of AddModem. dbusmock logs every call with its arguments.
"""

import os
import time

import dbus
from dbusmock import MOCK_IFACE, mockobject

BUS_NAME = "org.freedesktop.ModemManager1"
MAIN_OBJ = "/org/freedesktop/ModemManager1"
MAIN_IFACE = "org.freedesktop.ModemManager1"
SYSTEM_BUS = False
IS_OBJECT_MANAGER = True

MODEM = "org.freedesktop.ModemManager1.Modem"
MESSAGING = "org.freedesktop.ModemManager1.Modem.Messaging"
SMS = "org.freedesktop.ModemManager1.Sms"
ERROR = "org.freedesktop.ModemManager1.Error.Core."
SENDING, SENT = 4, 5
made = 0


def load(mock, parameters):
    pass


@dbus.service.method(MOCK_IFACE, in_signature="ssis", out_signature="")
def AddModem(self, path, imei, state, does):
    """does: "send", "refuse", "never", "late", "forbid", or "wait FILE": no answer to Create before FILE exists."""
    self.AddObject(path, MODEM, {
        "State": dbus.Int32(state),
        "EquipmentIdentifier": imei,
        "PrimaryPort": "cdc-wdm0",
        "Device": "/sys/devices/usb1/1-2",
    }, [])
    if state < 6:
        return
    modem = mockobject.objects[path]
    modem.does = does
    modem.AddProperties(MESSAGING, {"DefaultStorage": dbus.UInt32(2)})
    modem.AddMethod(MESSAGING, "Create", "a{sv}", "o", create)
    modem.AddMethod(MESSAGING, "Delete", "o", "", delete)


def create(modem, content):
    global made
    if modem.does == "forbid":
        raise error("Unauthorized", content)
    if modem.does.startswith("wait "):
        while not os.path.exists(modem.does[5:]):
            time.sleep(0.02)
    path = f"{MAIN_OBJ}/SMS/{made}"
    made += 1
    modem.AddObject(path, SMS, {"State": dbus.UInt32(0), "Number": content["number"], "Text": content["text"]}, [])
    message = mockobject.objects[path]
    message.does = modem.does
    message.looks = 0
    message.AddMethod(SMS, "Send", "", "", send)
    return dbus.ObjectPath(path)


def send(message):
    if message.does == "refuse":
        raise error("Failed", message.props[SMS])
    message.props[SMS]["State"] = dbus.UInt32(SENDING if message.does in ("never", "late") else SENT)
    if message.does == "late":
        message.AddMethod(MOCK_IFACE, "Arrive", "", "", arrive)


def arrive(message):
    message.props[SMS]["State"] = dbus.UInt32(SENT)


def delete(modem, path):
    modem.RemoveObject(path)


def error(name, content):
    """An error whose words hold what must not be logged."""
    return dbus.exceptions.DBusException(f"{content['Text' if 'Text' in content else 'text']}", name=ERROR + name)
