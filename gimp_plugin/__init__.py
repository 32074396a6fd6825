"""Cutouts inside GIMP: the plug-in, its installer and the engine host that it talks to."""
