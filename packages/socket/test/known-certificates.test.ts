import { describe, expect, it } from 'vitest'
import { knownCertificate } from '../src/engine/known-certificates.ts'
import { connect } from '../src/index.ts'
import { authority, identity, tlsServer } from './support.ts'

const der = (): Uint8Array => Uint8Array.from(identity.certificate.raw)

describe('certificates that were shown before', () => {
  it('are the same object for the same bytes, and for no others', () => {
    const first = knownCertificate(der())
    expect(knownCertificate(der())).toBe(first)
    const other = der()
    other[40] = (other[40] as number) ^ 1
    expect(knownCertificate(other)).toEqual(other) // with the same end
    expect(knownCertificate(der())).toEqual(der())
  })

  it('are not given out once they were written to, whatever is shown then', () => {
    const first = knownCertificate(der())
    first[40] = (first[40] as number) ^ 1
    const again = knownCertificate(der())
    expect(again).not.toBe(first)
    expect(again).toEqual(der())
    const evil = Uint8Array.from(first)
    expect(knownCertificate(evil)).toEqual(evil)
  })

  it('are nobody else’s: what the certificate of a program, or a store, is written to changes none', async () => {
    const { cert, key, certificate } = authority.issue(['127.0.0.1']) // never shown before
    const bytes = Uint8Array.from(certificate.raw)
    await using server = await tlsServer({ cert, key })
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca: authority.ca })
    const shared = knownCertificate(bytes)
    socket.getPeerX509Certificate()?.raw.fill(0)
    expect(shared).toEqual(bytes)
    socket.destroy()
    const given = Uint8Array.of(0x30, 1, 2)
    const copy = knownCertificate(given)
    given.fill(0)
    expect(copy).toEqual(Uint8Array.of(0x30, 1, 2))
  })

  it('may be shorter than anything, or nothing', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0x30)]) expect(knownCertificate(bytes)).toEqual(bytes)
  })

  it('are forgotten where there are many', () => {
    const first = knownCertificate(der())
    for (let i = 0; i < 200; i++) knownCertificate(Uint8Array.of(0x30, 2, i, i))
    expect(knownCertificate(der())).not.toBe(first)
  })

  it('are a copy where the program gets them', async () => {
    await using server = await tlsServer()
    const options = { host: '127.0.0.1', port: server.port, ca: authority.ca }
    const paths: Uint8Array[] = []
    for (let i = 0; i < 3; i++) {
      const socket = await connect(options)
      const chain = socket.verification?.outcomes.chain
      if (chain?.result !== 'passed') throw new TypeError('refused')
      const leaf = chain.evidence.path[0] as Uint8Array
      expect(leaf).toEqual(der())
      leaf.fill(0)
      paths.push(leaf)
      socket.destroy()
    }
    expect(new Set(paths).size).toBe(3)
  })
})
