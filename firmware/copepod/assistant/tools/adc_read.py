"""The tool adc_read. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str):
    """Measure the voltage at an analogue pin, in millivolts.

    pin: the pin's name
    """
    number, _ = pins.number(gateway, pin, "adc")
    machine = pins.machine()
    adc = machine.ADC(machine.Pin(number))
    if hasattr(adc, "read_uv"):
        return "%d mV" % (adc.read_uv() // 1000)
    return "%d of 65535" % adc.read_u16()
