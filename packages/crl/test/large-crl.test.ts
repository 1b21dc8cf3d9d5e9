import { describe, expect, it } from 'vitest'
import { createCrl, isRevoked, parseCrl, type RevokedOptions } from '../src/index.ts'
import { authority, DAY, leaf, NOW } from './authorities.ts'

const COUNT = 100_000

describe('a list of 100,000', () => {
  const ca = authority('Large CA')
  const serialOf = (i: number): Uint8Array => {
    const serial = new Uint8Array(16).fill(0x5a)
    new DataView(serial.buffer).setUint32(8, Math.imul(i, 0x9e3779b1))
    return serial
  }
  function* revoked(): Generator<RevokedOptions> {
    for (let i = 0; i < COUNT; i++)
      yield { serial: serialOf(i), date: NOW - DAY, ...(i % 3 === 0 ? { reason: 'superseded' } : {}) }
  }
  const { raw: certificate, privateKey } = ca
  const { der } = createCrl({
    issuer: { certificate, privateKey },
    thisUpdate: NOW - DAY,
    nextUpdate: NOW + DAY,
    revoked: revoked(),
  })

  it('is found entry by entry, and nothing else is', () => {
    const crl = parseCrl(der)
    expect(crl.size).toBe(COUNT)
    for (let i = 0; i < COUNT; i += 97) {
      const entry = crl.find(serialOf(i))
      if (entry?.reason !== (i % 3 === 0 ? 'superseded' : 'unspecified')) expect.fail(`entry ${i} is not found`)
    }
    for (let i = COUNT; i < COUNT + 1000; i++) if (crl.find(serialOf(i)) !== undefined) expect.fail(`${i} is found`)
  })

  it('takes memory near its own: no object per entry', () => {
    const before = process.memoryUsage()
    const crl = parseCrl(der)
    const after = process.memoryUsage()
    const grown = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers)
    expect(crl.size).toBe(COUNT)
    expect(grown).toBeLessThan(der.length * 1.5)
  })

  it('answers about a certificate', () => {
    const crls = parseCrl(der)
    expect(isRevoked(leaf(ca, { serial: serialOf(99_999) }).raw, ca.raw, { crls, now: NOW }).status).toBe('revoked')
    expect(isRevoked(leaf(ca, { serial: serialOf(COUNT) }).raw, ca.raw, { crls, now: NOW }).status).toBe('good')
  })
})
