import { describe, expect, it } from 'vitest'
import { createSecureContext, setClientDefaults, setOptionsFilter } from '../src/index.ts'
import { prepare } from '../src/options/prepare.ts'
import { mayComeAgain, resolve } from '../src/options/resolve.ts'
import { authority, scratch } from './support.ts'

const ca = authority.ca
const again = (first: object, second: object): boolean => resolve('connect', first) === resolve('connect', second)

describe('options that came before are read once', () => {
  const check = (): undefined => undefined
  const plain = { host: 'one.example', port: 443, ca, servername: 'one.example', lookup: check }

  it('where every value is the same', () => {
    expect(again(plain, { ...plain })).toBe(true)
    expect(mayComeAgain(resolve('connect', plain))).toBe(true)
    expect(prepare('client', resolve('connect', plain))).toBe(prepare('client', resolve('connect', { ...plain })))
  })

  it.each<[string, object]>([
    ['another value', { ...plain, port: 444 }],
    ['another type', { ...plain, port: '443' }],
    ['one more', { ...plain, minVersion: 'TLSv1.3' }],
    ['one less', { host: 'one.example', port: 443, ca, servername: 'one.example' }],
    ['another function', { ...plain, lookup: () => undefined }],
    ['checks switched off', { ...plain, rejectUnauthorized: false }],
  ])('and anew for %s', (_what, other) => {
    expect(again(plain, other)).toBe(false)
    expect(again(other, plain)).toBe(false)
  })

  it('and anew for what may have been changed in place', () => {
    const list = [ca]
    const verify = { name: 'one.example' }
    const options = { host: 'one.example', port: 443, ca: list, verify }
    const before = resolve('connect', options)
    verify.name = 'two.example'
    list.length = 0
    const after = resolve('connect', options)
    expect(before.policy.verify?.name).toBe('one.example')
    expect(after.policy.verify?.name).toBe('two.example')
    expect(after.context.ca).toEqual([])
  })

  it('and each value is asked for once: what a getter answers later is remembered of nobody', () => {
    const answers = ['first.example', 'second.example', 'third.example']
    const options = {
      port: 4433,
      get host() {
        return answers.shift()
      },
    }
    expect(resolve('connect', options).transport.host).toBe('first.example')
    expect(answers).toHaveLength(2)
    for (const host of ['first.example', 'second.example', 'third.example'])
      expect(resolve('connect', { port: 4433, host }).transport.host).toBe(host)
  })

  it('and refused as ever where a value is inherited, though it is the same', () => {
    resolve('connect', plain)
    const { port, ...rest } = plain
    const inherited: object = Object.assign(Object.create({ port }) as object, rest)
    expect(() => resolve('connect', inherited)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })

  it('and refused as ever where Object.prototype is polluted, though it is the same', () => {
    const few = { host: 'one.example', ca }
    resolve('connect', few)
    resolve('connect', { ...few, port: 443 })
    const polluted = Object.prototype as { port?: number }
    polluted.port = 443
    try {
      expect(() => resolve('connect', few)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    } finally {
      delete polluted.port
    }
  })

  it.each([
    ['connect', { checkServerIdentity: check }],
    ['connect', { verify: { scheme: 'none' } }],
    ['connect', { scheme: 'none' }],
    ['listen', { requestCert: false }],
  ] as const)(
    'and %s refuses those without a prototype, where Object.prototype is polluted: %j',
    (entry, pollution) => {
      const bare: object = Object.assign(Object.create(null) as object, { port: 443 })
      for (const withDefaults of [false, true]) {
        if (withDefaults) setClientDefaults({ minVersion: 'TLSv1.3' })
        Object.assign(Object.prototype, pollution)
        try {
          expect(() => resolve(entry, bare)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
        } finally {
          for (const key of Object.keys(pollution)) delete (Object.prototype as Record<string, unknown>)[key]
          setClientDefaults({ minVersion: undefined })
        }
      }
      expect(() => resolve(entry, bare)).not.toThrow()
    },
  )

  it('and refused as ever where they are wrong, each time', () => {
    for (let i = 0; i < 3; i++)
      expect(() => resolve('connect', { ...plain, nonsense: 1 })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
  })

  it('and by another function as another one reads them', () => {
    const options = { host: 'one.example', minVersion: 'TLSv1.3' }
    expect(resolve('connect', options)).not.toBe(resolve('startTls', options))
  })

  it('and not while defaults or a filter are set', () => {
    const before = resolve('connect', plain)
    setClientDefaults({ minVersion: 'TLSv1.3' })
    try {
      expect(resolve('connect', plain).context.minVersion).toBe('TLSv1.3')
    } finally {
      setClientDefaults({ minVersion: undefined })
    }
    setOptionsFilter((_role, options) => ({ ...options, servername: 'filtered.example' }))
    try {
      expect(resolve('connect', plain).handshake.servername).toBe('filtered.example')
    } finally {
      setOptionsFilter(undefined)
    }
    expect(resolve('connect', plain).handshake).toEqual(before.handshake)
  })

  it('and what they mean is made anew where a file, or the store of the process, may have changed', () => {
    const { file } = scratch()
    const caFile = file(ca)
    for (const options of [
      { host: 'one.example', port: 443, caFile },
      { host: 'one.example', port: 443 },
    ]) {
      const [first, second] = [resolve('connect', options), resolve('connect', options)]
      expect(first).toBe(second)
      expect(prepare('client', first)).not.toBe(prepare('client', second))
    }
  })

  it('and a context stands for itself', async () => {
    const [one, two] = await Promise.all([createSecureContext({ ca }), createSecureContext({ ca: [] })])
    expect(again({ host: 'a', port: 1, secureContext: one }, { host: 'a', port: 1, secureContext: one })).toBe(true)
    expect(again({ host: 'a', port: 1, secureContext: one }, { host: 'a', port: 1, secureContext: two })).toBe(false)
  })

  it('of which a bounded number is kept', () => {
    const first = resolve('connect', plain)
    for (let port = 1; port <= 100; port++) resolve('connect', { ...plain, port })
    expect(mayComeAgain(first)).toBe(false)
    expect(resolve('connect', plain)).not.toBe(first)
  })
})
