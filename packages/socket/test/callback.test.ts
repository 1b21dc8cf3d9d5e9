import { createAuthority, fingerprint } from '@x/utils'
import { describe, expect, it, vi } from 'vitest'
import { connect, type ConnectOptions, type VerifyAnswer, type VerifyQuestion } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const DAY = 86_400_000
const ca = authority.ca
const expired = authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY })
const stranger = createAuthority('stranger')

async function judged(served: { cert: string; key: string }, options: ConnectOptions): Promise<string> {
  await using server = await tlsServer({ cert: served.cert, key: served.key })
  try {
    const socket = await connect({ host: 'localhost', port: server.port, ca, ...options })
    socket.destroy()
    return 'accepted'
  } catch (error) {
    expect(server.received()).toBe('')
    return (error as { code: string }).code
  }
}

describe('verify.callback', () => {
  it('is asked for each certificate from the root down to the leaf', async () => {
    const intermediate = authority.issue({ ca: true })
    const leaf = intermediate.issue('localhost')
    const asked: VerifyQuestion[] = []
    const answer = await judged(leaf, { verify: { callback: (question) => asked.push(question) > 0 } })
    expect(answer).toBe('accepted')
    expect(asked.map(({ depth, ok, errors }) => [depth, ok, errors])).toEqual([
      [2, true, []],
      [1, true, []],
      [0, true, []],
    ])
    expect(asked[0]?.certificate.raw).toEqual(authority.certificate.raw)
    expect(asked[2]?.chain).toHaveLength(3)
  })

  it('may accept single errors, and only those', async () => {
    expect(await judged(expired, { verify: { callback: ({ ok }) => ok || { accept: ['CERT_HAS_EXPIRED'] } } })).toBe(
      'accepted',
    )
    expect(await judged(expired, { verify: { callback: ({ ok }) => ok || { accept: ['CERT_NOT_YET_VALID'] } } })).toBe(
      'CERT_HAS_EXPIRED',
    )
    expect(
      await judged(expired, {
        ca: stranger.ca,
        verify: { callback: ({ ok }) => ok || { accept: ['CERT_HAS_EXPIRED'] } },
      }),
    ).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  })

  it('tells an expired certificate of an unknown CA as both', async () => {
    const errors = new Set<string>()
    await judged(expired, {
      ca: stranger.ca,
      verify: {
        callback: (question) => {
          for (const code of question.errors) errors.add(code)
          return true
        },
      },
    })
    expect([...errors]).toEqual(expect.arrayContaining(['CERT_HAS_EXPIRED', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']))
  })

  it('records what it waived', async () => {
    await using server = await tlsServer({ cert: expired.cert, key: expired.key })
    const socket = await connect({ host: 'localhost', port: server.port, ca, verify: { callback: () => true } })
    expect(socket.verification?.outcomes.chain).toMatchObject({
      result: 'waived',
      waiver: { by: 'callback' },
      failures: [{ code: 'CERT_HAS_EXPIRED', depth: 0 }],
    })
    socket.destroy()
  })

  it.each([
    ['false', () => false],
    ['undefined', () => undefined],
    ['1', () => 1],
    ['a truthy string', () => 'yes'],
    ['an object of another form', () => ({ accepted: true })],
    ['a promise of false', () => Promise.resolve(false)],
  ])('refuses a good certificate when it answers %s', async (_what, callback) => {
    expect(await judged(identity, { verify: { callback: callback as () => VerifyAnswer } })).toBe(
      'ERR_SECURE_SOCKET_CALLBACK_REFUSED',
    )
  })

  it('refuses when it throws, rejects, or is late', async () => {
    const thrown = new Error('broken')
    const throwing = (): never => {
      throw thrown
    }
    expect(await judged(identity, { verify: { callback: throwing } })).toBe('ERR_SECURE_SOCKET_CALLBACK_FAILED')
    expect(await judged(identity, { verify: { callback: () => Promise.reject(thrown) } })).toBe(
      'ERR_SECURE_SOCKET_CALLBACK_FAILED',
    )
    expect(
      await judged(identity, { verify: { callback: () => new Promise(() => undefined), callbackTimeout: 10 } }),
    ).toBe('ERR_SECURE_SOCKET_CHECK_TIMEOUT')
  })

  it('refuses when the connection is given up while it thinks', async () => {
    await using server = await tlsServer()
    const abort = new AbortController()
    const callback = vi.fn(() => {
      abort.abort()
      return new Promise<boolean>((resolve) => setImmediate(resolve, true))
    })
    expect(
      await rejection(
        connect({ host: 'localhost', port: server.port, ca, signal: abort.signal, verify: { callback } }),
      ),
    ).toMatchObject({ code: 'ABORT_ERR' })
    expect(server.received()).toBe('')
  })

  it('is not overridden by a pin, and cannot override the name', async () => {
    const fingerprints = fingerprint(identity.certificate)
    expect(await judged(identity, { verify: { fingerprints, callback: () => false } })).toBe(
      'ERR_SECURE_SOCKET_CALLBACK_REFUSED',
    )
    expect(await judged(identity, { verify: { name: 'other.example.org', callback: () => true } })).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })
})
