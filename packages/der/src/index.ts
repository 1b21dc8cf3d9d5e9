export { DerCursor, MAX_DEPTH, openDer } from './cursor.ts'
export { DerError, type DerErrorCode, isDerError } from './errors.ts'
export { type InheritedKey, inheritedKey, memberOfClass } from './options.ts'
export { decodeAscii, readString } from './strings.ts'
export { contextTag, Tag } from './tags.ts'
export {
  decodeOid,
  MAX_INTEGER_OCTETS,
  MAX_OID_OCTETS,
  readBitString,
  readBoolean,
  readInteger,
  readIntegerBytes,
  readOctetAlignedBits,
  readOid,
  readSmallInteger,
  readTime,
} from './values.ts'
export {
  asciiBytes,
  bitString,
  boolean,
  element,
  encodeOid,
  enumerated,
  generalizedTime,
  headerLength,
  ia5String,
  integer,
  namedBits,
  nullElement,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  time,
  utf8String,
  writeHeader,
} from './writer.ts'
