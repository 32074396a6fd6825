"""Cutouts inside GIMP: the plug-in, its installer and the engine host that it connects to."""
