"""Images from files: HDF5, folders, arrays, FITS, and what decodes them."""
