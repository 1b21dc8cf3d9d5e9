import type { AlgorithmIdentifier, ContentInfo, SafeBag } from 'pkijs'
import { CertificateError } from './errors.ts'

/** Integrity of a PKCS#12 file: a DigestInfo over its content. */
export interface Pkcs12Mac {
  readonly algorithmId: string
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Uint8Array
  readonly digest: Uint8Array
  readonly salt: Uint8Array
  readonly iterations: number
}

/** One thing that a PKCS#12 file holds. */
export type Pkcs12Bag =
  | { readonly kind: 'certificate'; readonly der: Uint8Array }
  | { readonly kind: 'key'; readonly der: Uint8Array }
  | { readonly kind: 'shrouded-key'; readonly algorithm: Uint8Array; readonly data: Uint8Array }

/** Decrypts `data` by an AlgorithmIdentifier (DER). */
export type Decrypt = (algorithm: Uint8Array, data: Uint8Array) => Uint8Array

const MAX_BYTES = 16 * 1024 * 1024
const MAX_ELEMENTS = 200_000
const MAX_NESTING = 64
const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const X509_BAG = '1.2.840.113549.1.9.22.1'

type Libraries = typeof import('pkijs') & { readonly asn1js: typeof import('asn1js') }
let libraries: Promise<Libraries> | undefined

/** pkijs costs 40 ms to load: only those who open PKCS#12 files pay. */
function load(): Promise<Libraries> {
  libraries ??= Promise.all([import('pkijs'), import('asn1js')]).then(([pkijs, asn1js]) => ({ ...pkijs, asn1js }))
  return libraries
}

/** Outer structure (RFC 7292 section 4): the content that the MAC is over, and the MAC. */
export async function readPfx(bytes: Uint8Array): Promise<{ content: Uint8Array; mac: Pkcs12Mac | undefined }> {
  if (bytes.length > MAX_BYTES)
    throw new CertificateError('ERR_CERT_TOO_LARGE', `a PKCS#12 file of ${bytes.length} bytes`)
  const { PFX, asn1js } = await load()
  return guarded(() => {
    const { authSafe, macData } = new PFX({ schema: decode(asn1js, bytes) })
    if (authSafe.contentType !== DATA) throw notSupported('its integrity is protected by a public key')
    const mac =
      macData === undefined
        ? undefined
        : {
            algorithmId: macData.mac.digestAlgorithm.algorithmId,
            algorithm: derOf(macData.mac.digestAlgorithm),
            digest: octets(macData.mac.digest),
            salt: octets(macData.macSalt),
            iterations: macData.iterations ?? 1,
          }
    return { content: octets(authSafe.content), mac }
  })
}

/** The bags of an AuthenticatedSafe (RFC 7292 section 4.1). CRLs, secrets and certificates of other kinds are passed over. */
export async function readBags(content: Uint8Array, decrypt: Decrypt): Promise<Pkcs12Bag[]> {
  const { AuthenticatedSafe, asn1js, ...pkijs } = await load()
  return guarded(() => {
    const { safeContents } = new AuthenticatedSafe({ schema: decode(asn1js, content) })
    return safeContents.flatMap((info) => {
      const safe = new pkijs.SafeContents({ schema: decode(asn1js, safeOctets(pkijs, info, decrypt)) })
      return safe.safeBags.flatMap((bag) => readBag(pkijs, bag, 0))
    })
  })
}

type Pkijs = Pick<
  typeof import('pkijs'),
  'EncryptedData' | 'SafeContents' | 'CertBag' | 'PKCS8ShroudedKeyBag' | 'PrivateKeyInfo'
>

function safeOctets(pkijs: Pkijs, info: ContentInfo, decrypt: Decrypt): Uint8Array {
  if (info.contentType === DATA) return octets(info.content)
  if (info.contentType !== ENCRYPTED_DATA) throw notSupported('a part of it is encrypted for a public key')
  const { encryptedContentInfo } = new pkijs.EncryptedData({ schema: info.content })
  return decrypt(
    derOf(encryptedContentInfo.contentEncryptionAlgorithm),
    new Uint8Array(encryptedContentInfo.getEncryptedContent()),
  )
}

