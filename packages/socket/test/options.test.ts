import { membersOfClasses } from '@x-testing/inherited'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { runInNewContext } from 'node:vm'
import { loadCaStore } from '@x/ca-store'
import { OcspCache } from '@x/ocsp'
import { SessionCache } from '@x/session-cache'
import { describe, expect, it } from 'vitest'
import { mergeOptions, resolve } from '../src/options/resolve.ts'
import { type AnyOptions, type Entry, table } from '../src/options/table.ts'
import { authority, identity } from './support.ts'

const f = (): undefined => undefined
const pin = `sha256$${'00'.repeat(32)}`
const bytes = Buffer.from('bytes')

// what each kind of option takes, and what it does not; null is never an option's value
const text = { good: ['x'], bad: ['', 'nul\0', 1, null, {}, [], true] }
const flag = { good: [true, false], bad: [0, 1, 'true', '', null, {}, Number.NaN] }
const callback = { good: [f], bad: [1, 'f', {}, null, true] }
const whole = { good: [0, 7], bad: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '7', null, true, 7n] }
const positive = { good: [1], bad: [0, ...whole.bad] }
const ms = { good: [1, 0x7fffffff], bad: [0, 0x80000000, ...whole.bad] }
const port = { good: [0, 65535, '443'], bad: [-1, 65536, 1.5, '', 'x', '1e3', ' 1', null, true, Number.NaN] }
const certificates = { good: ['x', bytes, identity.certificate, []], bad: [1, null, {}, true, [1], [null], [['x']]] }
const version = { good: ['TLSv1.2', 'TLSv1.3'], bad: ['', 'TLSv1.4', 'tlsv1.2', 'SSLv3', 1.2, null, ['TLSv1.2']] }

type Samples = { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }
const samples: { readonly [K in keyof AnyOptions]-?: Samples } = {
  host: text,
  port,
  path: text,
  family: { good: [0, 4, 6], bad: [5, '4', null, true] },
  localAddress: text,
  localPort: port,
  lookup: callback,
  hints: whole,
  autoSelectFamily: flag,
  autoSelectFamilyAttemptTimeout: ms,
  noDelay: flag,
  keepAlive: flag,
  keepAliveInitialDelay: whole,
  socket: { good: [new PassThrough(), 5], bad: ['x', null, {}, -1, 1.5, true] },
  backlog: whole,
  exclusive: flag,
  ipv6Only: flag,
  reusePort: flag,
  ca: certificates,
  caFile: text,
  caPath: text,
  caStore: { good: [loadCaStore({ certificates: authority.ca })], bad: ['x', {}, null, [], { certificates: [] }] },
  cert: certificates,
  certFile: text,
  key: { good: ['x', bytes, identity.privateKey], bad: ['', 1, null, {}, [], ['x']] },
  keyFile: text,
  pfx: { good: [bytes], bad: ['x', null, {}, [bytes]] },
  passphrase: { good: ['', 'x', f], bad: [1, null, {}, bytes] },
  ciphers: text,
  sigalgs: text,
  ecdhCurve: text,
  minVersion: version,
  maxVersion: version,
  secureOptions: whole,
  dhparam: { good: ['auto', bytes], bad: ['', 1, null, {}] },
  honorCipherOrder: flag,
  allowPartialTrustChain: flag,
  psk: {
    good: [{ identity: 'x', key: Buffer.alloc(16) }],
    bad: ['x', null, [], { identity: 'x' }, { identity: '', key: bytes }],
  },
  clientCaNames: certificates,
  onContext: callback,
  secureContext: { good: [createSecureContext()], bad: [{}, null, 'x', f] },
  servername: { good: ['', 'x'], bad: [1, null, {}, '127.0.0.1', '::1', 'nul\0'] },
  ALPNProtocols: { good: [[], ['h2']], bad: ['h2', null, [''], [1], ['x'.repeat(256)], {}] },
  sessionCache: { good: [new SessionCache()], bad: [{}, null, 'x', { get: f }] },
  sessionKey: text,
  tickets: { good: ['once', 'again'], bad: ['', 'twice', true, null] },
  minDHSize: whole,
  handshakeTimeout: ms,
  requestCert: { good: [true, false, 'required', 'optional'], bad: ['', 'maybe', 1, null, 'true'] },
  hosts: {
    good: [{ 'a.example': { cert: identity.cert, key: identity.key } }],
    bad: [{}, null, [], 'x', { 'a b': {} }, { a: 1 }],
  },
  onHello: callback,
  maxHelloSize: positive,
  stapler: { good: [], bad: [{}, null, 'x', f] },
  ticketKeys: { good: [Buffer.alloc(48), f], bad: [Buffer.alloc(47), 'x', null, {}] },
  isServer: flag,
  head: { good: [], bad: ['x', null, {}, 1] },
  starttls: callback,
  keylog: flag,
  stoppable: flag,
  truncation: { good: ['refuse', 'allow'], bad: ['', 'ignore', true, null] },
  onMessage: callback,
  onPeerShutdown: { good: [], bad: callback.bad },
  onHandshakeError: callback,
  onPlaintext: callback,
  maxConnections: positive,
  maxHandshakes: positive,
  watch: flag,
  verify: { good: [{}, { name: 'x' }], bad: ['x', null, [], 1, true, f] },
  revocation: { good: [{}, { online: true }], bad: ['x', null, [], 1, true] },
  crl: { good: ['x', bytes, [], ['x', bytes]], bad: ['', 1, null, {}, [1], [['x']]] },
  rejectUnauthorized: flag,
  checkServerIdentity: callback,
  now: callback,
  signal: { good: [new AbortController().signal], bad: [{}, null, 'x', new AbortController()] },
  allowHalfOpen: flag,
  timeout: whole,
  startHandshake: flag,
  highWaterMark: whole,
  onread: {
    good: [{ buffer: Buffer.alloc(1), callback: f }],
    bad: [null, f, {}, { buffer: 'x', callback: f }, { buffer: Buffer.alloc(0), callback: f }],
  },
}

