import { createHash } from 'node:crypto'
import { type ClientHello, parseClientHello } from './client-hello.ts'

/** What a ClientHello says about the program that sent it. It is a hint and no evidence: anybody can send the same. */
export interface HelloFingerprint {
  /** JA3: MD5 over `ja3Text`, in hexadecimal. */
  readonly ja3: string
  /** Version, cipher suites, extensions, groups and point formats, GREASE left out. */
  readonly ja3Text: string
  /** JA4: readable head, and digests over sorted cipher suites and extensions. */
  readonly ja4: string
  /** JA4_r: the same with the lists in place of their digests. */
  readonly ja4Text: string
  /** JA4_o: digests over the lists in the order sent. */
  readonly ja4Ordered: string
  /** JA4_ro: the lists in the order sent. */
  readonly ja4OrderedText: string
}

export interface HelloFingerprintOptions {
  /** What carried the hello; default 'tcp'. */
  readonly transport?: 'tcp' | 'quic' | 'dtls'
}

/**
 * JA3 and JA4 of a ClientHello, given as the handshake message with its four bytes of header.
 * @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO where it is malformed.
 */
export function clientHelloFingerprint(message: Uint8Array, options: HelloFingerprintOptions = {}): HelloFingerprint {
  const hello = parseClientHello(message)
  const ciphers = hello.cipherSuites.filter(isOurs)
  const extensions = hello.extensions.filter(isOurs)
  const ja3Text = [
    hello.legacyVersion,
    ...[ciphers, extensions, hello.groups.filter(isOurs), hello.pointFormats].map((list) => list.join('-')),
  ].join(',')

  const head = ja4Head(hello, ciphers.length, extensions.length, options.transport ?? 'tcp')
  const algorithms = hello.signatureAlgorithms.filter(isOurs).map(hex4)
  const withAlgorithms = (types: readonly string[]): string =>
    algorithms.length === 0 ? types.join(',') : `${types.join(',')}_${algorithms.join(',')}`
  const named = extensions.filter((type) => type !== SERVER_NAME && type !== ALPN)
  const sorted = [sortedHex(ciphers), withAlgorithms(sortedHex(named))] as const
  const ordered = [ciphers.map(hex4), withAlgorithms(extensions.map(hex4))] as const
  const texts = [sorted, ordered].map(([suites, others]) => [suites.join(','), others] as const)
  const [text, orderedText] = texts as [readonly [string, string], readonly [string, string]]
  return {
    ja3: createHash('md5').update(ja3Text).digest('hex'),
    ja3Text,
    ja4: [head, ...text.map(digest)].join('_'),
    ja4Text: [head, ...text].join('_'),
    ja4Ordered: [head, ...orderedText.map(digest)].join('_'),
    ja4OrderedText: [head, ...orderedText].join('_'),
  }
}

const SERVER_NAME = 0
const ALPN = 16

/** GREASE values (0x0a0a, 0x1a1a … 0xfafa) are noise by design (RFC 8701). */
function isOurs(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff)
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0')
}

function sortedHex(values: readonly number[]): readonly string[] {
  return values.map(hex4).sort()
}

/** The first 12 digits of SHA-256, or zeros for nothing. */
function digest(text: string): string {
  return text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12)
}

const transports = { tcp: 't', quic: 'q', dtls: 'd' } as const

const versions: Readonly<Record<number, string>> = {
  0x0304: '13',
  0x0303: '12',
  0x0302: '11',
  0x0301: '10',
  0x0300: 's3',
  0x0002: 's2',
  0xfeff: 'd1',
  0xfefd: 'd2',
  0xfefc: 'd3',
}

/** JA4_a: transport, version, whether a name is sent, counts, and the first protocol's first and last character. */
function ja4Head(hello: ClientHello, ciphers: number, extensions: number, transport: 'tcp' | 'quic' | 'dtls'): string {
  const version = versions[Math.max(...hello.versions.filter(isOurs))] ?? '00'
  const name = hello.extensions.includes(SERVER_NAME) ? 'd' : 'i'
  const count = (number: number): string => String(Math.min(number, 99)).padStart(2, '0')
  return `${transports[transport]}${version}${name}${count(ciphers)}${count(extensions)}${firstProtocol(hello)}`
}

function firstProtocol({ alpnProtocols: [first] }: ClientHello): string {
  if (first === undefined) return '00'
  const ends = first.charAt(0) + first.slice(-1)
  if (/^[0-9A-Za-z]{2}$/.test(ends)) return ends
  const hex = Buffer.from(first, 'latin1').toString('hex')
  return hex.charAt(0) + hex.slice(-1)
}
