"""The one error of loading or making a bundle."""


class BundleError(Exception):
    """The bundle is missing, damaged, unsafe, or not what it says; the message names the file."""