const verify: Readonly<Record<string, Samples>> = {
  name: text,
  scheme: { good: ['http', f, { wildcard: 'none' }], bad: ['', 1, null, true] },
  publicSuffix: { good: ['icann', 'none'], bad: ['', 'psl', null, {}, true, f] },
  fingerprints: { good: [pin, [pin], []], bad: ['', 'x', 1, null, {}, [1], [''], true] },
  forceFingerprints: flag,
  callback,
  callbackTimeout: ms,
}
const revocation: Readonly<Record<string, Samples>> = {
  staple: { good: ['off', 'try', 'must'], bad: ['', 'MUST', true, false, null, 1] },
  online: flag,
  failure: { good: ['soft', 'hard'], bad: ['', 'HARD', true, null] },
  depth: { good: ['leaf', 'chain'], bad: ['', 'all', true, null, 1] },
  cache: { good: [new OcspCache()], bad: [{}, null, 'x', { get: f }, new Map()] },
  onStaple: callback,
  crlFile: text,
  crlDepth: { good: ['leaf', 'chain'], bad: ['', 'all', true, null] },
  timeout: ms,
  fetch: callback,
}

/** Where an option may be given, first. */
function entryOf(key: keyof AnyOptions): Entry {
  return table[key].entries[0]
}

/** Options that another one needs beside it. */
const company: { readonly [K in keyof AnyOptions]?: object } = {
  key: { cert: identity.cert },
  keyFile: { cert: identity.cert },
  sessionKey: { sessionCache: new SessionCache() },
}

const misuse = (option: string): unknown =>
  expect.objectContaining({
    code: expect.stringMatching(/^ERR_INVALID_ARG_(TYPE|VALUE)$/),
    message: expect.stringContaining(option),
  })

function refusal(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return error
  }
  return expect.unreachable('accepted')
}

describe.each(Object.keys(table) as (keyof AnyOptions)[])('%s', (key) => {
  const { good, bad } = samples[key]
  const entry = entryOf(key)

  it('takes what it is for, and lands in its part', () => {
    for (const value of good) {
      const parts = resolve(entry, { ...company[key], [key]: value })
      expect(Object.hasOwn(parts[table[key].part], key)).toBe(true)
    }
  })

  it('refuses anything else by name', () => {
    expect(bad.length).toBeGreaterThan(0)
    for (const value of bad)
      expect(refusal(() => resolve(entry, { ...company[key], [key]: value }))).toEqual(misuse(key))
  })

  it('undefined is as good as nothing', () => {
    const parts = resolve(entry, { [key]: undefined })
    expect(parts).toEqual(resolve(entry, {}))
  })

  it('is refused where it does not apply', () => {
    const all: readonly Entry[] = ['connect', 'listen', 'startTls']
    for (const other of all.filter((one) => !(table[key].entries as readonly Entry[]).includes(one)))
      expect(refusal(() => resolve(other, { [key]: good[0] }))).toEqual(misuse(key))
  })
})

