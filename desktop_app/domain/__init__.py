"""The vocabulary that all layers share; imports no other package of Filemill."""
