"""The types that all layers share. This package imports no other package of Filemill."""
