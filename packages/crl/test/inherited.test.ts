import { type Call, describeInheritedFields, describeInheritedOptions } from '@x-testing/inherited'
import { createCrl, CrlStore, isRevoked, verifyCrl } from '../src/index.ts'
import { authority, DAY, leaf, list, NOW } from './authorities.ts'

const ca = authority('CA')
const impostor = authority('CA')
const certificate = leaf(ca)
const crl = list(ca)
const current = list(ca, { nextUpdate: Date.now() + DAY })
const issuer = { certificate: ca.raw, privateKey: ca.privateKey }
const store = new CrlStore({ crls: crl, online: false, now: () => NOW })

const calls: readonly Call[] = [
  ['now', 'verifyCrl', NOW, { clockSkew: 0 }, (options) => verifyCrl(current, ca, options)],
  ['clockSkew', 'verifyCrl', 86_400, { now: NOW }, (options) => verifyCrl(crl, ca, options)],
  ['now', 'isRevoked', NOW, { crls: crl }, (options) => isRevoked(certificate, ca, options)],
  ['chain', 'isRevoked', [impostor.raw], { crls: crl, now: NOW }, (options) => isRevoked(certificate, ca, options)],
  ['crlIssuers', 'isRevoked', [impostor.raw], { crls: crl }, (options) => isRevoked(certificate, ca, options)],
  ['crls', 'new CrlStore', crl, { online: false }, (options) => new CrlStore(options)],
  ['fetch', 'new CrlStore', () => undefined, {}, (options) => new CrlStore(options)],
  ['online', 'new CrlStore', false, {}, (options) => new CrlStore(options)],
  ['online', 'CrlStore.isRevoked', false, {}, (options) => store.isRevoked(certificate, ca, options)],
  ['now', 'CrlStore.isRevoked', NOW, {}, (options) => store.isRevoked(certificate, ca, options)],
  ['nextUpdate', 'createCrl', NOW + 3650 * DAY, { issuer }, (options) => createCrl(options)],
  ['digest', 'createCrl', 'sha1', { issuer }, (options) => createCrl(options)],
]

const nested: readonly Call[] = [
  [
    'privateKey',
    'createCrl: issuer',
    impostor.privateKey,
    { certificate: ca.raw },
    (one) => createCrl({ issuer: one }),
  ],
  ['reason', 'createCrl: revoked', 'removeFromCrl', { serial: 1 }, (one) => createCrl({ issuer, revoked: [one] })],
  ['only', 'createCrl: scope', 'cas', { indirect: true }, (scope) => createCrl({ issuer, scope })],
  [
    'critical',
    'createCrl: extensions',
    true,
    { oid: '1.2.3', raw: Buffer.from('0500', 'hex') },
    (one) => createCrl({ issuer, extensions: [one] }),
  ],
]

describeInheritedOptions(calls)
describeInheritedFields(nested)
