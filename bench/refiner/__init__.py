"""Training of the refiner: generated mattes, composites, a network, its export and its judge.

Not shipped in the wheel. Only mattes that are drawn here and photos under a free licence are used.
Needs torch, which the product never needs: `pip install -e '.[refiner]'`; README.md says how.
"""
