import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  certificateToPem,
  createAuthority,
  parseCertificate,
  parseCertificates,
  readPem,
  toCertificateDer,
  toCertificateDers,
  writePem,
} from '@x/utils'
import { codeOf, fixture } from './support.ts'

const ca = createAuthority()
const leaf = ca.issue('example.org')
const pem = certificateToPem(leaf)

describe('parseCertificate', () => {
  it.each([
    ['PEM text', pem],
    ['PEM bytes', Buffer.from(pem)],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM without a last newline', pem.trimEnd()],
    ['PEM behind a byte order mark', `\ufeff${pem}`],
    ['PEM behind junk', `subject=CN=x\n  -----BEGIN\n${pem}`],
    ['PEM behind another kind of block', `${leaf.key}${pem}`],
    ['PEM with spaces behind its lines', pem.replaceAll('\n', '  \n')],
    ['the older label', pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
    ['DER', leaf.raw],
    ['an X509Certificate', leaf.certificate],
    ['a peer certificate', { raw: Buffer.from(leaf.raw) }],
    ['the first of a bundle', pem + ca.cert],
  ])('takes %s', (_, input) => {
    expect(parseCertificate(input).raw).toEqual(Buffer.from(leaf.raw))
  })

  it('reads of a TRUSTED CERTIFICATE the certificate', () => {
    expect(parseCertificate(fixture('trusted.pem')).raw).toEqual(parseCertificate(fixture('leaf.pem')).raw)
  })

  it('gives an X509Certificate back as it is', () => {
    expect(parseCertificate(leaf.certificate)).toBe(leaf.certificate)
  })

  it.each([
    ['empty text', '', 'ERR_CERT_NOT_FOUND'],
    ['text without a certificate', 'hello', 'ERR_CERT_NOT_FOUND'],
    ['a key', leaf.key, 'ERR_CERT_NOT_FOUND'],
    ['empty bytes', new Uint8Array(0), 'ERR_CERT_NOT_FOUND'],
    ['DER cut off', leaf.raw.subarray(0, -1), 'ERR_CERT_INVALID'],
    ['DER with a byte behind it', Buffer.concat([leaf.raw, Buffer.of(0)]), 'ERR_CERT_INVALID'],
    ['a lying length', Buffer.from('3084ffffffff00', 'hex'), 'ERR_CERT_INVALID'],
    ['an indefinite length', Buffer.from('30800000', 'hex'), 'ERR_CERT_INVALID'],
    ['another DER structure', Buffer.from('3003020101', 'hex'), 'ERR_CERT_INVALID'],
    ['PEM without its end', pem.slice(0, -30), 'ERR_CERT_PEM_INVALID'],
    ['PEM whose end is that of the next block', `${pem.slice(0, -30)}\n${ca.cert}`, 'ERR_CERT_PEM_INVALID'],
    ['PEM that is not base64', pem.replace('MII', '!!!'), 'ERR_CERT_PEM_INVALID'],
    ['base64 cut within a group', pem.replace('MII', 'MI'), 'ERR_CERT_PEM_INVALID'],
    ['PEM within PEM', writePem('CERTIFICATE', Buffer.from(pem)), 'ERR_CERT_INVALID'],
    ['too much of it', 'x'.repeat(64 * 1024 * 1024 + 1), 'ERR_CERT_TOO_LARGE'],
  ])('refuses %s', (_, input, code) => {
    expect(codeOf(() => parseCertificate(input))).toBe(code)
  })

  it.each([undefined, null, 1, {}, { raw: 'x' }, []])('calls %j a misuse', (input) => {
    expect(codeOf(() => parseCertificate(input as never))).toBe('ERR_INVALID_ARG_TYPE certificate')
  })
})

describe('parseCertificates', () => {
  it('finds every block of a bundle, whatever stands between them', () => {
    const bundle = `# roots\n\n${ca.cert}junk -----BEGIN CERTIFICATE-----\n${leaf.key}\n${pem}\n-----END CERTIFICATE-----\n`
    expect(parseCertificates(bundle).map(({ raw }) => raw)).toEqual([Buffer.from(ca.raw), Buffer.from(leaf.raw)])
  })

  it('takes lists of anything', () => {
    expect(parseCertificates([pem + ca.cert, leaf.raw, leaf.certificate, leaf])).toHaveLength(5)
  })

  it('refuses a bundle with one broken certificate', () => {
    expect(codeOf(() => parseCertificates(pem + writePem('CERTIFICATE', Buffer.from('3003020101', 'hex'))))).toBe(
      'ERR_CERT_INVALID',
    )
  })

  it('is done with 10 MB of anything in bounded time', () => {
    const begin = '-----BEGIN CERTIFICATE-----\n'
    for (const input of [
      begin.repeat(370_000),
      'A'.repeat(1e7),
      `${begin}${'A'.repeat(1e7)}`,
      '-'.repeat(1e7),
      '\n'.repeat(1e7),
      '\r-----BEGIN '.repeat(800_000),
    ])
      expect(codeOf(() => parseCertificates(input))).toMatch(/^ERR_CERT_/)
    expect(codeOf(() => parseCertificates(`${begin}:\n${'\n \t'.repeat(3e6)}-----END CERTIFICATE-----`))).toMatch(
      /^ERR_CERT_/,
    )
  })
})

describe('DER of certificates', () => {
  it('is a view of the caller’s DER', () => {
    expect(toCertificateDer(leaf.raw)).toBe(leaf.raw)
    expect(toCertificateDers([pem, ca.raw]).map((der) => Buffer.from(der))).toEqual(
      [leaf.raw, ca.raw].map((der) => Buffer.from(der)),
    )
  })
})

describe('PEM', () => {
  it('is read back as it was written', () => {
    const der = Uint8Array.from({ length: 200 }, (_, i) => i)
    const [block] = readPem(`x\n${writePem('ANY LABEL', der)}`)
    expect(block).toMatchObject({ label: 'ANY LABEL', headers: false })
    expect(Buffer.from(block?.der ?? [])).toEqual(Buffer.from(der))
    expect(
      writePem('X', der)
        .split('\n')
        .every((line) => line.length <= 64),
    ).toBe(true)
  })

  it('is what OpenSSL writes', () => {
    expect(certificateToPem([leaf.certificate, ca.certificate])).toBe(
      leaf.certificate.toString() + new X509Certificate(ca.raw).toString(),
    )
  })
})
