import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  createAuthority,
  createCertificate,
  describeCertificate,
  fingerprint,
  generateKey,
  generateKeySync,
  parseIdentity,
  parsePkcs12,
  parsePrivateKey,
  privateKeyToPem,
  readIdentity,
  readPrivateKey,
  signDer,
  verifySignature,
  writeCertificates,
  writePrivateKey,
} from '../src/index.ts'
import { fixture } from './support.ts'

const ca = createAuthority()
const stranger = createAuthority('Stranger')
const data = Buffer.from('data')
const claim = { ...signDer(data, ca.privateKey), data, publicKey: ca.certificate.publicKey }
const keyFile = join(import.meta.dirname, 'fixtures', 'leaf.key')
/** A file system that keeps nothing. */
const file = { writeFile: async () => undefined, sync: async () => undefined, close: async () => undefined }
const fs = { open: async () => file, rename: async () => undefined, unlink: async () => undefined }

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

const calls: readonly Call[] = [
  ['weakDigests', 'verifySignature', 'tell', claim, (options) => verifySignature(options)],
  ['ca', 'createCertificate', true, {}, (options) => createCertificate(options)],
  ['privateKey', 'createCertificate', stranger.key, {}, (options) => createCertificate(options)],
  ['notAfter', 'createCertificate', Date.UTC(2999, 0), {}, (options) => createCertificate(options)],
  ['digest', 'createCertificate', 'sha1', {}, (options) => createCertificate(options)],
  ['privateKey', 'createAuthority', stranger.key, {}, (options) => createAuthority(options)],
  ['pathLength', 'createAuthority', 0, {}, (options) => createAuthority(options)],
  ['ca', 'Authority.issue', true, { names: 'a' }, (options) => ca.issue(options)],
  ['pathLength', 'Authority.issue', 0, { ca: true }, (options) => ca.issue(options)],
  ['algorithm', 'fingerprint', 'sha1', {}, (options) => fingerprint(ca, options)],
  ['of', 'fingerprint', 'spki', {}, (options) => fingerprint(ca, options)],
  ['algorithm', 'describeCertificate', 'sha1', {}, (options) => describeCertificate(ca, options)],
  ['bits', 'generateKey', 1024, { type: 'rsa' }, async (kind) => generateKey(kind)],
  ['curve', 'generateKeySync', 'secp224r1', { type: 'ec' }, (kind) => generateKeySync(kind)],
  ['passphrase', 'parsePrivateKey', 'x', {}, (options) => parsePrivateKey(ca.key, options)],
  ['passphrase', 'privateKeyToPem', 'x', {}, (options) => privateKeyToPem(ca.key, options)],
  ['passphrase', 'parsePkcs12', 'x', {}, async (options) => parsePkcs12(fixture('no-key.p12'), options)],
  ['privateKey', 'parseIdentity', stranger.key, {}, async (options) => parseIdentity(ca.cert + ca.key, options)],
  ['passphrase', 'readPrivateKey', 'x', {}, async (options) => readPrivateKey(keyFile, options)],
  ['keyFile', 'readIdentity', keyFile, {}, async (options) => readIdentity(keyFile, options)],
  ['passphrase', 'writePrivateKey', 'x', { fs }, async (options) => writePrivateKey('key.pem', ca.key, options)],
  ['passphrase', 'writeCertificates', 'x', { fs }, async (options) => writeCertificates('ca.pem', ca, options)],
]

const nested: readonly Call[] = [
  [
    'privateKey',
    'createCertificate: issuer',
    stranger.key,
    { certificate: ca.raw },
    (one) => createCertificate({ issuer: one }),
  ],
  ['server', 'createCertificate: purpose', false, { client: true }, (purpose) => createCertificate({ purpose })],
  [
    'critical',
    'createCertificate: extensions',
    true,
    { name: 'nsComment', value: 'text' },
    (one) => createCertificate({ extensions: [one] }),
  ],
  [
    'excluded',
    'createCertificate: the value of an extension',
    [['DNS', 'example.org']],
    { permitted: [['DNS', 'example.com']] },
    (value) => createCertificate({ extensions: [{ name: 'nameConstraints', value }] }),
  ],
]

/** What a call ends with while an option stands in Object.prototype; it is taken away before anything else runs. */
async function outcome(run: () => unknown, polluting: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  let running: unknown
  try {
    Object.assign(Object.prototype, polluting)
    running = run()
  } catch (error) {
    return error
  } finally {
    for (const key of Object.keys(polluting)) delete (Object.prototype as Record<string, unknown>)[key]
  }
  return Promise.resolve(running).catch((error: unknown) => error)
}

function refusal(option: string): unknown {
  const message = expect.stringMatching(
    new RegExp(`\\b${option}\\b.* (is inherited|stands in Object.prototype)`),
  ) as string
  return expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
}

describe.each(calls)('an inherited option is refused: %s of %s', (option, _, value, own, run) => {
  it('from a polluted Object.prototype', async () => {
    expect(await outcome(() => run({ ...own } as never), { [option]: value })).toEqual(refusal(option))
  })

  it('from a polluted Object.prototype, which the options themselves do not have', async () => {
    const bare = Object.assign(Object.create(null) as object, own)
    expect(await outcome(() => run(bare as never), { [option]: value })).toEqual(refusal(option))
  })

  it('from a prototype of their own', async () => {
    const heir = Object.assign(Object.create({ [option]: value }) as object, own)
    expect(await outcome(() => run(heir as never))).toEqual(refusal(option))
  })

  it('and without it the call is not', async () => {
    expect(await outcome(() => run({ ...own } as never))).not.toBeInstanceOf(TypeError)
  })
})

describe.each(nested)('an inherited field is refused: %s of %s', (field, _, value, own, run) => {
  it('from a prototype of its own', async () => {
    const heir = Object.assign(Object.create({ [field]: value }) as object, own)
    expect(await outcome(() => run(heir as never))).toEqual(refusal(field))
  })
})

describe.each([...calls, ...nested])('a member of a class is refused: %s of %s', (option, _, value, own, run) => {
  class Getting {
    get [option](): unknown {
      return value
    }
  }
  class Doing {
    [option](): unknown {
      return value
    }
  }
  class Heir extends Doing {}
  it.each([
    ['a getter', Getting],
    ['a method', Doing],
    ['a method of the class above', Heir],
  ])('%s', async (_kind, Options) => {
    expect(await outcome(() => run(Object.assign(new Options(), own) as never))).toEqual(refusal(option))
  })

  it('and without one the call is not, nor with options of another realm', async () => {
    class Own {
      [option] = undefined
    }
    for (const options of [new Own(), Object.create(null) as object, runInNewContext('({})') as object])
      expect(await outcome(() => run(Object.assign(options, own) as never))).not.toEqual(refusal(String.raw`\w+`))
  })
})
