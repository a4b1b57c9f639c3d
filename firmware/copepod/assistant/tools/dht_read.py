"""The tool dht_read. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str):
    """Measure temperature and humidity with a DHT11 or DHT22.

    pin: the name of the sensor's pin
    """
    number, use = pins.number(gateway, pin, "dht11", "dht22")
    wire = pins.wire(number)
    try:
        import dht
    except ImportError:
        raise ValueError("this firmware has no driver for it")
    sensor = dht.DHT11(wire) if use == "dht11" else dht.DHT22(wire)
    try:
        sensor.measure()
    except OSError:
        raise ValueError("the sensor does not answer")
    return "%.1f °C, %.1f %% humidity" % (sensor.temperature(), sensor.humidity())
