import { generateKeySync } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { createCrl, type CrlOptions, parseCrl, verifyCrl } from '../src/index.ts'
import { authority, DAY, list, NOW } from './authorities.ts'

const ca = authority('Creating CA')
const issuer = { certificate: ca.raw, privateKey: ca.privateKey }

describe('createCrl', () => {
  it('makes what it was told', () => {
    const crl = list(ca, {
      number: 5n,
      baseNumber: 4,
      scope: {
        uris: ['http://crl.example/'],
        only: 'attributes',
        reasons: ['keyCompromise', 'aaCompromise'],
        indirect: true,
      },
    })
    expect(parseCrl(crl.der)).toMatchObject({
      crlNumber: 5n,
      baseCrlNumber: 4n,
      issuingDistributionPoint: { onlyContainsAttributeCerts: true, indirectCrl: true, onlySomeReasons: 0b1_0000_0010 },
    })
    expect([...crl.entries()]).toEqual([])
    expect(crl.extensions.map(({ oid, critical }) => [oid, critical])).toEqual([
      ['2.5.29.35', false],
      ['2.5.29.20', false],
      ['2.5.29.27', true],
      ['2.5.29.28', true],
    ])
  })

  it('holds for a week unless told', () => {
    const crl = createCrl({ issuer, thisUpdate: NOW })
    expect(crl.nextUpdate).toEqual(new Date(NOW + 7 * DAY))
    expect(Math.abs(createCrl({ issuer }).thisUpdate.getTime() - Date.now())).toBeLessThan(5000)
  })

  it.each(['rsa', 'ed25519', 'ec'] as const)('signs with %s', (type) => {
    const signer = authority('Root').issue({
      ca: true,
      subject: { commonName: type },
      purpose: 'CA,cRLSign',
      notBefore: NOW - DAY,
      privateKey: type === 'rsa' ? generateKeySync({ type, bits: 2048 }) : generateKeySync({ type }),
    })
    expect(verifyCrl(list(signer), signer.raw, { now: NOW }).crl.size).toBe(0)
  })

  it('serial numbers come as certificates, hex, numbers and octets', () => {
    const serials: NonNullable<CrlOptions['revoked']> = [
      { certificate: ca.raw },
      { serial: '80' },
      { serial: 128n },
      { serial: 128 },
      { serial: Uint8Array.of(0x80) },
    ]
    const crl = list(ca, { revoked: serials })
    expect([...crl.entries()].slice(1).map(({ serialNumber }) => Buffer.from(serialNumber).toString('hex'))).toEqual(
      Array(4).fill('0080'),
    )
    expect(crl.find(Buffer.from(ca.certificate.serialNumber, 'hex'))).toBeDefined()
  })

  it.each<[string, object]>([
    ['"issuer"', { issuer: undefined }],
    ['"number2" option is not known', { number2: 1 }],
    ['"revoked.serials" option is not known', { revoked: [{ serials: 1 }] }],
    ['"revoked"', { revoked: [{}] }],
    ['"revoked"', { revoked: [{ serial: 1, certificate: ca.raw }] }],
    ['"revoked.serial"', { revoked: [{ serial: 'xyz' }] }],
    ['"revoked.serial"', { revoked: [{ serial: 1.5 }] }],
    ['"revoked.reason"', { revoked: [{ serial: 1, reason: 'because' }] }],
    ['"revoked.reason"', { revoked: [{ serial: 1, reason: 'toString' }] }],
    ['"revoked.date"', { revoked: [{ serial: 1, date: Number.NaN }] }],
    ['"scope.only"', { scope: { only: 'servers' } }],
    ['"scope.reasons"', { scope: { reasons: ['unspecified'] } }],
    ['"scope.names" option is not known', { scope: { names: [] } }],
    ['"thisUpdate"', { thisUpdate: Number.NaN }],
    ['"nextUpdate"', { nextUpdate: new Date('') }],
  ])('refuses %s', (message, options) => {
    expect(() => createCrl({ issuer, ...options })).toThrow(message)
    expect(() => createCrl({ issuer, ...options })).toThrow(TypeError)
  })

  it('refuses an issuer that is none', () => {
    expect(() => createCrl({ issuer: { certificate: 'x', privateKey: ca.privateKey } })).toThrow(
      expect.objectContaining({ code: 'ERR_CRL_CERTIFICATE_INVALID' }),
    )
    expect(() => createCrl({ issuer: { certificate: ca.raw, privateKey: 'x' } })).toThrow(
      expect.objectContaining({ code: 'ERR_CRL_CERTIFICATE_INVALID' }),
    )
  })
})
