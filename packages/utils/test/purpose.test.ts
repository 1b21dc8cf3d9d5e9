import { describe, expect, it } from 'vitest'
import { createCertificate, describeCertificate, generateKeySync, type Purpose } from '@x/utils'
import { codeOf } from './support.ts'

const privateKey = generateKeySync('ec')

/** basicConstraints, keyUsage, extKeyUsage and nsCertType on one line, as the original's CERT_create sets them. */
function usages(purpose: Purpose | undefined, ca?: boolean): string {
  const { raw } = createCertificate({
    privateKey,
    ...(purpose === undefined ? {} : { purpose }),
    ...(ca === undefined ? {} : { ca }),
  })
  const { extensions } = describeCertificate(raw)
  return ['basicConstraints', 'keyUsage', 'extendedKeyUsage', 'nsCertType']
    .map((name) => extensions.find((one) => one.name === name))
    .map((one) => (one === undefined ? '-' : `${one.critical ? '!' : ''}${one.text}`))
    .join(' | ')
}

const BOTH = '!digitalSignature, keyEncipherment'
const NO_CA = '!CA:FALSE'
const CA = '!CA:TRUE | !digitalSignature, keyCertSign | -'

describe('purpose', () => {
  it.each<[Purpose | undefined, string]>([
    [undefined, `${NO_CA} | ${BOTH} | TLS Web Client Authentication, TLS Web Server Authentication | client, server`],
    ['server', `${NO_CA} | ${BOTH} | TLS Web Server Authentication | server`],
    ['client', `${NO_CA} | ${BOTH} | TLS Web Client Authentication | client`],
    ['email', `${NO_CA} | ${BOTH} | E-mail Protection | email`],
    ['objsign', `${NO_CA} | ${BOTH} | Code Signing | objsign`],
    ['CA', `${CA} | -`],
    ['sslCA', `${CA} | sslCA`],
    ['emailCA', `${CA} | emailCA`],
    ['objCA', `${CA} | objCA`],
    ['emailProtection', `${NO_CA} | ${BOTH} | E-mail Protection | email`],
    ['codeSigning', `${NO_CA} | ${BOTH} | Code Signing | objsign`],
    ['timeStamping', `${NO_CA} | - | Time Stamping | -`],
    ['digitalSignature', `${NO_CA} | !digitalSignature | - | -`],
    ['nonRepudiation', `${NO_CA} | !nonRepudiation | - | -`],
    ['keyEncipherment', `${NO_CA} | !keyEncipherment | - | -`],
    ['dataEncipherment', `${NO_CA} | !dataEncipherment | - | -`],
    ['keyAgreement', `${NO_CA} | !keyAgreement | - | -`],
    ['keyCertSign', `${NO_CA} | !keyCertSign | - | -`],
    ['cRLSign', `${NO_CA} | !cRLSign | - | -`],
    ['encipherOnly', `${NO_CA} | !encipherOnly | - | -`],
    ['decipherOnly', `${NO_CA} | !decipherOnly | - | -`],
    ['clientAuth', `${NO_CA} | - | TLS Web Client Authentication | -`],
    ['serverAuth', `${NO_CA} | - | TLS Web Server Authentication | -`],
    ['OCSPSigning', `${NO_CA} | !digitalSignature | OCSP Signing | -`],
    [
      'server,client',
      `${NO_CA} | ${BOTH} | TLS Web Client Authentication, TLS Web Server Authentication | client, server`,
    ],
    ['+server -keyEncipherment', `${NO_CA} | !digitalSignature | TLS Web Server Authentication | server`],
    ['server -client', `${NO_CA} | - | TLS Web Server Authentication | server`],
    [
      'server+cRLSign',
      `${NO_CA} | ${BOTH.slice(1).replace('digital', '!digital')}, cRLSign | TLS Web Server Authentication | server`,
    ],
    [['server', '-keyEncipherment'], `${NO_CA} | !digitalSignature | TLS Web Server Authentication | server`],
    [{ SERVER: true, client: 0, keyEncipherment: '-' }, `${NO_CA} | - | TLS Web Server Authentication | server`],
    ['-server', `${NO_CA} | - | - | -`],
    ['server -server', `${NO_CA} | - | - | -`],
  ])('%j', (purpose, expected) => {
    expect(usages(purpose)).toBe(expected)
  })

  it.each<[Purpose | undefined, string]>([
    [undefined, `${CA} | sslCA, emailCA, objCA`],
    ['-emailCA,-objCA', `${NO_CA} | - | - | sslCA`],
    [
      'server',
      `!CA:TRUE | !digitalSignature, keyEncipherment, keyCertSign | TLS Web Server Authentication | server, sslCA, emailCA, objCA`,
    ],
    ['cRLSign', '!CA:TRUE | !digitalSignature, keyCertSign, cRLSign | - | sslCA, emailCA, objCA'],
  ])('of a CA: %j', (purpose, expected) => {
    expect(usages(purpose, true)).toBe(expected)
  })

  it.each([
    ['servr', 'ERR_INVALID_ARG_VALUE purpose'],
    ['server, clint', 'ERR_INVALID_ARG_VALUE purpose'],
    ['server -', 'ERR_INVALID_ARG_VALUE purpose'],
    ['--server', 'ERR_INVALID_ARG_VALUE purpose'],
    [['server', 1], 'ERR_INVALID_ARG_VALUE purpose'],
    [['server,client'], 'ERR_INVALID_ARG_VALUE purpose'],
    [{ servr: false }, 'ERR_INVALID_ARG_VALUE purpose'],
    [1, 'ERR_INVALID_ARG_TYPE purpose'],
    [null, 'ERR_INVALID_ARG_TYPE purpose'],
  ])('refuses %j', (purpose, code) => {
    expect(codeOf(() => createCertificate({ privateKey, purpose: purpose as never }))).toBe(code)
  })
})
