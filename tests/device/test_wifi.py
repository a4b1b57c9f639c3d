"""Wi-Fi bring-up and reconnect against the driver's oddities (fakes/network.py).

Checked by taking it out of net/wifi.py (tests/host/firmware/test_traps.py):

    active(True) at the start              test_connects_and_says_where
    network.hostname()                     test_connects_and_says_where
    config(pm=PM_NONE)                     test_power_saving_is_off
    config(reconnects=…)                   test_the_driver_does_not_try_for_ever,
                                           test_wrong_password
    disconnect() before connect()          test_a_driver_that_is_already_trying
    the pause after disconnect()           test_a_driver_that_is_already_trying
    status() believed late                 test_an_old_failure_is_not_believed
    1000 (idle) taken as no failure        test_idle_between_connecting_and_connected
    associated, the address to come        test_slow_dhcp_after_an_old_failure
    associated, no address                 test_no_address
    `password or None`                     test_open_network
    active(False)/active(True), the pause  test_a_stuck_driver_is_switched_off_and_on
    the board's reset, no crash            test_reset_when_nothing_helps
    `except OSError` around connect()      test_an_interface_somebody_switched_off
    `except OSError` around disconnect()   test_nothing_to_disconnect_from
    txpower                                test_weak_antenna, test_full_power_comes_back
    distrust()                             test_distrust_restarts_a_link_that_says_it_is_up
    the ssid after a soft reset            test_soft_reset_with_another_network
"""

from fakes.world import Reset, forget, install, reboot

SOURCE_ONLY = ("test_the_link_is_wifi_where_there_is_some",)  # net/link.py chooses when it is loaded

NAME = "crab"


class Config:
    """What link.up() reads of the config."""

    wifi_ssid = NAME
    wifi_password = "shell secret"


def begin():
    """Return (world, network, link, lines): lines is what wifi.py logs."""
    world, port = install()
    return after_boot(world, port)


def after_boot(world, port):
    """Import wifi.py anew and listen to its log."""
    import network
    from copepod.net import wifi as link

    link.sleep_ms = world.sleep_ms
    lines = []
    link.log = lambda area, *parts: lines.append(
        area + ": " + "".join([str(part) for part in parts])
    )
    return world, network, link, lines


def access_point(network, **options):
    """Put the configured network into the air."""
    if "password" not in options:
        options["password"] = Config.wifi_password
    point = network.air.points[NAME] = network.AccessPoint(**options)
    return point


def test_connects_and_says_where():
    world, network, link, lines = begin()
    access_point(network)
    world.run(link.up(Config))
    wlan = network.WLAN()
    assert wlan.isconnected()
    assert wlan.calls[0] == "on" and wlan.calls.count("connect") == 1, wlan.calls
    assert wlan.host == "copepod"
    assert lines == ["wifi: connected to crab, address 192.168.4.7"], lines
    assert 3000 < world.now_ms < 5000
    assert link.signal_dbm() == -61


def test_power_saving_is_off():
    world, network, link, _ = begin()
    access_point(network)
    world.run(link.up(Config))
    assert network.WLAN().pm == network.WLAN.PM_NONE


def test_up_again_does_nothing():
    world, network, link, lines = begin()
    access_point(network)
    world.run(link.up(Config))
    calls = list(network.WLAN().calls)
    before_ms = world.now_ms
    world.run(link.up(Config))
    assert network.WLAN().calls == calls and world.now_ms == before_ms and len(lines) == 1


def test_the_driver_does_not_try_for_ever():
    world, network, link, _ = begin()
    point = access_point(network)
    world.run(link.up(Config))
    wlan = network.WLAN()
    assert wlan.limit == 3  # two tries of its own
    # The count is not set back by success: the driver has two tries for the rest of its days.
    for _ in range(2):
        wlan.fail(200)
        world.pass_ms(5000)
        assert wlan.isconnected()
    wlan.fail(200)
    world.pass_ms(60000)
    assert not wlan.isconnected()
    assert link.signal_dbm() is None
    world.run(link.up(Config))
    assert wlan.isconnected() and point


def test_open_network():
    world, network, link, _ = begin()
    access_point(network, password=None)

    class Open:
        wifi_ssid = NAME
        wifi_password = ""

    world.run(link.up(Open))
    assert network.WLAN().isconnected() and network.WLAN().key is None


