import { createSecretKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TestCa } from '@x-testing/test-ca'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isProcessLocal, sessionIdContext, trustKey } from '../src/index.ts'

const ca = new TestCa()
const [one, two] = [ca.ca, ca.intermediate.certificate.toString()]
const check = (): undefined => undefined
class Policy {
  readonly strict = true
}

/** Everything that a careful client may set, and for each parameter another value. */
const parameters: Readonly<Record<string, readonly [unknown, unknown]>> = {
  host: ['example.org', 'example.net'],
  port: [443, 8443],
  servername: ['a', 'A'],
  ca: [[one, two], [one]],
  crl: [[], ['no crl at all']],
  cert: [one, two],
  key: [generateKeyPairSync('ed25519').privateKey, generateKeyPairSync('ed25519').privateKey],
  psk: [createSecretKey(Buffer.from('a')), createSecretKey(Buffer.from('b'))],
  pins: [new Set(['sha256$aa', 'sha256$bb']), new Set(['sha256$aa'])],
  fingerprints: [['sha256$aa'], ['sha256$aa', 'sha256$ab']],
  verify: [
    { name: 'x', scheme: 'http' },
    { name: 'x', scheme: 'smtp' },
  ],
  callback: [check, (): undefined => undefined],
  minVersion: ['TLSv1.2', 'TLSv1.3'],
  maxVersion: ['TLSv1.3', 'TLSv1.2'],
  ciphers: ['A:B', 'B:A'],
  ALPNProtocols: [
    ['h2', 'http/1.1'],
    ['http/1.1', 'h2'],
  ],
  rejectUnauthorized: [true, false],
  empty: [null, ''],
  date: [new Date(0), new Date(1)],
  pattern: [/a/i, /a/],
  url: [new URL('http://a/'), new URL('http://b/')],
  bytes: [Uint8Array.of(1), Uint8Array.of(1, 0)],
  big: [5n, -5n],
  hosts: [new Map([['a', 1]]), new Map([['a', 2]])],
}
const base = Object.fromEntries(Object.entries(parameters).map(([name, [value]]) => [name, value]))

