import { contextTag, DerCursor, DerError, openDer, readString, Tag } from '@x/der'
import { formatAddress } from './match-ip-address.ts'

/** The kinds of GeneralName (RFC 5280 section 4.2.1.6), and the subject's common name. */
export type PresentedNameType =
  | 'other'
  | 'email'
  | 'dns'
  | 'x400'
  | 'directory'
  | 'edi'
  | 'uri'
  | 'ip'
  | 'registered-id'
  | 'common-name'

/** One name in a certificate. Its text is made when asked for. */
export class PresentedName {
  readonly type: PresentedNameType
  readonly #text: string
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #end: number
  readonly #decoded: string | undefined

  constructor(type: PresentedNameType, text: string, bytes: Uint8Array, start: number, end: number, decoded?: string) {
    this.type = type
    this.#decoded = decoded
    this.#text = text
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /**
   * As text: of alternative names one character per octet, of the common name as its string type says; IP addresses in
   * their usual notation, kinds that are no text in hexadecimal.
   */
  get value(): string {
    if (this.#decoded !== undefined) return this.#decoded
    if (this.type === 'ip') return formatAddress(this.raw)
    if (textual.has(this.type)) return this.text
    return Array.from(this.raw, (octet) => octet.toString(16).padStart(2, '0')).join('')
  }

  /** The content's octets, one character each: what is compared. */
  get text(): string {
    return this.#text.slice(this.#start, this.#end)
  }

  /** The content's octets: a view. */
  get raw(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  toJSON(): { type: PresentedNameType; value: string } {
    return { type: this.type, value: this.value }
  }
}

const textual: ReadonlySet<PresentedNameType> = new Set(['dns', 'email', 'uri'])

/** Every GeneralName with the tag it has in DER; any other tag makes the whole extension undecodable. */
const types: readonly (PresentedNameType | undefined)[] = tagTable([
  [contextTag(0, true), 'other'],
  [contextTag(1), 'email'],
  [contextTag(2), 'dns'],
  [contextTag(3, true), 'x400'],
  [contextTag(4, true), 'directory'],
  [contextTag(5, true), 'edi'],
  [contextTag(6), 'uri'],
  [contextTag(7), 'ip'],
  [contextTag(8), 'registered-id'],
])

function tagTable(rows: readonly (readonly [number, PresentedNameType])[]): (PresentedNameType | undefined)[] {
  const table = Array.from<PresentedNameType | undefined>({ length: 256 })
  for (const [tag, type] of rows) table[tag] = type
  return table
}

/** The names of one certificate. `altNames` holds the first subjectAltName only, in order; empty where there is none. */
export interface CertificateNames {
  readonly altNames: readonly PresentedName[]
  /** The subject's Name with its header. */
  readonly subject: Uint8Array
}

/**
 * Reads the names out of a certificate's DER: only its outline, the extensions and the first subjectAltName. The
 * signature, the validity and all else are not looked at.
 * @throws DerError where the outline or the subjectAltName cannot be decoded.
 */
export function readCertificateNames(der: Uint8Array): CertificateNames {
  const tbs = openDer(der).enterExpected(Tag.SEQUENCE)
  tbs.optional(contextTag(0, true)) // version
  tbs.expect(Tag.INTEGER)
  tbs.expect(Tag.SEQUENCE) // signature algorithm
  tbs.expect(Tag.SEQUENCE) // issuer
  tbs.expect(Tag.SEQUENCE) // validity
  const subject = tbs.expect(Tag.SEQUENCE)
  const { start, contentEnd } = subject
  tbs.expect(Tag.SEQUENCE) // public key
  tbs.optional(contextTag(1))
  tbs.optional(contextTag(2))
  const altNames = tbs.optional(contextTag(3, true)) ? readAltNames(tbs.enter()) : []
  tbs.finish()
  return { altNames, subject: der.subarray(start, contentEnd) }
}

function readAltNames(wrapper: DerCursor): PresentedName[] {
  const extensions = wrapper.enterExpected(Tag.SEQUENCE)
  wrapper.finish()
  const { bytes } = extensions
  let names: PresentedName[] | undefined
  while (!extensions.done) {
    extensions.expect(Tag.SEQUENCE)
    const p = extensions.contentStart
    // id-ce-subjectAltName is 2.5.29.17
    const isAltName =
      bytes[p] === Tag.OID &&
      bytes[p + 1] === 3 &&
      bytes[p + 2] === 0x55 &&
      bytes[p + 3] === 0x1d &&
      bytes[p + 4] === 0x11
    if (!isAltName || names !== undefined) continue
    const fields = extensions.enter()
    fields.next()
    fields.optional(Tag.BOOLEAN)
    fields.expect(Tag.OCTET_STRING)
    names = readGeneralNames(new DerCursor(bytes, fields.contentStart, fields.contentEnd))
    fields.finish()
  }
  return names ?? []
}

function readGeneralNames(content: DerCursor): PresentedName[] {
  const cursor = content.enterExpected(Tag.SEQUENCE)
  content.finish()
  const { bytes, end } = cursor
  const base = cursor.position
  // One conversion for all names; each name is a slice of it.
  const text = latin1(bytes, base, end)
  const whole = bytes.subarray(base, end)
  const names: PresentedName[] = []
  while (!cursor.done) {
    const type = types[cursor.next()]
    if (type === undefined) throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not a GeneralName', base + cursor.start)
    names.push(new PresentedName(type, text, whole, cursor.contentStart - base, cursor.contentEnd - base))
  }
  return names
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

/**
 * The first common name of a subject (the original's choice too), or undefined. Its `text` is its octets, whatever the
 * string type: a BMPString or UniversalString therefore never matches, as with the original.
 * @throws DerError where the Name cannot be decoded.
 */
export function readCommonName(subject: Uint8Array): PresentedName | undefined {
  const rdns = openDer(subject)
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    do {
      const attribute = set.enterExpected(Tag.SEQUENCE)
      const id = attribute.expect(Tag.OID).content()
      attribute.next()
      // id-at-commonName is 2.5.4.3
      if (id.length !== 3 || id[0] !== 0x55 || id[1] !== 0x04 || id[2] !== 0x03) continue
      const raw = attribute.content()
      const text = latin1(raw, 0, raw.length)
      return new PresentedName('common-name', text, raw, 0, raw.length, decoded(attribute) ?? text)
    } while (!set.done)
  }
  return undefined
}

function decoded(attribute: DerCursor): string | undefined {
  try {
    return readString(attribute)
  } catch {
    return undefined // shown octet by octet; such a name matches nothing, so no verdict depends on it
  }
}
