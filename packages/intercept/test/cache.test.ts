import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { type Clone, Interceptor } from '../src/index.ts'
import { identityOf, NOW, origin, proxyCa } from './samples.ts'

describe('the cache', () => {
  it('gives the same clone for the same certificate, by its digest or by the ident', () => {
    const interceptor = new Interceptor(proxyCa)
    const { certificate, raw } = origin()
    const clone = interceptor.clone(certificate)
    expect(interceptor.clone(raw)).toBe(clone)
    expect(interceptor.clone(certificate.toString())).toBe(clone)
    const named = interceptor.clone(certificate, 'www.example.org:443')
    expect(named).not.toBe(clone)
    expect(interceptor.clone(certificate, { ident: 'www.example.org:443' })).toBe(named)
  })

  it('never gives the clone of another certificate, though the ident be the same', () => {
    const interceptor = new Interceptor({ ...proxyCa, now: () => NOW })
    const before = origin()
    const expired = origin({ notAfter: NOW - 1000 })
    const first = interceptor.clone(before.certificate, 'host')
    const second = interceptor.clone(expired.certificate, 'host')
    expect(second).not.toBe(first)
    expect(new Date(second.certificate.validTo).getTime()).toBe(NOW - 1000)
    expect(interceptor.clone(before.certificate, 'host')).not.toBe(second)
  })

  it('holds as many clones as it is told; the least recently used goes first', () => {
    const interceptor = new Interceptor({ ...proxyCa, cacheSize: 2 })
    const [a, b, c] = [origin().certificate, origin().certificate, origin().certificate]
    const clones = [interceptor.clone(a), interceptor.clone(b)]
    expect(interceptor.clone(a)).toBe(clones[0])
    interceptor.clone(c)
    expect(interceptor.clone(a)).toBe(clones[0])
    expect(interceptor.clone(b)).not.toBe(clones[1])
  })

  it('can be a Map', () => {
    const cache = new Map<string, Clone>()
    const interceptor = new Interceptor({ ...proxyCa, cache })
    const { certificate } = origin()
    const clone = interceptor.clone(certificate, 'host')
    expect([...cache]).toEqual([['host', clone]])
    expect(interceptor.clone(certificate, 'host')).toBe(clone)
  })

  it('can be a function', () => {
    const kept = new Map<string, Clone>()
    let created = 0
    const cache = (ident: string, create: () => Clone): Clone => {
      const clone = kept.get(ident) ?? create()
      if (!kept.has(ident)) created++
      kept.set(ident, clone)
      return clone
    }
    const interceptor = new Interceptor({ ...proxyCa, cache })
    const { certificate } = origin()
    expect(interceptor.clone(certificate, 'host')).toBe(interceptor.clone(certificate, 'host'))
    expect(created).toBe(1)
    const other = origin().certificate
    expect(interceptor.clone(other, 'host').certificate.checkIssued(proxyCa.certificate)).toBe(true)
    expect(interceptor.clone(other, 'host').origin).not.toBe(kept.get('host')?.origin)
  })

  it('that two interceptors share does not mix their clones', () => {
    const cache = new Map<string, Clone>()
    const otherCa = identityOf(createAuthority('Another CA'))
    const { certificate } = origin()
    const interceptors = [
      new Interceptor({ ...proxyCa, cache }),
      new Interceptor({ ...otherCa, cache }),
      new Interceptor({ ...proxyCa, cache, mirrorInvalidity: false }),
      new Interceptor({ ...proxyCa, cache, maxValidityDays: 5 }),
    ]
    const clones = interceptors.map((interceptor) => interceptor.clone(certificate, 'host'))
    expect(new Set(clones).size).toBe(4)
    expect(clones[1]?.certificate.checkIssued(otherCa.certificate)).toBe(true)
    expect(interceptors[0]?.clone(certificate, 'host').certificate.checkIssued(proxyCa.certificate)).toBe(true)
  })

  it.each([
    ['null', null],
    ['text', 'clone'],
    ['a Promise', Promise.resolve()],
    ['an object without a key', { raw: new Uint8Array(), origin: '', renewAt: 0 }],
    [
      'the public key alone',
      { raw: new Uint8Array(), origin: '', renewAt: 0, privateKey: proxyCa.certificate.publicKey },
    ],
  ])('is refused when it returns %s', (_, value) => {
    const { certificate } = origin()
    const store = new Interceptor({ ...proxyCa, cache: { get: () => value as never, set: () => undefined } })
    expect(() => store.clone(certificate)).toThrow(expect.objectContaining({ code: 'ERR_INTERCEPT_CACHE_INVALID' }))
    const called = new Interceptor({ ...proxyCa, cache: () => value as never })
    expect(() => called.clone(certificate)).toThrow(expect.objectContaining({ code: 'ERR_INTERCEPT_CACHE_INVALID' }))
  })

  it('that is a function must return something', () => {
    const silent = new Interceptor({ ...proxyCa, cache: () => undefined as never })
    expect(() => silent.clone(origin().certificate)).toThrow(
      expect.objectContaining({ code: 'ERR_INTERCEPT_CACHE_INVALID' }),
    )
  })

  it('stays flat over 10,000 clones', () => {
    const interceptor = new Interceptor({ ...proxyCa, cacheSize: 100 })
    const raws = Array.from({ length: 40 }, () => origin().raw)
    const cloneAll = (runs: number): void => {
      for (let run = 0; run < runs; run++)
        for (const [i, raw] of raws.entries()) interceptor.clone({ raw }, `${run}.${i}`)
    }
    cloneAll(10)
    const before = heapInUse()
    cloneAll(250)
    expect(heapInUse() - before).toBeLessThan(6_000_000)
  })
})

function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