def test_no_wifi_here():
    world, network, link, _ = begin()
    access_point(network)
    Nothing = Config()
    Nothing.wifi_ssid = ""
    world.run(link.up(Nothing))
    assert network.WLAN().calls == []
    assert link.signal_dbm() is None


def test_the_link_is_wifi_where_there_is_some():
    world, network, wifi, _ = begin()
    from copepod.net import link

    access_point(network)
    assert link.signal_dbm() is None
    link.switch_on(Config)
    wifi = __import__("copepod.net.wifi").net.wifi  # what up() will take
    wifi.sleep_ms = world.sleep_ms
    world.run(link.up(Config))
    assert network.WLAN().isconnected() and link.signal_dbm() == -61
    forget()
    from copepod.net import link

    link.switch_on(Config)
    world.run(link.up(Config))  # nothing to do on Unix
    link.distrust()
    assert link.signal_dbm() is None


def test_a_driver_that_is_already_trying():
    # The network goes: the driver begins to try by itself, and up() is called in the middle.
    for wait_ms in (10, 1000, 2390, 2500):
        world, network, link, lines = begin()
        access_point(network)
        world.run(link.up(Config))
        wlan = network.WLAN()
        wlan.fail(200)
        world.pass_ms(wait_ms)
        assert wlan.left_ms > 0 or wlan.dhcp_left_ms
        world.run(link.up(Config))
        assert wlan.isconnected()
        assert len(lines) == 2 and "Wifi" not in lines[1], lines


def test_soft_reset_while_the_driver_is_trying():
    # Of the program before, the driver has "for ever" and another network's name.
    world, network, link, lines = begin()
    wlan = network.WLAN()
    wlan.active(True)
    wlan.connect("elsewhere", "x")
    world.pass_ms(20000)
    assert wlan.left_ms > 0
    access_point(network)
    world.run(link.up(Config))
    assert wlan.isconnected() and wlan.ssid == NAME
    assert lines == ["wifi: connected to crab, address 192.168.4.7"], lines


def test_soft_reset_with_another_network():
    world, network, link, _ = begin()
    network.air.points["elsewhere"] = network.AccessPoint("x")
    access_point(network)
    wlan = network.WLAN()
    wlan.active(True)
    wlan.connect("elsewhere", "x")
    world.pass_ms(6000)
    assert wlan.isconnected()
    world.run(link.up(Config))
    assert wlan.isconnected() and wlan.ssid == NAME


def test_soft_reset_with_the_same_network():
    world, network, link, _ = begin()
    access_point(network)
    world.run(link.up(Config))
    wlan = network.WLAN()
    calls = list(wlan.calls)
    world, network, link, lines = after_boot(world, reboot())
    world.run(link.up(Config))
    assert wlan.calls == calls + ["on"] and lines == []


def fails_with(network, world, link, lines, tries=1):
    """Let up() run until it has logged `tries` failures; return the last of them."""

    def enough(_):
        failures = [line for line in lines if "not connected" in line]
        if len(failures) >= tries:
            raise Reset("enough")

    world.waiters.append(enough)
    try:
        world.run(link.up(Config))
    except Reset:
        pass
    world.waiters.remove(enough)
    return [line for line in lines if "not connected" in line][-1]


def test_wrong_password():
    for reason in (15, 202, 204):
        world, network, link, lines = begin()
        point = access_point(network, password="something else")
        point.wrong_password_reason = reason
        line = fails_with(network, world, link, lines)
        assert "wrong wifi.password" in line and ", try 1" in line, line
        assert Config.wifi_password not in line
        assert world.now_ms < 20000


def test_no_access_point():
    world, network, link, lines = begin()
    line = fails_with(network, world, link, lines)
    assert "no access point of this name" in line, line
    assert world.now_ms < 8000


def test_no_address():
    world, network, link, lines = begin()
    access_point(network, dhcp_ms=None)
    line = fails_with(network, world, link, lines)
    assert "no IP address" in line, line


def test_other_reasons():
    for reason, words in ((203, "refuses"), (210, "security"), (77, "driver status 77")):
        world, network, link, lines = begin()
        access_point(network, refuse=reason)
        line = fails_with(network, world, link, lines)
        assert words in line, line


