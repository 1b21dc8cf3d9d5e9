import { createAuthority, fingerprint, type IssuedIdentity } from '@x/utils'
import { describe, expect, it, vi } from 'vitest'
import type { PeerClaim } from '../src/engine/engine.ts'
import { policyFor } from '../src/options/policy.ts'
import { resolve } from '../src/options/resolve.ts'
import { verifyPeer } from '../src/verify/checks.ts'
import { loadAnchors } from '../src/options/ca.ts'
import type { TrustPolicy } from '../src/verify/policy.ts'
import type { Verification } from '../src/verify/verification.ts'
import { authority, identity } from './support.ts'

const DAY = 86_400_000

function claim(of: IssuedIdentity, more: Partial<PeerClaim> = {}): PeerClaim {
  return {
    chain: [of.raw],
    source: 'handshake',
    opensslError: undefined,
    opensslReason: undefined,
    staple: undefined,
    pskUsed: false,
    leaf: of.certificate,
    ...more,
  }
}

function policy(options: object = {}): TrustPolicy {
  const resolved = resolve('connect', { host: 'localhost', port: 1, ca: authority.ca, ...options })
  return policyFor('client', resolved, loadAnchors(resolved.context, true).store)
}

const quiet = new AbortController().signal

/** 'accepted', or the code of the refusal. */
async function judged(what: PeerClaim, by: TrustPolicy, signal: AbortSignal = quiet): Promise<string> {
  try {
    const verification: Verification = await verifyPeer(what, by, { closing: signal })
    return verification.authorized ? 'accepted' : 'let pass'
  } catch (error) {
    expect(error).toHaveProperty('check')
    return (error as { code: string }).code
  }
}

const pins = { fingerprints: fingerprint(identity.certificate) }