describe.each([
  ['verify', verify],
  ['revocation', revocation],
] as const)('%s', (option, inner) => {
  it.each(Object.keys(inner))('%s', (key) => {
    const { good, bad } = inner[key] as Samples
    for (const value of good)
      expect(resolve('connect', { [option]: { [key]: value } }).policy[option]).toHaveProperty(key)
    for (const value of bad)
      expect(refusal(() => resolve('connect', { [option]: { [key]: value } }))).toEqual(misuse(`${option}.${key}`))
    expect(resolve('connect', { [option]: { [key]: undefined } }).policy[option]).toEqual({})
  })

  it.each(['nmae', 'Name', 'constructor', '__proto__', 'toString', ''])('refuses %j, which is not known', (key) => {
    const value = JSON.parse(`{${JSON.stringify(key)}: 1}`) as object
    expect(refusal(() => resolve('connect', { [option]: value }))).toEqual(misuse(`${option}.${key}`))
  })

  it('refuses what is inherited', () => {
    const [key] = Object.keys(inner)
    expect(refusal(() => resolve('connect', { [option]: Object.create({ [key as string]: 'x' }) as object }))).toEqual(
      misuse(`${option}.${key}`),
    )
  })

  it('is a frozen copy', () => {
    const given = option === 'verify' ? { fingerprints: [pin] } : { staple: 'must' }
    const parsed = resolve('connect', { [option]: given }).policy[option]
    Object.assign(given, option === 'verify' ? { fingerprints: [] } : { staple: 'off' })
    expect(parsed).toEqual(option === 'verify' ? { fingerprints: [pin] } : { staple: 'must' })
    expect(Object.isFrozen(parsed)).toBe(true)
  })
})