def test_an_old_failure_is_not_believed():
    # status() says 201 from the try before until there is an address.
    world, network, link, lines = begin()
    fails_with(network, world, link, lines)
    world.pass_ms(20000)  # by now the driver has given up, so disconnect() changes nothing
    access_point(network)
    del lines[:]
    world.run(link.up(Config))
    assert lines == ["wifi: connected to crab, address 192.168.4.7"], lines


def test_slow_dhcp_after_an_old_failure():
    # The same with an address that comes 9 s after the association, when 201 is 6 s old.
    world, network, link, lines = begin()
    fails_with(network, world, link, lines)
    world.pass_ms(20000)
    access_point(network, dhcp_ms=9000)
    del lines[:]
    world.run(link.up(Config))
    assert lines == ["wifi: connected to crab, address 192.168.4.7"], lines


def test_idle_between_connecting_and_connected():
    # After disconnect() the driver says 1000 all through a slow attempt.
    world, network, link, lines = begin()
    access_point(network)
    world.run(link.up(Config))
    wlan = network.WLAN()
    wlan.disconnect()
    network.air.associate_ms = 9000
    seen = []
    world.waiters.append(lambda ms: seen.append(wlan.status()))
    world.run(link.up(Config))
    assert network.STAT_IDLE in seen
    assert len(lines) == 2 and "connected to crab" in lines[1] and "not" not in lines[1], lines


def test_a_stuck_driver_is_switched_off_and_on():
    world, network, link, lines = begin()
    access_point(network)
    network.air.stuck = True
    world.run(link.up(Config))
    assert network.WLAN().isconnected()
    assert len([line for line in lines if "not connected" in line]) == 3, lines
    assert lines[3] == "wifi: switching the interface off and on"


def test_an_interface_somebody_switched_off():
    # A user's handler may do so; the driver then raises at everything.
    world, network, link, lines = begin()
    access_point(network)
    world.run(link.up(Config))
    network.WLAN().active(False)
    world.run(link.up(Config))
    assert network.WLAN().isconnected()
    assert "Wifi Not Started" in lines[1], lines


def test_nothing_to_disconnect_from():
    world, network, link, lines = begin()
    access_point(network)
    network.air.strict = True
    world.run(link.up(Config))
    assert lines == ["wifi: connected to crab, address 192.168.4.7"], lines


def test_weak_antenna():
    # A C3 whose antenna drowns in full power associates with 8.5 dBm only.
    world, network, link, lines = begin()
    access_point(network, weak=True)
    world.run(link.up(Config))
    wlan = network.WLAN()
    assert wlan.isconnected() and wlan.txpower < 10
    assert "weak signal" in lines[0], lines


def test_full_power_comes_back():
    world, network, link, lines = begin()
    fails_with(network, world, link, lines, tries=4)
    assert network.WLAN().txpower < 10
    del lines[:]
    fails_with(network, world, link, lines, tries=7)
    assert network.WLAN().txpower == 20


def test_reset_when_nothing_helps():
    world, network, link, lines = begin()
    import machine

    link.port.start("/config.json")
    link.port.record.crashes_store(1, True)
    try:
        world.run(link.up(Config))
        raise AssertionError("came back")
    except Reset as reset:
        assert reset.args[0] == machine.HARD_RESET
    assert len([line for line in lines if "off and on" in line]) == 4
    assert "resetting the board" in lines[-1]
    assert world.now_ms < 6 * 60000
    # The reset is no crash, but does not hide an earlier one either.
    port = reboot()
    port.start("/config.json")
    assert port.died() is None and port.record.crashes_load() == 1


def test_distrust_restarts_a_link_that_says_it_is_up():
    world, network, link, lines = begin()
    access_point(network)
    world.run(link.up(Config))
    wlan = network.WLAN()
    link.distrust()
    world.run(link.up(Config))
    assert wlan.isconnected() and wlan.calls.count("connect") == 2
    assert wlan.calls.count("off") == 1
    world.run(link.up(Config))
    assert wlan.calls.count("connect") == 2


def test_log_has_no_password():
    world, network, link, lines = begin()
    access_point(network, password="something else")
    fails_with(network, world, link, lines, tries=5)
    assert len(lines) >= 5
    for line in lines:
        assert Config.wifi_password not in line