describe('trustKey', () => {
  it.each(Object.keys(parameters))('changes with %s, and where it is missing', (name) => {
    const key = trustKey(base)
    const { [name]: _left, ...without } = base
    expect(trustKey({ ...base, [name]: parameters[name]?.[1] })).not.toBe(key)
    expect(trustKey(without)).not.toBe(key)
    expect(trustKey({ ...base })).toBe(key)
  })

  it('tells apart values of different kinds that look alike', () => {
    const values = [
      1,
      '1',
      1n,
      true,
      [1],
      ['1'],
      { 0: 1 },
      new Set([1]),
      new Map([[0, 1]]),
      Buffer.from('1'),
      [[1]],
      [],
      {},
      '',
      null,
      new Set(),
      '\ud800',
      '\ufffd',
    ]
    expect(new Set(values.map((value) => trustKey({ value }))).size).toBe(values.length)
  })

  it('does not let values run into one another', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const plain = (value: unknown): string =>
          JSON.stringify(value, (_k, v: unknown) => (Object.is(v, -0) ? 0 : sortedObject(v)))
        const key = (value: unknown): string => trustKey({ value: JSON.parse(plain(value)) as unknown })
        expect(key(a) === key(b)).toBe(plain(a) === plain(b))
      }),
      { numRuns: 500 },
    )
  })

  it('does not let the end of one value pass for the beginning of the next', () => {
    for (const head of ['B\0\0\0\x01', 'B\0\0\0\x01\0\0\0\0']) {
      const [p, q, h] = [Buffer.from('p'), Buffer.from('q'), Buffer.from(head, 'latin1')]
      const one = [p, Buffer.concat([p, h, q])]
      const two = [Buffer.concat([p, h, p]), q]
      expect(trustKey({ one })).not.toBe(trustKey({ one: two }))
    }
  })

  it('does not depend on the order of a record or a set, or on how often a set names something', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.keys(base), { minLength: Object.keys(base).length }),
        fc.array(fc.string(), { maxLength: 6 }),
        (names, pins) => {
          expect(trustKey(Object.fromEntries(names.map((name) => [name, base[name]])))).toBe(trustKey(base))
          const key = trustKey({ fingerprints: pins, other: new Set(pins) })
          expect(trustKey({ fingerprints: pins.toReversed(), other: new Set(pins.toReversed()) })).toBe(key)
          expect(trustKey({ fingerprints: new Set([...pins, ...pins]), other: new Set(pins) })).toBe(key)
        },
      ),
    )
  })

  it('counts the order of a list', () => {
    expect(trustKey({ sigalgs: ['a', 'b'] })).not.toBe(trustKey({ sigalgs: ['b', 'a'] }))
  })

  it.each<[string, unknown]>([
    ['PEM in bytes', Buffer.from(one)],
    ['DER', new X509Certificate(one).raw],
    ['DER in a larger buffer', new Uint8Array([1, ...new X509Certificate(one).raw]).subarray(1)],
    ['an X509Certificate', new X509Certificate(one)],
    ['PEM with CRLF', one.replaceAll('\n', '\r\n')],
    ['PEM behind a comment', `Root of all tests\n=====\n${one}`],
  ])('takes a certificate as %s for the same', (_name, given) => {
    expect(trustKey({ cert: given })).toBe(trustKey({ cert: one }))
    expect(trustKey({ ca: [given, two] })).toBe(trustKey({ ca: one + two }))
    expect(trustKey({ ca: new Set([two, given]) })).toBe(trustKey({ ca: [one, two] }))
    expect(trustKey({ ca: given })).toBe(trustKey({ ca: [one, one] }))
  })

  it('takes a PEM bundle for the list of its certificates', () => {
    expect(trustKey({ cert: one + two })).toBe(trustKey({ cert: [new X509Certificate(one), two] }))
  })

  it('digests PEM that readers could disagree about as the text it is', () => {
    const body = one.split('\n').slice(1, -2).join('')
    const odd = [
      one.replace('-----END', '----END'),
      one.replace('-----BEGIN', 'x-----BEGIN'),
      one.replace('M', '!'),
      one.replace(/=*\n-----END/, '=\n=A\n-----END'),
      `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
      `-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n${body}\n-----END CERTIFICATE-----\n`,
      `${one}-----BEGIN CERTIFICATE-----\n`,
    ]
    expect(new Set([one, ...odd].map((text) => trustKey({ ca: text }))).size).toBe(odd.length + 1)
  })

  it('counts the label of a block that is no certificate', () => {
    const key = one.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')
    expect(trustKey({ ca: key })).not.toBe(trustKey({ ca: one }))
  })

  it.each<[string, unknown]>([
    ['verify.name', undefined],
    ['verify.name', Number.NaN],
    ['verify.name', Number.POSITIVE_INFINITY],
    ['verify.name', -0],
    ['verify.name', Symbol('a')],
    ['verify.name', Promise.resolve(true)],
    ['verify.name', new Policy()],
    ['verify.name', new WeakMap()],
    ['verify.name', new Date(Number.NaN)],
    ['verify.name', new ArrayBuffer(3)],
    ['verify.name', new Float64Array(3)],
    ['verify.name', Object.create({ inherited: 1 })],
    ['verify.name', { [Symbol('a')]: 1 }],
    ['verify.name[1]', [1, undefined]],
    ['verify.name[0]', Array.from({ length: 1 })],
    ['verify.name.fingerprints[0]', { fingerprints: undefined }],
  ])('refuses what has no canonical form: %s %s', (path, value) => {
    expect(() => trustKey({ verify: { name: value } })).toThrow(
      expect.objectContaining({ name: 'SessionCacheError', code: 'ERR_SESSION_PARAMETER', path }),
    )
  })

  it('refuses cycles and what is nested too deep', () => {
    const cycle: Record<string, unknown> = {}
    cycle['again'] = { cycle }
    let deep: unknown = 1
    for (let i = 0; i < 100; i++) deep = [deep]
    for (const value of [cycle, deep])
      expect(() => trustKey({ value })).toThrow(expect.objectContaining({ code: 'ERR_SESSION_PARAMETER' }))
    expect(() => trustKey([] as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  })

  it('marks a key that holds a function, at any depth, as local to this process', () => {
    expect(isProcessLocal(trustKey({ a: 1 }))).toBe(false)
    expect(isProcessLocal(trustKey({ a: check }))).toBe(true)
    expect(isProcessLocal(trustKey({ a: [{ b: new Set([check]) }] }))).toBe(true)
    expect(isProcessLocal(trustKey({ a: Policy }))).toBe(true)
    for (const key of ['', 'example.org:443', 'x1.', `x1.${'a'.repeat(44)}`, `x1.${'a'.repeat(43)}\n`])
      expect(isProcessLocal(key)).toBe(true)
  })

  it('gives the first function of another process another key', () => {
    const source = fileURLToPath(new URL('../src/trust-key.ts', import.meta.url))
    const script = `import(${JSON.stringify(source)}).then(({ trustKey }) => console.log(trustKey({ check: () => undefined }), trustKey({ a: 1 })))`
    const isTypeStripped = Number(process.versions.node.split('.')[0]) >= 24
    if (!isTypeStripped) return // Older Node cannot run the source; the built package is the same code.
    const runs = [0, 1].map(() =>
      execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim().split(' '),
    )
    expect(runs[0]?.[0]).not.toBe(runs[1]?.[0])
    expect(runs[0]?.[1]).toBe(runs[1]?.[1])
  })
})

describe('sessionIdContext', () => {
  it('is what OpenSSL takes, and follows the parameters', () => {
    expect(sessionIdContext({ host: 'a', ca: one })).toMatch(/^[A-Za-z0-9_-]{32}$/)
    expect(sessionIdContext({ host: 'a', ca: one })).toBe(sessionIdContext({ ca: [one], host: 'a' }))
    expect(sessionIdContext({ host: 'a', ca: one })).not.toBe(sessionIdContext({ host: 'a', ca: two }))
  })
})

function sortedObject(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
