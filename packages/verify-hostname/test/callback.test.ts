import { describe, expect, it } from 'vitest'
import {
  createCheckServerIdentity,
  matchHostname,
  type PresentedName,
  type SchemeCallback,
  verifyHostname,
} from '../src/index.ts'
import { certificate } from './certificate.ts'

const der = certificate(['www.example.org', 'ip:10.1.2.3', 'email:a@example.org'], 'löwe')

describe('a callback', () => {
  it('gets the host without trailing dots, the common name and every alternative name', () => {
    const calls: [string, string | undefined, [string, string, string][]][] = []
    const scheme: SchemeCallback = (hostname, commonName, altNames) => {
      calls.push([
        hostname,
        commonName,
        altNames.map((name: PresentedName) => [name.type, name.value, Buffer.from(name.raw).toString('latin1')]),
      ])
      return true
    }
    expect(verifyHostname(der, 'anything at all..', { scheme })).toEqual({
      host: 'anything at all',
      scheme: 'callback',
      type: 'callback',
      entry: undefined,
      wildcard: false,
    })
    expect(verifyHostname(certificate(undefined), '', { scheme }).scheme).toBe('callback')
    expect(calls).toEqual([
      [
        'anything at all',
        'löwe',
        [
          ['dns', 'www.example.org', 'www.example.org'],
          ['ip', '10.1.2.3', '\x0a\x01\x02\x03'],
          ['email', 'a@example.org', 'a@example.org'],
        ],
      ],
      ['', undefined, []],
    ])
  })

  it.each([[1], ['true'], [{}], [undefined], [null], [false], [[]], [Symbol('yes')]])(
    'does not accept by %o',
    (answer) => {
      const scheme = (() => answer) as unknown as SchemeCallback
      expect(matchHostname(der, 'www.example.org', { scheme })).toBeUndefined()
      expect(() => verifyHostname(der, 'www.example.org', { scheme })).toThrow(
        expect.objectContaining({
          code: 'ERR_HOSTNAME_CALLBACK_REFUSED',
          scheme: 'callback',
          reasons: [],
          presented: expect.arrayContaining([{ type: 'dns', value: 'www.example.org' }]) as unknown,
        }),
      )
    },
  )

  it('refuses by a throw, which becomes the cause', () => {
    const scheme = (): boolean => {
      throw new RangeError('mine')
    }
    expect(matchHostname(der, 'www.example.org', { scheme })).toBeUndefined()
    expect(() => verifyHostname(der, 'www.example.org', { scheme })).toThrow(
      expect.objectContaining({
        code: 'ERR_HOSTNAME_CALLBACK_REFUSED',
        cause: expect.objectContaining({ message: 'mine' }) as Error,
      }),
    )
    expect(createCheckServerIdentity({ scheme })('www.example.org', { raw: der })).toMatchObject({
      code: 'ERR_HOSTNAME_CALLBACK_REFUSED',
    })
  })

  it.each([
    ['fulfilled', () => Promise.resolve(true)],
    ['rejected', () => Promise.reject(new RangeError('mine'))],
  ])('with a %s Promise is a TypeError, and nothing stays unhandled', (_, scheme) => {
    const options = { scheme: scheme as unknown as SchemeCallback }
    expect(() => matchHostname(der, 'www.example.org', options)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }),
    )
    expect(createCheckServerIdentity(options)('www.example.org', { raw: der })).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })

  it('is not asked about a certificate that cannot be decoded', () => {
    const scheme = (): boolean => true
    expect(matchHostname(der.subarray(1), 'www.example.org', { scheme })).toBeUndefined()
  })
})
