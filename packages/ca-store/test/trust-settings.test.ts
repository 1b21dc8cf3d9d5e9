import { CertificateView } from '@x/der/x509'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { loadCaStore } from '../src/index.ts'
import {
  ANY_PURPOSE,
  CLIENT_AUTH,
  codes,
  der,
  detect,
  folder,
  hashed,
  pem,
  root,
  SERVER_AUTH,
  subjects,
  thrown,
  trusted,
} from './support.ts'

const a = root('A')
const b = root('B')
const EMAIL = '1.3.6.1.5.5.7.3.4'

describe('OpenSSL’s trust settings', () => {
  it.each<[string, Parameters<typeof trusted>[1], boolean, boolean]>([
    // settings, trusted for servers, for clients (X509_check_trust)
    ['none', {}, true, true],
    ['an alias alone', { alias: 'A' }, true, true],
    ['trusted for servers', { trust: [SERVER_AUTH] }, true, false],
    ['trusted for clients', { trust: [CLIENT_AUTH] }, false, true],
    ['trusted for anything', { trust: [ANY_PURPOSE] }, true, true],
    ['trusted for mail', { trust: [EMAIL] }, false, false],
    ['trusted for nothing', { trust: [] }, false, false],
    ['rejected for servers', { reject: [SERVER_AUTH] }, false, true],
    ['rejected for clients', { reject: [CLIENT_AUTH] }, true, false],
    ['rejected for anything', { reject: [ANY_PURPOSE] }, false, false],
    ['rejected for mail', { reject: [EMAIL] }, true, true],
    ['trusted and rejected', { trust: [SERVER_AUTH], reject: [SERVER_AUTH] }, false, false],
    ['trusted for all but servers', { trust: [ANY_PURPOSE], reject: [SERVER_AUTH], alias: 'A' }, false, true],
  ])('%s', (_, settings, servers, clients) => {
    const certificates = [trusted(a.cert, settings), b.cert]
    expect(loadCaStore({ certificates }).size).toBe(servers ? 2 : 1)
    const store = loadCaStore({ certificates, purpose: 'clientAuth' })
    expect(store.size).toBe(clients ? 2 : 1)
    if (!clients) expect(codes(store)).toEqual(['ERR_CA_DISTRUSTED'])
  })

  it.each([
    ['cut off', Uint8Array.of(0x30, 0x05, 0x30)],
    ['not a sequence', Uint8Array.of(0x04, 0x00)],
    ['two of them', Uint8Array.of(0x30, 0x00, 0x30, 0x00)],
    ['an unknown field', Uint8Array.of(0x30, 0x02, 0x02, 0x00)],
    ['a list that holds no OIDs', Uint8Array.of(0x30, 0x04, 0x30, 0x02, 0x04, 0x00)],
  ])('settings that cannot be read distrust: %s', (_, aux) => {
    const block = pem(Buffer.concat([der(a.cert), aux]), 'TRUSTED CERTIFICATE')
    expect(codes(loadCaStore({ certificates: [block, b.cert] }))).toEqual(['ERR_CA_DISTRUSTED'])
  })

  const distrusted = trusted(a.cert, { reject: [SERVER_AUTH] })

  it.each([
    ['before', [distrusted, a.cert, b.cert]],
    ['after', [a.cert, b.cert, distrusted]],
  ])('distrust counts against another copy %s it', (_, certificates) => {
    const store = loadCaStore({ certificates })
    expect(store.origin(a.cert)).toBeUndefined()
    expect(store.findIssuer(a.issue('x').cert)).toBeUndefined()
    expect(store.findBySubject(new CertificateView(der(a.cert)).subject)).toEqual([])
    expect(subjects(store)).toEqual(['CN=B'])
    expect(codes(store)).toEqual(['ERR_CA_DISTRUSTED', 'ERR_CA_DISTRUSTED'])
    expect(store.toPem()).toBe(loadCaStore({ certificates: b.cert }).toPem())
  })

  it('a store of copies that one distrusts is empty', () => {
    expect(thrown(() => loadCaStore({ certificates: [a.cert, distrusted] }))).toMatchObject({
      code: 'ERR_CA_EMPTY',
      cause: { code: 'ERR_CA_DISTRUSTED' },
    })
  })

  it('in a directory and in detected sources as well', () => {
    const store = detect({
      files: Object.fromEntries(
        Object.entries(hashed(a.cert, distrusted, b.cert)).map(([k, v]) => [`/etc/ssl/certs/${k}`, v]),
      ),
    })
    expect(subjects(store)).toEqual(['CN=B'])
    expect(codes(store)).toEqual(['ERR_CA_DISTRUSTED', 'ERR_CA_DISTRUSTED'])
  })

  it('what remains goes out without settings', () => {
    const store = loadCaStore({ certificates: trusted(a.cert, { trust: [SERVER_AUTH] }) })
    expect(store.toPem()).toBe(a.cert)
    expect(store.secureContextOptions()).toEqual({ ca: [a.cert] })
  })
})

describe('isDistrusted', () => {
  const settings = { reject: [SERVER_AUTH] }
  const refused = trusted(a.cert, settings)

  it.each([
    ['by its own block', [refused, b.cert]],
    ['where another copy is not', [a.cert, refused, b.cert]],
  ])('tells what the store distrusts %s, since a peer may send it', (_, certificates) => {
    const store = loadCaStore({ certificates })
    expect(store.isDistrusted(a.cert)).toBe(true)
    expect(store.isDistrusted(der(a.cert))).toBe(true)
    const another = Buffer.from(der(a.cert))
    another[another.length - 1] = (another.at(-1) as number) ^ 1 // another signature over the same
    expect(store.isDistrusted(another)).toBe(true)
    expect(store.isDistrusted(b.cert)).toBe(false)
    expect(store.isDistrusted(root('C').cert)).toBe(false)
    expect(store.isDistrusted(createAuthority('A').cert)).toBe(false) // of the same name
  })

  it('by the store’s purpose', () => {
    const store = loadCaStore({ certificates: [refused, b.cert], purpose: 'clientAuth' })
    expect(store.isDistrusted(a.cert)).toBe(false)
  })

  it('in a directory, under the subject hash alone', () => {
    expect(loadCaStore({ path: folder(hashed(refused, b.cert)) }).isDistrusted(a.cert)).toBe(true)
    const elsewhere = { ...hashed(b.cert), '01234567.0': refused }
    expect(loadCaStore({ path: folder(elsewhere) }).isDistrusted(a.cert)).toBe(false)
  })

  it('refuses what is no certificate', () => {
    const store = loadCaStore({ certificates: [b.cert] })
    expect(thrown(() => store.isDistrusted('x'))).toMatchObject({ code: 'ERR_CA_BROKEN_CERTIFICATE' })
  })
})
