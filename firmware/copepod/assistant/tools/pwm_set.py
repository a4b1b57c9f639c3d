"""The tool pwm_set. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str, percent: int, frequency: int = 1000):
    """Let a pin pulse: dim a light, turn a motor.

    pin: the pin's name
    percent: how much of the time it is on, 0 to 100
    frequency: in Hz, 1 to 40000
    """
    if type(percent) is not int or not 0 <= percent <= 100:
        raise ValueError("percent: a whole number from 0 to 100")
    if type(frequency) is not int or not 1 <= frequency <= 40000:
        raise ValueError("frequency: a whole number from 1 to 40000")
    number, _ = pins.number(gateway, pin, "pwm")
    machine = pins.machine()
    machine.PWM(machine.Pin(number), freq=frequency, duty_u16=percent * 65535 // 100)
    return "%s pulses with %d Hz, %d %% on" % (pin, frequency, percent)
