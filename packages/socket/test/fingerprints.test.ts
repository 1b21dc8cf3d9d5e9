import { createAuthority, fingerprint, type FingerprintOptions } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, type VerifyOptions } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const DAY = 86_400_000
const stranger = createAuthority('stranger')
const expired = authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY })
const renewed = authority.issue({ names: 'localhost', privateKey: identity.privateKey })
const pin = (options: FingerprintOptions & { encoding?: 'text' } = {}): string =>
  fingerprint(identity.certificate, options)
const wrong = `sha256$${'00'.repeat(32)}`
const hex = (text: string): string => text.slice(text.lastIndexOf('$') + 1)

async function judged(
  verify: VerifyOptions,
  options: ConnectOptions = {},
  served: { cert: string; key: string } = identity,
): Promise<string> {
  await using server = await tlsServer({ cert: served.cert, key: served.key })
  try {
    const socket = await connect({ host: 'localhost', port: server.port, ca: authority.ca, verify, ...options })
    socket.destroy()
    const { fingerprint: outcome } = socket.verification?.outcomes ?? expect.unreachable()
    return outcome.result === 'passed' ? outcome.evidence.matched : outcome.result
  } catch (error) {
    expect(server.received()).toBe('')
    return (error as { code: string }).code
  }
}

describe('a pin that matches', () => {
  const unknown = { ca: stranger.ca }

  it.each<[string, string]>([
    ['the certificate', pin()],
    ['the certificate by SHA-384', pin({ algorithm: 'sha384' })],
    ['the certificate by SHA-512', pin({ algorithm: 'sha512' })],
    ['the certificate by SHA-1, which is named', pin({ algorithm: 'sha1' })],
    ['the public key', pin({ of: 'public-key' })],
    ['the SubjectPublicKeyInfo', pin({ of: 'spki' })],
    ['an algorithm told by its length', hex(pin())],
    ['a public key, its algorithm told by its length', `pub$${hex(pin({ of: 'public-key' }))}`],
    [
      'capitals and colons',
      hex(pin())
        .toUpperCase()
        .replace(/..(?!$)/g, '$&:'),
    ],
  ])('%s, accepts what no CA vouches for', async (_what, text) => {
    expect(await judged({ fingerprints: text }, unknown)).toBe(text)
  })

  it('accepts another name and a certificate that has expired, and says what it waived', async () => {
    expect(await judged({ fingerprints: pin(), name: 'other.example.org' })).toBe(pin())
    expect(await judged({ fingerprints: fingerprint(expired.certificate) }, {}, expired)).toMatch(/^sha256/)
    await using server = await tlsServer()
    const socket = await connect({
      host: 'localhost',
      port: server.port,
      ...unknown,
      verify: { fingerprints: [wrong, pin()] },
    })
    expect(socket.authorized).toBe(true)
    expect(socket.verification?.outcomes.chain).toMatchObject({
      result: 'waived',
      waiver: { by: 'fingerprint' },
      failures: [{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }, {}],
    })
    socket.destroy()
  })

  it('is enough where pins are demanded', async () => {
    expect(await judged({ fingerprints: [wrong, pin()], forceFingerprints: true })).toBe(pin())
    expect(await judged({ fingerprints: pin(), forceFingerprints: true }, unknown)).toBe(pin())
  })

  it('of the key outlives the certificate', async () => {
    expect(await judged({ fingerprints: pin({ of: 'public-key' }) }, unknown, renewed)).toMatch(/pub/)
    expect(await judged({ fingerprints: pin() }, unknown, renewed)).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  })
})

describe('a pin that does not match', () => {
  it('adds nothing and takes nothing away', async () => {
    expect(await judged({ fingerprints: wrong })).toBe('waived')
    expect(await judged({ fingerprints: wrong }, { ca: stranger.ca })).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
    expect(await judged({ fingerprints: [] })).toBe('waived')
  })

  it.each<[string, VerifyOptions]>([
    [
      'none of them',
      { fingerprints: [wrong, pin({ algorithm: 'sha512' }).replace(/.$/, (last) => (last === '0' ? '1' : '0'))] },
    ],
    ['an empty list', { fingerprints: [] }],
    ['no list', {}],
    ['that of the CA', { fingerprints: fingerprint(authority.certificate) }],
    ['a certificate’s digest as that of a key', { fingerprints: `pub$${hex(pin())}` }],
    ['a key’s digest as that of a certificate', { fingerprints: hex(pin({ of: 'public-key' })) }],
  ])('refuses a valid certificate where pins are demanded: %s', async (_what, verify) => {
    expect(await judged({ ...verify, forceFingerprints: true })).toBe('ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH')
  })

  it('is not helped by the pinned certificate further up', async () => {
    const thief = stranger.issue('localhost')
    const served = { cert: thief.certificate.toString() + identity.certificate.toString(), key: thief.key }
    expect(await judged({ fingerprints: pin() }, {}, served)).toMatch(/^UNABLE_TO|SELF/)
    expect(await judged({ fingerprints: pin(), forceFingerprints: true }, {}, served)).toBe(
      'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    )
  })
})

it.each<[string, unknown]>([
  ['md5', 'md5$d41d8cd98f00b204e9800998ecf8427e'],
  ['md5 by its length', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['SHA-1 by its length', hex(pin({ algorithm: 'sha1' }))],
  ['SHA-1 of a key by its length', `pub$${hex(pin({ algorithm: 'sha1', of: 'public-key' }))}`],
  ['a digest cut short', pin().slice(0, -2)],
  ['another length than the algorithm has', `sha512$${hex(pin())}`],
  ['nothing', ''],
  ['no hexadecimal', 'sha256$zz'],
  ['an algorithm alone', 'sha256$'],
  ['a broken one beside a good one', [pin(), 'x']],
  ['a number', 1],
  ['null in a list', [null]],
])('%s is no pin', async (_what, fingerprints) => {
  const error = await rejection(
    connect({ host: 'localhost', port: 1, verify: { fingerprints: fingerprints as string } }),
  )
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toContain('verify.fingerprints')
})
