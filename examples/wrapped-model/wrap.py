"""What stands before and after the model: inches become centimetres, and the answer gains a sentence."""

from bareboat.runtime import InputError

CM_PER_INCH = 2.54


def centimetres(payload):
    """Turn {"unit": "in", "flower": {...}} into the row that the model takes."""
    if not isinstance(payload, dict) or not isinstance(payload.get("flower"), dict):
        raise InputError("found no flower", expected="an object of four measures", where="flower")
    unit = payload.get("unit", "cm")
    if unit not in ("cm", "in"):
        raise InputError("an unknown unit", expected="cm or in", where="unit")
    if unit == "cm":
        return payload["flower"]
    return {
        name: round(value * CM_PER_INCH, 9) if isinstance(value, (int, float)) else value
        for name, value in payload["flower"].items()
    }


def sentence(answer):
    """Add a sentence that a person can read."""
    percent = round(100 * max(answer["proba"]))
    return {**answer, "sentence": f"This is {answer['label']}, by {percent} %."}
