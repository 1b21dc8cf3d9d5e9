import { type KeyObject, webcrypto } from 'node:crypto'
import { certificateToPem, privateKeyToPem } from '@x/utils'
import type { Subject } from './row.ts'

/** DER certificates and keys: what is cloned, by whom, and with which key. */
export interface PeerInput {
  readonly origin: Uint8Array
  readonly ca: Uint8Array
  readonly caKey: KeyObject
  readonly leafKey: KeyObject
}

const KEPT = new Set(['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'])

/** A clone as its users write it: read the origin, make a certificate with its subject, names and usages, sign it. */
export async function peculiarClone({ origin, ca, caKey, leafKey }: PeerInput): Promise<Subject> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto as unknown as Crypto)
  const issuer = new x509.X509Certificate(Buffer.from(ca))
  const algorithm = algorithmOf(caKey)
  const [signingKey, publicKey] = await Promise.all([importPrivate(caKey), importPublic(leafKey)])
  return async () => {
    const original = new x509.X509Certificate(Buffer.from(origin))
    const clone = await x509.X509CertificateGenerator.create({
      serialNumber: '0102030405060708',
      subject: original.subject,
      issuer: issuer.subject,
      notBefore: original.notBefore,
      notAfter: original.notAfter,
      extensions: [
        ...original.extensions.filter(({ type }) => KEPT.has(type)),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto as unknown as Crypto),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto as unknown as Crypto),
      ],
      signingAlgorithm: algorithm,
      publicKey,
      signingKey,
    })
    return clone.rawData
  }
}

export async function pkijsClone({ origin, ca, caKey, leafKey }: PeerInput): Promise<Subject> {
  const pkijs = await import('pkijs')
  const asn1js = await import('asn1js')
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as unknown as Crypto }))
  const issuer = pkijs.Certificate.fromBER(Buffer.from(ca))
  const [signingKey, publicKey] = await Promise.all([importPrivate(caKey), importPublic(leafKey)])
  return async () => {
    const original = pkijs.Certificate.fromBER(Buffer.from(origin))
    const clone = new pkijs.Certificate()
    clone.version = 2
    clone.serialNumber = new asn1js.Integer({ value: 258 })
    clone.subject = original.subject
    clone.issuer = issuer.subject
    clone.notBefore = original.notBefore
    clone.notAfter = original.notAfter
    clone.extensions = (original.extensions ?? []).filter(({ extnID }) => KEPT.has(extnID))
    await clone.subjectPublicKeyInfo.importKey(publicKey)
    await clone.sign(signingKey, 'SHA-256')
    return clone.toSchema().toBER()
  }
}

export async function forgeClone({ origin, ca, caKey, leafKey }: PeerInput): Promise<Subject> {
  const { default: forge } = await import('node-forge')
  const { pki } = forge
  const issuer = pki.certificateFromPem(certificateToPem({ raw: ca }))
  const signingKey = pki.privateKeyFromPem(privateKeyToPem(caKey))
  const { n, e } = pki.privateKeyFromPem(privateKeyToPem(leafKey))
  const publicKey = pki.setRsaPublicKey(n, e)
  // node-forge reads RSA certificates only, and takes the origin as PEM or bytes in a string.
  const pem = certificateToPem({ raw: origin })
  return () => {
    const original = pki.certificateFromPem(pem)
    const clone = pki.createCertificate()
    clone.serialNumber = '0102030405060708'
    clone.publicKey = publicKey
    clone.validity = original.validity
    clone.setSubject(original.subject.attributes)
    clone.setIssuer(issuer.subject.attributes)
    clone.setExtensions(original.extensions.filter(({ id }: { id: string }) => KEPT.has(id)))
    clone.sign(signingKey, forge.md.sha256.create())
    return forge.asn1.toDer(pki.certificateToAsn1(clone)).getBytes()
  }
}

/** What this uses of mockttp, which brings some 190 packages and is measured only where it is installed (`npm i mockttp` in bench/). */
interface Mockttp {
  getCA(options: {
    key: string
    cert: string
  }): Promise<{ generateCertificate(name: string): Promise<{ cert: string }> }>
}

/** mockttp makes a certificate for one name and looks at no origin; it caches by name, so each call has another. */
export async function mockttpCertificate({ ca, caKey }: PeerInput): Promise<Subject | undefined> {
  const path = 'mockttp/dist/util/certificates'
  const mockttp = (await import(path).catch(() => undefined)) as Mockttp | undefined
  if (mockttp === undefined) return undefined
  const authority = await mockttp.getCA({ key: privateKeyToPem(caKey), cert: certificateToPem({ raw: ca }) })
  let n = 0
  return () => authority.generateCertificate(`host-${n++}.example.org`)
}

function algorithmOf(key: KeyObject): EcdsaParams & RsaHashedImportParams & EcKeyImportParams {
  return key.asymmetricKeyType === 'rsa'
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', namedCurve: '' }
    : { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' }
}

async function importPrivate(key: KeyObject): Promise<CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, algorithmOf(key), true, ['sign'])
}

async function importPublic(key: KeyObject): Promise<CryptoKey> {
  const { createPublicKey } = await import('node:crypto')
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', der, algorithmOf(key), true, ['verify'])
}
