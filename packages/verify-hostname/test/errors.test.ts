import { describe, expect, it } from 'vitest'
import {
  createCheckServerIdentity,
  HostnameVerificationError,
  verifyHostname,
  type VerifyHostnameOptions,
} from '../src/index.ts'
import { certificate } from './certificate.ts'

function refusal(der: Uint8Array, host: string, options?: VerifyHostnameOptions): HostnameVerificationError {
  try {
    verifyHostname(der, host, options)
  } catch (error) {
    if (error instanceof HostnameVerificationError) return error
  }
  throw new TypeError('expected a HostnameVerificationError')
}

describe('a mismatch', () => {
  it('tells every name presented and why each did not match', () => {
    const der = certificate(
      [
        '*.co.uk',
        'l*.co.uk',
        '*',
        '*.*.co.uk',
        'www.*.co.uk',
        'a.example.org',
        'ip:10.1.2.3',
        'email:a@example.org',
        'a\0.co.uk',
      ],
      'löwe.co.uk',
    )
    const error = refusal(der, 'LÖWE.co.uk', { scheme: 'http' })
    expect(error).toMatchObject({
      name: 'HostnameVerificationError',
      code: 'ERR_HOSTNAME_MISMATCH',
      host: 'LÖWE.co.uk',
      scheme: 'http',
      cert: der,
      reasons: [
        { type: 'dns', value: '*.co.uk', reason: 'wildcard spans the registrable domain' },
        { type: 'dns', value: 'l*.co.uk', reason: 'partial wildcard against an A-label' },
        { type: 'dns', value: '*', reason: 'wildcard without a domain' },
        { type: 'dns', value: '*.*.co.uk', reason: 'more than one wildcard' },
        { type: 'dns', value: 'www.*.co.uk', reason: 'wildcard outside the leftmost label' },
        { type: 'dns', value: 'a.example.org', reason: 'different name' },
        { type: 'ip', value: '10.1.2.3', reason: 'a host name is never matched by an IP address' },
        { type: 'email', value: 'a@example.org', reason: 'kind of name that is not compared' },
        { type: 'dns', value: 'a\0.co.uk', reason: 'control character in the name' },
        { type: 'common-name', value: 'löwe.co.uk', reason: 'common name ruled out by the alternative names' },
      ],
    })
    expect(error.presented).toEqual(error.reasons.map(({ type, value }) => ({ type, value })))
  })

  it('of an IP address does so too', () => {
    const error = refusal(certificate(['10.1.2.3', 'ip:10.1.2.4', 'ip:2001:db8::1'], '10.1.2.3'), '10.1.2.3', {
      scheme: 'ftp',
    })
    expect(error.reasons).toEqual([
      { type: 'dns', value: '10.1.2.3', reason: 'an IP address is never matched by a DNS name' },
      { type: 'ip', value: '10.1.2.4', reason: 'different address' },
      { type: 'ip', value: '2001:db8:0:0:0:0:0:1', reason: 'different address' },
      { type: 'common-name', value: '10.1.2.3', reason: 'IP address in the common name not allowed by the scheme' },
    ])
  })

  it.each([
    ['sip', 'wildcard not allowed by the scheme'],
    ['ldap', 'partial wildcard not allowed by the scheme'],
  ] as const)('by %s: %s', (scheme, reason) => {
    expect(refusal(certificate(['w*.example.org']), 'www.example.org', { scheme }).reasons[0]?.reason).toBe(reason)
  })

  it('by rfc9525 names the trailing dot and the common name', () => {
    const error = refusal(certificate(['www.example.org.'], 'www.example.org'), 'www.example.org', {
      scheme: 'rfc9525',
    })
    expect(error.reasons.map(({ reason }) => reason)).toEqual([
      'trailing dot not allowed by the scheme',
      'common name not used by the scheme',
    ])
  })

  it('has a message of printable ASCII with at most five names', () => {
    const { message, reason } = refusal(
      certificate(Array.from({ length: 8 }, (_, i) => `\u001b[31m${i}.example.org\n`)),
      'www.example.org',
    )
    expect(message).toBe(reason)
    expect(message).toMatch(/^[\x20-\x7e]*$/)
    expect(message).toContain("'\\u001b[31m0.example.org\\u000a' (control character in the name)")
    expect(message).toContain('and 3 more')
  })

  it('of a certificate without names says so', () => {
    expect(refusal(certificate(undefined), 'www.example.org').message).toContain('it presents no name')
  })

  it("has Node's own error as its cause", () => {
    const der = certificate(['a.example.org'])
    expect(refusal(der, 'b.example.org').cause).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      host: 'b.example.org',
      reason: expect.stringContaining("'b.example.org'") as string,
      cert: der,
    })
  })
})

describe('createCheckServerIdentity', () => {
  const check = createCheckServerIdentity({ scheme: 'http' })

  it('returns undefined for the right name', () => {
    expect(check('a.example.org', { raw: certificate(['a.example.org']) })).toBeUndefined()
  })

  it("returns a mismatch under Node's code, with Node's fields and ours", () => {
    const peer = { raw: certificate(['a.example.org']) }
    const error = check('b.example.org', peer)
    expect(error).toBeInstanceOf(HostnameVerificationError)
    expect(error).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      host: 'b.example.org',
      cert: peer,
      scheme: 'http',
      reasons: [{ value: 'a.example.org', reason: 'different name' }],
      cause: { code: 'ERR_HOSTNAME_MISMATCH' },
    })
    expect(check('b..example.org', peer)).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      cause: { code: 'ERR_HOSTNAME_INVALID_HOST' },
    })
  })

  it.each([[undefined], [null], [{}]])('says of %j that there is no certificate', (peer) => {
    expect(check('a.example.org', peer as never)).toMatchObject({
      code: 'ERR_HOSTNAME_NO_CERTIFICATE',
      host: 'a.example.org',
      scheme: 'http',
    })
  })

  it('returns misuse, since Node would not catch it', () => {
    expect(check('a.example.org', { subjectaltname: 'DNS:a.example.org' } as never)).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
    expect(check(undefined as never, { raw: certificate([]) })).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    const thrower = {
      isBelowRegistrableDomain: () => {
        throw 'x'
      },
    } as never
    expect(
      createCheckServerIdentity({ publicSuffix: thrower })('a.b.c', { raw: certificate(['*.b.c']) }),
    ).toMatchObject({ code: 'ERR_HOSTNAME_SUFFIX_LIST', cause: 'x' })
  })

  it('throws for wrong options at once', () => {
    expect(() => createCheckServerIdentity({ scheme: 'https' as 'http' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    expect(() => createCheckServerIdentity({ schema: 'http' } as object)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  })
})