describe('verifyPeer', () => {
  it('accepts what OpenSSL accepts and the policy allows', async () => {
    expect(await judged(claim(identity), policy())).toBe('accepted')
  })

  describe.each([
    ['without a pin', {}],
    ['whatever is pinned', { verify: pins }],
  ])('a clock that tells no time refuses, %s', (_what, options) => {
    it.each<[string, () => unknown]>([
      ['NaN', () => Number.NaN],
      ['infinity', () => Number.POSITIVE_INFINITY],
      ['undefined', () => undefined],
      ['a Date', () => new Date()],
      ['a text', () => String(Date.now())],
      ['a Promise', () => Promise.resolve(Date.now())],
    ])('%s', async (_answer, now) => {
      expect(await judged(claim(identity), policy({ ...options, now }))).toBe('ERR_INVALID_ARG_VALUE')
      const callback = (): boolean => true
      expect(await judged(claim(identity), policy({ now, verify: { ...pins, callback } }))).toBe(
        'ERR_INVALID_ARG_VALUE',
      )
    })
    it('a throw', async () => {
      const now = (): never => {
        throw Object.assign(new Error('no clock'), { code: 'NO_CLOCK' })
      }
      expect(await judged(claim(identity), policy({ ...options, now }))).toBe('NO_CLOCK')
    })
  })

  it('a clock of the program’s own only makes checks stricter', async () => {
    expect(await judged(claim(identity), policy({ now: () => Date.now() + 999 * DAY }))).toBe('CERT_HAS_EXPIRED')
    expect(await judged(claim(identity), policy({ now: () => Date.now() - 999 * DAY }))).toBe('CERT_NOT_YET_VALID')
    const expired = authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY })
    const then = policy({ now: () => Date.now() - 5 * DAY })
    expect(await judged(claim(expired, { opensslError: 'CERT_HAS_EXPIRED' }), then)).toBe('CERT_HAS_EXPIRED')
    const hidden = policy({ now: () => Date.now() - 5 * DAY, verify: { callback: () => true } })
    expect(await judged(claim(expired, { opensslError: 'CERT_HAS_EXPIRED' }), hidden)).toBe('CERT_HAS_EXPIRED')
  })

  it('a resumed peer is held against the clock, but for certificates that are on no path', async () => {
    const expired = authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY })
    expect(await judged(claim(expired, { source: 'session' }), policy())).toBe('CERT_HAS_EXPIRED')
    const early = authority.issue({ names: 'localhost', notBefore: Date.now() + DAY })
    expect(await judged(claim(early, { source: 'session' }), policy())).toBe('CERT_NOT_YET_VALID')
    const chain = [identity.raw, expired.raw]
    expect(await judged(claim(identity, { source: 'session', chain }), policy())).toBe('accepted')
  })

  it('what OpenSSL holds against the peer and the walk does not find refuses, whatever the callback says', async () => {
    const callback = vi.fn(() => true)
    for (const opensslError of ['CERT_REVOKED', 'UNSPECIFIED', 'CERT_HAS_EXPIRED', 'SOMETHING_NEW'])
      expect(await judged(claim(identity, { opensslError }), policy({ verify: { callback } }))).toBe(opensslError)
    expect(callback).not.toHaveBeenCalled()
  })

  it('no certificate refuses, pinned, called back or not', async () => {
    const nobody = claim(identity, { chain: [], leaf: undefined })
    for (const verify of [{}, pins, { callback: () => true }, { scheme: 'none' }, { ...pins, forceFingerprints: true }])
      expect(await judged(nobody, policy({ verify }))).toMatch(
        /^ERR_SECURE_SOCKET_(NO_PEER_CERTIFICATE|FINGERPRINT_MISMATCH)$/,
      )
    expect(await judged(nobody, policy({ checkServerIdentity: () => undefined }))).toBe(
      'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE',
    )
  })

  it('a name that is not known refuses, and is never "localhost"', async () => {
    const nameless = (options: object): TrustPolicy => {
      const resolved = resolve('connect', { path: 'socket', ca: authority.ca, ...options })
      return policyFor('client', resolved, loadAnchors(resolved.context, true).store)
    }
    expect(await judged(claim(identity), nameless({}))).toBe('ERR_SECURE_SOCKET_NO_PEER_NAME')
    expect(await judged(claim(identity), nameless({ servername: '' }))).toBe('ERR_SECURE_SOCKET_NO_PEER_NAME')
    expect(await judged(claim(identity), nameless({ checkServerIdentity: () => undefined }))).toBe(
      'ERR_SECURE_SOCKET_NO_PEER_NAME',
    )
    expect(await judged(claim(identity), nameless({ verify: { name: 'localhost' } }))).toBe('accepted')
  })

  describe('a function that decides about names', () => {
    const no = Object.assign(new Error('no'), { code: 'NO' })
    it.each<[string, () => unknown, string]>([
      ['undefined', () => undefined, 'accepted'],
      ['an Error', () => no, 'NO'],
      ['true', () => true, 'ERR_SECURE_SOCKET_CHECK_FAILED'],
      ['null', () => null, 'ERR_SECURE_SOCKET_CHECK_FAILED'],
      ['a Promise', () => Promise.resolve(undefined), 'ERR_SECURE_SOCKET_CHECK_FAILED'],
      ['a Promise that fails', () => Promise.reject(no), 'ERR_SECURE_SOCKET_CHECK_FAILED'],
      [
        'a throw',
        () => {
          throw no
        },
        'NO',
      ],
    ])('answers %s', async (_what, check, verdict) => {
      expect(await judged(claim(identity), policy({ checkServerIdentity: check }))).toBe(verdict)
      expect(await judged(claim(identity), policy({ checkServerIdentity: check, verify: pins }))).toBe(verdict)
    })

    it.each<[string, () => unknown]>([
      ['false', () => false],
      ['1', () => 1],
      ['a Promise', () => Promise.resolve(true)],
    ])('as a scheme answers %s', async (_what, scheme) => {
      expect(await judged(claim(identity), policy({ verify: { scheme: () => true } }))).toBe('accepted')
      for (const verify of [{ scheme }, { scheme, ...pins }])
        expect(await judged(claim(identity), policy({ verify }))).toMatch(/^ERR_/)
    })
  })

  it('an abort before the callback is asked is a refusal', async () => {
    const callback = (): boolean => true
    expect(await judged(claim(identity), policy({ verify: { callback } }), AbortSignal.abort())).toBe(
      'ERR_SECURE_SOCKET_CALLBACK_FAILED',
    )
  })

  it('the callback’s list of certificates is not the one that the checks go by', async () => {
    const stranger = createAuthority('stranger').issue('localhost')
    const seen: number[] = []
    const callback = ({
      chain,
      certificate,
      depth,
    }: {
      chain: readonly unknown[]
      certificate: { raw: Buffer }
      depth: number
    }): boolean => {
      seen.push(depth)
      expect(Object.isFrozen(chain)).toBe(true)
      return depth > 0 || certificate.raw.equals(identity.raw)
    }
    expect(await judged(claim(identity), policy({ verify: { callback } }))).toBe('accepted')
    expect(seen).toEqual([1, 0])
    expect(
      await judged(
        claim(stranger, { opensslError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }),
        policy({ verify: { callback } }),
      ),
    ).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  })

  it('where nobody is trusted, nobody is, whatever OpenSSL may have found', async () => {
    for (const verify of [{}, { callback: ({ ok }: { ok: boolean }) => ok }]) {
      const nobody = policyFor('client', resolve('connect', { host: 'localhost', port: 1, ca: [], verify }), undefined)
      expect(await judged(claim(identity, { source: 'session' }), { ...nobody, now: Date.now })).toMatch(/^UNABLE_TO_/)
    }
  })

  it('checks that are switched off say so', async () => {
    const off = policyFor('client', resolve('connect', { port: 1, rejectUnauthorized: false }), undefined)
    expect(await judged(claim(identity), off)).toBe('let pass')
  })

  it('has one verdict for all clients that are asked for nothing and show nothing, and one for each other', async () => {
    const none = policyFor('server', resolve('listen', { cert: 'x' }), undefined)
    const nobody = { ...claim(identity), chain: [], leaf: undefined }
    const judge = (what: PeerClaim, by: TrustPolicy) => verifyPeer(what, by, { closing: quiet })
    const first = await judge(nobody, none)
    expect([first.authorized, first.resumed, first.outcomes.chain.result]).toEqual([false, false, 'waived'])
    expect(await judge(nobody, none)).toBe(first)
    expect(await judge(nobody, { ...none })).not.toBe(first)
    const resumed = await judge({ ...nobody, source: 'session' }, none)
    expect([resumed.resumed, resumed === first]).toEqual([true, false])
    expect(await judge({ ...nobody, source: 'session' }, none)).toBe(resumed)
    expect(await judged({ ...nobody, pskUsed: true }, none)).toBe('accepted')
    const required = policyFor('server', resolve('listen', { requestCert: true, cert: 'x' }), undefined)
    expect(await judged(nobody, required)).toBe('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE')
    const pinned = { ...none, forceFingerprints: true }
    for (let i = 0; i < 2; i++) expect(await judged(nobody, pinned)).toBe('ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH')
  })

  it('a client without a certificate where none is required is let pass, and is nobody', async () => {
    const optional = policyFor('server', resolve('listen', { requestCert: 'optional', cert: 'x' }), undefined)
    expect(await judged(claim(identity, { chain: [], leaf: undefined }), optional)).toBe('let pass')
    const required = policyFor('server', resolve('listen', { requestCert: true, cert: 'x' }), undefined)
    expect(await judged(claim(identity, { chain: [], leaf: undefined }), required)).toBe(
      'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE',
    )
  })
})
