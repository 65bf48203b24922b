"""The sums that a text does by hand, such as ``0.6 × 0.5 + 1 = 1.3``, read and done again."""

import math
import re

FUNCTIONS = {"tanh": math.tanh, "exp": math.exp, "ln": math.log, "sqrt": math.sqrt}
FUNCTIONS["σ"] = lambda x: 1 / (1 + math.exp(-x))
ROUNDED = 4  # so many digits behind the point may be rounded; fewer are exact

_NUMBER = r"[-−]?\d+(?:\.\d+)?"
_TERM = rf"(?:[-−]?(?:{'|'.join(FUNCTIONS)})?\()*{_NUMBER}\)*"
# Not the end of something longer, such as `x + 1 = 3`, and not the start, such as `... = 2 × 3`.
_SUM = re.compile(
    rf"(?<![\w.(×/+^−-])(?<![×/+−-] )({_TERM}(?: [×/+−-] {_TERM})*) = ({_NUMBER})"
    r"(?![\d/^]|\.\d| [×/+−-] )"
)


def sums(text):
    """Return each sum of the text: its left side, the value, and what the text says.

    What the text rounds comes out as the text's number, if it is rounded rightly.
    """
    found = []
    for left, said in _SUM.findall(text):
        if " " not in left and "(" not in left:
            continue  # `0 = 0`: nothing was done
        left = left.removeprefix("(" * max(0, left.count("(") - left.count(")")))
        left = left + ")" * (left.count("(") - left.count(")"))
        value = eval(_python(left), {"__builtins__": {}}, FUNCTIONS)
        digits = len(said.partition(".")[2])
        said = float(_python(said))
        if digits >= ROUNDED and abs(value - said) <= 0.5 * 10**-digits + 1e-12:
            value = said
        found.append((left, value, said))
    return found


def _python(sum_):
    return sum_.replace("×", "*").replace("−", "-")
