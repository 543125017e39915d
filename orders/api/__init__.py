"""Orders for machines: the phone pages and the app list, place, pay, watch and cancel them."""
