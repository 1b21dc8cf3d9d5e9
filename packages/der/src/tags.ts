/** The identifier octets (X.690 section 8.1.2) that certificates are made of. */
export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  VISIBLE_STRING: 0x1a,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/**
 * Identifier octet of the context-specific tag `[number]`.
 * @throws TypeError `ERR_INVALID_ARG_VALUE` unless number is an integer from 0 to 30.
 */
export function contextTag(number: number, constructed = false): number {
  if (!(number >= 0 && number <= 30) || (number | 0) !== number)
    throw Object.assign(new TypeError(`number must be an integer from 0 to 30, not ${number}`), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  return (constructed ? 0xa0 : 0x80) | number
}
