import { openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { Tag } from '../tags.ts'
import { readBoolean, readSmallInteger } from '../values.ts'

/** RFC 5280 section 4.2.1.9. */
export interface BasicConstraints {
  readonly ca: boolean
  /** How many intermediates may follow; undefined: no limit. */
  readonly pathLength: number | undefined
}

/**
 * The value of a basicConstraints extension. An explicit `cA` FALSE is accepted. Not checked: that a path length stands
 * only beside `cA` TRUE.
 */
export function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const fields = openDer(value)
  const ca = fields.optional(Tag.BOOLEAN) && readBoolean(fields)
  let pathLength: number | undefined
  if (fields.optional(Tag.INTEGER)) {
    pathLength = readSmallInteger(fields)
    if (pathLength < 0) throw new DerError('ERR_DER_INVALID_VALUE', 'negative path length', fields.start)
  }
  fields.finish()
  return { ca, pathLength }
}
