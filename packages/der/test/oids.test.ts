import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { decodeOid, openDer, readOid, Tag } from '../src/index.ts'
import { CertificateView, DigestId, digestName, ExtensionId, ExtensionOid, SIGNATURE_ALGORITHMS } from '../src/x509.ts'

const roots = rootCertificates.map((pem) => new X509Certificate(pem))

describe('identifiers', () => {
  it('of extensions stand in both forms', () => {
    expect(Object.keys(ExtensionOid)).toEqual(Object.keys(ExtensionId))
    for (const [name, oid] of Object.entries(ExtensionId))
      expect(decodeOid(ExtensionOid[name as keyof typeof ExtensionId])).toBe(oid)
    expect(new Set(Object.values(ExtensionId)).size).toBe(Object.keys(ExtensionId).length)
  })

  it('of digests are found both ways', () => {
    for (const [name, oid] of Object.entries(DigestId)) expect(digestName(oid)).toBe(name)
    expect(digestName('1.2.840.113549.2.5')).toBeUndefined() // MD5
    expect(digestName('constructor')).toBeUndefined()
  })

  it('of signatures are each there once, and those that roots are signed with are among them', () => {
    const oids = SIGNATURE_ALGORITHMS.map(({ oid }) => oid)
    expect(new Set(oids).size).toBe(oids.length)
    for (const { raw, publicKey } of roots) {
      const { signatureAlgorithm } = new CertificateView(raw)
      const oid = readOid(openDer(signatureAlgorithm).expect(Tag.OID))
      expect(SIGNATURE_ALGORITHMS.find((row) => row.oid === oid)?.keyType).toBe(publicKey.asymmetricKeyType)
    }
  })
})
