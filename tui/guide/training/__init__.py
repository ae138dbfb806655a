"""How the guide's model is made. Not in the wheel; needs the dependency group `guide`."""
