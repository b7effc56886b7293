# What is wrong with an argument: its name, what it must be, what it is.


def integer(name, value, least, most, hint=""):
    if not isinstance(value, int):
        raise TypeError("%s must be an int, not %s" % (name, type(value).__name__))
    if not least <= value <= most:
        raise ValueError("%s must be %d..%d%s, not %d" % (name, least, most, hint, value))
    return value


def string(name, value):
    if not isinstance(value, str):
        raise TypeError("%s must be a str, not %s" % (name, type(value).__name__))
    return value


def seconds(name, value, most):
    if not isinstance(value, (int, float)):
        raise TypeError("%s must be a number, not %s" % (name, type(value).__name__))
    if not 0 < value <= most:  # NaN is not, either
        raise ValueError("%s must be above 0 and at most %d s, not %s" % (name, most, value))


def function(name, value):
    if value is not None and not callable(value):
        raise TypeError("%s must be callable or None, not %s" % (name, type(value).__name__))
    return value


def having(name, value, method, example, optional=True):
    """With that method; or None, where it is optional."""
    if not (optional and value is None) and not callable(getattr(value, method, None)):
        none = "be None or " if optional else ""
        raise TypeError(
            "%s must %shave %s(), as %s has; not %s"
            % (name, none, method, example, type(value).__name__)
        )
    return value