function readBag(pkijs: Pkijs, { bagId, bagValue }: SafeBag, depth: number): Pkcs12Bag[] {
  switch (bagId) {
    case '1.2.840.113549.1.12.10.1.1':
      return [{ kind: 'key', der: derOf(as(bagValue, pkijs.PrivateKeyInfo)) }]
    case '1.2.840.113549.1.12.10.1.2': {
      const { encryptionAlgorithm, encryptedData } = as(bagValue, pkijs.PKCS8ShroudedKeyBag)
      return [{ kind: 'shrouded-key', algorithm: derOf(encryptionAlgorithm), data: octets(encryptedData) }]
    }
    case '1.2.840.113549.1.12.10.1.3': {
      const { certId, certValue } = as(bagValue, pkijs.CertBag)
      return certId === X509_BAG ? [{ kind: 'certificate', der: octets(certValue) }] : []
    }
    case '1.2.840.113549.1.12.10.1.6':
      if (depth > 8) throw notSupported('it nests its parts too deeply')
      return as(bagValue, pkijs.SafeContents).safeBags.flatMap((bag) => readBag(pkijs, bag, depth + 1))
    default:
      return []
  }
}

function as<T>(value: unknown, type: abstract new (...parameters: never[]) => T): T {
  if (value instanceof type) return value
  throw new TypeError('the bag holds something else than it says')
}

/** Octets of an OCTET STRING of asn1js, joined where BER has it in parts. */
function octets(value: unknown): Uint8Array {
  const read = (value as { getValue?: unknown } | undefined)?.getValue
  if (typeof read !== 'function') throw new TypeError('not an OCTET STRING')
  return new Uint8Array(read.call(value) as ArrayBuffer)
}

function derOf(value: AlgorithmIdentifier | { toSchema(): { toBER(): ArrayBuffer } }): Uint8Array {
  return new Uint8Array(value.toSchema().toBER())
}

function decode(asn1js: Libraries['asn1js'], bytes: Uint8Array): InstanceType<Libraries['asn1js']['BaseBlock']> {
  checkShape(bytes)
  const { result, offset } = asn1js.fromBER(bytes)
  if (offset !== bytes.length) throw new TypeError('not BER')
  return result
}

/**
 * Counts elements and levels before asn1js builds objects of them, so that no input makes it run out of stack or time.
 * Indefinite lengths, which only BER has, count as a level until their end-of-contents octets.
 */
function checkShape(bytes: Uint8Array): void {
  const ends: number[] = []
  let elements = 0
  for (let p = 0; p < bytes.length; ) {
    while (ends.length > 0 && ends.at(-1) === p) ends.pop()
    if (++elements > MAX_ELEMENTS) throw notSupported('it has too many parts')
    const tag = bytes[p] as number
    let length = bytes[p + 1] ?? 0
    if ((tag & 0x1f) === 0x1f) throw new TypeError('a tag of several octets')
    p += 2
    if (tag === 0 && length === 0) {
      if (ends.pop() !== Number.POSITIVE_INFINITY) throw new TypeError('end of contents without a beginning')
      continue
    }
    const indefinite = length === 0x80
    if (length > 0x80) {
      const count = length & 0x7f
      if (count > 4) throw new TypeError('a length of more than 4 octets')
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[p++] ?? 0)
    }
    if (!indefinite && p + length > bytes.length) throw new TypeError('a length beyond the end')
    if ((tag & 0x20) === 0) {
      if (indefinite) throw new TypeError('a primitive of indefinite length')
      p += length
    } else {
      if (ends.push(indefinite ? Number.POSITIVE_INFINITY : p + length) > MAX_NESTING)
        throw notSupported('it nests its parts too deeply')
    }
  }
}

function notSupported(why: string): CertificateError {
  return new CertificateError('ERR_CERT_PKCS12_UNSUPPORTED', `this PKCS#12 file is not supported: ${why}`)
}

/** Whatever the libraries stumble over is the input's fault. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause
    throw new CertificateError('ERR_CERT_PKCS12_INVALID', 'not a PKCS#12 file', { cause })
  }
}
