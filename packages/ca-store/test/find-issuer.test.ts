import { X509Certificate } from 'node:crypto'
import { bitString, sequence } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { loadCaStore } from '../src/index.ts'
import { der, folder, hashed, pem, root, thrown } from './support.ts'

const DAY = 86_400_000
const a = root('A')
const leaf = a.issue('leaf.example')

/** The same signed part under a signature of zeros. */
function unsigned(certificate: Uint8Array): Uint8Array {
  const view = new CertificateView(certificate)
  return sequence(view.tbs, view.signatureAlgorithm, bitString(new Uint8Array(view.signature.length)))
}

describe('findIssuer', () => {
  const store = loadCaStore({ certificates: [root('B').cert, a.cert] })

  it.each([
    ['PEM', leaf.cert],
    ['a chain in PEM, of which the first counts', leaf.cert + root('B').cert],
    ['DER', Uint8Array.from(leaf.raw)],
    ['an X509Certificate', leaf.certificate],
    ['a peer certificate', { raw: leaf.certificate.raw }],
  ])('of %s', (_, certificate) => {
    expect(store.findIssuer(certificate)?.raw).toEqual(a.certificate.raw)
  })

  it('of a root is the root', () => {
    expect(store.findIssuer(a.cert)?.subject).toBe('CN=A')
  })

  it.each([
    ['one whose name alone fits', createAuthority('A').issue('leaf.example').cert],
    ['one with a broken signature', pem(unsigned(leaf.raw))],
    ['one of another issuer', root('C').issue('leaf.example').cert],
    [
      'one below an intermediate',
      a
        .issue({ subject: { commonName: 'I' }, ca: true })
        .issue('leaf.example')
        .cert.split(/(?<=END CERTIFICATE-----\n)/)[0] as string,
    ],
  ])('finds none for %s', (_, certificate) => {
    expect(store.findIssuer(certificate)).toBeUndefined()
  })

  it('finds the key that signed among several of one name, whichever comes first', () => {
    const twins = Array.from({ length: 4 }, () => createAuthority('Twin'))
    const twinStore = loadCaStore({ certificates: twins.map(({ cert }) => cert) })
    for (const twin of twins) expect(twinStore.findIssuer(twin.issue('x').cert)?.raw).toEqual(twin.certificate.raw)
  })

  it('needs no key identifiers, and is not misled by wrong ones', () => {
    const bare = createAuthority({
      subject: { commonName: 'Bare' },
      omit: ['subjectKeyIdentifier', 'authorityKeyIdentifier'],
    })
    const other = createAuthority('Bare')
    const without = bare.issue({ names: 'x', omit: ['authorityKeyIdentifier'] })
    const bareStore = loadCaStore({ certificates: [other.cert, bare.cert] })
    expect(bareStore.findIssuer(without.cert)?.raw).toEqual(bare.certificate.raw)
    const misled = bare.issue({ names: 'x', extensions: [{ oid: '2.5.29.35', raw: aki(other.raw) }] })
    expect(bareStore.findIssuer(misled.cert)?.raw).toEqual(bare.certificate.raw)
    const junk = bare.issue({ names: 'x', extensions: [{ oid: '2.5.29.35', raw: Uint8Array.of(1, 2, 3) }] })
    expect(bareStore.findIssuer(junk.cert)?.raw).toEqual(bare.certificate.raw)
  })

  it('prefers, for one key, the certificate that is valid, and of those the one that is so longest', () => {
    const now = Date.now()
    const made = (from: number, until: number): string =>
      createAuthority({
        subject: { commonName: 'Renewed' },
        privateKey: a.privateKey,
        notBefore: now + from * DAY,
        notAfter: now + until * DAY,
      }).cert
    const [old, next, long, short] = [made(-20, -10), made(10, 90), made(-5, 50), made(-5, 20)]
    const issued = createAuthority({ subject: { commonName: 'Renewed' }, privateKey: a.privateKey }).issue('x')
    const renewed = loadCaStore({ certificates: [old, next, short, long] })
    expect(renewed.findIssuer(issued.cert)?.raw).toEqual(der(long))
  })

  it.each([
    ['text', 'junk'],
    ['bytes', Uint8Array.of(0x30, 0x00)],
    ['nothing', new Uint8Array()],
    ['a broken block', pem(Uint8Array.of(1))],
  ])('refuses %s with a code', (_, certificate) => {
    expect(thrown(() => store.findIssuer(certificate))).toMatchObject({
      name: 'CaStoreError',
      code: 'ERR_CA_BROKEN_CERTIFICATE',
    })
    expect(thrown(() => store.origin(certificate))).toMatchObject({ code: 'ERR_CA_BROKEN_CERTIFICATE' })
  })

  it('refuses what is no certificate at all with a TypeError', () => {
    expect(thrown(() => store.findIssuer(7 as never))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })
})

describe('findBySubject', () => {
  it('answers in the order of the sources, without copies', () => {
    const [one, two] = [createAuthority('Twin'), createAuthority('TWIN ')]
    const store = loadCaStore({ certificates: [one.cert, two.cert, one.cert], path: folder(hashed(two.cert)) })
    const { subject } = new CertificateView(one.raw)
    expect(store.findBySubject(subject).map((bytes) => Buffer.from(bytes))).toEqual([
      one.certificate.raw,
      two.certificate.raw,
    ])
    expect(store.findBySubject(subject)).toEqual(store.findBySubject(new CertificateView(two.raw).subject))
  })

  it('refuses what is no name', () => {
    const store = loadCaStore({ certificates: a.cert })
    expect(thrown(() => store.findBySubject(Uint8Array.of(1, 2)))).toMatchObject({ code: 'ERR_CA_BROKEN_CERTIFICATE' })
  })
})

it('origin tells an anchor from a stranger with the same name', () => {
  const store = loadCaStore({ certificates: a.cert })
  expect(store.origin(new X509Certificate(a.cert))).toBeDefined()
  expect(store.origin(createAuthority('A').cert)).toBeUndefined()
  expect(store.origin(leaf.cert)).toBeUndefined()
})

function aki(certificate: Uint8Array): Uint8Array {
  const identifier = new CertificateView(certificate).extension('2.5.29.14')?.value.subarray(2) ?? new Uint8Array()
  return Uint8Array.of(0x30, identifier.length + 2, 0x80, identifier.length, ...identifier)
}
