"""The one error a user can mend."""


class InputError(Exception):
    """What was given, what is needed, what to do about it: one sentence, shown without a traceback."""