describe('options', () => {
  it.each([
    'rejectUnauthorised',
    'verfy',
    'CA',
    'session',
    'SNICallback',
    'pskCallback',
    'privateKeyEngine',
    'clientCertEngine',
    'secureProtocol',
    'NPNProtocols',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
  ])('%j is not known', (key) => {
    const given = JSON.parse(`{${JSON.stringify(key)}: 1}`) as object
    for (const entry of ['connect', 'listen', 'startTls'] as const)
      expect(refusal(() => resolve(entry, given))).toEqual(misuse(key))
  })

  it.each([undefined, null, 1, 'host:443', [], true])('are not %j', (given) => {
    expect(() => resolve('connect', given as unknown as object)).toThrow(TypeError)
  })

  it.each([
    ['crl', 'crl', (given: object) => given],
    ['checkServerIdentity', 'checkServerIdentity', (given: object) => given],
    ['fingerprints', 'verify.fingerprints', (verify: object) => ({ verify })],
    ['staple', 'revocation.staple', (revocation: object) => ({ revocation })],
  ] as const)('that a class has as a member are refused, not passed over: %s', (key, option, within) => {
    for (const [, given] of membersOfClasses(key, undefined))
      expect(refusal(() => resolve('connect', within(given)))).toEqual(misuse(option))
    for (const given of [Object.create(null) as object, runInNewContext('({})') as object])
      expect(() => resolve('connect', within(given))).not.toThrow()
  })

  it('that are inherited are refused, not passed over', () => {
    class Mine {
      host = 'localhost'
      port = 1
    }
    expect(resolve('connect', new Mine()).transport.host).toBe('localhost')
    const careful = Object.create({ verify: { fingerprints: pin, forceFingerprints: true } }) as object
    expect(refusal(() => resolve('connect', careful))).toEqual(misuse('verify'))
    const everywhere = Object.getPrototypeOf({}) as object
    Object.defineProperty(everywhere, 'rejectUnauthorized', {
      value: false,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    try {
      expect(refusal(() => resolve('connect', { host: 'localhost' }))).toEqual(misuse('rejectUnauthorized'))
      expect(refusal(() => resolve('connect', { verify: {} }))).toBeInstanceOf(TypeError)
    } finally {
      Reflect.deleteProperty(everywhere, 'rejectUnauthorized')
    }
  })

  it('become frozen parts, with copies of bytes and lists', () => {
    const mine = Buffer.from('mine')
    const lists = [mine]
    const parts = resolve('connect', { ca: mine, crl: lists, ALPNProtocols: ['h2'] })
    mine.fill(0)
    lists.pop()
    expect(String(Buffer.from((parts.context.ca as readonly Uint8Array[])[0] as Uint8Array))).toBe('mine')
    expect(parts.policy.crl).toHaveLength(1)
    for (const part of [parts, ...Object.values(parts), parts.handshake.ALPNProtocols, parts.policy.crl])
      expect(Object.isFrozen(part)).toBe(true)
  })

  it('have the defaults that the README says', () => {
    const { context, handshake, policy } = resolve('connect', {})
    expect(context).toMatchObject({ minVersion: 'TLSv1.2', allowPartialTrustChain: true, honorCipherOrder: true })
    expect(handshake).toMatchObject({
      minDHSize: 2048,
      handshakeTimeout: 30_000,
      stoppable: false,
    })
    expect(policy.rejectUnauthorized).toBe(true)
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    for (const word of ['`minVersion`', '`minDHSize`', '`handshakeTimeout`', '`rejectUnauthorized`'])
      expect(readme).toContain(word)
  })
})

describe('options that contradict each other are refused', () => {
  const secureContext = createSecureContext()
  const { cert, key } = identity
  it.each<[string, object, string, Entry?]>([
    ['a context and a CA', { secureContext, ca: [] }, 'ca'],
    ['a context and a CA file', { secureContext, caFile: 'x' }, 'caFile'],
    ['a context and a certificate', { secureContext, cert, key }, 'cert'],
    ['a context and ciphers', { secureContext, ciphers: 'x' }, 'ciphers'],
    ['a context and a version', { secureContext, minVersion: 'TLSv1.3' }, 'minVersion'],
    ['a context and partial chains', { secureContext, allowPartialTrustChain: false }, 'allowPartialTrustChain'],
    ['no verification and a name', { rejectUnauthorized: false, verify: { name: 'x' } }, 'verify'],
    ['no verification and an empty policy', { rejectUnauthorized: false, verify: {} }, 'verify'],
    ['no verification and revocation', { rejectUnauthorized: false, revocation: { online: true } }, 'revocation'],
    ['no verification and a list', { rejectUnauthorized: false, crl: 'x' }, 'crl'],
    [
      'no verification and an identity check',
      { rejectUnauthorized: false, checkServerIdentity: f },
      'checkServerIdentity',
    ],
    ['no verification and a clock', { rejectUnauthorized: false, now: f }, 'now'],
    ['an identity check and a name', { checkServerIdentity: f, verify: { name: 'x' } }, 'verify.name'],
    ['an identity check and a scheme', { checkServerIdentity: f, verify: { scheme: 'http' } }, 'verify.scheme'],
    [
      'an identity check and suffixes',
      { checkServerIdentity: f, verify: { publicSuffix: 'none' } },
      'verify.publicSuffix',
    ],
    ['a session key without a cache', { sessionKey: 'x' }, 'sessionKey'],
    ['a path and a port', { path: 'x', port: 1 }, 'path'],
    ['a path and a host', { path: 'x', host: 'x' }, 'path'],
    ['PKCS#12 and a certificate', { pfx: bytes, cert }, 'cert'],
    ['PKCS#12 and a key file', { pfx: bytes, keyFile: 'x' }, 'keyFile'],
    ['two certificates', { cert, certFile: 'x', key }, 'certFile'],
    ['two keys', { cert, key, keyFile: 'x' }, 'keyFile'],
    ['a key without a certificate', { key }, 'key'],
    ['a key file without a certificate', { keyFile: 'x' }, 'key'],
    ['a hello ahead of a client', { head: bytes }, 'head', 'startTls'],
    ['a dialogue and no handshake', { starttls: f, startHandshake: false }, 'starttls'],
    ['the end of TLS where it cannot end', { onPeerShutdown: f }, 'onPeerShutdown'],
    ['a server that must be stapled to', { revocation: { staple: 'must' } }, 'revocation.staple', 'listen'],
    [
      'a server that must be stapled to, later',
      { isServer: true, revocation: { staple: 'must' } },
      'revocation.staple',
      'startTls',
    ],
  ])('%s', (_what, given, option, entry = 'connect') => {
    expect(refusal(() => resolve(entry, given))).toEqual(misuse(option))
  })
})

describe('options over others', () => {
  const base = { ca: 'a', verify: { fingerprints: pin, forceFingerprints: true }, revocation: { staple: 'must' } }
  it('keep what is not said again', () => {
    expect(mergeOptions(base, { verify: { name: 'x' } })).toEqual({ ...base, verify: { ...base.verify, name: 'x' } })
    expect(mergeOptions(base, { verify: undefined, revocation: { online: true } })).toEqual({
      ...base,
      revocation: { staple: 'must', online: true },
    })
    expect(mergeOptions({}, base)).toEqual(base)
  })

  it('that are none are refused when they are read, not repaired', () => {
    for (const bad of [null, 1, 'x', []])
      expect(refusal(() => resolve('connect', mergeOptions(base, { verify: bad })))).toEqual(misuse('verify'))
  })
})
