"""Names of the networks: the ones to use, and the ones that records store.

Records keep the names of the forum's answer and question, so that old and new ones compare equal.
"""

from __future__ import annotations

from fpdrift.training._networks import NETWORKS
from fpdrift.validation import check_choice

#: Name -> the name in records.
NAMES = {
    name.replace("answer", "cnn-he").replace("question", "cnn-glorot"): name for name in NETWORKS
}


def recorded_name(network: str) -> str:
    """Return the name under which records store a network.

    Parameters
    ----------
    network : str
        Such as ``"cnn-he"``, or its recorded name, ``"answer"``.

    Raises
    ------
    FpdriftError
        If there is none of that name.
    """
    check_choice("network", network, (*NAMES, *NETWORKS))
    return NAMES.get(network, network)
