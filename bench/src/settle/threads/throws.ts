/** A module of any pool's workers that cannot be loaded. */
throw new RangeError('at import')
