/**
 * The rows of the table.
 *
 * @module
 */
import type { Row } from './row.js'
import { deaths } from './rows/deaths.js'
import { ends } from './rows/ends.js'
import { limits } from './rows/limits.js'
import { loading } from './rows/loading.js'
import { owner } from './rows/owner.js'
import { values } from './rows/values.js'

export const rows: readonly Row[] = [...deaths, ...values, ...ends, ...loading, ...limits, ...owner]
