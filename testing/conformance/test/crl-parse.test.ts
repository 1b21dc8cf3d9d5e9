import { type Crl, CrlError, parseCrl } from '@x/crl'
import { decodeOid, DerCursor, Tag } from '@x/der'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Described {
  readonly last_update: string
  readonly next_update: string | null
  readonly sig_oid: string
  readonly n_revoked: number
  /** Serial number, time; not of every list all. */
  readonly revoked: readonly (readonly [string, string])[]
  /** Absent where pyca could not read them. */
  readonly ext?: readonly (readonly [string, boolean])[]
}

interface ParseCase {
  readonly id: string
  readonly src: string
  readonly der: string
  readonly pyca48: Described | { readonly error: string }
  readonly openssl3_ok: boolean
}

const rows = corpus<ParseCase>('parse/crls.jsonl')

/** What pyca has, of a list as we read it. */
function describeList(crl: Crl, revoked: number): Omit<Described, 'revoked'> & { revoked: unknown } {
  const algorithm = new DerCursor(crl.signatureAlgorithm).enterExpected(Tag.SEQUENCE)
  const entries = [...crl.entries()].slice(0, revoked)
  return {
    last_update: isoSeconds(crl.thisUpdate),
    next_update: crl.nextUpdate === undefined ? null : isoSeconds(crl.nextUpdate),
    sig_oid: decodeOid(algorithm.expect(Tag.OID).content()),
    n_revoked: crl.size,
    revoked: entries.map(({ serialNumber, revocationDate }) => [decimal(serialNumber), isoSeconds(revocationDate)]),
    ext: crl.extensions.map(({ oid, critical }) => [oid, critical]),
  }
}

/** As pyca prints it: a year is not padded. */
function isoSeconds(date: Date): string {
  return date
    .toISOString()
    .replace('.000Z', 'Z')
    .replace(/^0+(?=\d)/, '')
}

/** As Python prints an integer. */
function decimal(serial: Uint8Array): string {
  const value = BigInt.asIntN(serial.length * 8, BigInt(`0x${Buffer.from(serial).toString('hex')}`))
  return value.toString()
}

describe.skipIf(rows === undefined)('lists that other parsers read', () => {
  it('are read or refused as pyca and OpenSSL do where they agree, and refused where only one does', () => {
    const differences: Difference[] = []
    for (const row of rows ?? []) {
      const expected = 'error' in row.pyca48 || !row.openssl3_ok ? 'refused' : 'accepted'
      let actual = 'accepted'
      try {
        parseCrl(Buffer.from(row.der, 'base64'))
      } catch (error) {
        expect(error).toBeInstanceOf(CrlError)
        actual = 'refused'
        if (process.env['SHOW'] !== undefined) console.log(row.src, expected, (error as Error).message)
      }
      if (actual !== expected) differences.push({ id: row.src, expected, actual })
    }
    expectExceptions('crl-parse', differences)
  })

  it('hold what pyca found in them', () => {
    let compared = 0
    for (const { src, der, pyca48 } of rows ?? []) {
      if ('error' in pyca48) continue
      let crl: Crl
      try {
        crl = parseCrl(Buffer.from(der, 'base64'))
      } catch {
        continue // judged above
      }
      const { last_update, next_update, sig_oid, n_revoked, revoked, ext } = pyca48
      const found = describeList(crl, revoked.length)
      expect(found, src).toMatchObject({ last_update, next_update, sig_oid, n_revoked, revoked, ...(ext && { ext }) })
      if (!crl.namesCertificateIssuers)
        for (const { serialNumber } of crl.entries()) expect(crl.find(serialNumber), src).toBeDefined()
      compared++
    }
    expect(compared).toBeGreaterThan(190)
  })
})
